"""Waves, rings and plasma beside their formulas, pixel by pixel."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from corruptions.bar import waves
from corruptions.draws import stream

SHAPES = [(32, 32), (20, 31)]


def truncated(values):
    return np.clip(values, 0, 255).astype(np.uint8)


def tensors(*arrays):
    return [torch.from_numpy(np.asarray(a, dtype=np.float64)) for a in arrays]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_plane_wave(shape, images, near):
    given, level = images(*shape), 2
    across, down, phase = [0.3, -3.0], [-0.2, 1.5], [1.0, 5.0]
    expected = given.permute(0, 2, 3, 1).numpy().astype(float)
    for n in range(2):
        for y in range(shape[0]):
            for x in range(shape[1]):
                wave = math.sin(x * across[n] + y * down[n] + phase[n])
                expected[n, y, x] += 196 * level / 10 * wave
    ours = waves.sine(given, level, *tensors(across, down, phase))
    near(ours, truncated(expected))


@pytest.mark.parametrize("shape", SHAPES)
def test_rings(shape, images, near):
    given, level = images(*shape), 8
    drawn = [[5.3, 11.9, 6.2, 2.5, 1.7], [18.2, 2.1, 9.7, 0.4, 3.1]]
    expected = given.permute(0, 2, 3, 1).numpy().astype(float)
    for n, (y0, x0, freq, amplitude, width) in enumerate(drawn):
        for y in range(shape[0]):
            for x in range(shape[1]):
                angle = math.atan2(x - x0, y - y0) * freq
                far = math.hypot(x - x0, y - y0) + math.sin(angle) * amplitude
                expected[n, y, x] += 128 * level / 10 * ((far % width) / width - 0.5)
    near(waves.rings(given, level, *tensors(drawn)), truncated(expected))


def plasma(x, y, time, turns, sharpness, unit):
    """The published loop, with the phase that stays 0."""
    x, y, i = x / unit, y / unit, [1.0, 1.0, 1.0, 0.0]
    for _ in range(turns):
        r = [
            math.cos(y * i[0] - i[3] + time / i[1]) / i[2],
            math.sin(x * i[0] - i[3] + time / i[1]) / i[2],
        ]
        r = [r[0] - 0.3 * r[1], r[1] + 0.3 * r[0]]
        x, y = x + r[0], y + r[1]
        i = [i[0] * 1.93, i[1] * 1.15, i[2] * (2.25 - sharpness), i[3] * time * i[1]]
    return [
        math.sin(x - time),
        math.sin((x + y + math.sin(time)) * 0.5),
        math.sin(y + time),
    ]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("channels", [1, 3])
def test_plasma(shape, channels, images, near):
    given, level = images(*shape, count=3, channels=channels), 7
    drawn = [(2.0, 4, 0.5, 3.0), (15.0, 6, 0.99, 6.1), (9.0, 5, 0.7, 2.5)]
    expected = given.permute(0, 2, 3, 1).numpy().astype(float)
    intensity = 6.4 * level
    for n, (time, turns, sharpness, unit) in enumerate(drawn):
        for y in range(shape[0]):
            for x in range(shape[1]):
                wave = np.array(plasma(x, y, time, turns, sharpness, unit))
                wave = wave if channels == 3 else wave.mean()
                expected[n, y, x] *= 1 - intensity / 255
                expected[n, y, x] += intensity * wave
    time, turns, sharpness, unit = np.array(drawn).T
    ours = waves.mixed_with_plasma(given, level, *tensors(time, turns, 2.25 - sharpness, unit))
    near(ours, truncated(expected))


def uniform(values, low, high):
    return stats.kstest(np.ravel(values), "uniform", (low, high - low)).pvalue > 1e-4


def test_what_is_drawn_for_a_plane_wave(caught):
    images, keys = torch.zeros(4000, 1, 10, 20), stream(0, "wave", 3, np.arange(4000))
    drawn = caught(waves, "sine", "single_frequency_greyscale", images, keys, 1)
    across, down, phase = (numbers.numpy() for numbers in drawn[2:])
    assert uniform(phase, 0, 2 * math.pi)
    larger, smaller = np.maximum(abs(across), abs(down)), np.minimum(abs(across), abs(down))
    assert uniform(larger, 0, math.pi)
    assert uniform(smaller / larger, 0, 1)
    assert abs((abs(across) > abs(down)).mean() - 0.5) < 0.04
    for numbers in (across, down):
        assert abs((numbers > 0).mean() - 0.5) < 0.04


def test_what_is_drawn_for_rings_and_plasma(caught):
    images, keys = torch.zeros(4000, 1, 10, 20), stream(0, "wave", 3, np.arange(4000))
    drawn = caught(waves, "rings", "cocentric_sine_waves", images, keys, 1)[2].numpy()
    for numbers, high in zip(drawn.T, (10, 20, 10, 1, 1), strict=True):
        assert uniform(numbers, 0, high)
    drawn = caught(waves, "mixed_with_plasma", "plasma_noise", images, keys, 1)[2:]
    time, turns, finer, unit = (numbers.numpy() for numbers in drawn)
    assert uniform(time, 0, 6 * math.pi)
    assert uniform(finer, 1.25, 1.75)
    assert uniform(unit, 0.75, 2)
    assert stats.chisquare(np.bincount(turns.astype(int))[4:]).pvalue > 1e-4
    assert sorted(set(turns)) == [4, 5, 6]
