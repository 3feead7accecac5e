"""The counter-based generator: against plain Python integers, and as random numbers."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from scipy import stats

from corruptions import corrupt, noise, pixelate, poisson
from corruptions.catalog import SETS
from corruptions.draws import Stream, _mixed_by_torch, mix, stream

MASK = 2**64 - 1


def splitmix(state: int) -> int:
    """One output of SplitMix64 in Python's unbounded integers."""
    z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def test_mix_gives_the_published_first_output_of_splitmix64():
    # Seed 0: the reference implementation (Vigna) prints this number first.
    state = torch.tensor([0x9E3779B97F4A7C15 - 2**64])
    assert mix(state).item() & MASK == 0xE220A8397B1DCDAF


def test_words_are_splitmix64_read_as_a_counter():
    words = Stream(torch.tensor([5, -9])).words(4, purpose=2)
    for row, key in enumerate((5, -9)):
        for k in range(4):
            counter = 2 * 2**40 + 1 + k
            expected = splitmix((key + counter * 0x9E3779B97F4A7C15) & MASK)
            assert words[row, k].item() & MASK == expected


@pytest.mark.parametrize("shape", [(0, 5), (3, 0), (1, 40_000), (3, 16_385), (5000, 7)])
def test_words_by_numpy_are_words_by_torch_in_every_block(shape):
    keys = mix(torch.arange(shape[0]))
    words = Stream(keys).words(shape[1], purpose=1, first=3)
    counter = 2**40 + 1 + 3 + torch.arange(shape[1])
    by_torch = _mixed_by_torch(keys[:, None] + counter * (0x9E3779B97F4A7C15 - 2**64))
    assert torch.equal(words, by_torch)
    assert words.shape == shape


def test_mix_works_in_place_whatever_the_layout():
    words = torch.arange(40_000).view(200, 200)
    turned = words.clone().t()
    assert mix(turned) is turned
    assert torch.equal(turned, mix(words).t())


def test_keys_follow_from_seed_corruption_severity_and_id():
    base = int.from_bytes(
        hashlib.blake2b(b"(3, 'fog', 2.0)", digest_size=8, person=b"condition").digest(), "little"
    )
    key = stream(3, "fog", 2, np.array([7])).keys[0].item() & MASK
    assert key == splitmix(splitmix(7) ^ base)


def test_each_part_of_the_key_matters_and_severity_is_a_number():
    ids = np.arange(3)
    key = stream(0, "fog", 1, ids).keys
    assert torch.equal(key, stream(0, "fog", 1.0, ids).keys)
    for other in (
        stream(1, "fog", 1, ids),
        stream(0, "rain", 1, ids),
        stream(0, "fog", 1.5, ids),
        stream(0, "fog", 1, ids + 3),
        stream(0, "fog", 1, ["0", "1", "2"]),
    ):
        assert not (key[:, None] == other.keys[None, :]).any()


def test_refine_gives_the_upper_36_bits_of_the_word_at_that_place():
    draws = Stream(torch.tensor([11, 12, 13]))
    words = draws.words(20, purpose=1)
    rows, columns = torch.tensor([0, 2, 1]), torch.tensor([3, 19, 0])
    expected = [(words[r, c].item() & MASK) >> 28 for r, c in zip(rows, columns, strict=True)]
    assert draws.refine(rows, columns, purpose=1).tolist() == expected


def test_fine_is_refine_everywhere_also_further_into_the_image():
    draws = stream(0, "x", 1, np.arange(4))
    fine = draws.fine(30, purpose=1)
    rows, columns = (
        index.flatten()
        for index in torch.meshgrid(torch.arange(4), torch.arange(30), indexing="ij")
    )
    assert torch.equal(fine.flatten(), draws.refine(rows, columns, purpose=1))
    assert torch.equal(draws.after(11).fine(19, purpose=1), fine[:, 11:])


def test_codes_and_uniforms_are_cut_to_length_and_do_not_depend_on_it():
    draws = stream(0, "x", 1, np.arange(5))
    assert torch.equal(draws.codes(7), draws.codes(20)[:, :7])
    assert torch.equal(draws.uniform(5), draws.uniform(8)[:, :5])


def test_uniforms_lie_in_minus_one_to_one_and_are_uniform():
    values = stream(4, "x", 1, np.arange(1000)).uniform(1000).flatten().numpy()
    assert values.min() >= -1
    assert values.max() < 1
    assert stats.kstest(values, "uniform", args=(-1, 2)).pvalue > 1e-3


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda: (0, np.arange(2**18) + 1), id="next id"),
        pytest.param(lambda: (1, np.arange(2**18)), id="next seed"),
        pytest.param(lambda: (0, [str(k) for k in range(2**18)]), id="string ids"),
    ],
)
def test_neighbouring_keys_draw_independently(other):
    seed, ids = other()
    one = stream(0, "x", 1, np.arange(2**18)).codes(4)[:, 0].numpy()
    two = stream(seed, "x", 1, ids).codes(4)[:, 0].numpy()
    for shift in (0, 12):  # the lowest and the highest four bits
        pairs = ((one >> shift) & 15) * 16 + ((two >> shift) & 15)
        assert stats.chisquare(np.bincount(pairs, minlength=256)).pvalue > 1e-3


def test_neighbouring_words_of_one_image_draw_independently():
    codes = stream(0, "x", 1, np.arange(16)).codes(2**16).numpy()
    pairs = (codes[:, ::2] >> 12 & 15) * 16 + (codes[:, 1::2] >> 12 & 15)
    assert stats.chisquare(np.bincount(pairs.ravel(), minlength=256)).pvalue > 1e-3


def test_threads_share_tables_without_changing_a_byte():
    images = torch.randint(0, 256, (6, 3, 32, 32), dtype=torch.uint8)
    work = [name for name in (*SETS["noise"], *SETS["digital"]) for _ in range(4)]

    def one(name):
        return corrupt(images, name, 2.5, preset="cifar")

    expected = [one(name) for name in work]
    for cached in (noise._normal_steps, noise._normal_edges, poisson._tables, pixelate._axis):
        cached.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        for result, alone in zip(pool.map(one, work), expected, strict=True):
            assert torch.equal(result, alone)


def test_ids_may_be_names_that_are_no_utf_8():
    drawn = {int(stream(0, "fog", 1, [name]).keys[0]) for name in ("a", "a\udc80", "a\udc81")}
    assert len(drawn) == 3
