"""The units of work that make models: train a parent, prune it, read one that was given.

Each is `recipe -> folder in the store`, runs in any process, and gives the same bytes wherever it
runs.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit.evidence.store import Store
from audit.study.arithmetic import arithmetic, told
from audit.study.recipes import Compacted, Dense, Given, Pruned
from audit.study.timing import measured, measured_together

if TYPE_CHECKING:
    from torch import Tensor, nn

    import pruners
    from audit.study.prepare import Arrays


def train_parent(store: Store, recipe: Dense, base: Path) -> None:
    """Trains one dense parent, or has it trained by a program of the user's own."""
    import pruners
    from audit.study import models, own_models
    from audit.study.mixes import training_of
    from audit.study.origins import initial
    from audit.study.prepare import Arrays

    def build(folder: Path) -> None:
        arrays = Arrays(store.folder(recipe.data))
        example = models.example(recipe, arrays, base)
        if recipe.program is not None:
            model, said = own_models.train(recipe, folder, arrays, base)
            pruners.save_pruned(folder / models.WEIGHTS, model)
            _write_record(folder, _cost(model, example), said=said)
            return
        inputs, labels, prepare = models.training_part(recipe, arrays, base)
        model = initial(recipe, store, arrays, base)
        curve = pruners.train(
            model,
            inputs,
            labels,
            training_of(recipe.training),
            seed=recipe.seed,
            prepare=prepare,
            device=recipe.compute.device,
        )
        pruners.save_pruned(folder / models.WEIGHTS, model)
        _write_record(folder, _cost(model, example), curve=asdict(curve))

    with arithmetic(recipe.compute), told(recipe), measured(store, recipe):
        store.make(recipe, build)


def prune_parent(store: Store, recipe: Pruned, base: Path) -> None:
    """Prunes and retrains one parent, or makes a control of it."""
    import pruners
    from audit.study import models, own_models
    from audit.study.prepare import Arrays
    from audit.study.pruning import SMALL_DENSE, prune_recipe, small_net

    def build(folder: Path) -> None:
        arrays = Arrays(store.folder(recipe.data))
        example = models.example(recipe, arrays, base)
        if recipe.program is not None:
            model, known = own_models.prune(recipe, folder, store, arrays, base)
            pruners.save_pruned(folder / models.WEIGHTS, model)
            _write_record(folder, _cost(model, example), **known)
            return
        if recipe.control == SMALL_DENSE:
            model, curve, arguments = small_net(recipe, store, arrays, base)
            pruners.save_pruned(folder / models.WEIGHTS, model)
            said = {"curve": asdict(curve), "arguments": arguments}
            _write_record(folder, _cost(model, example), **said)
            return
        pruned = prune_recipe(recipe, store, arrays, base)
        pruners.save_pruned(folder / models.WEIGHTS, pruned.model, pruned.masks)
        _write_record(folder, _cost(pruned.model, example), **_removed(pruned))

    with arithmetic(recipe.compute), told(recipe), measured(store, recipe):
        store.make(recipe, build)


def prune_stack(store: Store, members: Sequence[Pruned], base: Path) -> None:
    """Prunes and retrains all of one stack at once, and stores every model that is not there.

    Which models are in a stack changes their last bits: it is made whole, whatever is missing.
    """
    from audit.study.prepare import Arrays
    from audit.study.pruning import prune_stack as prune
    from audit.study.stacking import in_order, stack_of

    recipes = in_order(members)
    stack, compute = stack_of(recipes), recipes[0].compute
    with arithmetic(compute), told(stack), measured_together(store, recipes):
        arrays = Arrays(store.folder(recipes[0].data))
        made = prune(recipes, store, arrays, base)
        for recipe, pruned in zip(recipes, made, strict=True):
            store.make(recipe, partial(_write_stacked, recipe, pruned, made, arrays, base))


def _write_stacked(
    recipe: Pruned,
    pruned: pruners.Pruned,
    made: Sequence[pruners.Pruned],
    arrays: Arrays,
    base: Path,
    folder: Path,
) -> None:
    """One model of a stack: its record says how many there were, in place of a note of its own."""
    import pruners
    from audit.study import models
    from pruners.stacked_retraining import together

    pruners.save_pruned(folder / models.WEIGHTS, pruned.model, pruned.masks)
    known = _removed(pruned)
    known["notes"] = [note for note in known["notes"] if note != together(len(made))]
    example = models.example(recipe, arrays, base)
    _write_record(folder, _cost(pruned.model, example), **known, stacked=len(made))


def compact_pruned(store: Store, recipe: Compacted, base: Path) -> None:
    """Cuts out of a copy what masks removed whole, and compares the outputs with the original's."""
    from audit.study.compacting import compact_recipe
    from audit.study.prepare import Arrays

    def build(folder: Path) -> None:
        arrays = Arrays(store.folder(recipe.model.data))
        said = compact_recipe(recipe, folder / recipe.WEIGHTS, store, arrays, base)
        (folder / recipe.RECORD).write_text(json.dumps(said, indent=1, sort_keys=True))

    with arithmetic(recipe.compute), told(recipe), measured(store, recipe):
        store.make(recipe, build)


def read_given(store: Store, recipe: Given, file: Path | None, base: Path) -> None:
    """Copies a model's file into the store, loads it, and records what its weights tell."""
    import shutil

    from audit.study import models
    from audit.study.fingerprint import checkpoint_files
    from audit.study.prepare import Arrays

    def build(folder: Path) -> None:
        files = checkpoint_files(file) if file is not None else ()
        for position, one in enumerate(files):
            # The first is the checkpoint; others are found by the names that it has in it.
            name = f"checkpoint{recipe.suffix}" if position == 0 else one.name
            shutil.copyfile(one, folder / name)

    def check(folder: Path) -> None:
        build(folder)
        arrays = Arrays(store.folder(recipe.data))
        loaded = models.load_given(recipe, folder, arrays, base)
        measured = loaded.sparsity
        known: dict[str, Any] = {"notes": list(loaded.notes)}
        if measured is not None:
            known |= {
                "sparsity_targeted": measured.targeted,
                "sparsity_all": measured.all,
                "parameters": measured.parameters,
                "nonzero": measured.nonzero,
            }
        module = loaded.module
        cost = {} if module is None else _cost(module, models.example(recipe, arrays, base))
        _write_record(folder, cost, **known)

    with told(recipe):
        store.make(recipe, check)


def _removed(pruned: pruners.Pruned) -> dict[str, Any]:
    """What was taken away of a model, asked and reached, and what is to be known of it."""
    removed = asdict(pruned.sparsities)
    return {
        "curve": asdict(pruned.curve),
        "removed": removed,
        "sparsity_targeted": removed["targeted"],
        "sparsity_all": removed["all"],
        "notes": list(pruned.masks.notes),
    }


def _cost(model: nn.Module, example: Tensor) -> dict[str, Any]:
    import pruners

    cost = asdict(pruners.measure_cost(model.cpu(), example.shape[1:], example.dtype))
    layers = {
        name: [parameter.numel(), int(parameter.count_nonzero())]
        for name, parameter in model.named_parameters()
        if parameter.dim() > 1
    }
    return cost | {"layers": layers}


def _write_record(folder: Path, cost: dict[str, Any], **more: Any) -> None:
    from audit.study import models

    (folder / models.RECORD).write_text(json.dumps(cost | more, indent=1, sort_keys=True))
