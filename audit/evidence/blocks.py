"""What a judge sees: one condition at a time, as arrays of (models × examples).

Nothing here reads a file: `folder`, `flat` and `arrays` make an `Evidence`, and its `load` reads
one condition when asked, so that memory grows with one condition and not with all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

IntArray = NDArray[np.int32]
FloatArray = NDArray[np.float32]

NOT_SHOWN = -1  # in `predicted`: this model was not shown this example under this condition
NO_LABEL = -1  # in `examples.label`: nobody knows the right answer


@dataclass(frozen=True, order=True)
class Condition:
    """A way of showing the examples: clean, a corruption at a severity, or a natural shift.

    Attributes:
        name: `clean`, a corruption's name, or the name of a natural data set.
        severity: 0.0 for clean, in (0, 5] for a corruption, None for a natural shift.
    """

    name: str
    severity: float | None


CLEAN = Condition("clean", 0.0)


@dataclass(frozen=True)
class Block:
    """All predictions under one condition; rows follow `Evidence.models`, columns its examples.

    Attributes:
        condition: The condition.
        predicted: int32 [models, examples], class codes; `NOT_SHOWN` where there is none, which
            is everywhere where answers are no classes.
        confidence: float32 [models, examples] in [0, 1], NaN where not recorded; None if never.
        loss: float32 [models, examples] in nats, NaN where not recorded; None if never.
        energy: float32 [models, examples], minus the log-sum-exp of the logits; None if never.
        value: float32 [models, examples], a quality of each answer that is no class (Dice, an
            error, a log-likelihood), NaN where not recorded; None if never.
    """

    condition: Condition
    predicted: IntArray
    confidence: FloatArray | None = None
    loss: FloatArray | None = None
    energy: FloatArray | None = None
    value: FloatArray | None = None


def no_probabilities(condition: Condition, row: int) -> FloatArray | None:
    """What `Evidence.probabilities` is where nobody recorded any."""
    return None


@dataclass(frozen=True)
class Evidence:
    """The evidence of one audit.

    Attributes:
        examples: The audited examples in axis order: `example`, `label` (int64, `NO_LABEL` where
            there is none), `split` (`ood` for inputs of no class, which have no label and are
            shown under natural shifts alone), any `group_*` and `meta_*` (strings, where missing
            ones read "missing", or numbers, where they are NaN), and optionally `weight`,
            `cluster`, `thumbnail`, `path`, `text` and `embedding` (float32 arrays of one length,
            None where missing).
        training: Examples of the split train (same columns; may be empty), for frequencies.
        models: The models in axis order: `model`, `parent`, `role`, `method`, `sparsity`, `seed`
            and what was measured of them: every column of `schema.MODEL_COLUMNS`. Text is "" and
            numbers (float64) are NaN where there is nothing.
        classes: Class names; a label or a prediction is an index into them. Empty where answers
            are no classes and `Block.value` says how good each of them is.
        conditions: What there is, clean first.
        load: Reads one condition. It raises `TableError` for a part that is missing or broken.
        probabilities: Reads the class probabilities of one model (a row of `models`) under one
            condition: float32 [examples, classes], NaN where not shown; None where they were not
            recorded. One model at a time, because all of them are too many for memory.
        validation: The same evidence on the examples of the split validation, on which thresholds,
            sparsities and rules are chosen; None where there are none, or no predictions for them.
            Its `models`, `classes` and `training` are this one's; a model that has none is
            `NOT_SHOWN` throughout.
    """

    examples: pd.DataFrame
    training: pd.DataFrame
    models: pd.DataFrame
    classes: tuple[str, ...]
    conditions: tuple[Condition, ...]
    load: Callable[[Condition], Block]
    probabilities: Callable[[Condition, int], FloatArray | None] = no_probabilities
    validation: Evidence | None = None

    @property
    def labels(self) -> NDArray[np.int64]:
        """True labels, int64 [examples], `NO_LABEL` where there is none."""
        return self.examples["label"].to_numpy(np.int64)
