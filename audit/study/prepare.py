"""Turns a data source into arrays on disk, once, so that every worker maps the same bytes."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.folder import write_examples
from audit.study.sources import Part, Source, Vocabulary

SplitName = Literal["train", "validation", "test"]
THUMBNAIL_SIDE = 64  # pixels; enough to recognise an example, small enough for one file of a report


@dataclass(frozen=True)
class Arrays:
    """A prepared data folder; inputs are memory-mapped.

    Attributes:
        folder: Where it is.
    """

    folder: Path

    @cached_property
    def meta(self) -> dict[str, Any]:
        """Kind, classes, notes, input shape, and the training images' mean and spread."""
        return dict(json.loads((self.folder / "meta.json").read_text()))

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names."""
        return tuple(self.meta["classes"])

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(C, H, W) of images, (F,) of table rows, () of texts: `models.example` knows theirs."""
        return tuple(self.meta["input_shape"])

    @property
    def vocabulary(self) -> Vocabulary:
        """What a natural shift must share with these data."""
        return Vocabulary.from_dict(self.meta["vocabulary"])

    def has(self, split: SplitName) -> bool:
        """Whether there is such a part."""
        return (self.folder / f"{split}-labels.npy").exists()

    def inputs(self, split: SplitName) -> NDArray[Any]:
        """uint8 [N, H, W, C] images or float32 [N, F] rows, mapped read-only, or str [N] texts."""
        if self.meta["kind"] == "text":
            table = pd.read_parquet(self.folder / f"{split}-inputs.parquet")
            return np.asarray(table["text"].astype(object))
        return np.asarray(np.load(self.folder / f"{split}-inputs.npy", mmap_mode="r"))

    def labels(self, split: SplitName) -> NDArray[np.int64]:
        """int64 [N] class codes."""
        return np.asarray(np.load(self.folder / f"{split}-labels.npy"), dtype=np.int64)

    def ids(self, split: SplitName) -> NDArray[Any]:
        """Example ids, [N]."""
        frame = pd.read_parquet(self.folder / "examples.parquet", columns=["example", "split"])
        return frame.loc[frame["split"] == split, "example"].to_numpy()


def write_arrays(folder: Path, source: Source) -> None:
    """Writes a source's parts, its examples (with thumbnails or texts) and its description."""
    parts = source.parts
    for name, part in parts.items():
        write_inputs(folder, name, part.inputs)
        np.save(folder / f"{name}-labels.npy", part.labels)
    write_examples(folder, _examples(source, parts), source.classes)
    meta = {
        "kind": source.kind,
        "classes": list(source.classes),
        "notes": list(source.notes),
        "input_shape": _input_shape(source),
        "examples": {name: len(part.labels) for name, part in parts.items()},
        "vocabulary": source.vocabulary.to_dict(),
        "merged": [list(group) for group in source.merged],
        **_moments(source),
    }
    (folder / "meta.json").write_text(json.dumps(meta, indent=1, sort_keys=True))


def write_inputs(folder: Path, split: str, values: NDArray[Any]) -> None:
    """Writes what `Arrays.inputs` reads; texts as Parquet, because NumPy would pickle them."""
    if values.dtype == object:
        frame = pd.DataFrame({"text": pd.Series(values, dtype=object)})
        frame.to_parquet(folder / f"{split}-inputs.parquet", index=False)
        return
    np.save(folder / f"{split}-inputs.npy", np.ascontiguousarray(values))


def _input_shape(source: Source) -> list[int]:
    shape = source.test.inputs.shape[1:]
    return [shape[2], shape[0], shape[1]] if source.kind == "image" else list(shape)


def _moments(source: Source) -> dict[str, list[float]]:
    """Mean and standard deviation per channel of the training images, in [0, 1]."""
    if source.kind != "image" or source.train is None:
        return {}
    counts = np.stack(
        [
            np.bincount(source.train.inputs[..., channel].ravel(), minlength=256)
            for channel in range(source.train.inputs.shape[-1])
        ]
    )  # [C, 256]: exact, and no float copy of the images
    levels = np.arange(256) / 255
    mean = counts @ levels / counts.sum(1)
    spread = np.sqrt(np.maximum(counts @ levels**2 / counts.sum(1) - mean**2, 0))
    return {"mean": mean.tolist(), "std": np.where(spread > 0, spread, 1.0).tolist()}


def _examples(source: Source, parts: dict[str, Part]) -> pd.DataFrame:
    frames = []
    for name, part in parts.items():
        # Names, whatever the source counts them by: a natural shift's stand beside them later.
        frame = pd.DataFrame({"example": pd.Series(part.ids).astype(str)})
        frame["split"] = name
        frame["label"] = pd.array(part.labels, dtype="Int64")
        frame.loc[part.labels < 0, "label"] = pd.NA
        for column in part.groups.columns:
            frame[f"group_{column}"] = part.groups[column].to_numpy()
        if source.kind == "image":
            frame["thumbnail"] = (
                [thumbnail(image) for image in part.inputs] if name == "test" else None
            )
        if source.kind == "text":
            frame["text"] = part.inputs if name == "test" else None
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def thumbnail(image: NDArray[np.uint8]) -> bytes:
    """A PNG of an image uint8 [H, W, C], at most 64 pixels a side."""
    from PIL import Image

    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    picture.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=False)
    return buffer.getvalue()
