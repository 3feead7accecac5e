"""What moved between two sides of which nothing is known but their findings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from audit.judgement.comparing.differences import independent_difference
from audit.judgement.comparing.moves import Answered, Move, answered
from audit.judgement.comparing.runs import Level, Side
from audit.judgement.findings import Finding
from audit.judgement.inference.estimate import Estimate
from audit.judgement.inference.families import OMNIBUS
from audit.judgement.measures import MEASURES

# What `asked` asks of predictions: by measure, the family on clean examples.
OF_PREDICTIONS = {"accuracy": "accuracy", "recall": "classes", "group_accuracy": "groups"}
INDEPENDENT = (
    "from findings alone: the intervals are taken to be independent, which is wider than it need be"
    " where examples or parents are shared"
)

Question = tuple[str, str | None, float | None, str | None, str | None]


def ask_findings(
    before: Side,
    after: Side,
    matches: Sequence[tuple[Level, Level]],
    *,
    beside_predictions: bool = False,
) -> tuple[Move, ...]:
    """Compares findings question by question: measure, class, groups, condition, severity.

    Args:
        before: The first side; its plan sets the level.
        after: The second side.
        matches: Arms that answer to each other.
        beside_predictions: Whether predictions answer for accuracy, so that only the other measures
            over everybody are asked here.
    """
    answers = [_by_question(side) for side in (before, after)]
    out = []
    for one, other in matches:
        first, second = answers[0].get(one, {}), answers[1].get(other, {})
        for question, finding in first.items():
            if question not in second:
                continue
            family = _family(finding, beside_predictions)
            if family is not None:
                out.append(_move(finding, second[question], (one, other), family, before))
    return tuple(out)


def _by_question(side: Side) -> Mapping[Level, Mapping[Question, Finding]]:
    found: dict[Level, dict[Question, Finding]] = {}
    for f in side.run.findings.findings:
        if f.measure in MEASURES and f.measure != OMNIBUS and f.model is None:
            question = (f.measure, f.condition, f.severity, f.class_, f.groups)
            found.setdefault((f.method or "", f.sparsity), {}).setdefault(question, f)
    return found


def _family(f: Finding, beside_predictions: bool) -> str | None:
    """The family of a question; None where it is not asked here."""
    everybody = f.class_ is None and f.groups is None and f.subject is None
    if f.measure in OF_PREDICTIONS:
        if beside_predictions:
            return None
        if f.condition != "clean":
            return "shifts" if everybody else None
        crossed = f.groups is not None and " & " in f.groups
        return "intersections" if crossed else OF_PREDICTIONS[f.measure]
    summed = f.condition in ("clean", "all") or f.severity is None
    return "measures" if everybody and summed and f.pruned is not None else None


def _move(
    one: Finding, other: Finding, levels: tuple[Level, Level], family: str, before: Side
) -> Move:
    counted = {one.n, other.n}
    move = Move(
        measure=one.measure,
        unit=one.unit,
        family=family,
        how="findings",
        method_before=levels[0][0],
        method_after=levels[1][0],
        sparsity_before=levels[0][1],
        sparsity_after=levels[1][1],
        condition=one.condition,
        severity=one.severity,
        class_=one.class_,
        groups=one.groups,
        before=_answered(one),
        after=_answered(other),
        n=one.n if len(counted) == 1 else None,
        parents_before=one.parents,
        parents_after=other.parents,
        worse_direction=one.worse_direction,
    )
    estimate = _difference(one, other, 1.0 - before.run.plan.alpha)
    return answered(move, estimate, 0)


def _difference(one: Finding, other: Finding, level: float) -> Estimate:
    first, second = _value(one), _value(other)
    if first is None or second is None:
        return Estimate(reason="a side has no answer")
    values = first, second
    centres = _centre(one, first), _centre(other, second)
    errors = [one.standard_error, other.standard_error]
    dfs = [one.df, other.df]
    if None in errors or None in dfs or not all(dfs):
        return Estimate(change=values[1] - values[0], reason="a side has no standard error")
    found = independent_difference(
        values,
        centres,
        (float(errors[0] or 0.0), float(errors[1] or 0.0)),
        (float(dfs[0] or 1.0), float(dfs[1] or 1.0)),
        level,
    )
    same = one.generalises_to if one.generalises_to == other.generalises_to else None
    return Estimate(
        **{**vars(found), "generalises_to": same, "reason": INDEPENDENT},
    )


def _value(f: Finding) -> float | None:
    """What moves: a change; of a level, or of a count that is no change, its own value."""
    return f.pruned if MEASURES[f.measure].level or f.change is None else f.change


def _centre(f: Finding, value: float) -> float:
    """The middle of the interval, which pseudo-examples may have moved from the value."""
    return value if f.low is None or f.high is None else (f.low + f.high) / 2.0


def _answered(f: Finding) -> Answered:
    return Answered(f.parent, f.pruned, f.control, f.change)
