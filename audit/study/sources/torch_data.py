"""Goes once through a torch `Dataset` or `DataLoader`, in the order of its rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import DataLoader, IterableDataset, RandomSampler, SequentialSampler

from audit.evidence.errors import InputError
from audit.evidence.nearest import hint

_AT_ONCE = 64  # items that a reading process hands over together

Keys = tuple[str | tuple[str, ...] | None, str]


def gather(given: Any, keys: Keys, origin: str, data_workers: int = 0) -> tuple[Any, NDArray[Any]]:
    """Every input and label.

    Args:
        given: A `DataLoader`, whose shuffling and dropping of the last batch are undone; or a
            `Dataset` or anything else with rows, each a pair of input and label or a mapping.
        keys: Names of input and label where rows are mappings.
        origin: What a sentence about it calls it.
        data_workers: Processes that read.

    Returns:
        Inputs, a tensor where they are tensors and an array otherwise; labels, [N].

    Raises:
        InputError: It is empty, its order is decided by a sampler of its own, rows are no pairs,
            or inputs differ in shape.
    """
    if isinstance(given, DataLoader):
        batches = [_pair(batch, keys, origin) for batch in _in_order(given, origin, data_workers)]
        inputs = [one for one, _ in batches]
        labels = [np.atleast_1d(_plain(one)) for _, one in batches]
    else:
        rows = (row for batch in _listed(given, data_workers) for row in batch)
        pairs = [_pair(row, keys, origin) for row in rows]
        inputs = [_pixels(one)[None] for one, _ in pairs]
        labels = [np.atleast_1d(_plain(one)) for _, one in pairs]
    if not inputs:
        raise InputError(f"{origin} gives no rows: check what it reads.")
    return _joined(inputs, origin), np.concatenate(labels)


def _in_order(loader: DataLoader[Any], origin: str, data_workers: int) -> Iterable[Any]:
    """The same batches without shuffling, since a row's number is its example's name."""
    if isinstance(loader.dataset, IterableDataset):
        return loader
    if loader.batch_size is None or not isinstance(
        loader.sampler, SequentialSampler | RandomSampler
    ):
        raise InputError(
            f"{origin} gives a DataLoader whose order {type(loader.sampler).__name__} decides: "
            "return its Dataset, or a torch.utils.data.Subset of it."
        )
    return DataLoader(
        loader.dataset,
        batch_size=loader.batch_size,
        shuffle=False,
        collate_fn=loader.collate_fn,
        num_workers=data_workers,
    )


def _listed(given: Any, data_workers: int) -> Iterable[list[Any]]:
    if isinstance(given, IterableDataset) or not hasattr(given, "__len__"):
        return ([row] for row in given)  # several readers would each give every row
    return DataLoader(
        given, batch_size=_AT_ONCE, shuffle=False, collate_fn=list, num_workers=data_workers
    )


def _pair(row: Any, keys: Keys, origin: str) -> tuple[Any, Any]:
    if isinstance(row, dict):
        for key in (image := keys[0] or "image", keys[1]):
            if key not in row:
                raise InputError(f"Rows of {origin} have no {key!r}: {hint(str(key), row)}")
        return row[image], row[keys[1]]
    if not isinstance(row, tuple | list) or len(row) != 2:
        shown = f"{len(row)} values" if isinstance(row, tuple | list) else type(row).__name__
        raise InputError(f"Rows of {origin} are {shown}: give pairs of an input and a label.")
    return row[0], row[1]


def _pixels(value: Any) -> Any:
    if isinstance(value, Image.Image):
        grey = value.mode in ("1", "L", "LA")
        return np.asarray(value.convert("L" if grey else "RGB"))
    return value if isinstance(value, torch.Tensor) else np.asarray(value)


def _plain(value: Any) -> NDArray[Any]:
    return np.asarray(value.detach().cpu() if isinstance(value, torch.Tensor) else value)


def _joined(inputs: list[Any], origin: str) -> Any:
    shapes = {tuple(one.shape[1:]) for one in inputs}
    if len(shapes) > 1:
        first, second = sorted(shapes)[:2]
        raise InputError(
            f"{origin} gives inputs of shapes {first} and {second}: give them one shape."
        )
    if all(isinstance(one, torch.Tensor) for one in inputs):
        return torch.cat(inputs)
    return np.concatenate([_plain(one) for one in inputs])
