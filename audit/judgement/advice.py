"""How far to prune: the four guidelines of *Lost in Pruning*, as far as this audit's numbers go.

Liebenwein et al. (arXiv 2103.03014, section 6) advise: do not prune where unexpected shift may
occur; prune moderately with partial knowledge of it; prune to the full extent only where every
shift was accounted for; raise the prune potential by augmentation in retraining. Each becomes a
sentence that follows from findings and names them; what was found with too few examples says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit.judgement.findings import Finding, Findings
from audit.judgement.inference.families import OMNIBUS
from audit.judgement.shifts.potential import REQUESTED

POTENTIAL, MEAN, LEAST = "prune_potential", "mean_prune_potential", "minimum_prune_potential"
SLOPE = "excess_error_slope"
POWER = "with 80 % power"
MOST_NAMED = 3


@dataclass(frozen=True)
class Advice:
    """One sentence of advice.

    Attributes:
        guideline: `unexpected_shift`, `partial_knowledge`, `full_extent`, `augmentation`,
            `no_harm_found` or `harm_found`.
        text: The sentence.
        findings: Ids of the findings it rests on.
        method: The pruning method it is about; None for all of them.
    """

    guideline: str
    text: str
    findings: tuple[str, ...]
    method: str | None = None


def advice(findings: Findings) -> tuple[Advice, ...]:
    """Whether harm was found, then the four guidelines for every method that has a potential.

    A method whose potential was not asked (one sparsity, none stated) gets none of the four.
    """
    asked = [f for f in findings.findings if f.outcome != "not_asked" and f.model is None]
    alpha = _alpha(findings.run)
    out = [_harm(asked, alpha)]
    for method in dict.fromkeys(f.method for f in asked if f.measure == POTENTIAL):
        own = [f for f in asked if f.method == method]
        out += _guidelines(method, own, findings.run)
    return tuple(sentence for sentence in out if sentence is not None)


def _guidelines(
    method: str | None, own: Sequence[Finding], run: Mapping[str, Any]
) -> list[Advice | None]:
    potentials = [f for f in own if f.measure == POTENTIAL and f.pruned is not None]
    clean = next((f for f in potentials if f.condition == "clean"), None)
    if clean is None:
        return []
    shifted = [f for f in potentials if f.condition != "clean"]
    least = min(shifted, key=lambda f: (f.pruned or 0.0, f.low or 0.0), default=None)
    return [
        _unexpected(method, clean, least, len(shifted), _first(own, SLOPE)),
        _partial(method, least, _first(own, LEAST), len(shifted)),
        _full(method, clean, least),
        _augmentation(method, clean, _first(own, MEAN), run),
    ]


def _unexpected(
    method: str | None,
    clean: Finding,
    least: Finding | None,
    shifted: int,
    slope: Finding | None,
) -> Advice:
    begin = "Where shift may occur that nobody foresaw, do not prune"
    if least is None:
        text = (
            f"{begin}: on clean examples the prune potential is {_with_bound(clean)}, and under no "
            "shift was it measured."
        )
        return Advice("unexpected_shift", text, (clean.id,), method)
    falls = (least.pruned or 0.0) < (clean.pruned or 0.0)
    tail = (
        f"falls from {_with_bound(clean)} on clean examples to {_with_bound(least)} under "
        f"{_where(least)}, of {shifted:,} shifted conditions; another may take it lower"
        if falls
        else f"is {_with_bound(clean)} on clean examples and lower under none of {shifted:,} "
        "shifted conditions, which says nothing of others"
        if clean.pruned
        else "is 0 on clean examples already: no audited sparsity stays within the slack"
    )
    cited, text = [clean, least], f"{begin}: the prune potential {tail}"
    if slope is not None and slope.change is not None and slope.low is not None and slope.low > 0:
        text += (
            f"; per tenth of the parameters removed, shift adds {10 * slope.change:.2f} points of "
            "error beyond what it adds for the parents"
        )
        cited.append(slope)
    return Advice("unexpected_shift", f"{text}.", tuple(f.id for f in cited), method)


def _partial(
    method: str | None, least: Finding | None, smallest: Finding | None, shifted: int
) -> Advice | None:
    if least is None or smallest is None:
        return None
    bound = smallest.low or 0.0
    text = (
        f"Where the shifts to come are known in part, prune moderately: to {bound:.3g}"
        f"{_of(smallest, least)} at most, up to which the error is shown to rise by no more than "
        f"the slack under each of the {shifted:,} conditions (point value {_value(smallest)}, "
        f"least under {_where(least)}){_unsure(least)}."
    )
    if not bound:
        text = (
            "Where the shifts to come are known in part, these data show no sparsity at which the "
            f"error rises by no more than the slack under each of the {shifted:,} conditions "
            f"(point value {_value(smallest)}, least under {_where(least)}){_unsure(least)}."
        )
    return Advice("partial_knowledge", text, (smallest.id, least.id), method)


def _full(method: str | None, clean: Finding, least: Finding | None) -> Advice:
    text = (
        f"Prune to the full extent, {_with_bound(clean)}{_of(clean)}, only where every shift is "
        f"accounted for{_unsure(clean)}."
        if clean.pruned
        else "Even where every shift is accounted for, no audited sparsity keeps the error on "
        f"clean examples within the slack{_unsure(clean)}."
    )
    return Advice(
        "full_extent", text, (clean.id, *([least.id] if least is not None else [])), method
    )


def _augmentation(
    method: str | None, clean: Finding, mean: Finding | None, run: Mapping[str, Any]
) -> Advice | None:
    if mean is None or mean.pruned is None or clean.pruned is None:
        return None
    used = _augmented(run)
    there = (
        "what augmentation it had is not recorded"
        if used is None
        else "it had none"
        if used == "none"
        else f"it had {used}"
    )
    room = clean.pruned - mean.pruned
    gap = (
        f"the mean potential under shift, {_value(mean)}, lies {room:.2g} below that on clean "
        "examples"
        if room > 0
        else f"the mean potential under shift, {_value(mean)}, is not below that on clean examples"
    )
    text = (
        f"Augmentation in retraining can raise the prune potential ({there}): {gap}. Test it on "
        "shifts that it did not contain."
    )
    return Advice("augmentation", text, (mean.id, clean.id), method)


def _harm(asked: Sequence[Finding], alpha: float) -> Advice | None:
    """Whether a corrected test upholds a harm; if none, the size of harm that would be found."""
    gated = {f.family for f in asked if f.measure == OMNIBUS}
    tested = [f for f in asked if f.p_adjusted is not None and f.family in gated]
    tested = [f for f in tested if f.measure != OMNIBUS]
    upheld = [f for f in tested if (f.p_adjusted or 0.0) <= alpha and _worse(f)]
    over = [f for f in asked if f.outcome == "over"]
    if not tested and not over:
        return None
    if upheld or over:
        cited = [*over, *sorted(upheld, key=lambda f: f.p_adjusted or 0.0)]
        are = "finding is" if len(over) == 1 else "findings are"
        told = [f"{len(over):,} {are} over a limit"] if over else []
        told += [f"{len(upheld):,} of {len(tested):,} corrected tests uphold a loss"] * bool(upheld)
        first = "; the first of them are named here" if len(cited) > MOST_NAMED else ""
        text = f"Harm was found: {' and '.join(told)}{first}."
        return Advice("harm_found", text, tuple(f.id for f in cited[:MOST_NAMED]))
    largest = _detectable(tested)
    sizes = ", ".join(
        f"{_size(f)} in {f.measure.replace('_', ' ')}" for _, f in sorted(largest.items())
    )
    would = f"; a harm of this size would have been found {POWER}: {sizes}" if sizes else ""
    text = f"No harm was found in {len(tested):,} corrected tests{would}."
    return Advice("no_harm_found", text, tuple(f.id for _, f in sorted(largest.items())))


def _detectable(tested: Sequence[Finding]) -> dict[str, Finding]:
    """Per measure, the finding whose detectable effect is the largest."""
    largest: dict[str, Finding] = {}
    for finding in tested:
        held = largest.get(finding.measure)
        if finding.detectable is not None and (
            held is None or (held.detectable or 0.0) < finding.detectable
        ):
            largest[finding.measure] = finding
    return largest


def _worse(finding: Finding) -> bool:
    change, direction = finding.change or 0.0, finding.worse_direction
    return (direction == "up" and change > 0) or (direction == "down" and change < 0)


def _size(finding: Finding) -> str:
    size = finding.detectable or 0.0
    return f"{100 * size:.2g} points" if finding.unit == "fraction" else f"{size:.2g}"


def _with_bound(finding: Finding) -> str:
    """A potential with the bound that a fixed sequence of tests gives it."""
    return f"{_value(finding)} (at least {finding.low or 0.0:.3g} is shown)"


def _value(finding: Finding) -> str:
    return f"{finding.pruned or 0.0:.3g}"


def _of(*findings: Finding) -> str:
    """What a prune ratio is a share of."""
    requested = any(REQUESTED in (finding.reason or "") for finding in findings)
    return " of the targeted weights, as requested," if requested else " of all parameters"


def _unsure(finding: Finding) -> str:
    return "" if finding.high is not None else "; with so few examples this cannot be told"


def _where(finding: Finding) -> str:
    at = f" at severity {finding.severity:g}" if finding.severity else ""
    return f"{finding.condition}{at}"


def _first(own: Sequence[Finding], measure: str) -> Finding | None:
    return next((f for f in own if f.measure == measure), None)


def _augmented(run: Mapping[str, Any]) -> str | None:
    """The augmentation of the retraining, `none` where a config states none; None if unknown."""
    config = run.get("config")
    if not isinstance(config, Mapping):
        return None
    population = config.get("population") or {}
    if population.get("models"):
        return None
    for stage in ("fine_tuning", "training"):  # without its own, fine-tuning is like training
        settings = population.get(stage)
        if isinstance(settings, Mapping):
            return str(settings.get("augmentation", "none"))
    return "none"


def _alpha(run: Mapping[str, Any]) -> float:
    plan = run.get("plan")
    found = plan.get("alpha") if isinstance(plan, Mapping) else None
    return float(found) if isinstance(found, int | float) else 0.05
