"""What a measure of your own is shown: one condition's predictions, and who made them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from audit.evidence.blocks import Block, Condition, Evidence, FloatArray, IntArray
from audit.judgement.answers import answer_finding
from audit.judgement.design import Arm
from audit.judgement.findings import Finding
from audit.judgement.groups.divisions import groupings
from audit.judgement.inference.estimate import Estimate
from audit.judgement.inference.paired import paired_change
from audit.judgement.measures import Measure
from audit.judgement.pairs import Answer, Design, contrast_of, design, level_estimate, overall
from audit.judgement.plan import Plan


@dataclass(frozen=True, eq=False)
class TableView:
    """One condition; rows are models, columns are examples.

    Attributes:
        measure: What is being measured, as the function declares it.
        condition: How the examples were shown.
        predicted: int32 [models, examples], class codes; -1 where a model was not shown one.
        confidence: float32 [models, examples], or None.
        loss: float32 [models, examples], or None.
        value: float32 [models, examples], the column `value`, or None.
        labels: int64 [examples], class codes; -1 where nobody knows.
        classes: Class names by code.
        groups: bool [examples] by group name, single columns and crossings.
        examples: The example table, a row per column of the arrays.
        models: The model table, a row per row of the arrays.
        arms: The pruned models of each method and sparsity, with their parents and controls.
        model: The candidate's name while it is the one being judged; None otherwise.
        plan: The plan.
        design: Weights, clusters and labels as inference takes them.
    """

    measure: Measure
    condition: Condition
    predicted: IntArray
    confidence: FloatArray | None
    loss: FloatArray | None
    value: FloatArray | None
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    groups: Mapping[str, NDArray[np.bool_]]
    examples: pd.DataFrame
    models: pd.DataFrame
    arms: tuple[Arm, ...]
    model: str | None
    plan: Plan
    design: Design

    def paired_change(self, difference: ArrayLike) -> Estimate:
        """The mean change and its interval, with this table's weights and clusters.

        Args:
            difference: float [parents, examples], pruned − parent, NaN outside the denominator.
        """
        return paired_change(
            difference,
            weights=self.design.weights,
            clusters=self.design.clusters,
            level=1.0 - self.plan.alpha,
        )

    def answer(
        self,
        values: ArrayLike,
        arm: Arm,
        *,
        groups: str | None = None,
        class_: str | None = None,
        among: ArrayLike | None = None,
        reason: str | None = None,
    ) -> list[Finding]:
        """The finding of a per-example value: its change, or its level where that is declared.

        Args:
            values: float [models, examples], NaN outside the denominator. Inference guards against
                rare changes by adding two examples of size 1: scale values so that one example
                changes by at most about 1.
            arm: One of `arms`.
            groups: The group it is about; its examples alone are counted.
            class_: The class it is about; name it only, and give its examples as `among`.
            among: bool [examples], who is in the denominator; None for everybody.
            reason: How the number is to be read.

        Returns:
            One finding, or none where no parent is known.
        """
        inside = np.ones(len(self.labels), dtype=np.bool_)
        if groups is not None:
            inside &= self.groups[groups]
        if among is not None:
            inside &= np.asarray(among, dtype=np.bool_)
        kept = np.where(inside, np.asarray(values, dtype=np.float64), np.nan)
        both = contrast_of(kept, arm, self.design)
        if both is None:
            return []
        answer = overall(both)
        if self.measure.level:
            estimate = level_estimate(both.pruned, self.design)
            answer = Answer(estimate, answer.parent, answer.pruned, answer.control)
        return [
            answer_finding(
                self.measure,
                answer,
                arm,
                self.plan,
                condition=self.condition,
                class_=class_,
                groups=groups,
                reason=reason,
            )
        ]


def table_view(
    measure: Measure, block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> TableView:
    """The view of one condition for one measure."""
    return TableView(
        measure=measure,
        condition=block.condition,
        predicted=block.predicted,
        confidence=block.confidence,
        loss=block.loss,
        value=block.value,
        labels=evidence.labels,
        classes=evidence.classes,
        groups={
            name: division.codes == code
            for division in groupings(evidence.examples, plan)
            for code, name in enumerate(division.names)
        },
        examples=evidence.examples,
        models=evidence.models,
        arms=tuple(arms),
        model=arms[0].model if arms else None,
        plan=plan,
        design=design(evidence, plan),
    )
