"""Bins of confidence, of equal width or of equal mass, and weighted sums inside them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]


def equal_width(confidence: FloatArray, bins: int, weights: FloatArray | None = None) -> IndexArray:
    """Bin of each confidence, closed on the right (Guo et al.); -1 where there is none.

    Args:
        confidence: float [models, examples] in [0, 1], NaN where there is none.
        bins: How many.
        weights: Play no part; here so that both kinds of bins are asked for alike.

    Returns:
        int64 [models, examples].
    """
    place = np.ceil(np.nan_to_num(confidence, nan=0.0) * bins).astype(np.int64) - 1
    return np.where(np.isnan(confidence), -1, np.clip(place, 0, bins - 1))


def equal_mass(confidence: FloatArray, bins: int, weights: FloatArray | None = None) -> IndexArray:
    """Bin of each confidence, model by model, such that bins hold equally many (Nixon et al. 2019).

    Edges are confidences of the model itself, and a bin is closed on the right: equal confidences
    share one, whatever the order of the examples, so that bins differ in size where there are ties.

    Args:
        confidence: float [models, examples] in [0, 1], NaN where there is none.
        bins: How many.
        weights: float [examples]; bins then hold equal weight.

    Returns:
        int64 [models, examples], -1 where there is no confidence.
    """
    place = np.full(confidence.shape, -1, dtype=np.int64)
    for row, out in zip(confidence, place, strict=True):
        given = ~np.isnan(row)
        own = row[given]
        if own.size:
            share = None if weights is None else weights[given]
            out[given] = np.searchsorted(_edges(own, bins, share), own, side="left")
    return place


def _edges(own: FloatArray, bins: int, weights: FloatArray | None) -> FloatArray:
    """The last confidence of each bin but the last, ascending."""
    inner = np.arange(1, bins)
    if weights is None:
        ordered = np.sort(own)
        return np.asarray(ordered[np.maximum(-(-own.size * inner // bins) - 1, 0)])
    order = np.argsort(own, kind="stable")
    mass = np.cumsum(weights[order])
    last = np.searchsorted(mass, mass[-1] * inner / bins * (1.0 - 1e-12), side="left")
    return np.asarray(own[order][last])


def binned(
    values: FloatArray, place: IndexArray, bins: int, weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Weighted sums of values, and of weights, per model and bin: two float64 [models, bins].

    Args:
        values: float [models, examples].
        place: int64 [models, examples], -1 for an example of no bin.
        bins: How many.
        weights: float [examples].
    """
    models, shape = values.shape[0], (values.shape[0], bins + 1)
    # An example of no bin is counted in one before the first, which is dropped: a mask would copy.
    flat = (place + 1 + (bins + 1) * np.arange(models)[:, None]).ravel()
    weight = np.broadcast_to(weights, values.shape)
    sums = np.bincount(flat, (values * weight).ravel(), models * (bins + 1)).reshape(shape)
    counts = np.bincount(flat, weight.ravel(), models * (bins + 1)).reshape(shape)
    return sums[:, 1:].astype(np.float64), counts[:, 1:].astype(np.float64)
