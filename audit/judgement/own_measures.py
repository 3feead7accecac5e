"""Measures of your own: a plain function, named in the config, asked beside ours as a screen.

The function is called once per condition with a `TableView` and the plan, and returns findings:
what `TableView.answer` makes, `Finding` objects, or plain dicts. Its name is the measure's name,
and it says more of itself by attributes, all optional: `definition` (else the first line of its
docstring), `unit`, `worse_direction`, `level` and `source`, as of a `Measure`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import Any, get_args

from scipy import special

from audit.evidence.blocks import Block, Evidence
from audit.evidence.errors import AuditError, InputError
from audit.evidence.imports import resolve, source_file
from audit.judgement.design import Arm
from audit.judgement.findings import Direction, Finding, Unit, finding_id
from audit.judgement.inference.families import Family
from audit.judgement.measures import MEASURES, Measure
from audit.judgement.plan import Plan
from audit.judgement.table_view import TableView, table_view

FAMILY = "own"
DECIDED_HERE = ("id", "unit", "worse_direction", "tier", "family", "family_size", "p_adjusted")
DECIDED_LATER = ("limit", "limit_name", "bound_within", "bound_over", "waiver", "outcome")
GIVEN = frozenset(
    f.name.rstrip("_")
    for f in fields(Finding)
    if f.name not in (*DECIDED_HERE, *DECIDED_LATER, "p_holm", "p_bh")
)

Function = Callable[[TableView, Plan], Sequence[Finding | Mapping[str, Any]]]


@dataclass(frozen=True, eq=False)
class OwnMeasure:
    """A function of the user's, and what it says of itself.

    Attributes:
        reference: `module:function`, as the config names it.
        function: The function.
        measure: Name, definition, unit and direction.
        content: SHA-256 of its source file; None where it has none.
    """

    reference: str
    function: Function
    measure: Measure
    content: str | None

    def record(self) -> dict[str, Any]:
        """The measure as `findings.json` describes it."""
        known = self.measure
        return {
            "name": known.name,
            "definition": known.definition,
            "unit": known.unit,
            "worse_direction": known.worse_direction,
            "level": known.level,
            "source": known.source,
            "content": self.content,
        }


def own_measures(plan: Plan, base: Path) -> tuple[OwnMeasure, ...]:
    """Resolves every function that the plan names.

    Args:
        plan: `measures`.
        base: Folder in which modules are found first: that of the config.

    Raises:
        InputError: A reference leads nowhere, what it names says something impossible of itself, or
            its name is taken.
    """
    found: list[OwnMeasure] = []
    for reference in plan.measures:
        one = _described(reference, base)
        name = one.measure.name
        if name in MEASURES or name in (other.measure.name for other in found):
            raise InputError(
                f"{reference} makes a measure called {name!r}, and there is one already: rename "
                "the function."
            )
        found.append(one)
    return tuple(found)


def own_families(
    own: Sequence[OwnMeasure], block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> list[Family]:
    """Asks every own measure under one condition; one screen, tier D.

    Raises:
        InputError: A function fails, or returns what is no finding.
    """
    if not own:
        return []
    return [Family(FAMILY, "D", [f for one in own for f in _ask(one, block, evidence, arms, plan)])]


def limits_on_own(names: Sequence[str], own: Sequence[OwnMeasure]) -> dict[str, Measure]:
    """Own measures by name, when every limit on one has one.

    Raises:
        InputError: A limit is on a measure that the plan does not name.
    """
    known = {one.measure.name: one.measure for one in own}
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1, cutoff=0.0)
            hint = f"did you mean {near[0]!r}?" if near else "name it under `measures:`."
            raise InputError(f"A limit is on {name!r}, which is no measure of your own: {hint}")
    return known


def _described(reference: str, base: Path) -> OwnMeasure:
    function = resolve(reference, base)
    name = str(getattr(function, "__name__", type(function).__name__))
    lines = (getattr(function, "__doc__", None) or "").strip().splitlines()
    said = str(getattr(function, "definition", "") or (lines[0] if lines else name))
    measure = Measure(
        name,
        said.rstrip("."),
        _one_of(reference, "unit", getattr(function, "unit", "fraction"), get_args(Unit)),
        _one_of(
            reference,
            "worse_direction",
            getattr(function, "worse_direction", None),
            (*get_args(Direction), None),
        ),
        str(getattr(function, "source", reference)),
        level=bool(getattr(function, "level", False)),
    )
    try:
        file = source_file(reference, base)
        content = hashlib.sha256(file.read_bytes()).hexdigest()
    except (InputError, OSError):  # compiled, or made on the fly: nothing to name it by
        content = None
    return OwnMeasure(reference, function, measure, content)


def _one_of(reference: str, name: str, value: Any, allowed: Sequence[Any]) -> Any:
    if value not in allowed:
        raise InputError(
            f"{reference} declares {name} = {value!r}: use one of "
            f"{', '.join(repr(each) for each in allowed)}."
        )
    return value


def _ask(
    one: OwnMeasure, block: Block, evidence: Evidence, arms: Sequence[Arm], plan: Plan
) -> list[Finding]:
    view = table_view(one.measure, block, evidence, arms, plan)
    where = f"The measure {one.reference} under {block.condition.name}"
    try:
        returned = list(one.function(view, plan))
    except AuditError:
        raise
    except Exception as error:
        raise InputError(f"{where} failed ({type(error).__name__}: {error}): mend it.") from error
    found = [_finding(each, one.measure, view, where) for each in returned]
    asked: set[str] = set()
    for finding in found:
        if finding.id in asked:
            raise InputError(
                f"{where} answers twice for {_whom(finding)}: name a class, group or subject."
            )
        asked.add(finding.id)
    return found


def _whom(finding: Finding) -> str:
    parts = (finding.method, finding.sparsity, finding.subject, finding.groups, finding.class_)
    return ", ".join(str(part) for part in parts if part is not None) or "everybody"


def _finding(given: object, measure: Measure, view: TableView, where: str) -> Finding:
    """A whole finding: named by what was asked, in the measure's own unit."""
    if isinstance(given, Mapping):
        given = _from_dict(given, measure, view, where)
    if not isinstance(given, Finding):
        raise InputError(
            f"{where} returned a {type(given).__name__}: return findings, or dicts with `change`, "
            "`low`, `high` and `n`."
        )
    if given.measure != measure.name:
        raise InputError(
            f"{where} returned a finding of {given.measure!r}: answer for itself only."
        )
    finding = replace(
        given,
        unit=measure.unit,
        worse_direction=measure.worse_direction,
        model=view.model,
        subject=given.subject or given.groups or given.class_,
    )
    return replace(
        finding,
        id=finding_id(
            measure=finding.measure,
            method=finding.method,
            sparsity=finding.sparsity,
            condition=finding.condition,
            severity=finding.severity,
            class_=finding.class_,
            groups=finding.groups,
            subject=finding.subject,
            model=finding.model,
        ),
    )


