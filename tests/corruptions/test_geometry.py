"""Translation, rotation and occlusion against SciPy and by hand."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from corruptions import CORRUPTIONS, PRESETS, corrupt, geometry
from corruptions.draws import stream


def warped(images, affine):
    """Levels with fractions: float [N, H, W]."""
    floats = torch.from_numpy(images)[:, None].to(torch.float32)
    return geometry.warped(floats, affine)[:, 0].numpy()


def reference(image, source):
    """Bilinear, one pixel at a time; `source` maps (y, x) from the centre to where to look."""
    height, width = image.shape
    result = np.zeros(image.shape)
    for y, x in np.ndindex(height, width):
        row, column = source(y - (height - 1) / 2, x - (width - 1) / 2)
        row, column = row + (height - 1) / 2, column + (width - 1) / 2
        for near_y in (math.floor(row), math.floor(row) + 1):
            for near_x in (math.floor(column), math.floor(column) + 1):
                if 0 <= near_y < height and 0 <= near_x < width:
                    share = (1 - abs(row - near_y)) * (1 - abs(column - near_x))
                    result[y, x] += share * image[near_y, near_x]
    return result


@pytest.mark.parametrize(("down", "right"), [(1, -2), (0.3, 0.3), (-0.65, 0.9), (2.5, 20)])
def test_translation_is_scipys_shift(digits, down, right):
    ours = warped(digits[:5], geometry.Affine(down=down, right=right))
    for one, image in zip(ours, digits, strict=False):
        theirs = ndimage.shift(image.astype(float), (down, right), order=1, mode="grid-constant")
        assert np.abs(one - theirs).max() < 0.02


@pytest.mark.parametrize("degrees", [-30.0, 6.0, 45.0, 90.0])
def test_rotation_is_an_affine_map_about_the_centre(digits, degrees):
    ours = warped(digits[:5], geometry.rotation(degrees))
    turn = np.deg2rad(degrees)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    centre = np.full(2, 3.5)
    for one, image in zip(ours, digits, strict=False):
        theirs = ndimage.affine_transform(
            image.astype(float), matrix, centre - matrix @ centre, order=1, mode="grid-constant"
        )
        assert np.abs(one - theirs).max() < 0.02


def test_a_quarter_turn_is_exact(digits):
    turned = warped(digits[:3], geometry.rotation(90.0))
    assert np.abs(turned - np.rot90(digits[:3], k=-1, axes=(1, 2))).max() < 0.02


def whichever_sign(ours, image, sources):
    """Ours agrees with one of the references: nowhere more than a level apart.

    And nowhere apart at all, but where the reference is all but an integer.
    """
    for source in sources:
        levels = reference(image, source)
        apart = np.abs(ours.astype(int) - np.floor(levels + 1e-6))
        clear = np.abs(levels - np.round(levels)) > 0.02
        if apart.max() <= 1 and not apart[clear].any():
            return True
    return False


SOURCES = {
    "rotate": lambda a: (
        lambda y, x: (
            y * math.cos(a) - x * math.sin(a),
            y * math.sin(a) + x * math.cos(a),
        )
    ),
    "shear": lambda a: lambda y, x: (y * math.cos(a), x - y * math.sin(a)),
    "scale": lambda a: lambda y, x: (y / abs(a), x / abs(a)),
    "translate": lambda a: lambda y, x: (y - a, x - a),
}


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize(("preset", "side"), [("mnist-c", 28), ("mnist", 28), ("digits", 8)])
def test_published_and_own_constants_one_pixel_at_a_time(photographs, name, preset, side):
    images = photographs(side, 3)[..., 0]
    for severity in PRESETS[preset].severities:
        (amount,) = PRESETS[preset].constants(name, severity)
        amount = math.radians(amount) if name == "rotate" else amount
        sources = [SOURCES[name](amount), SOURCES[name](-amount)]
        if name == "translate":
            sources += [
                lambda y, x, a=amount: (y + a, x - a),
                lambda y, x, a=amount: (y - a, x + a),
            ]
        ours = corrupt(images, name, severity, preset=preset)
        for one, image in zip(ours, images, strict=True):
            assert whichever_sign(one, image, sources)


def test_published_constants_of_mnist_c():
    rows = PRESETS["mnist-c"].rows
    assert [rows[name] for name in ("translate", "shear", "scale")] == [(3,), (0.4,), (0.7,)]
    assert math.isclose(math.radians(rows["rotate"][0]), 0.4)


def test_both_leanings_come_up():
    line = np.zeros((400, 28, 28), dtype=np.uint8)
    line[:, :, 13:15] = 255
    top = corrupt(line, "shear", 1, preset="mnist-c")[:, :8]
    left = top[:, :, :14].sum(axis=(1, 2), dtype=int) > top[:, :, 14:].sum(axis=(1, 2), dtype=int)
    assert 150 < left.sum() < 250


@pytest.mark.parametrize("name", ["translate", "rotate", "shear", "scale", "occlusion"])
@pytest.mark.parametrize("shape", [(5, 1, 2, 2), (3, 4, 2, 3), (4, 3, 33, 17)])
def test_shapes_floats_and_parts_of_batches(name, shape):
    levels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    images, change = torch.from_numpy(levels), CORRUPTIONS[name].function
    (amount,) = PRESETS["mnist"].constants(name, 3)
    draws = stream(0, name, 3, np.arange(len(levels)))
    ours = change(images, draws, amount)
    assert (ours.dtype, ours.shape) == (torch.uint8, images.shape)
    floats = change(images.to(torch.float32), draws, amount)
    assert torch.equal((floats + 1e-3).floor(), ours.to(torch.float32))
    assert (change(images * 0.5, draws, amount).dtype, floats.dtype) == (torch.float32,) * 2
    for start, stop in ((0, 1), (1, len(images)), (0, 0)):
        part = draws.part(start, stop, images.device)
        assert torch.equal(change(images[start:stop], part, amount), ours[start:stop])


def test_a_large_image_is_warped_in_bands(monkeypatch):
    images = torch.randint(0, 256, (2, 3, 60, 41), dtype=torch.uint8)
    whole = geometry.warped(images, geometry.rotation(20.0))
    monkeypatch.setattr(geometry, "_BAND", 500)
    assert torch.equal(geometry.warped(images, geometry.rotation(20.0)), whole)


def test_both_signs_come_up_on_each_axis():
    point = np.zeros((400, 9, 9), dtype=np.uint8)
    point[:, 4, 4] = 255
    moved = corrupt(point, "translate", 3, preset="mnist")
    where = np.argwhere(moved == 255)[:, 1:] - 4
    assert len(where) == 400
    places, counts = np.unique(where, axis=0, return_counts=True)
    assert places.tolist() == [[-3, -3], [-3, 3], [3, -3], [3, 3]]
    assert counts.min() > 70


def test_both_directions_of_rotation_come_up():
    point = np.zeros((400, 28, 28), dtype=np.uint8)
    point[:, 0:4, 13:15] = 255
    left = corrupt(point, "rotate", 3)[:, :, :14].sum(axis=(1, 2), dtype=int)
    right = corrupt(point, "rotate", 3)[:, :, 14:].sum(axis=(1, 2), dtype=int)
    assert 150 < (left > right).sum() < 250


def test_occlusion_by_hand():
    black = torch.zeros(3, 1, 4, 4, dtype=torch.uint8)
    places = torch.tensor([[0.0, 0.0], [0.5, 0.25], [0.0, 0.0]])
    ours = geometry.occluded(black, 0.5, places)[:, 0]  # a 2×2 patch
    assert ours[0].tolist() == [[128, 128, 0, 0], [128, 128, 0, 0], [0] * 4, [0] * 4]
    # Top at 1, left at 0.5: half of columns 0 and 2 is covered.
    assert ours[1].tolist() == [[0] * 4, [64, 128, 64, 0], [64, 128, 64, 0], [0] * 4]
    small = geometry.occluded(black, 0.125, places)[2, 0]  # half a pixel a side: a quarter of one
    assert small.tolist() == [[32, 0, 0, 0], [0] * 4, [0] * 4, [0] * 4]


def test_occlusion_covers_the_same_area_wherever_it_lies(digits):
    black = np.zeros((500, 8, 8), dtype=np.uint8)
    covered = corrupt(black, "occlusion", 4).sum(axis=(1, 2), dtype=int) / 128
    # Truncation loses less than one level on each of at most 25 pixels.
    assert np.abs(covered - (0.46 * 8) ** 2).max() < 25 / 128
