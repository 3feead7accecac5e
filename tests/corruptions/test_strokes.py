"""MNIST-C's strokes beside its recipes written out, and edges beside scikit-image's."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from skimage import feature

from corruptions import corrupt, strokes
from corruptions.draws import stream
from corruptions.edges import canny
from corruptions.strokes import ink

BLACK = np.zeros((4, 28, 28), np.uint8)


def line(side, c0, r0, c1, r1):
    """MNIST-C's line: log(1 - d/2.3) + 1 at vertical distance d, from floor(c0) to ceil(c1)."""
    field = np.zeros((side, side))
    if c0 == c1:
        return field
    for row in range(side):
        for column in range(side):
            far = abs(row - ((r1 - r0) / (c1 - c0) * (column - c0) + r0))
            if math.floor(c0) <= column < math.ceil(c1) and far < 2.3:
                field[row, column] = min(max(math.log(1 - far / 2.3) + 1, 0), 1)
    return field


@pytest.mark.parametrize(
    "ends", [((0, 3), (27, 20)), ((2.5, 9), (6.25, 4)), ((1, 5), (1, 9)), ((-1.5, 2), (3, 4))]
)
def test_a_line_is_the_published_one(ends):
    (c0, r0), (c1, r1) = ends
    if c0 < 0:  # a slice from a negative column begins at the far side: nothing is drawn there
        ends, c0, r0 = ((0, 2), (3, 4)), 0, 2
    assert np.allclose(ink(28, 28, *ends), line(28, c0, r0, c1, r1), atol=1e-12)


def dotted(r0, r1):
    """Columns 0-1 blank, 2-3 inked, 4-5 blank, ... of a line from (0, r0) to (27, r1)."""
    field = line(28, 0, r0, 27, r1)
    for column in range(28):
        if column // 2 % 2 == 0:
            field[:, column] = 0
    return field


def zigzagged(r0, rise):
    """Teeth of length and width 2 along (2, r0)-(25, r0 + rise), as published."""
    theta = math.atan(rise / 23)
    d = 23 / math.cos(theta)
    points = [(0, 0)]
    for i in range(int((d - 2) // 4) + 1):
        points.append(((2 * i + 1) * 2, (-1) ** i * 2))
    whole = 4 * (d // 4)
    if d != whole:
        points.append((d, points[-1][1] / (2 * (d - whole))))
    turned = [
        (
            math.cos(theta) * c - math.sin(theta) * r + 2,
            math.sin(theta) * c + math.cos(theta) * r + r0,
        )
        for c, r in points
    ]
    total = np.zeros((28, 28))
    for (c0, q0), (c1, q1) in pairwise(turned):
        total = np.clip(total + line(28, c0, q0, c1, q1), 0, 1)
    return total


def test_a_dotted_line_has_one_of_the_published_shapes():
    shown = corrupt(BLACK, "dotted_line", 1, preset="mnist-c")
    shapes = {
        np.uint8(255 * dotted(r0, r1) + 1e-3).tobytes(): (r0, r1)
        for r0 in range(27)
        for r1 in range(27)
    }
    drawn = [shapes[image.tobytes()] for image in shown]
    assert len(set(drawn)) > 1


def test_a_zigzag_has_one_of_the_published_shapes():
    shown = corrupt(BLACK, "zigzag", 1, preset="mnist-c")
    shapes = [
        np.uint8(255 * zigzagged(r0, rise) + 1e-3) for r0 in range(27) for rise in range(-5, 5)
    ]
    nearest = [min(np.abs(image.astype(int) - one).max() for one in shapes) for image in shown]
    assert max(nearest) <= 1


def test_heights_and_slopes_are_drawn_evenly():
    """Chi-squared over 27 starts and 10 rises, 20,000 images: both within their 99.9 % quantile."""
    draws = stream(0, "zigzag", 1.0, np.arange(20000))
    for below, purpose, limit in ((27, 0, 54.1), (10, 1, 27.9)):
        counts = np.bincount(
            strokes._whole_numbers(draws, 1, below, purpose)[:, 0].numpy(), minlength=below
        )
        expected = 20000 / below
        assert len(counts) == below
        assert ((counts - expected) ** 2 / expected).sum() < limit


def test_stripes_invert_a_quarter_on_either_side():
    image = np.arange(28 * 28, dtype=np.uint8).reshape(1, 28, 28)
    shown = corrupt(image, "stripe", 1, preset="mnist-c")
    assert np.array_equal(shown[0, :, 7:21], image[0, :, 7:21])
    assert np.array_equal(shown[0, :, :7], 255 - image[0, :, :7])
    assert np.array_equal(shown[0, :, 21:], 255 - image[0, :, 21:])


@pytest.mark.parametrize("shape", [(28, 28), (13, 40), (3, 3)])
def test_edges_are_those_of_scikit_image(shape):
    random = np.random.default_rng(0)
    smooth = np.cumsum(np.cumsum(random.normal(size=(20, *shape)), axis=1), axis=2)
    smooth = (smooth - smooth.min()) / np.ptp(smooth)
    for images in (random.random((20, *shape)), smooth):
        theirs = np.stack([feature.canny(image, sigma=1) for image in images])
        assert np.array_equal(canny(images, sigma=1.0), theirs)


def test_only_edges_are_left_in_mnist_c():
    random = np.random.default_rng(0)
    images = (random.random((5, 28, 28)) > 0.7).astype(np.uint8) * 255
    shown = corrupt(images, "canny_edges", 1, preset="mnist-c")
    theirs = np.stack([feature.canny(image / 255.0, sigma=1) for image in images])
    assert theirs.any()
    assert np.array_equal(shown, theirs * np.uint8(255))


@pytest.mark.parametrize("name", ["stripe", "dotted_line", "zigzag", "canny_edges"])
def test_float_levels_and_colour_go_the_same_way(name):
    images = torch.randint(0, 256, (3, 3, 30, 25), generator=torch.Generator().manual_seed(0))
    draws = stream(0, name, 1.0, np.arange(3))
    function = getattr(strokes, name)
    bytes_ = function(images.to(torch.uint8), draws, 1.0)
    floats = function(images.to(torch.float32), draws, 1.0)
    assert floats.dtype == torch.float32
    assert (floats - bytes_.to(torch.float32)).abs().max() < 1


def test_a_line_from_beyond_the_left_does_not_come_in_on_the_right():
    field = ink(28, 28, (-1.5, 2), (3, 4))
    assert field[:, :3].any()
    assert not field[:, 3:].any()


@pytest.mark.parametrize("name", ["zigzag", "dotted_line", "stripe", "canny_edges"])
@pytest.mark.parametrize("width", [2, 5, 6])
def test_images_too_narrow_for_strokes_stay_finite(name, width):
    narrow = np.zeros((200, 9, width, 1), np.uint8)
    assert corrupt(narrow, name, 1, preset="mnist-c").shape == narrow.shape


@pytest.mark.parametrize("width", [28, 29, 33, 37, 41])
def test_a_zigzag_has_no_spike_at_its_end_whatever_the_size(width):
    for rise in range(-5, 5):
        rows = np.flatnonzero(strokes._zigzag(200, width, 100, rise).any(axis=1))
        assert rows[-1] - rows[0] < 18
