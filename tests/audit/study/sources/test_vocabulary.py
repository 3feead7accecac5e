from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from audit.evidence.errors import InputError
from audit.study.data_settings import DataSettings, Undersample
from audit.study.sources import Vocabulary, load_source


def write(root, levels, size=(5, 4)):
    for name, level in levels.items():
        (root / name).mkdir(parents=True)
        shape = size if isinstance(level, int) else (*size, 3)
        Image.fromarray(np.full(shape, level, dtype=np.uint8)).save(root / name / "0.png")


def shifted(path, vocabulary, **values):
    settings = DataSettings(source="folder", path=path.name, **values)
    return load_source(settings, path.parent, vocabulary=vocabulary)


@pytest.fixture
def vocabulary(folder):
    return load_source(DataSettings(source="folder", path=folder.name), folder.parent).vocabulary


def test_survives_json(people, tmp_path):
    people.to_csv(tmp_path / "p.csv", index=False)
    settings = DataSettings(source="table", path="p.csv", label="income")
    vocabulary = load_source(settings, tmp_path).vocabulary
    assert Vocabulary.from_dict(json.loads(json.dumps(vocabulary.to_dict()))) == vocabulary


def test_a_natural_shift_is_all_test_and_coded_alike(vocabulary, tmp_path):
    assert vocabulary == Vocabulary(("cat", "dog"), (5, 4, 1))
    write(tmp_path / "shift", {"dog": [255, 0, 0]})
    rare = Undersample(where={"label": "dog"}, keep=0.5)
    source = shifted(tmp_path / "shift", vocabulary, undersample=rare)
    assert source.train is None
    assert source.classes == ("cat", "dog")
    assert source.test.labels.tolist() == [1]
    assert source.test.inputs.shape == (1, 5, 4, 1)
    assert source.test.inputs[0, 0, 0, 0] == 76
    assert source.notes == ("No test example is of class cat, so nothing can be said about them.",)


def test_an_unknown_class_or_another_size_is_refused(vocabulary, tmp_path):
    write(tmp_path / "classes", {"dogs": 1, "cat": 2})
    with pytest.raises(InputError, match=r"a class 'dogs' .*did you mean 'dog'"):
        shifted(tmp_path / "classes", vocabulary)
    write(tmp_path / "sizes", {"dog": 1, "cat": 2}, size=(6, 6))
    with pytest.raises(InputError, match=r"is 6×6 and the trained models' images are 5×4 pixels"):
        shifted(tmp_path / "sizes", vocabulary)
    assert shifted(tmp_path / "sizes", vocabulary, image_size=(5, 4)).test.inputs.shape[1:] == (
        *(5, 4, 1),
    )


def test_a_table_is_encoded_as_the_models_learnt_it(people, tmp_path):
    people.to_csv(tmp_path / "p.csv", index=False)
    older = people.assign(age=people["age"] + 100, job="pilot")
    older.to_csv(tmp_path / "q.csv", index=False)
    settings = DataSettings(source="table", path="p.csv", label="income", input=("age", "job"))
    settings = settings.model_copy(update={"validation_fraction": 0.0})
    original = load_source(settings, tmp_path)
    source = load_source(
        settings.model_copy(update={"path": "q.csv"}), tmp_path, vocabulary=original.vocabulary
    )
    assert len(source.test) == 40
    assert source.encoding == original.encoding
    ages = original.train.ids * 2
    np.testing.assert_allclose(
        source.test.inputs[:, 0], (older["age"] - ages.mean()) / ages.std(), rtol=1e-5
    )
    assert source.test.inputs[:, 0].min() > original.train.inputs[:, 0].max()
    assert not source.test.inputs[:, 1:].any()


def test_the_classes_of_a_function_are_matched_by_name_and_its_shape_is_kept(module, tmp_path):
    """Codes 0 and 1 of the classes a, b are 1 and 0 among b, a; nobody was trained on `b` alone."""
    name = module(
        """
        import numpy as np
        import pandas as pd
        from audit.study.sources import Part, Source

        def data():
            rows = np.arange(2)
            part = Part(np.zeros((2, 1), np.float32), rows, rows, pd.DataFrame(index=rows))
            return Source("table", ("a", "b"), None, None, part)
        """
    )
    settings = DataSettings(source=f"{name}:data")
    good = load_source(settings, tmp_path, vocabulary=Vocabulary(("a", "b"), (1,)))
    assert len(good.test) == 2
    turned = load_source(settings, tmp_path, vocabulary=Vocabulary(("b", "c", "a"), (1,)))
    assert turned.classes == ("b", "c", "a")
    assert turned.test.labels.tolist() == [2, 0]
    with pytest.raises(InputError, match=r"a class 'b' .1. that the models were not trained on"):
        load_source(settings, tmp_path, vocabulary=Vocabulary(("a", "c"), (1,)))
    with pytest.raises(InputError, match=r"have the shape \(1,\) and should have \(2,\)"):
        load_source(settings, tmp_path, vocabulary=Vocabulary(("a", "b"), (2,)))


def test_images_for_models_of_rows_and_rows_for_models_of_images(folder, people, tmp_path):
    with pytest.raises(InputError, match=r"These are images, and the models were trained on rows"):
        shifted(folder, Vocabulary(("cat", "dog"), (3,)))
    people.to_csv(tmp_path / "p.csv", index=False)
    settings = DataSettings(source="table", path="p.csv", label="income")
    with pytest.raises(InputError, match=r"there is no training part"):
        load_source(settings, tmp_path, vocabulary=Vocabulary(("high", "low"), (5, 4, 1)))


def test_labels_of_what_is_out_of_distribution_are_not_read(module, tmp_path):
    """Its labels are 7 and 99, of no class that the models know; it has no column of groups."""
    name = module(
        """
        import numpy as np

        def data():
            return np.zeros((2, 5, 4, 1), np.uint8), np.array([7, 99])
        """
    )
    settings = DataSettings(source=f"{name}:data", splits={"train": None})
    known = Vocabulary(("cat", "dog"), (5, 4, 1))
    found = load_source(settings, tmp_path, vocabulary=known, labelled=False)
    assert found.classes == ("cat", "dog")
    assert found.test.labels.tolist() == [-1, -1]
    with pytest.raises(InputError, match="neither class names nor 0 to 1"):
        load_source(settings, tmp_path, vocabulary=known)
