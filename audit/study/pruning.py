"""Prunes and retrains as a recipe says: pruned models, chains of them, and controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

import pruners
from audit.evidence.imports import resolve
from audit.evidence.store import Store
from audit.study import models
from audit.study.mixes import training_of
from audit.study.named_code import own_axes
from audit.study.origins import initial, origin_of
from audit.study.prepare import Arrays
from audit.study.recipes import Dense, Pruned

SMALL_DENSE = "small_dense"
NO_TRAINING = (
    "{} goes back to the parents' own training, and of parents that were trained elsewhere nothing "
    "is known of it: leave it out, or have the parents trained here."
)

# Draws of one parent have seeds this far apart, where no other parent's seed is.
APART = 1_000_003


def prune_recipe(recipe: Pruned, store: Store, arrays: Arrays, base: Path) -> pruners.Pruned:
    """The pruned model, or control, of a recipe.

    Raises:
        ValueError: As `pruners.prune_and_retrain` does.
        InputError: The data have no training part, or the parent cannot be pruned.
    """
    if recipe.control == SMALL_DENSE:
        raise ValueError("A small dense net is trained, not pruned: see `small_net`.")
    inputs, labels, prepare = models.training_part(recipe, arrays, base)
    method = None if recipe.method is None else method_of(recipe.method, base)
    more: dict[str, Any] = {}
    if needs_origin(recipe.method) and isinstance(recipe.parent, Dense):
        more["origin"] = origin_of(recipe.parent, store, arrays, base)
    start = _start(recipe, store, arrays, base)
    if recipe.before is not None:
        more["before"] = pruners.load_pruned(store.folder(recipe.before) / models.WEIGHTS, start)
    return pruners.prune_and_retrain(
        start,
        inputs,
        labels,
        method,
        recipe.sparsity,
        training_of(recipe.training),
        seed=_seed(recipe),
        prepare=prepare,
        device=recipe.compute.device,
        **more,
    )


def prune_stack(
    recipes: Sequence[Pruned], store: Store, arrays: Arrays, base: Path
) -> list[pruners.Pruned]:
    """The models of recipes that share a stack, in order.

    Raises:
        ValueError: As `pruners.prune_and_retrain_stacked` does.
        InputError: As for `prune_recipe`.
    """
    first = recipes[0]
    inputs, labels, prepare = models.training_part(first, arrays, base)
    return pruners.prune_and_retrain_stacked(
        models.load_parent(first.parent, store, arrays, base),
        inputs,
        labels,
        [(None if r.method is None else method_of(r.method, base), r.sparsity) for r in recipes],
        training_of(first.training),
        seed=_seed(first),
        prepare=prepare,
        device=first.compute.device,
    )


def _seed(recipe: Pruned) -> int:
    """Of the retraining: the parent's, and of each of its draws another."""
    return recipe.parent.seed + APART * recipe.draw


def needs_origin(method: Mapping[str, Any] | None) -> bool:
    """Whether a method's retraining asks how the parent was made."""
    if method is None or "retraining" not in method:
        return False
    row = pruners.RETRAININGS.get(method["retraining"])
    return row is not None and row.origin


def small_net(
    recipe: Pruned, store: Store, arrays: Arrays, base: Path
) -> tuple[nn.Module, pruners.Curve, dict[str, Any]]:
    """A dense net with about the parameters that pruning leaves, trained as the parent was.

    Returns:
        The net, its training, and the arguments that its architecture takes.

    Raises:
        ValueError: The architecture has no width to change, or no net is small enough.
    """
    parent = recipe.parent
    if not isinstance(parent, Dense) or parent.program is not None:
        raise ValueError(NO_TRAINING.format("The control small_dense"))
    shape = tuple(models.example(recipe, arrays, base).shape[1:])
    named, classes = models.architecture(parent, base), len(arrays.classes)
    left = _left(recipe, pruners.build(named, shape, classes, **parent.arguments))
    arguments = pruners.small_dense(named, shape, classes, parent.arguments, left)
    model = pruners.build_seeded(named, shape, classes, seed=parent.seed, **arguments)
    inputs, labels, prepare = models.training_part(recipe, arrays, base)
    curve = pruners.train(
        model,
        inputs,
        labels,
        training_of(parent.training),
        seed=parent.seed,
        prepare=prepare,
        device=recipe.compute.device,
    )
    return model, curve, arguments


def _left(recipe: Pruned, model: nn.Module) -> int:
    """How many parameters the pruned net keeps."""
    options, parameters = recipe.method or {}, dict(model.named_parameters())
    total = sum(p.numel() for p in parameters.values())
    if options.get("count") == "all":
        return round((1.0 - recipe.sparsity) * total)
    targets = pruners.find_targets(model, tuple(options["protect"]))
    return total - round(recipe.sparsity * sum(parameters[n].numel() for n in targets.names))


def method_of(options: Mapping[str, Any], base: Path) -> pruners.Method:
    """The method whose fields a recipe holds.

    Raises:
        ValueError: See `pruners.Method`.
        InputError: A function of one's own is not there.
    """
    fields = {key: value for key, value in options.items() if key != "code"}
    if not isinstance(fields["allocation"], str):
        fields["allocation"] = dict(fields["allocation"])
    own = own_axes(fields)
    functions = {axis: resolve(reference, base) for axis, reference in own.items()}
    if own and fields.get("name") is None:
        functions["name"] = "-".join(own.values())
    return pruners.Method(**{**fields, **functions})


def _start(recipe: Pruned, store: Store, arrays: Arrays, base: Path) -> nn.Module:
    """The weights that pruning begins with; an unpaired model has no trained parent."""
    if recipe.unpaired and isinstance(recipe.parent, Dense):
        return initial(recipe.parent, store, arrays, base)
    return models.load_parent(recipe.parent, store, arrays, base)
