"""Memory that a thread uses again and again for what lies between images and result.

Fresh memory costs a page fault for every 4 KiB, which can take longer than the arithmetic on it.
"""

from __future__ import annotations

import math
import threading

import numpy as np
from numpy.typing import NDArray

# A few hundred kilobytes are usual; what very large images need is given back.
_KEPT_BYTES = 2**25

_HERE = threading.local()


def scratch(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """An uninitialised float32 array, overwritten by the next call of the same name and thread.

    Args:
        name: Who needs it, and for what: two arrays in use at the same time have different names.
        shape: What it is to look like.
    """
    count = math.prod(shape)
    if 4 * count > _KEPT_BYTES:
        return np.empty(shape, np.float32)
    kept: dict[str, NDArray[np.float32]] = _HERE.__dict__.setdefault("kept", {})
    if name not in kept or kept[name].size < count:
        kept[name] = np.empty(count, np.float32)
    return kept[name][:count].reshape(shape)
