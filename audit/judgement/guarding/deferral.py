"""The system that a guard makes: the pruned model where it is sure, elsewhere who stands by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NOT_SHOWN, Block, Condition, Evidence
from audit.evidence.blocks import FloatArray as SingleArray
from audit.judgement.design import Arm
from audit.judgement.plan import Guard

FloatArray = NDArray[np.float64]
Mask = NDArray[np.bool_]

NO_CONFIDENCE = "the table has no confidences: add a column `confidence`"
NO_MARGIN = (
    "the table has no class probabilities: add a column `probabilities`, or guard by `confidence`"
)
QUANTITIES = ("confidence", "loss", "energy", "value")


def signals(
    block: Block, evidence: Evidence, rows: NDArray[np.int64], guard: Guard
) -> FloatArray | None:
    """How sure each model is, by its own outputs: float64 [rows, examples], NaN where not known.

    Args:
        block: Predictions under one condition.
        evidence: Where it came from; gives the probabilities of one model at a time.
        rows: Models, as rows of `Evidence.models`.
        guard: `signal`: the confidence, or the margin between the two largest probabilities, which
            two classes' confidences give as well.

    Returns:
        None where a model has no such output.
    """
    if guard.signal == "confidence" or len(evidence.classes) == 2:
        if block.confidence is None:
            return None
        found = block.confidence[rows].astype(np.float64)
        found = found if guard.signal == "confidence" else 2.0 * found - 1.0
    else:
        margins = [_margin(evidence.probabilities(block.condition, int(row))) for row in rows]
        if any(margin is None for margin in margins):
            return None
        found = np.stack([margin for margin in margins if margin is not None])
    shown = block.predicted[rows] != NOT_SHOWN
    found = np.where(shown, found, np.nan)
    return None if (np.isnan(found).all(axis=1) & shown.any(axis=1)).any() else found


def _margin(probabilities: SingleArray | None) -> FloatArray | None:
    """Largest less second-largest probability, float64 [examples]."""
    if probabilities is None:
        return None
    top = np.sort(np.partition(probabilities, -2, axis=1)[:, -2:], axis=1).astype(np.float64)
    margin: FloatArray = top[:, 1] - top[:, 0]
    return margin


def answered(arm: Arm, guard: Guard) -> Arm:
    """The models of the arm that have somebody to hand back to."""
    return arm.paired() if guard.to == "parent" else arm


def handed_back(signal: FloatArray, threshold: float) -> Mask:
    """Who is handed back: all below the threshold, and all whose signal is not known."""
    return ~(signal >= threshold)


def with_guards(
    evidence: Evidence, guards: Mapping[int, float], arms: tuple[Arm, ...], guard: Guard
) -> Evidence:
    """The same evidence of the systems with guards.

    Args:
        evidence: The evidence.
        guards: Place in `arms` -> its threshold; other arms stay as they are.
        arms: The pruned models.
        guard: The signal, and who answers what is handed back.
    """
    system = _Systems(evidence, dict(guards), arms, guard)
    return replace(evidence, load=system.load, probabilities=system.probabilities)


@dataclass(eq=False)
class _Systems:
    """Loads blocks in which guarded models' rows are those of their systems."""

    evidence: Evidence
    guards: Mapping[int, float]
    arms: tuple[Arm, ...]
    guard: Guard
    before: tuple[Condition, Mapping[int, Mask]] | None = field(default=None)

    def load(self, condition: Condition) -> Block:
        block = self.evidence.load(condition)
        masks = self._masks(block)
        self.before = condition, masks
        for place in self.guards:
            arm = answered(self.arms[place], self.guard)
            block = replaced(block, self.evidence, arm, masks, self.guard)
        return block

    def probabilities(self, condition: Condition, row: int) -> SingleArray | None:
        own = self.evidence.probabilities(condition, row)
        if self.before is None or self.before[0] != condition:
            self.before = condition, self._masks(self.evidence.load(condition))
        handed = self.before[1].get(row)
        if own is None or handed is None:
            return own
        stands_by = self._parent_of(row)
        other = None
        if self.guard.to == "parent":
            other = self.evidence.probabilities(condition, stands_by)
        return np.where(handed[:, None], np.float32(np.nan) if other is None else other, own)

    def _parent_of(self, row: int) -> int:
        return next(
            int(parent)
            for place in self.guards
            for one, parent in zip(self.arms[place].pruned, self.arms[place].parent, strict=True)
            if one == row
        )

    def _masks(self, block: Block) -> dict[int, Mask]:
        """Row of a guarded model -> who it hands back."""
        out: dict[int, Mask] = {}
        for place, threshold in self.guards.items():
            arm = answered(self.arms[place], self.guard)
            signal = signals(block, self.evidence, arm.pruned, self.guard)
            if signal is not None:
                back = handed_back(signal, threshold)
                out.update(zip(arm.pruned.tolist(), back, strict=True))
        return out


def replaced(
    block: Block, evidence: Evidence, arm: Arm, masks: Mapping[int, Mask], guard: Guard
) -> Block:
    """The block with other answers where inputs are handed back.

    A person is taken to be right, and has no confidence; without a label nobody knows what a person
    would say, and the example counts as not shown.
    """
    predicted = block.predicted.copy()
    more = {name: getattr(block, name) for name in QUANTITIES}
    more = {name: values.copy() for name, values in more.items() if values is not None}
    for row, parent in zip(arm.pruned.tolist(), arm.parent.tolist(), strict=True):
        shown = block.predicted[row] != NOT_SHOWN
        handed = masks[row] & shown if row in masks else np.zeros_like(shown)
        person = guard.to == "person"
        answer = evidence.labels if person else block.predicted[parent]
        predicted[row] = np.where(handed, answer, predicted[row])
        for values in more.values():
            other = np.float32(np.nan) if person else values[parent]
            values[row] = np.where(handed, other, values[row])
    return replace(block, predicted=predicted, **more)
