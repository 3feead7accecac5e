"""Reads what a `data` section asks for: parts as arrays, cut, grouped and checked."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL
from audit.evidence.errors import InputError
from audit.study.class_map import ClassMap
from audit.study.data_settings import DataSettings, Undersample
from audit.study.sources.choose import PartName, choose, splits_in_use
from audit.study.sources.digits import RARE, VALIDATION_FRACTION, read_digits
from audit.study.sources.encoding import Encoding, fit_encoding
from audit.study.sources.folder import read_folder
from audit.study.sources.given_source import take_source
from audit.study.sources.groups import group_columns
from audit.study.sources.hugging_face import read_datasets
from audit.study.sources.ids import example_ids
from audit.study.sources.inputs import Inputs, check_shapes, read_inputs
from audit.study.sources.labels import Coded, code_labels
from audit.study.sources.natural import as_ours, natural_reader, recoded
from audit.study.sources.own_function import read_function
from audit.study.sources.parts import Part, Source, Vocabulary
from audit.study.sources.rare import undersample
from audit.study.sources.records import Holdings, Records
from audit.study.sources.table import read_table
from audit.study.sources.texts import refuse_other_kind
from audit.study.sources.torch_vision import read_torchvision

Reader = Callable[[DataSettings, Path, Path], Holdings | Source]

# name -> what reads it: (settings, folder of the config, scratch folder) -> splits.
SOURCES: dict[str, Reader] = {
    "datasets": read_datasets,
    "digits": read_digits,
    "folder": read_folder,
    "module:function": read_function,
    "table": read_table,
    "torchvision": read_torchvision,
}


@dataclass(frozen=True)
class _Draft:
    """A part in the making; `inputs` are arrays, or a frame of features to encode."""

    inputs: Any
    labels: NDArray[np.int64]
    ids: NDArray[Any]
    groups: pd.DataFrame
    columns: pd.DataFrame

    def where(self, stays: NDArray[np.bool_]) -> _Draft:
        frames = {
            name: frame[stays].reset_index(drop=True)
            for name, frame in (("groups", self.groups), ("columns", self.columns))
        }
        return _Draft(self.inputs[stays], self.labels[stays], self.ids[stays], **frames)


def load_source(
    settings: DataSettings,
    base: Path,
    *,
    vocabulary: Vocabulary | None = None,
    data_workers: int = 0,
    labelled: bool = True,
    class_map: ClassMap | None = None,
) -> Source:
    """Reads a data set.

    Args:
        settings: The data section.
        base: Folder of the config file; relative paths and modules are found from it.
        vocabulary: What the data must share with those that models were trained on (a natural
            shift): then there is only a test part, coded, shaped and encoded like theirs.
        data_workers: Processes that read a user's torch `Dataset`.
        labelled: False leaves labels unread, where the data are of none of the classes; every
            label is then -1.
        class_map: Names of its classes -> names of the vocabulary's, where they differ.

    Returns:
        Parts whose order and contents depend on nothing but the settings and the files.

    Raises:
        InputError: Something is missing or wrong; one sentence that names it and the way out.
        MissingExtra: A library that this source needs is not installed.
    """
    read = SOURCES[settings.reader]
    if settings.reader == "module:function":
        read = partial(read_function, data_workers=data_workers)
    if settings.reader == "folder" and vocabulary is not None and labelled:
        settings, read = natural_reader(settings, base, vocabulary)
    with tempfile.TemporaryDirectory(prefix="prune-audit-", ignore_cleanup_errors=True) as scratch:
        held = read(settings, base, Path(scratch))
        if isinstance(held, Source):
            source = take_source(held, settings)
            return _finish_given(source, settings, vocabulary, labelled, class_map)
        return _assemble(held, settings, base, vocabulary, labelled, class_map)


def _assemble(
    held: Holdings,
    settings: DataSettings,
    base: Path,
    vocabulary: Vocabulary | None,
    labelled: bool,
    class_map: ClassMap | None,
) -> Source:
    used = splits_in_use(settings, held.splits, trained=vocabulary is None)
    merged: tuple[tuple[str, ...], ...] = ()
    if vocabulary is not None and labelled:
        origin = settings.path or "The data"
        held, merged = as_ours(held, used["test"], vocabulary.classes, class_map, origin)
    splits = {split: held.splits[split] for split in dict.fromkeys(used.values())}
    if vocabulary is not None and not labelled:
        coded = Coded(
            vocabulary.classes, {name: np.zeros(len(one), np.int64) for name, one in splits.items()}
        )
    else:
        coded = code_labels(
            {name: one.column(held.label, "label") for name, one in splits.items()},
            held.classes,
            vocabulary.classes if vocabulary is not None else settings.classes,
        )
    chosen, notes = choose(settings, used, coded.codes, validation_fraction(settings))
    shape = vocabulary.shape if vocabulary is not None else None
    inputs = read_inputs(chosen, held.splits, settings, shape)
    drafts = _drafts(inputs, held.splits, coded.codes, settings, base)
    rare = _rare(settings, drafts, trained=vocabulary is None)
    parts, encoding = _encoded(drafts, vocabulary)
    if shape is not None:
        check_shapes({part: one.inputs for part, one in parts.items()}, shape)
    source = Source(
        inputs.kind,
        coded.classes,
        parts.get("train"),
        parts.get("validation"),
        parts["test"],
        (*held.notes, *notes, *inputs.notes, *rare),
        encoding,
        merged,
    )
    return source.with_notes(*_absent_classes(source)) if labelled else _unlabelled(source)


def _unlabelled(source: Source) -> Source:
    """A test part of none of the classes."""
    test = replace(source.test, labels=np.full(len(source.test), NO_LABEL, np.int64))
    return replace(source, train=None, validation=None, test=test)


def _drafts(
    inputs: Inputs,
    splits: Mapping[str, Records],
    codes: Mapping[str, NDArray[np.int64]],
    settings: DataSettings,
    base: Path,
) -> dict[PartName, _Draft]:
    groups = settings.groups or (("stroke", "slant") if settings.source == "digits" else ())
    ids = example_ids(inputs.chosen, splits, settings.id)
    drafts: dict[PartName, _Draft] = {}
    for part, one in inputs.chosen.items():
        records, values = splits[one.split], inputs.values[part]
        drafts[part] = _Draft(
            values,
            codes[one.split][one.rows],
            ids[part],
            group_columns(groups, records, one.rows, values, base),
            records.columns.iloc[one.rows].reset_index(drop=True),
        )
    return drafts


def validation_fraction(settings: DataSettings) -> float:
    """The share of the training rows that validate where no split does."""
    if settings.validation_fraction is not None:
        return settings.validation_fraction
    return VALIDATION_FRACTION if settings.source == "digits" else 0.1


def _rare(settings: DataSettings, drafts: dict[PartName, _Draft], trained: bool) -> tuple[str, ...]:
    """Thins the training draft in place; what to say about it."""
    wanted = settings.undersample
    if wanted == "auto":
        wanted = RARE if settings.source == "digits" else None
        if "train" not in drafts:
            return ()
    if not isinstance(wanted, Undersample) or not trained:
        return ()
    if "train" not in drafts:
        raise InputError("data.undersample has no use where nothing is trained: take it out.")
    train = drafts["train"]
    columns = train.groups.join(
        train.columns[train.columns.columns.difference(train.groups.columns)]
    )
    stays, note = undersample(wanted, columns, train.labels)
    drafts["train"] = train.where(stays)
    return (note,)


def _encoded(
    drafts: Mapping[PartName, _Draft], vocabulary: Vocabulary | None
) -> tuple[dict[PartName, Part], Encoding | None]:
    encoding = vocabulary.encoding if vocabulary is not None else None
    if isinstance(drafts["test"].inputs, pd.DataFrame):
        if encoding is None and "train" not in drafts:
            raise InputError(
                "A table's columns are encoded as its training rows say, and there is no training "
                "part: name one as data.splits.train."
            )
        encoding = encoding or fit_encoding(drafts["train"].inputs)
    parts = {
        part: Part(
            encoding.apply(draft.inputs)
            if encoding is not None and isinstance(draft.inputs, pd.DataFrame)
            else draft.inputs,
            draft.labels,
            draft.ids,
            draft.groups,
        )
        for part, draft in drafts.items()
    }
    return parts, encoding


def _absent_classes(source: Source) -> tuple[str, ...]:
    notes = []
    for part, consequence in (
        ("train", "so no model can learn them"),
        ("test", "so nothing can be said about them"),
    ):
        if part not in source.parts:
            continue
        counts = np.bincount(source.parts[part].labels, minlength=len(source.classes))
        absent = [source.classes[code] for code in np.flatnonzero(counts == 0)]
        if absent:
            shown = ", ".join(absent[:5]) + (f" and {len(absent) - 5} more" if absent[5:] else "")
            notes.append(f"No {part} example is of class {shown}, {consequence}.")
    return tuple(notes)


def _finish_given(
    source: Source,
    settings: DataSettings,
    vocabulary: Vocabulary | None,
    labelled: bool,
    class_map: ClassMap | None,
) -> Source:
    if vocabulary is not None:
        refuse_other_kind(source.kind, vocabulary.shape)
        check_shapes({"test": source.test.inputs}, vocabulary.shape)
        if not labelled:
            return _unlabelled(replace(source, classes=vocabulary.classes))
        return _recoded(source, vocabulary.classes, settings.source, class_map)
    if isinstance(settings.undersample, Undersample) and source.train is not None:
        stays, note = undersample(settings.undersample, source.train.groups, source.train.labels)
        source = replace(source, train=source.train.take(stays)).with_notes(note)
    return source.with_notes(*_absent_classes(source))


def _recoded(
    source: Source, classes: tuple[str, ...], origin: str, class_map: ClassMap | None
) -> Source:
    """Its test part with labels as positions in the classes that models were trained on."""
    test, merged, notes = recoded(source.test, source.classes, classes, class_map, origin)
    found = replace(
        source, classes=classes, train=None, validation=None, test=test, merged=merged
    ).with_notes(*notes)
    return found.with_notes(*_absent_classes(found))
