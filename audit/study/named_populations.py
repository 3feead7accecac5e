"""Which models a config asks to be made, as recipes by name: parents, controls, pruned models."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.evidence.errors import ConfigError
from audit.study.config import Config, MethodSettings
from audit.study.data_settings import DataSettings
from audit.study.fingerprint import fingerprint
from audit.study.named_code import code_of, own_axes
from audit.study.own_programs import program_of
from audit.study.population_rules import control_retraining
from audit.study.recipes import Compute, Data, Dense, Given, Model, Program, Pruned
from audit.study.stacking import stacked

# What methods could say from the start; later fields are in a recipe only where they are not at
# their default, so that older results keep their addresses.
FIRST_FIELDS = (
    *("saliency", "granularity", "allocation", "schedule", "retraining", "protect"),
    *("begin", "end", "frequency", "arguments", "examples"),
)


@dataclass(frozen=True)
class _Making:
    """What every model made of a config shares."""

    config: Config
    base: Path
    data: Data
    compute: Compute  # trained in float32 whatever predicts
    prune: Program | None

    @property
    def retraining(self) -> dict[str, Any]:
        if self.prune is not None:  # it trains as it likes
            return {}
        return self.config.population.retraining.model_dump(mode="json")


def dense_parents(config: Config, base: Path, data: Data, compute: Compute) -> dict[str, Dense]:
    """The parents that are trained here, by name."""
    seeds = config.population.seed_list
    return {f"dense-{seed}": _dense(config, base, data, compute, seed) for seed in seeds}


def pretraining_data(config: Config, base: Path) -> tuple[Data, DataSettings] | None:
    """The other data that parents learn first, and where they come from."""
    asked = config.model.pretraining
    if asked is None:
        return None
    return Data(asked.data.source, fingerprint(asked.data, base)), asked.data


def made_models(
    config: Config, base: Path, data: Data, compute: Compute, parents: dict[str, Dense | Given]
) -> dict[str, Model]:
    """The parents, then their controls, then what is pruned.

    Raises:
        ConfigError: Two methods would have one name.
    """
    population = config.population
    labels = [method_label(method) for method in population.methods]
    for label in labels:
        if labels.count(label) > 1:
            raise ConfigError(
                f"population.methods: two methods would be called {label!r}: give each a `name`."
            )
    prune = program_of(population.prune, base, population.timeout) if population.prune else None
    making = _Making(config, base, data, Compute(compute.device), prune)
    models: dict[str, Model] = dict(parents)
    models |= _controls(making, parents)
    if not population.paired:
        parents = _unpaired(config, base, data, compute)
    for label, method in zip(labels, population.methods, strict=True):
        models |= _arm(making, label, method, parents)
    return stacked(models) if population.stacked else models


def method_label(method: MethodSettings) -> str:
    """A given name, else the axes joined by `-` with defaults left out, the saliency kept."""
    if method.name:
        return method.name
    default = MethodSettings()
    named = [_said(method.saliency)]
    for axis in ("granularity", "allocation", "schedule", "retraining"):
        value = getattr(method, axis)
        if value != getattr(default, axis):
            named.append(_said(value) if isinstance(value, str) else "own")
    return "-".join(named)


def _said(choice: str) -> str:
    """A name; of a function of one's own, its last part."""
    return choice.rpartition(":")[2] if own_axes({"saliency": choice}) else choice


def method_options(method: MethodSettings, base: Path) -> dict[str, Any]:
    """What a recipe holds of a method; shares by pattern as pairs, whose order counts.

    Functions of one's own are there by name, and `code` has the hash of the file of each.

    Raises:
        InputError: There is no such module.
    """
    default = MethodSettings()
    options = {
        name: value
        for name, value in method.model_dump(mode="json", exclude={"name"}).items()
        if name in FIRST_FIELDS or getattr(method, name) != getattr(default, name)
    }
    if not isinstance(method.allocation, str):
        options["allocation"] = [list(pair) for pair in method.allocation.items()]
    own = own_axes(options)
    if own:
        options["code"] = {axis: code_of(reference, base) for axis, reference in own.items()}
    return options


def _dense(config: Config, base: Path, data: Data, compute: Compute, seed: int) -> Dense:
    model, population = config.model, config.population
    program = program_of(population.train, base, population.timeout) if population.train else None
    training = population.training.model_dump(mode="json")
    return Dense(
        data=data,
        architecture=model.architecture,
        arguments=model.arguments,
        code=code_of(model.architecture, base) + code_of(model.preprocess, base),
        preprocess=model.preprocess,
        training={} if program is not None else training,
        seed=seed,
        compute=Compute(compute.device),
        pretrained=_pretrained(config, base, compute, seed),
        program=program,
    )


