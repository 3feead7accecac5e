"""The units of work but for the making of models: prepare data, predict, find pixels.

Each is `recipe -> folder in the store`, runs in any process, and gives the same bytes wherever it
runs. A job that loses its process loses only its own folder.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from audit.evidence.blocks import CLEAN
from audit.evidence.store import Store
from audit.study.arithmetic import arithmetic, told
from audit.study.corrupted_conditions import SetOnDisk
from audit.study.data_settings import DataSettings
from audit.study.recipes import Across, Data, Predicted, Selected
from audit.study.timing import measured_for_each

if TYPE_CHECKING:
    from audit.study.layout import Study


def check(study: Study) -> None:
    """Tries the names and numbers of a config; a job, so that only workers load torch."""
    from audit.study.preflight import check_names

    check_names(study)


def check_fit(study: Study) -> None:
    """Tries the corruptions' names on the kind of the data, as far as that is known."""
    from audit.study.named_conditions import about
    from audit.study.named_corruptions import refuse_unfit

    config, folder = study.config, study.store.folder(study.data)
    kind = about(folder)["kind"] if study.store.done(study.data) else config.data.kind
    if kind is not None:
        refuse_unfit(config.shifts.corruptions, kind)


def check_population(study: Study) -> None:
    """Tries the methods on the architecture, once the data tell its inputs and classes."""
    from audit.study.preflight_models import check_models

    check_models(study)


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


def predict(store: Store, recipes: Sequence[Predicted], data: Data, base: Path) -> dict[str, str]:
    """Shows one condition to the models of `recipes`; returns a sentence per model that failed."""
    from audit.study.predict import predict_condition
    from audit.study.prepare import Arrays

    with arithmetic(recipes[0].compute), measured_for_each(store, list(recipes)):
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
