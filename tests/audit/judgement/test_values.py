"""Answers that are no classes: the mean of `value`, which way is worse, and its limits."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from audit.evidence.arrays import from_arrays
from audit.evidence.errors import InputError, TableError
from audit.evidence.flat import read_flat
from audit.judgement.findings import Finding, Findings
from audit.judgement.from_tables import audit_table, compare_predictions
from audit.judgement.inference.families import OMNIBUS
from audit.judgement.judging import judge
from audit.judgement.measures import MEASURES
from audit.judgement.plan import Plan
from audit.judgement.policy.limits import Policy
from audit.judgement.unasked import NO_CLASSES

SEX = {"sex": ["F"] * 4 + ["M"] * 8}
PARENT = np.full(12, 0.5)
PRUNED = PARENT - np.array([0.25, 0.25, 0.5, 0.0, 0.25, 0.0, 0.0, 0.0, 0.125, 0.125, 0.0, 0.0])
SMALL = Plan(minimum_n=1)


def of(findings: Findings, measure: str, groups: str | None = None) -> Finding:
    (found,) = (
        f
        for f in findings.findings
        if f.measure == measure and f.groups == groups and f.method is not None
    )
    return found


def judged(plan: Plan = SMALL, policy: Any = None, pruned: Any = PRUNED, **more: Any) -> Findings:
    return compare_predictions(
        None, None, None, SEX, parent_value=PARENT, pruned_value=pruned, plan=plan, policy=policy,
        **more,
    )  # fmt: skip


def test_by_hand():
    """Twelve Dice of 0.5 fall by 1.5 in all: 0.125 each; those of the four women by 0.25."""
    findings = judged()
    everybody = of(findings, "value")
    assert (everybody.parent, everybody.pruned, everybody.change) == (0.5, 0.375, -0.125)
    assert (everybody.n, everybody.parents, everybody.unit) == (12, 1, "value")
    assert (everybody.worse_direction, everybody.family) == ("down", "values")
    assert everybody.discordant == 6
    assert everybody.relative_change == -0.25
    women, men = of(findings, "group_value", "sex=F"), of(findings, "group_value", "sex=M")
    assert (women.change, women.n) == (-0.25, 4)
    assert (men.change, men.n) == (-0.0625, 8)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.1, 1.0, 50.0]))
def test_one_pair_is_a_paired_t_test(seed: int, size: float):
    """Against SciPy, where enough examples differ and in the units of the column."""
    draw = np.random.default_rng(seed)
    parent, pruned = draw.normal(0, size, (2, 40))
    plan = Plan(value={"scale": 5 * size})
    evidence = from_arrays(None, None, None, parent_value=parent, pruned_value=pruned)
    found = of(judge(evidence, plan, Policy()), "value")
    expected = stats.ttest_rel(np.float32(pruned), np.float32(parent))
    low, high = expected.confidence_interval()
    np.testing.assert_allclose(
        [found.p, found.low, found.high], [expected.pvalue, low, high], rtol=1e-4, atol=1e-5 * size
    )


def test_rare_changes_are_guarded_by_the_scale():
    """One example of 40 differs: the two added examples are as large as the plan says."""
    parent = np.zeros(40)
    pruned = np.where(np.arange(40) == 0, -1.0, 0.0)
    evidence = from_arrays(None, None, None, parent_value=parent, pruned_value=pruned)
    found = {
        scale: of(judge(evidence, Plan(value={"scale": scale}), Policy()), "value")
        for scale in (1.0, 10.0)
    }
    assert found[1.0].change == found[10.0].change == -1 / 40
    assert found[10.0].standard_error > 5 * found[1.0].standard_error
    assert "one example moved all the way" in str(found[1.0].reason)


@pytest.mark.parametrize(
    ("better", "limit", "outcome"),
    [
        ("up", 0.5, "within"),
        ("up", 0.02, "over"),
        ("up", 0.125, "cannot_tell"),
        ("up", 40.0, "within"),
        ("down", 0.0, "within"),
    ],
)
def test_limits_follow_the_direction(better: str, limit: float, outcome: str):
    """Values fall by 0.125 on average: worse where more is better, and better where less is."""
    many, other_way = np.tile(PRUNED, 10), "down" if better == "up" else "up"
    limits = {"max_value_drop": limit}

    def held(sign: float, way: str) -> Finding:
        plan = Plan(value={"better": way, "name": "Dice"})
        parent, pruned = np.full(120, sign * 0.5), sign * many
        evidence = from_arrays(None, None, None, parent_value=parent, pruned_value=pruned)
        return of(judge(evidence, plan, Policy.model_validate(limits)), "value")

    found, turned = held(1.0, better), held(-1.0, other_way)
    assert (found.outcome, found.limit_name) == (outcome, "max_value_drop")
    assert (found.worse_direction, turned.worse_direction) == (other_way, better)
    assert found.bound_within is not None
    assert found.bound_over is not None
    harm = 0.125 if better == "up" else -0.125
    assert found.bound_over < harm < found.bound_within
    assert "the value is Dice" in str(found.reason)
    # The same table with every sign turned round is the same question.
    assert (turned.outcome, turned.change) == (outcome, 0.125)
    np.testing.assert_allclose(turned.bound_within, found.bound_within)
    np.testing.assert_allclose(turned.bound_over, found.bound_over)


def test_a_limit_on_any_group():
    findings = judged(policy={"max_group_value_drop": {"limit": 0.4, "owner": "Ada"}})
    assert of(findings, "group_value", "sex=M").outcome == "within"
    assert of(findings, "group_value", "sex=F").outcome == "cannot_tell"
    named = judged(policy={"max_group_value_drop": {"limit": 2.0, "groups": "sex=F"}})
    assert of(named, "group_value", "sex=F").limit == 2.0
    assert of(named, "group_value", "sex=M").limit is None


def test_a_limit_in_the_units_of_the_column_may_exceed_one():
    stated = Policy.model_validate({"max_value_drop": 12.5, "max_nll_increase": 3})
    assert stated.max_value_drop is not None
    assert stated.max_value_drop[0].limit == 12.5
    assert Policy(max_value_drop=stated.max_value_drop) == Policy(max_value_drop=12.5)
    with pytest.raises(ValueError, match="less than or equal to 1"):
        Policy.model_validate({"max_accuracy_drop": 12.5})
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        Policy.model_validate({"max_value_drop": -1})


def shifted(seed: int = 0) -> pd.DataFrame:
    """Three pairs of models, clean and in fog, where the pruned ones lose most."""
    draw = np.random.default_rng(seed)
    rows = [
        {
            "model": f"{role}{pair}",
            "parent": f"d{pair}" if role == "p" else None,
            "sparsity": 0.5 if role == "p" else None,
            "condition": name,
            "severity": severity,
            "example": example,
            "value": 0.8 + draw.normal(0, 0.05) - (0.3 if role == "p" and name == "fog" else 0.0),
            "group_sex": "FM"[example % 2],
            "group_site": "xyz"[example % 3],
        }
        for pair in range(3)
        for role in "dp"
        for name, severity in (("clean", 0.0), ("fog", 2.0))
        for example in range(90)
    ]
    return pd.DataFrame(rows)


def test_a_shift_is_a_screen_and_its_groups_are_asked_by_a_limit():
    evidence = read_flat(shifted())
    findings = judge(evidence, Plan(), Policy()).findings
    fog = [f for f in findings if f.condition == "fog" and f.outcome != "not_asked"]
    assert [(f.measure, f.tier, f.family) for f in fog] == [("value", "D", "value_screen")]
    assert fog[0].change == pytest.approx(-0.3, abs=0.02)
    assert fog[0].generalises_to == "both"
    clean = [f for f in findings if f.condition == "clean" and f.family == "values"]
    assert {f.tier for f in clean if f.measure != OMNIBUS} == {"B"}
    assert sum(f.measure == "group_value" for f in clean) == 5
    crossed = [f for f in findings if f.groups and " & " in f.groups and f.outcome != "not_asked"]
    assert len(crossed) == 6
    assert {f.family for f in crossed} == {"value_screen"}

    policy = Policy.model_validate({"max_group_value_drop": {"limit": 0.1, "condition": "any"}})
    held = [f for f in judge(evidence, Plan(), policy).findings if f.limit is not None]
    outcomes = {(f.condition, f.groups): f.outcome for f in held}
    assert len(outcomes) == 10
    assert {outcome for (condition, _), outcome in outcomes.items() if condition == "fog"} == {
        "over"
    }
    assert {outcome for (condition, _), outcome in outcomes.items() if condition == "clean"} == {
        "within"
    }


def test_without_classes_every_other_question_says_so():
    findings = judge(
        read_flat(shifted()), Plan(), Policy.model_validate({"max_accuracy_drop": 0.1})
    )
    unasked = {f.measure: f.reason for f in findings.findings if f.outcome == "not_asked"}
    assert unasked["accuracy"] == NO_CLASSES
    assert unasked["pie_count"] == NO_CLASSES
    assert not {"value", "group_value"} & set(unasked)
    assert str(unasked["compression_ratio"]).startswith("sizes are not known: add")
    assert unasked["relative_error"] == NO_CLASSES
    (limit,) = (f for f in findings.findings if f.limit is not None)
    assert (limit.outcome, limit.measure) == ("not_asked", "accuracy")
    assert json.loads(findings.to_json())["run"]["classes"] == []
    with pytest.raises(InputError, match=r"^`positive` is 'a', and answers are no classes but"):
        judge(read_flat(shifted()), Plan(positive="a"), Policy())


def test_what_was_saved_needs_no_class():
    rows = shifted().assign(parameters=100, nonzero=100)
    rows.loc[rows["model"].str.startswith("p"), "nonzero"] = 50
    rows = rows.rename(columns={"nonzero": "left"})
    evidence = read_flat(rows, columns={"parameters": "parameters", "nonzero": "left"})
    assert of(judge(evidence, Plan(), Policy()), "compression_ratio").pruned == 2.0


def test_what_is_missing_is_said():
    classes = compare_predictions([0, 1], [0, 1], [0, 0])
    reasons = {f.measure: f.reason for f in classes.findings if f.outcome == "not_asked"}
    assert str(reasons["group_value"]).startswith("there are no groups: add columns")
    assert str(reasons["value"]).startswith("the table has no column `value`: add one")

    alone = audit_table(
        shifted()
        .drop(columns="parent")
        .assign(role=["dense" if model[0] == "d" else "pruned" for model in shifted()["model"]])
    )
    own = of_role(alone)
    assert own.outcome == "not_asked"
    assert "no pruned model names its parent" in str(own.reason)
    assert own.pruned is not None

    apart = shifted().query("condition == 'clean'")
    apart = apart[(apart["example"] < 45) == apart["model"].str.startswith("d")]
    nobody = of_role(audit_table(apart))
    assert (nobody.outcome, nobody.n) == ("not_asked", 0)
    assert str(nobody.reason).startswith("no example has a value of the parents' and of the pruned")


def of_role(findings: Findings) -> Finding:
    return next(
        f
        for f in findings.findings
        if f.measure == "value" and f.condition == "clean" and f.method is not None
    )


def test_identical_models_are_told_apart_by_nothing():
    """No warning, no NaN: p is 1 and the change 0, with one parent and with two."""
    for rows in (PARENT, np.stack([PARENT, PARENT])):
        found = of(
            compare_predictions(None, None, None, parent_value=rows, pruned_value=rows, plan=SMALL),
            "value",
        )
        assert (found.change, found.p, found.discordant) == (0.0, 1.0, 0)
    assert "NaN" not in judged(pruned=PARENT).to_json()


def test_one_example_makes_no_claim():
    found = of(
        compare_predictions(None, None, None, parent_value=[0.5], pruned_value=[0.25]), "value"
    )
    assert (found.change, found.p, found.n) == (-0.25, None, 1)
    assert "1 examples in the denominator, of the 30" in str(found.reason)


def test_weights_and_clusters():
    """Weights 3 and 1: the mean change is (3 × 0 + 1 × −0.5) / 4; a weight of 0 does not count."""
    rows = pd.DataFrame(
        {
            "model": ["d"] * 3 + ["p"] * 3,
            "parent": [None] * 3 + ["d"] * 3,
            "sparsity": [None] * 3 + [0.5] * 3,
            "example": [1, 2, 3] * 2,
            "value": [0.5, 0.5, 0.5, 0.5, 0.0, 9.0],
            "weight": [3.0, 1.0, 0.0] * 2,
            "cluster": ["x", "x", "y"] * 2,
        }
    )
    found = of(audit_table(rows, SMALL), "value")
    assert (found.change, found.n) == (-0.125, 2)
    assert found.parent == 0.5
    assert "clusters in the denominator" in str(of(audit_table(rows), "value").reason)


def table(seed: int) -> pd.DataFrame:
    """Classes, values, confidences, groups, clusters and weights of two pairs, in fog too."""
    draw = np.random.default_rng(seed)
    rows = [
        {
            "model": model,
            "parent": {"p": "d", "q": "e"}.get(model),
            "sparsity": 0.5 if model in "pq" else None,
            "condition": name,
            "severity": severity,
            "example": example,
            "label": example % 3,
            "predicted": int(draw.integers(3)),
            "confidence": float(draw.random(dtype=np.float32)),
            "value": float(draw.normal()),
            "group_sex": "FM"[example % 2],
            "weight": 1.0 + example % 4,
            "cluster": example // 2,
        }
        for model in "depq"
        for name, severity in (("clean", 0.0), ("fog", 2.0), ("elsewhere", None))
        for example in range(12)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("seed", [2, 100])
def test_the_order_of_rows_plays_no_part(seed: int):
    rows = table(seed)
    plan = Plan(minimum_n=1, resamples=100)
    policy = {"max_value_drop": 1.0, "max_accuracy_drop": 0.1}
    expected = audit_table(rows, plan, policy).to_json()
    shuffled = rows.sample(frac=1, random_state=seed)
    assert audit_table(shuffled, plan, policy).to_json() == expected
    cut = seed % len(rows)
    halves = [part for part in (shuffled.iloc[:cut], shuffled.iloc[cut:]) if len(part)]
    assert audit_table(halves, plan, policy).to_json() == expected


def test_one_example_and_one_answer_for_everybody():
    """No warning and no NaN, whatever is asked."""
    plan = Plan(resamples=100)
    one = audit_table(table(0).query("example == 0"), plan)
    same = audit_table(table(0).assign(predicted=1, value=0.5), plan)
    for findings in (one, same):
        assert "NaN" not in findings.to_json()
        assert all(finding.p in (None, 1.0) for finding in findings.findings)


def test_a_row_twice_is_refused():
    rows = table(0)
    with pytest.raises(TableError, match=r"row 145: 'example' is 3, which model 'd' has predicted"):
        audit_table(pd.concat([rows, rows.iloc[[3]]]))


def test_values_are_the_tenth_question_at_most():
    """Everything at once stays within ten omnibus questions."""
    findings = audit_table(table(1), Plan(minimum_n=1, resamples=100))
    asked = [f.family for f in findings.findings if f.measure == OMNIBUS]
    assert "values" in asked
    assert len(asked) <= 10
    assert MEASURES["value"].unit == MEASURES["group_value"].unit == "value"


# ---------------------------------------------------------------------- several labels


def test_several_labels_are_groups_of_their_own():
    """Two targets, 40 examples: pruning loses half of the positives of `mass`, and none else."""
    truth = np.tile([[1, 1], [0, 0]], (20, 1))
    pruned = truth.copy()
    pruned[:20, 0] = 0
    findings = compare_predictions(
        truth, truth, pruned, {"sex": ["F", "M"] * 20}, "1", targets=["mass", "effusion"],
        plan=Plan(minimum_n=5),
    )  # fmt: skip
    mass = of_target(findings, "target=mass")
    assert (mass.parent, mass.pruned, mass.n) == (0.0, 0.5, 20)
    assert of_target(findings, "target=effusion").change == 0.0
    assert findings.run["groups"] == ["sex", "target", "sex & target"]
    assert any("`cluster`" in note for note in findings.run["notes"])


def of_target(findings: Findings, groups: str) -> Finding:
    return next(f for f in findings.findings if f.measure == "group_fnr" and f.groups == groups)
