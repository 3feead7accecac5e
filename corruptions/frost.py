"""Frost: a random crop of a frosted window laid over the image, from a bank of windows."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from .draws import Stream
from .exact import grey_levels
from .frost_bank import windows

_SUFFIXES = (".png", ".jpg", ".jpeg")
_LUMA = (299, 587, 114)
# The published generator draws one of the first five of its six photographs.
_PUBLISHED = [f"frost{k}" for k in range(1, 7)]
# The second and third of the published photographs are the same, so that one weighs twice.
_PROCEDURAL = (0, 1, 1, 2, 3)
# Weights are multiples of 2^−14: 8 bits of a level, 14 and one for the sum fit a float32.
_UNITS = 2**14
# Weights are twentieths, and so are sums; what is one but for the rounding of weights is not to
# fall to the level below.
_NUDGE = 2.0**-6
# How much larger than the image a photograph becomes that has to be enlarged.
_ROOM = 1.1


@dataclass(frozen=True, eq=False)
class Bank:
    """Frosted windows to lay over images.

    Attributes:
        name: For people: `frost (procedural)`, or `frost (photographs in …)`.
        digest: Of the windows and their weights, in hexadecimal: equal banks give equal images.
        photographs: uint8 [H, W, 3] each.
        slots: Indices of photographs; each slot is drawn equally often.
    """

    name: str
    digest: str
    photographs: tuple[NDArray[np.uint8], ...]
    slots: tuple[int, ...]


def frost_bank(folder: str | Path | None = None) -> Bank:
    """The bank of a folder of photographs, or the procedural one; each is read or made once.

    Args:
        folder: PNG and JPEG files, equally likely. If they are named frost1 to frost6, as those of
            the published generator, its draw is kept: frost6 never. None for the procedural bank.

    Raises:
        ValueError: There is no such folder, no photograph in it, or one that cannot be read.
    """
    if folder is None:
        return _procedural()
    place = Path(folder)
    if not place.is_dir():
        raise ValueError(
            f"there is no folder {place} to take photographs of frost from: "
            "give another, or none for procedural frost."
        )
    files = sorted(file for file in place.iterdir() if file.suffix.lower() in _SUFFIXES)
    if not files:
        raise ValueError(
            f"folder {place} has no PNG or JPEG files to take frost from: "
            "give another, or none for procedural frost."
        )
    # Files that have not changed need not be read again.
    states = tuple((file.stat().st_mtime_ns, file.stat().st_size) for file in files)
    return _photographed(tuple(files), states)


@lru_cache(maxsize=1)
def _procedural() -> Bank:
    return _bank("frost (procedural)", windows(), _PROCEDURAL)


@lru_cache(maxsize=4)
def _photographed(files: tuple[Path, ...], states: tuple[tuple[int, int], ...]) -> Bank:
    published = [file.stem for file in files] == _PUBLISHED
    used = files[:5] if published else files
    photographs = tuple(_read(file) for file in used)
    name = f"frost (photographs in {files[0].parent.resolve().name})"
    return _bank(name, photographs, tuple(range(len(used))))


def _read(file: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(file) as picture:
            if picture.mode.startswith(("I", "F")):  # which Pillow would cut off at white
                raise ValueError(f"mode {picture.mode} has more than 8 bits")
            return np.asarray(picture.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(
            f"photograph {file} cannot be read ({error}): repair it or take it out of the folder."
        ) from error


def _bank(name: str, photographs: tuple[NDArray[np.uint8], ...], slots: tuple[int, ...]) -> Bank:
    content = hashlib.blake2b(repr(slots).encode(), digest_size=16)
    for photograph in photographs:
        content.update(repr(photograph.shape).encode())
        content.update(np.ascontiguousarray(photograph).tobytes())
    return Bank(name, content.hexdigest(), photographs, slots)


def frost(
    images: Tensor,
    stream: Stream,
    clear: float,
    frosted: float,
    scale: float,
    *,
    bank: Bank | None = None,
) -> Tensor:
    """A random crop of a random window over the image: clear · x + frosted · window.

    Windows are resized by `scale` with plain bilinear interpolation, and those that an image does
    not fit into are enlarged until they are a tenth larger than it. On three channels windows have
    their colours, on any other number their luma.

    As published, the last possible place of the crop along each axis is never drawn. Without a bank
    it is the procedural one.
    """
    bank = bank or frost_bank()
    height, width = images.shape[2:]
    fitted = _fitted(bank, scale, height, width, images.device)
    coloured = images.shape[1] == 3
    draws = stream.words(3).cpu()
    slots = torch.tensor(bank.slots)[_below(draws[:, 0], torch.tensor(len(bank.slots)))]
    room = torch.tensor([one.shape[1:] for one in fitted])[slots]
    tops = _below(draws[:, 1], (room[:, 0] - height).clamp_(min=1))
    lefts = _below(draws[:, 2], (room[:, 1] - width).clamp_(min=1))
    planes = [one[:3] if coloured else one[3:] for one in fitted]
    return overlaid(images, crops(planes, slots, tops, lefts, height, width), clear, frosted)


def overlaid(images: Tensor, window: Tensor, clear: float, frosted: float) -> Tensor:
    """A window over every image: clear · x + frosted · window.

    Args:
        images: uint8 or float32 levels [N, C, H, W].
        window: uint8 [N, C or 1, H, W], on the same device.
        clear: How much of the image is left.
        frosted: How much of the window is added.
    """
    # With weights in such units every sum is exact in single precision, in any order.
    clear, frosted = round(clear * _UNITS) / _UNITS, round(frosted * _UNITS) / _UNITS
    if images.dtype == torch.uint8 and images.device.type == "cpu" and images.numel():
        below, above = (one.expand_as(images).reshape(1, -1).numpy() for one in (images, window))
        # Rounding what is half a level less is truncating.
        mixed = cv2.addWeighted(below, clear, above, frosted, _NUDGE - 0.5)
        return torch.from_numpy(np.asarray(mixed, dtype=np.uint8)).view(images.shape)
    ice = window.to(torch.float32).mul_(frosted)
    sums = images.to(torch.float32, copy=True).mul_(clear).add_(ice)
    return grey_levels(sums + _NUDGE if images.dtype == torch.uint8 else sums, images.dtype)


def crops(
    photographs: Sequence[Tensor],
    chosen: Tensor,
    tops: Tensor,
    lefts: Tensor,
    height: int,
    width: int,
) -> Tensor:
    """One crop for each image: uint8 [N, C, height, width].

    Args:
        photographs: uint8 [C, ≥ height, ≥ width] each, on one device.
        chosen: Which of them, int64 [N], on the CPU like the next two.
        tops: First row of each crop, int64 [N].
        lefts: First column.
        height: Of the crops, pixels.
        width: Of the crops, pixels.
    """
    size, device = (len(chosen), len(photographs[0]), height, width), photographs[0].device
    result = torch.empty(size, dtype=torch.uint8, device=device)
    # A small copy costs NumPy half of what it costs torch.
    on_cpu = device.type == "cpu"
    target, *sources = [one.numpy() if on_cpu else one for one in (result, *photographs)]
    places = zip(chosen.tolist(), tops.tolist(), lefts.tolist(), strict=True)
    for image, (which, top, left) in enumerate(places):
        target[image] = sources[which][:, top : top + height, left : left + width]
    return result


def _below(words: Tensor, count: Tensor) -> Tensor:
    """Uniform over 0..count − 1 from 32 of the bits of each word; the bias is count / 2^32."""
    return (words.bitwise_and(2**32 - 1) * count) >> 32


@lru_cache(maxsize=8)
def _fitted(
    bank: Bank, scale: float, height: int, width: int, device: torch.device
) -> tuple[Tensor, ...]:
    """The bank's windows at a size: uint8 [4, H, W] each, red, green, blue and luma."""
    resized = [_resized(one, scale, height, width) for one in bank.photographs]
    return tuple(_with_luma(one).to(device) for one in resized)


def _resized(
    photograph: NDArray[np.uint8], scale: float, height: int, width: int
) -> NDArray[np.uint8]:
    # Exact: OpenCV's other bilinear interpolation may differ by a level between machines.
    exact, first = cv2.INTER_LINEAR_EXACT, photograph
    if scale != 1:
        first = np.asarray(
            cv2.resize(photograph, None, fx=scale, fy=scale, interpolation=exact), dtype=np.uint8
        )
    if first.shape[0] >= height and first.shape[1] >= width:
        return first
    factor = _ROOM * max(height / photograph.shape[0], width / photograph.shape[1])
    tall, wide = (round(side * factor) for side in photograph.shape[:2])
    return np.asarray(cv2.resize(photograph, (wide, tall), interpolation=exact), dtype=np.uint8)


def _with_luma(photograph: NDArray[np.uint8]) -> Tensor:
    luma = (photograph @ np.array(_LUMA) + 500) // 1000
    stacked = np.concatenate([photograph, luma[..., None].astype(np.uint8)], axis=2)
    return torch.from_numpy(np.ascontiguousarray(stacked.transpose(2, 0, 1)))
