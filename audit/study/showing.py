"""What one condition shows: which examples, and batch by batch what models are given of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import corruptions
from audit.evidence.errors import InputError, JobError
from audit.evidence.imports import resolve
from audit.study.attacks import WHITE
from audit.study.models import to_images
from audit.study.named_sequences import frames_of
from audit.study.prepare import Arrays, SplitName
from audit.study.preprocess import Preprocess
from audit.study.recipes import OnDisk, Shown
from audit.study.sources.cuts import stratified_sample
from audit.study.streaming import read
from audit.study.table_shifts import corrupt_rows
from audit.study.text_preprocess import TextPreprocess
from audit.study.text_shifts import corrupted_texts
from corruptions.draws import stream
from corruptions.images import check_ids

_ATTACKED = 6  # entropy that sets this sample apart from other draws with the same seed


@dataclass(frozen=True, eq=False)
class Piece:
    """Some examples of one split.

    Attributes:
        split: The split.
        rows: int64, their positions in it, increasing.
        ids: object, their ids.
        labels: int64, their class codes, `NO_LABEL` where there is none.
    """

    split: SplitName
    rows: NDArray[np.int64]
    ids: NDArray[Any]
    labels: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Batch:
    """Examples that are shown together.

    Attributes:
        rows: Their places among all that the condition shows, increasing.
        ids: Their ids.
        labels: int64, class codes.
        inputs: What the models take; under an attack the images that it changes for each, float32
            [N, C, H, W] in [0, 255]; of a sequence the images that it begins with, uint8.
        left_out: Names of images between them that could not be read.
        frames: Makes what the models take of a sequence, frame by frame; None shows `inputs`.
    """

    rows: slice | NDArray[np.int64]
    ids: NDArray[Any]
    labels: NDArray[np.int64]
    inputs: Tensor
    left_out: tuple[str, ...] = ()
    frames: Callable[[], Iterator[Tensor]] | None = None


def pieces(shown: Shown, arrays: Arrays) -> tuple[Piece, ...]:
    """The examples of a condition: test ones, and beside clean ones those that validate."""
    validated = shown.name == "clean" and arrays.has("validation")
    splits: tuple[SplitName, ...] = ("test", "validation") if validated else ("test",)
    found = []
    for split in splits:
        ids, labels = arrays.ids(split), arrays.labels(split)
        rows = np.arange(len(ids), dtype=np.int64)
        if shown.attack is not None:
            rows = _sampled(labels, shown.attack["examples"], shown.attack["seed"])
        found.append(Piece(split, rows, ids[rows], labels[rows]))
    return tuple(found)


def _sampled(labels: NDArray[np.int64], count: int | None, seed: int) -> NDArray[np.int64]:
    if count is None or count >= len(labels):
        return np.arange(len(labels), dtype=np.int64)
    return np.flatnonzero(stratified_sample(labels, count, (seed, _ATTACKED)))


def batches(
    shown: Shown,
    arrays: Arrays,
    preprocess: Preprocess | TextPreprocess | None,
    size: int,
    device: str,
    base: Path,
) -> Iterator[Batch]:
    """Every example of a condition, at most `size` at a time and never of two splits.

    Raises:
        InputError: Float pixels come out of the preprocessing other than bytes do, and noise or an
            attack needs them.
    """
    if shown.on_disk is not None and isinstance(preprocess, Preprocess):
        yield from _from_disk(shown, shown.on_disk, arrays, preprocess, size, device)
        return
    before = 0
    for piece in pieces(shown, arrays):
        inputs = arrays.inputs(piece.split)
        for start in range(0, len(piece.rows), size):
            some = slice(start, start + size)
            values, ids = np.array(inputs[piece.rows[some]]), piece.ids[some]
            if preprocess is None:
                values = corrupt_rows(values, ids, shown, arrays, base)
            rows = slice(before + start, before + start + len(ids))
            made = _made(values, ids, shown, preprocess, base).to(device)
            frames = None
            if shown.sequence and isinstance(preprocess, Preprocess):
                frames = frames_of(made, ids, shown, preprocess)
            yield Batch(rows, ids, piece.labels[some], made, frames=frames)
        before += len(piece.rows)


def _from_disk(
    shown: Shown, on_disk: OnDisk, arrays: Arrays, preprocess: Preprocess, size: int, device: str
) -> Iterator[Batch]:
    (piece,) = pieces(shown, arrays)
    for found in read(shown, on_disk, arrays, preprocess, size):
        # Images that have the models' size are shown as they are: ImageNet-C's were resized and
        # cropped before they were corrupted, and again would be twice.
        whole = preprocess if found.resized else Preprocess(None, preprocess.after)
        inputs = preprocess.after(to_images(found.images, whole)).to(device)
        ids, labels = piece.ids[found.places], piece.labels[found.places]
        yield Batch(found.places, ids, labels, inputs, found.unreadable)


def _made(
    values: NDArray[Any],
    ids: NDArray[Any],
    shown: Shown,
    preprocess: Preprocess | TextPreprocess | None,
    base: Path,
) -> Tensor:
    if preprocess is None:
        return torch.from_numpy(values)
    if isinstance(preprocess, TextPreprocess):
        return preprocess(corrupted_texts(values, ids, shown, base))
    images = to_images(values, preprocess)
    if shown.sequence:
        return images
    if shown.attack is not None:
        return as_floats(images, preprocess)
    if shown.noise:
        noise = uniform(shown.seed, "uniform_noise", ids, images)
        noisy = as_floats(images, preprocess) + WHITE * shown.noise * noise
        return preprocess.after(noisy)
    return preprocess.after(_corrupted(images, shown, ids, base))


def uniform(seed: int, purpose: str, ids: NDArray[Any], like: Tensor) -> Tensor:
    """Uniform on [-1, 1), float32 shaped like a batch; an image's draw depends on its id alone."""
    draws = stream(seed, purpose, 0.0, check_ids(ids, len(like)))
    return draws.uniform(like[0].numel()).reshape(like.shape)


def as_floats(images: Tensor, preprocess: Preprocess) -> Tensor:
    """uint8 images as float32 in [0, 255], for a preprocessing that takes both alike.

    Raises:
        InputError: It does not.
    """
    floats = images.to(torch.float32)
    ours, theirs = (preprocess.after(some[:1]).to(torch.float32) for some in (floats, images))
    if ours.shape != theirs.shape or not torch.allclose(ours, theirs, rtol=1e-4, atol=1e-4):
        raise InputError(
            "Noise and attacks change pixels by less than a grey level, and model.preprocess makes "
            "something else of float pixels in [0, 255] than of the same bytes: let it divide "
            "by 255 whatever the type."
        )
    return floats


def _corrupted(images: Tensor, shown: Shown, ids: NDArray[Any], base: Path) -> Tensor:
    if shown.corruption is None or shown.severity is None:
        return images
    name: Any = shown.corruption
    if ":" in name:
        name = resolve(name, base)
    try:
        changed: Tensor = corruptions.corrupt(
            images,
            name,
            shown.severity,
            seed=shown.seed,
            ids=ids,
            preset=shown.preset,
            frost=shown.frost_folder or None,
        )
        return corruptions.requantise(changed) if shown.requantise else changed
    except (TypeError, ValueError) as error:
        raise JobError(f"{shown.name} at severity {shown.severity:g}: {error}") from error
