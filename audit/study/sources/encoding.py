"""Turns a table's columns into numbers, as fitted on its training rows and on nothing else."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.errors import InputError
from audit.evidence.nearest import hint

FloatArray = NDArray[np.float32]
MISSING = "missing"
BLANKS = ("", "?")  # what text columns write where nothing is known, besides nulls
MOST_CATEGORIES = 1000  # more distinct texts than this are names or free text, not categories


@dataclass(frozen=True)
class Measured:
    """A numeric column: centred and scaled, blanks at the mean and marked apart.

    Attributes:
        column: Its name.
        mean: Of the training rows.
        spread: Their standard deviation (1 for a constant column).
        marks_missing: Whether a 0/1 feature marks blanks: only if training has some.
    """

    column: str
    mean: float
    spread: float
    marks_missing: bool

    @property
    def features(self) -> tuple[str, ...]:
        """Names of its features."""
        marks = (f"{self.column}={MISSING}",) if self.marks_missing else ()
        return (self.column, *marks)

    def apply(self, values: pd.Series[Any]) -> FloatArray:
        """Features float32 [N, 1 or 2]."""
        numbers = _numbers(values)
        blank = np.isnan(numbers)
        scaled = np.where(blank, 0.0, (numbers - self.mean) / self.spread)
        columns = [scaled, blank.astype(np.float64)][: len(self.features)]
        features: FloatArray = np.stack(columns, axis=1).astype(np.float32)
        return features


@dataclass(frozen=True)
class Categories:
    """A text column: one 0/1 feature per value; a value unseen in training is none of them.

    Attributes:
        column: Its name.
        values: Values in the training rows, sorted; `missing` stands for blanks.
    """

    column: str
    values: tuple[str, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """Names of its features."""
        return tuple(f"{self.column}={value}" for value in self.values)

    def apply(self, values: pd.Series[Any]) -> FloatArray:
        """Features float32 [N, values]."""
        codes = pd.Index(self.values).get_indexer(pd.Index(texts(values)))
        return np.asarray(codes[:, None] == np.arange(len(self.values)), dtype=np.float32)


@dataclass(frozen=True)
class Encoding:
    """How every feature column becomes numbers."""

    columns: tuple[Measured | Categories, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """Names of all features, in order."""
        return tuple(name for column in self.columns for name in column.features)

    def apply(self, frame: pd.DataFrame) -> FloatArray:
        """Rows as float32 [N, F].

        Raises:
            InputError: A column is missing, or a numeric one holds text or an infinite value.
        """
        for column in self.columns:
            if column.column not in frame:
                raise InputError(
                    f"The feature column {column.column!r} is not in this table: "
                    f"{hint(column.column, frame.columns)}"
                )
        return np.concatenate([c.apply(frame[c.column]) for c in self.columns], axis=1)

    def to_dict(self) -> dict[str, Any]:
        """The encoding in JSON's types."""
        return {"columns": [asdict(column) for column in self.columns]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Encoding:
        """The inverse of `to_dict`."""
        return cls(
            tuple(
                Measured(**column)
                if "mean" in column
                else Categories(column["column"], tuple(column["values"]))
                for column in values["columns"]
            )
        )


def fit_encoding(frame: pd.DataFrame) -> Encoding:
    """Learns means, spreads and categories from training rows.

    Args:
        frame: The feature columns: numbers, booleans, texts or categories.

    Raises:
        InputError: There is no column, or one is of another type, has an infinite value, or too
            many distinct texts.
    """
    if not len(frame.columns):
        raise InputError("The table has no feature columns besides its label: check data.input.")
    return Encoding(tuple(_fit_column(frame[name]) for name in frame.columns))


def texts(values: pd.Series[Any]) -> NDArray[np.object_]:
    """A column as texts without outer blanks, `missing` where there is nothing.

    Returns:
        Texts, object [N]; whole floats are written as integers, so that 1 and 1.0 agree.
    """
    blank = values.isna().to_numpy(dtype=bool)
    if pd.api.types.is_float_dtype(values.dtype) and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")
    # Through the distinct values: a column has few of them.
    codes, distinct = pd.factorize(values.astype(object).where(~blank, None))
    named = [str(value).strip() for value in distinct]
    named = [MISSING if name in BLANKS else name for name in named]
    return np.array([*named, MISSING], dtype=object)[codes]  # code -1, a null, is the last


def _fit_column(values: pd.Series[Any]) -> Measured | Categories:
    name = str(values.name)
    if pd.api.types.is_bool_dtype(values.dtype) or pd.api.types.is_numeric_dtype(values.dtype):
        numbers = _numbers(values)
        known = numbers[~np.isnan(numbers)]
        mean = float(known.mean()) if known.size else 0.0
        spread = float(known.std()) if known.size else 0.0
        return Measured(name, mean, spread if spread > 0 else 1.0, known.size < numbers.size)
    if not _is_text(values):
        raise InputError(
            f"The feature column {name!r} is of type {values.dtype}, neither numbers nor text: "
            "leave it out of data.input, or convert it."
        )
    found = tuple(sorted(set(texts(values).tolist())))
    if len(found) > MOST_CATEGORIES:
        sentences = sum(one.count(" ") > 1 for one in found) > len(found) / 2
        read = ", or, if models are to read it, name it as data.input with kind: text"
        raise InputError(
            f"The feature column {name!r} has {len(found)} distinct texts, for example "
            f"{found[0]!r}: leave it out of data.input, or group its values"
            f"{read if sentences else ''}."
        )
    return Categories(name, found)


def _is_text(values: pd.Series[Any]) -> bool:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return True
    if not (pd.api.types.is_string_dtype(values.dtype) or values.dtype == object):
        return False
    return pd.api.types.infer_dtype(values, skipna=True) in ("string", "boolean", "empty")


def _numbers(values: pd.Series[Any]) -> NDArray[np.float64]:
    try:
        numbers = pd.to_numeric(values).to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise InputError(
            f"The numeric feature column {str(values.name)!r} holds something else ({error}): "
            "mend the table."
        ) from error
    endless = np.flatnonzero(np.isinf(numbers))
    if endless.size:
        raise InputError(
            f"The feature column {str(values.name)!r} is infinite in row {endless[0]}: "
            "mend the table."
        )
    return numbers
