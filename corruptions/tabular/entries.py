"""Errors of any kind of entry: values that go missing, and categories that are mistaken.

Each is a function (values [N], profile of the column, draws, *constants) -> values [N]. Draws do
not depend on the severity: a cell that one severity changes, a higher one changes too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..draws import Stream
from .cells import nullable, uniform, write
from .profile import Profile


def missing_values(
    values: pd.Series[Any], profile: Profile, draws: Stream, share: float
) -> pd.Series[Any]:
    """Blanks some cells, completely at random (MCAR, Rubin, "Inference and missing data", 1976).

    A blank is what pandas writes for the type: NaN in floats, texts, objects and categories (no
    category is added), NaT in dates, NA in nullable types. NumPy's integers and booleans have
    none: these columns come back nullable (int64 as Int64, bool as boolean).

    Args:
        values: Any column.
        profile: Has no part in it.
        draws: One key for each row.
        share: Chance that a cell goes missing.
    """
    return nullable(values).mask(uniform(draws, 0) < share)


def category_swap(
    values: pd.Series[Any], profile: Profile, draws: Stream, share: float
) -> pd.Series[Any]:
    """Replaces some entries by draws from the column's marginal in the reference.

    The column by itself stays as it was; what it told about the other columns fades. A draw may
    be the value that was there. Blanks stay, and a column of categories gets only its own.

    Args:
        values: Texts, categories or booleans.
        profile: Of the reference column, whose values and shares are the marginal.
        draws: One key for each row.
        share: Chance that a cell is drawn anew.
    """
    shares = np.array([]) if profile.shares is None else profile.shares
    if isinstance(values.dtype, pd.CategoricalDtype):
        shares = np.where([one in values.dtype.categories for one in profile.values], shares, 0)
    hit = values.notna().to_numpy(dtype=bool) & (uniform(draws, 0) < share)
    if not shares.sum() or not hit.any():
        return values.copy()
    steps = np.cumsum(shares / shares.sum())
    # The last value that has a share, where rounding leaves the last step below 1.
    last = int(np.flatnonzero(shares)[-1])
    codes = np.minimum(np.searchsorted(steps, uniform(draws, 1)[hit], side="right"), last)
    return write(values, [profile.values[code] for code in codes], hit)
