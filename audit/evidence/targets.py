"""Tables that ask about several labels of an example: each (example, target) becomes an example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from audit.evidence.check import Origin
from audit.evidence.columns import Factor, as_text, cells, factor, ids
from audit.evidence.errors import TableError
from audit.evidence.schema import TARGET
from audit.evidence.stack import Stacked

COLUMN = "target"
BETWEEN = "|"
_ABSENT_PRESENT = (("False", "True"), ("0", "1"))


def one_question_per_row(stacked: Stacked) -> Stacked:
    """Makes every (example, target) an example of its own, where a table has a column `target`.

    Its id is "example|target". `group_target` is the target, so that the rates of one label are
    the rates of that group. `cluster` is the example, unless the table says whom examples belong
    to: the answers to several questions about one input are not independent.

    Args:
        stacked: The rows.

    Returns:
        The same rows without `target`; as they are where there is no such column.

    Raises:
        TableError: A row names no target, or there is another column `group_target` already.
    """
    table, origin = stacked.table, stacked.origin
    if COLUMN not in table.column_names:
        return stacked
    target = as_text(factor(table.column(COLUMN)))
    if TARGET in table.column_names:
        _refuse_another(target, as_text(factor(table.column(TARGET))), origin)
        table = table.drop_columns(TARGET)
    problem = "which asks about no label: name one in every row, or leave the column out"
    origin.refuse_any(target.codes < 0, COLUMN, cells(target), problem)
    example = ids(table.column("example"), origin)
    if "cluster" not in table.column_names:
        table = table.append_column("cluster", _coded(example))
    table = table.append_column(TARGET, _coded(target)).drop_columns(COLUMN)
    place = table.column_names.index("example")
    table = table.set_column(place, "example", _coded(_pairs(example, target)))
    return replace(stacked, table=table)


def two_classes(columns: Mapping[str, Factor]) -> tuple[str, ...] | None:
    """("0", "1") or ("False", "True") where the answers are such; None where they are names."""
    found = {value for column in columns.values() for value in column.values.to_pylist()}
    names = {str(value) for value in found}
    return next((pair for pair in _ABSENT_PRESENT if names <= set(pair)), None)


def refuse_many(classes: tuple[str, ...], origin: Origin) -> None:
    """Refuses more than two classes in a table that asks about one label per row.

    Raises:
        TableError: There are more.
    """
    if len(classes) > 2:
        raise TableError(
            f"{origin.name} asks about one label per row ('target'), so label and predicted take "
            f"two values, and there are {len(classes)} ({', '.join(classes[:4])}, …): give 0 and "
            "1, or rename the column."
        )


def _refuse_another(target: Factor, group: Factor, origin: Origin) -> None:
    """Lets pass a plan that names `target` among its groups: it is one."""
    if not (group.values.equals(target.values) and np.array_equal(group.codes, target.codes)):
        raise TableError(f"{origin.name} has 'target' and another {TARGET!r}: rename one of them.")


def _pairs(example: Factor, target: Factor) -> Factor:
    many = len(target.values)
    keys, codes = np.unique(
        example.codes.astype(np.int64) * many + target.codes, return_inverse=True
    )
    names = example.values.cast(pa.string())
    first, second = names.take(pa.array(keys // many)), target.values.take(pa.array(keys % many))
    return Factor(codes.astype(np.int32), pc.binary_join_element_wise(first, second, BETWEEN))


def _coded(found: Factor) -> pa.ChunkedArray:
    return pa.chunked_array([pa.DictionaryArray.from_arrays(found.codes, found.values)])
