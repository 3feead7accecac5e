"""The saliency of a channel that its batch-norm says."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from pruners.saliency.examples import Data
from pruners.saliency.rows import over_units
from pruners.saliency.tracing import example_of, flow


def bn_scale(
    model: nn.Module, names: Sequence[str], data: Data | None = None, seed: int = 0
) -> dict[str, Tensor]:
    """|γ| of the batch-norm that the channel goes into (Liu 2017, network slimming, section 3).

    The paper trains with an L1 penalty on γ, which is the business of the training, not of this.
    Layers that no batch-norm follows directly have no γ to compare and stay whole. What follows
    what is seen on an example, or on noise of a likely shape where there are no data.

    Raises:
        ValueError: No batch-norm follows any of the layers, or what follows cannot be told.
    """
    norms = flow(model, example_of(model, data, "Saliency 'bn_scale'")).norms
    owners = {name: norms.get(name.rpartition(".")[0], ()) for name in names}
    scales = {
        name: model.get_parameter(f"{found[0]}.weight").detach()
        for name, found in owners.items()
        if found and getattr(model.get_submodule(found[0]), "weight", None) is not None
    }
    refusal = (
        f"Saliency 'bn_scale' needs a batch-norm behind a layer, and in {type(model).__name__} "
        f"none follows {', '.join(names)}: choose saliency 'magnitude'."
    )
    return over_units(model, names, {name: g.abs() for name, g in scales.items()}, refusal)
