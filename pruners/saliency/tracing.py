"""What follows what in a model, seen by showing it an example: never guessed from names.

Every module is watched while the model runs once: a batch-norm follows a convolution if it is given
the very tensor that the convolution returned, and a layer reads the input if it is given that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from pruners.saliency.examples import Data, batches, evaluating
from pruners.seeding import device_of

_COMMON = (32, 224, 28, 64, 8, 16, 96, 299)
# Of images tried where no example is given: those that are common, then all up to 48.
SIDES = (*_COMMON, *(side for side in range(4, 49) if side not in _COMMON))

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
# What leaves each channel where it is, and zero at zero.
_PASS = (
    *(nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d),
    *(nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.ReLU, nn.ReLU6),
    *(nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish, nn.Hardswish, nn.Tanh),
)


def example_of(model: nn.Module, data: Data | None, needed_by: str, count: int = 2) -> Tensor:
    """A few inputs of the model: the first of `data`, or noise of a likely shape.

    Args:
        model: Any module of one input.
        data: Examples, where there are any.
        needed_by: Who asks, for messages.
        count: How many at most.

    Raises:
        ValueError: There are none, and the model takes none of the shapes that were tried.
    """
    if data is not None:
        inputs = next(batches(model, data, needed_by))[0][:count]
        kind = next((p.dtype for p in model.parameters()), inputs.dtype)
        return inputs.to(kind) if inputs.is_floating_point() else inputs
    with evaluating(model), torch.no_grad():
        for inputs in _likely(model, count):
            try:
                model(inputs)
            except Exception:  # whatever a model does with a wrong input
                continue
            return inputs
    raise ValueError(
        f"{needed_by} follows what {type(model).__name__} computes, which takes an example of its "
        f"inputs: pass data=(inputs, labels)."
    )


def _likely(model: nn.Module, count: int) -> Iterator[Tensor]:
    """Noise in shapes that a model with these layers may take."""
    draws = torch.Generator().manual_seed(0)
    device = device_of(model)
    for module in model.modules():
        kind = next((p.dtype for p in module.parameters(recurse=False)), torch.float32)
        if isinstance(module, nn.Embedding):
            ids = torch.randint(module.num_embeddings, (count, 8), generator=draws)
            yield ids.to(device)
        if isinstance(module, _CONVOLUTIONS):
            for side in SIDES:
                shape = (count, module.in_channels, *[side] * len(module.kernel_size))
                yield torch.rand(shape, generator=draws).to(device, kind)
        if isinstance(module, nn.Linear):
            for middle in ((), (8,)):
                shape = (count, *middle, module.in_features)
                yield torch.rand(shape, generator=draws).to(device, kind)
        if isinstance(module, (nn.Embedding, nn.Linear, *_CONVOLUTIONS)):
            return


@dataclass
class Flow:
    """What was seen.

    Attributes:
        norms: Names of the batch-norms that follow a module directly, by the module's name.
        readers: Names of the modules that read the model's input, once each.
    """

    norms: dict[str, tuple[str, ...]] = field(default_factory=dict)
    readers: tuple[str, ...] = ()


def flow(model: nn.Module, example: Tensor) -> Flow:
    """Runs the model once, in evaluation mode, and says what follows what.

    Raises:
        ValueError: The model does not take the example.
    """
    watch = _Watch(example)
    names = {module: name for name, module in model.named_modules()}
    leaves = [module for module in names if not list(module.children())]
    hooks = [
        module.register_forward_hook(
            lambda module, inputs, output: watch.saw(names[module], module, inputs, output)
        )
        for module in leaves
    ]
    try:
        with evaluating(model), torch.no_grad():
            model(example)
    except Exception as error:
        raise ValueError(
            f"{type(model).__name__} cannot be followed, it fails on an example of shape "
            f"{tuple(example.shape)} ({type(error).__name__}: {error})."
        ) from error
    finally:
        for hook in hooks:
            hook.remove()
    found = defaultdict(list)
    for norm, makers in watch.norms.items():
        # One that normalises two layers, or something else as well, is no part of either.
        if len(makers) == 1 and (maker := next(iter(makers))):
            found[maker].append(norm)
    return Flow({maker: tuple(norms) for maker, norms in found.items()}, tuple(watch.readers))


class _Watch:
    """Who made which tensor, by its memory and by how often that was written to."""

    def __init__(self, example: Tensor) -> None:
        self.made: dict[tuple[int, int], str] = {}
        # Memory is not given to another tensor while one is held.
        self.held: list[Tensor] = []
        self.norms: dict[str, set[str]] = defaultdict(set)
        self.readers: dict[str, None] = {}
        self._note(example, "")

    def _note(self, tensor: Tensor, maker: str) -> None:
        self.held.append(tensor)
        self.made[(tensor.untyped_storage().data_ptr(), tensor._version)] = maker

    def saw(self, name: str, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        """Called after every module without children."""
        given = inputs[0] if inputs and isinstance(inputs[0], Tensor) else None
        if not isinstance(output, Tensor):
            return
        writes = given is not None and output.untyped_storage().data_ptr() == (
            given.untyped_storage().data_ptr()
        )
        maker = None if given is None else self._maker(given, writes=writes and module is not None)
        if isinstance(module, _BatchNorm):
            same = maker and self.held and output.shape[1] == module.num_features
            self.norms[name].add(maker if same and maker else "")
        elif isinstance(module, (nn.Linear, *_CONVOLUTIONS)):
            if maker == "":
                self.readers[name] = None
            rows = output.ndim - 1 if isinstance(module, nn.Linear) else 1
            if rows == 1:
                self._note(output, name)
        elif isinstance(module, _PASS) and maker is not None:
            self._note(output, maker)

    def _maker(self, given: Tensor, *, writes: bool) -> str | None:
        """Who made what a module was given, before the module wrote to it, if it did."""
        memory, version = given.untyped_storage().data_ptr(), given._version
        found = self.made.get((memory, version))
        return self.made.get((memory, version - 1)) if found is None and writes else found
