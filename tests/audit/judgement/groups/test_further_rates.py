import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, true_positive_rate
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import precision_score

from audit.judgement.groups import rates
from audit.judgement.groups.further_rates import macro_precision_contributions
from audit.judgement.groups.rates import count
from audit.judgement.groups.subgroups import subgroup_findings
from audit.judgement.inference.linearised import ratio_contributions
from audit.judgement.inference.paired import paired_change
from audit.judgement.plan import Plan


def found(made, plan):
    families = subgroup_findings(made.block, made.evidence, made.arms, plan)
    return [finding for family in families for finding in family.findings]


def one(findings, measure, groups, class_=None):
    (match,) = [f for f in findings if (f.measure, f.groups, f.class_) == (measure, groups, class_)]
    return match


def drawn(seed=0, n=400, parents=3, classes=2, right=0.85):
    draw = np.random.default_rng(seed)
    labels, group = draw.integers(0, classes, n), draw.choice(["a", "b"], n)
    dense, pruned = (
        np.where(draw.random((parents, n)) < share, labels, draw.integers(0, classes, (parents, n)))
        for share in (right, right - 0.1)
    )
    return labels, dense, pruned, group


BY_HAND = {
    "labels": [0, 0, 0, 0, 1, 1, 0, 1],
    "dense": [[0, 0, 0, 1, 1, 1, 0, 1]],
    "pruned": [[0, 1, 0, 1, 0, 1, 0, 1]],
    "group": ["a"] * 6 + ["b"] * 2,
}


def by_hand(study, **plan):
    made = study(
        BY_HAND["labels"],
        BY_HAND["dense"],
        {0.5: BY_HAND["pruned"]},
        columns={"group_g": BY_HAND["group"]},
        classes=("no", "yes"),
    )
    return found(made, Plan(positive="yes", minimum_n=1, **plan))


def test_rates_by_hand(study):
    """Group a: positives 5, 6 of six. Dense takes 4, 5, 6: precision 2/3, TPR 2/2. Pruned takes
    2, 4, 6: precision 1/3, TPR 1/2."""
    all_found = by_hand(study)
    precision = one(all_found, "group_precision", "g=a", "yes")
    assert precision.parent == pytest.approx(2 / 3)
    assert precision.pruned == pytest.approx(1 / 3)
    assert precision.change == pytest.approx(-1 / 3)
    assert precision.relative_change == pytest.approx(-1 / 2)
    assert precision.n == 3
    tpr = one(all_found, "group_tpr", "g=a", "yes")
    assert (tpr.parent, tpr.pruned, tpr.n) == (1.0, 0.5, 2)
    base = one(all_found, "group_base_rate", "g=a", "yes")
    assert base.pruned == pytest.approx(2 / 6)
    assert (base.n, base.method, base.change) == (6, None, None)
    assert base.low < 2 / 6 < base.high


def test_excess_gaps_of_rates_by_hand(study):
    """FPR of a: 1/4 to 2/4; of everybody: 1/5 to 2/5. So a rises 1/4 where all rise 1/5. FNR of a:
    0 to 1/2, of all: 0 to 1/3; the TPR loses what the FNR gains."""
    all_found = by_hand(study)
    fpr = one(all_found, "excess_gap_fpr", "g=a", "yes")
    assert fpr.change == pytest.approx(1 / 4 - 1 / 5)
    assert fpr.parent == pytest.approx(1 / 4 - 1 / 5)
    assert fpr.pruned == pytest.approx(2 / 4 - 2 / 5)
    fnr = one(all_found, "excess_gap_fnr", "g=a", "yes")
    tpr = one(all_found, "excess_gap_tpr", "g=a", "yes")
    assert fnr.change == pytest.approx(1 / 2 - 1 / 3)
    assert tpr.change == pytest.approx(fnr.change)
    assert one(all_found, "excess_gap_fpr", "g=b", "yes").change == pytest.approx(-1 / 5)


@pytest.mark.parametrize("weighted", [False, True])
def test_equal_to_the_oracles(study, weighted):
    labels, dense, pruned, group = drawn(2)
    weight = np.random.default_rng(0).choice([1.0, 2.0], 400) if weighted else np.ones(400)
    made = study(
        labels,
        dense,
        {0.5: pruned},
        dense,
        columns={"group_g": group, **({"weight": weight} if weighted else {})},
        classes=("no", "yes"),
    )
    all_found = found(made, Plan(positive="yes"))
    inside = group == "b"
    for side, predicted in (("parent", dense), ("pruned", pruned), ("control", dense)):
        precision = [
            precision_score(labels[inside], row[inside], sample_weight=weight[inside])
            for row in predicted
        ]
        value = getattr(one(all_found, "group_precision", "g=b", "yes"), side)
        assert value == pytest.approx(np.mean(precision))
        tpr = [
            MetricFrame(
                metrics=true_positive_rate,
                y_true=labels,
                y_pred=row,
                sensitive_features=group,
                sample_params={"sample_weight": weight},
            ).by_group["b"]
            for row in predicted
        ]
        assert getattr(one(all_found, "group_tpr", "g=b", "yes"), side) == pytest.approx(
            np.mean(tpr)
        )


