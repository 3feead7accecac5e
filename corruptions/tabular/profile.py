"""What a column of a reference table tells: its kind, its spread and range, its categories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..spelling import unknown

Kind = Literal["number", "boolean", "category", "other"]
Floats = NDArray[np.float64]

# Of a normal distribution, the distance between the quartiles in standard deviations.
_QUARTILES = 1.3489795003921634


@dataclass(frozen=True, eq=False)
class Profile:
    """One column of a reference table.

    Attributes:
        kind: `number`, `boolean`, `category` (texts, categories), or `other`, which only values
            that go missing can change.
        percentiles: float64 [101], the 0th to the 100th of the finite values; None where there
            are none.
        spread: Distance between the quartiles / 1.349, which is the standard deviation of a
            normal column and heeds no outlier; the standard deviation where the quartiles are
            equal (a column that is mostly zero); 0 for a constant column.
        values: Distinct values of a boolean or category column, sorted, blanks left out.
        shares: float64, how often each of them is seen, summing to 1.
    """

    kind: Kind
    percentiles: Floats | None = None
    spread: float = 0.0
    values: tuple[Any, ...] = ()
    shares: Floats | None = None


@dataclass(frozen=True, eq=False)
class Reference:
    """The columns of a reference table, usually the training rows, by name."""

    columns: Mapping[Any, Profile]

    def of(self, values: pd.Series[Any]) -> Profile:
        """The profile of the column that these values belong to.

        Raises:
            ValueError: The reference has no such column, or one of another kind.
        """
        if values.name not in self.columns:
            raise unknown("column of the reference", values.name, map(str, self.columns))
        profile, kind = self.columns[values.name], kind_of(values)
        # What a column of objects holds is seen in the reference: a few rows may not show it.
        told = values.dtype != object and values.notna().any()
        if profile.kind != kind and told:
            raise ValueError(
                f"the column {values.name!r} is of kind {kind} in the table and of kind "
                f"{profile.kind} in the reference: give both the same type."
            )
        return profile


def kind_of(values: pd.Series[Any]) -> Kind:
    """The kind of a column, by its dtype (and by its values where that is `object`)."""
    dtype = values.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    if isinstance(dtype, pd.SparseDtype):  # cells cannot be written to
        return "other"
    if pd.api.types.is_bool_dtype(dtype):
        return "boolean"
    if pd.api.types.is_integer_dtype(dtype) or pd.api.types.is_float_dtype(dtype):
        return "number"
    if pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype):
        found = pd.api.types.infer_dtype(values, skipna=True)
        return "category" if found in ("string", "boolean", "empty") else "other"
    return "other"


def numbers(values: pd.Series[Any]) -> Floats:
    """A numeric column as float64 [N], NaN where blank."""
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def measure(frame: pd.DataFrame) -> Reference:
    """Measures every column of a reference table, so that many batches can use it.

    Args:
        frame: The rows that spreads, ranges and marginals are taken from: the training rows.
    """
    return Reference({name: _profile(frame[name]) for name in frame.columns})


def _profile(values: pd.Series[Any]) -> Profile:
    kind = kind_of(values)
    if kind == "number":
        return _number(numbers(values))
    return Profile(kind) if kind == "other" else _categories(kind, values)


def _number(values: Floats) -> Profile:
    known = values[np.isfinite(values)]
    if not known.size:
        return Profile("number")
    percentiles = np.percentile(known, np.arange(101))
    spread = float(percentiles[75] - percentiles[25]) / _QUARTILES
    return Profile("number", percentiles, spread if spread > 0 else float(known.std()))


def _categories(kind: Kind, values: pd.Series[Any]) -> Profile:
    counts = values.value_counts(dropna=True)
    counts = counts[counts > 0]  # a category that nobody has
    names = counts.index.tolist()
    order = sorted(range(len(names)), key=lambda at: (type(names[at]).__name__, str(names[at])))
    shares: Floats = np.asarray(counts.to_numpy(), dtype=np.float64)[order]
    found = tuple(names[at] for at in order)
    return Profile(kind, values=found, shares=np.divide(shares, shares.sum()) if found else shares)
