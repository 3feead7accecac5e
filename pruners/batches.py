"""Which examples make a batch, and how they are varied: both from a generator made of the seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


def epoch_batches(examples: int, batch_size: int, order: torch.Generator) -> Iterator[Tensor]:
    """Index tensors, int64, that go once through 0..examples-1 in a drawn order.

    The batches differ in size by one at most: a last batch of a single example, which batch-norm
    cannot take, does not happen.
    """
    drawn = torch.randperm(examples, generator=order)
    yield from drawn.tensor_split(steps_per_epoch(examples, batch_size))


def steps_per_epoch(examples: int, batch_size: int) -> int:
    """Batches it takes to go through the examples once."""
    return -(-examples // batch_size)


def nothing(images: Tensor, draws: torch.Generator) -> Tensor:
    """The batch as it is."""
    return images


def shift(images: Tensor, draws: torch.Generator) -> Tensor:
    """Moves each image by up to an eighth of its sides (at least a pixel), zeros coming in.

    Args:
        images: Any dtype [n, channels, height, width]; zero is the colour of the border.
        draws: Where the offsets come from.
    """
    n, _, height, width = images.shape
    down, right = max(1, height // 8), max(1, width // 8)
    padded = F.pad(images, (right, right, down, down))
    top = torch.randint(2 * down + 1, (n,), generator=draws)
    left = torch.randint(2 * right + 1, (n,), generator=draws)
    rows = (top[:, None] + torch.arange(height))[:, :, None].to(images.device)
    columns = (left[:, None] + torch.arange(width))[:, None, :].to(images.device)
    example = torch.arange(n, device=images.device)[:, None, None]
    moved = padded.permute(0, 2, 3, 1)[example, rows, columns]
    return moved.permute(0, 3, 1, 2).contiguous()


def flip(images: Tensor, draws: torch.Generator) -> Tensor:
    """Mirrors each image left to right with probability one half."""
    mirrored = torch.rand(len(images), generator=draws) < 0.5
    return torch.where(mirrored.to(images.device)[:, None, None, None], images.flip(3), images)


def shift_flip(images: Tensor, draws: torch.Generator) -> Tensor:
    """A shift, then a flip: what residual nets on CIFAR are trained with (He 2016)."""
    return flip(shift(images, draws), draws)


Augmentation = Callable[[Tensor, torch.Generator], Tensor]


class AugmentationRow(NamedTuple):
    """One row of `AUGMENTATIONS`."""

    function: Augmentation
    summary: str
    source: str


AUGMENTATIONS: dict[str, AugmentationRow] = {
    "none": AugmentationRow(nothing, "examples as they are", "-"),
    "shift": AugmentationRow(shift, "moved by up to an eighth of the side", "He 2016"),
    "flip": AugmentationRow(flip, "mirrored left to right, half of the time", "He 2016"),
    "shift_flip": AugmentationRow(shift_flip, "both", "He 2016"),
}