def test_class_averages_are_those_of_the_counts(study):
    labels, dense, pruned, group = drawn(4, classes=4)
    made = study(labels, dense, {0.5: pruned}, columns={"group_g": group})
    all_found = found(made, Plan())
    codes = np.unique(group, return_inverse=True)[1]
    for measure, of in (("group_precision", rates.precision), ("group_tpr", rates.recall)):
        for side, predicted in (("parent", dense), ("pruned", pruned)):
            expected = of(count(predicted, labels, codes, 2, 4)).mean(axis=0)
            for code, name in enumerate(("g=a", "g=b")):
                assert getattr(one(all_found, measure, name), side) == pytest.approx(expected[code])
    shares = [one(all_found, "group_base_rate", "g=a", f"class-{c}").pruned for c in range(4)]
    assert sum(shares) == pytest.approx(1.0)


def test_a_class_that_nobody_is_taken_for_has_no_precision(study):
    made = study(
        [0, 1, 1, 0] * 10,
        [[0, 1, 1, 0] * 10],
        {0.5: [[0, 0, 0, 0] * 10]},
        columns={"group_g": ["a"] * 40},
        classes=("no", "yes"),
    )
    finding = one(found(made, Plan(positive="yes")), "group_precision", "g=a", "yes")
    assert (finding.parent, finding.pruned, finding.change) == (1.0, None, None)
    assert finding.outcome == "not_asked"


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 1000), st.booleans())
def test_contributions_have_the_ratio_as_their_mean(seed, weighted):
    draw = np.random.default_rng(seed)
    whole = draw.integers(0, 2, (2, 30)).astype(float)
    part = whole * draw.integers(0, 2, (2, 30))
    whole[:, ::7] = part[:, ::7] = np.nan
    cells = draw.integers(-1, 2, 30)
    weights = draw.integers(1, 4, 30).astype(float) if weighted else None
    z = ratio_contributions(part, whole, cells, 2, weights)
    w = np.ones(30) if weights is None else weights
    for model in range(2):
        for cell in range(2):
            own = (cells == cell) & ~np.isnan(part[model])
            if (w * whole[model])[own].sum() == 0:
                assert np.isnan(z[model, own]).all()
                continue
            expected = (w * part[model])[own].sum() / (w * whole[model])[own].sum()
            assert np.average(z[model, own], weights=w[own]) == pytest.approx(expected)
    assert np.isnan(z[:, cells < 0]).all()


def test_intervals_of_a_changed_precision_cover():
    """500 tables of 200 in which both models have the same true precision: 92 to 98 % hold 0."""
    draw, covered, zero = np.random.default_rng(3), 0, np.zeros(200, dtype=np.int64)
    for _ in range(500):
        labels = draw.random(200) < 0.4
        sides = [labels ^ (draw.random(200) < 0.2) for _ in range(2)]
        z = [
            ratio_contributions((taken & labels)[None] * 1.0, taken[None] * 1.0, zero, 1, None)
            for taken in sides
        ]
        estimate = paired_change(z[1] - z[0])
        covered += estimate.low <= 0.0 <= estimate.high
    assert 0.92 <= covered / 500 <= 0.98


def test_identical_populations_move_nothing(study):
    labels, dense, _, group = drawn(5)
    made = study(labels, dense, {0.5: dense}, dense, columns={"group_g": group}, classes=("n", "y"))
    for finding in found(made, Plan(positive="y", resamples=100)):
        assert finding.change in (0.0, None)
        assert finding.p in (1.0, None)


def test_a_spread_of_losses_is_found_and_none_is_not(study):
    labels, dense, _, group = drawn(6, n=1200, right=0.95)
    draw = np.random.default_rng(6)
    for hurt, expected in ((0.3, True), (0.05, False)):
        lost = draw.random(dense.shape) < np.where(group == "b", hurt, 0.05)
        pruned = np.where(lost, 1 - dense, dense)
        made = study(
            labels, dense, {0.5: pruned}, columns={"group_g": group}, classes=("no", "yes")
        )
        all_found = found(made, Plan(positive="yes", resamples=300))
        for measure in ("excess_gap_spread", "excess_gap_fpr_spread", "excess_gap_fnr_spread"):
            (spread,) = [f for f in all_found if f.measure == measure]
            assert (spread.p < 0.01) is expected
            assert spread.change >= 0.0
            assert spread.low is None
            assert "between g=b and g=a" in spread.reason or not expected
        (worst,) = [f for f in all_found if f.measure == "worst_excess_gap_fpr"]
        assert (worst.p < 0.01) is expected
        if expected:
            gap = one(all_found, "excess_gap_fpr", "g=b", "yes")
            assert worst.change == pytest.approx(gap.change)


def test_macro_contributions_are_the_derivative_by_weight():
    """A little more of one example moves the mean of the precisions by what it contributes."""
    draw = np.random.default_rng(7)
    labels, taken = draw.integers(0, 3, (2, 30))
    groups, weights = draw.integers(0, 2, 30), draw.integers(1, 4, 30).astype(float)
    z = macro_precision_contributions(taken, labels, groups, (2, 3), weights)

    def whole(w):
        own = groups == 1
        return precision_score(
            labels[own], taken[own], sample_weight=w[own], average="macro",
            labels=np.unique(taken[own]), zero_division=0,
        )  # fmt: skip

    value, total = whole(weights), weights[groups == 1].sum()
    assert np.average(z[groups == 1], weights=weights[groups == 1]) == pytest.approx(value)
    for i in np.flatnonzero(groups == 1):
        more = weights.copy()
        more[i] += 1e-6
        assert (z[i] - value) / total == pytest.approx((whole(more) - value) / 1e-6, abs=1e-6)
