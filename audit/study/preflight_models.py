"""Refuses a population that cannot be made, once the data tell what the architecture looks like."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import pruners
from audit.evidence.errors import ConfigError, InputError
from audit.study import models
from audit.study.layout import Study
from audit.study.prepare import Arrays
from audit.study.pruning import NO_TRAINING, SMALL_DENSE, method_of, needs_origin
from audit.study.recipes import Dense, Given, Pruned
from pruners.catalogue import granularity_row
from pruners.stacked_retraining import check_parent

# Allocations whose reach depends on the architecture alone, so that untrained weights tell it.
SHAPED = ("erk", "global", "uniform")


def check_models(study: Study) -> None:
    """Builds the architecture and tries every method and sparsity on it, without training.

    Raises:
        ConfigError: A pattern matches nothing, N:M does not divide, a sparsity cannot be reached,
            models that shall be stacked cannot be, or a retraining needs to know of a training that
            nobody knows.
        InputError: The architecture cannot be built, or the data have no training part.
    """
    made = [recipe for recipe in study.pruned.values() if recipe.program is None]
    arrays = Arrays(study.store.folder(study.data))
    if made and not arrays.has("train"):
        raise InputError(
            "population prunes and retrains models, and the data have no training part: name one "
            "under data.splits."
        )
    _check_origins(made)
    tried: list[Mapping[str, Any]] = []
    parents = {id(parent): parent for parent in (recipe.parent for recipe in made)}
    root = next(iter(parents.values()), None)
    if study.config.population.stacked and root is not None:
        _try_stacking(_module(root, arrays, study), models.example(root, arrays, study.base))
    for recipe in made:
        method = recipe.method
        if method is not None and not recipe.control and method not in tried and root is not None:
            tried.append(method)
            asked = sorted({r.sparsity for r in made if r.method == method})
            _try_method(_module(root, arrays, study), method, asked, study.base)


def _check_origins(made: list[Pruned]) -> None:
    for recipe in made:
        parent = recipe.parent
        known = isinstance(parent, Dense) and parent.program is None
        if known:
            continue
        if recipe.control == SMALL_DENSE:
            raise ConfigError("population.controls: " + NO_TRAINING.format(SMALL_DENSE))
        if recipe.method is not None and needs_origin(recipe.method):
            named = f"retraining {recipe.method['retraining']!r}"
            raise ConfigError("population.methods: " + NO_TRAINING.format(named))


def _module(root: Dense | Given, arrays: Arrays, study: Study) -> nn.Module:
    build = models.builder(root, arrays, study.base)
    if build is None:
        raise InputError(
            "population prunes model.weights, and an exported program cannot be pruned: give the "
            "module and a checkpoint of its weights."
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build()


def _try_stacking(model: nn.Module, example: Tensor) -> None:
    try:
        check_parent(model, example)
    except ValueError as error:
        raise ConfigError(f"population.stacked: {error}") from error


def _try_method(
    model: nn.Module, options: Mapping[str, Any], sparsities: list[float], base: Path
) -> None:
    """Chooses masks by weights that mean nothing yet: what matters is whether it can be done."""
    method = method_of(options, base)
    named = options["allocation"]
    reachable = isinstance(named, str) and named in SHAPED
    try:
        pruners.find_targets(model, method.protect)
        wanted = [method.check_final(sparsity) for sparsity in sparsities]
        if reachable and "weight" in granularity_row(method.granularity).grains:
            pruners.make_masks(
                model,
                wanted,
                saliency="random",
                granularity=method.granularity,
                allocation=named,
                protect=method.protect,
            )
    except (TypeError, ValueError) as error:
        raise ConfigError(f"population.methods, {method.label}: {error}") from error
