"""Corrupt a batch of images: the one call that everything else goes through."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .catalog import Corruption, find, name_of, refuse_grey
from .custom import run_custom
from .draws import Stream, stream
from .images import (
    Ids,
    Images,
    at_once,
    check_ids,
    check_images,
    check_seed,
    check_severity,
    planes,
)
from .presets import Preset, find_preset


def corrupt(
    images: Images,
    name: str | Callable[..., Any],
    severity: float,
    *,
    seed: int = 0,
    ids: Iterable[int] | Iterable[str] | None = None,
    preset: str | Preset = "auto",
) -> Images:
    """The same images, changed by one corruption at one severity.

    An image's result depends on its pixels, the corruption, the severity, the preset, the seed and
    its id, and on nothing else: not on the other images, their order, the batch size or the number
    of threads.

    Args:
        images: uint8. NumPy [N, H, W, C] or [N, H, W]; torch [N, C, H, W] or [N, H, W], on any
            device. C is 1 or 3, sides are at least 2 pixels.
        name: A name from `CORRUPTIONS`, one of its functions, or a function of one's own, called as
            function(images, severity, seed=seed, ids=ids) and held to the same promises.
        severity: 0 (the identity), or 1 to 5; between whole numbers the constants are interpolated.
        seed: Which draws to take.
        ids: One for each image, integers or strings, unique; 0 to N−1 by default.
        preset: Whose severity constants: a name from `PRESETS`, a `Preset`, or `auto` for the one
            that `preset_for(images.shape)` tells. A function of one's own has no use for it.

    Returns:
        New images of the same kind, shape, dtype and device.

    Raises:
        TypeError: Images that are not uint8 arrays or tensors; a severity, seed or id of another
            type.
        ValueError: Unknown name (the nearest is offered), severity out of range, ids not unique, a
            layout that cannot be meant, or a corruption that the preset has no constants for.
    """
    check_images(images)
    level, seed = check_severity(severity), check_seed(seed)
    identities = check_ids(ids, len(images))
    known = name if isinstance(name, str) else name_of(name)
    if known is None:
        return run_custom(_function(name), images, level, seed, identities)
    find(known)
    chosen = find_preset(preset, images.shape)
    return _by_parts(images, known, level, seed, identities, chosen)


def _function(name: object) -> Callable[..., Any]:
    if not callable(name):
        raise TypeError(f"a corruption is a name or a function, not {name!r}.")
    return name


def _by_parts(
    images: Images, name: str, severity: float, seed: int, ids: Ids, preset: Preset
) -> Images:
    """Corrupt a few images at a time, so that the work stays in the cache and memory bounded."""
    result = (
        torch.empty_like(images) if isinstance(images, Tensor) else np.empty(images.shape, "u1")
    )
    target = planes(result)
    row = find(name)
    refuse_grey(name, row, target.shape[1] == 3)
    change = _at_severity(name, row, severity, preset)
    draws = stream(seed, name, severity, ids)
    step = at_once(target)
    for start in range(0, len(target), step):
        part = planes(images[start : start + step])
        if severity:
            part = change(part.contiguous(), draws.part(start, start + step, target.device))
        target[start : start + step].copy_(part)
    return result


def _at_severity(
    name: str, row: Corruption, severity: float, preset: Preset
) -> Callable[[Tensor, Stream], Tensor]:
    """The corruption with its constants filled in."""
    below = math.floor(severity)
    if row.between == "constants" or severity == below:
        constants = preset.constants(name, severity or 1)
        return lambda part, draws: row.function(part, draws, *constants)
    low, high = preset.constants(name, below), preset.constants(name, below + 1)

    def blended(part: Tensor, draws: Stream) -> Tensor:
        ends = [row.function(part, draws, *end).to(torch.float64) for end in (low, high)]
        return (ends[0] + (ends[1] - ends[0]) * (severity - below)).round_().to(torch.uint8)

    return blended
