"""How many questions are asked, and what that costs: four tiers, corrected in one place.

A policy limits. B at most ten omnibus questions named before the run, corrected by Holm. C inside a
family whose omnibus question rejected, at α × rejected / all families (Benjamini & Bogomolov 2014).
D screens, by Benjamini–Hochberg, which make no claim.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from audit.judgement.findings import Finding, finding_id
from audit.judgement.inference.estimate import detectable_changes
from audit.judgement.inference.max_t import MaxT, max_t, max_t_of

FloatArray = NDArray[np.float64]
Tier = Literal["A", "B", "C", "D"]

OMNIBUS = "omnibus"
MOST_QUESTIONS = 10
SCREEN = "screen, no claim"


@dataclass(frozen=True)
class Family:
    """Questions that are corrected together, before correction.

    Attributes:
        name: What the family is about, one snake_case word. Families of one name (parts that were
            judged condition by condition) are one family.
        tier: B or C: opened only if its omnibus question rejects. A or D: always looked at.
        findings: The questions. Those whose `p` is None are not asked. A `p_adjusted` that is
            already there (step-down max-T) stands; otherwise Holm (D: Benjamini–Hochberg) is used.
        omnibus_p: p of "did anything in this family move?"; None takes the smallest corrected p.
    """

    name: str
    tier: Tier
    findings: Sequence[Finding] = field(default_factory=list)
    omnibus_p: float | None = None


@dataclass(frozen=True)
class _Merged:
    """All parts of one family, with every question's corrected p, NaN where it is not asked."""

    name: str
    tier: Tier
    findings: Sequence[Finding]
    p: FloatArray
    p_adjusted: FloatArray
    omnibus_p: float | None

    @property
    def size(self) -> int:
        """Questions that are asked."""
        return int((~np.isnan(self.p)).sum())


@dataclass(frozen=True)
class _Gate:
    """What an omnibus question decided for its family."""

    p: float | None
    p_adjusted: float | None
    opened: bool
    factor: float


def correct(families: Iterable[Family], alpha: float) -> list[Finding]:
    """Corrects every question, and adds one `omnibus` finding per gated family.

    Fills `p_adjusted`, `tier`, `family`, `family_size` and `detectable` (at the corrected level). A
    `p_adjusted` is comparable with alpha itself: inside an opened family it is multiplied by
    all / rejected families, in a family that was not opened it is 1.

    Args:
        families: From every module, in any order.
        alpha: Level, in (0, 1).

    Returns:
        The findings in the order given, then the omnibus findings, sorted by family.

    Raises:
        ValueError: More than ten omnibus questions, or one family name with two tiers.
    """
    parts = list(families)
    merged = {name: _merge(parts, name) for name in dict.fromkeys(part.name for part in parts)}
    gates = _gates(merged, alpha)
    done = {
        name: iter(_corrected(family, gates.get(name), alpha)) for name, family in merged.items()
    }
    out = [next(done[part.name]) for part in parts for _ in part.findings]
    return out + [_omnibus(merged[name], gates[name], len(gates), alpha) for name in sorted(gates)]


