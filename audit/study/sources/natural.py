"""Reads natural shifts known by their files: ImageNet-V2, -A, -R, ObjectNet, CIFAR-10.1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from audit.evidence.errors import InputError
from audit.study.class_map import ClassMap, Matched, matched
from audit.study.data_settings import DataSettings
from audit.study.natural_layouts import SAID, Natural, natural_layout
from audit.study.places import existing
from audit.study.sources.folder import read_folder
from audit.study.sources.parts import Part, Vocabulary
from audit.study.sources.records import Holdings, IntArray, Picture, Records

Read = Callable[[DataSettings, Path, Path], Holdings]

BORDER = 2  # pixels that ObjectNet's images have around them
_LOOKED_AT = 10  # images that say whether there is a border


def natural_reader(
    settings: DataSettings, base: Path, vocabulary: Vocabulary
) -> tuple[DataSettings, Read]:
    """What reads a folder of natural shift, and the settings to read it with.

    Images of a set that is known come in all sizes: without an `image_size` they are scaled and
    centre cropped to the size of those that models were trained on.

    Raises:
        InputError: There is nothing at the path.
    """
    splits = settings.splits
    named = [one for one in (splits.train, splits.validation, splits.test) if one is not None]
    found = natural_layout(existing(str(settings.path), base), named)
    if found is None:
        return settings, read_folder
    if found.kind == "numbers" and set(found.names) <= set(vocabulary.classes):
        found = replace(found, kind="folders")  # the digits' own names
    update: dict[str, Any] = {"path": str(found.root.absolute())}
    known = found.kind != "folders" and len(vocabulary.shape) == 3
    scaled = known and settings.image_size is None and found.images is None
    if scaled:
        update["image_size"] = vocabulary.shape[:2]
    # Arrays have no splits to name: there is one.
    read = _read_arrays if found.images is not None else _read_folder
    return settings.model_copy(update=update), partial(read, found=found, scaled=scaled)


def as_ours(
    held: Holdings, split: str, classes: tuple[str, ...], class_map: ClassMap | None, origin: str
) -> tuple[Holdings, tuple[tuple[str, ...], ...]]:
    """The same data with our class names, and which of ours are one class there.

    Args:
        held: What a reader found.
        split: The split that is shown.
        classes: Our class names.
        class_map: Their names -> ours.
        origin: What a sentence calls the data.

    Raises:
        InputError: A class is none of ours.
    """
    records = held.splits[split]
    names = _names(records.column(held.label, "label"), held.classes)
    if names is None or (class_map is None and held.classes is None):
        return held, ()  # integers, or texts that are looked up as they are
    found = matched(Counter(names), classes, class_map, origin)
    ours = [found.ours[name] for name in names]
    rows = np.array([row for row, name in enumerate(ours) if name is not None], dtype=np.int64)
    if not len(rows):
        raise InputError(f"{origin} has no example of the classes that the models were trained on.")
    left = len(ours) - len(rows)
    columns = records.columns.assign(**{held.label: pd.Series(ours, dtype=object)})
    kept = _take(replace(records, columns=columns), rows) if left else None
    notes = _said(found, left, len(ours))
    splits = {**held.splits, split: kept or replace(records, columns=columns)}
    return Holdings(splits, held.label, None, (*held.notes, *notes)), found.merged


def recoded(
    part: Part,
    theirs: tuple[str, ...],
    classes: tuple[str, ...],
    class_map: ClassMap | None,
    origin: str,
) -> tuple[Part, tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """A part whose labels are positions in our classes, what is merged, and what to say of it.

    Args:
        part: The part; its labels are positions in `theirs`.
        theirs: Its class names.
        classes: Our class names.
        class_map: Their names -> ours.
        origin: What a sentence calls the data.

    Raises:
        InputError: A class is none of ours.
    """
    names = [theirs[code] for code in part.labels.tolist()]
    found = matched(Counter(names), classes, class_map, origin)
    place = {name: code for code, name in enumerate(classes)}
    ours = [found.ours[name] for name in names]
    kept = np.array([name is not None for name in ours], dtype=np.bool_)
    codes = np.array([place[name] for name in ours if name is not None], dtype=np.int64)
    if not len(codes):
        raise InputError(f"{origin} has no example of the classes that the models were trained on.")
    left = len(ours) - len(codes)
    return replace(part.take(kept), labels=codes), found.merged, _said(found, left, len(ours))


def _said(found: Matched, left: int, every: int) -> tuple[str, ...]:
    notes = []
    if found.how == "index":
        notes.append("Its classes are numbers, and stand for ours in their order.")
    if found.how == "map":
        notes.append("Its classes were matched by a class map.")
    if found.merged:
        both = "; ".join(" or ".join(group) for group in found.merged[:3])
        more = f" and {len(found.merged) - 3} more" if found.merged[3:] else ""
        notes.append(
            f"Several of our classes are one class there, each of them right: {both}{more}."
        )
    if left:
        notes.append(f"{left:,} of {every:,} examples are of classes that the map leaves out.")
    return tuple(notes)


def _names(values: pd.Series[Any], declared: tuple[str, ...] | None) -> list[str] | None:
    """Class names; None where there are none to look up: coding the labels says what is wrong."""
    if pd.api.types.is_integer_dtype(values.dtype):
        codes = values.to_numpy(dtype=np.int64)
        if declared is None:
            return [str(code) for code in codes.tolist()]
        if len(codes) and (codes.min() < 0 or codes.max() >= len(declared)):
            return None
        return [declared[code] for code in codes.tolist()]
    return None if values.isna().any() else [str(value).strip() for value in values.tolist()]


def _take(records: Records, rows: IntArray) -> Records:
    pictures, arrays = records.pictures, records.arrays
    return Records(
        records.columns.iloc[rows].reset_index(drop=True),
        pictures=None if pictures is None else lambda some: pictures(rows[some]),
        arrays=None if arrays is None else arrays[rows],
        features=records.features,
        ids=rows if records.ids is None else records.ids[rows],
    )


def _read_folder(
    settings: DataSettings, base: Path, scratch: Path, *, found: Natural, scaled: bool
) -> Holdings:
    held = read_folder(settings, base, scratch)
    said = [f"{SAID[found.kind]}."] if SAID[found.kind] else []
    if scaled:
        said.append("Its images were scaled and centre cropped to the size of the audited ones.")
    splits = dict(held.splits)
    bordered = [name for name, records in splits.items() if _has_border(records)]
    for name in bordered:
        splits[name] = replace(splits[name], pictures=partial(_inside, splits[name]))
    if bordered:
        said.append(
            f"A red border of {BORDER} pixels, as ObjectNet's, was cropped from its images."
        )
    return replace(held, splits=splits, notes=(*said, *held.notes))


def _has_border(records: Records) -> bool:
    """Whether the first images of several classes have a red border, if they are readable."""
    rows = records.columns.drop_duplicates("label").index.to_numpy()[:_LOOKED_AT]
    if records.pictures is None or not len(rows):
        return False
    seen = []
    for picture in records.pictures(rows):
        try:
            with picture.open() as image:
                seen.append(_is_bordered(image))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            continue  # reading it says so
    return bool(seen) and all(seen)


def _is_bordered(image: Image.Image) -> bool:
    if min(image.size) <= 2 * BORDER or image.mode not in ("RGB", "RGBA", "P"):
        return False
    pixels = np.asarray(image.convert("RGB"), dtype=np.int64)
    frame = np.ones(pixels.shape[:2], dtype=np.bool_)
    frame[BORDER:-BORDER, BORDER:-BORDER] = False
    red = (pixels[frame] >= (200, 0, 0)).all() and (pixels[frame] <= (255, 60, 60)).all()
    return bool(red)


def _inside(records: Records, rows: IntArray) -> Iterator[Picture]:
    for picture in records.pictures(rows) if records.pictures is not None else ():
        yield Picture(picture.name, partial(_cropped, picture))


def _cropped(picture: Picture) -> Image.Image:
    image = picture.open()
    if not _is_bordered(image):
        return image
    width, height = image.size
    return image.crop((BORDER, BORDER, width - BORDER, height - BORDER))


def _read_arrays(
    settings: DataSettings, base: Path, scratch: Path, *, found: Natural, scaled: bool
) -> Holdings:
    del settings, base, scratch, scaled
    path, labels = Path(str(found.images)), Path(str(found.labels))
    if not labels.is_file():
        raise InputError(f"{path} has no {labels.name} beside it: put its labels there.")
    images, codes = _mapped(path), _mapped(labels)
    if images.ndim != 4 or images.dtype != np.uint8:
        raise InputError(f"{path} holds {images.dtype} of {images.shape}: CIFAR-10.1 is uint8.")
    if codes.shape != images.shape[:1] or codes.dtype.kind not in "iu":
        raise InputError(
            f"{labels} holds {len(codes):,} labels of type {codes.dtype} for {len(images):,} "
            "images: give an integer for each."
        )
    records = Records(
        pd.DataFrame({"label": codes.astype(np.int64)}), pictures=partial(_of_array, images, path)
    )
    return Holdings({"all": records}, "label", None, (f"{SAID['arrays']}, {path.name}.",))


def _of_array(images: NDArray[np.uint8], path: Path, rows: IntArray) -> Iterator[Picture]:
    for row in rows.tolist():
        yield Picture(f"{row} of {path.name}", partial(Image.fromarray, np.array(images[row])))


def _mapped(path: Path) -> NDArray[Any]:
    try:
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}): mend or replace it.") from error
