"""The examples that are copied: their labels and ids, and their images one at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.evidence.errors import InputError
from audit.evidence.nearest import hint
from audit.study.data_settings import DataSettings
from audit.study.sources.choose import choose, splits_in_use
from audit.study.sources.given_source import take_source
from audit.study.sources.ids import example_ids
from audit.study.sources.labels import code_labels
from audit.study.sources.load import SOURCES, validation_fraction
from audit.study.sources.parts import Source
from audit.study.sources.pictures import decode
from audit.study.sources.records import Holdings, Picture, Records

IntArray = NDArray[np.int64]
Pixels = NDArray[np.uint8]
SMALLEST = 2  # pixels a side that corruptions need
_OF_OTHER_PARTS = ("The train part", "The validation part")


@dataclass(frozen=True)
class Unreadable:
    """An image that cannot be read, and why."""

    name: str
    why: str


@dataclass(frozen=True, eq=False)
class Examples:
    """The examples of one part of a source.

    Attributes:
        settings: The data section.
        split: The split that they are of.
        classes: Class names; a label is a position in it.
        labels: int64 [N].
        ids: int64 or str [N]: those that a study of the same data section has.
        rows: int64 [N], positions in the split.
        pictures: Gives the pictures of rows, in that order; None where `arrays` has the images.
        arrays: uint8 [N, H, W, C], or None.
        notes: What to say about how they were cut.
    """

    settings: DataSettings
    split: str
    classes: tuple[str, ...]
    labels: IntArray
    ids: NDArray[Any]
    rows: IntArray
    pictures: Callable[[IntArray], Iterator[Picture]] | None = None
    arrays: Pixels | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.rows)

    def images(self, positions: IntArray) -> Iterator[Pixels | Unreadable]:
        """The images at these positions, [H, W] where grey and [H, W, 3] where coloured."""
        if self.arrays is not None:
            yield from self.arrays[positions]
        if self.pictures is None:
            return
        skipping = self.settings.model_copy(update={"unreadable": "skip"})
        for picture in self.pictures(self.rows[positions]):
            decoded = decode([picture], skipping)
            yield (
                _large_enough(picture.name, decoded.images[0])
                if decoded.images
                else Unreadable(*decoded.unreadable[0])
            )


@contextmanager
def examples_of(settings: DataSettings, base: Path) -> Iterator[Examples]:
    """Opens a source for as long as its images are read.

    Raises:
        InputError: It is not there, has no images, or not the split that is asked for.
    """
    with tempfile.TemporaryDirectory(prefix="prune-audit-", ignore_cleanup_errors=True) as scratch:
        held = SOURCES[settings.reader](settings, base, Path(scratch))
        yield _given(held, settings) if isinstance(held, Source) else _held(held, settings)


def _large_enough(name: str, image: Pixels) -> Pixels | Unreadable:
    height, width = image.shape[:2]
    if min(height, width) < SMALLEST:
        return Unreadable(name, f"it has {height}×{width} pixels, and a side needs {SMALLEST}")
    return image


def _given(source: Source, settings: DataSettings) -> Examples:
    part = take_source(source, settings).test
    if source.kind != "image":
        raise _no_images(settings)
    rows = np.arange(len(part), dtype=np.int64)
    return Examples(
        settings, "test", source.classes, part.labels, part.ids, rows, arrays=part.inputs
    )


def _held(held: Holdings, settings: DataSettings) -> Examples:
    _check_split(held, settings)
    used = splits_in_use(settings, held.splits)
    labels = {name: held.splits[name].column(held.label, "label") for name in used.values()}
    coded = code_labels(labels, held.classes, settings.classes)
    chosen, notes = choose(settings, used, coded.codes, validation_fraction(settings))
    test, records = chosen["test"], held.splits[chosen["test"].split]
    if records.pictures is None and (records.arrays is None or records.arrays.ndim != 4):
        raise _no_images(settings)
    return Examples(
        settings,
        test.split,
        coded.classes,
        coded.codes[test.split][test.rows],
        example_ids(chosen, held.splits, settings.id)["test"],
        test.rows,
        records.pictures,
        _arrays(records, test.rows),
        (*held.notes, *(one for one in notes if not one.startswith(_OF_OTHER_PARTS))),
    )


def _arrays(records: Records, rows: IntArray) -> Pixels | None:
    return records.arrays[rows] if records.arrays is not None else None


def _check_split(held: Holdings, settings: DataSettings) -> None:
    names, asked = list(held.splits), settings.splits.test
    stated = "test" in settings.splits.model_fields_set
    if asked not in names and (stated or len(names) > 1):
        raise InputError(
            f"{settings.path or settings.source} has no split {asked!r}: {hint(asked, names)} "
            "Name one with --split."
        )


def _no_images(settings: DataSettings) -> InputError:
    return InputError(
        f"{settings.path or settings.source} holds table rows, and corruptions change pixels: "
        "name a data set of images."
    )
