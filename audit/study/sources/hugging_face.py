"""Reads what `datasets.load_dataset` reads: Parquet, CSV, JSON, Arrow, image folders, hub names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from audit.evidence.errors import InputError
from audit.evidence.nearest import hint
from audit.study.data_settings import DataSettings
from audit.study.places import existing, located, on_hub
from audit.study.sources.manners import no_waiting, undisturbed
from audit.study.sources.pictures import from_bytes, from_file
from audit.study.sources.pixels import as_inputs
from audit.study.sources.records import Holdings, IntArray, Picture, Records

if TYPE_CHECKING:
    from datasets import Dataset

# Builders of the `datasets` library by a file's suffix; folders are recognised by the library.
BUILDERS = {
    ".arrow": "arrow",
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "json",
    ".parquet": "parquet",
    ".tsv": "csv",
}
_ROWS_AT_ONCE = 256  # encoded images that are in memory together


def read_datasets(settings: DataSettings, base: Path, scratch: Path) -> Holdings:
    """Every split that the path holds; images stay encoded until they are asked for.

    Args:
        settings: The data section.
        base: Folder of the config file.
        scratch: An empty folder that lives until the pictures are read. Local files are cached
            there and not in the user's cache, because that one tells files apart by their times.

    Raises:
        InputError: Nothing is there, the library cannot read it, or the input column is missing
            or of a type that is neither image nor numbers.
    """
    with undisturbed():
        splits = _load(settings, base, scratch)
        records = {
            name: _records(settings, name, split, _folder(settings, base))
            for name, split in splits.items()
        }
    label = next(iter(splits.values())).features.get(settings.label)
    return Holdings(records, settings.label, _class_names(label))


def _folder(settings: DataSettings, base: Path) -> Path:
    """What names of image files in a column are relative to."""
    path = located(str(settings.path), base)
    return path.parent if path.is_file() else path


def _load(settings: DataSettings, base: Path, scratch: Path) -> dict[str, Dataset]:
    import datasets

    path = str(settings.path)
    if "streaming" in settings.arguments:
        raise InputError("data.arguments.streaming has no use here, since rows are counted first.")
    try:
        if on_hub(path, base):
            with no_waiting():
                found = datasets.load_dataset(path, settings.name, **settings.arguments)
        else:
            found = _load_local(existing(path, base), settings, scratch)
    except InputError:
        raise
    except Exception as error:
        raise InputError(_unreadable(path, base, error)) from error
    if isinstance(found, datasets.Dataset):
        return {str(found.split or "train"): found}
    return {str(name): split for name, split in found.items()}


def _load_local(path: Path, settings: DataSettings, scratch: Path) -> Any:
    import datasets

    path = path.resolve()
    if (path / "dataset_dict.json").is_file() or (path / "state.json").is_file():
        return datasets.load_from_disk(str(path))
    options = {"cache_dir": str(scratch), **settings.arguments}
    if path.is_dir():
        return datasets.load_dataset(str(path), settings.name, **options)
    builder = BUILDERS.get(path.suffix.lower())
    if builder is None:
        raise InputError(
            f"{path} has a suffix that datasets cannot read: {hint(path.suffix, BUILDERS)}"
        )
    if path.suffix.lower() == ".tsv":
        options = {"sep": "\t", **options}
    return datasets.load_dataset(builder, settings.name, data_files=str(path), **options)


def _unreadable(path: str, base: Path, error: Exception) -> str:
    problem = str(error).strip().splitlines()
    reason = f"{type(error).__name__}: {problem[0][:300]}" if problem else type(error).__name__
    if on_hub(path, base):
        return (
            f"{path!r} is no file or folder in {base}, and fetching it from the hub failed "
            f"({reason}): mend data.path, or go online once."
        )
    cause = error.__cause__
    detail = f"; {str(cause).splitlines()[0][:300]}" if cause is not None and str(cause) else ""
    return (
        f"datasets cannot read {base / path} ({reason}{detail}): mend the data or data.arguments."
    )


def _class_names(feature: Any) -> tuple[str, ...] | None:
    names = getattr(feature, "names", None)
    return tuple(names) if isinstance(names, list | tuple) else None


def _records(settings: DataSettings, name: str, split: Dataset, folder: Path) -> Records:
    schema: pa.Schema = split.with_format("arrow").data.schema
    images = [field.name for field in schema if _holds_pictures(field.type)]
    wanted = settings.input if settings.input is not None else _only(images, settings)
    plain = [f.name for f in schema if f.name not in images and not _is_nested(f.type)]
    columns = _frame(split, plain)
    if wanted is None or isinstance(wanted, tuple):
        return Records(columns, features=_features(settings, wanted, plain))
    if wanted not in schema.names:
        raise InputError(
            f"data.input asks for the column {wanted!r}, which is not there: "
            f"{hint(wanted, schema.names)}"
        )
    kind = schema.field(wanted).type
    if settings.kind == "text":
        return Records(columns, features=(wanted,))
    if wanted in images:
        return Records(columns, pictures=partial(_pictures, split, wanted, name))
    if _is_nested(kind):
        return Records(columns, arrays=_arrays(split, wanted))
    if _is_text(kind):
        return Records(columns, pictures=_files(columns[wanted], wanted, folder))
    return Records(columns, features=(wanted,))


def _only(images: list[str], settings: DataSettings) -> str | None:
    if len(images) > 1:
        raise InputError(
            f"{settings.path} has the image columns {', '.join(images)}: name one as data.input."
        )
    return images[0] if images else None


def _holds_pictures(kind: pa.DataType) -> bool:
    """How the library stores images, with and without its own metadata."""
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return True
    return bool(pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0)


def _is_nested(kind: pa.DataType) -> bool:
    """Lists and structs, and the library's own array types."""
    return bool(pa.types.is_nested(kind)) or isinstance(kind, pa.BaseExtensionType)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _features(
    settings: DataSettings, wanted: tuple[str, ...] | None, plain: list[str]
) -> tuple[str, ...]:
    if wanted is None:
        return tuple(name for name in plain if name not in (settings.label, settings.id))
    return wanted


