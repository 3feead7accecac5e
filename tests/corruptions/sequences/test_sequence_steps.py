"""Frames that blur, brighten, snow, spatter or add noise, against plain ones."""

import colorsys

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.ndimage import gaussian_filter

from corruptions.draws import stream
from corruptions.normal import FINE_UNIT, UNIT, fine_normals, normals
from corruptions.sequences import PERTURBATIONS, drops, perturbation_frames


def frames_of(images, name, preset, **more):
    return np.stack(list(perturbation_frames(images, name, preset=preset, **more)))


def close(ours, theirs, share=0.02):
    apart = np.abs(ours.astype(int) - theirs.astype(int))
    assert apart.max() <= 1
    assert (apart > 0).mean() <= share


@pytest.mark.parametrize(("preset", "step"), [("imagenet", 0.02), ("tiny", 0.02), ("cifar", 0.015)])
def test_brightness_goes_from_darker_to_brighter(photographs, preset, step):
    images = photographs(8, 2)
    images[0, 0, 0] = 0
    found = frames_of(images, "brightness", preset)
    assert len(found) == 31
    for k in (0, 1, 14, 15, 16, 30):
        wanted = np.empty_like(images)
        for place in np.ndindex(images.shape[:3]):
            hue, saturation, value = colorsys.rgb_to_hsv(*(images[place] / 255))
            value = min(max(value + step * (k - 15), 0), 1)
            wanted[place] = np.array(colorsys.hsv_to_rgb(hue, saturation, value)) * 255 + 1e-6
        close(found[k], wanted)
    assert np.array_equal(found[15], images)


@pytest.mark.parametrize(
    ("preset", "sigma", "step", "cut"),
    [("imagenet", 0.25, 0.035, 6), ("tiny", 0.35, 0.014, 7), ("cifar", 0.3, 0.015, 7)],
)
def test_gaussian_blur_widens(photographs, preset, sigma, step, cut):
    images = photographs(32, 2)
    for k, frame in enumerate(frames_of(images, "gaussian_blur", preset)):
        spread = sigma + step * k
        wanted = np.stack(
            [
                gaussian_filter(
                    image.astype(float), (spread, spread, 0), mode="nearest", truncate=cut
                )
                for image in images
            ]
        )
        close(frame, np.floor(wanted + 1e-6), share=0.1)


def moved_blur(layer, radius, sigma, degrees):
    """As ImageMagick: half a Gaussian of nearest pixels along a line, edges repeated."""
    width, turn = 2 * radius + 1, np.deg2rad(degrees)
    weights = np.exp(-0.5 * (np.arange(width) / sigma) ** 2)
    height, breadth = layer.shape[:2]
    total = np.zeros(layer.shape)
    for k, weight in enumerate(weights / weights.sum()):
        down, right = (int(np.ceil(k * f(turn) - 0.5)) for f in (np.sin, np.cos))
        rows = np.clip(np.arange(height) + down, 0, height - 1)
        columns = np.clip(np.arange(breadth) + right, 0, breadth - 1)
        total += weight * layer[np.ix_(rows, columns)]
    return np.floor(total + 1e-3)


@pytest.mark.parametrize(
    ("preset", "count", "radius", "sigma", "turn"),
    [("imagenet", 31, 10, 3, 4), ("tiny", 31, 14, 3, 5), ("cifar", 21, 6, 1.8, 9)],
)
def test_motion_blur_turns_from_frame_to_frame(photographs, preset, count, radius, sigma, turn):
    images = photographs(32, 2)[:, :24]
    found = frames_of(images, "motion_blur", preset)
    assert len(found) == count
    for k, frame in enumerate(found):
        degrees = turn * (k - (count - 1))
        wanted = np.stack([moved_blur(image, radius, sigma, degrees) for image in images])
        close(frame, wanted, share=0.05)


def test_snow_is_one_layer_whose_fall_turns(photographs):
    images = photographs(32, 2)
    found = frames_of(images, "snow", "cifar", seed=4, ids=[7, 8])
    draws = stream(4, "snow@sequence", 0, np.array([7, 8]))
    drawn = fine_normals(draws, 16 * 16).view(2, 16, 16).numpy() * FINE_UNIT * 0.3 + 0.05
    places = np.minimum(np.arange(32) * 15 / 31, 15)
    low = np.minimum(places.astype(int), 14)
    share = places - low
    for image, layer, ours in zip(images, drawn, found.swapaxes(0, 1), strict=True):
        layer = layer[low] * (1 - share)[:, None] + layer[low + 1] * share[:, None]
        layer = layer[:, low] * (1 - share) + layer[:, low + 1] * share
        flakes = np.floor(np.clip(np.where(layer < 0.5, 0, layer), 0, 1) * 255)
        x = image / 255
        grey = (x @ [0.299, 0.587, 0.114])[..., None]
        white = 0.85 * x + 0.15 * np.maximum(x, grey * 1.5 + 0.5)
        for k, frame in enumerate(ours):
            fallen = moved_blur(flakes, 10, 2, 4 * k - 150)[..., None] / 255
            wanted = np.clip(white + fallen + np.rot90(fallen, 2), 0, 1) * 255
            close(frame, np.floor(wanted + 1e-3), share=0.1)


