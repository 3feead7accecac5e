"""Finds the audited test examples among the rows of a corrupted set on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.errors import InputError

IntArray = NDArray[np.int64]
Examples = Literal["auto", "same", "own"]


_SORTED = (
    "their labels are sorted by class, and so say nothing of the order within one; write "
    "`examples: same` if rows are in the order of the test examples"
)


@dataclass(frozen=True, eq=False)
class Listed:
    """Examples by id and label.

    Attributes:
        ids: str [N]; None where rows have no names.
        labels: int64 [N], codes of the audited classes; -1 for rows of classes that are left out.
    """

    ids: NDArray[Any] | None
    labels: IntArray

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class Joined:
    """Which rows are shown, and as which examples.

    Attributes:
        rows: int64 [shown], rows of the set.
        same: Whether row k of these is the k-th audited test example.
        how: Why, as the end of a sentence.
    """

    rows: IntArray
    same: bool
    how: str


def join(there: Listed, test: Listed, asked: Examples, origin: str) -> Joined:
    """Rows of a set as the audited test examples, or as examples of their own.

    They are the same where ids agree, or file names within each class, or else the number of rows
    and every label in order; a test part that is a sample of a split is found by its row numbers.
    Labels that are sorted by class confirm no order: such rows are the same only where that is
    asked for.

    Args:
        there: The rows of the set.
        test: The audited test examples; they have ids.
        asked: What the config says of them.
        origin: What a sentence calls the set.

    Raises:
        InputError: They should be the same and are not: labels disagree, or examples are missing.
    """
    own = np.flatnonzero(there.labels >= 0)
    if asked == "own":
        return Joined(own, False, "as asked")
    rows, how = _by_name(there, test, origin)
    if rows is not None:
        return Joined(rows, True, how)
    rows, how = _by_place(there, test, origin)
    if rows is not None and asked == "auto" and _sorted(there.labels):
        return Joined(own, False, _SORTED)
    if rows is not None:
        return Joined(rows, True, how)
    if asked == "same":
        raise InputError(
            f"{origin} has {len(there):,} examples and the test part {len(test):,}, and neither "
            "ids nor labels say which is which: leave `examples` out to read them as others."
        )
    return Joined(own, False, "neither ids nor labels say which test examples they are")


def _by_place(there: Listed, test: Listed, origin: str) -> tuple[IntArray | None, str]:
    if len(there) != len(test):
        rows = _row_numbers(test, len(there))
        if rows is not None and _disagreeing(there, test, rows):
            rows = None
        return rows, "row numbers and every label agree"
    rows = np.arange(len(test))
    wrong = _disagreeing(there, test, rows)
    if wrong:
        raise InputError(
            f"{origin} has as many examples as the test part, and {wrong:,} of the {len(test):,} "
            "labels disagree: check the order of the classes, or read them as other examples with "
            "`examples: own`."
        )
    return rows, "the number of rows and every label agree"


def _sorted(labels: IntArray) -> bool:
    """Whether rows come class by class, with several of one class."""
    steps = np.diff(labels)
    return bool((steps >= 0).all() and (steps == 0).any())


def _by_name(there: Listed, test: Listed, origin: str) -> tuple[IntArray | None, str]:
    for keys, how in ((_ids, "ids agree"), (_files, "file names agree within each class")):
        ours, theirs = pd.Index(keys(test)), pd.Index(keys(there))
        if not len(theirs) or not theirs.is_unique or not ours.is_unique:
            continue
        rows = np.asarray(theirs.get_indexer(ours), dtype=np.int64)
        found = rows >= 0
        wrong = _disagreeing(there, test, rows)
        # Bare row numbers may be those of anything: where labels differ too, they name nothing.
        if not found.any() or (_are_numbers(test) and (wrong or not found.all())):
            continue
        if not found.all():
            lost = np.asarray(test.ids)[~found]
            raise InputError(
                f"{origin} lacks {len(lost):,} of the {len(test):,} test examples, for example "
                f"{lost[0]}: add them, or read the others as examples of their own with "
                "`examples: own`."
            )
        if wrong:
            raise InputError(
                f"{origin} has the test examples by id, and {wrong:,} of the {len(test):,} labels "
                "disagree: check the order of the classes."
            )
        return rows, how
    return None, ""


def _ids(some: Listed) -> list[str]:
    return [] if some.ids is None else some.ids.astype(str).tolist()


def _are_numbers(some: Listed) -> bool:
    return all(one.isdigit() for one in _ids(some))


def _files(some: Listed) -> list[tuple[int, str]]:
    """Class and file name without its ending: a set may be JPEG where the test images are PNG."""
    ids = _ids(some)
    if not all("/" in one for one in ids):
        return []
    stems = [PurePosixPath(one).stem for one in ids]
    return list(zip(some.labels.tolist(), stems, strict=False))


def _row_numbers(test: Listed, count: int) -> IntArray | None:
    ids = _ids(test)
    if not ids or not all(one.isdigit() and int(one) < count for one in ids):
        return None
    return np.array([int(one) for one in ids], dtype=np.int64)


def _disagreeing(there: Listed, test: Listed, rows: IntArray) -> int:
    return int((there.labels[rows] != test.labels).sum())
