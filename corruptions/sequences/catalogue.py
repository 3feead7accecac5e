"""The sequences there are, one row each, with the published constants of three sizes.

They are those of ImageNet-P, Tiny-ImageNet-P and CIFAR-10-P (Hendrycks and Dietterich,
"Benchmarking Neural Network Robustness to Common Corruptions and Perturbations", 2019, and its
code). The published frames of ImageNet-P and Tiny-ImageNet-P went through H.264 video besides;
these do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from ..spelling import unknown
from . import drops, moves, steps

Compares = Literal["first", "previous"]
Size = Literal["imagenet", "tiny", "cifar"]
# How many frames there are, then the constants in the order of the function's arguments.
Steps = tuple[float, ...]
# How many difficulties noise is published in; of the other sequences any number of frames apart.
DIFFICULTIES = 3


@dataclass(frozen=True)
class Perturbation:
    """One sequence of frames.

    Attributes:
        function: (images [N, C, H, W], draws, frames, *constants) -> an iterator of such images.
        compares: Which frame's answer each other one is compared with: noise has the clean image
            first, whatever else moves on from frame to frame.
        description: One line for people.
        sizes: For each size, the number of frames and the constants.
    """

    function: Callable[..., Iterator[Tensor]]
    compares: Compares
    description: str
    sizes: Mapping[Size, Steps]


def _alike(*numbers: float) -> Mapping[Size, Steps]:
    return {"imagenet": numbers, "tiny": numbers, "cifar": numbers}


def _noise(
    function: Callable[..., Iterator[Tensor]], description: str, *scales: float
) -> Perturbation:
    large, middle, small = scales
    sizes: Mapping[Size, Steps] = {
        "imagenet": (31, large),
        "tiny": (31, middle),
        "cifar": (31, small),
    }
    return Perturbation(function, "first", description, sizes)


PERTURBATIONS: Mapping[str, Perturbation] = {
    "gaussian_noise": _noise(
        steps.gaussian_noise, "the image, then normal noise on it", 0.03, 0.025, 0.02
    ),
    "gaussian_noise_2": _noise(
        steps.gaussian_noise, "the image, then more normal noise on it", 0.05, 0.05, 0.04
    ),
    "gaussian_noise_3": _noise(
        steps.gaussian_noise, "the image, then much normal noise on it", 0.08, 0.075, 0.06
    ),
    "shot_noise": _noise(steps.shot_noise, "the image, then Poisson noise on it", 300, 500, 700),
    "shot_noise_2": _noise(
        steps.shot_noise, "the image, then more Poisson noise on it", 120, 250, 400
    ),
    "shot_noise_3": _noise(
        steps.shot_noise, "the image, then much Poisson noise on it", 60, 125, 200
    ),
    "motion_blur": Perturbation(
        steps.motion_blur,
        "previous",
        "a camera that moves in a direction which turns",
        {"imagenet": (31, 10, 3, 4), "tiny": (31, 14, 3, 5), "cifar": (21, 6, 1.8, 9)},
    ),
    "zoom_blur": Perturbation(
        moves.zoom_blur, "previous", "a camera that moves towards the object", _alike(31, 0.004)
    ),
    "snow": Perturbation(
        steps.snow,
        "previous",
        "streaks of snow whose direction turns",
        {
            "imagenet": (31, 0.05, 0.3, 3, 0.5, 14, 4, 0.85, 4, -150),
            "tiny": (31, 0.05, 0.28, 2, 0.5, 10, 2.5, 0.85, 4, -150),
            "cifar": (31, 0.05, 0.3, 2, 0.5, 10, 2, 0.85, 4, -150),
        },
    ),
    "brightness": Perturbation(
        steps.brightness,
        "previous",
        "from darker to brighter",
        {"imagenet": (31, 0.02), "tiny": (31, 0.02), "cifar": (31, 0.015)},
    ),
    "translate": Perturbation(
        moves.translate,
        "previous",
        "shifted from left to right, a pixel a frame",
        {"imagenet": (41, -20), "tiny": (31, -15), "cifar": (16, -7)},
    ),
    "rotate": Perturbation(
        moves.rotate, "previous", "turned clockwise, a degree a frame", _alike(31, -15)
    ),
    "tilt": Perturbation(
        moves.tilt,
        "previous",
        "turned out of its plane about both axes",
        {"imagenet": (31, 1), "tiny": (31, 1), "cifar": (31, 0.75)},
    ),
    "scale": Perturbation(
        moves.scale,
        "previous",
        "from smaller to larger",
        {"imagenet": (31, 40, 2.5), "tiny": (31, 40, 2.5), "cifar": (31, 70, 2)},
    ),
    "speckle_noise": _noise(
        steps.speckle_noise, "the image, then noise in proportion to it", 0.05, 0.05, 0.05
    ),
    "speckle_noise_2": _noise(
        steps.speckle_noise, "the image, then more noise in proportion to it", 0.1, 0.1, 0.07
    ),
    "speckle_noise_3": _noise(
        steps.speckle_noise, "the image, then much noise in proportion to it", 0.15, 0.15, 0.1
    ),
    "gaussian_blur": Perturbation(
        steps.gaussian_blur,
        "previous",
        "a Gaussian blur that widens",
        {"imagenet": (31, 0.25, 0.035), "tiny": (31, 0.35, 0.014), "cifar": (31, 0.3, 0.015)},
    ),
    "spatter": Perturbation(
        drops.spatter,
        "previous",
        "drops of water that run down",
        {
            "imagenet": (31, 0.65, 0.27, 3.7, 0.69, 0.6, 0.05, 0.1, 0.15, 0.7),
            "tiny": (31, 0.6, 0.25, 1.75, 0.7, 0.6, 0.2, 0.8),
            "cifar": (31, 0.6, 0.265, 1.75, 0.7, 0.6, 0.2, 0.8),
        },
    ),
    "shear": Perturbation(
        moves.shear, "previous", "leaning from one side to the other", _alike(31, -15)
    ),
}

# Ten each, in the order that they were published in.
SEQUENCE_SETS: Mapping[str, tuple[str, ...]] = {
    "imagenet-p": (
        "gaussian_noise",
        "shot_noise",
        "motion_blur",
        "zoom_blur",
        "snow",
        "brightness",
        "translate",
        "rotate",
        "tilt",
        "scale",
    ),
    "imagenet-p-extra": ("speckle_noise", "gaussian_blur", "spatter", "shear"),
    "cifar-p": (
        "gaussian_noise",
        "shot_noise",
        "motion_blur",
        "zoom_blur",
        "spatter",
        "brightness",
        "translate",
        "rotate",
        "tilt",
        "scale",
    ),
}


def find(name: str) -> Perturbation:
    """The catalogue's row of that name.

    Raises:
        ValueError: There is none; the nearest name is offered.
    """
    if name not in PERTURBATIONS:
        raise unknown("sequence", name, PERTURBATIONS)
    return PERTURBATIONS[name]


def at_difficulty(name: str, difficulty: int) -> str:
    """The name of a sequence at a difficulty: noise is stronger, all else keeps its frames.

    Of the sequences that move on, a difficulty k compares frames that are k apart.

    Raises:
        ValueError: There is no such sequence, or its noise has no such difficulty.
    """
    if find(name).compares == "previous" or difficulty == 1:
        return name
    if name[-2:] in ("_2", "_3"):
        raise ValueError(f"{name} names its difficulty: leave the other, {difficulty}, out.")
    if difficulty > DIFFICULTIES:
        raise ValueError(
            f"{name} is published in {DIFFICULTIES} difficulties, not {difficulty}: use 1 to "
            f"{DIFFICULTIES}."
        )
    return f"{name}_{difficulty}"
