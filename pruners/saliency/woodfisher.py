"""Optimal brain surgeon in blocks: inverse empirical Fisher matrices, and what the others do.

With the gradients of N examples as rows of G, a block of weights has F = GᵀG / N + λ I. Singh &
Alistarh (2020) build F⁻¹ by a rank-one step per example; the same in one step (Woodbury) is

    F⁻¹ = (I − Gᵀ K⁻¹ G) / λ,   K = N λ I + G Gᵀ  [N, N],

so that no matrix of the size of the block is ever made. Removing the set Q at once is best answered
by the rest R with Gᵣᵀ Kᵣ⁻¹ (G_q w_q), where K of the rest alone appears: exact for the block, which
the sum of the answers to single removals is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from pruners.saliency.examples import (
    LOOK,
    Data,
    batches,
    evaluating,
    examples_at_once,
    toward_label,
    weights_of,
)
from pruners.saliency.singly import example_gradients

BLOCK = 2000  # neighbouring weights of one parameter, as for the paper's larger nets
DAMPING = 1e-5  # λ, the paper's


@dataclass(frozen=True)
class Block:
    """Entries `first` to `last` (not included) of a flattened parameter."""

    name: str
    first: int
    last: int


def woodfisher(
    model: nn.Module, names: Sequence[str], data: Data | None = None, seed: int = 0
) -> dict[str, Tensor]:
    """w² / (2 [F⁻¹]_ii), F the empirical Fisher matrix of 2,000 neighbours (Singh & Alistarh 2020).

    Equation 11 with the damping 1e-5 of the paper; gradients are those of single examples at the
    labels given. A weight of zero has 0, and has no part in the matrix: it is gone already, and
    cannot make up for others. The gradients kept (examples × weights, float32) stay under
    `GRADIENT_BYTES`; where all weights need more, the examples are gone through several times.
    """
    weights = weights_of(model, names)
    scores = {n: torch.zeros(w.numel(), dtype=torch.float64, device=w.device)
              for n, w in weights.items()}  # fmt: skip
    for block, rows in _blocks(model, weights, data, "woodfisher"):
        w = weights[block.name].flatten()[block.first : block.last].double()
        rows = rows * (w != 0)
        lever = torch.linalg.solve_triangular(root(_small(rows)), rows, upper=False).square()
        # 1 − leverage is λ [F⁻¹]_ii, above zero but for rounding.
        left = (1 - lever.sum(0)).clamp(min=1e-12)
        scores[block.name][block.first : block.last] = 0.5 * DAMPING * w.square() / left
    return {name: scores[name].reshape(weights[name].shape) for name in names}


def woodfisher_update(
    model: nn.Module, removed: Mapping[str, Tensor], data: Data | None = None, seed: int = 0
) -> None:
    """Moves the weights that stay to where the quadratic model of the loss is lowest, in place.

    Args:
        model: Still with the weights that are about to be removed.
        removed: bool by parameter name, True where a weight goes now.
        data: The examples that the scores were made with.
        seed: Not used.
    """
    weights = weights_of(model, list(removed))
    moved = {name: weight.clone() for name, weight in weights.items()}
    for block, rows in _blocks(model, weights, data, "woodfisher"):
        part = slice(block.first, block.last)
        w = weights[block.name].flatten()[part].double()
        goes = removed[block.name].to(w.device).flatten()[part]
        rest = rows * (~goes & (w != 0))
        lost = rows[:, goes] @ w[goes]
        answer = torch.linalg.solve(_small(rest), lost)
        moved[block.name].view(-1)[part] += (rest.T @ answer).to(moved[block.name].dtype)
    write(model, moved)


@torch.no_grad()
def write(model: nn.Module, values: Mapping[str, Tensor]) -> None:
    """Sets the named parameters, in place and in their own dtype."""
    parameters = dict(model.named_parameters())
    for name, value in values.items():
        parameters[name].copy_(value)


def root(matrix: Tensor) -> Tensor:
    """The Cholesky factor of a damped matrix of curvature.

    Raises:
        ValueError: It has none: entries are not finite, or so large that the damping is lost.
    """
    factor: Tensor
    factor, failed = torch.linalg.cholesky_ex(matrix)
    if bool(failed):
        raise ValueError(
            f"The curvature cannot be inverted, its entries are up to {matrix.abs().max():.3g}: "
            f"{LOOK}."
        )
    return factor


def _small(rows: Tensor) -> Tensor:
    """N λ I + G Gᵀ."""
    small = rows @ rows.T
    small.diagonal().add_(len(rows) * DAMPING)
    return small


def _blocks(
    model: nn.Module, weights: Mapping[str, Tensor], data: Data | None, needed_by: str
) -> Iterator[tuple[Block, Tensor]]:
    """Every block with its gradients, float64 [examples, weights of the block]."""
    known = data if isinstance(data, tuple) or data is None else list(data)
    with evaluating(model) as shown:
        count = sum(len(inputs) for inputs, _ in batches(shown, known, needed_by))
        for run in _runs(weights, examples_at_once(count * 4)):
            parts: dict[Block, list[Tensor]] = {block: [] for block in run}
            for inputs, labels in batches(shown, known, needed_by):
                _add_rows(shown, weights, inputs, labels, parts)
            for block in run:
                yield block, torch.cat(parts.pop(block)).double()


def _runs(weights: Mapping[str, Tensor], columns: int) -> Iterator[list[Block]]:
    """The blocks in order, in runs of at most so many weights (or of one block)."""
    run: list[Block] = []
    held = 0
    for name, weight in weights.items():
        for first in range(0, weight.numel(), BLOCK):
            block = Block(name, first, min(first + BLOCK, weight.numel()))
            size = block.last - block.first
            if run and held + size > columns:
                yield run
                run, held = [], 0
            run.append(block)
            held += size
    if run:
        yield run


def _add_rows(
    model: nn.Module,
    weights: Mapping[str, Tensor],
    inputs: Tensor,
    labels: Tensor,
    parts: Mapping[Block, list[Tensor]],
) -> None:
    chosen = {block.name: weights[block.name] for block in parts}
    size = examples_at_once(sum(w.nbytes for w in chosen.values()))
    for shown, right in zip(torch.split(inputs, size), torch.split(labels, size), strict=True):
        with torch.no_grad():
            toward = toward_label(model(shown), right, "woodfisher")
        found = example_gradients(model, chosen, shown, toward)
        for block, rows in parts.items():
            # A copy: a view would keep the gradients of the whole parameter.
            rows.append(found[block.name].flatten(1)[:, block.first : block.last].clone())
