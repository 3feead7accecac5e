"""Images of which each is different, and all files of a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from audit.study.writing import Written

Copy = Callable[..., Written]


def picture(number: int, height: int = 32, width: int = 32) -> np.ndarray:
    """Colour waves, different for every number: uint8 [H, W, 3]."""
    rows, columns = np.mgrid[:height, :width]
    waves = [127 + 100 * np.sin((rows + number * columns) / 7 + number + c) for c in range(3)]
    return np.stack(waves, axis=2).astype(np.uint8)


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
