"""Which of the practices that Blalock et al. ask of papers on pruning an audit follows.

Blalock et al. (arXiv 2003.03033, section 6) found results that cannot be compared: of 81 papers,
few report both compression and speed-up, at enough points, with spread and with controls.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from audit.judgement.findings import Finding, Findings

OPERATING_POINTS = 5
SUGGESTED = (2, 4, 8, 16, 32)


@dataclass(frozen=True)
class Tick:
    """One practice.

    Attributes:
        practice: Its stable name.
        asks: What it asks for, in words.
        done: Whether the audit follows it.
        detail: What there is, or what is missing.
    """

    practice: str
    asks: str
    done: bool
    detail: str


def blalock(
    findings: Findings, models: pd.DataFrame, layers: pd.DataFrame | None = None
) -> tuple[Tick, ...]:
    """Ticks the reporting practices of one audit, in the order of the paper's checklist.

    Args:
        findings: The audit's findings.
        models: `Evidence.models`, or the models of a run folder; may be empty.
        layers: `model, layer, parameters, nonzero`, one row per layer; None where not recorded.
    """
    asked = [f for f in findings.findings if f.outcome != "not_asked" and f.pruned is not None]
    return (
        _both(asked),
        _points(asked),
        _top(asked, findings),
        _spread(asked),
        _controls(asked),
        _exact(findings),
        _layers(layers),
        _measured(models),
    )


def _both(asked: Sequence[Finding]) -> Tick:
    there = [m for m in ("compression_ratio", "theoretical_speedup") if _of(asked, m)]
    missing = {"compression_ratio": "compression ratio", "theoretical_speedup": "multiply–adds"}
    lacks = [words for name, words in missing.items() if name not in there]
    return Tick(
        "both_ratios",
        "compression ratio and theoretical speed-up, both",
        not lacks,
        f"not known: {' and '.join(lacks)}" if lacks else "both are given at every sparsity",
    )


def _points(asked: Sequence[Finding]) -> Tick:
    levels: dict[str, set[float]] = {}
    for finding in _of(asked, "accuracy"):
        if finding.sparsity is not None:
            levels.setdefault(finding.method or "", set()).add(finding.sparsity)
    least = min((len(points) for points in levels.values()), default=0)
    ratios = sorted({1 / (1 - s) for points in levels.values() for s in points if s < 1})
    shown = ", ".join(f"{ratio:.3g}×" for ratio in ratios)
    return Tick(
        "operating_points",
        f"at least {OPERATING_POINTS} operating points per method, "
        f"such as {', '.join(f'{ratio}×' for ratio in SUGGESTED)}",
        least >= OPERATING_POINTS,
        f"{least} at the least, by requested sparsity {shown}" if shown else "none is stated",
    )


def _top(asked: Sequence[Finding], findings: Findings) -> Tick:
    why = next((f.reason for f in findings.findings if f.measure == "top5_accuracy"), None)
    first, fifth = bool(_of(asked, "accuracy")), bool(_of(asked, "top5_accuracy"))
    return Tick(
        "top1_and_top5",
        "top-1 and top-5 accuracy",
        first and fifth,
        "both are given" if first and fifth else f"top-5 was not asked: {why or 'not recorded'}",
    )


def _spread(asked: Sequence[Finding]) -> Tick:
    found = _of(asked, "accuracy_deviation")
    parents = min((f.parents or 0 for f in found), default=0)
    return Tick(
        "spread",
        "mean and sample standard deviation over several seeds",
        parents > 1,
        f"over {parents} parents" if parents > 1 else "one parent: no spread over training seeds",
    )


def _controls(asked: Sequence[Finding]) -> Tick:
    found = _of(asked, "accuracy")
    parent = bool(found) and all(f.parent is not None for f in found)
    control = parent and all(f.control is not None for f in found)
    return Tick(
        "controls",
        "the dense parent beside every figure, under the same training",
        parent,
        "parents, and controls with the same extra training"
        if control
        else "parents, without controls for the extra training"
        if parent
        else "no parent is known",
    )


def _exact(findings: Findings) -> Tick:
    run = findings.run
    known = {
        "architecture": run.get("architecture") or run.get("model"),
        "data": run.get("data"),
        "settings and seeds": run.get("config"),
        "version": run.get("version"),
    }
    missing = [name for name, value in known.items() if not value]
    return Tick(
        "exactly_what",
        "the exact architecture, data, seeds and versions",
        not missing,
        f"not recorded: {', '.join(missing)}" if missing else "recorded with the run",
    )


def _layers(layers: pd.DataFrame | None) -> Tick:
    there = layers is not None and len(layers) > 0
    return Tick(
        "layers",
        "measured sparsity of every layer",
        there,
        "given per layer" if there else "not recorded",
    )


def _measured(models: pd.DataFrame) -> Tick:
    words = {
        "bytes": "bytes",
        "bytes_deflated": "bytes deflated",
        "latency_ms": "latency",
    }
    there = {name for name in words if name in models and bool(models[name].notna().any())}
    return Tick(
        "measured_size_and_time",
        "measured size on disk, raw and deflated, and latency",
        there == set(words),
        _listed(words[name] for name in words if name not in there),
    )


def _listed(missing: Iterable[str]) -> str:
    names = list(missing)
    return f"not recorded: {', '.join(names)}" if names else "all are recorded"


def _of(asked: Sequence[Finding], measure: str) -> list[Finding]:
    return [f for f in asked if f.measure == measure and f.condition == "clean" and not f.model]
