"""Judges predictions that somebody already has: a table, a folder, or arrays of one pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from numpy.typing import ArrayLike

from audit.evidence.arrays import Features, from_arrays
from audit.evidence.flat import read_flat
from audit.evidence.folder import read_folder
from audit.judgement.findings import Findings
from audit.judgement.groups import PREFIX
from audit.judgement.judge import judge
from audit.judgement.limits import Policy
from audit.judgement.plan import Binned, Plan

Table = str | Path | pd.DataFrame


def audit_table(
    source: Table | Sequence[Table],
    plan: Plan | None = None,
    policy: Policy | Mapping[str, Any] | None = None,
    columns: Mapping[str, str] | None = None,
) -> Findings:
    """Audits a table of predictions, made by any framework, or an evidence folder.

    Args:
        source: A flat table (Parquet, CSV or frame; `example`, `label`, `predicted` and a model's
            name are enough), several of them, or an evidence folder.
        plan: How to group and how sure to be; its groups may be any columns of a flat table.
        policy: Limits, as a `Policy` or a mapping as in YAML.
        columns: Your column for ours, such as `{"label": "y_true"}`.

    Raises:
        TableError: The table is wrong; the text names the first bad row, column and value.
        InputError: The plan names a class or a group column that is not there.
    """
    plan = plan or Plan()
    if isinstance(source, (str, Path)) and Path(source).is_dir():
        folder = Path(source)
        inner = folder / "evidence"
        evidence = read_folder(inner if inner.is_dir() else folder)
    else:
        evidence = read_flat(_listed(source), columns=columns, groups=_group_columns(plan))
    return judge(evidence, plan, _policy(policy))


def compare_predictions(
    y_true: ArrayLike,
    parent: ArrayLike,
    pruned: ArrayLike,
    sensitive_features: Features | None = None,
    positive: str | None = None,
    *,
    parent_confidence: ArrayLike | None = None,
    pruned_confidence: ArrayLike | None = None,
    classes: Sequence[str] | None = None,
    sparsity: float | None = None,
    plan: Plan | None = None,
    policy: Policy | Mapping[str, Any] | None = None,
) -> Findings:
    """Compares one pruned model with its parent, or several with theirs, on the same examples.

    Args:
        y_true: True labels [examples].
        parent: The parent's predictions [examples], or [parents, examples].
        pruned: The pruned model's, in the same shape; row i is made from parent i.
        sensitive_features: Group columns: a frame, a series, a mapping or an array.
        positive: A class name makes it one binary question.
        parent_confidence: Confidences in [0, 1], in the shape of `parent`.
        pruned_confidence: Confidences in [0, 1], in the shape of `pruned`.
        classes: Class names in the order of their codes; by default the distinct values.
        sparsity: Fraction removed; None where it is not known.
        plan: Everything else that may be decided; its `positive` is replaced if one is given.
        policy: Limits, as a `Policy` or a mapping as in YAML.

    Raises:
        TableError: Lengths differ, or a value is wrong.
        InputError: The plan names a class or a group column that is not there.
    """
    plan = plan or Plan()
    if positive is not None:
        plan = plan.model_copy(update={"positive": str(positive)})
    evidence = from_arrays(
        y_true,
        parent,
        pruned,
        sensitive_features,
        parent_confidence=parent_confidence,
        pruned_confidence=pruned_confidence,
        classes=classes,
        sparsity=sparsity,
    )
    return judge(evidence, plan, _policy(policy))


def _listed(source: Table | Sequence[Table]) -> Any:
    return source if isinstance(source, (str, Path, pd.DataFrame)) else list(source)


def _policy(policy: Policy | Mapping[str, Any] | None) -> Policy:
    return policy if isinstance(policy, Policy) else Policy.model_validate(policy or {})


def _group_columns(plan: Plan) -> list[str] | None:
    """Columns of a flat table that the plan calls groups, by the names they have there."""
    if plan.groups is None:
        return None
    names = [g.column if isinstance(g, Binned) else g for g in plan.groups]
    return [name for name in names if not name.startswith(PREFIX)]
