import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from audit.evidence.errors import InputError
from audit.judgement.document import findings_schema
from audit.judgement.inference.one_pair import flips_of
from audit.judgement.judging import judge
from audit.judgement.plan import Plan
from audit.judgement.policy.gate import check, gated
from audit.judgement.policy.limits import Policy
from audit.judgement.policy.margins import judge_cells
from tests.audit.judgement.test_judging import EVERY_LIMIT, QUICK, population

NAME = "pruned-0.9-1"


def told(evidence, policy=None, **plan):
    return judge(evidence, Plan(**{**QUICK, **plan}), Policy.model_validate(policy or {}))


def of(findings, measure, model=NAME, **where):
    return [
        f
        for f in findings.findings
        if f.measure == measure
        and f.model == model
        and all(getattr(f, key) == value for key, value in where.items())
    ]


def test_it_is_one_pair_with_its_own_numbers(study):
    evidence = population(study)
    found = told(evidence, candidate=NAME)
    (accuracy,) = of(found, "accuracy", condition="clean")
    block = evidence.load(evidence.conditions[0])
    names = list(evidence.models["model"])
    right = block.predicted == evidence.labels
    own = right[names.index(NAME)].mean()
    assert accuracy.pruned == pytest.approx(own)
    assert accuracy.parent == pytest.approx(right[names.index("dense-1")].mean())
    assert accuracy.control == pytest.approx(right[names.index("control-0.0-1")].mean())
    assert (accuracy.parents, accuracy.generalises_to) == (1, "examples")
    assert (accuracy.method, accuracy.sparsity) == ("magnitude", 0.9)


def test_the_population_is_told_exactly_what_it_was_told_without(study):
    evidence = population(study, hurt=0.5)
    alone, beside = told(evidence, EVERY_LIMIT), told(evidence, EVERY_LIMIT, candidate=NAME)
    assert [f for f in beside.findings if f.model is None] == list(alone.findings)
    rows = [row for row in beside.policy["verdicts"] if row["model"] is None]
    assert rows == alone.policy["verdicts"]
    assert beside.policy["largest_within"] == alone.policy["largest_within"]


def test_its_own_questions_are_screens_and_its_limits_are_claims(study):
    found = told(population(study), EVERY_LIMIT, candidate=NAME)
    mine = [f for f in found.findings if f.model == NAME]
    assert {f.tier for f in mine} == {"A", "D"}
    assert {f.tier for f in mine if f.limit_name is None} <= {"A", "D"}
    assert not [f for f in mine if f.measure in ("prune_potential", "excess_error_slope")]
    (row,) = [row for row in found.policy["verdicts"] if row["model"] == NAME]
    assert row["sparsity"] == 0.9
    jsonschema.validate(json.loads(found.to_json()), findings_schema())
    assert len({f.id for f in found.findings}) == len(found.findings)


@pytest.mark.parametrize(("of_how_many", "k"), [(None, 3), (1, 1), (7, 7)])
def test_its_bounds_are_corrected_for_the_choice(study, of_how_many, k):
    """Chosen out of k by these examples: one-sided bounds at .05 / k (k = 3 models by default)."""
    evidence = population(study, n=600)
    found = told(evidence, {"max_accuracy_drop": 0.2}, candidate={"model": NAME, "of": of_how_many})
    (one,) = of(found, "accuracy", limit_name="max_accuracy_drop")
    flips = flips_of(one)
    assert one.bound_within == pytest.approx(flips.most(0.05 / k))
    assert one.bound_over == pytest.approx(flips.least(0.05 / k))
    assert f"one-sided {100 - 5 / k:.4g} %" in one.reason
    assert any(NAME in note for note in found.run["notes"])
    (many,) = of(found, "accuracy", model=None, limit_name="max_accuracy_drop", sparsity=0.9)
    assert "one-sided 95 %" in many.reason


def test_planned_looks_and_the_choice_multiply(study):
    policy = {"max_accuracy_drop": 0.2, "looks": 2}
    found = told(population(study, n=600), policy, candidate={"model": NAME, "of": 5})
    (one,) = of(found, "accuracy", limit_name="max_accuracy_drop")
    (many,) = of(found, "accuracy", model=None, limit_name="max_accuracy_drop", sparsity=0.9)
    assert "one-sided 99.5 %" in one.reason
    assert "one-sided 97.5 %" in many.reason
    assert found.policy["looks"] == 2


def test_a_gate_may_ask_of_it_alone(study):
    evidence = population(study, n=600, hurt=0.6)
    policy = {"max_group_accuracy_drop": 0.2}
    found = told(evidence, policy, candidate="pruned-0.5-0")
    assert check(found, model="pruned-0.5-0") == (0, "within")
    assert check(found)[0] == 1
    assert len(gated(found, sparsity=0.5)) == 2
    with pytest.raises(InputError, match=r"No candidate is called 'other'.*'pruned-0.5-0'"):
        check(found, model="other")


def test_a_name_that_nothing_has(study):
    evidence = population(study)
    with pytest.raises(InputError, match=r"did you mean 'pruned-0.9-1'"):
        told(evidence, candidate="pruned-0.9-11")
    with pytest.raises(InputError, match="'dense-1' is no pruned model"):
        told(evidence, candidate="dense-1")


def test_one_without_a_known_parent_is_held_to_floors_alone(study):
    evidence = population(study)
    evidence = replace(evidence, models=evidence.models.assign(parent=None))
    found = told(evidence, {"min_accuracy": 0.5, "max_accuracy_drop": 0.1}, candidate=NAME)
    (level,) = of(found, "accuracy_level")
    (drop,) = of(found, "accuracy", limit_name="max_accuracy_drop")
    assert (level.outcome, drop.outcome) == ("within", "not_asked")


def _told(finding, stated, k):
    return judge_cells([finding], stated, 0.05, 30, k, single=lambda _: True)[0].outcome


def test_a_false_within_of_the_best_of_seven_stays_under_its_level():
    """Seven files that all lose exactly the limit (5 points of 400 examples, two-way flips).

    The one that looks best is held to the limit at .05 / 7; at .05 it would pass far too often.
    """
    from audit.judgement.findings import Finding
    from audit.judgement.inference.paired import paired_change

    draw = np.random.default_rng(0)
    stated = Policy.model_validate({"max_accuracy_drop": 0.05}).stated()[0]
    passed = {1: 0, 7: 0}
    for _ in range(300):
        u = draw.random((7, 400))
        best = max(np.where(u < 0.10, -1.0, np.where(u < 0.15, 1.0, 0.0)), key=np.mean)
        estimate = paired_change(best[None, :])
        finding = Finding(
            id="0" * 12, measure="accuracy", unit="fraction", change=estimate.change,
            low=estimate.low, high=estimate.high, standard_error=estimate.standard_error,
            df=estimate.df, n=400, parents=1, generalises_to="examples",
            discordant=estimate.discordant, worse_direction="down",
        )  # fmt: skip
        for k in passed:
            passed[k] += _told(finding, stated, k) == "within"
    assert passed[7] / 300 <= 0.05 + 0.02
    assert passed[1] / 300 >= 0.15
