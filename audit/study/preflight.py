"""Refuses what cannot work before anything is paid for: names that no library of ours knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import corruptions
import pruners
from audit.evidence.errors import ConfigError
from audit.evidence.imports import resolve
from audit.study.layout import Study
from audit.study.mixes import training_of
from audit.study.named_corruptions import find_any


def check_names(study: Study) -> None:
    """Tries every name and number of the config that `pruners` and `corruptions` give a meaning.

    Raises:
        ConfigError: One of them is refused; the text has the key and the library's own sentence.
        InputError: A `module:function` is not there.
    """
    config, base = study.config, study.base
    for reference in (config.model.architecture, config.model.predict):
        if reference is not None and ":" in reference:
            resolve(reference, base)
    population = config.population
    if population.models is None:
        for called, settings in (
            ("training", population.training),
            ("fine_tuning", population.retraining),
        ):
            options = settings.model_dump(mode="json")
            _try(f"population.{called}", training_of, {"options": options})
        for position, method in enumerate(population.methods):
            _try(f"population.methods.{position}", pruners.Method, method.model_dump())
    if isinstance(config.shifts.corruptions, tuple):
        for name in config.shifts.corruptions:
            if ":" in name:
                resolve(name, base)
            else:
                _try("shifts.corruptions", find_any, {"name": name})
    if config.shifts.preset != "auto" and config.shifts.preset not in corruptions.PRESETS:
        raise ConfigError(
            f"shifts.preset: there is no preset {config.shifts.preset!r}: choose one of auto, "
            f"{', '.join(corruptions.PRESETS)}."
        )


def _try(key: str, make: Callable[..., Any], arguments: dict[str, Any]) -> None:
    try:
        make(**arguments)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{key}: {error}") from error
