"""CIFAR-C's layout: one `.npy` for each corruption, its severities one after another."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit.evidence.errors import InputError
from audit.evidence.files import flush, remove, write_file
from audit.study.writing.examples import Pixels
from audit.study.writing.layouts import Content, Unit, whole_or_absent
from corruptions.requantise import requantise

LABELS, IDS = "labels.npy", "ids.npy"
# Severities wait here until all of a corruption are there; hidden from whoever lists arrays.
PARTS = ".parts"


@dataclass(frozen=True, eq=False)
class ArrayFiles:
    """`<corruption>.npy`, uint8 [S·N, H, W, C] for S severities; `labels.npy`, `ids.npy`."""

    content: Content

    def check(self) -> None:
        """One array holds one size.

        Raises:
            InputError: Sizes differ.
        """
        if self.content.shape is None:
            raise InputError(
                "The images differ in size, and an array of the cifar-c layout holds one size: "
                "give --image-size, or another --layout."
            )

    def begin(self) -> None:
        """Writes the labels and ids."""
        small = len(self.content.classes) <= 256
        labels = self.content.labels.astype(np.uint8 if small else np.int64)
        repeats = len(self.content.severities(self.content.corruptions[0]))
        for name, values in ((LABELS, labels), (IDS, self.content.ids)):
            write_file(self.content.folder / name, _npy(np.tile(values, repeats)))

    def done(self, unit: Unit) -> bool:
        """Whether the severity waits, or its corruption is put together already."""
        return self._whole(unit.corruption).is_file() or self._part(unit).is_file()

    def encoded(self, image: Pixels) -> Pixels:
        """The image itself, through a JPEG file where images are requantised."""
        return requantise(image[None])[0] if self.content.requantised else image

    def write(self, unit: Unit, parts: Iterator[tuple[int, Sequence[Pixels]]]) -> None:
        """Writes the array of one severity, which waits for the others."""
        target = self._part(unit)
        with whole_or_absent(target) as scratch:
            array = self._array(scratch, len(self.content))
            for start, images in parts:
                array[start : start + len(images)] = np.stack(images)
            _publish(array, scratch, target)

    def finish(self, corruption: str) -> None:
        """Joins the severities of a corruption."""
        target, severities = self._whole(corruption), self.content.severities(corruption)
        waiting = [self._part(Unit(corruption, severity)) for severity in severities]
        if not target.is_file():
            with whole_or_absent(target) as scratch:
                count = len(self.content)
                array = self._array(scratch, count * len(waiting))
                for place, part in enumerate(waiting):
                    array[place * count : (place + 1) * count] = np.load(part, mmap_mode="r")
                _publish(array, scratch, target)
        for part in waiting:
            remove(part)
        folder = self.content.folder / PARTS
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()

    def _array(self, path: Path, count: int) -> np.memmap[Any, Any]:
        shape = (count, *(self.content.shape or ()))
        return np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)

    def _whole(self, corruption: str) -> Path:
        return self.content.folder / f"{corruption}.npy"

    def _part(self, unit: Unit) -> Path:
        return self.content.folder / PARTS / f"{unit.corruption}-{unit.severity:g}.npy"


def _publish(array: np.memmap[Any, Any], scratch: Path, target: Path) -> None:
    array.flush()
    with scratch.open("rb") as file:
        flush(file)
    scratch.replace(target)


def _npy(array: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()
