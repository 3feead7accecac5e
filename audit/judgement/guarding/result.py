"""What looking for a guard found, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from audit.evidence.errors import InputError
from audit.judgement.findings import Findings
from audit.judgement.plan import Guard

RUN_KEY = "guard"


@dataclass(frozen=True)
class Point:
    """One point of the curve, on test examples.

    Attributes:
        asked: The share of inputs to hand back.
        share: The share handed back, less where many are equally sure.
        recovered: Share of the harmed examples (parent right, pruned wrong) among those handed
            back; None where nothing was harmed.
        low: Lower end of its interval, in [0, 1].
        high: Upper end.
        given_up: Share of the mended examples (parent wrong, pruned right) handed back, which a
            parent gets wrong again; None where nothing was mended.
    """

    asked: float
    share: float
    recovered: float | None
    low: float | None
    high: float | None
    given_up: float | None


@dataclass(frozen=True)
class Held:
    """One limit before and after, each as outcome and value."""

    limit_name: str
    limit: float
    condition: str | None
    severity: float | None
    class_: str | None
    groups: str | None
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Guarded:
    """The guard of one method and sparsity: one threshold for all of its models.

    Attributes:
        method: The method's name.
        sparsity: Its sparsity.
        threshold: Inputs with a signal below it are handed back; None where there is no rule.
        met: Whether every limit was met on validation by its `bound`, or some by their `value`
            alone (too few examples for the bound); None where there is no rule.
        steered_by: Names of the limits that chose it.
        left_out: Names of the limits that validation examples could not answer; test examples may.
        validation_n: Examples it was chosen on.
        validation_share: Share of them handed back.
        share: Share of test inputs handed back, with its interval.
        share_low: Lower end.
        share_high: Upper end.
        recovered: Share of the harmed test examples handed back, with its interval; None where
            nothing was harmed.
        recovered_low: Lower end.
        recovered_high: Upper end.
        before: Verdict on test without the guard.
        after: Verdict on test of the system with the guard.
        limits: Every limit, before and after.
        curve: Share handed back against harm recovered, on test.
        reason: Why there is no rule, or how it is to be read.
    """

    method: str | None
    sparsity: float | None
    threshold: float | None = None
    met: Literal["bound", "value"] | None = None
    steered_by: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    validation_n: int | None = None
    validation_share: float | None = None
    share: float | None = None
    share_low: float | None = None
    share_high: float | None = None
    recovered: float | None = None
    recovered_low: float | None = None
    recovered_high: float | None = None
    before: str | None = None
    after: str | None = None
    limits: tuple[Held, ...] = ()
    curve: tuple[Point, ...] = ()
    reason: str | None = None


@dataclass(frozen=True)
class GuardResult:
    """Every arm's guard.

    Attributes:
        guard: What was asked for.
        arms: One per method and sparsity.
    """

    guard: Guard
    arms: tuple[Guarded, ...]

    def record(self) -> dict[str, Any]:
        """As it stands in `findings.json`, under `run`."""
        arms = []
        for arm in self.arms:
            entry = asdict(arm)
            entry["limits"] = [_written(held) for held in entry["limits"]]
            entry["steered_by"], entry["left_out"] = list(arm.steered_by), list(arm.left_out)
            entry["curve"] = list(entry["curve"])
            arms.append(entry)
        return {**self.guard.model_dump(mode="json"), "arms": arms}

    def of(self, method: str | None, sparsity: float | None) -> Guarded:
        """The guard of one method and sparsity; either may be left open where only one is there.

        Raises:
            InputError: There is none, or several are left.
        """
        left = [
            arm
            for arm in self.arms
            if method in (None, arm.method) and sparsity in (None, arm.sparsity)
        ]
        if len(left) == 1:
            return left[0]
        there = ", ".join(f"{a.method or 'no name'} at {_level(a.sparsity)}" for a in self.arms)
        raise InputError(
            f"{'Several' if left else 'No'} pruned models are of the method and sparsity that were "
            f"named: choose one of {there or 'none'}."
        )


def read_guard(findings: Findings) -> GuardResult | None:
    """The result that a run holds; None where its plan asked for none.

    Raises:
        InputError: It is of another version.
    """
    found = findings.run.get(RUN_KEY)
    if not isinstance(found, Mapping):
        return None
    try:
        arms = tuple(_arm(entry) for entry in found["arms"])
        asked = {name: value for name, value in found.items() if name != "arms"}
        return GuardResult(Guard.model_validate(asked), arms)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"The guard in findings.json cannot be read ({error}): judge the run again."
        ) from error


def _arm(entry: Mapping[str, Any]) -> Guarded:
    limits = tuple(
        Held(**{("class_" if name == "class" else name): value for name, value in held.items()})
        for held in entry["limits"]
    )
    curve = tuple(Point(**point) for point in entry["curve"])
    tuples = {name: tuple(entry[name]) for name in ("steered_by", "left_out")}
    return Guarded(**{**entry, **tuples, "limits": limits, "curve": curve})


def _written(held: Mapping[str, Any]) -> dict[str, Any]:
    return {name.rstrip("_"): value for name, value in held.items()}


def _level(sparsity: float | None) -> str:
    return "no stated sparsity" if sparsity is None else f"{sparsity:g}"
