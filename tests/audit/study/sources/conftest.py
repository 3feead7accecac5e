"""Small data sets on disk, and modules next to a config, for the tests of data sources."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import numpy as np
import pandas as pd
import pytest
from PIL import Image

_numbers = itertools.count()


@pytest.fixture
def module(tmp_path: Path) -> Callable[[str], str]:
    """Writes a module next to the config, under a name that no other test uses."""

    def write(text: str) -> str:
        name = f"sources_module_{next(_numbers)}"
        (tmp_path / f"{name}.py").write_text(dedent(text))
        return name

    return write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """`pictures/{train,test}/{cat,dog}/N.png`: 6 and 4 a class, of 5×4 pixels, grey."""
    root = tmp_path / "pictures"
    for split, count in (("train", 6), ("test", 4)):
        for code, name in enumerate(("cat", "dog")):
            (root / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = np.full((5, 4), 100 * code + number, dtype=np.uint8)
                Image.fromarray(pixels).save(root / split / name / f"{number}.png")
    return root


@pytest.fixture
def people() -> pd.DataFrame:
    """40 rows: a number and a text with blanks, an age, a sex, a label high or low."""
    rows = np.arange(40)
    return pd.DataFrame(
        {
            "hours": np.where(rows % 7 == 0, np.nan, rows * 1.0),
            "job": np.where(rows % 6 == 3, "?", np.where(rows % 4 == 0, "clerk", "cook")),
            "age": rows * 2,
            "sex": np.where(rows % 2 == 0, "F", "M"),
            "income": np.where(rows % 5 == 0, "high", "low"),
        }
    )
