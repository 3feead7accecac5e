"""Sparkles beside the formula, pixel by pixel."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from corruptions.bar import sparkles as module
from corruptions.draws import stream


def light(point, center, rays, power):
    """How bright a star with these rays is at a point."""
    dy, dx = point[0] - center[0], point[1] - center[1]
    d = (math.atan2(dx, dy) + math.pi) / (2 * math.pi) * len(rays)
    i = int(d)
    f = d - i
    length = rays[i % len(rays)] + f * (rays[(i + 1) % len(rays)] - rays[i % len(rays)])
    g = (length**2 / (dy**2 + dx**2 + 1e-4)) ** power
    return min(max((1 - (f - 0.5) ** 2) * g, 0), 1)


def draws(count, stars, height, width):
    random = np.random.default_rng(0)
    centres = random.uniform(0, [height, width], (count, stars, 2))
    rays = random.integers(50, 200, (count, stars))
    lengths = np.maximum(1, random.normal(4, 1, (count, stars, 199)))
    return centres, rays, lengths


@pytest.mark.parametrize("shape", [(32, 32), (17, 26)])
def test_sparkles_are_five_stars_one_after_the_other(shape, images, near):
    given = images(*shape)
    centres, rays, lengths = draws(2, 5, *shape)
    expected = given.permute(0, 2, 3, 1).numpy().astype(float)
    for n in range(2):
        for star in range(5):
            for y in range(shape[0]):
                for x in range(shape[1]):
                    own = lengths[n, star, : rays[n, star]]
                    f = light((y, x), centres[n, star], own, 1)
                    expected[n, y, x] += f * (255 - expected[n, y, x])
    ours = module.sparkled(given, *(torch.from_numpy(a) for a in (centres, rays, lengths)))
    near(ours, expected.astype(np.uint8))


@pytest.mark.parametrize("power", [0.13, 0.65, 1.3])
def test_inverse_sparkles_are_white_around_one(power, images, near):
    given = images(24, 24)
    centres, rays, lengths = (a[:, 0] for a in draws(2, 1, 24, 24))
    expected = given.permute(0, 2, 3, 1).numpy().astype(float)
    for n in range(2):
        for y in range(24):
            for x in range(24):
                f = light((y, x), centres[n], lengths[n, : rays[n]], power)
                expected[n, y, x] = 255 + f * (expected[n, y, x] - 255)
    given_draws = (torch.from_numpy(a) for a in (centres, rays, lengths))
    near(module.inversely_sparkled(given, *given_draws, power), expected.astype(np.uint8))


def test_at_a_full_turn_the_first_ray_follows_the_last():
    """Straight above a star the angle is -pi or pi: the ray is the first one either way."""
    image = torch.zeros(1, 1, 9, 9)
    centres, counts = torch.tensor([[6.0, 4.0]], dtype=torch.float64), torch.tensor([50])
    lengths = torch.arange(1.0, 200, dtype=torch.float64)[None]
    for sign in (-0.0, 0.0):
        centre = centres + torch.tensor([0, sign], dtype=torch.float64)
        shown = module.starlight(image, centre, counts, lengths, 0.1)[0, 2, 4]
        assert float(shown) == pytest.approx(0.75 * (1 / (16 + 1e-4)) ** 0.1)


def test_what_is_drawn_for_sparkles(caught):
    images, keys = torch.zeros(4000, 1, 10, 20), stream(0, "sparkles", 3, np.arange(4000))
    _, centres, counts, lengths = caught(module, "sparkled", "sparkles", images, keys, 50)
    for axis, size in ((0, 10), (1, 20)):
        assert stats.kstest(centres[..., axis].flatten(), "uniform", (0, size)).pvalue > 1e-4
    assert (counts.min(), counts.max()) == (50, 199)
    assert stats.chisquare(np.bincount(counts.flatten())[50:]).pvalue > 1e-4
    # A radius of 5 pixels, rays at least 1 long: 3.2 standard deviations below.
    assert lengths.min() == 1
    assert float(lengths.mean()) == pytest.approx(5, abs=0.01)
    assert float(lengths.std()) == pytest.approx(1.25, abs=0.01)


def test_what_is_drawn_for_inverse_sparkles(caught):
    images, keys = torch.zeros(4000, 1, 10, 20), stream(0, "sparkles", 3, np.arange(4000))
    drawn = caught(module, "inversely_sparkled", "inverse_sparkles", images, keys, 4)
    _, centres, counts, lengths, power = drawn
    assert power == pytest.approx(0.52)
    for axis, size in ((0, 10), (1, 20)):
        law = (size / 4, size / 2)
        assert stats.kstest(centres[..., axis].flatten(), "uniform", law).pvalue > 1e-4
    assert (counts.min(), counts.max()) == (50, 199)
    assert stats.kstest(lengths[:, :20].flatten(), "norm", (2.5, 0.625)).pvalue > 1e-4
