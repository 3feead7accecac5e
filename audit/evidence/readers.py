"""Reads the kinds of table there are: Parquet, CSV, Arrow files, and tables in memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from audit.evidence.errors import TableError

Table: TypeAlias = str | os.PathLike[str] | pd.DataFrame | pa.Table
Read: TypeAlias = Callable[[Mapping[str, str]], pa.Table]
Reader: TypeAlias = tuple[Read, list[str], Mapping[bytes, bytes]]

# Read as text from CSV, so that an id like 007 stays what it is; whole numbers are found again.
WRITTEN = ("model", "parent", "condition", "example", "target", "label", "predicted")


def reader(table: Table) -> Reader:
    """Opens a table.

    Args:
        table: A path or a table in memory.

    Returns:
        A function that reads columns (our name -> theirs) under their names, the names of all
        columns, and the metadata.

    Raises:
        TableError: The table is not there or cannot be read.
    """
    if isinstance(table, pd.DataFrame):
        return _from_frame(table)
    if isinstance(table, pa.Table):
        return _from_arrow(table)
    path = Path(os.fspath(table))
    if not path.is_file():
        what = "is a folder, not a table" if path.is_dir() else "is not there"
        raise TableError(f"{path} {what}: give the path of a file of predictions.")
    suffix = next((s for s in map(str.lower, reversed(path.suffixes)) if s in READERS), None)
    if suffix is None:
        known = ", ".join(READERS)
        raise TableError(f"{path} is of no kind that can be read: give one of {known}.")
    opened: Reader = reading(str(path), lambda: READERS[suffix](path))
    return opened


def reading(title: str, read: Callable[[], Any]) -> Any:
    """Calls `read` and says which table it was that could not be read.

    Raises:
        TableError: It could not.
    """
    try:
        return read()
    except (pa.ArrowException, OSError, TypeError, ValueError) as error:
        cause = str(error).splitlines()[0].rstrip(".")
        raise TableError(
            f"{title} cannot be read ({cause}): check that it is whole, with one type per column."
        ) from error


def _from_frame(table: pd.DataFrame) -> Reader:
    frame = table.set_axis([str(name) for name in table.columns], axis="columns")

    def read(chosen: Mapping[str, str]) -> pa.Table:
        used = frame.loc[:, list(dict.fromkeys(chosen.values()))]
        return pa.Table.from_pandas(used, preserve_index=False)

    return read, list(frame.columns), {}


def _from_arrow(table: pa.Table) -> Reader:
    return lambda chosen: table, list(table.column_names), table.schema.metadata or {}


def _from_parquet(path: Path) -> Reader:
    schema = parquet.read_schema(path)

    def read(chosen: Mapping[str, str]) -> pa.Table:
        used = list(dict.fromkeys(chosen.values()))
        texts = [name for name in used if pa.types.is_string(schema.field(name).type)]
        with parquet.ParquetFile(path, read_dictionary=texts) as file:
            return file.read(used)

    return read, list(schema.names), schema.metadata or {}


def _from_csv(path: Path) -> Reader:
    parse = csv.ParseOptions(delimiter="\t" if ".tsv" in path.suffixes else ",")
    # A group called NA (Namibia, North America) is a group: only these cells are empty.
    empty = ["", "NaN", "nan"]
    with csv.open_csv(path, parse_options=parse) as file:
        names = list(file.schema.names)

    def read(chosen: Mapping[str, str]) -> pa.Table:
        written = pa.dictionary(pa.int32(), pa.string())
        options = csv.ConvertOptions(
            include_columns=list(dict.fromkeys(chosen.values())),
            column_types={chosen[name]: written for name in WRITTEN if name in chosen},
            null_values=empty,
            strings_can_be_null=True,
        )
        table = csv.read_csv(path, parse_options=parse, convert_options=options)
        for name in {chosen[name] for name in ("example", "label", "predicted") if name in chosen}:
            index = table.column_names.index(name)
            table = table.set_column(index, name, _integers_if_written_so(table.column(name)))
        return table

    return read, names, {}


def _from_ipc(path: Path) -> Reader:
    with pa.memory_map(str(path)) as file:
        try:
            table = pa.ipc.open_file(file).read_all()
        except pa.ArrowInvalid:  # files of `datasets` are streams
            file.seek(0)
            table = pa.ipc.open_stream(file).read_all()
    return _from_arrow(table)


READERS: Mapping[str, Callable[[Path], Reader]] = {
    ".parquet": _from_parquet,
    ".pq": _from_parquet,
    ".csv": _from_csv,
    ".tsv": _from_csv,
    ".feather": _from_ipc,
    ".arrow": _from_ipc,
    ".ipc": _from_ipc,
}


def _integers_if_written_so(column: pa.ChunkedArray) -> pa.ChunkedArray:
    column = column.unify_dictionaries()
    words = column.chunk(0).dictionary if column.num_chunks else pa.array([], pa.string())
    try:
        whole = words.cast(pa.float64()).cast(pa.int64())
    except pa.ArrowInvalid:
        return column
    as_written = pc.equal(whole.cast(pa.string()), words)
    # 3.0 is how pandas writes a 3 whose column once had an empty cell
    as_float = pc.equal(pc.binary_join_element_wise(whole.cast(pa.string()), ".0", ""), words)
    if not pc.all(pc.or_(as_written, as_float)).as_py():
        return column
    chunks = [pa.DictionaryArray.from_arrays(chunk.indices, whole) for chunk in column.chunks]
    return pa.chunked_array(chunks).cast(pa.int64())
