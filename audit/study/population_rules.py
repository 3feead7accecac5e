"""Which settings of a population go together; what would do nothing is refused with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from audit.study.config import PopulationSettings

# Settings that say how models are made, and mean nothing for models that exist already.
MAKING = ("paired", "chain", "calibration", "train", "prune", "stacked", "compact")
# Built-in architectures of which no data are needed to know that they are not stacked.
CONVOLUTIONAL = ("cnn", "resnet", "resnet20", "resnet32", "resnet56", "vgg16_bn")


def check_population(population: PopulationSettings) -> None:
    """Refuses what contradicts itself or would do nothing.

    Raises:
        ValueError: With what to change.
    """
    _check_given(population)
    _check_unpaired(population)
    _check_chain(population)
    _check_programs(population)
    _check_stacked(population)


def _check_given(population: PopulationSettings) -> None:
    fields = type(population).model_fields
    asked = [name for name in MAKING if getattr(population, name) != fields[name].default]
    if population.models is not None and asked:
        raise ValueError(
            f"{asked[0]} says how models are made, and population.models gives models that exist "
            "already: keep one of them"
        )


def _check_unpaired(population: PopulationSettings) -> None:
    if population.paired:
        return
    for name in ("chain", "prune", "train", "stacked"):
        if getattr(population, name):
            raise ValueError(
                f"paired: false trains every pruned model from a seed of its own, which {name} "
                "does not: keep one of them"
            )
    if population.calibration > 1:
        raise ValueError(
            "paired: false gives every pruned model a seed of its own already: leave out "
            "calibration, or raise seeds"
        )
    if isinstance(population.controls, tuple):
        raise ValueError(
            "paired: false has no parents to control for: leave controls out, or say false"
        )
    other = next((m for m in population.methods if m.retraining != "while_training"), None)
    if other is not None:
        raise ValueError(
            f"paired: false needs methods that prune while a model is first trained, and "
            f"{other.retraining!r} begins with a trained one: say retraining: while_training"
        )


def _check_chain(population: PopulationSettings) -> None:
    if not population.chain:
        return
    if len(population.sparsities) < 2:
        raise ValueError("chain goes from one sparsity to the next: name two or more")
    if population.prune is not None:
        raise ValueError("chain is of our own pruning: leave it out, or leave prune out")
    first = next((m for m in population.methods if m.retraining == "while_training"), None)
    if first is not None:
        raise ValueError(
            "chain starts from the model pruned before, and retraining 'while_training' from one "
            "before training: use another retraining, or leave chain out"
        )


def _check_programs(population: PopulationSettings) -> None:
    if population.timeout is not None and population.train is None and population.prune is None:
        raise ValueError("timeout is of train and prune, and neither is there: leave it out")
    if population.prune is None:
        return
    if population.compact or population.calibration > 1:
        name = "compact" if population.compact else "calibration"
        raise ValueError(f"{name} is of our own pruning: leave it out, or leave prune out")
    kinds = [kind for kind in population.control_kinds if kind != "dense"]
    if kinds:
        raise ValueError(
            f"the control {kinds[0]} is of our own pruning, and population.prune replaces that: "
            "ask for controls: dense, which is population.prune at sparsity 0"
        )


def _check_stacked(population: PopulationSettings) -> None:
    if not population.stacked:
        return
    if population.prune is not None:
        raise ValueError("stacked is of our own pruning: leave it out, or leave prune out")
    if population.chain:
        raise ValueError(
            "stacked trains all sparsities at once, and chain one after the other: keep one of them"
        )
    other = next((m for m in population.methods if m.retraining != "fine_tune"), None)
    if other is not None:
        raise ValueError(
            f"stacked fine-tunes, all that comes from one parent at once, and retraining "
            f"{other.retraining!r} does not: say retraining: fine_tune, or leave stacked out"
        )
    if any(method.reenter for method in population.methods):
        raise ValueError(
            "stacked holds masks of all models at once, and reenter lets single weights come back: "
            "keep one of them"
        )


def check_stackable(population: PopulationSettings, architecture: str) -> None:
    """Refuses to stack what is known to be no net of linear layers; of others the module tells.

    Raises:
        ValueError: With what to change.
    """
    if population.stacked and architecture in CONVOLUTIONAL:
        raise ValueError(
            f"population.stacked is for nets of linear layers, and model.architecture "
            f"{architecture!r} has convolutions, for which stacking does not pay: leave stacked "
            "out, or take an mlp"
        )


def control_retraining(retraining: str) -> str | None:
    """What `pruners.arms.control_retraining` says; a config is laid out without loading torch."""
    if retraining in ("none", "fine_tune"):
        return "fine_tune"
    return None if retraining in ("weight_rewinding", "while_training") else retraining
