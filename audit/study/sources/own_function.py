"""Takes data from a user's function: arrays, a frame, a torch `Dataset` or `DataLoader`."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.errors import InputError
from audit.evidence.imports import resolve
from audit.evidence.nearest import hint
from audit.study.data_settings import DataSettings
from audit.study.places import located
from audit.study.sources.parts import Source
from audit.study.sources.pixels import as_inputs
from audit.study.sources.records import Holdings, Records
from audit.study.sources.table import table_records

EXPECTED = (
    "return (inputs, labels), a mapping with 'inputs' and 'labels', a pandas frame, a torch "
    "Dataset or DataLoader, a mapping of split names to these, or an audit Source"
)


def read_function(
    settings: DataSettings, base: Path, scratch: Path, data_workers: int = 0
) -> Holdings | Source:
    """Calls a user's function and takes what it gives.

    It is called with `data.arguments`, and with `path` where the config gives one. A function
    that has a parameter `split` is called once for each name under `data.splits`; another one
    once, and what it gives is one split, or a mapping of split names to splits.

    Args:
        settings: The data section.
        base: Folder of the config file.
        scratch: Not needed.
        data_workers: Processes that read a torch `Dataset` or `DataLoader`.

    Raises:
        InputError: It fails, or gives something else.
    """
    del scratch
    function = resolve(settings.source, base)
    options = dict(settings.arguments)
    if settings.path is not None:
        options["path"] = located(settings.path, base)
    names = [settings.splits.train, settings.splits.validation, settings.splits.test]
    wanted = [name for name in names if name is not None]
    if "split" in _parameters(function) and "split" not in options:
        found: Any = {
            name: _call(settings, function, {**options, "split": name}) for name in wanted
        }
    else:
        found = _call(settings, function, options)
    if isinstance(found, Source):
        return found
    if not (isinstance(found, Mapping) and "inputs" not in found):
        found = {"all": found}
    for name in found:
        if name not in wanted and len(found) > 1:
            raise InputError(f"{settings.source} gives a split {name!r}: {hint(str(name), wanted)}")
    records = {
        str(name): _records(settings, str(name), one, data_workers) for name, one in found.items()
    }
    frame = any(one.features is not None for one in records.values())
    return Holdings(records, settings.label if frame else "label")


def _parameters(function: Any) -> Mapping[str, Any]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}


def _call(settings: DataSettings, function: Any, options: dict[str, Any]) -> Any:
    try:
        return function(**options)
    except InputError:
        raise
    except Exception as error:
        given = ", ".join(f"{name}={value!r}" for name, value in options.items())
        raise InputError(
            f"{settings.source}({given}) failed ({type(error).__name__}: {error}): mend it."
        ) from error


def _records(settings: DataSettings, split: str, given: Any, data_workers: int) -> Records:
    origin = f"{settings.source} ({split})"
    if isinstance(given, pd.DataFrame):
        return table_records(given, settings)
    if settings.kind == "text":
        raise InputError(f"{origin} gives a {type(given).__name__}: return a frame with the texts.")
    if isinstance(given, Mapping):
        return _from_mapping(given, origin)
    if isinstance(given, tuple | list) and len(given) == 2:
        return _from_mapping({"inputs": given[0], "labels": given[1]}, origin)
    if hasattr(given, "__getitem__") or hasattr(given, "__iter__"):
        from audit.study.sources.torch_data import gather

        inputs, labels = gather(given, (settings.input, settings.label), origin, data_workers)
        return _from_mapping({"inputs": inputs, "labels": labels}, origin)
    raise InputError(f"{origin} gives a {type(given).__name__}: {EXPECTED}.")


def _from_mapping(given: Mapping[str, Any], origin: str) -> Records:
    """`inputs`, `labels`, and other columns of the same length, `ids` among them."""
    if "labels" not in given or "inputs" not in given:
        raise InputError(f"{origin} gives {', '.join(map(repr, given))}: {EXPECTED}.")
    inputs = as_inputs(given["inputs"], origin)
    columns: dict[str, NDArray[Any]] = {}
    for name, values in given.items():
        if name == "inputs":
            continue
        column = _plain(values)
        if column.shape != (len(inputs),):
            raise InputError(
                f"{origin} gives {name!r} of shape {column.shape} for {len(inputs)} inputs: give "
                "one value for each."
            )
        columns["label" if name == "labels" else str(name)] = column
    ids = columns.pop("ids", None)
    return Records(pd.DataFrame(columns), arrays=inputs, ids=ids)


def _plain(values: Any) -> NDArray[Any]:
    return np.asarray(values.detach().cpu().numpy() if hasattr(values, "detach") else values)
