import numpy as np
import pytest
from fairlearn.metrics import MetricFrame, false_positive_rate

from audit.judgement.groups import rates
from audit.judgement.groups.rates import count
from audit.judgement.groups.subgroups import FAMILY, SCREEN, subgroup_findings
from audit.judgement.groups.worst_of_groups import FURTHER
from audit.judgement.inference.families import correct
from audit.judgement.plan import Plan


def found(made, plan):
    families = subgroup_findings(made.block, made.evidence, made.arms, plan)
    return [finding for family in families for finding in family.findings]


def one(findings, measure, groups, class_=None):
    (match,) = [f for f in findings if (f.measure, f.groups, f.class_) == (measure, groups, class_)]
    return match


def binary(seed=0, n=400, parents=3, harm=0.0):
    """Two groups; pruning turns `harm` of the negatives of group b into positives."""
    draw = np.random.default_rng(seed)
    labels, group = draw.integers(0, 2, n), draw.choice(["a", "b"], n)
    dense = np.where(draw.random((parents, n)) < 0.9, labels, 1 - labels)
    again = np.where(draw.random((parents, n)) < 0.9, labels, 1 - labels)
    pruned = np.where(draw.random((parents, n)) < 0.02, again, dense)
    hit = (group == "b") & (labels == 0) & (draw.random((parents, n)) < harm)
    return labels, dense, np.where(hit, 1, pruned), group


def test_rates_and_changes_by_hand(study):
    labels = [0, 0, 0, 0, 1, 1, 0, 1]
    group = ["a"] * 6 + ["b"] * 2
    dense = [[0, 0, 0, 1, 1, 1, 0, 1]]
    pruned = [[0, 1, 0, 1, 0, 1, 0, 1]]
    made = study(labels, dense, {0.5: pruned}, columns={"group_g": group}, classes=("no", "yes"))
    all_found = found(made, Plan(positive="yes", minimum_n=1))
    fpr = one(all_found, "group_fpr", "g=a", "yes")
    assert (fpr.parent, fpr.pruned, fpr.change) == (0.25, 0.5, 0.25)
    assert (fpr.n, fpr.discordant, fpr.parents) == (4, 1, 1)  # true negatives only
    fnr = one(all_found, "group_fnr", "g=a", "yes")
    assert (fnr.parent, fnr.pruned, fnr.n) == (0.0, 0.5, 2)
    selection = one(all_found, "group_selection_rate", "g=a", "yes")
    assert (selection.parent, selection.pruned, selection.n) == (0.5, 0.5, 6)
    accuracy = one(all_found, "group_accuracy", "g=a")
    assert accuracy.parent == pytest.approx(5 / 6)
    assert accuracy.pruned == pytest.approx(3 / 6)
    assert accuracy.subject == "g=a"
    assert accuracy.generalises_to == "examples"


def test_undefined_rates_are_null_and_not_asked(study):
    made = study(
        [0, 0, 1, 1],
        [[0, 0, 1, 1]],
        {0.5: [[0, 1, 1, 1]]},
        columns={"group_g": ["a", "a", "b", "b"]},
        classes=("no", "yes"),
    )
    fnr = one(found(made, Plan(positive="yes", minimum_n=1)), "group_fnr", "g=a", "yes")
    assert (fnr.parent, fnr.pruned, fnr.change, fnr.n) == (None, None, None, 0)
    assert fnr.outcome == "not_asked"
    assert fnr.reason


def test_binary_rates_equal_fairlearn(study):
    labels, dense, pruned, group = binary()
    made = study(labels, dense, {0.5: pruned}, columns={"group_g": group}, classes=("no", "yes"))
    fpr = one(found(made, Plan(positive="yes")), "group_fpr", "g=b", "yes")
    theirs = [
        MetricFrame(
            metrics=false_positive_rate, y_true=labels, y_pred=row, sensitive_features=group
        ).by_group["b"]
        for row in pruned
    ]
    assert fpr.pruned == pytest.approx(np.mean(theirs))


