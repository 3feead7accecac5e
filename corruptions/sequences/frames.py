"""The frames of one sequence, a whole batch at a time: what everything else goes through."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..apply import preset_of
from ..draws import Stream, stream
from ..images import (
    Ids,
    Images,
    check_ids,
    check_images,
    check_seed,
    planes,
)
from ..presets import Preset
from ..ranges import ValueRange, find_range
from ..threads import check_threads, for_each
from ..tiles import Part, cut, on_cpu
from .catalogue import Perturbation, Size, Steps, find

_LOG = logging.getLogger("corruptions")
# The published size nearest to each preset's, in ratio.
_NEAREST: dict[str, Size] = {
    "digits": "cifar",
    "mnist": "cifar",
    "mnist-c": "cifar",
    "cifar": "cifar",
    "tiny": "tiny",
    "imagenet": "imagenet",
    "imagenet299": "imagenet",
    "large": "imagenet",
}


def perturbation_frames(
    images: Images,
    name: str,
    *,
    seed: int = 0,
    ids: Iterable[int] | Iterable[str] | None = None,
    preset: str | Preset = "auto",
    value_range: tuple[float, float] | None = None,
    bands: bool = False,
    threads: int | None = None,
) -> Iterator[Images]:
    """One frame after the other of a sequence, each of the whole batch.

    Only one frame is in memory at a time, beside what the sequence carries on: at most some 8 bytes
    for each pixel. An image's frames depend on its pixels, the sequence, the preset, the range, the
    seed and its id, and on nothing else.

    Args:
        images: As of `corruptions.corrupt`.
        name: A name from `PERTURBATIONS`.
        seed: Which draws to take.
        ids: One for each image, unique; 0 to N−1 by default.
        preset: Whose constants, by a preset of `PRESETS`; published are those of `imagenet`,
            `tiny` and `cifar`, and any other stands for the nearest by size (`published_size`).
        value_range: What black and white are in images that are no bytes.
        bands: Whether the channels are bands of any number.
        threads: How many to use on the CPU; None for as many as torch.

    Yields:
        New images of the same kind, shape, dtype and device, `frame_count` times. The first frame
        is the images themselves for noise and `zoom_blur`, and the beginning of the movement else.

    Raises:
        TypeError: As `corrupt`.
        ValueError: Unknown name (the nearest is offered), or as `corrupt`. Raised by the call, not
            by the first frame, but for values outside the range.
    """
    check_images(images, bands=bands)
    row, stated = find(name), find_range(images, value_range)
    numbers = row.sizes[published_size(images, preset)]
    seed, identities = check_seed(seed), check_ids(ids, len(images))
    if isinstance(images, Tensor):
        images = images.detach()
    key = partial(_stream, seed, name, identities)
    return _frames(images, row, numbers, key, stated, check_threads(threads))


def published_size(images: NDArray[Any] | Tensor, preset: str | Preset = "auto") -> Size:
    """Whose constants images get, by a preset or by their own size: the nearest published ones.

    Raises:
        ValueError: There is no such preset, or a preset of one's own has no published size.
    """
    chosen = preset_of(images, preset).name
    size = size_of(chosen)
    if size != chosen:
        _LOG.info("sequences have no constants for %r: those of %r are used", chosen, size)
    return size


def size_of(preset: str) -> Size:
    """The published size that the preset of a name stands for.

    Raises:
        ValueError: It is no preset of `PRESETS`.
    """
    if preset not in _NEAREST:
        raise ValueError(
            f"preset {preset!r} has no constants for sequences: use "
            f"{', '.join(sorted(set(_NEAREST.values())))}."
        )
    return _NEAREST[preset]


def frame_count(name: str, preset: str | Preset, images: NDArray[Any] | Tensor) -> int:
    """How many frames a sequence of these images has.

    Raises:
        ValueError: There is no such sequence or preset.
    """
    return int(find(name).sizes[published_size(images, preset)][0])


def _stream(seed: int, name: str, ids: Ids, frame: int) -> Stream:
    return stream(seed, f"{name}@sequence", frame, ids)


def _frames(
    images: Images,
    row: Perturbation,
    numbers: Steps,
    key: partial[Stream],
    stated: ValueRange | None,
    threads: int,
) -> Iterator[Images]:
    """Every part goes on by a frame, then the batch is yielded."""
    parts = list(cut(images, None, per_element=False, threads=threads))
    count, constants = int(numbers[0]), numbers[1:]
    running = [_running(images, part, row, count, constants, key, stated) for part in parts]
    for _ in range(count):
        result: Images = (
            torch.empty_like(images)
            if isinstance(images, Tensor)
            else np.empty(images.shape, images.dtype.newbyteorder("="))
        )
        advance = partial(_advance, planes(result), parts, running, stated)
        for_each(advance, range(len(parts)), threads if on_cpu(images) else 1)
        yield result if isinstance(result, Tensor) else result.astype(images.dtype, copy=False)


def _advance(
    target: Tensor,
    parts: list[Part],
    running: list[Iterator[Tensor]],
    stated: ValueRange | None,
    place: int,
) -> None:
    """Write the next frame of one part."""
    frame = next(running[place])
    target[parts[place].images].copy_(frame if stated is None else stated.values(frame))


def _running(
    images: NDArray[Any] | Tensor,
    part: Part,
    row: Perturbation,
    count: int,
    constants: Steps,
    key: partial[Stream],
    stated: ValueRange | None,
) -> Iterator[Tensor]:
    """The frames of some images of the batch."""
    source = part.cut_from(images)
    levels = source if stated is None else stated.levels(source, part.images.start)
    first, last = part.images.start, part.images.stop
    yield from row.function(
        levels.contiguous(),
        lambda frame: key(frame).part(first, last, levels.device),
        count,
        *constants,
    )
