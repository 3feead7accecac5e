"""Writes and reads the Parquet files of an evidence folder, and checks their version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
from pyarrow import parquet

from audit.evidence.check import nearest
from audit.evidence.errors import TableError
from audit.evidence.files import write_file
from audit.evidence.schema import EVIDENCE_SCHEMA, METADATA_KEY

METADATA: Mapping[bytes, bytes] = {METADATA_KEY: json.dumps({"schema": EVIDENCE_SCHEMA}).encode()}


def write_table(path: Path, table: pa.Table, metadata: Mapping[bytes, bytes]) -> Path:
    """Writes a Parquet file, whole or not at all, with this metadata and no other.

    Raises:
        StoreError: The file cannot be written.
    """
    buffer = BytesIO()
    # Numbers of which hardly two are alike gain nothing from a dictionary, and lose half the speed.
    plain = [field.name for field in table.schema if not pa.types.is_list(field.type)]
    parquet.write_table(
        table.replace_schema_metadata(dict(metadata)),
        buffer,
        compression="zstd",
        use_dictionary=True if len(plain) == table.num_columns else plain,
    )
    return write_file(path, buffer.getvalue())


def read_table(
    path: Path,
    needed: tuple[str, ...],
    wanted: tuple[str, ...] | None = None,
    instead: Mapping[str, str] = MappingProxyType({}),
) -> pa.Table:
    """Reads a Parquet file of an evidence folder.

    Args:
        path: The file.
        needed: Columns that it must have.
        wanted: Columns to read where they are there; None for all.
        instead: Column that is needed -> one that may take its place.

    Raises:
        TableError: The file is missing, broken, without rows, lacks a column, or was written by a
            later version.
    """
    if not path.is_file():
        raise TableError(f"{path} is not there: write it, or give the path of an evidence folder.")
    try:
        with parquet.ParquetFile(path) as file:
            names, metadata = file.schema_arrow.names, file.schema_arrow.metadata or {}
            table = file.read([name for name in names if wanted is None or name in wanted])
    except (pa.ArrowException, OSError) as error:
        cause = str(error).splitlines()[0].rstrip(".")
        raise TableError(f"{path} cannot be read ({cause}): write it again.") from error
    _check_version(path, metadata)
    for name in needed:
        if name not in names and instead.get(name) not in names:
            raise TableError(f"{path} has no column {name!r}: add it ({nearest(name, names)}).")
    if not table.num_rows:
        raise TableError(f"{path} has no rows: write it again with some.")
    return table


def _check_version(path: Path, metadata: Mapping[bytes, bytes]) -> None:
    try:
        written = str(json.loads(metadata.get(METADATA_KEY, METADATA[METADATA_KEY]))["schema"])
        kind, version = written.rsplit("/", 1)
        ours_kind, ours = EVIDENCE_SCHEMA.rsplit("/", 1)
        known, newer = kind == ours_kind, int(version) > int(ours)
    except (KeyError, TypeError, ValueError) as error:
        raise TableError(f"{path} does not say which schema it follows: write it again.") from error
    if not known or newer:
        todo = "install a later prune-audit to read it" if known else "give an evidence folder"
        raise TableError(f"{path} follows {written!r} and this is {EVIDENCE_SCHEMA!r}: {todo}.")
