"""Contrast, saturation, pixelation and JPEG against Pillow and per-pixel code from the recipes."""

import colorsys
import io

import numpy as np
import pytest
import torch
from PIL import Image

from corruptions import PRESETS, corrupt, digital
from corruptions.draws import stream

SEVERITIES = (1, 2, 3, 4, 5)
CASES = [("cifar", 32), ("tiny", 64), ("imagenet", 224)]


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize(("preset", "side"), CASES)
def test_contrast(photographs, preset, side, severity):
    images = photographs(side, 2)
    (factor,) = PRESETS[preset].constants("contrast", severity)
    means = (images / 255).mean(axis=(1, 2), keepdims=True)
    theirs = np.uint8(255 * np.clip((images / 255 - means) * factor + means, 0, 1))
    ours = corrupt(images, "contrast", severity, preset=preset)
    apart = np.abs(ours.astype(int) - theirs)
    assert apart.max() <= 1
    assert (apart > 0).mean() <= 0.001


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("preset", ["cifar", "tiny", "imagenet"])
def test_saturate_is_hsv_with_grey_called_red(photographs, preset, severity):
    images = photographs(32, 2)
    images[0, :4] = np.arange(128).reshape(4, 32, 1) * 2  # grey pixels
    factor, offset = PRESETS[preset].constants("saturate", severity)
    theirs = np.empty(images.shape)
    for place in np.ndindex(images.shape[:3]):
        hue, saturation, value = colorsys.rgb_to_hsv(*(images[place] / 255))
        saturation = min(max(saturation * factor + offset, 0), 1)
        theirs[place] = colorsys.hsv_to_rgb(hue, saturation, value)
    ours = corrupt(images, "saturate", severity, preset=preset)
    apart = np.abs(ours.astype(int) - np.uint8(255 * theirs))
    assert apart.max() <= 1
    assert (apart > 0).mean() <= 0.12  # at factor 2 results are integers, and rounding decides


def test_saturate_tints_grey_red_as_published():
    grey = torch.full((1, 3, 2, 2), 120, dtype=torch.uint8)
    none = stream(0, "saturate", 1, np.arange(1))
    assert digital.saturate(grey, none, 5.0, 0.1)[0, :, 0, 0].tolist() == [120, 108, 108]
    assert digital.saturate(grey, none, 20.0, 0.2)[0, :, 0, 0].tolist() == [120, 96, 96]
    assert digital.saturate(grey, none, 0.3, 0.0)[0, :, 0, 0].tolist() == [120, 120, 120]


@pytest.mark.parametrize("fraction", [0.95, 0.9, 0.85, 0.75, 0.65, 0.6, 0.5, 0.4, 0.3, 0.25, 0.01])
@pytest.mark.parametrize("shape", [(32, 32), (64, 64), (224, 224), (37, 50)])
def test_pixelate_is_pillows_box_filter_down_and_up(photographs, shape, fraction):
    image = photographs(224, 1)[:, : shape[0], : shape[1]]
    planes = torch.from_numpy(image).permute(0, 3, 1, 2)
    ours = digital.pixelate(planes, stream(0, "x", 1, np.arange(1)), fraction)
    small = [max(1, int(size * fraction)) for size in shape]
    picture = Image.fromarray(image[0]).resize(small[::-1], Image.Resampling.BOX)
    theirs = np.asarray(picture.resize(shape[::-1], Image.Resampling.BOX))
    assert np.array_equal(ours[0].permute(1, 2, 0).numpy(), theirs)


def test_pixelate_sizes_at_224_are_the_published_ones():
    rows = PRESETS["imagenet"].rows["pixelate"]
    assert [int(224 * fraction) for fraction in rows] == [134, 112, 89, 67, 56]


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("severity", SEVERITIES)
def test_jpeg_is_pillows(photographs, severity, grey):
    images = photographs(32, 2)[..., 0] if grey else photographs(32, 2)
    quality = PRESETS["cifar"].rows["jpeg_compression"][severity - 1]
    ours = corrupt(images, "jpeg_compression", severity, preset="cifar")
    for image, compressed in zip(images, ours, strict=True):
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=quality)
        assert np.array_equal(compressed, np.asarray(Image.open(file)))
