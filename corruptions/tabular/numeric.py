"""Errors in numbers: noise, wrong units, readings beyond the range, a gauge that saturates.

Each is a function (values [N], profile of the column, draws, *constants) -> values [N] of the same
type. Blank and infinite cells stay as they are. Draws do not depend on the severity: a cell that
one severity changes, a higher one changes by as much or more.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..draws import Stream
from .cells import normal, uniform, write_numbers
from .profile import Profile, numbers


def numeric_noise(
    values: pd.Series[Any], profile: Profile, draws: Stream, size: float
) -> pd.Series[Any]:
    """Adds normal noise in proportion to the column's spread in the reference.

    After the Gaussian noise of Jenga (Schelter, Rukat and Biessmann, EDBT 2021), which scales by
    the standard deviation; ours scales by a spread that outliers do not stretch.

    Args:
        values: Numbers.
        profile: Of the reference column; its `spread` is the unit.
        draws: One key for each row.
        size: Standard deviation of the noise, in spreads.
    """
    known = numbers(values)
    noisy = known + size * profile.spread * normal(draws, 0)
    return write_numbers(values, noisy, np.isfinite(known) & (profile.spread > 0))


def unit_error(
    values: pd.Series[Any], profile: Profile, draws: Stream, share: float
) -> pd.Series[Any]:
    """Multiplies some cells by ten: centimetres for millimetres, a comma one place off.

    After the scaling errors of Jenga (Schelter, Rukat and Biessmann, EDBT 2021).

    Args:
        values: Numbers.
        profile: Has no part in it.
        draws: One key for each row.
        share: Chance that a cell is wrong; zeros stay zero.
    """
    known = numbers(values)
    return write_numbers(values, 10 * known, np.isfinite(known) & (uniform(draws, 0) < share))


def out_of_range(
    values: pd.Series[Any], profile: Profile, draws: Stream, share: float, beyond: float
) -> pd.Series[Any]:
    """Sets some cells beyond the reference's range, past the end that they are nearer to.

    Args:
        values: Numbers.
        profile: Of the reference column; its percentiles 0 and 100 are the range.
        draws: One key for each row.
        share: Chance that a cell is out of range.
        beyond: Distance from the end, in lengths of the range. A cell that is farther out already
            stays, and so does a column without a range.
    """
    known = numbers(values)
    if profile.percentiles is None:
        return values.copy()
    low, high = profile.percentiles[0], profile.percentiles[-1]
    far = beyond * (high - low)
    above = known >= (low + high) / 2
    pushed = np.where(above, np.maximum(known, high + far), np.minimum(known, low - far))
    hit = np.isfinite(known) & (uniform(draws, 0) < share) & (high > low)
    return write_numbers(values, pushed, hit)


def saturation(
    values: pd.Series[Any], profile: Profile, draws: Stream, percent: float
) -> pd.Series[Any]:
    """Clamps every number to the reference's range without its tails, as a gauge that saturates.

    Args:
        values: Numbers.
        profile: Of the reference column, whose percentiles are the clamps.
        draws: Has no part in it: equal values stay equal.
        percent: Percent of the reference's values beyond either clamp, below 50.
    """
    known = numbers(values)
    if profile.percentiles is None:
        return values.copy()
    low, high = np.interp([percent, 100 - percent], np.arange(101), profile.percentiles)
    clamped = np.clip(known, low, high)
    return write_numbers(values, clamped, np.isfinite(known) & (clamped != known))
