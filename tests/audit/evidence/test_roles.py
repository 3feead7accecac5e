"""Roles and parents that a models table leaves open, and what it must not say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from audit.evidence.check import Origin
from audit.evidence.errors import TableError
from audit.evidence.roles import complete_models
from audit.evidence.schema import MODEL_COLUMNS, ROLES

ORIGIN = Origin(("m.parquet",))


def complete(pair: bool = False, **columns: list[Any]) -> pd.DataFrame:
    return complete_models(pd.DataFrame(columns), ORIGIN, pair)


def test_roles_by_hand():
    models = complete(
        model=["d", "d0", "control", "pruned", "lost", "open", "int8"],
        parent=[None, "", "d", "d", None, "d", "d"],
        sparsity=[None, 0.0, 0.0, 0.5, 0.5, None, 0.0],
        role=[None, None, None, None, None, None, "compressed"],
    )
    assert models["role"].tolist() == [
        "dense",
        "dense",
        "control",
        "pruned",
        "pruned",
        "pruned",
        "compressed",
    ]
    assert models["parent"].tolist() == ["", "", "d", "d", "", "d", "d"]
    assert models["method"].tolist() == ["", "", "", "pruned", "pruned", "pruned", "pruned"]


def test_every_column_is_there():
    models = complete(model=["d"], macs=[7], method=["snip"])
    assert list(models) == list(MODEL_COLUMNS)
    for name, column in MODEL_COLUMNS.items():
        assert models[name].dtype == (object if column.kind == "text" else np.float64), name
    assert models.loc[0, ["macs", "method", "parent", "address"]].tolist() == [7.0, "snip", "", ""]
    assert np.isnan(models.loc[0, "seed"])


def test_pairs_by_seed_then_the_only_one():
    seeds = {"model": ["d0", "d1", "p1", "p2", "c0"], "sparsity": [0, 0, 0.5, 0.5, None]}
    roles = {"role": ["dense", "dense", "pruned", "pruned", "control"]}
    both = complete(pair=True, **seeds, **roles, seed=[0, 1, 1, 2, 0])
    assert both["parent"].tolist() == ["", "", "d1", "", "d0"]
    alike = complete(pair=True, **seeds, **roles, seed=[0, 0, 0, 0, 0])
    assert alike["parent"].tolist() == [""] * 5
    one = complete(pair=True, model=["d", "p", "q"], sparsity=[None, 0.5, 0.9], seed=[0, 3, None])
    assert one["parent"].tolist() == ["", "d", "d"]
    assert complete(model=["d", "p"], sparsity=[0, 0.5])["parent"].tolist() == ["", ""]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"model": ["a", "b", "a"]}, "row 3: 'model' is 'a', which has a row already"),
        ({"model": ["a", None]}, "row 2: 'model' is '', which is no name"),
        (
            {"model": ["a", "b"], "role": ["dense", "prund"]},
            "row 2: 'role' is 'prund', which is no role: give one of dense, pruned, control,",
        ),
        (
            {"model": ["dense-0", "b"], "parent": ["", "dense-1"]},
            "row 2: 'parent' is 'dense-1', which is no model here: the nearest is 'dense-0'",
        ),
        ({"model": ["a"], "parent": ["a"]}, "row 1: 'parent' is 'a', the model itself"),
        ({"model": ["a"], "sparsity": [1.0]}, "row 1: 'sparsity' is 1.0, which is no fraction"),
        ({"model": ["a"], "sparsity": [-0.1]}, "row 1: 'sparsity' is -0.1, which is no fraction"),
        ({"model": ["a"], "sparsity_all": [90]}, "row 1: 'sparsity_all' is 90.0, which is no"),
        ({"model": ["a"], "sparsity": ["half"]}, "row 1: 'sparsity' is 'half', which is no number"),
    ],
)
def test_what_a_models_table_must_not_say(columns: dict[str, list[Any]], message: str):
    with pytest.raises(TableError) as caught:
        complete(**columns)
    assert str(caught.value).startswith("m.parquet, ")
    assert message in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_table_without_models():
    with pytest.raises(TableError, match=r"has no column 'model'.*the nearest is 'models'"):
        complete(models=["a"])


def test_the_roles():
    assert ROLES == ("dense", "pruned", "control", "compressed")
