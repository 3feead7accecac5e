"""Retraining that sees a stated list of corruptions, so that others can test what it did not see.

Liebenwein et al. (arXiv 2103.03014) retrain with one half of the corruptions and test on the other
half: their fourth guideline, that augmentation in retraining raises the prune potential.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

import corruptions
import pruners

SEVERITY = 3  # the middle of five


@dataclass(frozen=True)
class Mix:
    """Shows each image as it is or under one of some corruptions, each equally often.

    Attributes:
        names: Names of corruptions.
    """

    names: tuple[str, ...]

    def __call__(self, images: Tensor, draws: torch.Generator) -> Tensor:
        """uint8 [n, channels, height, width] like `images`; every pass draws anew."""
        drawn = torch.randint(len(self.names) + 1, (len(images),), generator=draws)
        seed = int(torch.randint(2**62, (1,), generator=draws))
        shown = images.clone()
        for code, name in enumerate(self.names):
            rows = torch.nonzero(drawn == code)[:, 0]
            if len(rows):
                some = images[rows.to(images.device)]
                changed = corruptions.corrupt(some, name, SEVERITY, seed=seed, ids=rows.numpy())
                shown[rows.to(images.device)] = changed
        return shown


def training_of(options: Mapping[str, Any]) -> pruners.Training:
    """The training that a recipe asks for, its list of corruptions made a function.

    Raises:
        ValueError: A name or number means nothing.
    """
    augmentation = options["augmentation"]
    if isinstance(augmentation, str):
        return pruners.Training(**options)
    return pruners.Training(**{**options, "augmentation": _mix(augmentation)})


def _mix(names: Sequence[str]) -> Mix:
    for name in names:
        corruptions.find(name)
    return Mix(tuple(names))
