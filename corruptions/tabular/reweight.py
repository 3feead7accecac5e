"""Another mix of groups: weights under which a table has the stated share of every group."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..spelling import unknown


@dataclass(frozen=True, eq=False)
class Reweighted:
    """Weights of examples under another mix of groups.

    Attributes:
        weights: float64 [N], 0 or more, with mean 1.
        effective_size: Kish's effective sample size (Σw)²/Σw² ("Survey Sampling", 1965): so many
            equally weighted examples say as much.
    """

    weights: NDArray[np.float64]
    effective_size: float


def reweight_to_mix(
    groups: Sequence[Any] | NDArray[Any] | pd.Series[Any], mix: Mapping[Any, float]
) -> Reweighted:
    """Weights examples so that each group has a stated share: a shift of who is shown.

    Nobody is changed, so every label holds. An example of group g weighs share(g) · N / n(g), which
    is the ratio of the stated density to the present one (Shimodaira, 2000).

    Args:
        groups: [N], each example's group.
        mix: The share of each group, summing to 1; a group that it does not name has none.

    Raises:
        TypeError: A share is no number.
        ValueError: There are no examples, a group with a share has no example (the nearest is
            offered), a share is negative, or the shares do not sum to 1.
    """
    codes, names = pd.factorize(np.asarray(groups, dtype=object))
    if not len(codes):
        raise ValueError("there are no examples to weight: give at least one.")
    counts = dict(zip(names.tolist(), np.bincount(codes[codes >= 0]).tolist(), strict=True))
    check_mix(mix)
    for name, share in mix.items():
        if share > 0 and name not in counts:
            raise unknown("group", name, map(str, counts))
    each = [mix.get(name, 0.0) * len(codes) / counts[name] for name in names.tolist()]
    # Code −1, an example of no group, is last: it has no share.
    weights = np.array([*each, 0.0], dtype=np.float64)[codes]
    return Reweighted(weights, float(weights.sum() ** 2 / (weights**2).sum()))


def check_mix(mix: Mapping[Any, Any]) -> None:
    """Raise unless these are shares that sum to 1; errors as `reweight_to_mix` says."""
    for name, share in mix.items():
        if isinstance(share, bool) or not isinstance(share, numbers.Real):
            raise TypeError(f"the share of {name!r} must be a number, not {share!r}.")
        if not 0 <= float(share) <= 1:
            raise ValueError(f"the share of {name!r} is {share}: give 0 to 1.")
    total = math.fsum(mix.values())
    if abs(total - 1) > 1e-6:
        raise ValueError(f"the shares of a mix sum to {total:g}: let them sum to 1.")
