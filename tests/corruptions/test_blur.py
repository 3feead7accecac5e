"""Blurs against slow per-image code written from the recipes."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage, stats

from corruptions import PRESETS, blur, corrupt, zoom
from corruptions.draws import stream

CASES = [("mnist", 28), ("cifar", 32), ("tiny", 64), ("imagenet", 224)]
SEVERITIES = (1, 2, 3, 4, 5)


def agree(ours, theirs, share=0.005):
    """Ours against values in [0, 1] that have yet to become 8 bits, which drops their fraction.

    At most one level apart; and that on hardly any element, but for where theirs is an integer
    but for rounding errors, which therefore decide.
    """
    levels = 255 * np.clip(theirs, 0, 1)
    apart = np.abs(ours.astype(int) - np.uint8(levels))
    assert apart.max() <= 1
    clear = np.abs(levels - np.round(levels)) > 2e-3
    assert clear.any()
    assert (apart[clear] > 0).mean() <= share


def per_channel(image, function):
    return np.stack([function(image[..., c]) for c in range(image.shape[-1])], axis=-1)


def disk_kernel(radius, alias):
    """The kernel of the recipe, its 2-D Gaussian correlated with OpenCV's default border."""
    reach, size = (8, 3) if radius <= 8 else (radius, 5)
    axis = np.arange(-reach, reach + 1)
    x, y = np.meshgrid(axis, axis)
    kernel = np.array((x**2 + y**2) <= radius**2, dtype=float)
    kernel /= kernel.sum()
    rim = np.exp(-0.5 * ((np.arange(size) - size // 2) / alias) ** 2)
    rim = np.outer(rim, rim) / rim.sum() ** 2
    return ndimage.correlate(kernel, rim, mode="mirror")


def clipped_zoom(image, zoom):
    height = image.shape[0]
    kept = math.ceil(height / zoom)
    top = (height - kept) // 2
    part = image[top : top + kept, top : top + kept]
    large = ndimage.zoom(part, (zoom, zoom, 1), order=1)
    trim = (large.shape[0] - height) // 2
    return large[trim : trim + height, trim : trim + height]


def motion_reference(image, radius, sigma, angle):
    """ImageMagick's: one-sided weights, nearest pixels, edges repeated."""
    width = 2 * radius + 1
    kernel = np.exp(-(np.arange(width) ** 2) / (2 * sigma**2))
    kernel /= kernel.sum()
    height, breadth = image.shape[:2]
    result = np.zeros(image.shape)
    for i, weight in enumerate(kernel):
        dy = -math.ceil(i * math.sin(math.radians(angle)) - 0.5)
        dx = -math.ceil(i * math.cos(math.radians(angle)) - 0.5)
        rows = np.clip(np.arange(height) - dy, 0, height - 1)
        columns = np.clip(np.arange(breadth) - dx, 0, breadth - 1)
        result += weight * image[np.ix_(rows, columns)]
    return result


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize(("preset", "side"), CASES)
def test_gaussian_blur(photographs, preset, side, severity):
    images = photographs(side, 2)
    (sigma,) = PRESETS[preset].constants("gaussian_blur", severity)
    ours = corrupt(images, "gaussian_blur", severity, preset=preset)
    for image, blurred in zip(images / 255, ours, strict=True):
        theirs = per_channel(
            image, lambda c: ndimage.gaussian_filter(c, sigma, truncate=4, mode="nearest")
        )
        agree(blurred, theirs)


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize(("preset", "side"), [*CASES, ("imagenet299", 96)])
def test_defocus_blur(photographs, preset, side, severity):
    images = photographs(side, 1)
    kernel = disk_kernel(*PRESETS[preset].constants("defocus_blur", severity))
    ours = corrupt(images, "defocus_blur", severity, preset=preset)
    theirs = per_channel(images[0] / 255, lambda c: ndimage.correlate(c, kernel, mode="mirror"))
    # Rounding 600 weights to 2^−16 moves sums by up to a hundredth of a level.
    agree(ours[0], theirs, share=0.02)


def test_disks_that_fill_their_array_brighten_as_published():
    sums = [blur.disk(*row).sum() for row in PRESETS["imagenet"].rows["defocus_blur"]]
    assert np.allclose(sums[:3], 1)
    assert np.allclose(sums[3:], [1.01298, 1.01079], atol=5e-6)
    taps = [(blur.disk(*row) > 1e-6).sum() for row in PRESETS["imagenet"].rows["defocus_blur"]]
    assert taps == [29, 89, 169, 257, 401]


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize(("preset", "side"), CASES)
def test_zoom_blur(photographs, preset, side, severity):
    images = photographs(side, 1)
    stop, step = PRESETS[preset].constants("zoom_blur", severity)
    zooms = np.arange(1, stop, step)
    clean = images[0] / 255
    theirs = (clean + sum(clipped_zoom(clean, z) for z in zooms)) / (len(zooms) + 1)
    ours = corrupt(images, "zoom_blur", severity, preset=preset)
    agree(ours[0], theirs)


@pytest.mark.parametrize(
    ("preset", "counts"), [("imagenet", [12, 16, 11, 13, 11]), ("cifar", [7, 12, 16, 21, 26])]
)
def test_number_of_zooms_is_the_published_one(preset, counts):
    assert [len(np.arange(1, *row)) for row in PRESETS[preset].rows["zoom_blur"]] == counts


@pytest.mark.parametrize("angle", [-44.9, -20.0, 0.3, 17.0, 44.0])
@pytest.mark.parametrize(("radius", "sigma", "side"), [(6, 2, 32), (15, 8, 64), (20, 15, 24)])
def test_motion_blur_at_a_given_angle(photographs, radius, sigma, side, angle):
    images = photographs(side, 1)
    paths = blur.path_offsets(2 * radius + 1, np.array([angle]))
    planes = torch.from_numpy(images).permute(0, 3, 1, 2)
    ours = blur.motion(planes, sigma, paths, torch.zeros(1, dtype=torch.int64))
    theirs = motion_reference(images[0].astype(float), radius, sigma, angle)
    agree(ours[0].permute(1, 2, 0).numpy(), theirs / 255)


def test_motion_blur_takes_the_angle_of_each_images_code(photographs):
    images = photographs(32, 6)
    ours = corrupt(images, "motion_blur", 3, preset="cifar", seed=2)
    codes = stream(2, "motion_blur", 3, np.arange(6)).codes(1)[:, 0].numpy().astype(int) + 2**15
    angles = -45 + 90 * (codes + 0.5) / 2**16
    assert angles.min() < -10
    assert angles.max() > 10
    for image, blurred, angle in zip(images, ours, angles, strict=True):
        theirs = motion_reference(image.astype(float), 6, 2.0, angle)
        agree(blurred, theirs / 255)


def test_angles_of_many_images_are_uniform():
    codes = stream(0, "motion_blur", 3, np.arange(200_000)).codes(1)[:, 0].numpy().astype(int)
    assert stats.kstest((codes + 2**15 + 0.5) / 2**16, "uniform").pvalue > 1e-3
    assert stats.chisquare(np.bincount(codes // 256 + 128)).pvalue > 1e-3


def test_blurs_leave_a_flat_image_as_it_is():
    flat = np.full((2, 20, 20, 3), 77, dtype=np.uint8)
    for name in ("gaussian_blur", "motion_blur", "zoom_blur", "defocus_blur"):
        assert np.array_equal(corrupt(flat, name, 4, preset="cifar"), flat)


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize(("preset", "side"), CASES[:3])
def test_motion_blur_at_every_severity(photographs, preset, side, severity):
    images = photographs(side, 1)
    radius, sigma = PRESETS[preset].constants("motion_blur", severity)
    angle = 37.0 - 17 * severity
    paths = blur.path_offsets(2 * radius + 1, np.array([angle]))
    planes = torch.from_numpy(images).permute(0, 3, 1, 2)
    ours = blur.motion(planes, sigma, paths, torch.zeros(1, dtype=torch.int64))
    theirs = motion_reference(images[0].astype(float), radius, sigma, angle)
    agree(ours[0].permute(1, 2, 0).numpy(), theirs / 255)


def test_falling_paths_on_one_channel(photographs):
    layers = torch.from_numpy(photographs(32, 2)[..., 0].copy())[:, None]
    angles = np.array([-130.0, -50.0])
    paths = blur.path_offsets(21, angles)
    ours = blur.motion(layers, 4.0, paths, torch.tensor([1, 0]))
    for one, layer, angle in zip(ours, layers, angles[::-1], strict=True):
        theirs = motion_reference(layer[0, ..., None].numpy().astype(float), 10, 4.0, angle)
        agree(one[0, ..., None].numpy(), theirs / 255)


BLURS = {
    "gaussian_blur": blur.gaussian_blur,
    "defocus_blur": blur.defocus_blur,
    "motion_blur": blur.motion_blur,
    "zoom_blur": zoom.zoom_blur,
}


@pytest.mark.parametrize("name", BLURS)
@pytest.mark.parametrize(
    ("preset", "shape"),
    [
        ("digits", (5, 1, 2, 2)),
        ("imagenet", (3, 2, 2, 3)),
        ("imagenet299", (4, 5, 17, 40)),
        ("cifar", (6, 3, 63, 30)),
    ],
)
def test_shapes_and_floats(name, preset, shape):
    levels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    images, function = torch.from_numpy(levels), BLURS[name]
    for severity in (1, 5):
        constants = PRESETS[preset].constants(name, severity)
        draws = stream(0, name, severity, np.arange(len(images)))
        bytes_ = function(images, draws, *constants)
        assert (bytes_.dtype, bytes_.shape) == (torch.uint8, images.shape)
        floats = function(images.to(torch.float32), draws, *constants)
        assert floats.dtype == torch.float32
        # Truncated, they are the bytes; where a sum is an integer, rounding decides.
        apart = (floats + 1e-3).floor() - bytes_
        assert apart.abs().max() <= 1
        assert (apart != 0).float().mean() <= 0.02
        # The fractions of pixels are not lost on the way.
        finer = function(images * 0.5, draws, *constants)
        if name != "defocus_blur" or severity == 1:  # some disks sum to more than 1
            assert (2 * finer - floats).abs().max() < 1e-3
        one = function(images[1:2], draws.part(1, 2, images.device), *constants)
        assert torch.equal(one, bytes_[1:2])
        one = function(images[1:2] * 0.7, draws.part(1, 2, images.device), *constants)
        assert torch.equal(one, function(images * 0.7, draws, *constants)[1:2])
        empty = function(images[:0], draws.part(0, 0, images.device), *constants)
        assert empty.shape == images[:0].shape


def test_zoom_by_axes_is_the_map_but_for_its_rounding(photographs):
    images = torch.from_numpy(photographs(224, 1)).permute(0, 3, 1, 2)[:, :, :100].contiguous()
    for severity in SEVERITIES:
        constants = PRESETS["imagenet"].constants("zoom_blur", severity)
        whole = zoom.zoom_blur(images, None, *constants)
        apart = zoom.zoomed_by_axes(images, *constants).int() - whole
        assert apart.abs().max() <= 1
        assert (apart != 0).float().mean() < 0.01


def test_zoom_of_a_large_image_in_bands(photographs, monkeypatch):
    images = torch.from_numpy(np.tile(photographs(64, 1), (1, 7, 6, 1))).permute(0, 3, 1, 2)
    assert images.shape[2] * images.shape[3] > zoom._FEW_PIXELS
    ours = zoom.zoom_blur(images, None, 1.11, 0.02)
    zooms, clean = np.arange(1, 1.11, 0.02), images[0].permute(1, 2, 0).numpy() / 255

    def wide(factor):  # the reference's images are square; this one is trimmed on either axis
        parts = []
        for axis in (0, 1):
            size = clean.shape[axis]
            kept = math.ceil(size / factor)
            parts.append(slice((size - kept) // 2, (size - kept) // 2 + kept))
        large = ndimage.zoom(clean[parts[0], parts[1]], (factor, factor, 1), order=1)
        down, right = (
            (big - side) // 2 for big, side in zip(large.shape[:2], clean.shape[:2], strict=True)
        )
        return large[down:, right:][: clean.shape[0], : clean.shape[1]]

    theirs = (clean + sum(wide(factor) for factor in zooms)) / (len(zooms) + 1)
    agree(ours[0].permute(1, 2, 0).numpy(), theirs)
    monkeypatch.setattr(zoom, "_BAND", 5000)
    assert torch.equal(zoom.zoom_blur(images, None, 1.11, 0.02), ours)


@pytest.mark.parametrize(
    ("size", "sigma"), [(224, 3.0), (224, 6.5), (130, 1.0), (57, 20.0), (2, 1.0)]
)
def test_bands_of_the_gaussian_meet_exactly(size, sigma):
    planes = np.random.default_rng(0).integers(0, 256, (2, size, 5)).astype(float)
    ours = blur._blurred_down(torch.from_numpy(planes), sigma).numpy()
    weights = blur._gaussian_weights(sigma)
    theirs = ndimage.correlate1d(planes, weights, axis=1, mode="nearest")
    assert np.array_equal(ours, theirs)
