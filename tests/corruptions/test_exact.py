"""Sums whose result does not depend on their order."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from corruptions import blur, exact


@given(arrays(np.float64, (3, 7), elements=st.floats(0, 5)))
def test_apportioned_weights_keep_their_sum_and_stay_close(weights):
    rounded = exact.apportion(weights)
    units = rounded * exact.UNITS
    assert np.array_equal(units, np.round(units))
    assert (units >= 0).all()
    sums = np.rint(weights.sum(axis=-1) * exact.UNITS)
    assert np.array_equal(units.sum(axis=-1), sums)
    assert np.abs(rounded - weights).max() < 1.6 / exact.UNITS


def test_apportion_by_hand_gives_the_remainder_to_the_largest_fractions():
    thirds = exact.apportion(np.array([1 / 3, 1 / 3, 1 / 3])) * exact.UNITS
    assert thirds.tolist() == [21846, 21845, 21845]  # 65,536 = 3 · 21,845 + 1, ties to the first
    assert (exact.apportion(np.array([0.5, 1.5]), total=4) * exact.UNITS).tolist() == [1, 3]


@given(st.integers(2, 9), st.integers(0, 30), st.integers(0, 30))
def test_mirrored_and_clamped_agree_with_numpy_padding(size, before, after):
    axis = np.arange(size)
    mirrored = np.pad(axis, (before, after), mode="reflect")
    assert exact.mirrored(size, before, after).tolist() == mirrored.tolist()
    clamped = np.pad(axis, (before, after), mode="edge")
    assert exact.clamped(size, before, after).tolist() == clamped.tolist()


@pytest.mark.parametrize(("mirror", "mode"), [(True, "mirror"), (False, "nearest")])
def test_correlate_agrees_with_scipy(mirror, mode):
    generator = np.random.default_rng(0)
    image = generator.integers(0, 256, (9, 11), dtype=np.uint8)
    kernel = generator.random((5, 3))
    kernel /= kernel.sum()
    taps = exact.kernel_taps(kernel)
    ours = exact.correlate(torch.from_numpy(image)[None, None], taps, mirror=mirror)[0, 0]
    expected = ndimage.correlate(image.astype(float), kernel, mode=mode)
    assert np.abs(ours.numpy() - expected).max() < 15 * 255 / exact.UNITS


def test_correlate_does_not_depend_on_the_order_of_the_taps():
    image = torch.randint(0, 256, (2, 3, 20, 20), dtype=torch.uint8)
    taps = exact.kernel_taps(blur.disk(6, 0.5))
    forward = exact.correlate(image, taps, mirror=True)
    backward = exact.correlate(image, taps[::-1], mirror=True)
    assert torch.equal(forward, backward)


@pytest.mark.parametrize("constants", [(6, 0.5), (10, 0.5), (12, 0.5)])
@pytest.mark.parametrize("shape", [(2, 3, 41, 57), (1, 1, 9, 8)])
def test_fourier_and_taps_agree_bit_for_bit(constants, shape):
    image = torch.randint(0, 256, shape, dtype=torch.uint8)
    kernel = blur.disk(*constants)
    taps = exact.correlate(image, exact.kernel_taps(kernel), mirror=True)
    fourier = blur._correlate_fourier(image, kernel)
    assert torch.equal(exact.grey_levels(taps), exact.grey_levels(fourier))


@settings(max_examples=30)
@given(st.integers(2, 6), st.integers(2, 6), st.floats(-3, 3), st.floats(-3, 3))
def test_bilinear_agrees_with_scipy_and_zeros_outside(height, width, down, right):
    image = np.random.default_rng(0).integers(0, 256, (height, width)).astype(float)
    rows, columns = np.meshgrid(np.arange(height) - down, np.arange(width) - right, indexing="ij")
    index, weights = exact.bilinear(rows.ravel(), columns.ravel(), height, width)
    ours = (image.ravel()[index] * weights).sum(axis=1).reshape(height, width)
    theirs = ndimage.map_coordinates(image, [rows, columns], order=1, mode="grid-constant")
    assert np.allclose(ours, theirs, atol=1e-9)


def test_grey_levels_clip_and_truncate():
    values = torch.tensor([-5.0, 0.0, 1.9, 2.9999, 254.5, 255.0, 300.0])
    assert exact.grey_levels(values).tolist() == [0, 0, 1, 3, 254, 255, 255]


def test_a_map_on_the_other_path_gives_the_same_bytes():
    # The path of other devices, which is sparse torch on whatever device the tensor lives on.
    images = torch.randint(0, 256, (3, 1, 16, 16), dtype=torch.uint8)
    zoom = blur._zoom_map(16, 16, 1.21, 0.02)
    columns = images.reshape(3, 256).t().to(torch.float32).contiguous()
    there = (zoom._on(images.device) @ columns).t().reshape(images.shape)
    assert torch.equal(zoom.apply(images), there)
