"""A table in which labels are missing names no models but its own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from audit import audit_table
from reports.overview import arms


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_missing_labels_make_no_row_of_their_own(share):
    rng = np.random.default_rng(0)
    n = 60
    label = rng.integers(0, 3, n)
    known = np.where(rng.random(n) < share, np.nan, label)
    frames = [
        pd.DataFrame(
            {"model": f"{role}{seed}", "parent": "" if role == "d" else f"d{seed}",
             "sparsity": 0.0 if role == "d" else 0.9, "example": range(n), "label": known,
             "predicted": np.where(rng.random(n) < 0.2, (label + 1) % 3, label)}
        )
        for role in "dp"
        for seed in range(2)
    ]  # fmt: skip
    assert arms(audit_table(pd.concat(frames))) == (("pruned", 0.9),)
