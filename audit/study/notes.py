"""What a report must say of the shifts that were shown: sets left out, masks, training on them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from audit.evidence.blocks import Condition
from audit.study.layout import Study
from audit.study.named_conditions import about, preset_of
from audit.study.prepare import Arrays
from audit.study.recipes import LEFT_OUT
from audit.study.sources.pictures import skipped


def notes_on_shifts(study: Study) -> list[str]:
    """A sentence for each thing to know of the corruptions and other data sets of a study."""
    return [
        *_on_data_sets(study),
        *_on_disk(study),
        *_on_rows(study),
        *_left_out(study),
        *_as_made(study),
        *_as_frames(study),
        *_trained_on(study),
    ]


def preset_used(study: Study) -> str | None:
    """Which constants the corruptions of images used; None where there are none."""
    folder = study.store.folder(study.data)
    if not _corrupted(study) or about(folder)["kind"] != "image":
        return None
    return preset_of(study.config, folder)


def published_as(study: Study) -> dict[str, str]:
    """The set and preset of corruptions that one set on disk has, asked for by a set's name.

    Then its errors may be put beside published ones. Empty where there is none, or more.
    """
    sets = list(study.sets.values())
    if len(sets) != 1 or _corrupted(study) or not isinstance(sets[0].settings.corruptions, str):
        return {}
    preset = Arrays(study.store.folder(sets[0].data)).meta["preset"]
    return {"set": sets[0].settings.corruptions, **({"preset": preset} if preset else {})}


def _corrupted(study: Study) -> bool:
    return any(shown.corruption for shown in study.shown.values())


def _on_rows(study: Study) -> list[str]:
    """What corruptions changed of table rows or texts, and what they left."""
    if not _corrupted(study):
        return []
    changed = {
        "table": "feature columns by the training part's spreads, ranges and marginals; labels and "
        "groups are those of the unchanged rows.",
        "text": "the texts before they were made numbers; labels and groups are those of the "
        "unchanged texts, and so are the texts shown in the report.",
    }.get(about(study.store.folder(study.data))["kind"])
    return [f"Corruptions changed {changed}"] if changed is not None else []


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


def _on_disk(study: Study) -> list[str]:
    """What corrupted sets are, and which of their images could not be read."""
    notes = []
    for name, one in study.sets.items():
        index = Arrays(study.store.folder(one.data))
        notes += [f"{name}: {note}" for note in index.meta["notes"]]
        lost = []
        for condition in (Condition(*key) for key in one.keys):
            shown = study.shown[condition]
            made = (p for p in study.predicted if p.shown == shown and study.store.done(p))
            folder = next((study.store.folder(recipe) for recipe in made), None)
            if folder is not None and (folder / LEFT_OUT).exists():
                lost += json.loads((folder / LEFT_OUT).read_text())
        notes += [f"{name}: {note}" for note in skipped((each, "") for each in lost)]
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


def _as_made(study: Study) -> list[str]:
    """Whose constants corrupted images have, whether they went through files, and which frost."""
    preset, shifts = preset_used(study), study.config.shifts
    if preset is None:
        return []
    picked = "picked by size" if shifts.preset == "auto" else "as asked"
    stored = (
        "went through JPEG files of quality 85 (4:2:0), as those of the published ImageNet-C did"
        if shifts.requantise
        else "were shown as they were made, and through no JPEG file as the published ImageNet-C's"
    )
    which = "Images that were corrupted in memory" if study.sets else "Corrupted images"
    notes = [f"{which} have the constants of the preset {preset} ({picked}) and {stored}."]
    if any(one.corruption == "frost" for one in study.shown.values()):
        folder = shifts.frost and Path(shifts.frost).name
        bank = f"of the photographs in {folder}" if folder else "procedural, of no photographs"
        notes.append(f"Frost is {bank}.")
    return notes


def _as_frames(study: Study) -> list[str]:
    """Whose constants sequences of frames have, and what their flip rates are over."""
    if not any(one.sequence for one in study.shown.values()):
        return []
    from corruptions.sequences import size_of

    size = size_of(preset_of(study.config, study.store.folder(study.data)))
    return [
        f"Sequences of frames have the constants published for the size {size!r}, move "
        "images as the models get them, with black around, and went through no video. Flip rates "
        "are over each model's own parent, not over AlexNet."
    ]


def _trained_on(study: Study) -> list[str]:
    """Which of the corruptions shown are no test, because training showed them."""
    population, notes = study.config.population, []
    if population.models is not None:
        return []
    asked = {"the parents' training": population.training, "retraining": population.retraining}
    shown = sorted({one.name for one in study.shown.values() if one.corruption or one.on_disk})
    for what, training in asked.items():
        seen = () if isinstance(training.augmentation, str) else training.augmentation
        both = [name for name in shown if name in seen]
        if seen:
            told = f"{', '.join(both)}, so no test of an unforeseen shift" if both else "none"
            notes.append(
                f"Corruptions were part of {what}: {', '.join(seen)}. Shown here too: {told}."
            )
    return notes
