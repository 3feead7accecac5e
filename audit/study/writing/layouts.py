"""What a layout of corrupted copies does, and the three that there are.

A unit is one corruption at one severity. A layout writes it whole or not at all: to a scratch name
beside its place, flushed, then renamed; so done means that the unit's file or folder is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from audit.evidence.files import blaming, clear_leftovers, remove, scratch_path
from audit.study.writing.examples import Pixels


@dataclass(frozen=True)
class Unit:
    """One corruption at one severity."""

    corruption: str
    severity: float

    def __str__(self) -> str:
        return f"{self.corruption} {self.severity:g}"


@dataclass(frozen=True, eq=False)
class Content:
    """What every unit of a copy holds, whatever is done to the pixels.

    Attributes:
        folder: Of the copy.
        units: All of them, a corruption's severities one after another, increasing.
        shape: [height, width, channels] of the images; None where sizes differ.
        files: A file name for each image below its class folder, without its ending.
        ids: Ids, int64 or str [N].
        labels: int64 [N].
        classes: Class names.
        requantised: Whether images go through a JPEG file.
    """

    folder: Path
    units: tuple[Unit, ...]
    shape: tuple[int, int, int] | None
    files: tuple[str, ...]
    ids: NDArray[Any]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    requantised: bool

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def corruptions(self) -> tuple[str, ...]:
        """Their names, in order."""
        return tuple(dict.fromkeys(unit.corruption for unit in self.units))

    def severities(self, corruption: str) -> tuple[float, ...]:
        """Those that a corruption is written at."""
        return tuple(unit.severity for unit in self.units if unit.corruption == corruption)


class Layout(Protocol):
    """How a copy is laid out on disk."""

    def check(self) -> None:
        """Raises InputError where the layout cannot hold these images."""
        ...

    def begin(self) -> None:
        """Writes what all units share."""
        ...

    def done(self, unit: Unit) -> bool:
        """Whether a unit is there."""
        ...

    def encoded(self, image: Pixels) -> Any:
        """One changed image [H, W, C] as it is stored; called from several threads."""
        ...

    def write(self, unit: Unit, parts: Iterator[tuple[int, Sequence[Any]]]) -> None:
        """Writes a unit from (position of the first, encoded images), in order."""
        ...

    def finish(self, corruption: str) -> None:
        """Puts together what belongs together, once all severities of a corruption are there."""
        ...


@contextmanager
def whole_or_absent(target: Path) -> Iterator[Path]:
    """A scratch name that whoever enters fills, flushes and renames; gone where that fails."""
    scratch = scratch_path(target)
    try:
        with blaming(target.parent):
            target.parent.mkdir(parents=True, exist_ok=True)
            clear_leftovers(target)
            yield scratch
    finally:
        remove(scratch)


def layouts() -> Mapping[str, Callable[[Content], Layout]]:
    """Every layout by its name."""
    from audit.study.writing.array_files import ArrayFiles
    from audit.study.writing.image_folders import ImageFolders
    from audit.study.writing.parquet_files import ParquetFiles

    return {"imagenet-c": ImageFolders, "cifar-c": ArrayFiles, "parquet": ParquetFiles}
