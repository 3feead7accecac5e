"""What every sequence promises: frames, keys, batches, layouts and errors."""

import numpy as np
import pytest
import torch

from corruptions.images import planes
from corruptions.presets import PRESETS
from corruptions.sequences import (
    PERTURBATIONS,
    SEQUENCE_SETS,
    at_difficulty,
    frame_count,
    perturbation_frames,
    published_size,
    size_of,
)

NAMES = [name for name in PERTURBATIONS if name[-2:] not in ("_2", "_3")]


def frames_of(images, name, **more):
    return np.stack([np.asarray(frame) for frame in perturbation_frames(images, name, **more)])


@pytest.mark.parametrize("name", NAMES)
def test_an_image_has_the_same_frames_in_any_batch_and_order(photographs, name, monkeypatch):
    images = photographs(32, 5)
    before = images.copy()
    whole = frames_of(images, name, seed=3, ids=list("abcde"))
    assert np.array_equal(images, before)
    alone = frames_of(images[3:4], name, seed=3, ids=["d"])
    assert np.array_equal(whole[:, 3:4], alone)
    monkeypatch.setattr("corruptions.tiles.PART", 2 * 32 * 32 * 3)
    turned = frames_of(images[::-1], name, seed=3, ids=list("edcba"), threads=2)
    assert np.array_equal(whole, turned[:, ::-1])


@pytest.mark.parametrize("name", ["gaussian_noise", "snow", "spatter"])
def test_draws_depend_on_the_seed_the_name_and_the_id(photographs, name):
    images = np.repeat(photographs(64, 1), 2, axis=0)
    one = frames_of(images, name)
    assert not np.array_equal(one[1, 0], one[1, 1])
    assert not np.array_equal(one[1], frames_of(images, name, seed=1)[1])


def test_a_difficulty_of_noise_has_draws_of_its_own(photographs):
    images = photographs(32, 1).astype(np.int16)
    weak, strong = (
        frames_of(images.astype(np.uint8), name)[1] - images
        for name in ("gaussian_noise", "gaussian_noise_2")
    )
    assert abs(np.corrcoef(weak.ravel(), strong.ravel())[0, 1]) < 0.1


@pytest.mark.parametrize("name", NAMES)
def test_the_first_frame_is_the_image_where_published(photographs, name):
    images = photographs(32, 2)
    first = next(perturbation_frames(images, name))
    clean = "noise" in name or name == "zoom_blur"
    assert np.array_equal(first, images) == clean
    first[:] = 0  # the frame is the caller's own
    assert images.any()


@pytest.mark.parametrize("name", NAMES)
def test_arrays_and_tensors_grey_and_tiny_ones(photographs, name):
    images = photographs(32, 2)
    of_array = frames_of(images, name)
    tensor = planes(images).contiguous()
    of_tensor = torch.stack(list(perturbation_frames(tensor, name)))
    assert np.array_equal(of_tensor.movedim(2, 4).numpy(), of_array)
    grey = images[..., 0]
    assert frames_of(grey, name, preset="cifar").shape == (len(of_array), *grey.shape)
    small = np.zeros((1, 2, 2, 3), np.uint8)
    assert frames_of(small, name).shape[1:] == small.shape
    assert [f.shape for f in perturbation_frames(images[:0], name)] == [(0, 32, 32, 3)] * len(
        of_array
    )
    assert frame_count(name, "auto", images) == len(of_array)


@pytest.mark.parametrize("name", NAMES)
def test_images_of_a_stated_range_have_the_same_frames(photographs, name):
    images = photographs(32, 2)
    of_bytes = frames_of(images, name).astype(float)
    found = frames_of(images / 255.0, name, value_range=(0, 1)) * 255
    assert found.dtype == np.float64
    # The zoom blur truncates its enlargements too.
    assert np.abs(found - of_bytes).max() < (2 if name == "zoom_blur" else 1.001)


def test_sizes_that_nobody_publishes_have_the_nearest(caplog):
    def of(side, channels=3):
        return published_size(np.zeros((1, side, side, channels), np.uint8))

    assert [of(8), of(32), of(64), of(224), of(299), of(600)] == [
        "cifar",
        "cifar",
        "tiny",
        "imagenet",
        "imagenet",
        "imagenet",
    ]
    caplog.set_level("INFO", "corruptions")
    assert of(28, 1) == "cifar"
    assert "no constants for 'mnist'" in caplog.text


def test_every_preset_stands_for_a_published_size():
    assert {size_of(name) for name in PRESETS} == {"cifar", "tiny", "imagenet"}
    with pytest.raises(ValueError, match="no constants for sequences"):
        size_of("mine")


def test_what_cannot_be_meant_is_refused_by_the_call(photographs):
    images = photographs(32, 2)
    with pytest.raises(ValueError, match="nearest is 'rotate'"):
        perturbation_frames(images, "rotation")
    with pytest.raises(ValueError, match="unknown preset"):
        perturbation_frames(images, "rotate", preset="cifar100")
    with pytest.raises(ValueError, match="twice"):
        perturbation_frames(images, "rotate", ids=[1, 1])
    with pytest.raises(TypeError, match="value_range"):
        perturbation_frames(images / 255.0, "rotate")


def test_one_image_at_a_time_of_a_batch_that_goes_backwards(photographs, monkeypatch):
    images = photographs(32, 3)[::-1]
    whole = frames_of(images.copy(), "rotate")
    monkeypatch.setattr("corruptions.tiles.PART", 32 * 32 * 3)
    assert np.array_equal(frames_of(images, "rotate"), whole)


def test_difficulties_name_the_published_noise():
    assert at_difficulty("gaussian_noise", 1) == "gaussian_noise"
    assert at_difficulty("gaussian_noise", 3) == "gaussian_noise_3"
    assert at_difficulty("rotate", 3) == "rotate"
    with pytest.raises(ValueError, match="3 difficulties, not 4"):
        at_difficulty("shot_noise", 4)
    with pytest.raises(ValueError, match="names its difficulty"):
        at_difficulty("shot_noise_2", 2)


def test_sets_are_the_published_ten():
    assert {len(SEQUENCE_SETS[name]) for name in ("imagenet-p", "cifar-p")} == {10}
    assert set().union(*SEQUENCE_SETS.values()) == set(NAMES)
