"""Hooker et al.'s test of classes as published, for replication beside the paired default.

Named in the plan as measures of one's own:

    measures:
      - audit.judgement.classes.replication:welch_recall_shift
      - audit.judgement.classes.replication:welch_recall_shift_by_population
"""

from __future__ import annotations

from dataclasses import replace

from audit.evidence.blocks import CLEAN
from audit.judgement.answers import asked
from audit.judgement.classes.unpaired import model_rates, welch_answers
from audit.judgement.classes.welch import Centring
from audit.judgement.design import dense
from audit.judgement.findings import Finding
from audit.judgement.plan import Plan
from audit.judgement.table_view import TableView

PER_MODEL = "for replication: Welch, each model's recall less its own accuracy"
PER_POPULATION = "for replication: Welch, each model's recall less its population's accuracy"
DEPENDENT = (
    "the models descend from these parents, which Welch does not know: the paired "
    "`normalised_recall_shift` is the test"
)
TOO_FEW = "Welch takes two models or more on either side: add other seeds"


def welch_recall_shift(view: TableView, plan: Plan) -> list[Finding]:
    """Normalised recall shift by Welch, as if populations were independent, centred per model.

    Args:
        view: One condition; only clean is asked.
        plan: The level; p is uncorrected, with Holm's and Benjamini & Hochberg's beside it.
    """
    return _welch(view, "model", PER_MODEL)


def welch_recall_shift_by_population(view: TableView, plan: Plan) -> list[Finding]:
    """The same less the mean accuracy of each population, as the released code centres it.

    Args:
        view: One condition; only clean is asked.
        plan: The level; p is uncorrected, with Holm's and Benjamini & Hochberg's beside it.
    """
    return _welch(view, "population", PER_POPULATION)


for _measure in (welch_recall_shift, welch_recall_shift_by_population):
    setattr(_measure, "worse_direction", "down")  # noqa: B010 - mypy knows no function attributes


def _welch(view: TableView, centring: Centring, read: str) -> list[Finding]:
    """Every class of every arm."""
    if view.condition != CLEAN:
        return []
    classes, known = len(view.classes), view.design
    before = model_rates(view.predicted[dense(view.models)], classes, known)
    out: list[Finding] = []
    for arm in view.arms:
        after = model_rates(view.predicted[arm.pruned], classes, known)
        if min(len(before[0]), len(after[0])) < 2:
            question = asked(view.measure, arm, condition=view.condition)
            out.append(replace(question, outcome="not_asked", reason=TOO_FEW))
            continue
        reason = f"{read}; {DEPENDENT}" if arm.paired().pruned.size else read
        out += welch_answers(
            view.measure, centring, view.condition, view.classes, arm, known, before, after, reason
        )
    return out
