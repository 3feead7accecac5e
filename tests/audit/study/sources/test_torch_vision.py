from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from audit.evidence.errors import InputError
from audit.study.data_settings import DataSettings, SplitNames
from audit.study.sources import load_source

FAKE = {"size": 30, "image_size": [3, 8, 6], "num_classes": 3}


def load(base, name, **values):
    return load_source(DataSettings(source="torchvision", name=name, **values), base)


def test_fake_data_are_one_split(tmp_path):
    source = load(tmp_path, "FakeData", arguments=FAKE)
    assert source.classes == ("0", "1", "2")
    assert source.test.inputs.shape == (6, 8, 6, 3)
    assert len(source.train) + len(source.validation) == 24
    again = load(tmp_path, "FakeData", arguments=FAKE)
    np.testing.assert_array_equal(source.test.inputs, again.test.inputs)


def test_an_image_folder_has_class_names_and_a_root(folder):
    source = load(folder, "ImageFolder", path="test", splits=SplitNames(train=None), image_size=4)
    assert source.classes == ("cat", "dog")
    assert source.test.inputs[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 100, 101, 102, 103]


def write_svhn(root):
    """Two splits in torchvision's own format: images [32, 32, 3, N] and labels 1 to 10."""
    from scipy.io import savemat

    for split, count in (("train", 20), ("test", 10)):
        pixels = np.zeros((32, 32, 3, count), dtype=np.uint8)
        pixels[..., :] = np.arange(count)
        savemat(
            root / f"{split}_32x32.mat",
            {"X": pixels, "y": (np.arange(count) % 10 + 1)[:, None].astype(np.uint8)},
        )


def test_splits_by_name(tmp_path, monkeypatch):
    from torchvision import datasets

    write_svhn(tmp_path)
    monkeypatch.setattr(datasets.SVHN, "_check_integrity", lambda self: True)
    source = load(tmp_path, "SVHN", path=".", validation_fraction=0.0)
    assert len(source.train) == 20
    assert source.test.inputs[:, 0, 0, 0].tolist() == list(range(10))
    assert source.test.labels.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0]


def write_mnist(root):
    """MNIST's own files, without their checksums."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for split, count in (("train", 20), ("t10k", 10)):
        header = np.array([2051, count, 28, 28], dtype=">i4").tobytes()
        pixels = np.repeat(np.arange(count, dtype=np.uint8), 28 * 28)
        (raw / f"{split}-images-idx3-ubyte").write_bytes(header + pixels.tobytes())
        labels = (np.arange(count) % 10).astype(np.uint8)
        (raw / f"{split}-labels-idx1-ubyte").write_bytes(
            np.array([2049, count], dtype=">i4").tobytes() + labels.tobytes()
        )


def test_train_and_test_by_a_flag_and_no_download(tmp_path, monkeypatch):
    from torchvision import datasets

    write_mnist(tmp_path)
    monkeypatch.setattr(datasets.MNIST, "download", lambda self: pytest.fail("downloads"))
    source = load(tmp_path, "MNIST", path=".", validation_fraction=0.0)
    assert len(source.train) == 20
    assert source.test.inputs.shape == (10, 28, 28, 1)
    assert source.test.inputs[:, 0, 0, 0].tolist() == list(range(10))
    assert source.classes[0] == "0 - zero"
    with pytest.raises(InputError, match=r"MNIST has no split 'val', only train and test"):
        load(tmp_path, "MNIST", path=".", splits=SplitNames(validation="val"))


@pytest.mark.parametrize(
    ("name", "arguments", "problem"),
    [
        ("CIFAR11", {}, "torchvision has no data set 'CIFAR11': did you mean 'CIFAR10'"),
        (
            "CIFAR10",
            {},
            r"CIFAR10 cannot be read from .*(put its files there, or set data.argumen)",
        ),
        ("FakeData", {"sizes": 3}, "FakeData cannot be read from memory .*sizes"),
    ],
)
def test_what_is_not_there(tmp_path, name, arguments, problem):
    with pytest.raises(InputError, match=problem):
        load(tmp_path, name, arguments=arguments)


def test_labels_that_are_no_classes(tmp_path, monkeypatch):
    from torchvision import datasets

    class Pairs(list):
        pass

    image = Image.fromarray(np.zeros((4, 4), dtype=np.uint8))
    monkeypatch.setattr(datasets, "FakeData", lambda: Pairs([(image, (1, 2)), (image, (3, 4))]))
    monkeypatch.setattr("inspect.isclass", lambda one: True)
    with pytest.raises(InputError, match=r"labels of shape \(2, 2\) .*not one class each"):
        load(tmp_path, "FakeData")
