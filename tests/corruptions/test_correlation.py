"""Correlations, in pieces, against SciPy and against other orders of the same sums."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from corruptions import blur, correlation
from corruptions.correlation import Tap, kernel_of, kernel_taps


def random_images(shape, seed=0):
    levels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return torch.from_numpy(levels)


def correlate(images, kernel, *, mirror=False):
    """The sums before they become grey levels."""
    return correlation._filtered(images, [kernel] * len(images), mirror).clone()


def centred(kernel):
    """The exact kernel in the middle of an array of odd sides, for SciPy."""
    up, down, left, right = kernel.up, kernel.down, kernel.left, kernel.right
    high, wide = max(up, down), max(left, right)
    return np.pad(kernel.weights, ((high - up, high - down), (wide - left, wide - right)))


def expected(images, kernel, mirror):
    mode, weights = ("mirror" if mirror else "nearest"), centred(kernel)
    planes = images.numpy().astype(float).reshape(-1, *images.shape[2:])
    sums = [ndimage.correlate(plane, weights, mode=mode) for plane in planes]
    return np.stack(sums).reshape(images.shape)


@pytest.mark.parametrize("mirror", [True, False])
@pytest.mark.parametrize("shape", [(2, 3, 20, 13), (1, 1, 2, 2), (3, 2, 2, 9), (1, 1, 5, 300)])
@pytest.mark.parametrize("size", [(5, 3), (1, 13), (21, 21)])
def test_sums_are_exact(shape, size, mirror):
    generator = np.random.default_rng(1)
    weights = generator.random(size) ** 4
    kernel = kernel_of(kernel_taps(weights / weights.sum()))
    images = random_images(shape)
    ours = correlate(images, kernel, mirror=mirror).numpy()
    assert np.array_equal(ours, expected(images, kernel, mirror))


def test_taps_far_to_one_side_and_twice_the_same():
    taps = [Tap(3, 140, 0.25), Tap(0, -150, 0.25), Tap(-9, 2, 0.25), Tap(-9, 2, 0.25)]
    kernel, images = kernel_of(taps), random_images((1, 2, 30, 400))
    assert (kernel.up, kernel.down, kernel.left, kernel.right) == (9, 3, 150, 140)
    assert np.array_equal(correlate(images, kernel), expected(images, kernel, mirror=False))


@pytest.mark.parametrize("radius", [0.5, 3, 8, 10, 12])
def test_pieces_hold_every_weight_once_and_are_small(radius):
    kernel = kernel_of(kernel_taps(blur.disk(radius, 0.5)))
    together = np.zeros(kernel.weights.shape)
    for piece in kernel.pieces:
        assert piece.weights.size < correlation._LARGE
        high, wide = piece.weights.shape
        together[piece.top : piece.top + high, piece.left : piece.left + wide] += piece.weights
    assert np.array_equal(together, kernel.weights)


@pytest.mark.parametrize("constants", [(1, 0.2), (6, 0.5), (10, 0.5), (12, 0.5)])
@pytest.mark.parametrize("shape", [(2, 3, 41, 57), (1, 1, 9, 8)])
def test_the_way_of_other_devices_agrees_bit_for_bit(constants, shape):
    images = random_images(shape)
    kernel = kernel_of(kernel_taps(blur.disk(*constants)))
    planes = images.view(-1, *shape[2:])
    there = correlation._sums(planes, kernel, mirror=True).view(shape)
    here = correlate(images, kernel, mirror=True)
    # Disks that fill their array sum to more than 1, and sums above 256 have no room for 2^−16.
    assert (there - here).abs().max() <= (0 if constants[0] < 8 else 2.0**-15)


def test_images_far_apart_in_a_batch_and_alone_are_the_same():
    images = random_images((70, 3, 33, 31))
    kernel = kernel_of(kernel_taps(blur.disk(6, 0.5)))
    together = correlation.correlated(images, [kernel], mirror=True)
    for index in (0, 41, 69):
        alone = correlation.correlated(images[index : index + 1], [kernel], mirror=True)
        assert torch.equal(alone[0], together[index])


def test_a_kernel_for_each_image():
    images = random_images((5, 2, 12, 9))
    first = kernel_of([Tap(2, -3, 0.5), Tap(0, 1, 0.5)])
    second = kernel_of([Tap(-6, 0, 0.25), Tap(0, 7, 0.75)])
    kernels = [first, first, second, first, second]
    together = correlation.correlated(images, kernels)
    for image, kernel, ours in zip(images.split(1), kernels, together, strict=True):
        assert torch.equal(correlation.correlated(image, [kernel])[0], ours)
        wanted = np.floor(expected(image, kernel, mirror=False)[0] + 1e-3)
        assert np.array_equal(ours.numpy(), wanted)


def test_an_image_too_large_for_the_cache_is_done_channel_by_channel(monkeypatch):
    images = random_images((3, 3, 20, 30))
    kernels = [kernel_of([Tap(k, 2 * k, 0.5), Tap(-k, 0, 0.5)]) for k in (1, 2, 3)]
    whole = correlation.correlated(images, kernels)
    monkeypatch.setattr(correlation, "_ELEMENTS", 700)
    assert torch.equal(correlation.correlated(images, kernels), whole)
