"""Threads and the parts of a batch change no byte, and leave torch's own setting alone."""

import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
import torch

from corruptions import PRESETS, corrupt
from corruptions.threads import check_threads, for_each
from corruptions.tiles import cut

PAIRS = [(preset, name) for preset, row in PRESETS.items() for name in row.rows]


def some(count, side, channels=3):
    shape = (count, side, side, channels)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def number_of_a_new_thread():
    seen = []
    thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return seen[0]


@pytest.fixture
def two_torch_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(("preset", "name"), PAIRS)
def test_threads_and_parts_never_change_a_byte(preset, name, monkeypatch):
    monkeypatch.setattr("corruptions.tiles.PART", 2**19)  # several parts of few images
    images = some(9, side=150)[:, :140]
    parts = list(cut(images, None, per_element=False, threads=1))
    assert 1 < len(parts) < len(list(cut(images, None, per_element=False, threads=4)))
    severity = min(4, len(PRESETS[preset].severities))
    one = corrupt(images, name, severity, preset=preset, threads=1)
    for threads in (2, 4):
        assert np.array_equal(one, corrupt(images, name, severity, preset=preset, threads=threads))
    assert np.array_equal(one[8:], corrupt(images[8:], name, severity, preset=preset, ids=[8]))


def test_torchs_own_threads_change_no_byte(two_torch_threads):
    images = some(3, 150)
    with_two = [corrupt(images, name, 4, preset="imagenet") for name in PRESETS["imagenet"].rows]
    torch.set_num_threads(1)
    for name, expected in zip(PRESETS["imagenet"].rows, with_two, strict=True):
        assert np.array_equal(corrupt(images, name, 4, preset="imagenet"), expected), name


def test_torch_uses_one_thread_in_ours_and_keeps_its_setting_elsewhere(two_torch_threads):
    inside = []
    for_each(lambda item: inside.append((torch.get_num_threads(), item)), range(20), threads=3)
    assert sorted(inside) == [(1, item) for item in range(20)]
    assert torch.get_num_threads() == 2
    assert number_of_a_new_thread() == 2


def test_one_thread_does_not_share_its_work_with_torchs(two_torch_threads):
    inside = []
    for_each(lambda item: inside.append(torch.get_num_threads()), [0], threads=1)
    assert inside == [1]


def test_nothing_is_nested():
    seen = set()

    def inner(item):
        seen.add((check_threads(7), threading.current_thread()))

    def outer(item):
        for_each(inner, range(3), check_threads(2))

    for_each(outer, range(4), threads=3)
    mine = {thread for _, thread in seen}
    for_each(lambda item: seen.add((1, threading.current_thread())), range(50), threads=3)
    assert {number for number, _ in seen} == {1}
    assert mine <= {thread for thread in threading.enumerate() if "corruptions" in thread.name}
    assert len(mine) <= 3


def test_the_first_error_in_order_is_raised_and_nothing_runs_on():
    done = []

    def failing(item):
        if item in (3, 5):
            raise ValueError(f"item {item}")
        done.append(item)

    with pytest.raises(ValueError, match="item 3"):
        for_each(failing, range(50), threads=2)
    count = len(done)
    for_each(lambda item: None, range(4), threads=2)
    assert len(done) == count


@pytest.mark.parametrize(
    ("threads", "error", "fragment"),
    [
        (0, ValueError, "at least 1"),
        (-2, ValueError, "-2"),
        (1.0, TypeError, "1.0"),
        (True, TypeError, "True"),
        ("2", TypeError, "'2'"),
    ],
)
def test_numbers_of_threads_that_cannot_be(threads, error, fragment):
    with pytest.raises(error, match=fragment):
        corrupt(some(2, 8), "contrast", 1, threads=threads)


def test_numbers_of_threads_may_be_numpys():
    images = some(2, 8)
    counted = corrupt(images, "contrast", 1, threads=np.int64(2))  # type: ignore[arg-type]
    assert np.array_equal(counted, corrupt(images, "contrast", 1, threads=2))


def test_parts_write_every_image_once_and_are_enough_for_the_threads():
    images = some(37, 64)
    for threads in (1, 2, 3, 8):
        parts = list(cut(images, None, per_element=False, threads=threads))
        written = np.zeros(37, dtype=int)
        for part in parts:
            written[part.images] += 1
            assert part.rows == part.read == slice(0, 64)
        assert (written == 1).all()
        assert len(parts) >= threads


def test_few_pixels_are_not_shared_out():
    assert len(list(cut(some(8, 8), None, per_element=False, threads=4))) == 1


PEAK = """
    import resource
    import numpy as np
    import corruptions

    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    warm = np.zeros((8, 224, 224, 3), dtype=np.uint8)
    images = np.random.default_rng(0).integers(0, 256, (150, 224, 224, 3), dtype=np.uint8)
    for name in {names}:
        corruptions.corrupt(warm, name, 3, threads=2)
    before = peak()
    for name in {names}:
        corruptions.corrupt(images, name, 3, threads=2)
    print((peak() - before) / images.nbytes)
"""


def test_memory_stays_below_eight_times_the_batch():
    pytest.importorskip("resource")
    names = ["gaussian_noise", "gaussian_blur", "fog", "saturate"]
    code = textwrap.dedent(PEAK).format(names=names)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 8
