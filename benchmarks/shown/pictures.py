"""The photographs that the published statistics were taken from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

NAMES = (
    "astronaut.png",
    "chelsea.png",
    "coffee.png",
    "rocket.jpg",
    "motorcycle_left.png",
    "ihc.png",
    "hubble_deep_field.jpg",
)


def photographs(side: int, count: int) -> NDArray[np.uint8]:
    """Square crops of scikit-image's photographs: uint8 [count, side, side, 3].

    Image k is a 224 × 224 crop of photograph k modulo 7, whose shorter side was scaled to 256; for
    other sides the crop is scaled.
    """
    import skimage.data

    folder = Path(skimage.data.__file__).parent
    whole = [_scaled(Image.open(folder / name).convert("RGB")) for name in NAMES]
    random = np.random.default_rng(0)
    crops = []
    for index in range(count):
        image = whole[index % len(whole)]
        left = int(random.integers(0, image.width - 224, endpoint=True))
        top = int(random.integers(0, image.height - 224, endpoint=True))
        crop = image.crop((left, top, left + 224, top + 224))
        crops.append(np.asarray(crop.resize((side, side), Image.Resampling.BILINEAR)))
    return np.stack(crops)


def _scaled(image: Image.Image) -> Image.Image:
    ratio = 256 / min(image.size)
    size = (round(image.width * ratio), round(image.height * ratio))
    return image.resize(size, Image.Resampling.BILINEAR)
