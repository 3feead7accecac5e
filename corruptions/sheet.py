"""A contact sheet: corruption × severity on somebody's own images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from .apply import corrupt
from .images import Images, check_images, planes
from .presets import Preset

_GAP = 4
_LABEL_WIDTH = 130
_LABEL_HEIGHT = 18


def contact_sheet(
    images: Images,
    names: Sequence[str],
    severities: Sequence[float] = (0, 1, 2, 3, 4, 5),
    *,
    seed: int = 0,
    preset: str | Preset = "auto",
    side: int = 96,
) -> Image.Image:
    """Draw a corruption × severity grid.

    Args:
        images: uint8 as for `corrupt`; row k shows image k modulo N.
        names: Corruption names, one row each.
        severities: One column each.
        seed: As for `corrupt`.
        preset: As for `corrupt`.
        side: Width of a cell in pixels; images keep their proportions.

    Returns:
        An RGB picture on white, with names on the left and severities on top.

    Raises:
        ValueError: No image, no name or no severity; and what `corrupt` raises.
    """
    check_images(images)
    if not (len(images) and len(names) and len(severities)):
        raise ValueError("a contact sheet needs at least one image, one name and one severity.")
    height = max(1, round(side * planes(images[:1]).shape[2] / planes(images[:1]).shape[3]))
    size = (
        _LABEL_WIDTH + len(severities) * (side + _GAP),
        _LABEL_HEIGHT + len(names) * (height + _GAP),
    )
    sheet = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default()
    for column, severity in enumerate(severities):
        left = _LABEL_WIDTH + column * (side + _GAP)
        draw.text((left, 3), f"{severity:g}", fill="black", font=font)
        for row, name in enumerate(names):
            top = _LABEL_HEIGHT + row * (height + _GAP)
            draw.text((3, top + 3), name, fill="black", font=font)
            index = row % len(images)
            one = images[index : index + 1]
            changed = corrupt(one, name, severity, seed=seed, ids=[index], preset=preset)
            sheet.paste(
                _picture(changed).resize((side, height), Image.Resampling.NEAREST), (left, top)
            )
    return sheet


def _picture(image: NDArray[np.uint8] | Tensor) -> Image.Image:
    pixels = planes(image)[0].permute(1, 2, 0).cpu().numpy()
    return Image.fromarray(pixels.squeeze(2) if pixels.shape[2] == 1 else pixels).convert("RGB")
