"""What a measure is, and where measures come from."""

from __future__ import annotations

from dataclasses import dataclass

from audit.judgement.findings import Direction, Unit

OURS = "prune-audit"
COHEN = "Cohen 1960"
FAIRLEARN = "Fairlearn"
GUO = "Guo et al., arXiv 1706.04599"
HARDT = "Hardt et al., arXiv 1610.02413"
HASHEMIZADEH = "Hashemizadeh et al., arXiv 2310.20673"
HENDRYCKS = "Hendrycks & Dietterich, arXiv 1903.12261"
HOOKER = "Hooker et al., arXiv 1911.05248"
LIEBENWEIN = "Liebenwein et al., arXiv 2103.03014"
NORTHCUTT = "Northcutt et al., arXiv 1911.00068 and 2103.14749"

PARENT = ("parent",)
GROUPS = ("parent", "groups")
GROUPS_POSITIVE = ("parent", "groups", "positive")
CONFIDENCE = ("parent", "confidence")
PROBABILITIES = ("parent", "probabilities")
CORRUPTIONS = ("parent", "corruptions")
SPARSITIES = ("parent", "sparsities")
CORRUPTIONS_SPARSITIES = ("parent", "corruptions", "sparsities")


@dataclass(frozen=True)
class Measure:
    """One thing that is measured.

    Attributes:
        name: The stable name that findings carry.
        definition: One line.
        unit: As of a finding.
        worse_direction: Which way is worse; None where neither is.
        source: Where it was defined.
        needs: What the evidence must hold: keys of `unasked.NEEDS`.
        level: The interval is of the pruned models' own value, not of the change.
        on_demand: Asked only where a limit of the policy is about it.
        spans: Asked once over every sparsity of a method, or of no pruned model at all, so that
            its findings name no sparsity.
    """

    name: str
    definition: str
    unit: Unit
    worse_direction: Direction | None
    source: str
    needs: tuple[str, ...] = PARENT
    level: bool = False
    on_demand: bool = False
    spans: bool = False
