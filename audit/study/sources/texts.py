"""Reads the inputs of the chosen rows where they are texts: one column, as it is written."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.errors import InputError
from audit.study.sources.choose import Chosen, PartName
from audit.study.sources.records import Records

Texts = NDArray[np.object_]


def read_texts(
    chosen: Mapping[PartName, Chosen], held: Mapping[PartName, Records], column: str
) -> dict[PartName, Texts]:
    """The texts of each part, str in object [N].

    Args:
        chosen: Rows by part.
        held: Records by part.
        column: The column of texts.

    Raises:
        InputError: There is no such column, or a row of it holds no text.
    """
    return {
        part: _texts(one, held[part].column(column, "input"), column)
        for part, one in chosen.items()
    }


def _texts(chosen: Chosen, values: pd.Series, column: str) -> Texts:
    some = values.iloc[chosen.rows].astype(object).to_numpy()
    for row, one in zip(chosen.rows, some, strict=True):
        if not isinstance(one, str):
            said = "is blank" if pd.api.types.is_scalar(one) and pd.isna(one) else f"holds {one!r}"
            raise InputError(
                f"data.kind is text, and {column!r} {said} in row {row} of {chosen.split}: leave "
                "this row out, or give the text."
            )
    return some


def refuse_other_kind(found: str, shape: tuple[int, ...] | None) -> None:
    """Refuses texts for models of something else, and something else for models of texts.

    Args:
        found: `text`, or any other kind.
        shape: Shape of one input of the models; () for texts, None where this data set decides.

    Raises:
        InputError: They differ.
    """
    if shape is None or (found == "text") == (shape == ()):
        return
    if found == "text":
        raise InputError(
            "These are texts (kind: text), and the models were trained on "
            f"{'images' if len(shape) == 3 else 'table rows'}: name data of that kind."
        )
    raise InputError(
        "The models were trained on texts, and these data are none: add kind: text and, as input, "
        "the name of their column."
    )