def _frame(split: Dataset, names: list[str]) -> pd.DataFrame:
    frame = split.select_columns(names).with_format("arrow")[:].to_pandas()
    for name in names:
        known = _class_names(split.features[name])
        if known is not None and frame[name].notna().all() and frame[name].ge(0).all():
            frame[name] = pd.Series(np.array(known, dtype=object)[frame[name].to_numpy(np.int64)])
    return pd.DataFrame(frame)


def _pictures(split: Dataset, column: str, name: str, rows: IntArray) -> Iterator[Picture]:
    images = split.select_columns([column]).with_format("arrow")
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        batch = rows[start : start + _ROWS_AT_ONCE].tolist()
        for row, cell in zip(batch, images[batch][column].to_pylist(), strict=True):
            yield _picture(cell, f"in row {row} of {name}")


def _picture(cell: Mapping[str, Any] | bytes | None, where: str) -> Picture:
    record: Mapping[str, Any] = cell if isinstance(cell, Mapping) else {"bytes": cell}
    path = record.get("path")
    called = f"{Path(path).name} {where}" if path else where
    content = record.get("bytes")
    if content is None and path:
        return from_file(Path(path), called)
    return from_bytes(called, content or b"")


def _arrays(split: Dataset, column: str) -> NDArray[Any]:
    values = split.select_columns([column]).with_format("numpy")[:][column]
    if values.dtype == object:
        raise InputError(f"The entries of data.input {column!r} differ in shape: give them one.")
    return as_inputs(values, f"the column {column!r}")


def _files(names: pd.Series[Any], column: str, folder: Path) -> Any:
    """Pictures by names of files, relative to the table's folder."""
    if not len(names) or not (folder / str(names.iloc[0])).is_file():
        first = repr(names.iloc[0]) if len(names) else "nothing"
        raise InputError(
            f"data.input {column!r} is a text column, and {first} is no image file in {folder}: "
            "name the column of the images."
        )

    def pictures(rows: IntArray) -> Iterator[Picture]:
        for name in names.iloc[rows]:
            yield from_file(folder / str(name), str(name))

    return pictures
