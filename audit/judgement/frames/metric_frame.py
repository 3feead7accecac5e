"""Metrics by group, in the shape that Fairlearn's users know, for one model or for many at once.

Values are those of `fairlearn.metrics.MetricFrame` wherever it defines them. A rate without anybody
in its denominator is NaN, where Fairlearn's functions say 0 and so report gaps out of nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from audit.evidence.errors import InputError
from audit.judgement.frames.cells import RATES, Confusion, Features, confusion, crossed, features

FloatArray = NDArray[np.float64]
CodeArray = NDArray[np.int64]
Metric = str | Callable[..., Any]
Method = Literal["between_groups", "to_overall"]
Table = pd.Series | pd.DataFrame
Summary = float | pd.Series | pd.DataFrame


@dataclass(frozen=True, eq=False, kw_only=True)
class MetricFrame:
    """Metrics of all examples and of each group.

    Of several models, every number is the mean over the models in which it is defined: `difference`
    is the mean of the models' differences, not the difference of their means.

    Attributes:
        metrics: A metric, or metrics by name. A metric is the name of a rate (`accuracy`, `count`,
            `false_negative_rate`, `false_positive_rate`, `precision`, `selection_rate`,
            `true_negative_rate`, `true_positive_rate`), which is counted for all models at once,
            or a function of `(y_true, y_pred)`, called for each model and group (with
            `sample_weight=` where there are weights).
        y_true: [examples], labels.
        y_pred: [examples] or [models, examples], predictions.
        sensitive_features: Columns whose levels, crossed, are the groups: a Series, array,
            DataFrame, dict of columns or list of Series.
        control_features: Columns within whose levels groups are compared.
        sample_weight: [examples], what each counts for; None counts each once.
        pos_label: The positive label of the rates.
    """

    metrics: Metric | Mapping[str, Metric]
    y_true: ArrayLike
    y_pred: ArrayLike
    sensitive_features: Any
    control_features: Any = None
    sample_weight: ArrayLike | None = None
    pos_label: Any = 1

    @cached_property
    def by_group(self) -> Table:
        """Every metric in every group, indexed by control and sensitive levels."""
        return self._table(_mean(self._by_cell), self.cells.index)

    @cached_property
    def overall(self) -> Summary:
        """Every metric over everybody, of each control level where there are any."""
        return self._summary(_mean(self._overall))

    @property
    def sensitive_levels(self) -> list[str]:
        """Names of the sensitive features."""
        return [name for name, _, _ in self._sensitive]

    @property
    def control_levels(self) -> list[str] | None:
        """Names of the control features; None where there are none."""
        return [name for name, _, _ in self._control] or None

    def group_min(self) -> Summary:
        """The smallest defined value over groups."""
        return self._summary(_mean(_smallest(self._levelled)))

    def group_max(self) -> Summary:
        """The largest defined value over groups."""
        return self._summary(_mean(_largest(self._levelled)))

    def difference(self, method: Method = "between_groups") -> Summary:
        """Largest absolute difference between two groups, or of a group to everybody.

        Raises:
            InputError: The method is another.
        """
        return self._summary(_mean(self.differences(method)))

    def ratio(self, method: Method = "between_groups") -> Summary:
        """Smallest ratio between two groups, or of a group to everybody, turned to be 1 at most.

        Raises:
            InputError: The method is another.
        """
        return self._summary(_mean(self.ratios(method)))

    def differences(self, method: Method = "between_groups") -> FloatArray:
        """`difference` of each model, float64 [models, metrics, control levels]."""
        values = self._levelled
        if _checked(method) == "between_groups":
            return _largest(values) - _smallest(values)
        return _largest(np.abs(values - self._overall[..., None]))

    def ratios(self, method: Method = "between_groups") -> FloatArray:
        """`ratio` of each model, float64 [models, metrics, control levels]."""
        values = self._levelled
        if _checked(method) == "between_groups":
            return _quotient(_smallest(values), _largest(values))
        to = _quotient(values, self._overall[..., None])
        return _smallest(np.where(to > 1.0, _quotient(np.ones_like(to), to), to))

    @cached_property
    def truth(self) -> NDArray[np.generic]:
        """[examples], labels."""
        return np.asarray(self.y_true)

    @cached_property
    def predicted(self) -> NDArray[np.generic]:
        """[models, examples], predictions."""
        predicted = np.atleast_2d(np.asarray(self.y_pred))
        if self.truth.ndim != 1 or predicted.shape[1:] != self.truth.shape:
            raise InputError(
                f"`y_true` is {self.truth.shape} and `y_pred` {np.shape(self.y_pred)}: give "
                "[examples], and [examples] or [models, examples]."
            )
        return predicted

    @cached_property
    def weights(self) -> FloatArray | None:
        """float64 [examples], None where each counts once."""
        if self.sample_weight is None:
            return None
        weights = np.asarray(self.sample_weight, dtype=np.float64)
        if weights.shape != self.truth.shape:
            raise InputError(
                f"`sample_weight` is {weights.shape}: give one per example, {self.truth.shape}."
            )
        return weights

    @cached_property
    def named(self) -> dict[str, Metric]:
        """Metrics by name; one without a name has the empty one."""
        given = self.metrics if isinstance(self.metrics, Mapping) else {"": self.metrics}
        unknown = [m for m in given.values() if isinstance(m, str) and m not in RATES]
        if unknown:
            raise InputError(
                f"There is no metric {unknown[0]!r}: name one of {', '.join(sorted(RATES))}, or "
                "give a function."
            )
        return dict(given)

    @cached_property
    def _sensitive(self) -> list[tuple[str, pd.Index, CodeArray]]:
        found = features(self.sensitive_features, "sensitive_feature", self.truth.size)
        if not found:
            raise InputError("There is no sensitive feature: give at least one column of groups.")
        return found

    @cached_property
    def _control(self) -> list[tuple[str, pd.Index, CodeArray]]:
        return features(self.control_features, "control_feature", self.truth.size)

    @cached_property
    def cells(self) -> Features:
        """The groups: control and sensitive levels crossed."""
        return crossed([*self._control, *self._sensitive])

    @cached_property
    def _levels(self) -> Features | None:
        return crossed(self._control) if self._control else None

    @property
    def _n_levels(self) -> int:
        return 1 if self._levels is None else len(self._levels.index)

    @cached_property
    def _counts(self) -> Confusion:
        return confusion(
            self.truth,
            self.predicted,
            self.pos_label,
            self.cells.codes,
            len(self.cells.index),
            self.weights,
        )

    @cached_property
    def _by_cell(self) -> FloatArray:
        """float64 [models, metrics, cells]."""
        cells = self.cells
        return self._values(self._counts, cells.codes, len(cells.index))

    @cached_property
    def _overall(self) -> FloatArray:
        """float64 [models, metrics, control levels]."""
        cells = np.arange(len(self.cells.index)) // (len(self.cells.index) // self._n_levels)
        codes = np.zeros(self.truth.size, dtype=np.int64)
        if self._levels is not None:
            codes = self._levels.codes
        return self._values(self._counts.merged(cells, self._n_levels), codes, self._n_levels)

    @property
    def _levelled(self) -> FloatArray:
        """float64 [models, metrics, control levels, groups]."""
        values = self._by_cell
        return values.reshape(*values.shape[:2], self._n_levels, -1)

    def _values(self, counts: Confusion, codes: CodeArray, n_cells: int) -> FloatArray:
        parts = [
            RATES[metric](counts)
            if isinstance(metric, str)
            else self._called(metric, codes, n_cells)
            for metric in self.named.values()
        ]
        return np.stack(parts, axis=1)

    def _called(self, metric: Callable[..., Any], codes: CodeArray, n_cells: int) -> FloatArray:
        """A function's value for each model and cell, NaN where a cell is empty."""
        out = np.full((len(self.predicted), n_cells), np.nan)
        for cell in range(n_cells):
            own = np.flatnonzero(codes == cell)
            if not own.size:
                continue
            more = {} if self.weights is None else {"sample_weight": self.weights[own]}
            for row, predicted in enumerate(self.predicted):
                out[row, cell] = metric(self.truth[own], predicted[own], **more)
        return out

    def _table(self, values: FloatArray, index: pd.Index) -> Table:
        """[metrics, rows] as a table, or as a column where there is one unnamed metric."""
        if isinstance(self.metrics, Mapping):
            return pd.DataFrame(values.T, index=index, columns=list(self.named))
        name = self.metrics if isinstance(self.metrics, str) else self.metrics.__name__
        return pd.Series(values[0], index=index, name=name)

    def _summary(self, values: FloatArray) -> Summary:
        """[metrics, control levels]: by control level, by metric, or one number."""
        if self._levels is not None:
            return self._table(values, self._levels.index)
        if isinstance(self.metrics, Mapping):
            return pd.Series(values[:, 0], index=list(self.named))
        return float(values[0, 0])


def _checked(method: str) -> str:
    if method not in ("between_groups", "to_overall"):
        raise InputError(f"There is no method {method!r}: name 'between_groups' or 'to_overall'.")
    return method


def _mean(values: FloatArray) -> FloatArray:
    """Mean over the models in which a value is defined."""
    defined = ~np.isnan(values)
    return _quotient(np.where(defined, values, 0.0).sum(axis=0), defined.sum(axis=0))


def _smallest(values: FloatArray) -> FloatArray:
    return -_largest(-values)


def _largest(values: FloatArray) -> FloatArray:
    """Largest defined value over the last axis, NaN where none is."""
    defined = ~np.isnan(values)
    out: FloatArray = np.where(defined, values, -np.inf).max(axis=-1)
    return np.where(defined.any(axis=-1), out, np.nan)


def _quotient(part: NDArray[np.number], whole: NDArray[np.number]) -> FloatArray:
    """The quotient as IEEE has it: infinite over 0, NaN for 0 over 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        out: FloatArray = np.divide(part, whole, dtype=np.float64)
    return out
