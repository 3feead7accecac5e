"""Parquet that `datasets.load_dataset` reads: one file for each unit, images and what they are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from audit.evidence.files import flush
from audit.study.writing.encoding import encoded
from audit.study.writing.examples import Pixels
from audit.study.writing.layouts import Content, Unit, whole_or_absent

# What `datasets` takes for the split of that name, whatever other files are beside it.
FOLDER = "test"


@dataclass(frozen=True, eq=False)
class ParquetFiles:
    """`test/<corruption>-<severity>.parquet`: image, label, id, corruption, severity."""

    content: Content

    def check(self) -> None:
        """It holds images of any size."""

    def begin(self) -> None:
        """Nothing is shared."""

    def done(self, unit: Unit) -> bool:
        """Whether the unit's file is there."""
        return self._place(unit).is_file()

    def encoded(self, image: Pixels) -> bytes:
        """A PNG file, or a JPEG file where images are requantised."""
        return encoded(image, self.content.requantised)

    def write(self, unit: Unit, parts: Iterator[tuple[int, Sequence[bytes]]]) -> None:
        """Writes one row group for each part."""
        target, schema = self._place(unit), self._schema()
        with whole_or_absent(target) as scratch:
            with scratch.open("wb") as file:
                with pq.ParquetWriter(file, schema, compression="NONE") as writer:
                    for start, files in parts:
                        writer.write_table(self._rows(unit, start, files, schema))
                flush(file)
            scratch.replace(target)

    def finish(self, corruption: str) -> None:
        """Nothing is left to do."""

    def _place(self, unit: Unit) -> Path:
        return self.content.folder / FOLDER / f"{unit.corruption}-{unit.severity:g}.parquet"

    def _schema(self) -> pa.Schema:
        texts = self.content.ids.dtype.kind != "i"
        fields = {
            "image": pa.struct([("bytes", pa.binary()), ("path", pa.string())]),
            "label": pa.int64(),
            "id": pa.string() if texts else pa.int64(),
            "corruption": pa.string(),
            "severity": pa.float64(),
        }
        features: dict[str, Any] = {
            "image": {"_type": "Image"},
            "label": {"names": list(self.content.classes), "_type": "ClassLabel"},
            "id": {"dtype": "string" if texts else "int64", "_type": "Value"},
            "corruption": {"dtype": "string", "_type": "Value"},
            "severity": {"dtype": "float64", "_type": "Value"},
        }
        told = json.dumps({"info": {"features": features}}, sort_keys=True)
        return pa.schema(list(fields.items()), metadata={"huggingface": told})

    def _rows(self, unit: Unit, start: int, files: Sequence[bytes], schema: pa.Schema) -> pa.Table:
        some = slice(start, start + len(files))
        names = [name.rpartition("/")[2] for name in self.content.files[some]]
        images = [
            {"bytes": content, "path": name} for content, name in zip(files, names, strict=True)
        ]
        columns = {
            "image": images,
            "label": self.content.labels[some],
            "id": self.content.ids[some].tolist(),
            "corruption": [unit.corruption] * len(files),
            "severity": [unit.severity] * len(files),
        }
        return pa.table(columns, schema=schema)
