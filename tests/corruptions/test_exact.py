"""Sums whose result does not depend on their order."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage

from corruptions import exact, zoom


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
    values = [-5.0, 0.0, 1.9, 2.9999, 254.5, 255.0, 300.0]
    for kind in (torch.float32, torch.float64):
        levels = exact.grey_levels(torch.tensor(values, dtype=kind))
        assert levels.tolist() == [0, 0, 1, 3, 254, 255, 255]
    floats = exact.grey_levels(torch.tensor(values), torch.float32)
    assert floats.tolist() == torch.tensor([0, 0, 1.9, 2.9999, 254.5, 255, 255]).tolist()


def test_grey_levels_of_views_and_of_nothing():
    values = torch.arange(24.0).view(2, 3, 4)
    assert torch.equal(exact.grey_levels(values[:, :, 1:3].clone()), values[:, :, 1:3].byte())
    assert torch.equal(exact.grey_levels(values.transpose(0, 2)), values.transpose(0, 2).byte())
    assert exact.grey_levels(values[:0]).shape == (0, 3, 4)
    # Four numbers in a column look like one of OpenCV's scalars.
    assert exact.grey_levels(torch.full((4, 1), 7.5).double()).tolist() == [[7]] * 4


@given(st.integers(0, 255 * exact.UNITS))
def test_grey_levels_of_exact_sums_drop_their_fraction(units):
    levels = exact.grey_levels(torch.tensor([units / exact.UNITS]))
    assert levels.item() == int(units / exact.UNITS + 1e-3)


@pytest.mark.parametrize("count", [1, 3])
def test_every_path_of_a_map_gives_the_same(count):
    images = torch.randint(0, 256, (count, 2, 16, 16), dtype=torch.uint8)
    zoomed = zoom._zoom_map(16, 16, 1.21, 0.02)
    mapped = zoomed.apply(images)
    assert torch.equal(zoomed.levels(images), exact.grey_levels(mapped.clone()))
    assert torch.equal(zoomed.apply(images.to(torch.float32)), mapped)
    # That of other devices is sparse torch on whatever device the tensor lives on.
    columns = images.reshape(2 * count, 256).t().to(torch.float32).contiguous()
    there = (zoomed._on(images.device) @ columns).t().reshape(count, 2, 256)
    assert torch.equal(mapped, there)
