"""Decides which rows of which split train, validate and test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from audit.evidence.errors import InputError
from audit.evidence.nearest import hint
from audit.study.data_settings import DataSettings
from audit.study.sources.cuts import cut, stratified_sample

IntArray = NDArray[np.int64]
PartName = Literal["train", "validation", "test"]

TEST_FRACTION = 0.2
# Entropy that sets draws with the same seed apart.
_CUT_TEST, _CUT_VALIDATION = 1, 2
_LIMIT: dict[PartName, int] = {"train": 3, "validation": 4, "test": 5}


@dataclass(frozen=True)
class Chosen:
    """Some rows of a split, int64, increasing."""

    split: str
    rows: IntArray


def splits_in_use(
    settings: DataSettings, splits: Mapping[str, Any], trained: bool = True
) -> dict[PartName, str]:
    """The split that each part comes from; a part that is cut from another shares its split.

    Args:
        settings: The data section.
        splits: What the source has, by name.
        trained: False where only the test part is wanted.

    Raises:
        InputError: A split that is asked for is not there.
    """
    names = settings.splits
    asked: dict[PartName, str | None] = {
        "train": names.train if trained else None,
        "validation": names.validation if trained else None,
        "test": names.test,
    }
    if len(splits) == 1:
        only = next(iter(splits))
        if not trained:
            return {"test": only}
        for part, name in asked.items():
            # A default name asks for nothing: it is there for sources that have several splits.
            if name is not None and name != only and part in names.model_fields_set:
                raise InputError(
                    f"data.splits.{part} asks for {name!r}, and the source has one split, "
                    f"{only!r}: take data.splits.{part} out to have that one cut."
                )
        used: dict[PartName, str] = {"train": only} if asked["train"] is not None else {}
        return {**used, "test": only}
    for part, name in asked.items():
        if name is not None and name not in splits:
            raise InputError(
                f"data.splits.{part} asks for {name!r}, which is not there: {hint(name, splits)}"
            )
    return {part: name for part, name in asked.items() if name is not None}


def choose(
    settings: DataSettings,
    used: Mapping[PartName, str],
    codes: Mapping[str, IntArray],
    validation_fraction: float,
) -> tuple[dict[PartName, Chosen], tuple[str, ...]]:
    """The rows of each part, and what a report must say about how they were cut.

    Args:
        settings: The data section.
        used: Split of each part.
        codes: Class codes by split.
        validation_fraction: Share of the training rows that validate where no split does.

    Raises:
        InputError: A part has no rows.
    """
    rows: dict[PartName, IntArray] = {
        part: np.arange(len(codes[split]), dtype=np.int64) for part, split in used.items()
    }
    notes: list[str] = []
    if used.get("train") == used["test"]:
        fraction = settings.test_fraction or TEST_FRACTION
        split_codes = codes[used["test"]]
        rows["train"], rows["test"] = cut(split_codes, fraction, (settings.split_seed, _CUT_TEST))
        notes.append(
            f"The source has one split: {100 * fraction:g} % of it, stratified by class, is the "
            "test part."
        )
    if "train" in used and "validation" not in used and validation_fraction > 0:
        train = rows["train"]
        outside, inside = cut(
            codes[used["train"]][train], validation_fraction, (settings.split_seed, _CUT_VALIDATION)
        )
        if len(inside):
            rows["train"], rows["validation"] = train[outside], train[inside]
    chosen = {part: Chosen(used.get(part) or used["train"], one) for part, one in rows.items()}
    for part, one in chosen.items():
        if not len(one.rows):
            raise InputError(
                f"The {part} part (from the split {one.split!r}) has no examples: name another "
                "split, or another fraction."
            )
    limited = {part: _limited(settings, part, one, codes) for part, one in chosen.items()}
    for part, one in limited.items():
        if len(one.rows) < len(chosen[part].rows):
            notes.append(
                f"The {part} part is a stratified sample of {len(one.rows):,} of "
                f"{len(chosen[part].rows):,} examples (data.limit)."
            )
    return limited, tuple(notes)


def _limited(
    settings: DataSettings, part: PartName, chosen: Chosen, codes: Mapping[str, IntArray]
) -> Chosen:
    most = getattr(settings.limit, part, None)
    if most is None or most >= len(chosen.rows):
        return chosen
    strata = codes[chosen.split][chosen.rows]
    drawn = stratified_sample(strata, most, (settings.split_seed, _LIMIT[part]))
    return Chosen(chosen.split, chosen.rows[drawn])
