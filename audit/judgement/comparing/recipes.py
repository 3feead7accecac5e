"""How two or more audits were made, flattened, and where their recipes differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from audit.judgement.comparing.runs import Side

Topic = Literal[
    "data", "model", "training", "pruning", "shifts", "plan", "policy", "versions", "other"
]
TOPICS: tuple[Topic, ...] = (
    "data",
    "model",
    "training",
    "pruning",
    "shifts",
    "plan",
    "policy",
    "versions",
    "other",
)

# Keys of a config by topic; the longest that fits counts. None: told elsewhere, or no recipe.
_TOPIC_OF: Mapping[str, Topic | None] = {
    "data": "data",
    "model": "model",
    "population.fine_tuning": "training",
    "population.seeds": "training",
    "population.training": "training",
    "population": "pruning",
    "shifts": "shifts",
    "audit": None,
    "policy": None,
    "name": None,
}


@dataclass(frozen=True)
class RecipeDifference:
    """One thing that was done otherwise.

    Attributes:
        topic: What it is about.
        what: Its key, dotted.
        values: Per side, in their order, what it was, as text; None where it is not stated, which
            in a config means as by default.
    """

    topic: Topic
    what: str
    values: tuple[str | None, ...]


def recipe_differences(sides: Sequence[Side]) -> tuple[RecipeDifference, ...]:
    """Everything that is not the same in all sides, by topic, then by key."""
    found = [recipe(side) for side in sides]
    keys = dict.fromkeys(key for each in found for key in each)
    out = []
    for topic, what in keys:
        values = tuple(each.get((topic, what)) for each in found)
        if len(set(values)) > 1:
            out.append(RecipeDifference(topic, what, values))
    return tuple(sorted(out, key=lambda d: (TOPICS.index(d.topic), d.what)))


def recipe(side: Side) -> dict[tuple[Topic, str], str]:
    """How a side was made: (topic, dotted key) to its value as text."""
    run = side.run.findings.run
    out: dict[tuple[Topic, str], str] = {}
    for key, value in _flat(run.get("config") or {}):
        topic = _topic(key)
        if topic is not None:
            out[topic, key] = value
    for topic, name in (("data", "data"), ("model", "architecture"), ("shifts", "preset")):
        if run.get(name) is not None:
            out[topic, name] = _text(run[name])  # type: ignore[index]
    for name, count in _flat(run.get("splits") or {}):
        out["data", f"examples.{name}"] = count
    out["data", "classes"] = _text(run.get("classes"))
    out["shifts", "conditions"] = _conditions(run.get("conditions") or ())
    for key, value in _flat(run.get("plan") or {}):
        out["plan", key] = value
    for name, value in _policy(side.run.findings.policy):
        out["policy", name] = value
    out["versions", "prune-audit"] = _text(run.get("version"))
    machine = side.run.record.get("machine") or {}
    for key, value in _flat(machine if isinstance(machine, Mapping) else {}):
        out["versions", key.removeprefix("versions.")] = value
    if side.chosen:
        method, sparsity = side.levels[0]
        out["pruning", "method"], out["pruning", "sparsity"] = method, _text(sparsity)
    return out


def _topic(key: str) -> Topic | None:
    parts = key.split(".")
    for length in range(len(parts), 0, -1):
        head = ".".join(parts[:length])
        if head in _TOPIC_OF:
            return _TOPIC_OF[head]
    return "other"


def _flat(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Leaves of nested mappings; a list is one leaf."""
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _conditions(conditions: Sequence[Mapping[str, Any]]) -> str:
    told = []
    for each in conditions:
        severity = each.get("severity")
        told.append(f"{each.get('name')}@{severity:g}" if severity else str(each.get("name")))
    return ", ".join(told)


def _policy(policy: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each limit with its scope; two limits of one name are told apart by a number."""
    seen: dict[str, int] = {}
    for limit in policy.get("limits") or ():
        name = str(limit.get("name"))
        seen[name] = seen.get(name, 0) + 1
        scope = {
            key: value
            for key, value in limit.items()
            if key not in ("name", "limit", "owner") and value not in (None, "recipe")
        }
        told = _text(limit.get("limit"))
        told += "".join(f", {key} {value}" for key, value in sorted(scope.items()))
        yield name if seen[name] == 1 else f"{name} ({seen[name]})", told
    if policy.get("looks", 1) != 1:
        yield "looks", _text(policy["looks"])
