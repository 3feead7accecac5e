"""How far to prune, chosen on validation examples and confirmed once on the test examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audit.evidence.blocks import Evidence
from audit.evidence.errors import InputError
from audit.judgement.design import arms
from audit.judgement.findings import Findings
from audit.judgement.judging import judge
from audit.judgement.measures import MEASURES
from audit.judgement.plan import Plan
from audit.judgement.policy.candidate import of_rows
from audit.judgement.policy.limits import LIMITS, Policy

NO_VALIDATION = (
    "There are no validation examples to choose on: add rows of the split `validation`, or fix the "
    "sparsity before the audit."
)


@dataclass(frozen=True, eq=False)
class Chosen:
    """What was chosen, and whether it holds.

    Attributes:
        sparsities: Per method, the largest sparsity within every limit on validation examples; None
            where not even the smallest is.
        validation: Everything found on validation examples.
        test: The chosen models alone, on test examples; None where nothing was chosen.
    """

    sparsities: Mapping[str, float | None]
    validation: Findings
    test: Findings | None

    def sentences(self) -> list[str]:
        """One sentence per method: what was chosen where, and what the test examples say."""
        return [self._sentence(method, chosen) for method, chosen in self.sparsities.items()]

    def _sentence(self, method: str, chosen: float | None) -> str:
        name = method or "The method"
        if chosen is None or self.test is None:
            return f"{name}: no sparsity is within every limit on the validation examples."
        outcome = next(
            row["outcome"]
            for row in self.test.policy["verdicts"]
            if (row["method"] or "", row["sparsity"]) == (method, chosen)
        )
        return (
            f"{name}: sparsity {chosen:g} was chosen on {self.validation.run['examples']:,} "
            f"validation examples; on {self.test.run['examples']:,} test examples, looked at once, "
            f"it is {outcome.replace('_', ' ')}."
        )


def choose_on_validation(
    evidence: Evidence, plan: Plan, policy: Policy, base: Path | None = None
) -> Chosen:
    """Chooses each method's largest sparsity on validation, and judges only that one on test.

    Whatever was passed over on validation plays no part on test, so that the confirmation costs one
    look. Limits on a method as a whole, such as its prune potential, help to choose and are not
    confirmed.

    Args:
        evidence: With validation examples.
        plan: The plan; its candidate is left out.
        policy: The limits.
        base: As for `judge`.

    Raises:
        InputError: There are no validation examples, or the policy states no limits.
    """
    if evidence.validation is None:
        raise InputError(NO_VALIDATION)
    if not policy.stated() and not policy.own:
        raise InputError("The policy states no limits, so nothing can be chosen: add some.")
    plan = plan.model_copy(update={"candidate": None})
    before = judge(evidence.validation, plan, policy, base=base)
    found = {str(row["method"] or ""): row["sparsity"] for row in before.policy["largest_within"]}
    test = None
    if any(sparsity is not None for sparsity in found.values()):
        of_levels = policy.model_copy(
            update={name: None for name, kind in LIMITS.items() if MEASURES[kind.measure].spans}
        )
        test = judge(_of_chosen(evidence, found), plan, of_levels, base=base)
    return Chosen(found, before, test)


def _of_chosen(evidence: Evidence, chosen: Mapping[str, float | None]) -> Evidence:
    """The chosen pruned models, with every model that was not pruned."""
    audited = arms(evidence.models)
    pruned = {row for arm in audited for row in arm.pruned.tolist()}
    kept = {
        row
        for arm in audited
        if arm.sparsity is not None and chosen.get(arm.method) == arm.sparsity
        for row in arm.pruned.tolist()
    }
    rows = [row for row in range(len(evidence.models)) if row in kept or row not in pruned]
    return of_rows(evidence, np.asarray(rows, dtype=np.int64))
