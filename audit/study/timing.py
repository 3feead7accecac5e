"""How long jobs took: what a dry run estimates the next ones from.

Times are no result: they are kept beside the store, in whose folders the bytes are the same however
long they took to make.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from audit.evidence.address import address
from audit.evidence.store import Store
from audit.study.recipes import Compute, Given, Options, Predicted, Pruned, Shown

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = ".seconds"


@dataclass(frozen=True)
class Pace:
    """What models of one architecture share under one condition: seconds for each of them."""

    shown: Shown
    compute: Compute
    architecture: str | None
    arguments: Options


def pace_of(recipe: Predicted) -> Pace:
    """What tells how long one model's predictions take."""
    model = recipe.model
    root = model.parent if isinstance(model, Pruned) else model
    named = root.name if isinstance(root, Given) and root.architecture is None else None
    return Pace(recipe.shown, recipe.compute, named or root.architecture, root.arguments)


@contextmanager
def measured(store: Store, recipe: object) -> Iterator[None]:
    """Writes down the seconds of a block that makes a result; nothing where it was there already.

    A block that raises leaves nothing.
    """
    there, start = store.done(recipe), time.perf_counter()
    yield
    if not there:
        note_seconds(store, recipe, time.perf_counter() - start)


@contextmanager
def measured_together(store: Store, members: list[Pruned]) -> Iterator[None]:
    """Writes down the seconds of a block that makes a whole stack, an equal share for each.

    Those that were there before keep the time that they have. A block that raises leaves nothing.
    """
    left = [recipe for recipe in members if not store.done(recipe)]
    start = time.perf_counter()
    yield
    share = (time.perf_counter() - start) / len(members)
    for recipe in left:
        note_seconds(store, recipe, share)


@contextmanager
def measured_for_each(store: Store, recipes: list[Predicted]) -> Iterator[None]:
    """Writes down the seconds of a block that shows one condition to models, for one of them."""
    start = time.perf_counter()
    yield
    made = sum(map(store.done, recipes))
    if made:
        note_seconds(store, pace_of(recipes[0]), (time.perf_counter() - start) / made)


def note_seconds(store: Store, what: object, seconds: float) -> None:
    """Writes a time down; where that cannot be done the time is lost, and no result."""
    with suppress(OSError):
        path = _path(store, what)
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"seconds": round(seconds, 4)}))


def seconds_of(store: Store, what: object) -> float | None:
    """How long something took; None where nobody measured it."""
    try:
        return float(json.loads(_path(store, what).read_text())["seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _path(store: Store, what: object) -> Path:
    return store.root.with_name(FOLDER) / f"{address(what)}.json"
