"""Pinched cells and ripples beside their formulas, pixel by pixel."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from corruptions.bar import warps
from corruptions.draws import stream


def bilinear(image, y, x):
    """The level at a place between pixels; black outside."""
    top, left = math.floor(y), math.floor(x)
    total = np.zeros(image.shape[2])
    for row, by_row in ((top, 1 - y + top), (top + 1, y - top)):
        for column, by_column in ((left, 1 - x + left), (left + 1, x - left)):
            if 0 <= row < image.shape[0] and 0 <= column < image.shape[1]:
                total += by_row * by_column * image[row, column]
    return total


def twirled(image, level, signs, cells):
    """The published loop over cells, which writes into the image that later ones read."""
    out, cell = image.astype(float), min(image.shape[:2]) // cells
    radius, amount = cell / 2, 0.4 * level / 10 + 0.1
    for j in range(signs.shape[0]):
        for i in range(signs.shape[1]):
            cy, cx, patch = j * cell + radius, i * cell + radius, {}
            for y in range(j * cell, (j + 1) * cell):
                for x in range(i * cell, (i + 1) * cell):
                    dy, dx = y - cy, x - cx
                    dist = math.hypot(dy, dx)
                    if dist > radius or round(dist, 3) == 0:
                        continue
                    d = dist / radius
                    t = math.sin(math.pi * 0.5 * d) ** -amount
                    a = signs[j, i] * math.pi / 2 * level / 10 * (1 - d) ** 2
                    patch[y, x] = bilinear(
                        out,
                        cy + t * (dy * math.cos(a) - dx * math.sin(a)),
                        cx + t * (dy * math.sin(a) + dx * math.cos(a)),
                    )
            for (y, x), value in patch.items():
                out[y, x] = value
    return np.clip(out + 1e-9, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("shape", "cells"), [((32, 32), 3), ((20, 31), 3), ((31, 20), 3), ((224, 224), 5)]
)
def test_pinched_and_twirled_cells(shape, cells, images, near):
    given = images(*shape, count=1 if shape[0] > 100 else 2)
    grid = tuple(cells * size // min(shape) for size in shape)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], (len(given), *grid))
    assert warps._grid(given) == grid
    pictures = given.permute(0, 2, 3, 1).numpy()
    both = zip(pictures, signs, strict=True)
    expected = np.stack([twirled(image, 8.5, own, cells) for image, own in both])
    near(warps.pinched(given, 8.5, torch.from_numpy(signs)), expected)


def test_cells_have_signs_of_their_own(caught):
    images, keys = torch.zeros(2000, 1, 12, 20), stream(0, "pinch", 3, np.arange(2000))
    signs = caught(warps, "pinched", "pinch_and_twirl", images, keys, 5)[2]
    assert signs.shape == (2000, 3, 5)
    assert set(signs.unique().tolist()) == {-1, 1}
    assert float(signs.mean(dim=0).abs().max()) < 0.1
    assert float((signs[:, 0, 0] * signs[:, 1, 2]).mean().abs()) < 0.1


@pytest.mark.parametrize("side", [2, 3, 4])
def test_cells_of_a_pixel_or_two_can_be_twirled(side):
    image = torch.arange(side * side, dtype=torch.uint8).view(1, 1, side, side)
    keys = stream(0, "pinch", 3, np.arange(1))
    assert warps.pinch_and_twirl(image, keys, 10).shape == image.shape


@pytest.mark.parametrize("shape", [(32, 32), (20, 31)])
def test_ripples(shape, images, near):
    given, level = images(*shape), 8
    lengths, phases = np.array([[3.5, 9.0], [6.1, 4.2]]), np.array([[0.3, 4.0], [6.0, 2.0]])
    pictures = given.permute(0, 2, 3, 1).numpy()
    expected, amplitude = np.zeros_like(pictures), 0.025 * level / 10 * min(shape)
    for n, picture in enumerate(pictures):
        for y in range(shape[0]):
            for x in range(shape[1]):
                moved = [
                    p + amplitude * math.sin(2 * math.pi * p / lengths[n, k] + phases[n, k])
                    for k, p in enumerate((y, x))
                ]
                expected[n, y, x] = np.clip(bilinear(picture, *moved), 0, 255)
    ours = warps.rippled(given, level, torch.from_numpy(lengths), torch.from_numpy(phases))
    near(ours, expected)


def test_what_is_drawn_for_ripples(caught):
    images, keys = torch.zeros(3000, 1, 10, 20), stream(0, "ripple", 3, np.arange(3000))
    _, _, lengths, phases = caught(warps, "rippled", "ripple", images, keys, 5)
    for axis in (0, 1):
        assert stats.kstest(lengths[:, axis], "uniform", (1, 2)).pvalue > 1e-4
        assert stats.kstest(phases[:, axis], "uniform", (0, 2 * math.pi)).pvalue > 1e-4
    assert not torch.equal(lengths[:, 0], lengths[:, 1])


def test_taking_every_pixel_from_itself_changes_nothing():
    image = torch.randint(0, 256, (2, 3, 224, 37), dtype=torch.uint8)
    rows, columns = (torch.arange(n, dtype=torch.float64) for n in (224, 37))
    same = warps.resampled(image, rows[:, None], columns[None])
    assert (same - image).abs().max() < 1e-9
