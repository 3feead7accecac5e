"""Which conditions a config asks for: clean, corruptions, other data, noise, attacks, frames."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from audit.evidence.blocks import CLEAN, Condition
from audit.evidence.errors import ConfigError
from audit.evidence.store import Store
from audit.study.config import Config
from audit.study.corrupted_conditions import SetOnDisk, shown_from_disk
from audit.study.data_settings import DataSettings
from audit.study.fingerprint import photographs_fingerprint
from audit.study.named_code import code_of, names_function
from audit.study.named_corruptions import HELD, refuse_unfit, severities_of, whole_set
from audit.study.named_sequences import sequences_of
from audit.study.natural_layouts import read_elsewhere
from audit.study.places import located
from audit.study.recipes import Data, Mix, Shown


def other_settings(config: Config, base: Path) -> dict[str, DataSettings]:
    """The data section of every data set that is shown beside the audited one.

    A bare path is read the way `data` is, but for natural shifts that are known by their files, and
    for the groups of what is out of distribution.
    """
    natural, outside = config.shifts.natural, config.shifts.out_of_distribution
    beside = config.data.model_copy(update={"undersample": None})
    found = {
        name: value.data
        if not isinstance(value, str)
        else read_elsewhere(beside, value, base) or beside.model_copy(update={"path": value})
        for name, value in natural.items()
    }
    bare = beside.model_copy(update={"groups": ()})
    return found | {
        name: bare.model_copy(update={"path": value}) if isinstance(value, str) else value
        for name, value in outside.items()
    }


def mixes_of(config: Config, data: Data) -> dict[str, Data]:
    """The audited test examples under other mixes of groups, by name; read as natural shifts."""
    shifts, found = config.shifts, {}
    for name, mix in shifts.reweight.items():
        ((column, shares),) = mix.items()
        stated = Mix(column, tuple(sorted(shares.items())), shifts.seed)
        found[name] = Data(data.source, data.fingerprint, like=data, mix=stated)
    return found


def conditions_of(
    config: Config,
    base: Path,
    data: Data,
    others: Mapping[str, Data],
    names: tuple[str, ...],
    sets: Mapping[str, SetOnDisk],
) -> dict[Condition, Shown]:
    """What each condition shows, clean first.

    Args:
        config: The config.
        base: Its folder.
        data: The audited data.
        others: Natural shifts and what is out of distribution, by name.
        names: The corruptions.
        sets: Corrupted sets on disk, by name.

    Raises:
        ConfigError: A natural shift has the name of a corruption, or two conditions are one.
    """
    shifts, shown = config.shifts, {CLEAN: Shown(CLEAN.name, data)}
    frost, folder = _photographs(shifts.frost, base, names)
    severities = severities_of(config.shifts) if names else ()
    for corruption in names:
        name, code = corruption.rpartition(":")[2], code_of(corruption, base)
        for severity in severities:
            one = Shown(name, data, corruption, severity, shifts.seed, shifts.preset, code)
            one = replace(one, requantise=shifts.requantise)
            if corruption == "frost":
                one = replace(one, frost=frost, frost_folder=folder)
            shown[Condition(name, severity)] = one
    shown |= shown_from_disk(sets, shown)
    for name, other in others.items():
        if name in {condition.name for condition in shown}:
            key = "natural" if other.labelled else "out_of_distribution"
            key = "reweight" if other.mix is not None else key
            raise ConfigError(f"shifts.{key}.{name} has the name of a corruption: rename it.")
        settings = shifts.natural.get(name)
        mask = not isinstance(settings, str | None) and settings.mask
        shown[Condition(name, None)] = Shown(name, other, severity=None, mask=mask)
    probes = [*_noise(config, data), *_attacks(config, data), *sequences_of(config, data)]
    return shown | {Condition(one.name, None): one for one in probes}


def _photographs(folder: str | None, base: Path, names: tuple[str, ...]) -> tuple[str, str]:
    """The content of the photographs of frost and where they are; nothing where it is procedural.

    Raises:
        ConfigError: There are some, and frost is not shown.
    """
    if folder is None:
        return "", ""
    if "frost" not in names:
        raise ConfigError(
            f"shifts.frost: frost is not among the corruptions ({', '.join(names) or 'none'}): add "
            "it, or take the photographs out."
        )
    place = located(folder, base)
    return photographs_fingerprint(place), str(place.absolute())


def _noise(config: Config, data: Data) -> list[Shown]:
    asked = config.shifts.noise
    if asked is None:
        return []
    return [
        Shown(f"uniform_noise@{level:.4g}", data, severity=None, seed=asked.seed, noise=level)
        for level in sorted(asked.levels)
    ]


def _attacks(config: Config, data: Data) -> list[Shown]:
    asked = config.shifts.attacks
    if asked is None:
        return []
    every = {"epsilon": asked.epsilon, "seed": asked.seed, "examples": asked.examples}
    own = {"fgsm": {}, "pgd": {"steps": asked.steps, "step_size": asked.step_size}}
    return [
        Shown(
            f"{name}@{asked.epsilon:.4g}",
            data,
            severity=None,
            attack={"name": name, **every, **own[name]},
        )
        for name in asked.names
    ]


def refuse_impossible(config: Config, meta: Mapping[str, Any] | None) -> None:
    """Refuses what these data or models cannot be shown.

    Args:
        config: The config.
        meta: What prepared data say of themselves; None where they are not prepared yet.

    Raises:
        ConfigError: Pixels are to be changed and there are none, or a model has no gradients.
    """
    shifts = config.shifts
    asked = {
        "shifts.corrupted": bool(shifts.corrupted),
        "shifts.requantise": shifts.requantise,
        "shifts.frost": shifts.frost is not None,
        "shifts.noise": shifts.noise is not None,
        "shifts.attacks": shifts.attacks is not None,
        "shifts.backselect": shifts.backselect is not None,
        "shifts.sequences": bool(shifts.sequences),
    }
    kind = config.data.kind if meta is None else meta["kind"]
    # Single names are looked at by a job, `check_fit`: their catalogue needs torch, as a set does.
    if kind is not None and isinstance(shifts.corruptions, str):
        refuse_unfit(shifts.corruptions, kind)
    if kind == "text":
        _refuse_unread(config)
    for key, wanted in asked.items():
        if wanted and kind in ("table", "text"):
            held = HELD[kind]
            raise ConfigError(f"{key} changes pixels, and these data are {held}: take it out.")
    if shifts.backselect is not None and meta is not None:
        pixels, step = math.prod(meta["input_shape"][1:]), shifts.backselect.step
        examples = min(shifts.backselect.examples, meta["examples"]["test"])
        inputs = examples * pixels**2 // (2 * step)
        if inputs > MOST_INPUTS:
            raise ConfigError(
                f"shifts.backselect would show each model {inputs:,} inputs: raise its step from "
                f"{step} to {math.ceil(step * inputs / MOST_INPUTS)} or more, or take fewer "
                "examples."
            )
    for model in config.population.models or () if shifts.attacks is not None else ():
        what = "a table of predictions" if model.predictions is not None else "an exported program"
        if model.exported or model.predictions is not None:
            raise ConfigError(
                f"shifts.attacks needs gradients, which model {model.name!r}, {what}, does not "
                "give: take attacks out, or give its module and a checkpoint."
            )


def _refuse_unread(config: Config) -> None:
    """Refuses texts that no function makes numbers of, and training that would vary pixels."""
    population, choice = config.population, config.model.preprocess
    for key in ("training", "fine_tuning") if population.models is None else ():
        settings = getattr(population, key)
        if settings is not None and settings.augmentation != "none":
            raise ConfigError(
                f"population.{key}.augmentation changes pixels, and these data are texts: take it "
                "out."
            )
    reads = population.models is None or any(f.predictions is None for f in population.models)
    if reads and not names_function(choice):
        raise ConfigError(
            f"model.preprocess is {choice!r}, and models read texts as numbers: name a "
            "module:function that makes a tensor [N, ...] of a list of N texts."
        )


# Inputs that a backward selection may show a model: minutes for a small one.
MOST_INPUTS = 10_000_000
# Numbers a model and condition may fill with probabilities unasked: 8 MB of float32.
FEW = 2_000_000


def keeps_probabilities(config: Config, store: Store, shown: Shown) -> bool:
    """Whether every class's probability is kept under a condition; `ExecuteSettings` says when."""
    asked = config.execute.probabilities
    if asked != "auto":
        return asked
    if shown.noise:
        return True
    if not store.done(shown.data):  # nothing is predicted before it is
        return False
    meta = about(store.folder(shown.data))
    return len(meta["classes"]) * int(meta["examples"]["test"]) <= FEW


