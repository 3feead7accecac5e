"""Makes a group rare in the training part, so that the audit can show what pruning does to one."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.errors import InputError
from audit.evidence.nearest import hint
from audit.study.data_settings import Undersample
from audit.study.sources.cuts import stratified_sample
from audit.study.sources.encoding import texts


def undersample(
    wanted: Undersample, columns: pd.DataFrame, codes: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], str]:
    """Draws which training examples stay.

    Args:
        wanted: The group and the fraction of it to keep.
        columns: Group and other columns of the training part, N rows.
        codes: Its class codes, int64 [N]; the group keeps its mix of classes.

    Returns:
        bool [N], true where an example stays; the sentence for the report.

    Raises:
        InputError: There is no such column, or no training example in the group.
    """
    member = np.ones(len(codes), dtype=bool)
    for name, value in wanted.where.items():
        if name not in columns:
            raise InputError(
                f"data.undersample asks for the column {name!r}, which is not there: "
                f"{hint(name, columns.columns)}"
            )
        found = texts(columns[name])
        here = found == str(value)
        if not here.any():
            raise InputError(
                f"data.undersample asks for {name}={value}, which no training example has: "
                f"{hint(str(value), sorted(set(found)))}"
            )
        member &= here
    group = " & ".join(f"{name}={value}" for name, value in sorted(wanted.where.items()))
    rows = np.flatnonzero(member)
    if not len(rows):
        raise InputError(f"data.undersample asks for {group}, which no training example has.")
    count = max(1, round(wanted.keep * len(rows)))
    stays = ~member
    stays[rows] = stratified_sample(codes[rows], count, (wanted.seed, 0))
    return stays, (
        f"Training keeps {100 * wanted.keep:g} % of {group} ({count:,} of {len(rows):,} examples), "
        "so that this group is rare in it; validation and test are as they were."
    )
