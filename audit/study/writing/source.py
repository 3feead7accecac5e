"""Makes a data section of what a person typed: a folder, a table, `digits`, or a config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from audit.evidence.errors import InputError
from audit.evidence.nearest import hint
from audit.study.config_file import load_config
from audit.study.data_settings import DataSettings
from audit.study.sources.hugging_face import BUILDERS

CONFIGS = (".yaml", ".yml")
# What folders of splits are called; a folder of classes has none of these.
SPLITS = ("train", "training", "val", "valid", "validation", "dev", "test")
_DATASET_FILES = ("dataset_dict.json", "state.json", "dataset_info.json")


@dataclass(frozen=True)
class Wanted:
    """Which examples of a source are wanted.

    Attributes:
        source: A folder of class folders, what `datasets` reads, `digits`, `module:function`, or a
            config, whose data section is taken.
        split: The split; None for the one that a config tests, else `test` or the only one.
        label: Column of the labels, where that is not `label`.
        image_size: Pixels a side, to which images are scaled and centre-cropped.
        limit: The largest number of examples, a stratified sample.
        unreadable: `fail` or `skip`; None for what a config says, else `fail`.
    """

    source: str
    split: str | None = None
    label: str | None = None
    image_size: int | None = None
    limit: int | None = None
    unreadable: str | None = None


def settings_of(wanted: Wanted, here: Path) -> tuple[DataSettings, Path]:
    """The data section that reads a source, and the folder that its paths start from.

    Args:
        wanted: What was asked for.
        here: The folder that a relative path starts from.

    Raises:
        InputError: There is no such source or split, or a setting has no use for it.
    """
    options: dict[str, Any] = {
        "label": wanted.label,
        "image_size": wanted.image_size,
        "limit": {"test": wanted.limit} if wanted.limit is not None else None,
    }
    given = {key: value for key, value in options.items() if value is not None}
    path = here / Path(wanted.source).expanduser()
    if path.suffix.lower() in CONFIGS:
        return _of_config(path, given, wanted), path.parent
    read = _read_as(wanted.source, path)
    splits: dict[str, Any] = {"train": None}
    if read["source"] == "folder":
        _check_folders(path, wanted.split)
    if wanted.split is not None:
        splits["test"] = wanted.split
    return _checked({**read, "splits": splits, **given}), here


def _of_config(path: Path, given: Mapping[str, Any], wanted: Wanted) -> DataSettings:
    section = load_config(path).data
    stated = {key: getattr(section, key) for key in section.model_fields_set}
    if wanted.split is not None:
        stated["splits"] = {"train": None, "test": wanted.split}
    return _checked({**stated, **given})


def _read_as(source: str, path: Path) -> dict[str, Any]:
    """The reader and its path."""
    if source == "digits" and not path.exists():
        return {"source": "digits"}
    if ":" in source and not path.exists():
        return {"source": source}
    if path.is_dir() and not _holds_tables(path):
        return {"source": "folder", "path": str(path)}
    # A hub's name stays as it was typed; a file is found from anywhere.
    return {"source": "datasets", "path": str(path.absolute()) if path.exists() else source}


def _holds_tables(folder: Path) -> bool:
    """Whether `datasets` reads the folder: it has a file of its own, or tables up to two down."""
    if any((folder / name).is_file() for name in _DATASET_FILES):
        return True
    depths = ("*", "*/*", "*/*/*")
    return any(
        path.suffix.lower() in BUILDERS and path.name not in _DATASET_FILES and path.is_file()
        for depth in depths
        for path in folder.glob(depth)
        if not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _check_folders(root: Path, split: str | None) -> None:
    """A split that is asked for must be a subfolder; splits must not be taken for classes."""
    folders = sorted(one.name for one in root.iterdir() if one.is_dir())
    if split is not None and split not in folders:
        raise InputError(f"{root} has no split folder {split!r}: {hint(split, folders)}")
    found = [name for name in folders if name in SPLITS]
    if split is None and found and "test" not in found:
        raise InputError(
            f"{root} has the splits {', '.join(found)} and no test: name one with --split."
        )


def _checked(values: Mapping[str, Any]) -> DataSettings:
    try:
        return DataSettings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        told = first["msg"].removeprefix("Value error, ").rstrip(".")
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{'data.' + place + ': ' if place else ''}{told}.") from error
