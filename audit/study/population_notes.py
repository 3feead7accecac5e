"""What a report must say of a population: what makes its models differ, how they were made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any

from audit.study.config import Kind, PopulationSettings
from audit.study.jobs import clean_accuracy
from audit.study.layout import Study
from audit.study.members import compaction_of, method_of, record_of
from audit.study.named_populations import method_label
from audit.study.population_rules import control_retraining
from audit.study.recipes import Model, Predicted, Pruned

# What the spread between models of each kind is made of, and what it cannot show.
SAYS: Mapping[Kind, str] = {
    "independent": "The parents were trained from independent seeds, so differences between them "
    "show the churn of training anew: what is found speaks for other runs of the same recipe.",
    "one_parent": "Every pruned model comes from one parent: their differences show what pruning "
    "and retraining vary, and nothing of the churn of training the parent anew.",
    "calibration": "The replicates of a parent differ in the examples that its pruning was shown: "
    "their differences show that choice, and nothing of the churn of training anew.",
    "snapshots": "The models are snapshots of one training: they are alike because they share most "
    "of it, and their differences are no measure of the churn of training anew.",
}
UNSTATED = (
    "The config does not say what makes the given parents differ: state population.kind, because "
    "snapshots of one training, or one net fine-tuned again, show less churn than training anew."
)
UNPAIRED = (
    "Pruned models were trained and pruned from seeds of their own, none of them a parent's: "
    "no pruned model has a parent, so populations are compared and single pairs are not."
)
STACKED = (
    "All that was fine-tuned from one parent, its control too, was trained at once: each as it "
    "would be alone, but for the order in which sums are added up."
)
CHAINED = "Each sparsity starts from the model pruned to the one before and retrained."
_CONTROLS = {
    "small_dense": "dense nets with about the weights that the pruned ones keep, trained as long",
    "from_scratch_e": "the pruned shapes trained from new weights for as many epochs",
    "from_scratch_b": "the pruned shapes trained from new weights for as much arithmetic",
    "reinitialise": "the pruned shapes trained from other first weights",
}


def kind_of(study: Study) -> dict[str, str]:
    """What kind of population it is, under `population`; empty where nobody said."""
    config = study.config
    if config.population.kind is not None:
        return {"population": config.population.kind}
    if config.population.models is not None:
        dense = [f for f in config.population.models if f.inferred_role == "dense"]
        return {"population": "one_parent"} if len(dense) == 1 else {}
    if config.model.weights is not None and len(config.model.weights) > 1:
        return {}
    if len(study.parents) == 1 and config.population.paired:
        replicates = config.population.calibration > 1
        return {"population": "calibration" if replicates else "one_parent"}
    return {"population": "independent"}


def notes_on_population(
    study: Study, models: Mapping[str, Model], parts: Sequence[Predicted]
) -> list[str]:
    """A sentence for each thing to know of how models were made, and of those that were."""
    kind: Any = kind_of(study).get("population")
    notes = [SAYS[kind]] if kind else [UNSTATED] if len(study.parents) > 1 else []
    population = study.config.population
    if population.models is not None:
        return notes
    if population.calibration > 1 and kind != "calibration":
        notes.append(SAYS["calibration"])
    if not population.paired:
        notes.append(UNPAIRED)
    if population.chain:
        notes.append(CHAINED)
    if population.stacked:
        notes.append(STACKED)
    if study.pretraining is not None:
        notes.append(
            f"Parents were first trained on other data ({study.pretraining[0].source}) and their "
            "last layer was made anew."
        )
    notes += _beside_others(population)
    notes += [_program(what, words) for what, words in _programs(study)]
    pruned = {name: m for name, m in models.items() if isinstance(m, Pruned)}
    return [*notes, *_on_controls(study, pruned, parts), *_on_arms(study, pruned)]


def _beside_others(population: PopulationSettings) -> list[str]:
    """Methods that have no control of their own, and stand beside that of the others."""
    ours = population.paired and population.prune is None
    methods = population.methods if ours and "dense" in population.control_kinds else ()
    without = [method_label(m) for m in methods if control_retraining(m.retraining) is None]
    if not without or len(without) == len(methods):
        return []
    return [
        f"{', '.join(without)}: made by the parent's own training, from its start, and compared "
        f"with a control that was trained on after it, for want of one of their own: the floor is "
        f"too high for them, and what pruning did looks smaller than it is."
    ]


def _programs(study: Study) -> Iterator[tuple[str, str | tuple[str, ...]]]:
    population = study.config.population
    for what, given in (("trained", population.train), ("pruned", population.prune)):
        if given is not None:
            yield what, given


def _program(what: str, given: str | tuple[str, ...]) -> str:
    words = given if isinstance(given, str) else " ".join(given)
    return f"Models were {what} by a program of the study's own: {words}"


def _on_controls(
    study: Study, pruned: Mapping[str, Pruned], parts: Sequence[Predicted]
) -> list[str]:
    """What further controls are, and how often they are right, for no test asks it."""
    others = {n: m.control for n, m in pruned.items() if m.sparsity > 0.0 and m.control}
    notes = [
        f"Controls {kind} are {_CONTROLS[kind]}; they stand beside no pruned model in any test."
        for kind in sorted(set(others.values()))
    ]
    right: dict[str, list[float]] = {}
    for part in parts:
        if part.name in others and (part.shown.name, part.shown.severity) == ("clean", 0.0):
            right.setdefault(part.name.rpartition("-")[0], []).append(
                clean_accuracy(study.store, part)
            )
    return notes + [
        f"Control {arm.rpartition('-')[0]} at {arm.rpartition('-')[2]}: {100 * fmean(found):.1f} % "
        f"of clean test examples right (mean of {len(found)})."
        for arm, found in right.items()
    ]


def _on_arms(study: Study, pruned: Mapping[str, Pruned]) -> list[str]:
    """What the makers noted, each sentence once for a method and sparsity, with how many models."""
    said: dict[tuple[str, str], int] = {}
    arms: dict[str, int] = {}
    cut: dict[str, list[dict[str, Any]]] = {}
    for name, model in pruned.items():
        if model.sparsity == 0.0:
            continue
        arm = f"{method_of(name, model)} at {model.sparsity:g}"
        arms[arm] = arms.get(arm, 0) + 1
        for sentence in _sentences(record_of(study, model)):
            said[arm, sentence] = said.get((arm, sentence), 0) + 1
        found = compaction_of(study, model)
        if found is not None:
            cut.setdefault(arm, []).append(found)
    together: dict[str, list[str]] = {}
    for (arm, sentence), count in said.items():
        which = arm if count == arms[arm] else f"{arm} ({count} of {arms[arm]} models)"
        together.setdefault(sentence, []).append(which)
    notes = [f"{', '.join(which)}: {sentence}" for sentence, which in together.items()]
    return [*notes, *(_cut(arm, found) for arm, found in cut.items())]


def _sentences(record: Mapping[str, Any]) -> Iterator[str]:
    yield from record.get("notes", ())
    guarded = record.get("removed", {}).get("guarded", ())
    if guarded:
        yield f"one group was kept in {', '.join(guarded)}, which would have been emptied."


def _cut(arm: str, found: list[dict[str, Any]]) -> str:
    """What compaction saved, over the models of an arm."""
    smaller = [one for one in found if one["reason"] is None]
    if not smaller:
        return f"{arm}: nothing could be cut out ({found[0]['reason']})"
    before, after = (fmean(one["parameters"][side] for one in smaller) for side in (0, 1))
    macs, fewer = (fmean(one["macs"][side] for one in smaller) for side in (0, 1))
    worst = max(one["difference"] for one in smaller)
    return (
        f"{arm}: cut out of {len(smaller)} of {len(found)} models, parameters "
        f"{before:,.0f} → {after:,.0f} and multiply–adds {macs:,.0f} → {fewer:,.0f} on average, "
        f"outputs equal to within {worst:.1e}."
    )
