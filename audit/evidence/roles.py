"""Works out which model is dense, pruned or a control, and who was made from whom."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from audit.evidence.check import Mask, Origin, nearest
from audit.evidence.errors import TableError
from audit.evidence.schema import DEFAULT_METHOD, MODEL_COLUMNS, ROLES


def complete_models(models: pd.DataFrame, origin: Origin, pair: bool = False) -> pd.DataFrame:
    """Fills in what a models table leaves open, and checks it.

    A role that is not stated follows from the rest: with a parent, a model at sparsity 0 is a
    `control` and any other is `pruned`; without one, it is `pruned` where its sparsity is above 0
    and `dense` otherwise. The method of a pruned or compressed model is "pruned" where it is not
    stated.

    Args:
        models: One row per model; `model` required, other `MODEL_COLUMNS` optional. Its index
            tells which row of `origin` a row is.
        origin: Where the table came from.
        pair: Give a pruned, compressed or control model without a parent the only dense model of
            its seed, or else the only dense model. Where there are several its parent stays empty.

    Returns:
        Every column of `MODEL_COLUMNS`: text "" and numbers (float64) NaN where there is nothing.

    Raises:
        TableError: A model twice, an unknown role, a parent that does not exist, a sparsity
            outside [0, 1).
    """
    if "model" not in models:
        raise TableError(
            f"{origin.name} has no column 'model': name every model "
            f"({nearest('model', map(str, models))})."
        )
    full = pd.DataFrame(
        {
            name: _text(models, name) if column.kind == "text" else _number(models, name, origin)
            for name, column in MODEL_COLUMNS.items()
        },
        index=models.index,
    )
    _check_names(full, origin)
    _check_sparsity(full, origin)
    full["role"] = _roles(full)
    if pair:
        full["parent"] = _paired(full)
    made = full["role"].isin(("pruned", "compressed"))
    full.loc[made & (full["method"] == ""), "method"] = DEFAULT_METHOD
    _check_parents(full, origin)
    return full.reset_index(drop=True)


def _text(models: pd.DataFrame, name: str) -> pd.Series[Any]:
    if name not in models:
        return pd.Series("", index=models.index, dtype=object)
    column = models[name].astype(object)
    return column.where(models[name].notna(), "").map(str).astype(object)


def _number(models: pd.DataFrame, name: str, origin: Origin) -> pd.Series[Any]:
    if name not in models:
        return pd.Series(np.nan, index=models.index)
    column = pd.to_numeric(models[name], errors="coerce")
    bad = (column.isna() & models[name].notna()).to_numpy()
    _refuse(bad, models, name, "which is no number: give one, or leave it empty", origin)
    return pd.Series(column.to_numpy(np.float64, na_value=np.nan), index=models.index)


def _check_names(models: pd.DataFrame, origin: Origin) -> None:
    blank = models["model"].eq("").to_numpy()
    _refuse(blank, models, "model", "which is no name: give every model one", origin)
    twice = models["model"].duplicated().to_numpy()
    _refuse(twice, models, "model", "which has a row already: give each model one row", origin)
    unknown = ~models["role"].isin((*ROLES, "")).to_numpy()
    _refuse(unknown, models, "role", f"which is no role: give one of {', '.join(ROLES)}", origin)


def _check_sparsity(models: pd.DataFrame, origin: Origin) -> None:
    problem = "which is no fraction removed: give at least 0 and less than 1"
    for name in ("sparsity", "sparsity_targeted", "sparsity_all"):
        values = models[name].to_numpy()
        bad = ~(np.isnan(values) | ((values >= 0.0) & (values < 1.0)))
        _refuse(bad, models, name, problem, origin)


def _check_parents(models: pd.DataFrame, origin: Origin) -> None:
    unknown = ~models["parent"].isin({"", *models["model"]}).to_numpy()
    if unknown.any():
        close = nearest(models["parent"].iloc[int(unknown.argmax())], models["model"])
        _refuse(unknown, models, "parent", f"which is no model here: {close}", origin)
    own = models["parent"].eq(models["model"]).to_numpy()
    _refuse(own, models, "parent", "the model itself: name the dense model it is from", origin)


def _roles(models: pd.DataFrame) -> pd.Series[Any]:
    zero, parent = models["sparsity"].eq(0.0), models["parent"].ne("")
    inferred = np.select(
        [parent & zero, parent | models["sparsity"].gt(0.0)], ["control", "pruned"], "dense"
    )
    return models["role"].where(models["role"].ne(""), inferred.astype(object))


def _paired(models: pd.DataFrame) -> pd.Series[Any]:
    dense = models[models["role"] == "dense"]
    alone = dense["seed"].dropna().drop_duplicates(keep=False)
    of_seed = dict(zip(alone, dense.loc[alone.index, "model"], strict=True))
    only = dense["model"].iloc[0] if len(dense) == 1 else ""
    guess = models["seed"].map(of_seed).astype(object).fillna(only)
    unknown = models["parent"].eq("") & models["role"].ne("dense")
    return models["parent"].where(~unknown, guess)


def _refuse(bad: Mask, models: pd.DataFrame, column: str, problem: str, origin: Origin) -> None:
    if bad.any():
        position = int(bad.argmax())
        value = models[column].iloc[position]
        origin.refuse(int(models.index[position]), column, value, problem)
