"""Lays a config out as recipes: every model, condition and prediction that it asks for, by name."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audit.evidence.blocks import CLEAN, Condition
from audit.evidence.errors import ConfigError, InputError
from audit.evidence.store import Store
from audit.study.config import Config, MethodSettings
from audit.study.fingerprint import checkpoint_fingerprint, fingerprint
from audit.study.imports import source_file
from audit.study.model_settings import ModelFile
from audit.study.nearest import hint
from audit.study.recipes import Compute, Data, Dense, Given, Model, Predicted, Pruned, Shown

STORE = ".store"


@dataclass(frozen=True)
class Study:
    """Everything a config asks for, as recipes; nothing is made yet.

    Attributes:
        config: The config.
        base: Folder that relative paths in the config start from.
        store: Where results are.
        data: The prepared data; natural shifts' data by name in `natural`.
        models: Every model by name: parents, then controls, then pruned, or the given ones.
        shown: What each condition shows.
        predicted: One per model and condition that a model of ours has to predict.
    """

    config: Config
    base: Path
    store: Store
    data: Data
    natural: Mapping[str, Data]
    models: Mapping[str, Model]
    shown: Mapping[Condition, Shown]
    predicted: tuple[Predicted, ...]

    @property
    def output(self) -> Path:
        """The run folder."""
        return Path(self.config.store) / self.config.name

    @property
    def parents(self) -> dict[str, Dense | Given]:
        """Models that stand on their own: trained parents, or every model that was given."""
        return {name: m for name, m in self.models.items() if not isinstance(m, Pruned)}

    @property
    def pruned(self) -> dict[str, Pruned]:
        """Models made from a parent: pruned ones and controls."""
        return {name: m for name, m in self.models.items() if isinstance(m, Pruned)}


def lay_out(config: Config, base: Path) -> Study:
    """Names every result that the config asks for.

    Raises:
        InputError: Something the config points to does not exist.
    """
    data = Data(config.data.source, fingerprint(config.data, base))
    natural = {
        name: Data(settings.source, fingerprint(settings, base), like=data)
        for name, settings in natural_settings(config).items()
    }
    compute = Compute(
        resolve_device(config.execute.device),
        config.execute.precision,
        batch_size=config.execute.batch_size,
    )
    models = _given(config, base, data) or _made(config, base, data, compute)
    store = Store(Path(config.store) / STORE)
    shown = _shown(config, base, data, natural, corruption_names(config, store, data))
    return Study(
        config=config,
        base=base,
        store=store,
        data=data,
        natural=natural,
        models=models,
        shown=shown,
        predicted=_predicted(config, base, models, shown, compute),
    )


def natural_settings(config: Config) -> dict[str, Any]:
    """The data section of each natural shift: a bare path is read the way `data` is."""
    return {
        name: config.data.model_copy(update={"path": value, "undersample": None})
        if isinstance(value, str)
        else value
        for name, value in config.shifts.natural.items()
    }


def resolve_device(device: str) -> str:
    """`cuda` or `cpu`; torch is asked only where an accelerator can be at all."""
    if device != "auto":
        return device
    if sys.platform == "linux" and not os.path.exists("/proc/driver/nvidia"):
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def code_of(reference: str | None, base: Path) -> str:
    """Hash of the file that a `module:function` lives in; empty for built-in names."""
    if reference is None or ":" not in reference or reference.startswith("torchvision:"):
        return ""
    return hashlib.sha256(source_file(reference, base).read_bytes()).hexdigest()[:16]


def _made(config: Config, base: Path, data: Data, compute: Compute) -> dict[str, Model]:
    parents = _weights(config, base, data) or _dense(config, base, data, compute)
    retraining = config.population.retraining.model_dump(mode="json")
    training = Compute(compute.device)  # trained in float32 whatever predicts
    models: dict[str, Model] = dict(parents)
    for name, parent in parents.items() if config.population.controls else ():
        control = name.replace("dense", "control", 1)
        models[control] = Pruned(parent, data, retraining, compute=training)
    labels = [method_label(method) for method in config.population.methods]
    for label, method in zip(labels, config.population.methods, strict=True):
        if labels.count(label) > 1:
            raise ConfigError(
                f"population.methods: two methods would be called {label!r}: give each a `name`."
            )
        options = method.model_dump(mode="json", exclude={"name"})
        for sparsity in sorted(config.population.sparsities):
            for name, parent in parents.items():
                models[f"{label}-{sparsity:g}-{name.removeprefix('dense-')}"] = Pruned(
                    parent, data, retraining, options, sparsity, training
                )
    return models


def _dense(config: Config, base: Path, data: Data, compute: Compute) -> dict[str, Dense | Given]:
    model = config.model
    return {
        f"dense-{seed}": Dense(
            data=data,
            architecture=model.architecture,
            arguments=model.arguments,
            code=code_of(model.architecture, base) + code_of(model.preprocess, base),
            preprocess=model.preprocess,
            training=config.population.training.model_dump(mode="json"),
            seed=seed,
            compute=Compute(compute.device),
        )
        for seed in config.population.seed_list
    }


def _weights(config: Config, base: Path, data: Data) -> dict[str, Dense | Given] | None:
    if config.model.weights is None:
        return None
    files = [
        ModelFile(
            checkpoint=path, build=config.model.architecture, arguments=config.model.arguments
        )
        for path in config.model.weights
    ]
    return {
        f"dense-{seed}": _file(file, config, base, data, seed) for seed, file in enumerate(files)
    }


def _given(config: Config, base: Path, data: Data) -> dict[str, Model] | None:
    if config.population.models is None:
        return None
    files: dict[str, ModelFile] = {}
    for file in config.population.models:
        if file.name in files:
            raise ConfigError(
                f"population.models names {file.name!r} twice: give each a name of its own."
            )
        files[file.name] = file
    for file in files.values():
        if file.parent is not None and file.parent not in files:
            raise ConfigError(
                f"population.models: {file.name!r} has the parent {file.parent!r}, which is not "
                f"listed: {hint(file.parent, files)}"
            )
    return {
        name: _file(file, config, base, data, file.seed or 0)
        for name, file in files.items()
        if file.predictions is None
    }


def _file(file: ModelFile, config: Config, base: Path, data: Data, seed: int) -> Given:
    build = None if file.exported else file.build or config.model.architecture
    preprocess = config.model.preprocess
    predict = file.predict or config.model.predict
    return Given(
        name=file.name,
        data=data,
        content=checkpoint_fingerprint(base / file.checkpoint) if file.checkpoint else "",
        suffix=Path(file.checkpoint or "").suffix,
        architecture=build,
        arguments=file.arguments or ({} if file.exported else config.model.arguments),
        code=code_of(build, base) + code_of(preprocess, base),
        preprocess=preprocess,
        predict=predict,
        seed=seed,
    )


def checkpoints(study: Study) -> dict[str, Path]:
    """The checkpoint file of each given model, by the model's name."""
    files = study.config.population.models or ()
    listed = {f.name: f.checkpoint for f in files}
    listed |= {f"dense-{i}": path for i, path in enumerate(study.config.model.weights or ())}
    return {name: study.base / path for name, path in listed.items() if path}


