"""Random numbers as an argument: streams made from a seed, never the global state.

Every use of chance has a stream of its own, so that drawing more in one place (augmentation, say)
never moves the draws of another (the order of batches).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


def stream(seed: int, purpose: str) -> int:
    """The seed of one purpose: 63 bits, the same on every machine and version.

    Raises:
        ValueError: The seed is not an integer of zero or more.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"seed must be an integer of 0 or more, got {seed!r}.")
    digest = hashlib.sha256(f"{purpose}/{seed}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def generator(seed: int, purpose: str) -> torch.Generator:
    """A CPU generator at the start of the stream of `purpose`."""
    return torch.Generator().manual_seed(stream(seed, purpose))


@contextmanager
def seeded(seed: int, purpose: str, device: torch.device | None = None) -> Iterator[None]:
    """Runs what draws from the global generators (initialisation, dropout) from a stream.

    The global state is the same after as before.

    Args:
        seed: An integer of zero or more.
        purpose: Names the stream.
        device: A CUDA device whose generator is set, and restored, as well.
    """
    value = stream(seed, purpose)
    on_cuda = device is not None and device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if on_cuda else []):
        # Not torch.manual_seed: that would also move every other device's generator, for good.
        torch.default_generator.manual_seed(value)
        if on_cuda:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(value)
        yield


def device_of(model: nn.Module) -> torch.device:
    """Where the model's first parameter is; the CPU where it has none."""
    first = next(model.parameters(), None)
    return torch.device("cpu") if first is None else first.device
