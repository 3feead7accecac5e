"""Corrupts prepared texts, before the preprocessing makes numbers of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import corruptions
from audit.evidence.errors import JobError
from audit.evidence.imports import resolve
from audit.study.recipes import Shown


def corrupted_texts(
    values: NDArray[np.object_], ids: NDArray[Any], shown: Shown, base: Path
) -> list[str]:
    """Test texts under the corruption that a condition shows.

    Args:
        values: str in object [N].
        ids: [N], on which the draws depend.
        shown: The condition.
        base: Folder that `module:function` is looked up from.

    Raises:
        JobError: The corruption refuses these texts.
    """
    texts: list[str] = values.tolist()
    if shown.corruption is None or shown.severity is None:
        return texts
    name = shown.corruption
    try:
        return corruptions.corrupt_text(
            texts,
            resolve(name, base) if ":" in name else name,
            shown.severity,
            seed=shown.seed,
            ids=ids.tolist(),
        )
    except (TypeError, ValueError) as error:
        raise JobError(f"{shown.name} at severity {shown.severity:g}: {error}") from error
