"""Images of other kinds: 16 bits, floats, any stated range, bands, memory maps."""

import logging

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from corruptions import CORRUPTIONS, PRESETS, corrupt

PAIRS = [(preset, name) for preset, row in PRESETS.items() for name in row.rows]
GREY = [(preset, name) for preset, name in PAIRS if not CORRUPTIONS[name].colour_only]


def at(preset, severity):
    """The severity, or the one that there is."""
    return min(severity, len(PRESETS[preset].severities))


# A step of these is defined on 8 bits, or decides by a threshold that a fraction can cross.
STEPPED = {"spatter", "canny_edges", "jpeg_compression", "pixelate", "lines"}


def some(count=3, side=24, channels=3, seed=0):
    """Smooth images, as bytes."""
    small = np.random.default_rng(seed).integers(0, 256, (count, 6, 6, channels))
    large = small.repeat(-(-side // 6), 1).repeat(-(-side // 6), 2)[:, :side, :side]
    return large.astype(np.uint8)


@pytest.mark.parametrize(("preset", "name"), PAIRS)
@pytest.mark.parametrize("severity", [2.5, 5])
def test_sixteen_bits_agree_with_eight(preset, name, severity):
    """Bytes are truncated and wider integers are not: that is up to a level each time."""
    images, severity = some(), at(preset, severity)
    narrow = corrupt(images, name, severity, seed=1, preset=preset)
    wide = corrupt(
        images.astype(np.uint16) * 257,
        name,
        severity,
        seed=1,
        preset=preset,
        value_range=(0, 65535),
    )
    assert wide.dtype == np.uint16
    gap = np.abs(wide / 257 - narrow)
    if name in STEPPED:
        assert gap.mean() < 1
    else:
        # Between severities two truncated images may be mixed, and the mixture is rounded.
        mixed = CORRUPTIONS[name].between == "images" and severity == 2.5
        truncated = 2 if name == "glass_blur" else 1
        assert gap.max() <= truncated + (0.51 if mixed else 0.01)


KINDS = [
    (np.uint16, (0, 65535), 0.51),
    (np.uint16, (100, 4195), 0.51),
    (np.int16, (-1024, 3071), 0.51),
    (np.int32, (0, 10**6), 0.6),
    (np.uint8, (16, 235), 0.51),
    (np.float16, (0, 1), 1e-3),
    (np.float32, (0, 1), 1e-6),
    (np.float32, (-1, 1), 1e-6),
    (np.float64, (0, 1), 1e-6),
    (">u2", (0, 65535), 0.51),
    (">f4", (0, 1), 1e-6),
]


@pytest.mark.parametrize(("dtype", "ends", "tolerance"), KINDS)
@pytest.mark.parametrize("name", ["contrast", "gaussian_noise", "gaussian_blur", "impulse_noise"])
def test_every_kind_is_the_same_recipe_on_its_range(name, dtype, ends, tolerance):
    low, high = ends
    shares = some() // 5 / 51.0
    images = (shares * (high - low) + low).round(0 if np.dtype(dtype).kind in "iu" else 9)
    images = images.astype(dtype)
    given = ((images.astype("f8") - low) / (high - low)).clip(0, 1)
    expected = corrupt(given, name, 3, value_range=(0, 1)) * (high - low) + low
    changed = corrupt(images, name, 3, value_range=ends)
    assert changed.dtype == images.dtype
    assert np.abs(changed.astype("f8") - expected).max() <= tolerance
    kept = corrupt(images, name, 0, value_range=ends)
    assert kept.dtype == images.dtype
    assert np.array_equal(kept, images)
    assert not np.shares_memory(kept, images)


@pytest.mark.parametrize("dtype", [torch.uint16, torch.int16, torch.bfloat16, torch.float32])
def test_tensors_agree_with_arrays(dtype):
    images = torch.from_numpy(some()).permute(0, 3, 1, 2).to(dtype)
    changed = corrupt(images, "gaussian_noise", 3, value_range=(0, 300))
    assert changed.dtype == dtype
    array = images.permute(0, 2, 3, 1).to(torch.float64).numpy()
    expected = torch.from_numpy(corrupt(array, "gaussian_noise", 3, value_range=(0, 300)))
    gap = (changed.to(torch.float64) - expected.permute(0, 3, 1, 2)).abs().max()
    assert gap <= (1 if dtype is torch.bfloat16 else 0.51)


def test_a_gradient_stops_here():
    images = torch.rand(2, 3, 8, 8, requires_grad=True)
    changed = corrupt(images, "contrast", 3, value_range=(0, 1))
    assert not changed.requires_grad
    assert images.requires_grad


def test_a_stated_range_of_bytes_changes_nothing():
    images = some()
    for name in ("gaussian_noise", "fog"):
        expected = corrupt(images, name, 3)
        assert np.array_equal(corrupt(images, name, 3, value_range=(0, 255)), expected)


def test_wide_integers_that_are_left_alone_come_back_as_they_were():
    images = np.random.default_rng(0).integers(0, 2**16, (4, 32, 32, 3)).astype(np.uint16)
    changed = corrupt(images, "impulse_noise", 3, value_range=(0, 65535))
    hit = (changed == 0) | (changed == 65535)
    assert 0.01 < hit.mean() < 0.05
    assert np.array_equal(changed[~hit], images[~hit])


@settings(max_examples=30, deadline=None)
@given(pair=st.sampled_from(GREY), order=st.permutations(range(5)), cut=st.integers(0, 5))
def test_batches_and_order_never_change_a_bit_of_floats(pair, order, cut):
    preset, name = pair
    severity = at(preset, 2.5)
    images = (some(5) / 255).astype(np.float32)
    options = {"preset": preset, "value_range": (0, 1)}
    whole = corrupt(images, name, severity, ids=[f"image {k}" for k in range(5)], **options)
    parts = [
        corrupt(images[part], name, severity, ids=[f"image {k}" for k in part], **options)
        for part in (list(order)[:cut], list(order)[cut:])
    ]
    assert np.array_equal(np.concatenate(parts), whole[list(order)])


@pytest.mark.parametrize("channels", [2, 4, 6])
@pytest.mark.parametrize(("preset", "name"), GREY)
def test_bands(preset, name, channels):
    shape = (2, 24, 24, channels)
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    changed = corrupt(images, name, at(preset, 3), preset=preset, bands=True)
    assert changed.shape == images.shape
    assert not np.array_equal(changed, images)
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2)
    moved = corrupt(tensor, name, at(preset, 3), preset=preset, bands=True)
    assert torch.equal(moved.permute(0, 2, 3, 1), torch.from_numpy(changed))


def test_blurs_treat_every_band_alike():
    images = some(2, channels=6)
    for name in ("gaussian_blur", "motion_blur", "zoom_blur"):
        changed = corrupt(images, name, 3, preset="cifar", bands=True)
        for band in range(6):
            one = corrupt(images[..., [band]], name, 3, preset="cifar")
            assert np.array_equal(changed[..., [band]], one)


def test_auto_picks_for_bands_by_size_alone():
    images = some(2, side=32, channels=5)
    expected = corrupt(images, "gaussian_noise", 3, preset="cifar", bands=True)
    assert np.array_equal(corrupt(images, "gaussian_noise", 3, bands=True), expected)


def test_auto_says_what_it_picked(caplog):
    with caplog.at_level(logging.INFO, "corruptions"):
        corrupt(some(1, side=32), "contrast", 3)
        corrupt(some(1, side=32), "contrast", 3, preset="tiny")
    assert caplog.messages == ["preset 'auto' is 'cifar' for images of 32×32"]


def test_memory_maps_and_arrays_that_are_no_block(tmp_path):
    images = some(6)
    expected = corrupt(images, "gaussian_noise", 3)
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    changed = corrupt(mapped, "gaussian_noise", 3)
    assert type(changed) is np.ndarray
    assert np.array_equal(changed, expected)
    assert np.array_equal(mapped, images)
    column_first = np.asfortranarray(images)
    assert np.array_equal(corrupt(column_first, "gaussian_noise", 3), expected)
    spread = np.zeros((6, 24, 24, 6), dtype=np.uint8)[..., ::2]
    spread[:] = images
    assert np.array_equal(corrupt(spread, "gaussian_noise", 3), expected)
    channels_last = torch.from_numpy(images).permute(0, 3, 1, 2)
    block = channels_last.contiguous()
    assert torch.equal(corrupt(channels_last, "fog", 3), corrupt(block, "fog", 3))


def test_empty_batches_of_floats_and_bands():
    assert corrupt(np.zeros((0, 8, 8), "f4"), "fog", 3, value_range=(0, 1)).shape == (0, 8, 8)
    empty = torch.zeros(0, 5, 8, 8, dtype=torch.uint8)
    assert corrupt(empty, "fog", 3, bands=True).shape == (0, 5, 8, 8)


@pytest.mark.parametrize(
    ("dtype", "ends"),
    [
        (np.float64, (0.1, 0.9)),
        (np.int32, (-(2**31), 2**31 - 1)),
        (np.int32, (0, 2**24 + 1)),
        (np.uint32, (0, 2**32 - 1)),
    ],
)
def test_the_ends_of_a_range_are_in_it(dtype, ends):
    images = np.array(ends, dtype).repeat(32).reshape(1, 8, 8)
    assert np.array_equal(corrupt(images, "contrast", 0, value_range=ends), images)
    assert corrupt(images, "impulse_noise", 1, value_range=ends).dtype == dtype


def test_black_is_black_where_the_dtype_has_less_than_the_stated_end():
    images = np.full((1, 8, 8), 0.1, np.float16)  # which is 0.09998
    options = {"preset": "cifar", "value_range": (0.1, 0.9)}
    brighter = corrupt(images, "brightness", 5, **options)
    wide = corrupt(images.astype(np.float64).clip(0.1), "brightness", 5, **options)
    assert np.allclose(brighter, wide, atol=1e-3)