def test_class_averages_are_those_of_the_counts(study):
    draw = np.random.default_rng(4)
    labels, group = draw.integers(0, 4, 300), draw.choice(["a", "b", "c"], 300)
    dense, pruned = (
        np.where(draw.random((2, 300)) < share, labels, draw.integers(0, 4, 300))
        for share in (0.9, 0.7)
    )
    made = study(labels, dense, {0.5: pruned}, dense, columns={"group_g": group})
    all_found = found(made, Plan())
    codes = np.unique(group, return_inverse=True)[1]
    for measure, of in (
        ("group_fpr", rates.false_positive_rate),
        ("group_fnr", rates.false_negative_rate),
    ):
        for side, predicted in (("parent", dense), ("pruned", pruned), ("control", dense)):
            expected = of(count(predicted, labels, codes, 3, 4)).mean(axis=0)
            for code, name in enumerate(("g=a", "g=b", "g=c")):
                value = getattr(one(all_found, measure, name), side)
                assert value == pytest.approx(expected[code])
    finding = one(all_found, "group_fpr", "g=a")
    assert finding.change == pytest.approx(finding.pruned - finding.parent)
    assert finding.low < finding.change < finding.high


def test_weighted_class_averages(study):
    draw = np.random.default_rng(5)
    labels, group = draw.integers(0, 3, 120), draw.choice(["a", "b"], 120)
    dense = np.where(draw.random((1, 120)) < 0.8, labels, draw.integers(0, 3, 120))
    weight = draw.choice([0.0, 1.0, 3.0], 120)
    made = study(labels, dense, {0.5: dense}, columns={"group_g": group, "weight": weight})
    codes = np.unique(group, return_inverse=True)[1]
    expected = rates.false_positive_rate(count(dense, labels, codes, 2, 3, weight))[0]
    value = one(found(made, Plan()), "group_fpr", "g=b").parent
    assert value == pytest.approx(expected[1])


def test_planted_harm_is_found_and_only_there(study):
    plan = Plan(positive="yes")
    for harm, expected in ((0.05, True), (0.0, False)):
        labels, dense, pruned, group = binary(seed=1, n=6000, parents=5, harm=harm)
        made = study(
            labels, dense, {0.5: pruned}, columns={"group_g": group}, classes=("no", "yes")
        )
        families = subgroup_findings(made.block, made.evidence, made.arms, plan)
        corrected = correct(families, plan.alpha)
        harmed = one(corrected, "group_fpr", "g=b", "yes")
        assert (harmed.p_adjusted < plan.alpha and harmed.change > 0.03) is expected
        spared = one(corrected, "group_fpr", "g=a", "yes")
        assert spared.p_adjusted > plan.alpha
        assert abs(spared.change) < 0.01


def test_small_denominators_keep_their_values_and_make_no_claim(study):
    labels, dense, pruned, _ = binary(n=100)
    group = np.where(np.arange(100) < 7, "few", "many")
    made = study(labels, dense, {0.5: pruned}, columns={"group_g": group}, classes=("no", "yes"))
    few = one(found(made, Plan(positive="yes")), "group_accuracy", "g=few")
    assert few.n == 7
    assert few.change is not None
    assert (few.p, few.standard_error, few.df, few.detectable) == (None,) * 4
    assert "7 examples in the denominator, of the 30" in few.reason
    assert one(found(made, Plan(positive="yes")), "group_accuracy", "g=many").p is not None


def test_minimum_n_is_of_the_rates_own_denominator(study):
    labels = np.r_[np.ones(20, int), np.zeros(80, int)]
    predicted = labels[None, :]
    made = study(
        labels,
        predicted,
        {0.5: predicted},
        columns={"group_g": ["a"] * 50 + ["b", "c"] * 25},
        classes=("no", "yes"),
    )
    all_found = found(made, Plan(positive="yes"))
    assert one(all_found, "group_fnr", "g=a", "yes").p is None  # 20 positives
    assert one(all_found, "group_fpr", "g=a", "yes").p is not None  # 30 negatives


