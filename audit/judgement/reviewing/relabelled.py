"""Puts corrected labels from a file beside the given ones, so that an audit asks about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pandas as pd

from audit.evidence.blocks import Evidence
from audit.evidence.check import nearest
from audit.evidence.errors import TableError
from audit.judgement.labels.corrected import COLUMN

NEEDED = ("example", "label")


def with_labels(evidence: Evidence, path: Path) -> Evidence:
    """The evidence with the column `corrected_label` from a file that `relabel` wrote.

    Given labels stay as they are; findings say what corrected ones would change.

    Args:
        evidence: What is audited.
        path: .csv or .parquet with columns `example` and `label` (a class name; empty where nothing
            was decided). Others are not read.

    Raises:
        TableError: The file cannot be read, names an example or a class that is not there, or an
            example twice, or contradicts a corrected label that the evidence has already.
    """
    return replace(evidence, examples=relabelled(evidence.examples, evidence.classes, path))


def relabelled(examples: pd.DataFrame, classes: Sequence[str], path: Path) -> pd.DataFrame:
    """Examples with the column `corrected_label` from a file; see `with_labels`.

    Args:
        examples: `example`, and `label` as codes or names of classes.
        classes: Class names in the order of their codes.
        path: The file.

    Raises:
        TableError: As `with_labels` says.
    """
    labels = read_labels(path)
    known = examples["example"].astype(str)
    strangers = labels.index.difference(pd.Index(known))
    if len(strangers):
        raise TableError(
            f"{path} labels example {str(strangers[0])[:60]!r}, which is not in the evidence: "
            "give the labels of this very data."
        )
    wrong = labels[~labels.isin(list(classes))]
    if len(wrong):
        name = str(wrong.iloc[0])
        raise TableError(
            f"{path} gives example {str(wrong.index[0])[:60]!r} the label {name[:60]!r}, which is "
            f"no class: {nearest(name, list(classes))}."
        )
    by_example = labels.to_dict()
    column = pd.Series([by_example.get(each) for each in known], known.index, dtype=object)
    return examples.assign(**{COLUMN: _beside(examples, classes, column, path)})


def label_record(examples: pd.DataFrame, classes: Sequence[str], path: Path) -> dict[str, object]:
    """Which file corrected labels came from, and how many it changed, for the record of a run.

    Args:
        examples: What `relabelled` gave.
        classes: Class names in the order of their codes.
        path: The file.
    """
    given = [_name(value, classes) for value in examples["label"]]
    stated = [_name(value, classes) for value in examples[COLUMN]]
    pairs = list(zip(given, stated, strict=True))
    return {
        "file": path.name,
        "sha256": sha256(path.read_bytes()).hexdigest(),
        "labelled": sum(new is not None for _, new in pairs),
        "changed": sum(new is not None and new != old for old, new in pairs),
    }


def label_note(record: Mapping[str, object]) -> str:
    """The same as a sentence of the report."""
    return (
        f"Corrected labels are from {record['file']} (SHA-256 {str(record['sha256'])[:12]}): "
        f"{record['labelled']:,} examples are labelled there, and {record['changed']:,} of them "
        "get another label than the given one."
    )


def read_labels(path: Path) -> pd.Series:
    """Class names by example id, both as text; without those left empty.

    Raises:
        TableError: The file cannot be read, lacks a column, or names an example twice.
    """
    try:
        if path.suffix == ".parquet":
            table = pd.read_parquet(path, columns=list(NEEDED))
        else:
            # As they are written: "007", "NA" and "1.0" are names that a person may have given.
            table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        cause = str(error).splitlines()[0].rstrip(".")
        raise TableError(f"{path} cannot be read ({cause}): give a .csv or .parquet.") from error
    for name in NEEDED:
        if name not in table:
            raise TableError(f"{path} has no column {name!r}: write it with `prune-audit relabel`.")
    table = table.assign(example=table["example"].astype(str))
    twice = table["example"].duplicated()
    if twice.any():
        whose = table.loc[twice, "example"].iloc[0]
        raise TableError(f"{path} labels example {whose[:60]!r} twice: keep one row of each.")
    labels = table.set_index("example")["label"]
    return labels[labels.notna() & (labels != "")].astype(str)


def _beside(
    examples: pd.DataFrame, classes: Sequence[str], column: pd.Series, path: Path
) -> pd.Series:
    """The column, with corrected labels that were there before; two that differ are refused."""
    if COLUMN not in examples:
        return column
    names = [_name(value, classes) for value in examples[COLUMN]]
    before = pd.Series(names, column.index, dtype=object)
    clash = before.notna() & column.notna() & (before != column)
    if clash.any():
        row = int(clash.to_numpy().argmax())
        raise TableError(
            f"{path} labels example {str(examples['example'].iloc[row])[:60]!r} "
            f"{column.iloc[row]!r}, and the evidence has {before.iloc[row]!r} as its corrected "
            "label already: take one of them out."
        )
    return column.where(column.notna(), before)


def _name(value: object, classes: Sequence[str]) -> str | None:
    if value is None or pd.isna(value):  # type: ignore[call-overload]
        return None
    if isinstance(value, str):
        return value
    code = int(value)  # type: ignore[call-overload]
    return classes[code] if 0 <= code < len(classes) else None
