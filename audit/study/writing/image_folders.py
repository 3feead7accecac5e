"""ImageNet-C's layout: `<corruption>/<severity>/<class>/<file>`."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from audit.evidence.files import flush, write_file
from audit.evidence.store import publish
from audit.study.writing.encoding import encoded
from audit.study.writing.examples import Pixels
from audit.study.writing.layouts import Content, Unit, whole_or_absent

EXAMPLES = "examples.csv"


@dataclass(frozen=True, eq=False)
class ImageFolders:
    """A folder for each unit, in it one for each class, in it a file for each image."""

    content: Content

    def check(self) -> None:
        """It holds images of any size."""

    def begin(self) -> None:
        """Writes which file is which example."""
        write_file(self.content.folder / EXAMPLES, _examples(self.content))

    def done(self, unit: Unit) -> bool:
        """Whether the unit's folder is there."""
        return self._place(unit).is_dir()

    def encoded(self, image: Pixels) -> bytes:
        """A PNG file, or a JPEG file where images are requantised."""
        return encoded(image, self.content.requantised)

    def write(self, unit: Unit, parts: Iterator[tuple[int, Sequence[bytes]]]) -> None:
        """Writes a file for each image."""
        target = self._place(unit)
        with whole_or_absent(target) as scratch:
            scratch.mkdir()
            made = set[Path]()
            for start, files in parts:
                for name, content in zip(self.content.files[start:], files, strict=False):
                    path = scratch / name
                    if path.parent not in made:
                        path.parent.mkdir(parents=True, exist_ok=True)
                        made.add(path.parent)
                    path.write_bytes(content)
            _flush_all(scratch)
            publish(scratch, target)

    def finish(self, corruption: str) -> None:
        """Nothing is left to do."""

    def _place(self, unit: Unit) -> Path:
        return self.content.folder / unit.corruption / f"{unit.severity:g}"


def _examples(content: Content) -> bytes:
    """A table of the file, id, label and class of each image."""
    table = io.StringIO()
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["file", "id", "label", "class"])
    labels = content.labels.tolist()
    for file, one, label in zip(content.files, content.ids.tolist(), labels, strict=True):
        rows.writerow([file, one, label, content.classes[label]])
    return table.getvalue().encode()


def _flush_all(folder: Path) -> None:
    """Everything at once where the system can: file by file takes longer than making them does."""
    if hasattr(os, "sync"):
        os.sync()
        return
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                flush(file)
