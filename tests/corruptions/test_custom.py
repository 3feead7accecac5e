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
        (always, ValueError, "severity 0"),
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
