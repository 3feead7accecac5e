"""Reads torchvision's data sets by name; nothing is downloaded unless the arguments say so."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from audit.evidence.errors import InputError, MissingExtra
from audit.evidence.nearest import hint
from audit.study.data_settings import DataSettings
from audit.study.places import located
from audit.study.sources.pixels import as_inputs
from audit.study.sources.records import Holdings, IntArray, Picture, Records


def read_torchvision(settings: DataSettings, base: Path, scratch: Path) -> Holdings:
    """The splits of a torchvision data set.

    A class that takes `train` is asked for its training and its test split, one that takes
    `split` for the names under `data.splits`; another one, or one whose arguments say which, is
    one split.

    Raises:
        InputError: There is no such class, its files are not there, or it gives no class codes.
    """
    del scratch
    make = _class(str(settings.name))
    options = dict(settings.arguments)
    takes = inspect.signature(make).parameters
    if "root" in takes:
        options.setdefault("root", str(located(settings.path or ".", base)))
    asked = {name: {**options, **choice} for name, choice in _choices(settings, takes).items()}
    found = {name: _make(settings, make, one) for name, one in asked.items()}
    classes = getattr(next(iter(found.values())), "classes", None)
    return Holdings(
        {name: _records(settings, name, data) for name, data in found.items()},
        "label",
        tuple(_class_name(one) for one in classes) if classes else None,
    )


def _class(name: str) -> Any:
    try:
        from torchvision import datasets
    except ImportError as error:
        raise MissingExtra("torchvision", "torch", "This data source") from error
    known = [one for one in datasets.__all__ if inspect.isclass(getattr(datasets, one))]
    if name not in known:
        raise InputError(f"torchvision has no data set {name!r}: {hint(name, known)}")
    return getattr(datasets, name)


def _choices(settings: DataSettings, takes: Any) -> dict[str, dict[str, Any]]:
    """Arguments that choose each split."""
    names = settings.splits
    wanted = [name for name in (names.train, names.validation, names.test) if name is not None]
    if "train" in takes and "train" not in settings.arguments:
        if names.validation is not None:
            raise InputError(
                f"{settings.name} has no split {names.validation!r}, only train and test: take "
                "data.splits.validation out to have one cut."
            )
        return {name: {"train": name == names.train} for name in wanted}
    if "split" in takes and "split" not in settings.arguments:
        return {name: {"split": name} for name in wanted}
    return {"all": {}}


def _make(settings: DataSettings, make: Any, options: dict[str, Any]) -> Any:
    try:
        return make(**options)
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(
            f"torchvision's {settings.name} cannot be read from {options.get('root', 'memory')} "
            f"({reason[0]}): put its files there, or set data.arguments.download to true."
        ) from error


def _class_name(name: Any) -> str:
    return str(name) if isinstance(name, str) else str(name[0])  # ImageNet: a tuple of synonyms


def _records(settings: DataSettings, split: str, data: Any) -> Records:
    labels = getattr(data, "targets", None)
    if labels is None or len(labels) != len(data):
        labels = [data[row][1] for row in range(len(data))]
    codes = np.asarray(labels)
    if codes.ndim != 1 or codes.dtype.kind not in "iu":
        raise InputError(
            f"torchvision's {settings.name} gives labels of shape {codes.shape} and type "
            f"{codes.dtype}, not one class each: write a module:function that chooses."
        )
    return Records(
        pd.DataFrame({"label": codes.astype(np.int64)}), pictures=partial(_pictures, data, split)
    )


def _pictures(data: Any, split: str, rows: IntArray) -> Iterator[Picture]:
    for row in rows.tolist():
        yield Picture(f"{row} of {split}", partial(_open, data, row))


def _open(data: Any, row: int) -> Image.Image:
    image = data[row][0]
    if isinstance(image, Image.Image):
        return image
    pixels = as_inputs(image[None], "torchvision")[0]
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
