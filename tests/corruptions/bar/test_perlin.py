"""Perlin noise beside the plain one of four corners, pixel by pixel."""

import math

import numpy as np
import pytest
import torch

from corruptions.bar import perlin
from corruptions.draws import stream


def noise(x, y, order, gradients):
    """1.5 times gradient noise: products at four corners, blended by 3 t^2 - 2 t^3."""
    bx, by = math.floor(x), math.floor(y)
    rx, ry = x - bx, y - by
    corners = {}
    for i in (0, 1):
        for j in (0, 1):
            g = gradients[order[(order[(bx + i) % 256] + (by + j) % 256) % 256]]
            corners[i, j] = (rx - i) * g[0] + (ry - j) * g[1]
    sx, sy = (t * t * (3 - 2 * t) for t in (rx, ry))
    a = corners[0, 0] + sx * (corners[1, 0] - corners[0, 0])
    b = corners[0, 1] + sx * (corners[1, 1] - corners[0, 1])
    return 1.5 * (a + sy * (b - a))


@pytest.mark.parametrize("shape", [(32, 32), (20, 31)])
def test_an_image_mixed_with_turbulence(shape, images, near):
    given, level, random = images(*shape), 5.2, np.random.default_rng(0)
    order = np.stack([random.permutation(256) for _ in range(2)])
    angles = random.uniform(0, 2 * np.pi, (2, 256))
    gradients = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    expected, cell = given.permute(0, 2, 3, 1).numpy().astype(float), 32 * min(shape) / 224
    share = 0.5 * level / 10
    for n in range(2):
        for y in range(shape[0]):
            for x in range(shape[1]):
                total = sum(
                    abs(noise(f * y / cell, f * x / cell, order[n], gradients[n])) / f
                    for f in (1, 2, 4, 8, 16)
                )
                cloud = min(max(0.5 * total + 0.5, 0), 1)
                expected[n, y, x] = (1 - share) * expected[n, y, x] + 255 * share * cloud
    ours = perlin.clouded(given, level, torch.from_numpy(order), torch.from_numpy(gradients))
    near(ours, np.clip(expected, 0, 255).astype(np.uint8))


def test_what_is_drawn(caught):
    images, keys = torch.zeros(200, 1, 8, 8), stream(0, "perlin", 3, np.arange(200))
    _, _, order, gradients = caught(perlin, "clouded", "perlin_noise", images, keys, 5)
    assert torch.equal(order.sort(dim=1).values, torch.arange(256).expand(200, -1))
    assert abs(float(order[:, 0].float().mean()) - 127.5) < 25
    assert np.allclose(gradients.square().sum(dim=2), 1)
    assert float(gradients.mean().abs()) < 0.01
    # Directions to places in a square: more of them towards its corners.
    diagonal = (gradients.abs().amin(dim=2) > math.sin(math.pi / 8)).double().mean()
    assert float(diagonal) == pytest.approx(2 - math.sqrt(2), abs=0.01)
