"""Translation, rotation and occlusion against SciPy and by hand."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from corruptions import corrupt, geometry


def floats(images):
    return torch.from_numpy(images)[:, None]


@pytest.mark.parametrize(("down", "right"), [(1, -2), (0.3, 0.3), (-0.65, 0.9), (2.5, 20)])
def test_translation_is_scipys_shift(digits, down, right):
    ours = geometry._translation(8, 8, down, right).apply(floats(digits[:5]))[:, 0]
    for one, image in zip(ours.numpy(), digits, strict=False):
        theirs = ndimage.shift(image.astype(float), (down, right), order=1, mode="grid-constant")
        assert np.abs(one - theirs).max() < 0.02


@pytest.mark.parametrize("degrees", [-30.0, 6.0, 45.0, 90.0])
def test_rotation_is_an_affine_map_about_the_centre(digits, degrees):
    ours = geometry._rotation(8, 8, degrees).apply(floats(digits[:5]))[:, 0]
    turn = np.deg2rad(degrees)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    centre = np.full(2, 3.5)
    for one, image in zip(ours.numpy(), digits, strict=False):
        theirs = ndimage.affine_transform(
            image.astype(float), matrix, centre - matrix @ centre, order=1, mode="grid-constant"
        )
        assert np.abs(one - theirs).max() < 0.02


def test_a_quarter_turn_is_exact(digits):
    turned = geometry._rotation(8, 8, 90.0).apply(floats(digits[:3]))[:, 0].numpy()
    assert np.abs(turned - np.rot90(digits[:3], k=-1, axes=(1, 2))).max() < 0.02


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
