"""Pruned models that state no sparsity are judged like others, at a sparsity of None."""

import numpy as np
import pytest

from audit.evidence.blocks import CLEAN
from audit.judgement.design import UNSTATED
from audit.judgement.judging import judge
from audit.judgement.plan import Plan
from audit.judgement.policy.limits import Policy
from tests.audit.judgement.test_judging import (
    EVERY_LIMIT,
    QUICK,
    of,
    population,
    reasons,
    whole,
    without,
)


def unstated(evidence, sparsities):
    """The evidence whose models at these sparsities state none."""
    stated = evidence.models["sparsity"]
    return without(evidence, models={"sparsity": stated.where(~stated.isin(sparsities))})


def test_models_that_state_no_sparsity_are_judged_beside_those_that_do(study):
    evidence = unstated(population(study, hurt=0.5), [0.9])
    found = whole(judge(evidence, Plan(**QUICK), Policy.model_validate(EVERY_LIMIT)))
    assert {f.sparsity for f in of(found, "pie_count") if f.method} == {0.5, None}
    for measure in ("prune_potential", "minimum_prune_potential", "excess_error_slope"):
        assert set(reasons(found, measure)) == {UNSTATED}
        assert {f.outcome for f in of(found, measure)} == {"not_asked"}
    assert [v["sparsity"] for v in found.policy["verdicts"]] == [0.5, None]
    (largest,) = found.policy["largest_within"]
    assert (largest["sparsity"], largest["reason"]) == (None, "models that state no sparsity: over")
    assert found.exemplars["sparsity"].isna().all()
    assert found.exemplars["onset"].isna().all()


def test_models_that_state_no_sparsity_play_no_part_in_the_onset_of_an_exemplar(study):
    labels = np.repeat([0, 1], 10)
    few, more = labels.copy(), labels.copy()
    few[0], more[:2] = 1, 1
    dense, pruned = (
        np.tile(labels, (3, 1)),
        {s: np.tile(p, (3, 1)) for s, p in ((0.5, few), (0.9, more))},
    )
    made = study(labels, dense, pruned)
    rows = judge(unstated(made.evidence, [0.9]), Plan(**QUICK), Policy()).exemplars
    assert rows["example"].tolist() == [0, 0, 1]
    assert rows["sparsity"].fillna(-1).tolist() == [0.5, -1, -1]
    assert rows["onset"].fillna(-1).tolist() == [0.5, 0.5, -1]


def test_replicates_of_one_parent_are_judged_against_its_control(study):
    """Both pruned models of each parent state nothing, so they are one arm of six."""
    evidence = unstated(population(study), [0.5, 0.9])
    found = whole(judge(evidence, Plan(**QUICK), Policy.model_validate(EVERY_LIMIT)))
    (flips,) = of(found, "flip_rate", method="magnitude")
    block = evidence.load(CLEAN)
    parent, pruned, control = (block.predicted[i] for i in (slice(3), slice(3, 9), slice(9, 12)))
    twice = np.concatenate([parent, parent])
    assert flips.pruned == pytest.approx((pruned != twice).mean())
    assert flips.control == pytest.approx((control != parent).mean())
    assert flips.change == pytest.approx(flips.pruned - flips.control)
    assert flips.parents == 3


def test_a_limit_at_one_sparsity_leaves_out_models_that_state_none(study):
    limits = {"max_accuracy_drop": {"limit": 0.9, "sparsity": 0.5}}
    evidence = unstated(population(study), [0.9])
    found = judge(evidence, Plan(**QUICK), Policy.model_validate(limits))
    assert [(v["sparsity"], v["outcome"]) for v in found.policy["verdicts"]] == [
        (0.5, "within"),
        (None, "no_limit"),
    ]
    assert found.policy["largest_within"][0]["sparsity"] == 0.5
    nobody = unstated(population(study), [0.5, 0.9])
    found = judge(nobody, Plan(**QUICK), Policy.model_validate(limits))
    (left,) = of(found, "accuracy", limit_name="max_accuracy_drop")
    assert left.reason.endswith("there is magnitude at no stated sparsity")


def test_a_limit_that_only_the_stated_leave_unanswered_is_not_asked(study):
    """What answers a limit for models of no stated sparsity answers it for no others."""
    evidence = unstated(population(study), [0.9])
    parent = evidence.models["parent"].where(evidence.models["sparsity"] != 0.5)
    limits = {"max_group_accuracy_drop": 0.9, "max_class_recall_drop": 0.9}
    found = judge(
        without(evidence, models={"parent": parent}),
        Plan(**QUICK),
        Policy.model_validate(limits),
    )
    for name in limits:
        held = {(f.sparsity, f.outcome) for f in found.findings if f.limit_name == name}
        assert held == {(0.5, "not_asked"), (None, "within")}
