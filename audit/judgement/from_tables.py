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
from audit.judgement.groups.divisions import PREFIX
from audit.judgement.judging import judge
from audit.judgement.plan import Binned, Plan
from audit.judgement.policy.limits import Policy

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
            name are enough), several of them, or an evidence folder. Where answers are no classes,
            `value` takes the place of `predicted` (`evidence.read_flat` says more).
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
        evidence = read_flat(_listed(source), columns=columns, groups=group_columns(plan))
    return judge(evidence, plan, _policy(policy))


def compare_predictions(
    y_true: ArrayLike | None,
    parent: ArrayLike | None,
    pruned: ArrayLike | None,
    sensitive_features: Features | None = None,
    positive: str | None = None,
    *,
    parent_confidence: ArrayLike | None = None,
    pruned_confidence: ArrayLike | None = None,
    parent_probabilities: ArrayLike | None = None,
    pruned_probabilities: ArrayLike | None = None,
    parent_value: ArrayLike | None = None,
    pruned_value: ArrayLike | None = None,
    targets: Sequence[str] | None = None,
    classes: Sequence[str] | None = None,
    sparsity: float | None = None,
    plan: Plan | None = None,
    policy: Policy | Mapping[str, Any] | None = None,
) -> Findings:
    """Compares one pruned model with its parent, or several with theirs, on the same examples.

    Args:
        y_true: True labels [examples], or [examples, targets] where each example has several: the
            rates of a label are then those of the group `target=…`. None where nobody knows.
        parent: The parent's predictions [examples] or [parents, examples] (with the axis `targets`
            last, where labels have it); None where answers are no classes but values.
        pruned: The pruned model's, in the same shape; row i is made from parent i.
        sensitive_features: Group columns: a frame, a series, a mapping or an array.
        positive: A class name makes it one binary question; "1" for several 0/1 labels.
        parent_confidence: Confidences in [0, 1], in the shape of `parent`.
        pruned_confidence: Confidences in [0, 1], in the shape of `pruned`.
        parent_probabilities: Class probabilities, in the shape of `parent` and a last axis, the
            classes.
        pruned_probabilities: Likewise, of the pruned models.
        parent_value: How good each answer is where no class says it (Dice, an error), in the shape
            of `parent`; `plan.value` says which way is better.
        pruned_value: Likewise, of the pruned models.
        targets: Names of the labels, where each example has several.
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
        parent_probabilities=parent_probabilities,
        pruned_probabilities=pruned_probabilities,
        parent_value=parent_value,
        pruned_value=pruned_value,
        targets=targets,
        classes=classes,
        sparsity=sparsity,
    )
    return judge(evidence, plan, _policy(policy))


def _listed(source: Table | Sequence[Table]) -> Any:
    return source if isinstance(source, (str, Path, pd.DataFrame)) else list(source)


def _policy(policy: Policy | Mapping[str, Any] | None) -> Policy:
    return policy if isinstance(policy, Policy) else Policy.model_validate(policy or {})


def group_columns(plan: Plan) -> list[str] | None:
    """Columns of a flat table that the plan calls groups, by the names they have there."""
    if plan.groups is None:
        return None
    names = [g.column if isinstance(g, Binned) else g for g in plan.groups]
    return [name for name in names if not name.startswith(PREFIX)]
