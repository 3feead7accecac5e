"""Whether two audits may be ranked: the same examples, labels, data, model, plan and policy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from audit.judgement.comparing.runs import Side
from audit.judgement.comparing.shared import Shared

Facet = Literal[
    "examples",
    "labels",
    "inputs",
    "classes",
    "data",
    "architecture",
    "preprocessing",
    "groups",
    "plan",
    "policy",
    "conditions",
]

# Settings of the plan that change what a number means, or when it makes a claim.
DECIDING = ("positive", "decision", "costs", "alpha", "minimum_n", "ties", "delta", "value")


@dataclass(frozen=True)
class Check:
    """One thing that must agree before two audits may be ranked.

    Attributes:
        facet: What.
        agrees: Whether it does; None where it is not recorded.
        said: What is the same, or what differs, in a few words.
    """

    facet: Facet
    agrees: bool | None
    said: str


def checks(before: Side, after: Side, both: Shared | None) -> tuple[Check, ...]:
    """Compares two sides facet by facet.

    Args:
        before: The first side.
        after: The second side.
        both: Their shared examples; None where a side holds findings only.
    """
    one, other = before.run.findings.run, after.run.findings.run
    found = [
        _examples(both, one, other),
        _labels(both),
        _inputs(both),
        _facet("classes", one.get("classes"), other.get("classes")),
        _facet("data", _data(one), _data(other)),
        _facet("architecture", _architecture(one), _architecture(other)),
        _facet("preprocessing", _preprocess(one), _preprocess(other)),
        _facet("groups", one.get("groups"), other.get("groups")),
        _facet("plan", _deciding(before), _deciding(after)),
        _facet("policy", _limits(before), _limits(after)),
    ]
    if any(_shifted(limit) for side in (before, after) for limit in _limits(side)):
        found.append(_facet("conditions", one.get("conditions"), other.get("conditions")))
    return tuple(found)


def congruent(found: Sequence[Check]) -> bool:
    """Whether nothing differs, and the examples and labels are known to be the same."""
    known = {check.facet: check.agrees for check in found}
    return known["examples"] is True and False not in known.values()


def pair_name(side: Side) -> tuple[str, str]:
    """Data set and architecture, for a grid of several; "" where not recorded."""
    run = side.run.findings.run
    data = _data(run)
    named = data.get("name") or data.get("path") or data.get("source") if data else None
    return str(named or run.get("data") or ""), str(_architecture(run) or "")


def _examples(both: Shared | None, one: Mapping[str, Any], other: Mapping[str, Any]) -> Check:
    if both is None:
        counts = one.get("examples"), other.get("examples")
        if counts[0] != counts[1]:
            return Check("examples", False, f"{counts[0]} beside {counts[1]}")
        return Check("examples", None, "a run holds findings only, so its examples are not known")
    if both.reason:
        return Check("examples", False, both.reason)
    if both.only_before or both.only_after:
        return Check(
            "examples",
            False,
            f"{both.n:,} shared, {both.only_before:,} only in the first, "
            f"{both.only_after:,} only in the second",
        )
    return Check("examples", True, f"the same {both.n + both.relabelled:,}")


def _labels(both: Shared | None) -> Check:
    if both is None:
        return Check("labels", None, "a run holds findings only")
    if both.relabelled:
        return Check("labels", False, f"{both.relabelled:,} examples bear two labels")
    if not both.n:
        return Check("labels", None, "no example is shared")
    return Check("labels", True, "the same")


def _inputs(both: Shared | None) -> Check:
    if both is None or both.redrawn is None or not both.n:
        return Check("inputs", None, "not recorded")
    if both.redrawn:
        return Check("inputs", False, f"{both.redrawn:,} of {both.n:,} shared examples differ")
    return Check("inputs", True, "the same, as far as thumbnails or text tell")


def _facet(facet: Facet, one: Any, other: Any) -> Check:
    if one is None or other is None:
        return Check(facet, None, "not recorded")
    if one == other:
        return Check(facet, True, "the same")
    return Check(facet, False, _what_differs(one, other))


def _what_differs(one: Any, other: Any) -> str:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        keys = sorted(k for k in {*one, *other} if one.get(k) != other.get(k))
        return ", ".join(f"{k}: {_text(one.get(k))} → {_text(other.get(k))}" for k in keys)
    return f"{_text(one)} → {_text(other)}"


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _config(run: Mapping[str, Any]) -> Mapping[str, Any] | None:
    config = run.get("config")
    return config if isinstance(config, Mapping) else None


def _data(run: Mapping[str, Any]) -> dict[str, Any] | None:
    config = _config(run)
    if config is None:
        return None
    data = config.get("data")
    return dict(data) if isinstance(data, Mapping) else {"source": run.get("data")}


def _architecture(run: Mapping[str, Any]) -> Any:
    config = _config(run)
    model = config.get("model") if config else None
    named = run.get("architecture")
    if named is None and isinstance(model, Mapping):
        named = model.get("architecture")
    return named


def _preprocess(run: Mapping[str, Any]) -> Any:
    """What is done to inputs; a setting that is left out is as by default."""
    config = _config(run)
    if config is None:
        return None
    model = config.get("model")
    return model.get("preprocess", "auto") if isinstance(model, Mapping) else "auto"


def _deciding(side: Side) -> dict[str, Any]:
    plan = side.run.plan.model_dump(mode="json")
    return {key: plan[key] for key in DECIDING}


def _limits(side: Side) -> list[dict[str, Any]]:
    """The limits, without who stands for them; a claim that is not stated is of the recipe."""
    stated = side.run.findings.policy.get("limits") or ()
    plain = [
        {"claim": "recipe"} | {k: v for k, v in limit.items() if k != "owner"} for limit in stated
    ]
    return sorted(plain, key=lambda limit: json.dumps(limit, sort_keys=True))


def _shifted(limit: Mapping[str, Any]) -> bool:
    return limit.get("condition") not in (None, "clean")