def test_clusters_are_what_is_counted(study):
    labels, dense, pruned, group = binary(n=200)
    cluster = np.arange(200) // 10
    made = study(
        labels,
        dense,
        {0.5: pruned},
        columns={"group_g": group, "cluster": cluster},
        classes=("no", "yes"),
    )
    finding = one(found(made, Plan(positive="yes")), "group_accuracy", "g=a")
    assert finding.n > 30
    assert finding.p is None
    assert "20 clusters in the denominator" in finding.reason


def test_tiers_crossings_and_screens(study):
    labels, dense, pruned, group = binary()
    made = study(
        labels,
        dense,
        {0.5: pruned},
        columns={"group_g": group, "group_h": np.roll(group, 1)},
        classes=("no", "yes"),
    )
    families = subgroup_findings(made.block, made.evidence, made.arms, Plan())
    tiers = {(family.name, family.tier) for family in families}
    assert tiers == {(FAMILY, "C"), (SCREEN, "D"), (FURTHER, "D")}
    (screen,) = [family for family in families if family.name == SCREEN]
    assert {f.groups.count("&") for f in screen.findings if f.class_ is None} == {1}
    per_class = {f.measure for f in screen.findings if f.class_ == "yes"}
    assert per_class == {"group_fnr", "group_fpr", "group_selection_rate"}
    none = subgroup_findings(made.block, made.evidence, made.arms, Plan(screen_cells=0))
    assert not any(f.class_ for family in none for f in family.findings)


@pytest.mark.parametrize("widest", [1, 4_000_000])
def test_each_class_within_each_group_is_one_against_the_rest(study, monkeypatch, widest):
    monkeypatch.setattr("audit.judgement.classes.in_groups.WIDEST", widest)
    draw = np.random.default_rng(6)
    labels, group = draw.integers(0, 3, 240), draw.choice(["a", "b"], 240)
    dense = np.where(draw.random((2, 240)) < 0.8, labels, draw.integers(0, 3, 240))
    pruned = np.where(draw.random((2, 240)) < 0.8, dense, draw.integers(0, 3, 240))
    columns = {"group_g": group, "cluster": np.arange(240) // 2, "weight": draw.choice([1, 2], 240)}
    made = study(labels, dense, {0.5: pruned}, columns=columns)
    screened = found(made, Plan())
    for code, name in enumerate(made.evidence.classes):
        alone = study(
            labels == code,
            dense == code,
            {0.5: pruned == code},
            columns=columns,
            classes=("other", name),
        )
        binary_found = found(alone, Plan(positive=name))
        for measure in ("group_fpr", "group_fnr", "group_selection_rate"):
            ours = one(screened, measure, "g=b", name)
            theirs = one(binary_found, measure, "g=b", name)
            for field in ("parent", "pruned", "change", "low", "high", "p", "n", "discordant"):
                assert getattr(ours, field) == pytest.approx(getattr(theirs, field)), field


def test_identical_populations_move_nothing(study):
    labels, dense, _, group = binary()
    made = study(labels, dense, {0.5: dense}, dense, columns={"group_g": group})
    for finding in found(made, Plan()):
        assert finding.change in (0.0, None)
        assert finding.p in (1.0, None)


def test_one_group_and_one_member(study):
    labels = np.zeros(1, int)
    made = study(labels, [[0]], {0.5: [[0]]}, columns={"group_g": ["only"]}, classes=("a", "b"))
    for finding in found(made, Plan()):
        assert finding.p is None
    gap = one(found(made, Plan()), "excess_gap", "g=only")
    assert gap.change == 0.0
    assert "everybody is in this group" in gap.reason


def test_unknown_parents_are_not_paired(study):
    made = study(
        [0, 1], [[0, 1]], {0.5: [[0, 1]]}, columns={"group_g": ["a", "b"]}, named_parents=False
    )
    assert found(made, Plan()) == []
