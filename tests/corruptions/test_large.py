"""Constants of our own for large images: each severity changes them more than the one before."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PIL import Image
from skimage import data

from corruptions import PRESETS, corrupt


def photographs(names, side):
    """The middle of each photograph, scaled to a square: uint8 [N, side, side, 3]."""
    squares = []
    for name in names:
        image = Image.fromarray(getattr(data, name)()).convert("RGB")
        cut = min(image.size)
        left, top = (image.width - cut) // 2, (image.height - cut) // 2
        square = image.crop((left, top, left + cut, top + cut))
        squares.append(np.asarray(square.resize((side, side), Image.Resampling.BILINEAR)))
    return np.stack(squares)


# What is drawn once for an image differs much from image to image: more, and smaller, images.
DRAWN_ONCE = {"elastic_transform", "fog", "frost", "motion_blur"}


@pytest.mark.parametrize("name", sorted(PRESETS["large"].rows))
def test_every_severity_changes_more(name):
    images = photographs(("astronaut",), 300 if name in DRAWN_ONCE else 600)
    if name in DRAWN_ONCE:
        images = np.concatenate([images] * 24)
    changes = [
        np.abs(corrupt(images, name, severity, preset="large").astype(int) - images).mean()
        for severity in (1, 2, 3, 4, 5)
    ]
    assert all(more > less for less, more in itertools.pairwise(changes)), changes
    assert changes[0] > 1
