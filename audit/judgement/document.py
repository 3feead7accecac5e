"""The contract of `findings.json`: what a program that reads it may rely on, as a JSON Schema."""

from __future__ import annotations

from typing import Any, get_args

from audit.judgement.findings import SCHEMA, Findings, Unit

__all__ = ["Findings", "findings_schema"]

TEXT = {"type": ["string", "null"]}
NUMBER = {"type": ["number", "null"]}
COUNT = {"type": ["integer", "null"], "minimum": 0}
SHARE = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
OUTCOMES = ["within", "over", "cannot_tell", "not_asked", "no_limit"]


def findings_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of `findings.json`; `docs/findings.schema.json` is the same."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://prune-audit.invalid/findings.schema.json",
        "title": "prune-audit findings",
        "description": "Rates and changes are fractions; null means undefined, never 0.",
        "type": "object",
        "required": ["schema", "run", "policy", "findings"],
        "additionalProperties": False,
        "properties": {
            "schema": {"const": SCHEMA},
            "run": _run(),
            "policy": _policy(),
            "findings": {"type": "array", "items": _finding()},
        },
    }


def _run() -> dict[str, Any]:
    return {
        "description": "What was audited; no times. Callers may add keys of their own.",
        "type": "object",
        "required": ["classes", "conditions", "examples", "models", "notes", "plan", "version"],
        "properties": {
            "classes": {"type": "array", "items": {"type": "string"}},
            "conditions": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["name", "severity"],
                    "properties": {"name": {"type": "string"}, "severity": NUMBER},
                },
            },
            "controls": COUNT,
            "examples": COUNT,
            "groups": {"type": "array", "items": {"type": "string"}},
            "models": COUNT,
            "notes": {"type": "array", "items": {"type": "string"}},
            "parents": COUNT,
            "plan": {"type": "object"},
            "pruned": COUNT,
            "tool": {"type": "string"},
            "training_examples": COUNT,
            "version": {"type": "string"},
        },
    }


def _policy() -> dict[str, Any]:
    counts = dict.fromkeys(("within", "over", "cannot_tell", "not_asked", "waived"), COUNT)
    limit = {
        "name": {"type": "string"},
        "limit": {"type": "number"},
        "groups": TEXT,
        "class": TEXT,
        "condition": TEXT,
        "severity": NUMBER,
        "sparsity": SHARE,
        "method": TEXT,
        "claim": {"enum": ["recipe", "files"]},
        "owner": TEXT,
    }
    verdict = {
        "method": TEXT,
        "sparsity": SHARE,
        "model": TEXT,
        "outcome": {"enum": ["within", "over", "cannot_tell", "no_limit"]},
        **counts,
    }
    largest = {"method": TEXT, "sparsity": SHARE, "reason": TEXT}
    lists = {"limits": limit, "waivers": _waiver(), "verdicts": verdict, "largest_within": largest}
    arrays = {
        name: {"type": "array", "items": _closed(properties)} for name, properties in lists.items()
    }
    return _closed({**arrays, "looks": {"type": "integer", "minimum": 1}})


def _waiver() -> dict[str, Any]:
    scope = dict.fromkeys(("groups", "class", "condition", "method", "model"), TEXT)
    return {
        "limit": {"type": "string"},
        **scope,
        "severity": NUMBER,
        "sparsity": SHARE,
        "reason": {"type": "string"},
        "owner": {"type": "string"},
        "expires": {"type": "string", "format": "date"},
        "findings": {"type": "array", "items": {"type": "string"}},
    }


def _finding() -> dict[str, Any]:
    return _closed(
        {
            "id": {"type": "string", "pattern": "^[0-9a-f]{12}$"},
            "measure": {"type": "string"},
            "unit": {"enum": list(get_args(Unit))},
            "method": TEXT,
            "sparsity": SHARE,
            "model": TEXT,
            "condition": TEXT,
            "severity": {"type": ["number", "null"], "minimum": 0, "maximum": 5},
            "subject": TEXT,
            "class": TEXT,
            "groups": TEXT,
            "parent": NUMBER,
            "pruned": NUMBER,
            "control": NUMBER,
            "change": NUMBER,
            "relative_change": NUMBER,
            "low": NUMBER,
            "high": NUMBER,
            "standard_error": NUMBER,
            "df": NUMBER,
            "n": COUNT,
            "parents": COUNT,
            "discordant": COUNT,
            "generalises_to": {"enum": ["examples", "seeds", "both", None]},
            "p": SHARE,
            "p_adjusted": SHARE,
            "p_holm": SHARE,
            "p_bh": SHARE,
            "p_floor": SHARE,
            "tier": {"enum": ["A", "B", "C", "D", None]},
            "family": TEXT,
            "family_size": COUNT,
            "detectable": NUMBER,
            "examples_low": NUMBER,
            "examples_high": NUMBER,
            "examples_standard_error": NUMBER,
            "examples_df": NUMBER,
            "examples_p": SHARE,
            "worse_direction": {"enum": ["up", "down", None]},
            "limit": NUMBER,
            "limit_name": TEXT,
            "bound_within": NUMBER,
            "bound_over": NUMBER,
            "waiver": TEXT,
            "outcome": {"enum": OUTCOMES},
            "reason": TEXT,
        }
    )


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    """An object that has all of these properties and no others."""
    return {
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": properties,
    }