def about(data: Path) -> dict[str, Any]:
    """What a prepared data folder says of itself."""
    return dict(json.loads((data / "meta.json").read_text()))


def corruption_names(config: Config, store: Store, data: Data) -> tuple[str, ...]:
    """The corruptions asked for. Only a set's name needs torch, and the images' shape.

    Raises:
        ConfigError: There is no such set.
    """
    asked = config.shifts.corruptions
    if not isinstance(asked, str):
        return asked
    import corruptions

    try:
        if (members := whole_set(asked)) is not None:
            return members
        if not store.done(data):  # before the data are there: what the set may hold
            return corruptions.members(asked)
        preset = preset_of(config, store.folder(data))
        colour = input_shape(store.folder(data))[0] == 3
        return corruptions.names(asked, preset, colour=colour)
    except ValueError as error:
        raise ConfigError(f"shifts.corruptions: {error}") from error


def preset_of(config: Config, data: Path) -> str:
    """Which constants the corruptions use on prepared data: the preset asked for, or by size."""
    if config.shifts.preset != "auto":
        return config.shifts.preset
    import corruptions

    channels, height, width = input_shape(data)
    return corruptions.preset_for((1, height, width, channels)).name


def input_shape(data: Path) -> tuple[int, ...]:
    """(C, H, W) or (F,) of the inputs in a prepared data folder."""
    return tuple(about(data)["input_shape"])
