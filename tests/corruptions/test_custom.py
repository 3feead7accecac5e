"""Somebody's own function is held to what ours promise."""

import numpy as np
import pytest
import torch

from corruptions import corrupt

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 6, 6), dtype=np.uint8)


def darker(images, severity, *, seed, ids):
    return (images.astype(float) * (1 - severity / 10)).astype(np.uint8)


def dotted(images, severity, *, seed, ids):
    """Draws that depend on seed, severity and id only."""
    result = images.copy()
    if severity:
        for image, name in zip(result, ids, strict=True):
            generator = np.random.default_rng([seed, int(severity), int(name)])
            image[generator.integers(6), generator.integers(6)] = 255
    return result


@pytest.mark.parametrize("function", [darker, dotted])
@pytest.mark.parametrize("count", [0, 1, 2, 12])
def test_a_function_that_keeps_the_promises(function, count):
    ours = corrupt(IMAGES[:count], function, 3, seed=1)
    expected = function(IMAGES[:count], 3.0, seed=1, ids=np.arange(count))
    assert np.array_equal(ours, expected)
    assert np.array_equal(corrupt(IMAGES, function, 0), IMAGES)


def test_tensors_reach_the_function_as_tensors():
    def inverted(images, severity, *, seed, ids):
        assert isinstance(images, torch.Tensor)
        return 255 - images if severity else images.clone()

    tensor = torch.from_numpy(IMAGES)
    assert torch.equal(corrupt(tensor, inverted, 1), 255 - tensor)


def test_string_ids_reach_the_function():
    seen = []

    def spy(images, severity, *, seed, ids):
        seen.extend(ids)
        return images.copy()

    corrupt(IMAGES[:2], spy, 1, ids=["a", "b"])
    assert set(seen) == {"a", "b"}


def random_state(images, severity, *, seed, ids):
    noise = np.random.default_rng().integers(0, 9, images.shape) if severity else 0
    return np.clip(images + noise, 0, 255).astype(np.uint8)


def by_batch(images, severity, *, seed, ids):
    noise = np.random.default_rng(seed).integers(0, 9, images.shape[::-1]).T if severity else 0
    return np.clip(images + noise, 0, 255).astype(np.uint8)


def always(images, severity, *, seed, ids):
    return 255 - images


def in_place(images, severity, *, seed, ids):
    if severity:
        images += 1
    return images


def in_place_at_the_end(images, severity, *, seed, ids):
    result = images.copy()
    if severity:
        images[-1] = 0
    return result


def by_place(images, severity, *, seed, ids):
    """Draws that depend on where an image stands in the batch."""
    noise = np.random.default_rng(seed).integers(0, 9, (64, 6, 6))[: len(images)]
    return np.clip(images + noise * (severity > 0), 0, 255).astype(np.uint8)


def as_float(images, severity, *, seed, ids):
    return images / 255


def as_list(images, severity, *, seed, ids):
    return images.tolist()


def cropped(images, severity, *, seed, ids):
    return images[:, 1:]


@pytest.mark.parametrize(
    ("function", "error", "fragment"),
    [
        (random_state, ValueError, "another batch"),
        (by_batch, ValueError, "another batch"),
        (by_place, ValueError, "another batch"),
        (always, ValueError, "severity 0"),
        (in_place_at_the_end, ValueError, "work on a copy"),
        (in_place, ValueError, "work on a copy"),
        (as_float, TypeError, "float64"),
        (as_list, TypeError, "list"),
        (cropped, ValueError, "(8, 5, 6)"),
    ],
)
def test_a_function_that_breaks_one(function, error, fragment):
    with pytest.raises(error) as caught:
        corrupt(IMAGES.copy(), function, 2)
    assert function.__name__ in str(caught.value)
    assert fragment in str(caught.value)


@pytest.mark.parametrize("function", [in_place, in_place_at_the_end])
def test_the_callers_images_stay_whatever_a_function_does(function):
    images = IMAGES.copy()
    with pytest.raises(ValueError, match="work on a copy"):
        corrupt(images, function, 2)
    assert np.array_equal(images, IMAGES)


def shifted(images, severity, *, seed, ids):
    return (images + severity / 10).astype(images.dtype)


@pytest.mark.parametrize(("dtype", "ends"), [("f4", (0, 2)), ("f8", (-1, 3)), ("u2", (0, 4095))])
def test_functions_of_other_kinds_of_images(dtype, ends):
    images = (IMAGES / 255).astype(dtype)
    changed = corrupt(images, shifted, 3, value_range=ends)
    assert changed.dtype == images.dtype
    assert np.array_equal(changed, shifted(images, 3, seed=0, ids=None))
    tensor = torch.from_numpy(images)
    again = corrupt(
        tensor,
        lambda x, severity, **_: (x.double() + severity / 10).to(x.dtype),
        3,
        value_range=ends,
    )
    assert again.dtype == tensor.dtype


def test_a_function_that_leaves_the_stated_range():
    images = (IMAGES / 255).astype(np.float32)
    with pytest.raises(ValueError, match=r"shifted left the stated range.*holds 1\."):
        corrupt(images, shifted, 3, value_range=(0, 1))
    with pytest.raises(ValueError, match=r"image 0 of the batch holds 0.*stated range"):
        corrupt(images, shifted, 3, value_range=(0.5, 1))
    with pytest.raises(TypeError, match="range is not stated"):
        corrupt(images, shifted, 3)


def test_a_function_on_bands():
    images = np.zeros((3, 6, 6, 5), dtype=np.uint8)
    assert corrupt(images, darker, 3, bands=True).shape == images.shape
