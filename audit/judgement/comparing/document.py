"""What `comparison.json` holds, and the contract for programs that read it, as a JSON Schema."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, get_args

from audit.judgement.comparing.comparison import SCHEMA, Comparison, Pair
from audit.judgement.comparing.congruence import Facet
from audit.judgement.comparing.moves import FAMILIES, How, MoveOutcome
from audit.judgement.comparing.order import By, Ranking
from audit.judgement.comparing.recipes import TOPICS
from audit.judgement.document import COUNT, NUMBER, SHARE, TEXT
from audit.judgement.findings import Unit

WORD = {"type": "string"}
BOTH_ARMS = {
    "method_before": WORD,
    "method_after": WORD,
    "sparsity_before": SHARE,
    "sparsity_after": SHARE,
}


def as_document(comparison: Comparison) -> dict[str, Any]:
    """The comparison as plain values, without any time of day."""
    content = {
        "schema": SCHEMA,
        "alpha": comparison.alpha,
        "sides": [asdict(side) for side in comparison.sides],
        "pairs": [_pair(pair) for pair in comparison.pairs],
        "recipes": [asdict(difference) for difference in comparison.recipes],
        "rankings": [_ranking(ranking) for ranking in comparison.rankings],
        "pairs_practice": asdict(comparison.pairs_practice),
    }
    plain: dict[str, Any] = json.loads(json.dumps(content, allow_nan=False))  # tuples to lists
    return plain


def _pair(pair: Pair) -> dict[str, Any]:
    both = pair.shared
    examples = None
    if both is not None:
        examples = {
            "shared": both.n,
            "only_before": both.only_before,
            "only_after": both.only_after,
            "relabelled": both.relabelled,
            "redrawn": both.redrawn,
            "reason": both.reason,
        }
    return {
        "before": pair.before,
        "after": pair.after,
        "congruent": pair.congruent,
        "comparable": pair.comparable,
        "checks": [asdict(check) for check in pair.checks],
        "examples": examples,
        "arms": [
            {
                "method_before": one[0],
                "method_after": other[0],
                "sparsity_before": one[1],
                "sparsity_after": other[1],
            }
            for one, other in pair.matches
        ],
        "parents": list(pair.parents),
        "moves": [move.record() for move in pair.moves],
        "overlaps": [asdict(overlap) for overlap in pair.overlaps],
        "notes": list(pair.notes),
    }


def _ranking(ranking: Ranking) -> dict[str, Any]:
    return {
        "sides": list(ranking.sides),
        "places": list(ranking.places),
        "steps": [
            {
                "ahead": step.ahead,
                "behind": step.behind,
                "by": step.by,
                "move": None if step.move is None else step.move.record(),
            }
            for step in ranking.steps
        ],
    }


def comparison_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `comparison.json`; `docs/comparison.schema.json` is the same."""
    place = {"type": "integer", "minimum": 0}
    top = {
        "schema": {"const": SCHEMA},
        "alpha": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        "sides": _list(_side()),
        "pairs": _list(_pair_schema(place)),
        "recipes": _list(
            _closed({"topic": {"enum": list(TOPICS)}, "what": WORD, "values": _list(TEXT)})
        ),
        "rankings": _list(
            _closed(
                {
                    "sides": _list(place),
                    "places": _list({"type": "integer", "minimum": 1}),
                    "steps": _list(
                        _closed(
                            {
                                "ahead": place,
                                "behind": place,
                                "by": {"enum": list(get_args(By))},
                                "move": {"anyOf": [_move(), {"type": "null"}]},
                            }
                        )
                    ),
                }
            )
        ),
        "pairs_practice": _tick(),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://prune-audit.invalid/comparison.schema.json",
        "title": "prune-audit comparison",
        "description": "Rates and differences are fractions; null means undefined, never 0. "
        "Sides are named by their place in `sides`, from 0.",
        **_closed(top),
    }


def _side() -> dict[str, Any]:
    arm = {
        "method": WORD,
        "sparsity": SHARE,
        **dict.fromkeys(("parent", "pruned", "control", "change", "low", "high"), NUMBER),
        "n": COUNT,
        "parents": COUNT,
        "worst_class": TEXT,
        "worst_class_change": NUMBER,
        "worst_group": TEXT,
        "worst_group_change": NUMBER,
        "outcome": {"enum": ["within", "over", "cannot_tell", "no_limit"]},
        "limits": {"type": "object", "additionalProperties": COUNT},
    }
    return _closed(
        {
            **dict.fromkeys(("name", "folder", "data", "architecture"), WORD),
            "predictions": {"type": "boolean"},
            "examples": COUNT,
            "parents": COUNT,
            "arms": _list(_closed(arm)),
            "largest_within": {"type": "object", "additionalProperties": SHARE},
            "has_limits": {"type": "boolean"},
            "practices": _list(_tick()),
        }
    )


def _pair_schema(place: dict[str, Any]) -> dict[str, Any]:
    names = ("shared", "only_before", "only_after", "relabelled", "redrawn")
    examples = _closed({**dict.fromkeys(names, COUNT), "reason": TEXT})
    check = {
        "facet": {"enum": list(get_args(Facet))},
        "agrees": {"type": ["boolean", "null"]},
        "said": WORD,
    }
    overlap = {
        **BOTH_ARMS,
        **dict.fromkeys(("before", "after", "shared"), COUNT),
        "jaccard": SHARE,
        "examples": COUNT,
        "expected": NUMBER,
        "p": SHARE,
        "churned": COUNT,
        "churn": COUNT,
        "churn_jaccard": SHARE,
    }
    return _closed(
        {
            "before": place,
            "after": place,
            "congruent": {"type": "boolean"},
            "comparable": {"type": "boolean"},
            "checks": _list(_closed(check)),
            "examples": {"anyOf": [examples, {"type": "null"}]},
            "arms": _list(_closed(BOTH_ARMS)),
            "parents": _list(WORD),
            "moves": _list(_move()),
            "overlaps": _list(_closed(overlap)),
            "notes": _list(WORD),
        }
    )


def _move() -> dict[str, Any]:
    answered = _closed(dict.fromkeys(("parent", "pruned", "control", "change"), NUMBER))
    return _closed(
        {
            "measure": WORD,
            "unit": {"enum": list(get_args(Unit))},
            "family": {"enum": list(FAMILIES)},
            "how": {"enum": list(get_args(How))},
            **BOTH_ARMS,
            "condition": TEXT,
            "severity": NUMBER,
            "class": TEXT,
            "groups": TEXT,
            "before": answered,
            "after": answered,
            **dict.fromkeys(("difference", "beside_controls", "low", "high"), NUMBER),
            **dict.fromkeys(("standard_error", "df"), NUMBER),
            **dict.fromkeys(("n", "parents_before", "parents_after", "discordant"), COUNT),
            "generalises_to": {"enum": ["examples", "seeds", "both", None]},
            "examples_low": NUMBER,
            "examples_high": NUMBER,
            "p": SHARE,
            "p_adjusted": SHARE,
            "family_size": COUNT,
            "detectable": NUMBER,
            "worse_direction": {"enum": ["up", "down", None]},
            "outcome": {"enum": list(get_args(MoveOutcome))},
            "reason": TEXT,
        }
    )


def _tick() -> dict[str, Any]:
    return _closed({"practice": WORD, "asks": WORD, "done": {"type": "boolean"}, "detail": WORD})


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    """An object that has all of these properties and no others."""
    return {
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": properties,
    }
