"""Fog and brightness against slow per-pixel code written from the recipes."""

import colorsys

import numpy as np
import pytest
import torch

from corruptions import PRESETS, corrupt, weather
from corruptions.draws import stream


def plasma_reference(uniforms, size, decay):
    """Diamond-square on a torus, one point at a time, in double precision."""
    field, draws = np.zeros((size, size)), iter(np.asarray(uniforms, dtype=float).tolist())
    step, wobble = size, 100.0

    def middle(*neighbours):
        around = sum(field[y % size, x % size] for y, x in neighbours)
        return around / 4 + wobble * wobble * next(draws)

    while step >= 2:
        half = step // 2
        corners = [(y, x) for y in range(0, size, step) for x in range(0, size, step)]
        for y, x in corners:
            field[y + half, x + half] = middle(
                (y, x), (y + step, x), (y, x + step), (y + step, x + step)
            )
        for y, x in corners:
            field[y, x + half] = middle(
                (y, x), (y, x + step), (y + half, x + half), (y - half, x + half)
            )
        for y, x in corners:
            field[y + half, x] = middle(
                (y, x), (y + step, x), (y + half, x + half), (y + half, x - half)
            )
        step, wobble = half, wobble / decay
    field -= field.min()
    return field / field.max()


@pytest.mark.parametrize(("size", "decay"), [(2, 2.0), (8, 3.0), (64, 1.75), (128, 1.4)])
def test_plasma(size, decay):
    uniforms = stream(0, "fog", 1, np.arange(2)).uniform(size * size - 1)
    ours = weather.plasma(uniforms, size, decay).numpy()
    for one, draws in zip(ours, uniforms.numpy(), strict=True):
        assert np.abs(one - plasma_reference(draws, size, decay)).max() < 1e-5


@pytest.mark.parametrize("severity", [1, 3, 5])
@pytest.mark.parametrize(("preset", "side"), [("cifar", 32), ("tiny", 64)])
def test_fog(photographs, preset, side, severity):
    images = photographs(side, 2)
    thickness, decay = PRESETS[preset].constants("fog", severity)
    uniforms = stream(5, "fog", severity, np.arange(2)).uniform(side * side - 1)
    ours = corrupt(images, "fog", severity, preset=preset, seed=5)
    for image, draws, foggy in zip(images / 255, uniforms.numpy(), ours, strict=True):
        mist = plasma_reference(draws, side, decay)[..., None]
        brightest = image.max()
        theirs = np.clip((image + thickness * mist) * brightest / (brightest + thickness), 0, 1)
        apart = np.abs(foggy.astype(int) - np.uint8(255 * theirs))
        assert apart.max() <= 1
        assert (apart > 0).mean() <= 0.01


def test_fog_uses_the_top_left_of_a_larger_map_and_leaves_black_images_black():
    assert corrupt(np.zeros((2, 5, 9), dtype=np.uint8), "fog", 3, preset="digits").max() == 0
    images = torch.full((1, 1, 3, 2), 255, dtype=torch.uint8)
    mist = torch.arange(16.0).view(1, 4, 4) / 15
    ours = weather.fogged(images, 1.0, mist)[0, 0]
    expected = [[int(255 * (1 + mist[0, y, x].item()) / 2) for x in (0, 1)] for y in (0, 1, 2)]
    assert ours.tolist() == expected


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("preset", ["cifar", "imagenet"])
def test_brightness_is_the_hsv_value_raised(photographs, preset, severity):
    images = photographs(32, 2)
    images[0, :2] = 0  # black, and grey, where hue is not defined
    images[0, 2:4] = 90
    (amount,) = PRESETS[preset].constants("brightness", severity)
    ours = corrupt(images, "brightness", severity, preset=preset)
    theirs = np.empty(images.shape)
    for place in np.ndindex(images.shape[:3]):
        hue, saturation, value = colorsys.rgb_to_hsv(*(images[place] / 255))
        theirs[place] = colorsys.hsv_to_rgb(hue, saturation, min(value + amount, 1))
    apart = np.abs(ours.astype(int) - np.uint8(255 * theirs))
    assert apart.max() <= 1
    assert (apart > 0).mean() <= 0.05  # 255 · 0.2 is an integer, and rounding decides


def test_brightness_of_grey_images_by_hand():
    grey = np.array([[[0, 100], [200, 255]]], dtype=np.uint8)
    brighter = corrupt(grey, "brightness", 2, preset="imagenet")
    assert brighter.tolist() == [[[51, 151], [251, 255]]]
