"""Opens one condition of a corrupted set on disk: its labels and ids now, its images when asked."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.errors import InputError
from audit.study.corrupted_layouts import (
    EXAMPLES,
    IDS,
    LABELS,
    Key,
    Layout,
    files_below,
    told,
)
from audit.study.sources.corrupted_tables import table_records
from audit.study.sources.folder import SUFFIXES
from audit.study.sources.pictures import from_file
from audit.study.sources.records import IntArray, Picture, Records

LABEL = "label"


@told()
def records(layout: Layout, key: Key) -> Records:
    """The rows of a condition; nothing but labels and ids is read.

    Raises:
        InputError: A file cannot be read, or labels and images do not agree in number.
    """
    if layout.kind == "folders":
        return _of_folder(layout.root, layout.places[key])
    if layout.kind == "arrays":
        return _of_array(layout, key)
    return table_records(layout, key)


def _of_folder(root: Path, place: Path) -> Records:
    files = [one for one in files_below(place) if one.suffix.lower() in SUFFIXES]
    names = [one.relative_to(place).as_posix() for one in files]
    if not files:
        raise InputError(f"{place} has no images in class folders: add them, or leave it out.")
    labels = pd.Series([name.split("/")[0] for name in names], dtype=object)
    stray = next((name for name in names if "/" not in name), None)
    if stray is not None:
        raise InputError(f"{place} has {stray} in no class folder: move or remove it.")
    return Records(
        pd.DataFrame({LABEL: labels}),
        pictures=partial(_pictures, files),
        ids=np.array(_named(root, names), dtype=str),
    )


def _named(root: Path, names: list[str]) -> list[str]:
    """Ids of files: their paths, or what a table beside them says."""
    if not (root / EXAMPLES).is_file():
        return names
    table = pd.read_csv(root / EXAMPLES, dtype=str, keep_default_na=False)
    if not {"file", "id"} <= set(table):
        raise InputError(f"{root / EXAMPLES} lacks the columns file and id: mend or remove it.")
    ids = dict(zip(table["file"], table["id"], strict=True))
    lost = [name for name in names if name not in ids]
    if lost:
        raise InputError(f"{root / EXAMPLES} lacks {lost[0]}: mend or remove it.")
    return [ids[name] for name in names]


def _pictures(files: list[Path], rows: IntArray) -> Iterator[Picture]:
    for row in rows.tolist():
        yield from_file(files[row], str(files[row]))


def _of_array(layout: Layout, key: Key) -> Records:
    path, (block, blocks) = layout.places[key], layout.block(*key)
    images, labels = _mapped(path), _mapped(layout.root / LABELS)
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise InputError(
            f"{path} holds {images.dtype} of shape {images.shape}: give uint8 images [N, H, W] or "
            "[N, H, W, C]."
        )
    if len(images) % blocks:
        raise InputError(
            f"{path} holds {len(images):,} images, which are not {blocks} severities of equally "
            "many: mend it."
        )
    each = len(images) // blocks
    if labels.ndim != 1 or labels.dtype.kind not in "iu" or len(labels) not in (each, len(images)):
        raise InputError(
            f"{layout.root / LABELS} holds {len(labels):,} labels of type {labels.dtype}, and "
            f"{path.name} {len(images):,} images: give an integer for each image, or for the "
            f"{each:,} of one severity."
        )
    if len(labels) == len(images) and (labels.reshape(blocks, each) != labels[:each]).any():
        raise InputError(
            f"{layout.root / LABELS} does not repeat after {each:,} labels, as it would for "
            f"{blocks} severities of the same images: name those that are there in "
            'corruption.json, for example {"severities": [3]}.'
        )
    some = slice(block * each, (block + 1) * each)
    own = labels[some] if len(labels) == len(images) else labels
    return Records(
        pd.DataFrame({LABEL: np.asarray(own, dtype=np.int64)}),
        arrays=images[some] if images.ndim == 4 else images[some][..., None],
        ids=_ids(layout, each),
    )


def _ids(layout: Layout, count: int) -> NDArray[Any] | None:
    """Ids of the rows, the same at every severity."""
    path = layout.root / IDS
    if not path.exists():
        return None
    ids = _mapped(path)
    if ids.ndim != 1 or len(ids) < count or ids.dtype.kind not in "iuU":
        raise InputError(
            f"{path} holds {len(ids):,} ids of type {ids.dtype} for {count:,} rows: mend it."
        )
    return np.array(ids[:count])


def _mapped(path: Path) -> NDArray[Any]:
    try:
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}): mend or replace it.") from error
