"""Which conditions a config asks for: clean, corruptions at severities, natural shifts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from audit.evidence.blocks import CLEAN, Condition
from audit.evidence.errors import ConfigError
from audit.evidence.store import Store
from audit.study.config import Config
from audit.study.data_settings import DataSettings
from audit.study.named_models import code_of
from audit.study.recipes import Data, Shown


def natural_settings(config: Config) -> dict[str, DataSettings]:
    """The data section of each natural shift: a bare path is read the way `data` is."""
    return {
        name: config.data.model_copy(update={"path": value, "undersample": None})
        if isinstance(value, str)
        else value
        for name, value in config.shifts.natural.items()
    }


def conditions_of(
    config: Config,
    base: Path,
    data: Data,
    natural: Mapping[str, Data],
    names: tuple[str, ...],
) -> dict[Condition, Shown]:
    """What each condition shows, clean first.

    Raises:
        ConfigError: A natural shift has the name of a corruption.
    """
    shifts, shown = config.shifts, {CLEAN: Shown(CLEAN.name, data)}
    for corruption in names:
        name, code = corruption.rpartition(":")[2], code_of(corruption, base)
        for severity in sorted(set(shifts.severities)):
            shown[Condition(name, severity)] = Shown(
                name, data, corruption, severity, shifts.seed, shifts.preset, code
            )
    for name, other in natural.items():
        if name in {condition.name for condition in shown}:
            raise ConfigError(f"shifts.natural.{name} has the name of a corruption: rename it.")
        shown[Condition(name, None)] = Shown(name, other, severity=None)
    return shown


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
    return tuple(json.loads((data / "meta.json").read_text())["input_shape"])
