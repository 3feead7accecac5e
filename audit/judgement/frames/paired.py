"""A metric frame of parents beside one of the models pruned from them: what pruning added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from numpy.typing import ArrayLike

from audit.judgement.frames.draws import FrameIntervals, Sides, frame_intervals
from audit.judgement.frames.metric_frame import Method, Metric, MetricFrame, Summary, Table


@dataclass(frozen=True, eq=False, kw_only=True)
class PairedMetricFrame:
    """A metric frame of parents and one of the models pruned from them, on the same examples.

    Attributes:
        metrics: As of `MetricFrame`.
        y_true: [examples], labels.
        parent: [examples] or [pairs, examples], the parents' predictions.
        pruned: The pruned models', in the same shape and order.
        sensitive_features: As of `MetricFrame`.
        control_features: As of `MetricFrame`.
        sample_weight: As of `MetricFrame`.
        pos_label: As of `MetricFrame`.
    """

    metrics: Metric | Mapping[str, Metric]
    y_true: ArrayLike
    parent: ArrayLike
    pruned: ArrayLike
    sensitive_features: Any
    control_features: Any = None
    sample_weight: ArrayLike | None = None
    pos_label: Any = 1

    @cached_property
    def of_parent(self) -> MetricFrame:
        """The frame of the parents."""
        return self._frame(self.parent)

    @cached_property
    def of_pruned(self) -> MetricFrame:
        """The frame of the pruned models."""
        return self._frame(self.pruned)

    @property
    def by_group(self) -> Table:
        """Change of every metric in every group, from parent to pruned."""
        return self.of_pruned.by_group - self.of_parent.by_group

    @property
    def overall(self) -> Summary:
        """Change of every metric over everybody."""
        return self.of_pruned.overall - self.of_parent.overall

    def group_min(self) -> Summary:
        """What pruning did to the smallest value over groups."""
        return self.of_pruned.group_min() - self.of_parent.group_min()

    def group_max(self) -> Summary:
        """What pruning did to the largest value over groups."""
        return self.of_pruned.group_max() - self.of_parent.group_max()

    def difference(self, method: Method = "between_groups") -> Summary:
        """What pruning added to the difference; below 0 where it brought groups together."""
        return self.of_pruned.difference(method) - self.of_parent.difference(method)

    def ratio(self, method: Method = "between_groups") -> Summary:
        """What pruning did to the ratio; below 0 where it drove groups apart."""
        return self.of_pruned.ratio(method) - self.of_parent.ratio(method)

    def intervals(
        self,
        *,
        draws: int = 1000,
        level: float = 0.95,
        seed: int = 0,
        parents: ArrayLike | None = None,
    ) -> FrameIntervals:
        """The changes of rates by group with intervals, by crossed bootstrap.

        Args:
            draws: Bootstrap draws.
            level: Coverage, in (0, 1).
            seed: Of the draws.
            parents: [pairs], the parent of each pair; pairs of one parent count once. None takes
                every pair for one of its own.

        Raises:
            InputError: A metric is a function.
        """
        before, after = self.of_parent, self.of_pruned
        sides = Sides(
            before.truth, before.predicted, after.predicted, self.pos_label, before.cells,
            before.weights,
        )  # fmt: skip
        return frame_intervals(
            sides, before.named, draws=draws, level=level, seed=seed, parents=parents
        )

    def _frame(self, predicted: ArrayLike) -> MetricFrame:
        return MetricFrame(
            metrics=self.metrics,
            y_true=self.y_true,
            y_pred=predicted,
            sensitive_features=self.sensitive_features,
            control_features=self.control_features,
            sample_weight=self.sample_weight,
            pos_label=self.pos_label,
        )