def test_water_is_drawn_once_and_runs_down(photographs):
    images = photographs(64, 2) // 2
    kernel = np.array([0.05, 0.1, 0.15, 0.7])
    found = frames_of(images, "spatter", "imagenet", seed=1)
    noise = normals(stream(1, "spatter@sequence", 0, np.arange(2)), 64 * 64) * UNIT
    for image, drawn, ours in zip(
        images, noise.reshape(2, 64, 64), found.swapaxes(0, 1), strict=True
    ):
        smooth = gaussian_filter(0.65 + 0.27 * drawn, 3.7, mode="nearest", truncate=4)
        liquid = np.where(smooth < 0.69, 0, smooth)
        for frame in ours[:12]:  # later on, all of it may have left so small a picture
            added = frame.astype(int) - image
            assert (added >= 0).all()
            assert (added[liquid * 255 < 1] == 0).all()
            assert added.max() > 20
            liquid = np.apply_along_axis(lambda a: np.convolve(a, kernel, "same"), 0, liquid)


@pytest.mark.parametrize("weights", [(0.05, 0.1, 0.15, 0.7), (0.2, 0.8)])
def test_water_runs_down_as_a_convolution_of_the_same_length(weights):
    liquid = np.random.default_rng(0).random((2, 9, 5))
    wanted = np.apply_along_axis(lambda a: np.convolve(a, weights, "same"), 1, liquid)
    assert np.allclose(drops.run_down(liquid, weights), wanted, atol=1e-12)


@pytest.mark.parametrize("preset", ["imagenet", "tiny", "cifar"])
@pytest.mark.parametrize("difficulty", ["", "_2", "_3"])
def test_gaussian_noise_has_its_law_in_every_frame(preset, difficulty):
    scale = {
        "imagenet": (0.03, 0.05, 0.08),
        "tiny": (0.025, 0.05, 0.075),
        "cifar": (0.02, 0.04, 0.06),
    }[preset]["_2_3".find(difficulty) // 2 + bool(difficulty)]
    images = np.full((4, 32, 32, 3), 128, np.uint8)
    found = frames_of(images, f"gaussian_noise{difficulty}", preset)
    assert len(found) == 31
    assert np.array_equal(found[0], images)
    noise = found[1:].astype(float) - 128 + 0.5  # truncation takes half a level on average
    assert abs(noise.mean()) < 0.1
    assert noise.std() == pytest.approx(255 * scale, rel=0.02)
    assert abs(np.corrcoef(noise[0].ravel(), noise[1].ravel())[0, 1]) < 0.03


@pytest.mark.parametrize(
    ("name", "preset", "photons"),
    [
        ("shot_noise", "imagenet", 300),
        ("shot_noise_2", "tiny", 250),
        ("shot_noise_3", "cifar", 200),
    ],
)
def test_shot_noise_has_the_counts_of_photons(name, preset, photons):
    images = np.full((4, 32, 32, 3), 51, np.uint8)
    found = frames_of(images, name, preset)
    assert np.array_equal(found[0], images)
    counts = np.arange(0, photons + 1)
    levels = np.floor(counts / photons * 255 + 1e-9)
    mass = stats.poisson.pmf(counts, photons * 51 / 255)
    mean = (levels * mass).sum()
    spread = np.sqrt((levels**2 * mass).sum() - mean**2)
    assert found[1:].mean() == pytest.approx(mean, abs=0.1)
    assert found[1:].std() == pytest.approx(spread, rel=0.02)


@pytest.mark.parametrize(
    ("name", "preset", "scale"),
    [
        ("speckle_noise", "cifar", 0.05),
        ("speckle_noise_2", "cifar", 0.07),
        ("speckle_noise_3", "imagenet", 0.15),
    ],
)
def test_speckle_noise_is_in_proportion(name, preset, scale):
    images = np.full((4, 32, 32, 3), 100, np.uint8)
    found = frames_of(images, name, preset)
    assert np.array_equal(found[0], images)
    assert found[1:].astype(float).std() == pytest.approx(100 * scale, rel=0.02)


def test_every_row_has_three_sizes_and_moves():
    for name, row in PERTURBATIONS.items():
        assert set(row.sizes) == {"imagenet", "tiny", "cifar"}, name
        assert row.compares == ("first" if "noise" in name else "previous"), name
        image = torch.full((1, 3, 32, 32), 90, dtype=torch.uint8)
        image[:, :, 8:20, 5:30] = 200
        found = list(perturbation_frames(image, name, preset="cifar"))
        assert len({frame.numpy().tobytes() for frame in found}) > len(found) / 2, name
