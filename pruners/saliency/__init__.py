"""Saliencies: which weights matter little.

One signature: `(model, names, data, seed) -> {name: tensor of the parameter's shape}`. `names` are
parameters of the model, `data` examples or None, `seed` an integer; the lowest go first, after
`pooling` has made one score of the values of weights that are removed together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from pruners.saliency.curvature import curvature_kind, curvature_note, obd
from pruners.saliency.examples import Data
from pruners.saliency.gradients import fisher, taylor1
from pruners.saliency.sizes import magnitude, random

Saliency = Callable[[nn.Module, Sequence[str], Data | None, int], dict[str, Tensor]]

__all__ = [
    "Data",
    "Saliency",
    "curvature_kind",
    "curvature_note",
    "fisher",
    "magnitude",
    "obd",
    "random",
    "taylor1",
]