def content_of(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        InputError: There is no such file.
    """
    if not path.is_file():
        raise InputError(f"There is no file {path}: mend its path in the config.")
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def method_label(method: MethodSettings) -> str:
    """A given name, else the axes joined by `-` with defaults left out, the saliency kept."""
    if method.name:
        return method.name
    default = MethodSettings()
    axes = ("granularity", "allocation", "schedule", "retraining")
    chosen = [getattr(method, axis) for axis in axes]
    return "-".join(
        [method.saliency]
        + [
            value
            for axis, value in zip(axes, chosen, strict=True)
            if value != getattr(default, axis)
        ]
    )


def _shown(
    config: Config,
    base: Path,
    data: Data,
    natural: Mapping[str, Data],
    names: tuple[str, ...],
) -> dict[Condition, Shown]:
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


def _predicted(
    config: Config,
    base: Path,
    models: Mapping[str, Model],
    shown: Mapping[Condition, Shown],
    compute: Compute,
) -> tuple[Predicted, ...]:
    return tuple(
        Predicted(
            name=name,
            model=model,
            shown=condition,
            predict=(predict := _predict(config, model)),
            code=code_of(predict, base),
            compute=compute,
        )
        for condition in shown.values()
        for name, model in models.items()
    )


def _predict(config: Config, model: Model) -> str | None:
    root = model.parent if isinstance(model, Pruned) else model
    return root.predict if isinstance(root, Given) else config.model.predict
