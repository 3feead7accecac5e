"""A contact sheet: corruption × severity on somebody's own images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from .apply import corrupt, preset_of
from .catalog import name_of
from .images import Images, channels_of, check_images, height_and_width, planes
from .presets import Preset
from .ranges import ValueRange, find_range

_GAP = 4
_MARGIN = 6
_LETTERS = 13  # size of the font, pixels


@dataclass(frozen=True)
class Grid:
    """Where the cells of a contact sheet are, in pixels.

    Attributes:
        left: Left edge of the first column.
        top: Top edge of the first row.
        across: From one column to the next.
        down: From one row to the next.
        width: Width of a picture.
        height: Height of a picture.
    """

    left: int
    top: int
    across: int
    down: int
    width: int
    height: int


def contact_sheet(
    images: Images,
    names: Sequence[str | Callable[..., Any]],
    severities: Sequence[float] = (0, 1, 2, 3, 4, 5),
    *,
    seed: int = 0,
    preset: str | Preset = "auto",
    side: int = 96,
    frost: str | Path | None = None,
    value_range: tuple[float, float] | None = None,
    bands: bool = False,
) -> Image.Image:
    """Draw a corruption × severity grid.

    Args:
        images: As for `corrupt`; row k shows image k modulo N. Of more than three bands the first
            three are shown as red, green and blue, of two the first as grey.
        names: Corruption names or functions, one row each.
        severities: One column each.
        seed: As for `corrupt`.
        preset: As for `corrupt`; the title says which it is.
        side: Longer side of a picture in pixels; images keep their proportions.
        frost: As for `corrupt`.
        value_range: As for `corrupt`; shown from black to white.
        bands: As for `corrupt`.

    Returns:
        An RGB picture on white: a title, severities above, names on the left.

    Raises:
        TypeError: One name by itself; and what `corrupt` raises.
        ValueError: No image, no name or no severity; and what `corrupt` raises.
    """
    check_images(images, bands=bands)
    if isinstance(names, str):
        raise TypeError(f"names must be a list of corruptions, not {names!r}: write [{names!r}].")
    stated = find_range(images, value_range)
    if not (len(images) and len(names) and len(severities)):
        raise ValueError("a contact sheet needs at least one image, one name and one severity.")
    font = ImageFont.load_default(_LETTERS)
    labels, heads = [_label(name) for name in names], [f"{level:g}" for level in severities]
    title = _title(images, preset, seed, stated)
    grid = _grid(images, side, labels, heads, font)
    sheet = _labelled(grid, title, labels, heads, font)
    for row, name in enumerate(names):
        index = row % len(images)
        one = images[index : index + 1]
        for column, severity in enumerate(severities):
            changed = corrupt(
                one,
                name,
                severity,
                seed=seed,
                ids=[index],
                preset=preset,
                frost=frost,
                value_range=value_range,
                bands=bands,
            )
            place = (grid.left + column * grid.across, grid.top + row * grid.down)
            sheet.paste(_picture(changed, stated, grid), place)
    return sheet


def _label(name: str | Callable[..., Any]) -> str:
    if isinstance(name, str):
        return name
    return name_of(name) or str(getattr(name, "__name__", repr(name)))


def _title(
    images: NDArray[Any] | Tensor, preset: str | Preset, seed: int, stated: ValueRange | None
) -> str:
    height, width = height_and_width(images)
    channels = channels_of(images)
    auto = ", by size" if preset == "auto" else ""
    parts = [
        f"preset {preset_of(images, preset).name}{auto}",
        f"{width} by {height} pixels",
        f"seed {seed}",
    ]
    if stated is not None:
        parts.append(f"range {stated.low:g} to {stated.high:g}")
    if channels not in (1, 3):
        shown = "bands 1 to 3" if channels > 3 else "band 1"
        parts.append(f"{shown} of {channels}")
    return " · ".join(parts)


def _width(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> int:
    return round(font.getlength(text))


def _grid(
    images: NDArray[Any] | Tensor,
    side: int,
    labels: Sequence[str],
    heads: Sequence[str],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> Grid:
    """Room for the largest picture and the longest label, whichever needs more."""
    tall, wide = height_and_width(images)
    width, height = (max(1, round(side * length / max(tall, wide))) for length in (wide, tall))
    line = _LETTERS + 2 * _GAP
    return Grid(
        left=max(_width(label, font) for label in labels) + 2 * _MARGIN,
        top=2 * line + _GAP,
        across=max(width, *(_width(head, font) for head in heads)) + _GAP,
        down=max(height, _LETTERS) + _GAP,
        width=width,
        height=height,
    )


def _labelled(
    grid: Grid,
    title: str,
    labels: Sequence[str],
    heads: Sequence[str],
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> Image.Image:
    """The sheet without its pictures."""
    # Letters reach below the line that their size is measured to, in the last row too.
    size = (
        max(grid.left + len(heads) * grid.across, _width(title, font) + 2 * _MARGIN),
        grid.top + len(labels) * grid.down + _GAP,
    )
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _GAP), title, fill="black", font=font)
    for column, head in enumerate(heads):
        place = (grid.left + column * grid.across, _LETTERS + 3 * _GAP)
        draw.text(place, head, fill="black", font=font)
    for row, label in enumerate(labels):
        draw.text((_MARGIN, grid.top + row * grid.down), label, fill="black", font=font)
    return sheet


def _picture(images: NDArray[Any] | Tensor, stated: ValueRange | None, grid: Grid) -> Image.Image:
    """The first image in the colours that can be shown; enlarged pixel by pixel, or averaged."""
    levels = planes(images)[0]
    levels = levels[:3] if len(levels) > 3 else levels[:1] if len(levels) == 2 else levels
    if stated is not None:
        levels = stated.levels(levels[None], 0)[0].round_().to(torch.uint8)
    pixels = levels.permute(1, 2, 0).cpu().contiguous().numpy()
    picture = Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels).convert("RGB")
    shrunk = picture.width > grid.width
    how = Image.Resampling.BOX if shrunk else Image.Resampling.NEAREST
    return picture.resize((grid.width, grid.height), how)
