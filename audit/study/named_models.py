"""Which models a config asks for, as recipes by name: trained and pruned here, or given."""

from __future__ import annotations

import hashlib
from pathlib import Path

from audit.evidence.errors import ConfigError, InputError
from audit.evidence.imports import source_file
from audit.evidence.nearest import hint
from audit.study.config import Config, MethodSettings
from audit.study.fingerprint import checkpoint_fingerprint
from audit.study.model_settings import ModelFile
from audit.study.recipes import Compute, Data, Dense, Given, Model, Pruned


def models_of(config: Config, base: Path, data: Data, compute: Compute) -> dict[str, Model]:
    """Every model by name: parents, then controls, then pruned; or those that were given.

    Raises:
        ConfigError: Two models would have one name, or a parent is not listed.
        InputError: A checkpoint is not there.
    """
    given = _given(config, base, data)
    return _made(config, base, data, compute) if given is None else given


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


def content_of(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        InputError: There is no such file.
    """
    if not path.is_file():
        raise InputError(f"There is no file {path}: mend its path in the config.")
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def names_function(choice: str) -> bool:
    """Whether a config's choice is a `module:function`, and not one of our own names."""
    return ":" in choice and not choice.startswith("torchvision:")


def code_of(reference: str | None, base: Path) -> str:
    """Hash of the file that a `module:function` lives in; empty for built-in names."""
    if reference is None or not names_function(reference):
        return ""
    return hashlib.sha256(source_file(reference, base).read_bytes()).hexdigest()[:16]


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
