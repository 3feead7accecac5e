"""Reads a run's plan and policy back from its findings, so that a later command asks the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from audit.evidence.errors import InputError
from audit.judgement.findings import Findings
from audit.judgement.plan import Plan
from audit.judgement.policy.limits import OWN, Policy

_SCOPE = ("limit", "groups", "class", "condition", "severity", "sparsity", "method", "claim")


def plan_of(findings: Findings) -> Plan:
    """The plan that findings were made under.

    Raises:
        InputError: They were made by a version whose plan this one does not know.
    """
    try:
        return Plan.model_validate(findings.run.get("plan") or {})
    except ValidationError as error:
        raise _unknown("plan", error) from error


def policy_of(findings: Findings) -> Policy:
    """The limits that findings were held to; waivers stay behind, since they change no verdict.

    Raises:
        InputError: They were made by a version whose limits this one does not know.
    """
    limits: dict[str, list[dict[str, Any]]] = {}
    own: dict[str, list[dict[str, Any]]] = {}
    for entry in findings.policy.get("limits") or ():
        name = str(entry["name"])
        home = own if name.startswith(OWN) else limits
        home.setdefault(name.removeprefix(OWN), []).append(_scope(entry))
    looks = findings.policy.get("looks", 1)
    try:
        return Policy.model_validate({**limits, "own": own, "looks": looks})
    except ValidationError as error:
        raise _unknown("policy", error) from error


def _scope(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in (*_SCOPE, "owner") if entry.get(name) is not None}


def _unknown(what: str, error: ValidationError) -> InputError:
    first = error.errors()[0]
    return InputError(
        f"The {what} of these findings cannot be read ({first['loc'][0]}: {first['msg']}): judge "
        "the run again with this version."
    )
