"""The draw: probabilities are kept, the weighted estimate has no bias, and its interval covers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.evidence.errors import InputError
from audit.judgement.inference.paired import paired_change
from audit.judgement.judging import judge
from audit.judgement.labelling import COLUMNS, to_label
from audit.judgement.labelling.sample import inclusion_probabilities, systematic
from audit.judgement.plan import Plan
from audit.judgement.policy.limits import Policy

POLICY = Policy.model_validate({"max_accuracy_drop": 0.1, "max_group_accuracy_drop": 0.1})
PLAN = Plan(resamples=100)


def shadow(study, n=3000, parents=3, labelled=0, **columns):
    """Traffic nobody labelled: a fifth are F, who lose 9 points; the others lose 6."""
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 4, n)
    sex = np.where(draw.random(n) < 0.2, "F", "M")
    dense = np.where(draw.random((parents, n)) < 0.08, (labels + 1) % 4, labels)
    lost = draw.random((parents, n)) < np.where(sex == "F", 0.09, 0.06)
    pruned = np.where(lost, (dense + 2) % 4, dense)
    known = np.where(np.arange(n) < labelled, labels, -1)
    about = {"group_sex": sex, "label": known, **columns}
    case = study(labels, dense, {0.7: pruned}, columns=about, classes=tuple("wxyz"))
    changes = (pruned == labels).astype(float) - (dense == labels)
    return case.evidence, changes, sex, labels


def drawn(evidence, n=300, seed=0):
    return to_label(evidence, judge(evidence, PLAN, POLICY), PLAN, n, seed)


def test_the_table(study):
    evidence, *_ = shadow(study, path=[f"{i}.png" for i in range(3000)])
    table = drawn(evidence)
    assert list(table.columns) == [*COLUMNS, "path"]
    assert len(table) == 300
    assert table["example"].is_unique
    assert (table["weight"] * table["inclusion_probability"]).to_numpy() == pytest.approx(1.0)
    assert table["weight"].sum() == pytest.approx(3000, rel=0.02)
    women = table["stratum"].str.contains("sex=F")
    assert (table.loc[women, "limits"].str.contains("(sex=F)", regex=False)).all()
    assert women.mean() > 0.4  # of a fifth of the traffic: their limit is as hard to tell
    differ = table["stratum"].str.contains("differ")
    assert 0.3 < differ.mean() < 0.9  # where a sixth of the traffic differs
    assert not table["example"].is_monotonic_increasing


def test_the_weighted_change_has_no_bias_and_its_interval_covers(study):
    """80 draws of 300 labels out of 3,000: the mean of their estimates is that of all labels.

    The spread is less than half of what as many labels drawn at random would have.
    """
    evidence, changes, sex, _ = shadow(study)
    findings = judge(evidence, PLAN, POLICY)
    for inside in (np.ones(3000, dtype=bool), sex == "F"):
        truth = changes[:, inside].mean()
        found = []
        for seed in range(80):
            table = to_label(evidence, findings, PLAN, 300, seed)
            rows = table["example"].to_numpy()
            keep = inside[rows]
            weights = table["weight"].to_numpy()[keep]
            found.append(
                paired_change(changes[:, rows[keep]], weights=weights, generalises_to="examples")
            )
        estimates = np.array([e.change for e in found])
        error = estimates.std() / np.sqrt(80)
        assert abs(estimates.mean() - truth) < 4.0 * error
        covered = np.mean([e.low <= truth <= e.high for e in found])
        assert covered >= 0.93
        random = changes[:, inside].mean(axis=0).std() / np.sqrt(300 * inside.mean())
        assert estimates.std() < random / 2.0


def test_the_labelled_sample_settles_what_could_not_be_told(study):
    """With the labels, the weights and the labelled rows alone, the same judge tells the limit."""
    evidence, _, _, labels = shadow(study, parents=1)
    findings = judge(evidence, PLAN, POLICY)
    assert {f.outcome for f in findings.findings if f.limit_name} == {"not_asked"}
    table = to_label(evidence, findings, PLAN, 400)
    rows = np.sort(table["example"].to_numpy())
    weight = table.set_index("example")["weight"].loc[rows].to_numpy()
    block = evidence.load(evidence.conditions[0])
    fewer = replace(block, predicted=block.predicted[:, rows])
    examples = evidence.examples.iloc[rows].assign(label=labels[rows], weight=weight)
    sample = replace(evidence, examples=examples.reset_index(drop=True), load=lambda _: fewer)
    again = judge(sample, PLAN, Policy.model_validate({"max_accuracy_drop": 0.1}))
    (held,) = [f for f in again.findings if f.limit_name]
    assert held.outcome == "within"


def test_labels_that_are_there_stay_and_are_not_drawn(study):
    evidence, *_ = shadow(study, labelled=1000)
    table = drawn(evidence)
    assert table["example"].min() >= 1000
    assert table["weight"].sum() == pytest.approx(2000, rel=0.02)


def test_weights_of_the_examples_carry_on(study):
    evidence, *_ = shadow(study, weight=np.full(3000, 2.0))
    table = drawn(evidence)
    product = table["weight"] * table["inclusion_probability"]
    assert product.to_numpy() == pytest.approx(2.0)


def test_all_are_labelled_where_there_are_no_more(study):
    evidence, *_ = shadow(study, n=100)
    table = drawn(evidence)
    assert len(table) == 100
    assert (table["weight"] == 1.0).all()


def test_the_order_of_rows_plays_no_part(study):
    evidence, *_ = shadow(study)
    order = np.random.default_rng(1).permutation(3000)
    block = evidence.load(evidence.conditions[0])
    turned = replace(block, predicted=block.predicted[:, order])
    examples = evidence.examples.iloc[order].reset_index(drop=True)
    again = drawn(replace(evidence, examples=examples, load=lambda _: turned))
    pd.testing.assert_frame_equal(again, drawn(evidence))


def test_a_class_is_drawn_from_those_that_models_take_for_it(study):
    """A limit on the recall of w: of those drawn, most are taken for w by somebody."""
    evidence, _, _, labels = shadow(study)
    policy = Policy.model_validate({"max_class_recall_drop": {"limit": 0.1, "class": "w"}})
    table = to_label(evidence, judge(evidence, PLAN, policy), PLAN, 300)
    assert (labels[table["example"]] == 0).mean() > 0.6
    assert (table["inclusion_probability"] > 0.0).all()


def test_what_is_told_needs_no_label(study):
    evidence, *_ = shadow(study, labelled=1500)
    wide = Policy.model_validate({"max_accuracy_drop": 0.9, "max_flip_rate": 0.001})
    assert list(to_label(evidence, judge(evidence, PLAN, wide), PLAN).columns) == list(COLUMNS)
    assert len(to_label(evidence, judge(evidence, PLAN, wide), PLAN)) == 0


@pytest.mark.parametrize(
    ("n", "labelled", "policy", "says"),
    [
        (0, 0, POLICY, "n is 0"),
        (10, 0, Policy(), "states no limits"),
        (10, 3000, POLICY, "has a label already"),
    ],
)
def test_bad_input(study, n, labelled, policy, says):
    evidence, *_ = shadow(study, labelled=labelled)
    findings = judge(evidence, PLAN, policy)
    with pytest.raises(InputError, match=says):
        to_label(evidence, findings, PLAN, n)


@given(st.lists(st.floats(0.01, 50.0), min_size=1, max_size=40), st.integers(1, 45))
def test_probabilities_are_proportional_below_one_and_sum_to_n(sizes, n):
    size = np.asarray(sizes)
    found = inclusion_probabilities(size, n)
    assert found.sum() == pytest.approx(min(n, size.size))
    assert found.max() <= 1.0
    left = found < 1.0
    if left.any():
        ratio = found[left] / size[left]
        assert ratio == pytest.approx(ratio[0])
        assert (size[~left] >= size[left].max() * (1.0 - 1e-9)).all()


def test_probabilities_by_hand():
    """Sizes 8, 1, 1, 2 and two to draw: 16/12 is above 1, so one is sure; ¼, ¼, ½ are left."""
    found = inclusion_probabilities(np.array([8.0, 1.0, 1.0, 2.0]), 2)
    assert found.tolist() == pytest.approx([1.0, 0.25, 0.25, 0.5])


def test_systematic_sampling_keeps_size_probabilities_and_strata():
    """10,000 draws: everybody is in as often as said, each draw has three, and one per stratum."""
    probability = np.array([0.5, 0.3, 0.2, 0.9, 0.1, 0.4, 0.6])
    stratum = np.array([0, 0, 0, 1, 1, 2, 2])
    generator = np.random.default_rng(0)
    seen = np.zeros(7)
    for _ in range(10_000):
        places = systematic(probability, stratum, generator)
        assert sorted(stratum[places]) == [0, 1, 2]
        seen[places] += 1
    assert seen / 10_000 == pytest.approx(probability, abs=0.02)
