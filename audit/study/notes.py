"""What a report must say of the shifts that were shown: sets left out, masks, training on them."""

from __future__ import annotations

import numpy as np

from audit.evidence.blocks import Condition
from audit.study.layout import Study
from audit.study.named_conditions import preset_of
from audit.study.prepare import Arrays


def notes_on_shifts(study: Study) -> list[str]:
    """A sentence for each thing to know of the corruptions and other data sets of a study."""
    return [*_on_data_sets(study), *_left_out(study), *_trained_on(study)]


def preset_used(study: Study) -> str | None:
    """Which constants the corruptions used; None where there are none."""
    if not any(shown.corruption for shown in study.shown.values()):
        return None
    return preset_of(study.config, study.store.folder(study.data))


def _on_data_sets(study: Study) -> list[str]:
    notes = []
    for name, recipe in study.others.items():
        other = Arrays(study.store.folder(recipe))
        notes += [f"{name}: {note}" for note in other.meta["notes"]]
        present, every = len(np.unique(other.labels("test"))), len(other.classes)
        if recipe.labelled and present < every:
            masked = study.shown[Condition(name, None)].mask
            notes.append(
                f"{name} has {present:,} of the {every:,} classes, and logits were "
                f"{'' if masked else 'not '}masked to them."
            )
    return notes


def _left_out(study: Study) -> list[str]:
    """Which corruptions of a set could not be made."""
    preset, asked = preset_used(study), study.config.shifts.corruptions
    if preset is None or not isinstance(asked, str):
        return []
    import corruptions

    colour = Arrays(study.store.folder(study.data)).input_shape[0] == 3
    left_out = corruptions.missing(asked, preset, colour=colour)
    note = f"Of the set {asked}, {', '.join(left_out)} cannot be made here and was not shown."
    return [note] if left_out else []


def _trained_on(study: Study) -> list[str]:
    """Which of the corruptions shown are no test, because training showed them."""
    population, notes = study.config.population, []
    if population.models is not None:
        return []
    asked = {"the parents' training": population.training, "retraining": population.retraining}
    shown = sorted({one.name for one in study.shown.values() if one.corruption})
    for what, training in asked.items():
        seen = () if isinstance(training.augmentation, str) else training.augmentation
        both = [name for name in shown if name in seen]
        if seen:
            told = f"{', '.join(both)}, so no test of an unforeseen shift" if both else "none"
            notes.append(
                f"Corruptions were part of {what}: {', '.join(seen)}. Shown here too: {told}."
            )
    return notes
