"""Colours of different sizes and the circular blur beside SciPy's zoom and rotation."""

import numpy as np
import pytest
import torch
from scipy import ndimage, stats

from corruptions import corrupt
from corruptions.bar import splines
from corruptions.draws import stream

ORDERS = ((0, 1, 2), (2, 0, 1), (1, 0, 2))


@pytest.mark.parametrize("shape", [(32, 32), (21, 34), (2, 3)])
@pytest.mark.parametrize("level", [1, 5, 10])
def test_colours_of_different_sizes(shape, level, images, near):
    given = images(*shape, count=3)
    pictures = given.permute(0, 2, 3, 1).numpy()
    expected = pictures.copy()
    for n, order in enumerate(ORDERS):
        for channel, scale in zip(order, (1, 1 + 0.025 * level, 1 + 0.05 * level), strict=True):
            zoomed = ndimage.zoom(pictures[n, :, :, channel], scale, prefilter=False)
            rows, columns = ((a - b) // 2 for a, b in zip(zoomed.shape, shape, strict=True))
            expected[n, :, :, channel] = zoomed[rows : rows + shape[0], columns:][:, : shape[1]]
    near(splines.aberrant(given, level, torch.tensor(ORDERS)), expected)


def test_all_orders_of_the_colours_are_drawn(caught):
    images, keys = torch.zeros(6000, 3, 4, 4), stream(0, "colours", 3, np.arange(6000))
    name = "transverse_chromatic_abberation"
    orders = caught(splines, "aberrant", name, images, keys, 5)[2]
    counts = orders.unique(dim=0, return_counts=True)[1]
    assert len(counts) == 6
    assert stats.chisquare(counts).pvalue > 1e-4


def test_grey_images_have_no_colours_to_part():
    with pytest.raises(ValueError, match="grey"):
        corrupt(np.zeros((1, 32, 32), np.uint8), "transverse_chromatic_abberation", 1)


@pytest.mark.parametrize("shape", [(32, 32), (21, 34), (2, 3), (80, 70)])
@pytest.mark.parametrize("level", [2.8, 6])
def test_the_mean_of_turned_images(shape, level, images, near):
    given = images(*shape)
    pictures = given.permute(0, 2, 3, 1).numpy() / 255
    total, weights = np.zeros(pictures.shape), 0.0
    for turn in range(21):
        share = 2 * turn / 20 - 1
        weight = np.exp(-2 * share**2)
        turned = [ndimage.rotate(one, share * 1.5 * level, reshape=False) for one in pictures]
        total, weights = total + weight * np.stack(turned), weights + weight
    expected = np.clip(total / weights * 255, 0, 255).astype(np.uint8)
    near(splines.circular_motion_blur(given, stream(0, "blur", 1, np.arange(2)), level), expected)


def test_the_blur_is_made_in_bands_that_fit(monkeypatch, images):
    given, keys = images(40, 33), stream(0, "blur", 1, np.arange(2))
    whole = splines.circular_motion_blur(given, keys, 4)
    monkeypatch.setattr(splines, "_BAND", 200)
    assert torch.equal(splines.circular_motion_blur(given, keys, 4), whole)
