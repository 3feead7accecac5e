"""A split as its source holds it, before labels become codes and pictures become arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.errors import InputError
from audit.evidence.nearest import hint

if TYPE_CHECKING:
    from PIL import Image

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Picture:
    """An image that has not been read yet.

    Attributes:
        name: What a sentence about it calls it.
        open: Opens it; raises what Pillow raises when it cannot be read.
    """

    name: str
    open: Callable[[], Image.Image]


@dataclass(frozen=True)
class Records:
    """The rows of one split.

    Exactly one of `pictures`, `arrays` and `features` holds the inputs.

    Attributes:
        columns: N rows: the label, and whatever else may be an id or a group.
        pictures: Gives the images of the rows asked for, in that order, one at a time.
        arrays: uint8 [N, H, W, C] images or float32 [N, F] rows.
        features: Names of the columns that are a table's features.
        ids: Example ids that the source itself gives; None to number the rows.
    """

    columns: pd.DataFrame
    pictures: Callable[[IntArray], Iterator[Picture]] | None = None
    arrays: NDArray[Any] | None = None
    features: tuple[str, ...] | None = None
    ids: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.columns)

    def column(self, name: str, key: str) -> pd.Series[Any]:
        """A column that the config asks for under `data.<key>`.

        Raises:
            InputError: There is none of that name; the nearest one is offered.
        """
        if name not in self.columns:
            raise InputError(
                f"data.{key} asks for the column {name!r}, which is not there: "
                f"{hint(name, self.columns.columns)}"
            )
        return self.columns[name]


@dataclass(frozen=True)
class Holdings:
    """What a reader found.

    Attributes:
        splits: Records by split name, in the source's order.
        label: Column of the labels.
        classes: Class names that the source declares; integer labels are positions in it.
        notes: Sentences for the report.
    """

    splits: Mapping[str, Records]
    label: str
    classes: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