def holm(p: ArrayLike) -> FloatArray:
    """Step-down adjusted p-values (Holm 1979), same order; family-wise error, any dependence."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    raised = values[order] * np.arange(values.size, 0, -1)
    out = np.empty_like(values)
    out[order] = np.minimum(np.maximum.accumulate(raised), 1.0)
    return out


def benjamini_hochberg(p: ArrayLike) -> FloatArray:
    """Step-up adjusted p-values (Benjamini & Hochberg 1995), same order; false discovery rate."""
    values = np.asarray(p, dtype=np.float64)
    order = np.argsort(values, kind="stable")[::-1]
    raised = values[order] * values.size / np.arange(values.size, 0, -1)
    out = np.empty_like(values)
    out[order] = np.minimum(np.minimum.accumulate(raised), 1.0)
    return out


def _merge(parts: Sequence[Family], name: str) -> _Merged:
    """One family of all parts of a name; parts that bring their own correction share the level."""
    own = [part for part in parts if part.name == name]
    tiers = sorted({part.tier for part in own})
    if len(tiers) > 1:
        raise ValueError(f"family {name!r} comes with tiers {tiers}: give it one.")
    findings = [finding for part in own for finding in part.findings]
    p = _array([finding.p for finding in findings])
    p_adjusted = _array([finding.p_adjusted for finding in findings])
    ready = [any(f.p_adjusted is not None for f in part.findings) for part in own]
    sizes = [len(part.findings) for part in own]
    plain = ~np.repeat(np.asarray(ready, dtype=np.bool_), sizes) & ~np.isnan(p)
    if plain.any():
        p_adjusted[plain] = (benjamini_hochberg if tiers == ["D"] else holm)(p[plain])
    sources = sum(ready) + int(plain.any())
    p_adjusted = np.minimum(np.maximum(p_adjusted * sources, p), 1.0)
    stated = [part.omnibus_p for part in own if part.omnibus_p is not None]
    asked = p_adjusted[~np.isnan(p_adjusted)]
    smallest = float(asked.min()) if asked.size else None
    omnibus = min(1.0, len(stated) * min(stated)) if stated else smallest
    return _Merged(name, own[0].tier, findings, p, p_adjusted, omnibus)


def _array(values: Sequence[float | None]) -> FloatArray:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _gates(merged: dict[str, _Merged], alpha: float) -> dict[str, _Gate]:
    gated = {name: family for name, family in merged.items() if family.tier in ("B", "C")}
    if len(gated) > MOST_QUESTIONS:
        raise ValueError(
            f"{len(gated)} omnibus questions ({', '.join(sorted(gated))}): ask at most "
            f"{MOST_QUESTIONS}, or make some of them screens."
        )
    asked = {name: f.omnibus_p for name, f in gated.items() if f.omnibus_p is not None}
    adjusted = dict(zip(asked, holm(list(asked.values())).tolist(), strict=True))
    rejected = sum(p <= alpha for p in adjusted.values())
    factor = len(asked) / rejected if rejected else float(max(len(asked), 1))
    return {
        name: _Gate(asked.get(name), adjusted.get(name), adjusted.get(name, 1.0) <= alpha, factor)
        for name in gated
    }


def _corrected(family: _Merged, gate: _Gate | None, alpha: float) -> list[Finding]:
    factor = gate.factor if gate else 1.0
    size, p_adjusted = family.size, np.minimum(family.p_adjusted * factor, 1.0)
    if gate is not None and not gate.opened:
        p_adjusted = np.where(np.isnan(family.p), np.nan, 1.0)
    by_holm, by_bh = _for_replication(family)
    detectable = detectable_changes(
        _array([f.standard_error for f in family.findings]),
        _array([f.df for f in family.findings]),
        alpha / (factor * max(size, 1)),
    )
    return [
        Finding(
            **{
                **vars(finding),
                "p_adjusted": float(adjusted) if np.isfinite(adjusted) else None,
                "p_holm": float(step) if np.isfinite(step) else None,
                "p_bh": float(rate) if np.isfinite(rate) else None,
                "tier": family.tier,
                "family": family.name,
                "family_size": size,
                "detectable": float(found) if np.isfinite(found) else finding.detectable,
                "reason": _reason(finding, family.tier, gate, alpha),
            }
        )
        for finding, adjusted, step, rate, found in zip(
            family.findings, p_adjusted, by_holm, by_bh, detectable, strict=True
        )
    ]


def _for_replication(family: _Merged) -> tuple[FloatArray, FloatArray]:
    """Holm's and Benjamini & Hochberg's p over one measure of one arm under one condition.

    That is how papers count: how many of a thousand classes moved at 90 % sparsity.
    """
    places: dict[Hashable, list[int]] = {}
    for place, f in enumerate(family.findings):
        if not np.isnan(family.p[place]):
            asked = (f.measure, f.method, f.sparsity, f.model, f.condition, f.severity)
            places.setdefault(asked, []).append(place)
    by_holm, by_bh = np.full(family.p.size, np.nan), np.full(family.p.size, np.nan)
    for own in places.values():
        by_holm[own], by_bh[own] = holm(family.p[own]), benjamini_hochberg(family.p[own])
    return by_holm, by_bh


def _reason(finding: Finding, tier: Tier, gate: _Gate | None, alpha: float) -> str | None:
    """What a reader must know of the correction, after what the finding itself says."""
    said = [finding.reason] if finding.reason else []
    if finding.p is None:
        return "; ".join(said) or None
    if tier == "D":
        said.append(SCREEN)
    factor = gate.factor if gate else 1.0
    if gate and not gate.opened:
        said.append("its family was not opened: the omnibus question did not reject")
    elif finding.p_floor is not None and finding.p_floor * factor > alpha:
        said.append(f"these data could not have given a p below {finding.p_floor:.2g}")
    return "; ".join(said) or None


def _omnibus(family: _Merged, gate: _Gate, questions: int, alpha: float) -> Finding:
    asked = gate.p is not None
    opened = f"opened: {'yes' if gate.opened else 'no'}, at level {alpha:g}"
    return Finding(
        id=finding_id(measure=OMNIBUS, family=family.name),
        measure=OMNIBUS,
        unit="fraction",
        condition=None,
        severity=None,
        p=gate.p,
        p_adjusted=gate.p_adjusted,
        tier="B",
        family=family.name,
        family_size=questions,
        outcome="no_limit" if asked else "not_asked",
        reason=f"did anything in the family {family.name} move? {opened}"
        if asked
        else f"no question of the family {family.name} could be asked",
    )


__all__ = [
    "OMNIBUS",
    "Family",
    "MaxT",
    "Tier",
    "benjamini_hochberg",
    "correct",
    "holm",
    "max_t",
    "max_t_of",
]
