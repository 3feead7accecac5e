"""The units of work: prepare data, train a parent, prune it, read a given model, predict.

Each is `recipe -> folder in the store`, runs in any process, and gives the same bytes wherever it
runs. A job that loses its process loses only its own folder.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit.evidence.address import address
from audit.evidence.blocks import CLEAN
from audit.evidence.errors import AuditError, JobError
from audit.evidence.store import Store
from audit.study.corrupted_conditions import SetOnDisk
from audit.study.data_settings import DataSettings
from audit.study.recipes import Across, Compute, Data, Dense, Given, Predicted, Pruned, Selected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor, nn

    from audit.study.layout import Study


def check(study: Study) -> None:
    """Tries the names and numbers of a config; a job, so that only workers load torch."""
    from audit.study.preflight import check_names

    check_names(study)


def make_data(
    store: Store, recipe: Data, settings: DataSettings, base: Path, data_workers: int
) -> None:
    """Reads a source and stores its parts as arrays."""
    from audit.study.prepare import Arrays, write_arrays
    from audit.study.sources import load_source

    vocabulary = Arrays(store.folder(recipe.like)).vocabulary if recipe.like else None

    def build(folder: Path) -> None:
        source = load_source(
            settings,
            base,
            vocabulary=vocabulary,
            data_workers=data_workers,
            labelled=recipe.labelled,
            class_map=recipe.class_map,
        )
        write_arrays(folder, source)

    store.make(recipe, build)


def list_corrupted(store: Store, name: str, one: SetOnDisk, data: Data) -> None:
    """Stores which examples a corrupted set on disk shows; its images stay where they are."""
    from audit.study.corrupted_index import write_index
    from audit.study.prepare import Arrays

    test, asked = Arrays(store.folder(data)), one.settings.examples
    store.make(
        one.data,
        lambda folder: write_index(
            folder, name, one.layout, one.keys, test, examples=asked, class_map=one.class_map
        ),
    )


def draw_mix(store: Store, name: str, recipe: Data) -> None:
    """Draws the test examples that a mix of groups shows from data that are prepared."""
    from audit.study.mixed import write_mix
    from audit.study.prepare import Arrays

    mix, like = recipe.mix, recipe.like
    if mix is not None and like is not None:
        arrays = Arrays(store.folder(like))
        store.make(recipe, lambda folder: write_mix(folder, name, mix, arrays))


def train_parent(store: Store, recipe: Dense, base: Path) -> None:
    """Trains one dense parent."""
    import pruners
    from audit.study import models
    from audit.study.mixes import training_of
    from audit.study.prepare import Arrays

    def build(folder: Path) -> None:
        arrays = Arrays(store.folder(recipe.data))
        inputs, labels, prepare = models.training_part(recipe, arrays, base)
        example = models.example(recipe, arrays, base)
        model = pruners.build_seeded(
            models.architecture(recipe, base),
            tuple(example.shape[1:]),
            len(arrays.classes),
            seed=recipe.seed,
            **recipe.arguments,
        )
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

    with arithmetic(recipe.compute), told(recipe):
        store.make(recipe, build)


def prune_parent(store: Store, recipe: Pruned, base: Path) -> None:
    """Prunes and retrains one parent; without a method, trains it on as a control."""
    import pruners
    from audit.study import models
    from audit.study.mixes import training_of
    from audit.study.prepare import Arrays

    def build(folder: Path) -> None:
        arrays = Arrays(store.folder(recipe.data))
        inputs, labels, prepare = models.training_part(recipe, arrays, base)
        pruned = pruners.prune_and_retrain(
            models.load_parent(recipe.parent, store, arrays, base),
            inputs,
            labels,
            pruners.Method(**recipe.method) if recipe.method else None,
            recipe.sparsity,
            training_of(recipe.training),
            seed=recipe.parent.seed,
            prepare=prepare,
            device=recipe.compute.device,
        )
        pruners.save_pruned(folder / models.WEIGHTS, pruned.model, pruned.masks)
        removed = asdict(pruned.sparsities)
        _write_record(
            folder,
            _cost(pruned.model, models.example(recipe, arrays, base)),
            curve=asdict(pruned.curve),
            removed=removed,
            sparsity_targeted=removed["targeted"],
            sparsity_all=removed["all"],
        )

    with arithmetic(recipe.compute), told(recipe):
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


def predict(store: Store, recipes: Sequence[Predicted], data: Data, base: Path) -> dict[str, str]:
    """Shows one condition to the models of `recipes`; returns a sentence per model that failed."""
    from audit.study.predict import predict_condition
    from audit.study.prepare import Arrays

    with arithmetic(recipes[0].compute):
        return predict_condition(store, recipes, Arrays(store.folder(data)), base)


def select_pixels(store: Store, recipe: Selected, base: Path) -> None:
    """Finds the pixels that one model needs."""
    from audit.study.backselect import select

    with arithmetic(recipe.compute), told(recipe):
        store.make(recipe, lambda folder: select(folder, recipe, store, base))


def cross_pixels(store: Store, recipe: Across, base: Path) -> None:
    """Shows every model the pixels that the others need."""
    from audit.study.backselect import cross

    with arithmetic(next(iter(recipe.selected.values())).compute), told(recipe):
        store.make(recipe, lambda folder: cross(folder, recipe, store, base))


def clean_accuracy(store: Store, recipe: Predicted) -> float:
    """Accuracy in [0, 1] of one model's stored predictions on clean test examples."""
    import pandas as pd

    from audit.evidence.parts import part_path
    from audit.study.prepare import Arrays

    part = pd.read_parquet(part_path(store.folder(recipe), recipe.name, CLEAN))
    arrays = Arrays(store.folder(recipe.shown.data))
    predicted = part.set_index("example")["predicted"].loc[arrays.ids("test")].to_numpy()
    return float((arrays.labels("test") == predicted).mean())


@contextmanager
def arithmetic(compute: Compute) -> Iterator[None]:
    """Fixes what changes floating-point results for as long as a job runs."""
    import torch

    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(compute.threads)
    torch.use_deterministic_algorithms(True, warn_only=compute.device != "cpu")
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(deterministic)


@contextmanager
def told(recipe: Any) -> Iterator[None]:
    """Adds the recipe's address to a library's complaint, so that a failed job can be found."""
    try:
        yield
    except AuditError:
        raise
    except (ArithmeticError, TypeError, ValueError) as error:
        raise JobError(f"{error} (recipe {address(recipe)})") from error


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
