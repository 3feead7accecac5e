"""Caustic refraction beside its geometry in vectors, pixel by pixel."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.ndimage import gaussian_filter

from corruptions.bar import caustics
from corruptions.draws import stream


def pool(y, x, time, size):
    """Light on the ground of a pool."""
    p = [(c / size % 1) * 6.28318530718 - 250 for c in (y, x)]
    i, c = list(p), 1.0
    for n in range(5):
        t = time * (1 - 3.5 / (n + 1))
        i = [
            p[0] + math.cos(t - i[0]) + math.sin(t + i[1]),
            p[1] + math.sin(t - i[1]) + math.cos(t + i[0]),
        ]
        c += 1 / math.hypot(
            p[0] / (math.sin(i[0] + t) / 0.005), p[1] / (math.cos(i[1] + t) / 0.005)
        )
    return min(abs(1.17 - (c / 5) ** 1.4) ** 8, 1)


def refract(normal, eta):
    """Snell's law in vectors, for light along the last axis."""
    incident = np.array([0.0, 0.0, 1.0])
    cosine = incident @ normal
    if abs(cosine) >= 1 - 1e-3:
        return incident
    out = math.asin(math.sin(math.acos(cosine)) / eta)
    aside = np.cross(incident, normal)
    aside /= np.linalg.norm(aside)
    return math.cos(out) * normal + math.sin(out) * np.cross(normal, aside)


def refracted(picture, level, time, size):
    height, width, _ = picture.shape
    water = np.array([[pool(y, x, time, size) for x in range(width)] for y in range(height)])
    water = np.pad(gaussian_filter(water, sigma=1), 1)
    image, out = picture / 255, np.zeros(picture.shape)
    for y in range(height):
        for x in range(width):
            above, below = water[y, x + 1], water[y + 2, x + 1]
            left, right = water[y + 1, x], water[y + 1, x + 2]
            normal = np.array([below - above, right - left, 1.0])
            bent = refract(normal / np.linalg.norm(normal), 4.0) * 0.05 * level * min(height, width)
            v, u = y + round(bent[0], 3), x + round(bent[1], 3)
            top, start = math.floor(v), math.floor(u)
            for row, by_row in ((top, 1 - v + top), (top + 1, v - top)):
                for column, by_column in ((start, 1 - u + start), (start + 1, u - start)):
                    if 0 <= row < height and 0 <= column < width:
                        out[y, x] += by_row * by_column * image[row, column]
            out[y, x] += ((left - right) + (below - above)) * 0.2 * level
    return (np.clip(out, 0, 1) * 255 + 1e-9).astype(np.uint8)


@pytest.mark.parametrize("shape", [(48, 48), (40, 57)])
def test_seen_through_water(shape, images, near):
    given, times, sizes = images(*shape), np.array([0.8, 1.7]), np.array([40.0, 55.0])
    pictures = given.permute(0, 2, 3, 1).numpy()
    drawn = zip(pictures, times, sizes, strict=True)
    expected = np.stack([refracted(*one[:1], 6.6, *one[1:]) for one in drawn])
    assert (np.abs(expected.astype(int) - pictures) > 3).mean() > 0.1
    near(caustics.refracted(given, 6.6, torch.from_numpy(times), torch.from_numpy(sizes)), expected)


def test_what_is_drawn(caught):
    images, keys = torch.zeros(3000, 1, 10, 20), stream(0, "caustic", 3, np.arange(3000))
    _, _, time, size = caught(caustics, "refracted", "caustic_refraction", images, keys, 5)
    assert stats.kstest(time, "uniform", (0.5, 1.5)).pvalue > 1e-4
    assert stats.kstest(size, "uniform", (7.5, 5)).pvalue > 1e-4


@pytest.mark.parametrize("side", [2, 3, 9])
def test_small_and_flat_images(side):
    keys = stream(0, "caustic", 3, np.arange(8))
    shown = caustics.caustic_refraction(torch.zeros(8, 1, side, side), keys, 9)
    assert bool(shown.isfinite().all())
