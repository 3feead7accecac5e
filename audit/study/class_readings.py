"""Reads logits as answers: masked to some classes, or with several classes taken for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Reading:
    """How a condition's logits are read.

    Attributes:
        masked: Codes of classes that no answer may be; None where any may.
        groups: Codes of classes that are one class to the data shown; the first stands for all.
    """

    masked: IntArray | None = None
    groups: tuple[tuple[int, ...], ...] = ()

    def answers(self, logits: Tensor) -> tuple[NDArray[np.float64], IntArray]:
        """Log-probabilities and the answers.

        The answer is the class of the largest logit, or the first of its group: where ObjectNet's
        class is several of ImageNet's, each of these is right. A group's probability is the sum.

        Args:
            logits: float64 [N, K] on the CPU; changed in place where classes are masked.

        Returns:
            float64 [N, K], and int64 [N] codes.
        """
        if self.masked is not None:
            logits[:, self.masked] = -torch.inf
        scores: NDArray[np.float64] = logits.log_softmax(1).numpy()
        predicted = scores.argmax(1)  # the first of equal scores, which torch does not promise
        for group in self.groups:
            codes = np.array(group, dtype=np.int64)
            scores[:, codes[0]] = np.logaddexp.reduce(scores[:, codes], axis=1)
            scores[:, codes[1:]] = -np.inf
            predicted[np.isin(predicted, codes)] = codes[0]
        return scores, predicted


def reading(
    classes: Sequence[str], labels: IntArray, mask: bool, merged: Sequence[Sequence[str]] = ()
) -> Reading:
    """How the logits of a condition are read.

    Args:
        classes: Class names.
        labels: Codes of the examples shown.
        mask: Whether answers are masked to the classes of these.
        merged: Class names that are one class each; the first is the one that labels have.
    """
    place = {name: code for code, name in enumerate(classes)}
    groups = tuple(tuple(place[name] for name in group) for group in merged)
    if not mask:
        return Reading(None, groups)
    there = set(labels.tolist())
    there |= {code for group in groups if group[0] in there for code in group}
    return Reading(np.setdiff1d(np.arange(len(classes)), sorted(there)), groups)
