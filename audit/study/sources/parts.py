"""What a data source gives: its parts as arrays, with classes, groups and notes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.study.sources.encoding import Encoding

IntArray = NDArray[np.int64]
Kind = Literal["image", "table", "text"]


@dataclass(frozen=True)
class Part:
    """Examples for one use: training, validation or test.

    Attributes:
        inputs: Images, uint8 [N, H, W, C] with C 1 or 3, table rows, float32 [N, F], or texts, str
            in object [N].
        labels: int64 [N], class codes.
        ids: int64 or str [N], distinct over all parts of a source.
        groups: N rows, a text column per grouping, named without the `group_` prefix.
    """

    inputs: NDArray[Any]
    labels: IntArray
    ids: NDArray[Any]
    groups: pd.DataFrame

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: IntArray | NDArray[np.bool_]) -> Part:
        """The examples at these positions, or where a mask is true."""
        return Part(
            self.inputs[rows],
            self.labels[rows],
            self.ids[rows],
            self.groups.iloc[np.arange(len(self))[rows]].reset_index(drop=True),
        )


@dataclass(frozen=True)
class Vocabulary:
    """What another data set must share with the one that the models were trained on.

    Attributes:
        classes: Class names in the order of the codes.
        shape: Shape of one input: (H, W, C), (F,), or () of texts.
        encoding: How a table's columns became features; None for anything else.
    """

    classes: tuple[str, ...]
    shape: tuple[int, ...]
    encoding: Encoding | None = None

    def to_dict(self) -> dict[str, Any]:
        """The vocabulary in JSON's types."""
        encoding = self.encoding.to_dict() if self.encoding is not None else None
        return {"classes": list(self.classes), "shape": list(self.shape), "encoding": encoding}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Vocabulary:
        """The inverse of `to_dict`."""
        encoding = values["encoding"]
        return cls(
            tuple(values["classes"]),
            tuple(values["shape"]),
            Encoding.from_dict(encoding) if encoding is not None else None,
        )


@dataclass(frozen=True)
class Source:
    """A data set, ready to train on and to audit with.

    Attributes:
        kind: `image`, `table` or `text`.
        classes: Class names; a label is a position in it.
        train: What models learn from; None where nothing is trained.
        validation: What training decisions are made on; None where there are none.
        test: What is audited.
        notes: Sentences that a report must repeat: what was cut, left out, or made rare.
        encoding: How a table's columns became features.
        merged: Of a natural shift, classes that are one class there; the first stands for all.
    """

    kind: Kind
    classes: tuple[str, ...]
    train: Part | None
    validation: Part | None
    test: Part
    notes: tuple[str, ...] = ()
    encoding: Encoding | None = None
    merged: tuple[tuple[str, ...], ...] = ()

    @property
    def parts(self) -> dict[str, Part]:
        """The parts there are, by name."""
        named = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: part for name, part in named.items() if part is not None}

    @property
    def vocabulary(self) -> Vocabulary:
        """What a natural shift of this data set must share with it."""
        return Vocabulary(self.classes, tuple(self.test.inputs.shape[1:]), self.encoding)

    def with_notes(self, *notes: str) -> Source:
        """The same data with more said about them."""
        return replace(self, notes=(*self.notes, *notes))
