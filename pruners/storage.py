"""Pruned models on disk: a safetensors file with plain parameter names, its masks in the header.

The tensors are the `state_dict`, name by name, so that whatever loads the parent loads the pruned
model. The header's one metadata entry, `prune_audit`, is JSON: the masks as packed bits, what was
targeted, and what the caller adds. One entry, because safetensors writes several in any order.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from pruners.masks import Masks
from pruners.targets import Targets
from pruners.wrapping import unwrapped

SCHEMA = "prune-audit/pruned/1"
KEY = "prune_audit"
HEADER_BYTES = 100_000_000  # safetensors reads no longer header


def save_pruned(
    path: str | os.PathLike[str],
    model: nn.Module,
    masks: Masks | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Path:
    """Writes the weights, buffers and masks of a model; equal arguments give equal bytes.

    The file appears whole or not at all.

    Args:
        path: Where to; an existing file is replaced.
        model: Any module; tensors that share memory are written once per name. What
            `DataParallel` or `torch.compile` wrapped is saved under its own names.
        masks: Of the model; None for a parent.
        metadata: Anything JSON can hold, for `read_metadata`.

    Returns:
        The path.

    Raises:
        ValueError: The masks are not this model's, or too long for a header (some 590 million
            weights), the metadata is not JSON, or the model has a state that is no tensor.
        FileNotFoundError: There is no such folder.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"{target.name} cannot be written, there is no folder {target.parent}: make it first."
        )
    model = unwrapped(model)
    if masks is not None:
        masks.removed(model)
    try:
        record = json.dumps(
            {
                "schema": SCHEMA,
                "masks": None if masks is None else encode_masks(masks),
                "metadata": dict(metadata or {}),
            },
            sort_keys=True,
            allow_nan=False,
        )
    except (TypeError, ValueError) as error:
        raise ValueError(f"Metadata of {path} must be plain JSON: {error}.") from error
    if len(record) > HEADER_BYTES - 1_000_000:
        raise ValueError(
            f"The masks of {path} take {len(record)} bytes and a safetensors header holds "
            f"{HEADER_BYTES}: save without masks, the zeros are in the weights."
        )
    found = _tensors(model, path)
    tensors = {n: t.detach().cpu().contiguous().clone() for n, t in found.items()}
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(save(tensors, metadata={KEY: record}))
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
    return target


def load_pruned(path: str | os.PathLike[str], model: nn.Module) -> Masks | None:
    """Fills `model`, of the saved architecture (or wrapped, see `save_pruned`), with a file.

    Returns:
        The masks; None where the file has none.

    Raises:
        ValueError: The file's tensors are not the model's, by name or by shape, and the model is as
            it was; or it is no safetensors file, or its masks are not of this version.
    """
    with _open(path) as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    masks = load_masks(path)
    model = unwrapped(model)
    own = _tensors(model, path)
    fits = {n: t.shape for n, t in own.items()} == {n: t.shape for n, t in tensors.items()}
    before = {} if fits else {name: value.clone() for name, value in own.items()}
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        # What does fit is filled before the rest is found not to.
        model.load_state_dict(before or own)
        raise ValueError(
            f"{path} does not fit {type(model).__name__}: {' '.join(str(error).split())}"
        ) from error
    return masks


def load_masks(path: str | os.PathLike[str]) -> Masks | None:
    """The masks saved in a file, on the CPU; None where it has none.

    Raises:
        ValueError: It is no safetensors file, or of a later version.
    """
    saved = _record(path).get("masks")
    return None if saved is None else decode_masks(saved)


def read_metadata(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The metadata given to `save_pruned`; empty for a file that it did not write.

    Raises:
        ValueError: See `load_masks`.
    """
    return dict(_record(path).get("metadata", {}))


def _record(path: str | os.PathLike[str]) -> dict[str, Any]:
    with _open(path) as file:
        found = (file.metadata() or {}).get(KEY)
    try:
        record: Any = {} if found is None else json.loads(found)
        schema = record.get("schema", SCHEMA)
    except (AttributeError, json.JSONDecodeError) as error:
        raise ValueError(f"The entry {KEY!r} in the head of {path} is broken: {error}.") from error
    if schema != SCHEMA:
        raise ValueError(f"{path} is of schema {schema!r}, this version reads {SCHEMA!r}.")
    return dict(record)


@contextmanager
def _open(path: str | os.PathLike[str]) -> Iterator[Any]:
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            yield file
    except SafetensorError as error:
        raise ValueError(
            f"{path} is no safetensors file ({error}): is it what save_pruned wrote, whole?"
        ) from error


def _tensors(model: nn.Module, path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The state of a model, if all of it is tensors."""
    state = model.state_dict()
    others = [name for name, value in state.items() if not isinstance(value, Tensor)]
    if others:
        raise ValueError(
            f"{path} holds tensors, and the state {others[0]!r} of {type(model).__name__} is a "
            f"{type(state[others[0]]).__name__}: take what is no tensor out of get_extra_state."
        )
    return state


def encode_masks(masks: Masks) -> dict[str, Any]:
    """Masks as JSON has them: packed bits in base 64."""
    return {
        "kept": {
            name: {
                "shape": list(kept.shape),
                "bits": base64.b64encode(np.packbits(kept.cpu().numpy()).tobytes()).decode(),
            }
            for name, kept in masks.kept.items()
        },
        "targets": asdict(masks.targets),
        "requested": masks.requested,
        "count": masks.count,
        "guarded": list(masks.guarded),
        "notes": list(masks.notes),
        # JSON objects are sorted when written, and the order of the weights means something.
        "order": list(masks.kept),
    }


def decode_masks(saved: Mapping[str, Any]) -> Masks:
    """What `encode_masks` made, on the CPU."""
    targets = saved["targets"]
    return Masks(
        kept={name: _unpack(**saved["kept"][name]) for name in saved["order"]},
        targets=Targets(
            tuple(targets["names"]),
            tuple(targets["protected"]),
            tuple(targets["frozen"]),
            tuple((weight, bias) for weight, bias in targets["biases"]),
            tuple(targets.get("unsupported", ())),  # files of earlier versions have none
            tuple(targets.get("others", ())),
        ),
        requested=saved["requested"],
        guarded=tuple(saved["guarded"]),
        notes=tuple(saved["notes"]),
        count=saved.get("count", "targeted"),
    )


def _unpack(shape: list[int], bits: str) -> Tensor:
    packed = np.frombuffer(base64.b64decode(bits), dtype=np.uint8)
    flat = np.unpackbits(packed, count=prod(shape)).astype(np.bool_)
    return torch.from_numpy(flat).reshape(shape)
