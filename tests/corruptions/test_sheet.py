"""The contact sheet shows what `corrupt` makes, where it says so."""

import numpy as np
import pytest
import torch

from corruptions import CORRUPTIONS, PRESETS, contact_sheet, corrupt, names
from corruptions import sheet as module


@pytest.fixture
def seen(monkeypatch):
    """The grids and titles of the sheets drawn."""
    kept = []
    real = module._labelled

    def spy(grid, title, labels, heads, font):
        kept.append((grid, title))
        return real(grid, title, labels, heads, font)

    monkeypatch.setattr(module, "_labelled", spy)
    return kept


def cell(sheet, grid, row, column):
    top, left = grid.top + row * grid.down, grid.left + column * grid.across
    return np.asarray(sheet)[top : top + grid.height, left : left + grid.width]


def test_cells_hold_the_corrupted_images(digits, seen):
    rows = ["contrast", "fog", "rotate"]
    sheet = contact_sheet(digits[:2], rows, (0, 2.5), seed=3, side=16)
    grid, title = seen[0]
    assert sheet.mode == "RGB"
    assert title == "preset digits, by size · 8 by 8 pixels · seed 3"
    assert (grid.width, grid.height) == (16, 16)
    for row, name in enumerate(rows):
        for column, severity in enumerate((0, 2.5)):
            one = digits[[row % 2]]
            wanted = corrupt(one, name, severity, seed=3, ids=[row % 2])[0]
            wanted = wanted.repeat(2, 0).repeat(2, 1)
            assert np.array_equal(cell(sheet, grid, row, column)[..., 0], wanted)


def test_labels_are_written_clear_of_the_cells_and_of_one_another(seen):
    images = np.full((1, 12, 12, 3), 255, dtype=np.uint8)
    longest = max(CORRUPTIONS, key=len)
    sheet = contact_sheet(images, [longest, "fog"], (0, 2.75, 0), preset="cifar", side=12)
    grid, _ = seen[0]
    dark = np.asarray(sheet).min(axis=2) < 128
    names_drawn, heads = dark[grid.top :, : grid.left], dark[grid.down : grid.top, grid.left :]
    columns = np.flatnonzero(names_drawn.any(axis=0))
    assert columns[0] >= 4
    assert columns[-1] <= grid.left - 4
    assert names_drawn[: grid.down].any()
    assert names_drawn[grid.down :].any()
    for column in range(3):
        assert heads[:, column * grid.across : (column + 1) * grid.across - 2].any()
    assert sheet.height >= grid.top + 2 * grid.down
    assert sheet.width >= grid.left + 3 * grid.across
    assert dark[: grid.down, :].any()  # the title


def test_tensors_in_colour_and_other_proportions(seen):
    images = torch.randint(0, 256, (1, 3, 20, 40), dtype=torch.uint8)
    sheet = contact_sheet(images, ["contrast"], (0,), side=40)
    assert np.array_equal(cell(sheet, seen[0][0], 0, 0), images[0].permute(1, 2, 0).numpy())
    thin = contact_sheet(np.zeros((1, 2000, 2), dtype=np.uint8), ["contrast"], (0,), side=50)
    assert (seen[1][0].width, seen[1][0].height) == (1, 50)
    assert thin.height < 200


def test_large_images_are_averaged_not_sampled(seen):
    checks = np.indices((64, 64)).sum(axis=0) % 2 * 200
    sheet = contact_sheet(checks[None].astype(np.uint8), ["contrast"], (0,), side=16)
    assert (cell(sheet, seen[0][0], 0, 0) == 100).all()


def test_a_stated_range_is_shown_from_black_to_white(seen):
    ramp = np.linspace(-1, 1, 256).reshape(1, 16, 16).astype(np.float32)
    sheet = contact_sheet(ramp, ["contrast"], (0,), side=16, value_range=(-1, 1))
    grid, title = seen[0]
    assert "range -1 to 1" in title
    assert np.array_equal(cell(sheet, grid, 0, 0)[..., 0].ravel(), np.arange(256))


@pytest.mark.parametrize(("channels", "fragment"), [(2, "band 1 of 2"), (7, "bands 1 to 3 of 7")])
def test_bands(channels, fragment, seen):
    images = np.random.default_rng(0).integers(0, 256, (1, 16, 16, channels), dtype=np.uint8)
    sheet = contact_sheet(images, ["contrast"], (0,), side=16, bands=True)
    grid, title = seen[0]
    assert fragment in title
    shown = images[0, ..., :3] if channels > 3 else images[0, ..., [0, 0, 0]].transpose(1, 2, 0)
    assert np.array_equal(cell(sheet, grid, 0, 0), shown)


def brighter(images, severity, *, seed, ids):
    return np.clip(images + 10.0 * severity, 0, 255).astype(np.uint8)


def test_functions_have_their_names_and_presets_by_name(seen):
    images = np.zeros((1, 16, 16, 3), dtype=np.uint8)
    contact_sheet(images, [brighter, CORRUPTIONS["fog"].function], (1,), preset="cifar")
    assert seen[0][1].startswith("preset cifar · 16 by 16")


def test_every_corruption_of_a_preset_fits_on_one():
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    rows = [name for name in CORRUPTIONS if name in PRESETS["cifar"].rows]
    assert set(names("imagenet-c", "cifar")) <= set(rows)
    assert contact_sheet(images, rows, (0, 5), side=32).height > len(rows) * 32
