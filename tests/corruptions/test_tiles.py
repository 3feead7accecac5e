"""A large image that is worked on in strips comes out as if it had been worked on whole."""

import numpy as np
import pytest
import torch

from corruptions import CORRUPTIONS, PRESETS, corrupt
from corruptions import tiles as module
from corruptions.draws import stream
from corruptions.tiles import cut

STRIPPED = [
    (preset, name)
    for preset, row in PRESETS.items()
    for name in row.rows
    if CORRUPTIONS[name].reach is not None or CORRUPTIONS[name].per_element
]
WHOLE = [name for name, row in CORRUPTIONS.items() if row.reach is None and not row.per_element]


def tall(channels=3, count=2):
    """Odd sides, so that strips start at elements that share a word of random bits with others."""
    shape = (count, 187, 21, channels)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


@pytest.fixture
def small_strips(monkeypatch):
    monkeypatch.setattr(module, "STRIP", 300)


def test_the_large_are_cut_and_the_others_are_not():
    assert {name for _, name in STRIPPED} >= {
        "gaussian_noise",
        "impulse_noise",
        "gaussian_blur",
        "defocus_blur",
        "motion_blur",
        "brightness",
        "saturate",
    }
    assert {"fog", "contrast", "zoom_blur", "jpeg_compression"} <= set(WHOLE)


@pytest.mark.parametrize(("preset", "name"), STRIPPED)
@pytest.mark.parametrize("severity", [1, 2.5, 5])
def test_strips_change_no_byte(preset, name, severity, small_strips, monkeypatch):
    images, severity = tall(), min(severity, len(PRESETS[preset].severities))
    strips = corrupt(images, name, severity, seed=5, preset=preset)
    monkeypatch.undo()
    assert np.array_equal(strips, corrupt(images, name, severity, seed=5, preset=preset))


@pytest.mark.parametrize(("preset", "name"), STRIPPED)
def test_strips_of_floats_change_no_bit(preset, name, small_strips, monkeypatch):
    images = torch.from_numpy(tall(count=1)).permute(0, 3, 1, 2).to(torch.float32).div(255)
    options = {"preset": preset, "value_range": (0, 1), "threads": 2}
    severity = len(PRESETS[preset].severities)
    strips = corrupt(images, name, severity, **options)
    monkeypatch.undo()
    assert torch.equal(strips, corrupt(images, name, severity, **options))


@pytest.mark.parametrize("name", ["gaussian_noise", "motion_blur"])
def test_grey_images_without_a_channel_axis(name, small_strips, monkeypatch):
    images = tall(channels=1)[..., 0]
    strips = corrupt(images, name, 3, preset="imagenet")
    monkeypatch.undo()
    assert np.array_equal(strips, corrupt(images, name, 3, preset="imagenet"))


@pytest.mark.parametrize(("reach", "per_element"), [(0, True), (0, False), (4, False)])
@pytest.mark.parametrize("channels", [1, 3])
def test_strips_write_every_element_once_and_read_what_is_around(
    reach, per_element, channels, small_strips
):
    images = tall(channels)
    parts = list(cut(images, reach, per_element=per_element, threads=1))
    assert len(parts) > 2 * len(images)
    written = np.zeros((2, channels, 187), dtype=int)
    for part in parts:
        written[part.images, part.channels, part.rows] += 1
        assert part.read.start == max(0, part.rows.start - reach)
        assert part.read.stop == min(187, part.rows.stop + reach)
        elements = (part.channels.start * 187 + part.rows.start) * 21
        assert part.offset == (elements if per_element else 0)
    assert (written == 1).all()


def test_what_may_depend_on_any_pixel_is_never_cut(small_strips):
    for part in cut(tall(), None, per_element=False, threads=1):
        assert part.rows == slice(0, 187)


@pytest.mark.parametrize("offset", [0, 1, 2, 3, 4, 1001])
def test_draws_from_further_in_are_those_of_the_whole(offset):
    whole = stream(1, "fog", 2, np.arange(3))
    later = whole.after(offset)
    for draw in ("codes", "uniform"):
        for purpose in (0, 2):
            expected = getattr(whole, draw)(offset + 50, purpose)[:, offset:]
            assert torch.equal(getattr(later, draw)(50, purpose), expected)
    rows, columns = torch.tensor([0, 2]), torch.tensor([7, 0])
    assert torch.equal(later.refine(rows, columns, 1), whole.refine(rows, columns + offset, 1))
    part = later.part(1, 3, torch.device("cpu"))
    assert torch.equal(part.codes(9), later.codes(9)[1:])


def test_a_photograph_of_a_size_that_is_cut():
    images = np.random.default_rng(0).integers(0, 256, (1, 3000, 700, 3), dtype=np.uint8)
    assert len(list(cut(images, 8, per_element=False, threads=1))) > 1
    changed = corrupt(images, "defocus_blur", 1)
    assert changed.shape == images.shape
    inner = corrupt(images[:, 1000:1600], "defocus_blur", 1)
    assert np.array_equal(changed[:, 1010:1590], inner[:, 10:-10])
