"""Fog and brightness against slow per-pixel code written from the recipes."""

import colorsys
import math

import numpy as np
import pytest
import torch
from scipy import stats

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


CASES = [("mnist", 28), ("cifar", 32), ("tiny", 64)]


def fog_reference(image, thickness, mist):
    """The recipe for one image of levels: levels before they lose their fraction."""
    clean, brightest = image / 255, image.max() / 255
    fogged = (clean + thickness * mist[..., None]) * brightest / (brightest + thickness)
    return 255 * np.clip(fogged, 0, 1)


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("preset", "side"), [*CASES, ("imagenet", 224)])
def test_fog(photographs, preset, side, severity):
    images = photographs(side, 1)
    size = 2 ** math.ceil(math.log2(side))
    thickness, decay = PRESETS[preset].constants("fog", severity)
    draws = np.random.default_rng(severity).uniform(-1, 1, size * size - 1).astype(np.float32)
    mist = weather.plasma(torch.from_numpy(draws)[None], size, decay)
    planes = torch.from_numpy(images).permute(0, 3, 1, 2)
    ours = weather.fogged(planes, thickness, mist)[0].permute(1, 2, 0).numpy()
    slow = plasma_reference(draws, size, decay)[:side, :side]
    apart = np.abs(ours.astype(int) - np.uint8(fog_reference(images[0], thickness, slow)))
    assert apart.max() <= 1
    assert (apart > 0).mean() <= 0.01


@pytest.mark.parametrize(("constants", "size"), [((1.5, 2.0), 32), ((3.0, 1.4, 256), 256)])
def test_fog_draws_its_uniforms_from_the_stream(photographs, constants, size):
    images = torch.from_numpy(photographs(28, 2)).permute(0, 3, 1, 2)
    draws = stream(5, "fog", 1, np.arange(2))
    ours = weather.fog(images, draws, *constants)
    uniforms = (draws.codes(size * size - 1).numpy() + 0.5) / 2**15
    assert np.abs(uniforms).max() < 1
    for k in (0, 1):
        mist = plasma_reference(uniforms[k], size, constants[1])[:28, :28]
        theirs = fog_reference(photographs(28, 2)[k], constants[0], mist)
        apart = np.abs(ours[k].permute(1, 2, 0).numpy().astype(int) - np.uint8(theirs))
        assert apart.max() <= 1


def test_wobbles_of_fog_are_uniform():
    codes = stream(0, "fog", 3, np.arange(40)).codes(64 * 64 - 1).numpy().ravel()
    assert stats.kstest((codes.astype(float) + 2**15 + 0.5) / 2**16, "uniform").pvalue > 1e-3


def test_a_size_below_the_images_does_not_cut_the_plasma():
    images = torch.full((1, 1, 20, 9), 200, dtype=torch.uint8)
    draws = stream(0, "fog", 1, np.arange(1))
    assert torch.equal(
        weather.fog(images, draws, 1.0, 2.0, 8), weather.fog(images, draws, 1.0, 2.0)
    )
    larger = weather.fog(images, draws, 1.0, 2.0, 33)
    assert torch.equal(larger, weather.fog(images, draws, 1.0, 2.0, 64))
    assert not torch.equal(larger, weather.fog(images, draws, 1.0, 2.0))


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


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(("preset", "side"), CASES)
def test_brightness_of_grey_images_at_every_size(photographs, preset, side, severity):
    images = photographs(side, 2)[..., 1].copy()
    images[0, 0] = 0
    (amount,) = PRESETS[preset].constants("brightness", severity)
    theirs = np.minimum(images / 255 + amount, 1)
    ours = corrupt(images, "brightness", severity, preset=preset)
    assert np.array_equal(ours, np.floor(255 * theirs + 1e-6))


@pytest.mark.parametrize("shape", [(5, 1, 2, 2), (3, 4, 2, 3), (2, 3, 33, 17), (3, 3, 200, 201)])
def test_shapes_floats_and_parts_of_batches(shape):
    levels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    levels[1] = 0
    images, draws = torch.from_numpy(levels), stream(0, "fog", 1, np.arange(len(levels)))
    for change, constants in ((weather.fog, (1.5, 2.0)), (weather.brightness, (0.3,))):
        ours = change(images, draws, *constants)
        assert (ours.dtype, ours.shape) == (torch.uint8, images.shape)
        floats = change(images.to(torch.float32), draws, *constants)
        assert floats.dtype == torch.float32
        assert torch.isfinite(floats).all()
        apart = (floats + 1e-3).floor() - ours
        assert apart.abs().max() <= 1
        assert (apart != 0).float().mean() <= 0.01
        for start, stop in ((0, 1), (1, len(images)), (0, 0)):
            part = draws.part(start, stop, images.device)
            assert torch.equal(change(images[start:stop], part, *constants), ours[start:stop])


def test_brightness_of_floats_between_levels():
    levels = torch.tensor([0.0, 0.25, 100.5, 254.9]).view(1, 1, 2, 2)
    ours = weather.brightness(levels, None, 0.1)
    assert torch.allclose(ours.flatten(), torch.tensor([25.5, 25.75, 126.0, 255.0]))
