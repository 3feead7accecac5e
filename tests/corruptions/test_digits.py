"""Our presets change images more with every severity; published ones as much as published."""

import io

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from corruptions import PRESETS, SETS, corrupt, names


def mean_change(images, name, severity, preset):
    changed = corrupt(images, name, severity, preset=preset)
    return np.abs(changed.astype(int) - images).mean()


def strictly_increasing(images, name, preset):
    changes = [mean_change(images, name, severity, preset) for severity in (1, 2, 3, 4, 5)]
    return changes[0] > 0 and bool((np.diff(changes) > 0).all())


def test_the_digits_set_has_at_least_eight():
    assert set(names("digits", "digits")) == set(PRESETS["digits"].rows)
    assert len(SETS["digits"]) >= 8


@pytest.mark.parametrize("name", PRESETS["digits"].rows)
def test_digits_change_more_with_every_severity(digits, name):
    assert strictly_increasing(digits, name, "digits")
    assert strictly_increasing(digits[::7], name, "digits")


@pytest.mark.parametrize("name", PRESETS["mnist"].rows)
def test_larger_digits_change_more_with_every_severity(digits, name):
    large = np.stack([np.asarray(Image.fromarray(d).resize((28, 28))) for d in digits[:200]])
    assert strictly_increasing(large, name, "mnist")


def test_mnist_changes_more_with_every_severity(real_data):
    table = pq.read_table(real_data / "mnist" / "test.parquet", columns=["image"]).slice(0, 300)
    files = [row["image"]["bytes"] for row in table.to_pylist()]
    images = np.stack([np.asarray(Image.open(io.BytesIO(file))) for file in files])
    for name in PRESETS["mnist"].rows:
        assert strictly_increasing(images, name, "mnist"), name


# Mean absolute change published with the recipes. These two hardly depend on the image: impulse
# noise not at all (any level is 127.5 from black or white on average), Gaussian noise by what is
# clipped. The others were measured on photographs that are not at hand, and are compared exactly,
# pixel by pixel, with slow reference code instead.
PUBLISHED = {
    ("cifar", 32, "gaussian_noise"): (8.0, 11.8, 15.6, 17.4, 19.3),
    ("tiny", 64, "gaussian_noise"): (8.0, 15.5, 22.6, 27.7, 32.5),
    ("imagenet", 224, "gaussian_noise"): (15.3, 22.3, 32.1, 43.8, 58.4),
    ("cifar", 32, "impulse_noise"): (1.3, 2.6, 3.8, 6.4, 8.8),
    ("tiny", 64, "impulse_noise"): (1.3, 2.5, 6.4, 10.2, 17.9),
    ("imagenet", 224, "impulse_noise"): (3.8, 7.6, 11.5, 21.6, 34.4),
}


@pytest.mark.parametrize(("preset", "side", "name"), PUBLISHED)
def test_noise_changes_photographs_as_much_as_published(photographs, preset, side, name):
    images = photographs(side, 6 * 224 // side)
    for severity, published in enumerate(PUBLISHED[preset, side, name], start=1):
        change = mean_change(images, name, severity, preset)
        assert change == pytest.approx(published, rel=0.08, abs=0.05)
