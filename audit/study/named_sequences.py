"""Which sequences of frames a config asks for, and the frames of a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from numpy.typing import NDArray

from audit.evidence.errors import ConfigError, JobError
from audit.judgement.shifts.kinds import SEQUENCE
from audit.study.config import Config
from audit.study.recipes import Data, Shown

if TYPE_CHECKING:
    from torch import Tensor

    from audit.study.preprocess import Preprocess


def sequences_of(config: Config, data: Data) -> list[Shown]:
    """The conditions of `shifts.sequences`, `<name>@sequence` each. Only they need torch.

    Raises:
        ConfigError: There is no such set, sequence or difficulty.
    """
    asked, difficulty = config.shifts.sequences, config.shifts.sequence_difficulty
    if not asked:
        return []
    from corruptions.sequences import SEQUENCE_SETS, at_difficulty
    from corruptions.spelling import unknown

    try:
        if isinstance(asked, str) and asked not in SEQUENCE_SETS:
            raise unknown("set of sequences", asked, SEQUENCE_SETS)
        listed = SEQUENCE_SETS[asked] if isinstance(asked, str) else asked
        names = [at_difficulty(name, difficulty) for name in listed]
    except ValueError as error:
        raise ConfigError(f"shifts.sequences: {error}") from error
    seed, preset = config.shifts.seed, config.shifts.preset
    return [
        Shown(
            f"{name}{SEQUENCE}",
            data,
            severity=None,
            seed=seed,
            preset=preset,
            sequence=name,
            apart=difficulty if compares(name) == "previous" else 1,
        )
        for name in names
    ]


def compares(name: str) -> Literal["first", "previous"]:
    """Which frame's answer each other one of a sequence is compared with."""
    from corruptions.sequences import PERTURBATIONS

    return PERTURBATIONS[name].compares


def frames_of(
    images: Tensor, ids: NDArray[Any], shown: Shown, preprocess: Preprocess
) -> Callable[[], Iterator[Tensor]]:
    """What makes the frames of a batch, as models take them, one at a time.

    Args:
        images: uint8 [N, C, H, W], on the models' device.
        ids: One for each image.
        shown: The condition.
        preprocess: What comes between an image and the models.
    """
    return partial(_frames, images, ids, shown, preprocess)


def _frames(
    images: Tensor, ids: NDArray[Any], shown: Shown, preprocess: Preprocess
) -> Iterator[Tensor]:
    from corruptions.sequences import perturbation_frames

    name, seed, preset = shown.sequence, shown.seed, shown.preset
    try:
        frames = perturbation_frames(images, name, seed=seed, ids=ids, preset=preset)
    except (TypeError, ValueError) as error:
        raise JobError(f"{shown.name}: {error}") from error
    for frame in frames:
        yield preprocess.after(frame)
