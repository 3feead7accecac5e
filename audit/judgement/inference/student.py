"""Student's t and the normal distribution, without the second that importing scipy.stats takes."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special


def t_quantile(level: Any, df: Any) -> Any:
    """The t that is exceeded with probability 1 − level, float64, NaN where df is."""
    return special.stdtrit(df, level)


def t_tail(t: Any, df: Any) -> Any:
    """Probability to exceed t, float64."""
    return special.stdtr(df, np.negative(t))


def t_two_sided(t: Any, df: Any) -> Any:
    """Two-sided p of a t statistic, float64."""
    return 2.0 * t_tail(np.abs(t), df)


def normal_quantile(level: Any) -> Any:
    """The z that is exceeded with probability 1 − level, float64."""
    return special.ndtri(level)


def normal_tail(z: Any) -> Any:
    """Probability to exceed z, float64."""
    return special.ndtr(np.negative(z))
