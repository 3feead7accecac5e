"""Reads flat tables, where every row says which model predicted what for which example."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from audit.evidence.assemble import assemble
from audit.evidence.blocks import Evidence
from audit.evidence.errors import TableError
from audit.evidence.readers import Table
from audit.evidence.sources import Source, has_column, open_source
from audit.evidence.stack import stack

IN_ONE = str | os.PathLike | pd.DataFrame | pa.Table | Source


def read_flat(
    sources: Table | Source | Sequence[Table | Source],
    columns: Mapping[str, str] | None = None,
    classes: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
) -> Evidence:
    """Reads one flat table, or several whose rows follow each other.

    Only `example`, `predicted` and some model name are needed, and `label` for most questions
    (`schema.FLAT_COLUMNS` lists the rest). A file without a column `model` holds one model, called
    as the file is. The condition is clean where none is named. Labels and predictions may be class
    names, codes or truth values.

    Where answers are no classes (masks, boxes, quantities, text), a column `value` says how good
    each of them is and takes the place of `predicted`; `columns={"value": "dice"}` names it. Where
    an example has several labels, a column `target` says which one a row asks about: each
    (example, target) is then an example with the id "example|target", in the group column
    `group_target`, and the example is its cluster unless a column `cluster` says otherwise. Labels
    and predictions are then two values, ("0", "1") by default, so a plan's `positive` is "1".
    `probabilities` are lists of one number per class, in the order of the class names.

    Examples of the split validation are `Evidence.validation`; those of the split `ood` have no
    label, and a data set's name as condition.

    Roles: a column `role` decides. Without it, a model with a parent is `pruned`, or a `control`
    at sparsity 0; one without a parent is `pruned` at a sparsity above 0 and `dense` otherwise. In
    a table without a column `parent`, a model that is not dense belongs to the only dense model of
    its seed, or else to the only dense model; where there are several, its parent stays unknown.

    Args:
        sources: Paths (.parquet, .csv, .tsv, .feather, .arrow), data frames, Arrow tables, or
            `Source`s that say what holds for all rows of a table.
        columns: Our column name -> theirs, such as {"example": "image_id"}.
        classes: Class names in the order of their codes; by default those of a ClassLabel feature
            in the file's metadata, else the distinct labels and predictions in ascending order.
        groups: Columns to be groups besides those that begin with `group_`.

    Returns:
        Evidence with models and examples sorted by name and id, whatever the order of the rows.

    Raises:
        TableError: A table is missing, broken, empty, or contradicts itself; the text names the
            first bad row (counted from 1), its column and its value.
    """
    listed = _listed(sources)
    if not listed:
        raise TableError("There is no table to read: give at least one.")
    named = _named([s if isinstance(s, Source) else Source(s) for s in listed])
    return assemble(stack([open_source(source, columns, groups) for source in named]), classes)


def read_pair(
    parent: Table | Sequence[Table],
    pruned: Table | Sequence[Table],
    columns: Mapping[str, str] | None = None,
    classes: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
) -> Evidence:
    """Reads predictions of dense and of pruned models from files of their own.

    As many of one as of the other are pairs in that order; one parent belongs to every pruned
    model. A file's own columns `model`, `role` and `parent` come first.

    Args:
        parent: Tables of dense models.
        pruned: Tables of pruned models.
        columns: See `read_flat`.
        classes: See `read_flat`.
        groups: See `read_flat`.

    Raises:
        TableError: See `read_flat`.
    """
    dense, made = _listed(parent), _listed(pruned)
    named = _named([Source(table) for table in (*dense, *made)])
    names = [
        None if has_column(source, "model", columns) else source.values.get("model")
        for source in named[: len(dense)]
    ]
    if len(dense) == len(made):
        parents = names
    else:
        parents = (names if len(dense) == 1 else [None]) * len(made)
    roles = [{"role": "dense"} for _ in dense]
    roles += [{"role": "pruned"} | ({"parent": name} if name else {}) for name in parents]
    sources = [
        Source(source.table, source.name, {**source.values, **role})
        for source, role in zip(named, roles, strict=True)
    ]
    return read_flat(sources, columns, classes, groups)


def _listed(tables: Any) -> list[Any]:
    return [tables] if isinstance(tables, IN_ONE) else list(tables)


def _named(sources: Sequence[Source]) -> list[Source]:
    """Offers each file's name as its model's; where two are alike, the path with it."""
    alike = Counter(source.stem for source in sources)
    named = []
    for source in sources:
        if source.stem is not None and "model" not in source.values:
            title = Path(str(source.table)).with_suffix("").as_posix()
            name = source.stem if alike[source.stem] == 1 else title
            source = Source(source.table, source.name, {**source.values, "model": name})
        named.append(source)
    return named
