"""The checkerboard beside its formula, and lines beside scikit-image's."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from skimage.draw import line_aa

from corruptions.bar import shapes
from corruptions.draws import stream


@pytest.mark.parametrize("shape", [(32, 32), (20, 31)])
def test_a_checkerboard(shape, images, near):
    given, random, side = images(*shape, count=4), np.random.default_rng(0), min(shape)
    angles, widths = np.array([0.3, 2.0, 3.9, 6.0]), np.array([0.11, 0.17, 0.2, 0.249]) * side
    hidden = random.uniform(size=(4, 40, 40)) < 0.5
    expected = given.permute(0, 2, 3, 1).numpy().copy()
    for n, (angle, width) in enumerate(zip(angles, widths, strict=True)):
        size = int(4 * side // width)
        grid = hidden[n, :size, :size]
        for y in range(shape[0]):
            for x in range(shape[1]):
                nx = (math.cos(angle) * y + math.sin(angle) * x) / width
                ny = (-math.sin(angle) * y + math.cos(angle) * x) / width
                if int(nx % 2) == int(ny % 2) and grid[int(nx), int(ny)]:
                    expected[n, y, x] = 128
    ours = shapes.cut_out(given, *(torch.from_numpy(a) for a in (angles, widths, hidden)))
    near(ours, expected)
    assert 0.1 < (expected == 128).mean() < 0.4


def test_what_is_drawn_for_a_checkerboard(caught):
    images, keys = torch.zeros(3000, 1, 40, 60), stream(0, "board", 3, np.arange(3000))
    drawn = caught(shapes, "cut_out", "checkerboard_cutout", images, keys, 3)[1:]
    angle, width, hidden = (numbers.numpy() for numbers in drawn)
    assert stats.kstest(angle, "uniform", (0, 2 * math.pi)).pvalue > 1e-4
    assert stats.kstest(width, "uniform", (4, 6)).pvalue > 1e-4
    assert hidden.mean() == pytest.approx(0.3, abs=0.001)
    tiny = caught(shapes, "cut_out", "checkerboard_cutout", images[:, :, :3, :3], keys, 3)
    assert tiny[2].min() == tiny[2].max() == 1


def test_half_of_what_is_asked_for_is_hidden():
    images = torch.zeros(300, 1, 32, 32, dtype=torch.uint8)
    keys = stream(0, "checkerboard_cutout", 3, np.arange(300))
    shown = shapes.checkerboard_cutout(images, keys, 6)
    assert set(shown.unique().tolist()) == {0, 128}
    assert (shown == 128).double().mean() == pytest.approx(0.3, abs=0.02)


def ends_in(shape, count, lines, seed):
    """Ends as they are drawn: two shorter sides apart, around places in the image."""
    random, side = np.random.default_rng(seed), min(shape)
    middles = random.uniform(0, shape, (count, lines, 2))
    angles = random.uniform(0, 2 * np.pi, (count, lines))
    way = side * np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    return np.trunc(np.concatenate([middles - way, middles + way], axis=2))


@pytest.mark.parametrize("shape", [(32, 32), (20, 31), (8, 8)])
def test_lines_are_those_of_scikit_image(shape, images, near):
    given, ends = images(*shape, count=20), ends_in(shape, 20, 8, seed=0)
    expected = given.permute(0, 2, 3, 1).numpy().copy()
    for image, own in zip(expected, ends.astype(int), strict=True):
        for line in own.tolist():
            rows, columns, value = line_aa(*line)
            inside = (rows >= 0) & (columns >= 0) & (rows < shape[0]) & (columns < shape[1])
            rows, columns, value = rows[inside], columns[inside], value[inside, None]
            image[rows, columns] = (1 - value) * image[rows, columns] + value * 128
    near(shapes.lined(given, torch.from_numpy(ends)), expected)


def test_a_line_of_no_length_covers_its_pixel():
    image = torch.zeros(1, 1, 5, 5)
    shown = shapes.lined(image, torch.tensor([[[2.0, 3.0, 2.0, 3.0]]], dtype=torch.float64))
    assert shown[0, 0, 2, 3] == 128
    assert shown.sum() == 128


@pytest.mark.parametrize(("level", "count"), [(0.5, 2), (2.5, 10), (0.1, 1)])
def test_what_is_drawn_for_lines(level, count, caught):
    """Nothing but the ends is handed on: lengths, middles and spread tell of the rest."""
    images, keys = torch.zeros(2000, 1, 40, 60), stream(0, "lines", 3, np.arange(2000))
    ends = caught(shapes, "lined", "lines", images, keys, level)[1].numpy()
    assert ends.shape == (2000, count, 4)
    assert np.array_equal(ends, np.trunc(ends))
    way = ends[..., 2:] - ends[..., :2]
    assert np.abs(np.linalg.norm(way, axis=2) - 80).max() < 3
    middles = (ends[:, 0, 2:] + ends[:, 0, :2]) / 2
    for axis, size in ((0, 40), (1, 60)):
        assert (
            np.abs(
                np.quantile(middles[:, axis], [0.25, 0.5, 0.75])
                - size * np.array([0.25, 0.5, 0.75])
            ).max()
            < 2
        )
    angles = np.arctan2(way[:, 0, 1], way[:, 0, 0])
    assert stats.kstest(angles, "uniform", (-math.pi, 2 * math.pi)).pvalue > 1e-4


def test_small_images_get_a_line_and_floats_are_not_truncated():
    keys = stream(0, "lines", 3, np.arange(50))
    dark = torch.zeros(50, 1, 4, 4, dtype=torch.uint8)
    assert (shapes.lines(dark, keys, 0.5) != dark).any()
    floats = shapes.lines(torch.full((50, 1, 32, 32), 10.5), keys, 2.5)
    assert (floats % 1 != 0).any()


def test_angles_vary_about_a_common_one(caught):
    """The cosine between two lines of an image is sinc(variation)^2 in the mean."""
    images, keys = torch.zeros(4000, 1, 40, 40), stream(0, "lines", 3, np.arange(4000))
    ends = caught(shapes, "lined", "lines", images, keys, 0.5)[1].numpy()
    way = ends[..., 2:] - ends[..., :2]
    way /= np.linalg.norm(way, axis=2, keepdims=True)
    expected = np.mean(np.sinc(np.linspace(0.1, 1, 1001)) ** 2)
    assert np.mean(np.sum(way[:, 0] * way[:, 1], axis=1)) == pytest.approx(expected, abs=0.05)
