"""Small networks to prune, and how any other is built: a name or a function, a shape, classes."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pruners.names import look_up
from pruners.seeding import seeded


def mlp(
    input_shape: Sequence[int],
    classes: int,
    *,
    hidden: Sequence[int] = (64, 64, 64),
    dropout: float = 0.0,
) -> nn.Module:
    """A fully connected net with ReLU, for inputs of any shape (flattened).

    Args:
        input_shape: Shape of one example.
        classes: Number of outputs.
        hidden: Units of each hidden layer, first to last; may be empty.
        dropout: Probability of a hidden unit being dropped in training, in [0, 1).
    """
    _check_sizes("hidden", hidden)
    _check_dropout(dropout)
    sizes = [int(torch.Size(input_shape).numel()), *hidden]
    layers: OrderedDict[str, nn.Module] = OrderedDict(flatten=nn.Flatten())
    for i, (fan_in, fan_out) in enumerate(pairwise(sizes), start=1):
        layers[f"linear{i}"] = nn.Linear(fan_in, fan_out)
        layers[f"relu{i}"] = nn.ReLU()
        if dropout:
            layers[f"dropout{i}"] = nn.Dropout(dropout)
    layers["classifier"] = nn.Linear(sizes[-1], classes)
    return nn.Sequential(layers)


def cnn(
    input_shape: Sequence[int], classes: int, *, width: int = 8, dropout: float = 0.0
) -> nn.Module:
    """Three 3×3 convolutions with batch-norm and one linear layer; 4,258 parameters for digits.

    Small on purpose: 8×8 digits leave nothing idle in it, so that heavy pruning really costs.

    Args:
        input_shape: (channels, height, width) of one example, sides of at least 4.
        classes: Number of outputs.
        width: Channels of the first convolution; the other two have twice as many.
        dropout: Probability of an input of the classifier being dropped, in [0, 1).
    """
    channels = _image_shape("cnn", input_shape, smallest=4)[0]
    _check_sizes("width", [width])
    _check_dropout(dropout)
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    steps = [(channels, width, True), (width, 2 * width, False), (2 * width, 2 * width, True)]
    for i, (fan_in, fan_out, pool) in enumerate(steps, start=1):
        layers[f"conv{i}"] = nn.Conv2d(fan_in, fan_out, 3, padding=1, bias=False)
        layers[f"norm{i}"] = nn.BatchNorm2d(fan_out)
        layers[f"relu{i}"] = nn.ReLU()
        if pool:
            layers[f"pool{i}"] = nn.MaxPool2d(2)
    if any(side // 4 != 2 for side in input_shape[1:]):
        # Down to 2×2: the classifier has the same size whatever the size of the images is.
        layers["grid"] = nn.AdaptiveAvgPool2d(2)
    layers["flatten"] = nn.Flatten()
    if dropout:
        layers["dropout"] = nn.Dropout(dropout)
    layers["classifier"] = nn.Linear(2 * width * 4, classes)
    return nn.Sequential(layers)


class _Residual(nn.Module):
    """Two 3×3 convolutions and a shortcut (He 2016, figure 2)."""

    def __init__(self, fan_in: int, fan_out: int, stride: int, shortcut: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(fan_in, fan_out, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(fan_out)
        self.conv2 = nn.Conv2d(fan_out, fan_out, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(fan_out)
        self.stride, self.missing = stride, fan_out - fan_in
        self.project = nn.Sequential()
        if (stride != 1 or self.missing) and shortcut == "projection":
            self.project.append(nn.Conv2d(fan_in, fan_out, 1, stride=stride, bias=False))
            self.project.append(nn.BatchNorm2d(fan_out))

    def forward(self, x: Tensor) -> Tensor:
        inner = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        outer = self.project(x)
        if outer.shape != inner.shape:
            outer = outer[:, :, :: self.stride, :: self.stride]
            outer = F.pad(outer, (0, 0, 0, 0, self.missing // 2, self.missing - self.missing // 2))
        return F.relu(inner + outer)


def resnet20(
    input_shape: Sequence[int], classes: int, *, width: int = 16, shortcut: str = "projection"
) -> nn.Module:
    """The CIFAR residual net of 20 layers (He 2016, section 4.2).

    Args:
        input_shape: (channels, height, width) of one example, sides of at least 4.
        classes: Number of outputs.
        width: Channels of the first of three stages; the others have 2× and 4× as many.
        shortcut: `projection` (option B, 272,474 parameters on CIFAR-10) or `pad` (option A, zeros
            for the missing channels, 269,722: the paper's 0.27 M).
    """
    channels = _image_shape("resnet20", input_shape, smallest=4)[0]
    _check_sizes("width", [width])
    if shortcut not in ("projection", "pad"):
        raise ValueError(f"shortcut must be 'projection' or 'pad', got {shortcut!r}.")
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    layers["conv"] = nn.Conv2d(channels, width, 3, padding=1, bias=False)
    layers["norm"] = nn.BatchNorm2d(width)
    layers["relu"] = nn.ReLU()
    fan_in = width
    for stage in range(3):
        fan_out = width * 2**stage
        for block in range(3):
            stride = 2 if stage > 0 and block == 0 else 1
            name = f"stage{stage + 1}_block{block + 1}"
            layers[name] = _Residual(fan_in, fan_out, stride, shortcut)
            fan_in = fan_out
    layers["pool"] = nn.AdaptiveAvgPool2d(1)
    layers["flatten"] = nn.Flatten()
    layers["classifier"] = nn.Linear(fan_in, classes)
    return nn.Sequential(layers)


Architecture = Callable[..., nn.Module]

ARCHITECTURES: dict[str, Architecture] = {"cnn": cnn, "mlp": mlp, "resnet20": resnet20}


def build(
    architecture: str | Architecture, input_shape: Sequence[int], classes: int, **arguments: Any
) -> nn.Module:
    """A new model, with weights drawn from torch's global generator.

    Args:
        architecture: A name of `ARCHITECTURES`, or a function that returns a module. It is given
            `input_shape` and `classes` where its signature names them, and `arguments`.
        input_shape: Shape of one example: (features,) or (channels, height, width).
        classes: Number of classes.
        **arguments: Whatever else the architecture takes.

    Returns:
        A module from float [n, *input_shape] to logits [n, classes].

    Raises:
        ValueError: An unknown name, or arguments that the architecture does not take.
        TypeError: The function returned something that is not a module.
    """
    shape = tuple(input_shape)
    _check_sizes("input_shape", shape)
    _check_sizes("classes", [classes])
    make = architecture if callable(architecture) else None
    if make is None:
        make = look_up(ARCHITECTURES, architecture, "architecture")
    takes = inspect.signature(make).parameters
    given = {"input_shape": shape, "classes": classes}
    arguments = {name: value for name, value in given.items() if name in takes} | arguments
    _check_arguments(make, arguments)
    model = make(**arguments)
    if not isinstance(model, nn.Module):
        raise TypeError(f"{_name(make)} must return a torch.nn.Module, it returned {model!r}.")
    return model


def build_seeded(
    architecture: str | Architecture,
    input_shape: Sequence[int],
    classes: int,
    *,
    seed: int,
    **arguments: Any,
) -> nn.Module:
    """As `build`, with weights drawn from `seed`; torch's global generator is left as it was."""
    with seeded(seed, "weights"):
        return build(architecture, input_shape, classes, **arguments)


def _check_arguments(make: Architecture, arguments: dict[str, Any]) -> None:
    """Refuses, by name, what the signature of `make` does not take."""
    try:
        inspect.signature(make).bind(**arguments)
    except TypeError as error:
        own = [n for n in inspect.signature(make).parameters if n not in ("input_shape", "classes")]
        raise ValueError(
            f"{_name(make)} cannot be built with these arguments ({error}): "
            f"it takes {', '.join(own) or 'none'}."
        ) from error


def _name(make: Architecture) -> str:
    return getattr(make, "__name__", type(make).__name__)


def _image_shape(name: str, shape: Sequence[int], smallest: int) -> Sequence[int]:
    if len(shape) != 3 or min(shape[1:]) < smallest:
        raise ValueError(
            f"{name} takes images of shape (channels, height, width) with sides of at least "
            f"{smallest}, got {tuple(shape)}: use 'mlp' for anything else."
        )
    return shape


def _check_sizes(what: str, sizes: Sequence[object]) -> None:
    for size in sizes:
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ValueError(f"{what} must be made of integers of 1 or more, got {size!r}.")


def _check_dropout(dropout: float) -> None:
    if not isinstance(dropout, int | float) or not 0.0 <= dropout < 1.0:
        raise ValueError(f"dropout must be a probability in [0, 1), got {dropout!r}.")
