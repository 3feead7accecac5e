"""The two sets of C-bar: what is in them, their constants, and images at the edges."""

import numpy as np
import pytest
import torch

from corruptions import CORRUPTIONS, PRESETS, SETS, corrupt, missing, names

BOTH = {"imagenet-c-bar": "imagenet", "cifar-c-bar": "cifar"}
PAIRS = [(BOTH[which], name) for which in BOTH for name in SETS[which]]
GREY = [(preset, name) for preset, name in PAIRS if not CORRUPTIONS[name].colour_only]


@pytest.mark.parametrize(("which", "preset"), BOTH.items())
def test_a_set_has_ten_and_its_preset_all_of_them(which, preset):
    assert len(SETS[which]) == 10
    assert names(which, preset) == SETS[which]
    assert {CORRUPTIONS[name].source for name in SETS[which]} == {"ImageNet-C-bar"}
    ours = {name for name in PRESETS[preset].rows if CORRUPTIONS[name].source == "ImageNet-C-bar"}
    assert ours == set(SETS[which])
    assert missing(which, "tiny") == SETS[which]


def test_fifteen_in_all():
    every = {name for name, row in CORRUPTIONS.items() if row.source == "ImageNet-C-bar"}
    assert every == set(SETS["imagenet-c-bar"]) | set(SETS["cifar-c-bar"])
    assert len(every) == 15


def test_published_levels_spot_checked():
    imagenet, cifar = (PRESETS[name].rows for name in ("imagenet", "cifar"))
    assert imagenet["caustic_refraction"] == (2.35, 3.2, 4.9, 6.6, 9.15)
    assert imagenet["blue_noise_sample"] == (0.8, 1.6, 2.4, 4, 5.6)
    assert cifar["blue_noise_sample"] == (0.7, 1.4, 2.1, 3.5, 4.2)
    assert cifar["transverse_chromatic_abberation"] == (1, 2, 5, 9, 10)


@pytest.mark.parametrize("preset", ["imagenet", "cifar"])
def test_mean_change_grows_from_the_first_to_the_last(preset, photographs):
    images = photographs(32, 40)
    for name in (name for own, name in PAIRS if own == preset):
        changed = [corrupt(images, name, level, preset=preset) for level in (1, 3, 5)]
        change = [np.abs(one.astype(int) - images).mean() for one in changed]
        assert 0.3 < change[0] < change[1] < change[2] < 90, (name, change)


@pytest.mark.parametrize(("preset", "name"), PAIRS)
@pytest.mark.parametrize("shape", [(2, 2), (2, 9), (9, 2), (3, 3), (28, 41)])
def test_small_and_long_images_have_finite_levels(preset, name, shape):
    channels = 3 if CORRUPTIONS[name].colour_only else 1
    for level in (0.0, 1.0):
        image = torch.full((3, channels, *shape), level)
        for severity in (1, 5):
            shown = corrupt(image, name, severity, preset=preset, value_range=(0, 1))
            assert bool(((shown >= 0) & (shown <= 1)).all())


@pytest.mark.parametrize(("preset", "name"), PAIRS)
def test_an_empty_batch_stays_empty(preset, name):
    empty = np.zeros((0, 16, 16, 3), np.uint8)
    assert corrupt(empty, name, 3, preset=preset).shape == empty.shape


@pytest.mark.parametrize(("preset", "name"), PAIRS)
def test_neither_batch_nor_order_nor_threads_change_a_byte(preset, name, photographs):
    images = photographs(32, 12)
    ids = [f"image {k}" for k in range(12)]
    whole = corrupt(images, name, 2.5, preset=preset, ids=ids, seed=4)
    for chosen in (slice(7, 8), slice(None, None, -1), slice(3, 9)):
        part = corrupt(images[chosen], name, 2.5, preset=preset, ids=ids[chosen], seed=4, threads=2)
        assert np.array_equal(part, whole[chosen])


RANDOM = [pair for pair in PAIRS if pair[1] != "circular_motion_blur"]


@pytest.mark.parametrize(("preset", "name"), RANDOM)
def test_seed_and_id_change_what_is_drawn(preset, name, photographs):
    images = np.repeat(photographs(32, 1), 20, axis=0)
    first = corrupt(images, name, 3, preset=preset)
    assert len({image.tobytes() for image in first}) > 1
    assert not np.array_equal(first, corrupt(images, name, 3, preset=preset, seed=1))


@pytest.mark.parametrize(("preset", "name"), GREY)
def test_grey_is_changed_as_much_as_colour(preset, name, photographs):
    images = photographs(32, 30)
    grey = images.mean(axis=3).astype(np.uint8)
    colour = np.abs(corrupt(images, name, 5, preset=preset).astype(int) - images).mean()
    plain = np.abs(corrupt(grey, name, 5, preset=preset).astype(int) - grey).mean()
    assert 0.6 < plain / colour < 1.4
