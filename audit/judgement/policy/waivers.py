"""What somebody accepts although a limit does not hold: by whom, why, and until which day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from pydantic import ConfigDict, Field

from audit.judgement.findings import Finding
from audit.judgement.groups.divisions import canonical_group
from audit.judgement.plan import Settings

ANY = (None, "any")
WAIVABLE = ("over", "cannot_tell", "not_asked")


class Waiver(Settings):
    """One acceptance; what it does not name, it accepts for all.

    It changes no outcome. Whether it has expired is not decided when findings are made, which know
    no day, but when a pipeline is gated.

    Attributes:
        limit: The policy key whose findings are accepted.
        groups: A group's name.
        class_: A class name; written `class`.
        condition: A condition's name.
        severity: A severity.
        sparsity: A requested sparsity.
        method: A method.
        model: The candidate's name.
        reason: Why it is acceptable.
        owner: Who stands for that.
        expires: The last day on which it holds.
    """

    model_config = ConfigDict(populate_by_name=True)

    limit: str
    groups: str | None = None
    class_: str | None = Field(default=None, alias="class")
    condition: str | None = None
    severity: float | None = Field(default=None, ge=0.0, le=5.0)
    sparsity: float | None = Field(default=None, ge=0.0, lt=1.0)
    method: str | None = None
    model: str | None = None
    reason: str = Field(min_length=1)
    owner: str = Field(min_length=1)
    expires: date

    def accepts(self, finding: Finding) -> bool:
        """Whether it is about this finding, whatever came out."""
        groups = self.groups if self.groups in ANY else canonical_group(str(self.groups))
        return finding.limit_name == self.limit and all(
            wanted in ANY or wanted == there
            for wanted, there in (
                (groups, finding.groups),
                (self.class_, finding.class_),
                (self.condition, finding.condition),
                (self.severity, finding.severity),
                (self.sparsity, finding.sparsity),
                (self.method, finding.method),
                (self.model, finding.model),
            )
        )

    @property
    def text(self) -> str:
        """What a finding says of it."""
        return f"accepted by {self.owner} until {self.expires.isoformat()}: {self.reason}"

    def record(self, findings: Sequence[str]) -> dict[str, Any]:
        """The waiver as it stands in `findings.json`, with the ids of what it accepts."""
        return {
            "limit": self.limit,
            "groups": self.groups,
            "class": self.class_,
            "condition": self.condition,
            "severity": self.severity,
            "sparsity": self.sparsity,
            "method": self.method,
            "model": self.model,
            "reason": self.reason,
            "owner": self.owner,
            "expires": self.expires.isoformat(),
            "findings": list(findings),
        }


def waived(
    findings: Iterable[Finding], waivers: Sequence[Waiver]
) -> tuple[list[Finding], list[dict[str, Any]]]:
    """Writes on every finding who accepts it, and of every waiver what it accepts.

    Outcomes stay. A finding within its limit needs nobody to accept it, and is left alone.

    Returns:
        The findings, and one record per waiver.
    """
    used: list[list[str]] = [[] for _ in waivers]
    out = []
    for finding in findings:
        mine = [
            place
            for place, waiver in enumerate(waivers)
            if finding.outcome in WAIVABLE and waiver.accepts(finding)
        ]
        for place in mine:
            used[place].append(finding.id)
        text = "; ".join(waivers[place].text for place in mine)
        out.append(replace(finding, waiver=text) if mine else finding)
    return out, [waiver.record(sorted(ids)) for waiver, ids in zip(waivers, used, strict=True)]


def notes(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """A sentence for every waiver that accepts nothing: it is not needed, or names nothing."""
    return [
        f"The waiver of {record['limit']} by {record['owner']} (until {record['expires']}) accepts "
        "nothing: what it names is within its limit, or is not there. Take it out, or mend it."
        for record in records
        if not record["findings"]
    ]


def in_force(records: Iterable[Mapping[str, Any]], today: date) -> frozenset[str]:
    """Ids of the findings that somebody still accepts on a day."""
    return frozenset(
        found
        for record in records
        if date.fromisoformat(record["expires"]) >= today
        for found in record["findings"]
    )


def expired(records: Iterable[Mapping[str, Any]], today: date) -> dict[str, str]:
    """By finding's id, the last day of the waivers that nobody stands for any longer."""
    kept = list(records)
    held = in_force(kept, today)
    over: dict[str, str] = {}
    for record in kept:
        for found in record["findings"]:
            if found not in held:
                over[found] = max(over.get(found, ""), str(record["expires"]))
    return over