def _from_dict(given: Mapping[Any, Any], measure: Measure, view: TableView, where: str) -> Finding:
    values = {str(key).rstrip("_"): value for key, value in given.items()}
    for key, value in values.items():
        if key not in GIVEN:
            near = get_close_matches(key, sorted(GIVEN), n=1, cutoff=0.0)[0]
            raise InputError(f"{where} returned the key {key!r}: did you mean {near!r}?")
        if isinstance(value, float) and not isfinite(value):
            values[key] = None  # undefined is None everywhere
    values.setdefault("measure", measure.name)
    values.setdefault("condition", view.condition.name)
    values.setdefault("severity", view.condition.severity)
    if values.get("standard_error") is None:
        values["standard_error"] = _normal_error(values, view.plan)
    if "class" in values:
        values["class_"] = values.pop("class")
    try:
        return Finding(id="", unit=measure.unit, **_plain(values))
    except (TypeError, ValueError) as error:
        raise InputError(f"{where} returned values that are none ({error}): mend it.") from error


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """NumPy's numbers as Python's, so that they can be written down."""
    return {
        key: value.item() if hasattr(value, "item") and callable(value.item) else value
        for key, value in values.items()
    }


def _normal_error(values: Mapping[str, Any], plan: Plan) -> float | None:
    """The standard error that an interval of the plan's coverage has under a normal."""
    low, high = values.get("low"), values.get("high")
    if low is None or high is None:
        return None
    return float(high - low) / (2.0 * float(special.ndtri(1.0 - plan.alpha / 2.0)))
