"""What a model costs: parameters, multiply–adds, bytes, and its time on this machine.

A masked model is neither smaller nor faster than its parent: its zeros are stored and multiplied
like any number. The counts without zeros say what a format or a kernel for sparse weights could
save, not what was saved.
"""

from __future__ import annotations

import statistics
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from pruners.saliency.examples import evaluating
from pruners.seeding import device_of

MACS_DEFINITION = (
    "Multiply–adds of one example in convolutions and linear layers: each weight counts once for "
    "every output position it is used at (a transposed convolution: every input position); biases, "
    "normalisation, activations, pooling and products of two activations count nothing."
)

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_COUNTED = (nn.Linear, *_CONVOLUTIONS, *_TRANSPOSED)


@dataclass(frozen=True)
class Cost:
    """Sizes of a model.

    Attributes:
        parameters: Numbers in its parameters, shared ones once.
        nonzero: Those that are not zero.
        macs: Multiply–adds of one example; see `MACS_DEFINITION`.
        macs_nonzero: Those with a weight that is not zero.
        bytes: Parameters and buffers in memory, shared ones once.
        bytes_deflated: The same after zlib at level 6.
        uncounted: Layers with weight matrices whose multiply–adds are not in `macs`, because they
            are of another kind, or were not called.
    """

    parameters: int
    nonzero: int
    macs: int
    macs_nonzero: int
    bytes: int
    bytes_deflated: int
    uncounted: tuple[str, ...]


def measure_cost(
    model: nn.Module, input_shape: Sequence[int], dtype: torch.dtype = torch.float32
) -> Cost:
    """Counts, by showing the model one example of zeros.

    Args:
        model: From [n, *input_shape] to anything.
        input_shape: Shape of one example.
        dtype: Its type: token ids are int64.
    """
    parameters = list(model.parameters())
    macs, macs_nonzero, uncounted = _macs(model, torch.zeros(1, *input_shape, dtype=dtype))
    tensors = _unique_tensors(model)
    packer = zlib.compressobj(6)
    deflated = sum(len(packer.compress(_bytes(tensor))) for tensor in tensors)
    return Cost(
        parameters=sum(p.numel() for p in parameters),
        nonzero=sum(int(p.count_nonzero()) for p in parameters),
        macs=macs,
        macs_nonzero=macs_nonzero,
        bytes=sum(t.numel() * t.element_size() for t in tensors),
        bytes_deflated=deflated + len(packer.flush()),
        uncounted=uncounted,
    )


def _macs(model: nn.Module, example: Tensor) -> tuple[int, int, tuple[str, ...]]:
    """Multiply–adds with and without zeros, and the layers that were not counted."""
    found = {"all": 0, "nonzero": 0}
    called = set()

    def count(module: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        weight = module.get_parameter("weight")
        if isinstance(module, nn.Linear):
            positions = output.numel() // output.shape[-1]
        else:
            shown = inputs[0] if isinstance(module, _TRANSPOSED) else output
            positions = shown.shape[2:].numel() * shown.shape[0]
        found["all"] += positions * weight.numel()
        found["nonzero"] += positions * int(weight.count_nonzero())
        called.add(module)

    layers = [module for module in model.modules() if isinstance(module, _COUNTED)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    try:
        with evaluating(model), torch.no_grad():
            model(example.to(device_of(model)))
    finally:
        for hook in hooks:
            hook.remove()
    missed = tuple(
        name
        for name, module in model.named_modules()
        if module not in called
        and not isinstance(module, nn.Embedding | nn.EmbeddingBag)
        and any(p.ndim >= 2 for p in module.parameters(recurse=False))
    )
    return found["all"], found["nonzero"], missed


def _unique_tensors(model: nn.Module) -> list[Tensor]:
    return [t.detach() for part in (model.parameters(), model.buffers()) for t in part]


def _bytes(tensor: Tensor) -> bytes:
    return tensor.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


@dataclass(frozen=True)
class Latency:
    """Time of one forward pass on this machine, now.

    Attributes:
        median_ms: Median, in milliseconds.
        low_ms: First quartile.
        high_ms: Third quartile.
        repeats: Passes timed.
        batch: Examples in a pass.
        threads: Intra-op threads.
        device: Kind of device.
    """

    median_ms: float
    low_ms: float
    high_ms: float
    repeats: int
    batch: int
    threads: int
    device: str


def measure_latency(
    model: nn.Module, inputs: Tensor, *, warm_up: int = 10, repeats: int = 50
) -> Latency:
    """Times forward passes in evaluation mode.

    Args:
        model: Any module.
        inputs: One batch, [n, ...]; moved to the model's device.
        warm_up: Passes before the clock starts.
        repeats: Passes timed, at least 3.

    Raises:
        ValueError: Too few repeats, or a negative warm-up.
    """
    if repeats < 3 or warm_up < 0:
        raise ValueError(
            f"Latency needs 3 repeats and 0 warm-ups at least, got {repeats} and {warm_up}."
        )
    device = device_of(model)
    shown = inputs.to(device)
    times = []
    with evaluating(model), torch.no_grad():
        for _ in range(warm_up):
            model(shown)
        for _ in range(repeats):
            _wait(device)
            start = time.perf_counter()
            model(shown)
            _wait(device)
            times.append(1000.0 * (time.perf_counter() - start))
    low, median, high = statistics.quantiles(times, n=4)
    return Latency(median, low, high, repeats, len(shown), torch.get_num_threads(), device.type)


def _wait(device: torch.device) -> None:
    """Work on a GPU is queued: the clock must wait for it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
