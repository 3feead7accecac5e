"""What a run would do: jobs of each stage, and the time and disk that like jobs have taken."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from audit.evidence.address import canonical
from audit.evidence.store import MANIFEST, Store
from audit.study.config import Config
from audit.study.layout import Study, lay_out
from audit.study.recipes import Compacted, Dense, Given, Predicted, Pruned
from audit.study.stacking import made_again
from audit.study.timing import pace_of, seconds_of

DIFFERS = ("seed", "sparsity", "before", "draw", "parent")  # among models that take as long


@dataclass(frozen=True)
class Planned:
    """One stage of a run that has not begun.

    Attributes:
        stage: Its name.
        done: Results that are in the store.
        total: Results that the config asks for.
        seconds: Of one process or device, for those to be made whose like was measured.
        unmeasured: Results to be made of whose kind none was ever timed here.
        bytes: Of those to be made whose like is in the store, or whose weights can be counted.
        unsized: Results to be made of whose kind none is in the store.
    """

    stage: str
    done: int
    total: int
    seconds: float
    unmeasured: int
    bytes: int
    unsized: int

    @property
    def left(self) -> int:
        """Results to be made."""
        return self.total - self.done

    def record(self) -> dict[str, Any]:
        """As a plain dictionary; None for an estimate of which nothing is known."""
        found = asdict(self) | {"to_do": self.left}
        if self.left and self.unmeasured == self.left:
            found["seconds"] = None
        if self.left and self.unsized == self.left:
            found["bytes"] = None
        return found


def dry_run(config: Config, base: Path) -> list[Planned]:
    """Lays a config out and counts; nothing is made.

    A time is the mean of results of the same kind that were made here: the same training or method
    (whatever the seed and the sparsity), or the same condition shown to the same architecture; a
    stack in which anything is missing is trained whole.
    Nothing is made up for the others: they are counted.

    Raises:
        InputError: The config points to something that does not exist.
    """
    study = lay_out(config, base)
    return [_planned(study, name, wanted) for name, wanted in asked_for(study).items() if wanted]


def asked_for(study: Study) -> dict[str, list[Any]]:
    """Every recipe of a study by stage, in the order in which stages run."""
    first = [study.pretraining[0]] if study.pretraining else []
    sets = [one.data for one in study.sets.values()]
    return {
        "data": [study.data, *first, *study.others.values(), *sets],
        "pretraining": list(study.before_parents.values()),
        "parents": list(study.parents.values()),
        "population": list(study.pruned.values()),
        "compaction": list(study.compacted.values()),
        "predictions": list(study.predicted),
        "probes": list(study.selected.values()),
    }


def _planned(study: Study, name: str, wanted: list[Any]) -> Planned:
    store = study.store
    done = [recipe for recipe in wanted if store.done(recipe)]
    left = [recipe for recipe in wanted if not store.done(recipe)]
    seconds = _means((_kind(r), seconds_of(store, _timed(r))) for r in [*done, *_paces(left)])
    sizes = _means((_kind(r), _bytes_of(store, r)) for r in done)
    took = [seconds.get(_kind(recipe)) for recipe in left]
    again = [seconds.get(_kind(recipe), 0.0) for recipe in made_again(done, left)]
    held = [sizes.get(_kind(recipe)) for recipe in left]
    if None in held and name in ("pretraining", "parents", "population"):
        weights = _weight_bytes(study)
        held = [weights if size is None else size for size in held]
    return Planned(
        stage=name,
        done=len(done),
        total=len(wanted),
        seconds=sum(one for one in took if one is not None) + sum(again),
        unmeasured=took.count(None),
        bytes=round(sum(one for one in held if one is not None)),
        unsized=held.count(None),
    )


def _paces(left: Iterable[Any]) -> list[Predicted]:
    """Predictions that are not made may have been timed with other models."""
    return [recipe for recipe in left if isinstance(recipe, Predicted)]


def _timed(recipe: Any) -> object:
    return pace_of(recipe) if isinstance(recipe, Predicted) else recipe


def _kind(recipe: Any) -> Hashable:
    """What results that take as long and are as large have in common."""
    if isinstance(recipe, Predicted):
        return json.dumps(canonical(pace_of(recipe)), sort_keys=True)
    if isinstance(recipe, Dense | Pruned):
        return json.dumps(_without(canonical(recipe)), sort_keys=True)
    if isinstance(recipe, Compacted):
        return "compacted", _kind(recipe.model)
    if isinstance(recipe, Given):
        return recipe.suffix
    return type(recipe).__name__


def _without(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _without(value) if isinstance(value, Mapping) else value
        for name, value in found.items()
        if name not in DIFFERS
    }


def _means(found: Iterable[tuple[Hashable, float | None]]) -> dict[Hashable, float]:
    by_kind: dict[Hashable, list[float]] = {}
    for kind, value in found:
        if value is not None:
            by_kind.setdefault(kind, []).append(value)
    return {kind: fmean(values) for kind, values in by_kind.items()}


def _bytes_of(store: Store, recipe: object) -> float:
    files = json.loads((store.folder(recipe) / MANIFEST).read_text())["files"]
    return float(sum(about["bytes"] for about in files.values()))


def _weight_bytes(study: Study) -> float | None:
    """Bytes of the architecture's tensors, as they are stored; None before the data are there."""
    root = next((m for m in study.parents.values() if m.architecture is not None), None)
    if root is None or not study.store.done(study.data):
        return None
    from audit.study import models
    from audit.study.prepare import Arrays

    build = models.builder(root, Arrays(study.store.folder(study.data)), study.base)
    if build is None:
        return None
    tensors = build().state_dict().values()
    return float(sum(tensor.numel() * tensor.element_size() for tensor in tensors))
