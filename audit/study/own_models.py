"""Models that a program of the user's own trains or prunes: what it is told, what is recorded."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from torch import nn

from audit.evidence.errors import InputError
from audit.evidence.store import Store
from audit.study import models
from audit.study.own_runs import OUT, clear, run_program, take_over
from audit.study.prepare import Arrays
from audit.study.recipes import Dense, Given, Pruned
from audit.study.weights import measured_sparsity

CONTROL = "control"  # what the method of a control is called, whose sparsity is 0


def train(recipe: Dense, folder: Path, arrays: Arrays, base: Path) -> tuple[nn.Module, Any]:
    """Has a parent trained; the log of it stays in `folder`.

    Returns:
        The module with its weights, in evaluation mode, and what the program recorded.

    Raises:
        JobError: The program fails or hangs.
        InputError: It wrote something else than the weights.
    """
    told = {"seed": recipe.seed, "data": arrays.folder.resolve()}
    return _run(recipe, "train", told, folder, _built(recipe, arrays, base), base)


def prune(
    recipe: Pruned, folder: Path, store: Store, arrays: Arrays, base: Path
) -> tuple[nn.Module, dict[str, Any]]:
    """Has a parent pruned, or trained on as its control.

    Returns:
        The module, and what was measured of it and recorded by the program.

    Raises:
        JobError: The program fails or hangs.
        InputError: It wrote something else than the weights.
    """
    parent, method = recipe.parent, recipe.method
    # A copy: a program that writes where it read from must not change the parent of all others.
    kept = _weights_of(parent, store)
    copied = folder.resolve() / f"parent{kept.suffix}"
    shutil.copyfile(kept, copied)
    told = {
        "seed": parent.seed,
        "sparsity": recipe.sparsity,
        "parent": copied,
        "method": CONTROL if method is None else method["name"],
        "data": arrays.folder.resolve(),
    }
    model, said = _run(recipe, "prune", told, folder, _built(parent, arrays, base), base)
    copied.unlink(missing_ok=True)
    zeros = measured_sparsity(model.state_dict())
    return model, {
        "said": said,
        "sparsity_targeted": zeros.targeted,
        "sparsity_all": zeros.all,
        "notes": ["Sparsity was counted as exact zeros among weights of two or more axes."],
    }


def _run(
    recipe: Dense | Pruned,
    purpose: str,
    told: dict[str, object],
    folder: Path,
    model: nn.Module,
    base: Path,
) -> tuple[nn.Module, Any]:
    if recipe.program is None:
        raise ValueError(f"The recipe has no program to {purpose} with.")
    out = (folder / OUT).resolve()
    out.mkdir()
    run_program(recipe.program, purpose, {**told, "out": out}, base)
    said = take_over(out, model, purpose)
    clear(out)
    return model.eval(), said


def _built(recipe: Dense | Given, arrays: Arrays, base: Path) -> nn.Module:
    build = models.builder(recipe, arrays, base)
    if build is None:
        raise InputError("An exported program cannot be pruned: give the module and its weights.")
    return build()


def _weights_of(parent: Dense | Given, store: Store) -> Path:
    folder = store.folder(parent)
    if isinstance(parent, Given):
        return folder / f"checkpoint{parent.suffix}"
    return folder / models.WEIGHTS
