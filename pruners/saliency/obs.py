"""Optimal brain surgeon with the one full matrix of all weights: exact, for small models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from pruners.saliency.curvature import loss_columns
from pruners.saliency.examples import Data, batches, evaluating, examples_at_once, weights_of
from pruners.saliency.singly import example_gradients
from pruners.saliency.woodfisher import root, write

WEIGHTS = 6000  # largest number of weights: some three matrices of 0.3 GB in float64
DAMPING = 1e-6  # on the diagonal; Hassibi & Stork start theirs from 1e-8 to 1e-4


def obs(
    model: nn.Module, names: Sequence[str], data: Data | None = None, seed: int = 0
) -> dict[str, Tensor]:
    """w² / (2 [H⁻¹]_ii), H the Gauss–Newton matrix of all weights (Hassibi & Stork 1993, eq. 5).

    H is the mean over examples of Jᵀ (diag p − p pᵀ) J, with 1e-6 on its diagonal: for squared
    errors this is the paper's matrix, for the cross-entropy of a linear model the exact Hessian;
    labels are not looked at. A weight of zero has 0 and no part in the matrix.

    Raises:
        ValueError: There are more than 6,000 weights.
    """
    weights = weights_of(model, names)
    flat = _flat(weights)
    alive = flat.nonzero()[:, 0]
    hessian = _gauss_newton(model, weights, data)[alive][:, alive]
    inverse = torch.cholesky_inverse(root(hessian)).diagonal()
    scores = torch.zeros_like(flat)
    scores[alive] = flat[alive].square() / (2 * inverse)
    return _like(weights, scores)


def obs_update(
    model: nn.Module, removed: Mapping[str, Tensor], data: Data | None = None, seed: int = 0
) -> None:
    """Moves the weights that stay to where the quadratic model of the loss is lowest, in place.

    Solved for all removed weights together: H_rr δ_r = H_rq w_q, q removed and r the rest.

    Args:
        model: Still with the weights that are about to be removed.
        removed: bool by parameter name, True where a weight goes now.
        data: The examples that the scores were made with.
        seed: Not used.

    Raises:
        ValueError: There are more than 6,000 weights.
    """
    weights = weights_of(model, list(removed))
    flat = _flat(weights)
    goes = torch.cat([removed[name].to(flat.device).flatten() for name in weights])
    gone, rest = goes.nonzero()[:, 0], (~goes & (flat != 0)).nonzero()[:, 0]
    hessian = _gauss_newton(model, weights, data)
    lost = hessian[rest][:, gone] @ flat[gone]
    half = root(hessian[rest][:, rest])
    flat[rest] += torch.cholesky_solve(lost[:, None], half)[:, 0]
    write(model, _like(weights, flat))


def _flat(weights: Mapping[str, Tensor]) -> Tensor:
    return torch.cat([weight.flatten().double() for weight in weights.values()])


def _like(weights: Mapping[str, Tensor], flat: Tensor) -> dict[str, Tensor]:
    parts = torch.split(flat, [weight.numel() for weight in weights.values()])
    return {
        name: part.reshape(weight.shape)
        for (name, weight), part in zip(weights.items(), parts, strict=True)
    }


def _gauss_newton(model: nn.Module, weights: Mapping[str, Tensor], data: Data | None) -> Tensor:
    """The damped matrix, float64 [weights, weights]."""
    count = sum(weight.numel() for weight in weights.values())
    if count > WEIGHTS:
        raise ValueError(
            f"Saliency 'obs' inverts a matrix of all weights, and {count} are more than {WEIGHTS}: "
            f"choose 'woodfisher', which does it in blocks."
        )
    device = next(iter(weights.values())).device
    total, seen = torch.zeros(count, count, dtype=torch.float64, device=device), 0
    with evaluating(model) as shown:
        for inputs, labels in batches(shown, data, "obs"):
            for part in torch.split(inputs, examples_at_once(8 * count)):
                with torch.no_grad():
                    columns = loss_columns(shown(part), labels)
                for toward in columns:
                    rows = example_gradients(shown, weights, part, toward)
                    flat = torch.cat([rows[name].flatten(1) for name in weights], dim=1).double()
                    total.addmm_(flat.T, flat)
            seen += len(inputs)
    total /= seen
    total.diagonal().add_(DAMPING)
    return total