def _pretrained(config: Config, base: Path, compute: Compute, seed: int) -> Dense | None:
    found, asked = pretraining_data(config, base), config.model.pretraining
    if found is None or asked is None:
        return None
    model, training = config.model, asked.training or config.population.training
    return Dense(
        data=found[0],
        architecture=model.architecture,
        arguments=model.arguments,
        code=code_of(model.architecture, base) + code_of(model.preprocess, base),
        preprocess=model.preprocess,
        training=training.model_dump(mode="json"),
        seed=seed,
        compute=Compute(compute.device),
    )


def _unpaired(config: Config, base: Path, data: Data, compute: Compute) -> dict[str, Dense | Given]:
    """What pruned models of their own seeds begin as: as many as parents, after the last of them.

    Every method and sparsity has the same ones, so that what differs between two is the pruning.
    """
    seeds = config.population.seed_list
    own = (max(seeds) + 1 + position for position in range(len(seeds)))
    return {f"own-{seed}": _dense(config, base, data, compute, seed) for seed in own}


def _controls(making: _Making, parents: dict[str, Dense | Given]) -> dict[str, Model]:
    population, models = making.config.population, dict[str, Model]()
    for kind in population.control_kinds:
        if kind == "dense":
            models |= _retrained(making, parents)
            continue
        for sparsity in sorted(population.sparsities):
            for title, options in _of_kind(kind, population.methods, making.base):
                for name, parent in parents.items():
                    models[f"{title}-{sparsity:g}-{name.removeprefix('dense-')}"] = Pruned(
                        parent,
                        making.data,
                        making.retraining,
                        options,
                        sparsity,
                        making.compute,
                        control=kind,
                    )
    return models


def _retrained(making: _Making, parents: dict[str, Dense | Given]) -> dict[str, Model]:
    """Each parent with the training that its pruned models have, see `control_retraining`."""
    data, compute, models = making.data, making.compute, dict[str, Model]()
    methods = making.config.population.methods if making.prune is None else ()
    kinds = [control_retraining(method.retraining) for method in methods]
    if "fine_tune" in kinds or not methods:
        for name, parent in parents.items():
            control = name.replace("dense", "control", 1)
            models[control] = Pruned(
                parent, data, making.retraining, compute=compute, program=making.prune
            )
    for method, kind in zip(methods, kinds, strict=True):
        if kind not in (None, "fine_tune"):
            options = method_options(method, making.base)
            for name, parent in parents.items():
                control = f"control-{method_label(method)}-{name.removeprefix('dense-')}"
                models[control] = Pruned(
                    parent, data, making.retraining, options, compute=compute, control="retrained"
                )
    return models


def _of_kind(
    kind: str, methods: tuple[MethodSettings, ...], base: Path
) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """The name and options of each control of a kind: one for all methods, or one for each."""
    if kind == "small_dense":  # what stays is counted as the first method counts it
        first = method_options(methods[0], base)
        yield kind, {key: first[key] for key in ("protect", "count") if key in first}
        return
    for method in methods:
        # What is kept is chosen at once: there is no training along which to choose it.
        at_once = {"schedule": "one_shot", "retraining": kind}
        kept = method.model_dump(exclude={"schedule", "retraining", "begin", "end", "frequency"})
        other = MethodSettings(**{**kept, "arguments": {}, "reenter": False, "rewind": 0.0})
        yield (
            f"{method_label(method)}-{kind}",
            method_options(other.model_copy(update=at_once), base),
        )


def _arm(
    making: _Making, label: str, method: MethodSettings, parents: dict[str, Dense | Given]
) -> dict[str, Model]:
    """Every parent pruned by one method to every sparsity, and every replicate of it."""
    population, models = making.config.population, dict[str, Model]()
    options = {"name": label} if making.prune is not None else method_options(method, making.base)
    before: dict[tuple[str, int], Pruned] = {}
    for sparsity in sorted(population.sparsities):
        for name, parent in parents.items():
            for draw in range(population.calibration):
                made = Pruned(
                    parent,
                    making.data,
                    making.retraining,
                    options,
                    sparsity,
                    making.compute,
                    before=before.get((name, draw)) if population.chain else None,
                    draw=draw,
                    unpaired=not population.paired,
                    program=making.prune,
                )
                before[name, draw] = made
                replicate = f".{draw}" if population.calibration > 1 else ""
                seed = name.removeprefix("dense-").removeprefix("own-")
                models[f"{label}-{sparsity:g}-{seed}{replicate}"] = made
    return models
