from __future__ import annotations

import pytest
from pydantic import ValidationError

from audit.study.data_settings import SETTINGS_OF, DataSettings
from audit.study.sources import SOURCES


def test_every_source_has_a_reader_and_its_settings():
    assert set(SETTINGS_OF) == set(SOURCES)
    fields = set(DataSettings.model_fields)
    assert all(settings <= fields for settings in SETTINGS_OF.values())
    assert set.union(*SETTINGS_OF.values()) == fields  # none that no source reads


def test_defaults_and_kind():
    settings = DataSettings(source="digits")
    assert settings.splits.test == "test"
    assert settings.undersample == "auto"
    assert settings.reader == "digits"
    assert DataSettings(source="my.data:load").reader == "module:function"


def test_what_yaml_gives():
    settings = DataSettings.model_validate(
        {
            "source": "datasets",
            "path": "data",
            "input": ["a", "b"],
            "groups": ["sex", {"column": "age", "bins": [0, 30]}],
            "splits": {"train": None, "test": "holdout"},
            "undersample": {"where": {"sex": "F", "old": True}, "keep": 0.1},
            "limit": {"test": 10},
            "image_size": [32, 48],
        }
    )
    assert settings.input == ("a", "b")
    assert settings.groups[1].bins == (0.0, 30.0)
    assert settings.image_size == (32, 48)
    assert settings.undersample.where == {"sex": "F", "old": True}


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"source": "digit"}, "there is no data source 'digit': did you mean 'digits'?"),
        ({"source": "digits", "paht": "x"}, "Extra inputs are not permitted"),
        ({"source": "digits", "path": "x"}, "the source 'digits' has no use for 'path'"),
        ({"source": "digits", "classes": ["a", "b"]}, "has no use for 'classes'"),
        ({"source": "folder"}, "the source 'folder' needs a path"),
        ({"source": "folder", "path": "x", "label": "y"}, "'folder' has no use for 'label'"),
        ({"source": "table", "path": "x", "image_size": 3}, "no use for 'image_size'"),
        ({"source": "torchvision", "path": "x"}, "needs name, for example CIFAR10"),
        ({"source": "digits", "test_fraction": 1.0}, "less than 1"),
        ({"source": "digits", "test_fraction": "half"}, "valid number"),
        ({"source": "digits", "limit": {"test": 0}}, "greater than 0"),
        ({"source": "digits", "splits": {"train": "a", "test": "a"}}, "one split is named for two"),
        ({"source": "folder", "path": "x", "classes": ["a", "a"]}, "class 'a' is listed twice"),
        ({"source": "folder", "path": "x", "classes": ["a"]}, "at least 2"),
        ({"source": "folder", "path": "x", "unreadable": "ignore"}, "'fail' or 'skip'"),
        ({"source": "digits", "undersample": {"where": {}, "keep": 0.5}}, "at least 1"),
        ({"source": "digits", "undersample": {"where": {"a": "b"}, "keep": 1.5}}, "less than 1"),
    ],
)
def test_wrong_values(values, problem):
    with pytest.raises(ValidationError) as caught:
        DataSettings.model_validate(values)
    assert problem in str(caught.value)


def test_defaults_that_are_written_out_are_no_mistake():
    assert DataSettings(source="digits", label="label", path=None).source == "digits"
