"""Real images for the corruption tests: scikit-learn's digits and its two photographs."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits, load_sample_images


@lru_cache(maxsize=1)
def _digits():
    return np.round(load_digits().images * 255 / 16).astype(np.uint8)


@lru_cache(maxsize=8)
def _photographs(side: int, count: int):
    generator, crops = np.random.default_rng(0), []
    pictures = load_sample_images().images
    for k in range(count):
        picture = pictures[k % 2]
        top, left = (generator.integers(0, size - 224) for size in picture.shape[:2])
        crop = Image.fromarray(picture[top : top + 224, left : left + 224])
        crops.append(np.asarray(crop.resize((side, side), Image.Resampling.BILINEAR)))
    return np.stack(crops)


@pytest.fixture
def digits() -> np.ndarray:
    """All 1,797 digits: uint8 [1797, 8, 8]."""
    return _digits().copy()


@pytest.fixture
def photographs() -> Callable[[int, int], np.ndarray]:
    """Crops of two photographs: (side, count) -> uint8 [count, side, side, 3]."""
    return lambda side, count: _photographs(side, count).copy()
