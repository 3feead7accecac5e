"""Draws for the cells of a column, and cells written back in the column's own type."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from ..draws import Stream, mix
from .profile import Floats

Mask = NDArray[np.bool_]

_BITS = 52  # so that k + ½ is exact in a float64, and 0 and 1 are never drawn


def of_column(draws: Stream, name: object) -> Stream:
    """The draws of one column: they depend on its name, not on its place in the table."""
    text = str(name).encode(errors="surrogatepass")
    digest = hashlib.blake2b(text, digest_size=8, person=b"column").digest()
    return Stream(mix(draws.keys.bitwise_xor(int.from_bytes(digest, "little", signed=True))))


def uniform(draws: Stream, purpose: int) -> Floats:
    """Uniform on (0, 1), one for each row: float64 [N], exact."""
    words = draws.words(1, purpose).numpy().view(np.uint64)[:, 0]
    return ((words >> np.uint64(64 - _BITS)).astype(np.float64) + 0.5) * 2.0**-_BITS


def normal(draws: Stream, purpose: int) -> Floats:
    """Standard normal, one for each row: float64 [N], by the inverse cdf."""
    drawn: Floats = ndtri(uniform(draws, purpose))
    return drawn


def write_numbers(values: pd.Series[Any], new: Floats, where: Mask) -> pd.Series[Any]:
    """Puts new numbers into some cells; integers are rounded and kept within their type."""
    if not where.any():  # a column of nulls may be of any type
        return values.copy()
    dtype: Any = values.dtype
    plain = np.dtype(getattr(dtype, "numpy_dtype", dtype))
    chosen = new[where]
    if plain.kind in "iu":
        chosen = np.rint(chosen)
        limits = np.iinfo(plain)
        low, high = float(limits.min), float(limits.max)
        beyond = chosen >= high  # 2^63 − 1 is no float64: compared before it is converted
        inside = np.where(beyond, 0.0, np.maximum(chosen, low)).astype(plain)
        inside[beyond] = limits.max
        return write(values, inside, where)
    limit = float(np.finfo(plain).max)
    return write(values, np.clip(chosen, -limit, limit).astype(plain), where)


def write(values: pd.Series[Any], chosen: Any, where: Mask) -> pd.Series[Any]:
    """A copy with `chosen`, one for each true place, in the cells where `where` is true."""
    result = values.copy()
    result.iloc[np.flatnonzero(where)] = chosen
    return result


def nullable(values: pd.Series[Any]) -> pd.Series[Any]:
    """The column in a type that can be blank: int64 as Int64, bool as boolean, others as is."""
    dtype: Any = values.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "iub":
        name = dtype.name.replace("int", "Int").replace("u", "U")
        dtype = "boolean" if dtype.kind == "b" else name
    return values.astype(dtype)
