"""Requantised images are those that the published sets' JPEG files hold."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from corruptions import corrupt
from corruptions.requantise import requantise


def pictures(count: int = 3, height: int = 40, width: int = 48, channels: int = 3) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    waves = [
        127 + 90 * np.sin((rows * (k + 1) + 2 * columns) / 9 + k + 2 * c)
        for k in range(count)
        for c in range(channels)
    ]
    stacked = np.stack(waves).reshape(count, channels, height, width)
    return stacked.transpose(0, 2, 3, 1).astype(np.uint8)


def through_file(image: np.ndarray, quality: int) -> np.ndarray:
    """As the published sets were written: Pillow, optimised, its default 4:2:0."""
    file = io.BytesIO()
    picture = Image.fromarray(image.squeeze(2) if image.shape[2] == 1 else image)
    picture.save(file, "JPEG", quality=quality, optimize=True)
    return np.asarray(Image.open(file)).reshape(image.shape)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("quality", [85, 40])
def test_equal_to_the_file(channels: int, quality: int) -> None:
    images = pictures(channels=channels)
    expected = np.stack([through_file(image, quality) for image in images])
    assert np.array_equal(requantise(images, quality), expected)
    assert not np.array_equal(expected, images)


def test_quality_is_85_unless_stated() -> None:
    images = pictures()
    assert np.array_equal(requantise(images), requantise(images, 85))
    assert not np.array_equal(requantise(images), requantise(images, 84))


def test_tensors_and_grey_arrays_keep_their_kind() -> None:
    images = pictures()
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2)
    stored = requantise(tensor)
    assert stored.shape == tensor.shape
    assert stored.dtype == torch.uint8
    assert np.array_equal(stored.permute(0, 2, 3, 1).numpy(), requantise(images))
    grey = images[..., 0]
    assert requantise(grey).shape == grey.shape
    assert np.array_equal(requantise(grey), requantise(grey[..., None])[..., 0])
    assert torch.equal(requantise(torch.from_numpy(grey)), torch.from_numpy(requantise(grey)))


def test_the_images_given_stay_as_they_are() -> None:
    images = pictures()
    kept = images.copy()
    requantise(images)
    assert np.array_equal(images, kept)


def test_an_empty_batch_stays_empty() -> None:
    empty = np.zeros((0, 8, 8, 3), np.uint8)
    assert requantise(empty).shape == empty.shape
    assert requantise(torch.zeros(0, 3, 8, 8, dtype=torch.uint8)).shape == (0, 3, 8, 8)


def test_noise_loses_amplitude_and_sparse_noise_spreads() -> None:
    """Measured for ImageNet-C at 224: gaussian_noise 32.1 -> 23.7, impulse_noise 3.8 -> 10.0."""
    flat = np.full((2, 64, 64, 3), 128, np.uint8)
    changes = {}
    for name, severity in (("gaussian_noise", 3), ("impulse_noise", 1)):
        noisy = corrupt(flat, name, severity, preset="imagenet")
        before, after = (
            np.abs(images.astype(float) - 128).mean() for images in (noisy, requantise(noisy))
        )
        changes[name] = after / before
    assert 0.6 < changes["gaussian_noise"] < 0.9
    assert changes["impulse_noise"] > 1.5


@pytest.mark.parametrize(
    ("images", "quality", "error", "words"),
    [
        (np.zeros((1, 8, 8, 3), np.float32), 85, TypeError, "8-bit|uint8|levels"),
        (np.zeros((1, 8, 8, 3), np.uint8), 85.5, TypeError, "quality must be an integer"),
        (np.zeros((1, 8, 8, 3), np.uint8), 0, ValueError, "quality of 0 does not exist"),
        (np.zeros((1, 8, 8, 3), np.uint8), 96, ValueError, "quality of 96 does not exist"),
        (np.zeros((8, 8), np.uint8), 85, ValueError, "no batch axis"),
        (np.zeros((1, 8, 8, 4), np.uint8), 85, ValueError, "JPEG file holds 1 or 3 .* have 4"),
    ],
)
def test_bad_input(images: np.ndarray, quality: int, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        requantise(images, quality)
