from __future__ import annotations

import pytest
from pydantic import ValidationError

from audit.study.model_settings import ModelFile


def test_a_model_is_named_after_its_file():
    assert ModelFile(checkpoint="out/dense-0.safetensors").name == "dense-0"
    assert ModelFile(predictions="out/p.csv").name == "p"
    assert ModelFile(checkpoint="a.pt", name="mine").name == "mine"


@pytest.mark.parametrize(
    ("values", "role"),
    [
        ({}, "dense"),
        ({"parent": "d"}, "pruned"),
        ({"sparsity": 0.5}, "pruned"),
        ({"parent": "d", "role": "control"}, "control"),
        ({"sparsity": 0.0}, "dense"),
    ],
)
def test_roles(values, role):
    assert ModelFile(checkpoint="a.pt", **values).inferred_role == role


def test_exported_programs_by_suffix():
    assert ModelFile(checkpoint="a.PT2").exported
    assert ModelFile(checkpoint="a.onnx").exported
    assert not ModelFile(checkpoint="a.pt").exported


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"name": "a"}, "model 'a' has nothing to predict with"),
        ({}, "needs a name"),
        ({"checkpoint": "a.pt", "predictions": "b.csv"}, "has predictions and checkpoint"),
        ({"predictions": "b.csv", "predict": "m:f"}, "has predictions and predict"),
        ({"checkpoint": "a.pt", "arguments": {"width": 2}}, "arguments but no build"),
        ({"checkpoint": "a.onnx", "build": "cnn"}, "exported program, which needs no build"),
        ({"checkpoint": "a.pt", "role": "dense", "parent": "b"}, "is dense but has a parent"),
        ({"checkpoint": "a.pt", "sparsity": 1.0}, "less than 1"),
        ({"checkpoint": "a.pt", "sparsity": -0.1}, "greater than or equal to 0"),
        ({"checkpoint": "a.pt", "sparsity": float("nan")}, "finite number"),
        ({"checkpoint": "a.pt", "checkpont": "x"}, "Extra inputs"),
    ],
)
def test_wrong_values(values, problem):
    with pytest.raises(ValidationError) as caught:
        ModelFile.model_validate(values)
    assert problem in str(caught.value)
