"""From scores to masks: exactly the number asked for, ties by index, no layer emptied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from pruners.allocation import Allocation
from pruners.granularity import Grain, Granularity, Pool
from pruners.masks import Masks
from pruners.pieces import Partition, Piece, Structure, separate
from pruners.ranking import Ranking, reserve
from pruners.saliency import Data, GroupSaliency, Saliency
from pruners.saliency.examples import check_finite, in_single_precision
from pruners.setting import Setting
from pruners.sparsity import Count
from pruners.targets import Targets

_SHORT = (torch.float16, torch.bfloat16)


@dataclass(frozen=True)
class Axes:
    """What decides which weights go: functions, one per axis, and how they are to be taken.

    Attributes:
        saliency: Scores weights.
        pool: Makes one score of the values in a group.
        granularity: Groups weights: of a parameter, or of a model if `structural`.
        allocation: Orders groups of all pieces; takes a `Setting` too if `contextual`.
        grain: What has a score, as of `SaliencyRow`.
        structural: Whether the granularity is a `Structure`.
        contextual: Whether the allocation looks at more than scores.
        keep: Groups that stay in every piece.
        count: What a sparsity is a fraction of.
    """

    saliency: Saliency | GroupSaliency
    pool: Pool
    granularity: Granularity | Structure
    allocation: Allocation
    grain: Grain = "weight"
    structural: bool = False
    contextual: bool = False
    keep: int = 1
    count: Count = "targeted"

    def partition(self, model: nn.Module, targets: Targets, data: Data | None) -> Partition:
        """The model in pieces."""
        if self.structural:
            return cast("Structure", self.granularity)(model, targets, data)
        return separate(cast("Granularity", self.granularity), model, targets)


def rank(
    model: nn.Module,
    targets: Targets,
    axes: Axes,
    data: Data | None,
    seed: int,
    removed: Masks | None = None,
    notes: tuple[str, ...] = (),
) -> Ranking:
    """Scores the targeted weights and puts them in order.

    Args:
        model: Any module.
        targets: What may be removed.
        axes: How it is scored, grouped and allocated.
        data: Examples for the saliencies that need them.
        seed: For the saliencies that draw.
        removed: Weights that are gone already; they come first, and so never come back.
        notes: For the record.

    Raises:
        ValueError: A weight or a score is not finite or not there, or no group may be removed.
    """
    parameters = dict(model.named_parameters())
    if any(parameters[name].is_meta for name in targets.names):
        raise ValueError(
            f"The weights of {type(model).__name__} have no values (device meta): load some first."
        )
    # Sums of squares of 16-bit numbers overflow or vanish: such a model is scored in float32.
    model = in_single_precision(model)
    partition = axes.partition(model, targets, data)
    for name in partition.targets.names:
        check_finite(parameters[name], f"The weight {name!r}", "train the model again")
    scores = _scores(model, partition, axes, data, seed)
    unscored = [name for name, score in scores.items() if (score == torch.inf).all()]
    if len(unscored) == len(scores):
        raise ValueError(
            f"The saliency says nothing of any group of {type(model).__name__} that may be removed "
            f"({', '.join(unscored)}): choose another saliency or granularity."
        )
    gone = {} if removed is None else _gone(partition, removed)
    for name, mask in gone.items():
        scores[name] = scores[name].masked_fill(mask.to(scores[name].device), -torch.inf)
    keys = _keys(model, partition, axes, scores, data)
    _settle(partition, keys, scores, unscored, gone)
    del scores
    ordered = _alike(partition, keys)
    return Ranking(
        partition,
        ordered,
        reserve(partition, ordered, axes.keep),
        sum(parameter.numel() for parameter in parameters.values()),
        axes.count,
        sum(int(mask.count_nonzero()) for mask in gone.values()),
        tuple(dict.fromkeys((*notes, *partition.notes, *_kept_whole(unscored)))),
    )


def _settle(
    partition: Partition,
    keys: dict[str, Tensor],
    scores: Mapping[str, Tensor],
    unscored: Sequence[str],
    gone: Mapping[str, Tensor],
) -> None:
    """What stays or goes whatever the allocation makes of it."""
    for piece in partition.pieces:
        if piece.candidates is not None:
            may = piece.candidates(scores[piece.name])
            keys[piece.name] = keys[piece.name].masked_fill(~may, torch.inf)
        if piece.name in unscored:
            keys[piece.name] = torch.full_like(keys[piece.name], torch.inf)
        if piece.name in gone:
            mask = gone[piece.name].to(keys[piece.name].device)
            keys[piece.name] = keys[piece.name].masked_fill(mask, -torch.inf)


def _scores(
    model: nn.Module, partition: Partition, axes: Axes, data: Data | None, seed: int
) -> dict[str, Tensor]:
    """One score per group, for each piece."""
    if axes.grain == "group":
        return _scores_of_groups(model, partition, axes, data, seed)
    found = dict(cast("Saliency", axes.saliency)(model, partition.targets.names, data, seed))
    uses = Counter(name for piece in partition.pieces for name in piece.reads)
    for name in uses:
        if not (found[name] == torch.inf).all():  # else it says nothing of this parameter
            check_finite(found[name], f"The saliency of {name!r}")
    scores = {}
    for piece in partition.pieces:
        parts = {n: found[n].float() if found[n].dtype in _SHORT else found[n] for n in piece.reads}
        gathered = piece.gather(parts, axes.grain)
        spanning = axes.grain != "weight" and len(piece.changes) > 1
        scores[piece.name] = _mean_of_scored(gathered) if spanning else axes.pool(gathered)
        del parts, gathered
        uses.subtract(piece.reads)
        for name in piece.reads:
            if uses[name] == 0:
                # At once: the scores of a large model must not be there twice.
                found.pop(name, None)
    return scores


def _mean_of_scored(gathered: Tensor) -> Tensor:
    """The mean over the units of a group, [groups, units] -> [groups]; without unscored layers."""
    scored = gathered[:, (gathered != torch.inf).any(0)]
    return scored.mean(1) if scored.shape[1] else gathered[:, 0]


def _scores_of_groups(
    model: nn.Module, partition: Partition, axes: Axes, data: Data | None, seed: int
) -> dict[str, Tensor]:
    """What a `GroupSaliency` says of the groups."""
    pieces = {piece.name: piece for piece in partition.pieces}

    def entries(name: str, index: int) -> Mapping[str, Tensor]:
        one = torch.zeros(pieces[name].groups, dtype=torch.bool)
        one[index] = True
        return pieces[name].spread(one)

    saliency = cast("GroupSaliency", axes.saliency)
    groups = {name: piece.groups for name, piece in pieces.items()}
    found: dict[str, Tensor] = saliency(model, groups, entries, data, seed)
    for name in pieces:
        check_finite(found[name], f"The saliency of {name!r}")
    return {name: found[name] for name in pieces}


def _gone(partition: Partition, removed: Masks) -> dict[str, Tensor]:
    """For each piece the groups of which nothing is left."""
    return {
        piece.name: _all_gone(piece, removed.kept)
        for piece in partition.pieces
        if all(name in removed.kept for name in piece.reads)
    }


def _all_gone(piece: Piece, kept: Mapping[str, Tensor]) -> Tensor:
    # Padding gathers as False: a group is there while any of its weights is kept.
    return ~piece.gather(kept, "weight").any(dim=1)


def _keys(
    model: nn.Module,
    partition: Partition,
    axes: Axes,
    scores: Mapping[str, Tensor],
    data: Data | None,
) -> dict[str, Tensor]:
    """What the allocation makes of the scores."""
    shapes = {piece.name: piece.shape for piece in partition.pieces}
    if not axes.contextual:
        return dict(axes.allocation(scores, shapes))
    setting = Setting(model, partition, scores, data)
    return dict(axes.allocation(scores, shapes, setting))


def _alike(partition: Partition, keys: dict[str, Tensor]) -> tuple[Tensor, ...]:
    """The keys of all pieces, comparable and ours to change; `keys` is emptied on the way.

    Copied one by one: a saliency may hand over tensors of its own, or the weights themselves.
    """
    double = any(part.dtype == torch.float64 for part in keys.values())
    kind = torch.float64 if double else torch.float32
    device = keys[partition.pieces[0].name].device
    return tuple(
        torch.empty(piece.groups, dtype=kind, device=device).copy_(keys.pop(piece.name))
        for piece in partition.pieces
    )


def _kept_whole(unscored: Sequence[str]) -> tuple[str, ...]:
    if not unscored:
        return ()
    return (f"The saliency says nothing of {', '.join(unscored)}: kept whole.",)
