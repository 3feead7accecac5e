"""Scikit-learn's 1,797 handwritten digits, with groups measured from the images themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.errors import InputError, MissingExtra
from audit.study.data_settings import DataSettings, Undersample
from audit.study.sources.cuts import cut, stratified_sample
from audit.study.sources.records import Holdings, Records

TEST = 900  # of 1,797: groups and classes need counts in the test part more than training does
VALIDATION_FRACTION = 0.2
RARE = Undersample(where={"slant": "left"}, keep=0.15)

STROKES = ("light", "medium", "heavy")
SLANTS = ("left", "upright", "right")
_SPLIT = 0  # entropy that sets the cut apart from other draws with the same seed


def read_digits(settings: DataSettings, base: Path, scratch: Path) -> Holdings:
    """The digits as 8×8 grey images in two splits, `train` and `test`.

    Columns `stroke` and `slant` divide each split in about thirds; their edges come from the
    training split.
    """
    del base, scratch  # the data ship with scikit-learn
    images, digits = _load()
    train, test = _split(digits, settings)
    ink, slant = total_ink(images), slant_angle(images)
    # A 7 leans and a 0 does not: what is left is how this writer slants this digit.
    typical = np.array([slant[train][digits[train] == digit].mean() for digit in range(10)])
    slant = slant - typical[digits]
    columns = pd.DataFrame(
        {
            "label": digits,
            "stroke": _thirds(ink, ink[train], STROKES),
            "slant": _thirds(slant, slant[train], SLANTS),
        }
    )
    splits = {
        name: Records(columns.iloc[rows].reset_index(drop=True), arrays=images[rows], ids=rows)
        for name, rows in (("train", train), ("test", test))
    }
    return Holdings(splits, "label", tuple("0123456789"))


def total_ink(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Sum of all pixels, for images uint8 [N, H, W, 1]."""
    return np.asarray(images.sum(axis=(1, 2, 3), dtype=np.float64))


def slant_angle(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Angle in degrees by which writing leans to the right, for images uint8 [N, H, W, 1].

    The shear that makes the second central moments uncorrelated, as in deskewing: with x to the
    right and y downwards, the angle is atan(-m_xy / m_yy). An empty image leans by 0.
    """
    ink = images[..., 0].astype(np.float64)
    total = np.maximum(ink.sum(axis=(1, 2)), 1.0)[:, None, None]
    y, x = np.mgrid[: ink.shape[1], : ink.shape[2]]
    right = x - (ink * x).sum(axis=(1, 2), keepdims=True) / total
    down = y - (ink * y).sum(axis=(1, 2), keepdims=True) / total
    across = (ink * right * down).sum(axis=(1, 2))
    upright = (ink * down * down).sum(axis=(1, 2))
    shear = np.divide(-across, upright, out=np.zeros_like(across), where=upright > 0)
    return np.asarray(np.degrees(np.arctan(shear)))


def _load() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images uint8 [1797, 8, 8, 1] and labels int64 [1797]."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise MissingExtra("scikit-learn", "torch", "The digits data set") from error
    data = load_digits()
    images = np.rint(data.images * (255 / 16)).astype(np.uint8)[..., None]  # 17 levels, 0 to 16
    return images, data.target.astype(np.int64)


def _split(
    digits: NDArray[np.int64], settings: DataSettings
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    seed = (settings.split_seed, _SPLIT)
    if settings.test_fraction is None:
        inside = stratified_sample(digits, TEST, seed)
        train, test = np.flatnonzero(~inside), np.flatnonzero(inside)
    else:
        train, test = cut(digits, settings.test_fraction, seed)
    if not len(train) or not len(test):
        raise InputError(
            f"data.test_fraction {settings.test_fraction} of {len(digits)} digits leaves a part "
            "empty: choose one nearer to 0.5."
        )
    return train, test


def _thirds(
    values: NDArray[np.float64], train: NDArray[np.float64], names: tuple[str, ...]
) -> NDArray[np.object_]:
    edges = np.quantile(train, [1 / 3, 2 / 3])
    return np.array(names, dtype=object)[np.searchsorted(edges, values, side="right")]
