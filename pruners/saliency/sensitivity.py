"""Saliencies by how much an output moves when one thing in front of it does."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor, nn

from pruners.saliency.examples import PAIR_BATCH, Data, batches, evaluating, weights_of
from pruners.saliency.moments import Ranges, Spread
from pruners.saliency.rows import nothing_seen, over_inputs, over_units
from pruners.saliency.watching import CONVOLUTIONS, layers_of, unit_first, watch
from pruners.seeding import generator

SWEEP = 512  # points along which all units of a layer sweep their ranges
HARMONICS = 2  # that count as a unit's own: of a straight response the first has 98.6 %


def input_sensitivity(
    model: nn.Module, names: Sequence[str], data: Data | None = None, seed: int = 0
) -> dict[str, Tensor]:
    """How far a layer's output moves when one of its inputs varies as it does over the examples.

    s_j = √(Σ_i W_ij² · Var(x_j)), the variance over examples, place by place, mean over places: the
    root of the summed variances of all outputs with the other inputs held still, exact for a linear
    layer, and for a convolution but for its borders. On the first layer it ranks the features of
    the model. Zurada, Malinowski & Cloete 1994 take the derivative of the network's output instead;
    ours needs no gradient and allows for how much the input varies.

    Raises:
        ValueError: The examples differ in size, or no layer could be watched.
    """
    layers, found = layers_of(model, names), Spread()

    def see(name: str, inputs: Tensor, outputs: Tensor) -> None:
        found.add(name, unit_first(layers[name][0], inputs).movedim(1, -1))

    watch(model, names, data, "input_sensitivity", see)
    scores = {}
    for name, variances in found.variances().items():
        groups = cast("int", getattr(layers[name][0], "groups", 1))
        weight = weights_of(model, [name])[name].to(variances.dtype)
        squares = weight.square().reshape(groups, -1, *weight.shape[1:]).sum(1)
        each = variances.reshape(len(variances), -1).mean(1).reshape(groups, -1)
        scores[name] = (squares.reshape(*squares.shape[:2], -1).sum(2) * each).sum(0).sqrt()
    return over_inputs(model, names, scores, nothing_seen("input_sensitivity", model))


def fourier(
    model: nn.Module, names: Sequence[str], data: Data | None = None, seed: int = 0
) -> dict[str, Tensor]:
    """The part of the variance of the model's output that a unit is the cause of, from a spectrum.

    The Fourier amplitude sensitivity test on nodes (Lauret, Fock & Mara 2006): every unit of a
    layer sweeps its range over the examples, x_j(s) = low + (high − low)(½ + arcsin(sin s) / π), s
    going through SWEEP points of a period in an order of its own; the rest of the model turns that
    into outputs y, and D_j = Σ_p 2 |mean of y e^(−i p s_j)|² over the first HARMONICS p and all
    outputs. Lauret gives each unit a frequency, which for hundreds of units takes a hundred
    thousand points; random orders (random balance designs, Tarantola 2006) do with one number of
    points for any number of units, and add noise of about 2 · HARMONICS / SWEEP of the variance.

    A unit's value is that of the layer's output before batch-norm and nonlinearity, the same over a
    whole feature map. What goes round the layer (shortcuts) is held at the first example. The score
    is D_j, not its share of the layer's total, so that layers can be compared; within a layer the
    order is the paper's. A unit whose range is a point scores 0.
    """
    layers, found = layers_of(model, names), Ranges()

    def see(name: str, inputs: Tensor, outputs: Tensor) -> None:
        found.add(name, unit_first(layers[name][0], outputs))

    watch(model, names, data, "fourier", see)
    still = next(batches(model, data, "fourier"))[0][:1]
    scores = {}
    for name, (low, high) in found.ranges().items():
        draws = generator(seed, f"saliency/fourier/{name}")
        order = torch.rand(len(low), SWEEP, generator=draws).argsort(dim=1)
        angles = (order.to(low.device) * (2 * math.pi / SWEEP)).to(low.dtype)
        values = low[:, None] + (high - low)[:, None] * (0.5 + angles.sin().asin() / math.pi)
        outputs = _swept(model, layers[name], values, still)
        scores[name] = _own_part(angles, outputs).where(high > low, 0.0)
    return over_units(model, names, scores, nothing_seen("fourier", model))


def _swept(model: nn.Module, layers: Sequence[nn.Module], values: Tensor, still: Tensor) -> Tensor:
    """The model's outputs [points, outputs] with the units at `values` [units, points]."""
    with evaluating(model), torch.no_grad():
        parts = [_at(model, layers, part.T, still) for part in torch.split(values, PAIR_BATCH, 1)]
    return torch.cat(parts)


def _at(model: nn.Module, layers: Sequence[nn.Module], values: Tensor, still: Tensor) -> Tensor:
    """The outputs at `values` [n, units], [n, outputs].

    What is in front of the layer is the same at all points: it is computed for one example, from
    which the layer makes n. Not every model lets a batch grow on the way; whether this one does is
    tried on two points.
    """
    few = values[:2]
    try:
        with _held(layers, values):
            outputs: Tensor = model(still).flatten(1)
        with _held(layers, few):
            right = model(still.expand(len(few), *still.shape[1:])).flatten(1)
        if len(outputs) == len(values) and torch.allclose(outputs[:2], right, 1e-4, 1e-5):
            return outputs
    except Exception:  # a model may find as many faults as it likes with a batch that grew
        pass
    with _held(layers, values):
        whole: Tensor = model(still.expand(len(values), *still.shape[1:]))
    return whole.flatten(1)


@contextmanager
def _held(layers: Sequence[nn.Module], values: Tensor) -> Iterator[None]:
    """Inside, the layers put out `values` [n, units], whatever they are shown: one example or n."""

    def put(layer: nn.Module, arguments: Any, outputs: Tensor) -> Tensor:
        between = [1] * (outputs.ndim - 2)
        convolution = isinstance(layer, CONVOLUTIONS)
        shape = (*values.shape, *between) if convolution else (len(values), *between, -1)
        points = len(values) if len(outputs) == 1 else len(outputs)
        # Cloned, for the next may work in place.
        return values.reshape(shape).expand(points, *outputs.shape[1:]).clone()

    handles = [layer.register_forward_hook(put) for layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _own_part(angles: Tensor, outputs: Tensor) -> Tensor:
    """Σ over harmonics and outputs of twice the squared amplitude: [units]."""
    apart = outputs - outputs.mean(0)
    total = torch.zeros(len(angles), dtype=outputs.dtype, device=outputs.device)
    for harmonic in range(1, HARMONICS + 1):
        for wave in ((harmonic * angles).cos(), (harmonic * angles).sin()):
            total += 2 * (wave @ apart / angles.shape[1]).square().sum(1)
    return total
