from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from audit.evidence.blocks import NOT_SHOWN
from audit.judgement.exemplars import exemplar_families
from audit.judgement.inference.families import correct
from audit.judgement.plan import Plan


def ask(made, **plan):
    return exemplar_families(made.block, made.evidence, made.arms, Plan(**plan))


def findings(made, sparsity=0.5, **plan):
    families, _ = ask(made, **plan)
    every = [f for family in families for f in family.findings if f.sparsity == sparsity]
    return {f.measure: f for f in every if f.subject is None}, {
        (f.measure, f.subject): f for f in every if f.subject is not None
    }


def hand_made(study, **kwargs):
    """Six examples, three parents, three pruned models, three controls; labels all 0.

    0: right → wrong: harmed.  1: wrong → right: mended.  2: 1 → 2: moved.  3: parents tie, and the
    vote changed: undecided.  4: parents tie and nothing changed.  5: nothing changed.
    """
    dense = np.array([[0, 1, 1, 0, 0, 0], [0, 1, 1, 1, 1, 0], [1, 0, 1, 2, 2, 0]])
    pruned = np.array([[1, 0, 2, 0, 0, 0], [1, 0, 2, 0, 1, 0], [0, 1, 2, 0, 2, 0]])
    control = dense.copy()
    control[:, 0] = 1
    return study(
        np.zeros(6, dtype=int), dense, {0.5: pruned}, control, classes=("a", "b", "c"), **kwargs
    )


def test_counts_and_kinds_by_hand(study):
    found, _ = findings(hand_made(study))
    assert found["pie_count"].pruned == 3
    assert found["pie_count"].control == 1
    assert {kind: found[f"pie_{kind}"].pruned for kind in ("harmed", "mended", "moved")} == {
        "harmed": 1,
        "mended": 1,
        "moved": 1,
    }
    assert found["pie_undecided"].pruned == 1
    assert found["pie_harmed"].control == 1
    assert (found["pie_count"].n, found["pie_count"].unit) == (6, "count")
    assert found["pie_excess"].pruned == pytest.approx(3 / 6)
    assert found["pie_excess"].control == pytest.approx(1 / 6)
    assert found["pie_excess"].change == pytest.approx(2 / 6)
    assert found["pie_excess"].generalises_to == "examples"
    assert found["pie_excess"].parents == 3


def test_the_rows_by_hand(study):
    _, rows = ask(hand_made(study))
    assert rows["example"].tolist() == [2, 3, 0, 1]
    assert rows["kind"].tolist() == ["moved", "undecided", "harmed", "mended"]
    assert rows["score"].tolist() == pytest.approx([2.0, 4 / 3, 2 / 3, 2 / 3])
    assert rows["parent_label"].fillna("tie").tolist() == ["b", "tie", "a", "b"]
    assert rows["pruned_label"].tolist() == ["c", "a", "b", "a"]
    assert set(rows["label"]) == {"a"}
    assert rows["method"].unique().tolist() == ["magnitude"]


def test_the_largest_class_wins_ties_for_replication(study):
    """Example 3 ties between 0, 1, 2 → 2; example 4 ties alike before and after: no exemplar."""
    made = hand_made(study)
    found, _ = findings(made, ties="largest")
    assert found["pie_count"].pruned == 4
    assert found["pie_undecided"].pruned == 0
    _, rows = ask(made, ties="largest")
    assert rows.set_index("example")["parent_label"][3] == "c"


def random_population(draw, parents, n, harder=0.0):
    hard = draw.beta(0.6, 2.0, n)
    labels = draw.integers(0, 4, n)

    def models(more):
        wrong = draw.random((parents, n)) < np.minimum(hard + more * hard, 1.0)
        return np.where(wrong, draw.integers(0, 4, (parents, n)), labels)

    dense = models(0.0)

    def child(more):
        return np.where(draw.random((parents, n)) < 0.4, models(more), dense)

    return labels, dense, child(harder), child(0.0)


def test_rows_and_counts_agree_and_are_sorted(study):
    draw = np.random.default_rng(0)
    labels, dense, pruned, control = random_population(draw, 5, 300, 1.0)
    made = study(labels, dense, {0.5: pruned, 0.3: control}, control)
    families, rows = ask(made)
    counts = {(f.sparsity, f.measure): f.pruned for f in families[0].findings if f.unit == "count"}
    for sparsity in (0.3, 0.5):
        here = rows[rows["sparsity"] == sparsity]
        for kind in ("harmed", "mended", "moved", "undecided"):
            assert (here["kind"] == kind).sum() == counts[sparsity, f"pie_{kind}"]
        decided = (here["kind"] != "undecided").sum()
        assert decided == counts[sparsity, "pie_count"]
    order = rows.sort_values(["method", "sparsity", "score", "example"], ascending=[1, 1, 0, 1])
    assert order.index.tolist() == rows.index.tolist()
    assert list(rows.columns)[:8] == [
        "example", "method", "sparsity", "label", "parent_label", "pruned_label", "kind", "score",
    ]  # fmt: skip


def test_onset_is_where_an_example_becomes_an_exemplar_and_stays_one(study):
    """Example 0 at .5 and .9: from .5 on. 1 only at .9. 2 only at .5: it did not stay. 3 never."""
    dense = np.zeros((3, 4), dtype=int)
    half, most = dense.copy(), dense.copy()
    half[:, [0, 2]], most[:, [0, 1]] = 1, 1
    _, rows = ask(study(np.zeros(4, dtype=int), dense, {0.3: dense, 0.5: half, 0.9: most}))
    onset = {(row.example, row.sparsity): row.onset for row in rows.itertuples()}
    assert onset[0, 0.5] == onset[0, 0.9] == 0.5
    assert onset[1, 0.9] == 0.9
    assert np.isnan(onset[2, 0.5])


def test_parents_are_worse_on_exemplars_even_without_any_change(study):
    """The exemplars of the controls show it: no pruning, and still far less accurate there."""
    draw = np.random.default_rng(1)
    labels, dense, pruned, control = random_population(draw, 7, 2000)
    found, _ = findings(study(labels, dense, {0.5: pruned}, control))
    on, off = found["accuracy_on_pies"], found["accuracy_off_pies"]
    assert on.parent < off.parent - 0.2
    assert on.control < off.control - 0.2
    assert on.n == found["pie_count"].pruned
    assert on.n + off.n == 2000
    assert on.p is None


def test_accuracy_on_exemplars_by_hand(study):
    """On examples 0, 1, 2 parents are right 3 of 9 times, pruned models 3 of 9."""
    found, _ = findings(hand_made(study))
    assert found["accuracy_on_pies"].parent == pytest.approx(3 / 9)
    assert found["accuracy_on_pies"].pruned == pytest.approx(3 / 9)
    assert found["accuracy_on_pies"].control == pytest.approx(2 / 3)
    assert found["accuracy_off_pies"].parent == pytest.approx((1 + 1 + 3) / 9)


def test_over_representation_by_hand_and_by_fisher(study):
    """40 of class a with 12 exemplars, 160 of b with 4: rates .3 and .08 overall: 3.75 times."""
    labels = np.repeat([0, 1], [40, 160])
    pruned = labels.copy()
    pruned[:12] = 1
    pruned[40:44] = 0
    groups = np.where(np.arange(200) % 2 == 0, "even", "odd")
    made = study(
        labels, np.tile(labels, (3, 1)), {0.5: np.tile(pruned, (3, 1))},
        np.tile(labels, (3, 1)), columns={"group_parity": groups},
    )  # fmt: skip
    _, found = findings(made)
    a = found["pie_over_representation", "class-0"]
    assert a.pruned == pytest.approx(0.3 / 0.08)
    assert a.control is None
    assert (a.n, a.unit) == (40, "ratio")
    assert a.low < 3.75 < a.high
    upper = stats.fisher_exact([[12, 28], [4, 156]], alternative="greater").pvalue
    assert a.p == pytest.approx(2 * upper)
    even = found["pie_over_representation", "parity=even"]
    assert even.groups == "parity=even"
    assert even.pruned == pytest.approx(1.0)
    assert even.p == 1.0


def test_clusters_and_weights_widen_over_representation(study):
    draw = np.random.default_rng(2)
    labels = np.repeat([0, 1], [100, 300])
    pruned = np.where(draw.random(400) < np.where(labels == 0, 0.3, 0.1), 1 - labels, labels)
    clusters = np.arange(400) // 2
    plain = study(labels, [labels] * 3, {0.5: [pruned] * 3})
    grouped = study(labels, [labels] * 3, {0.5: [pruned] * 3}, columns={"cluster": clusters})
    key = ("pie_over_representation", "class-0")
    one, other = findings(plain)[1][key], findings(grouped)[1][key]
    assert other.pruned == pytest.approx(one.pruned)
    assert other.p is not None
    assert other.p != one.p
    heavy = np.where(labels == 0, 2.0, 1.0)
    weighted = study(labels, [labels] * 3, {0.5: [pruned] * 3}, columns={"weight": heavy})
    rate = np.average(pruned != labels, weights=heavy)
    assert findings(weighted)[1][key].pruned == pytest.approx(
        (pruned != labels)[:100].mean() / rate
    )


def test_few_of_a_class_make_no_claim(study):
    labels = np.repeat([0, 1], [29, 100])
    pruned = labels.copy()
    pruned[:9] = 1
    found = findings(study(labels, [labels] * 3, {0.5: [pruned] * 3}))[1]
    small = found["pie_over_representation", "class-0"]
    assert small.p is None
    assert small.pruned is not None
    assert "29 examples" in small.reason


def test_without_controls_the_floor_is_of_halves(study):
    draw = np.random.default_rng(3)
    labels, dense, pruned, _ = random_population(draw, 7, 200)
    found, _ = findings(study(labels, dense, {0.5: pruned}))
    assert found["pie_count"].control is None
    assert found["pie_excess"].control > 0
    assert found["pie_excess"].p_floor == 2 / 2**7
    assert "halves of 3 parents" in found["pie_excess"].reason


def test_without_controls_five_parents_are_too_few(study):
    draw = np.random.default_rng(4)
    labels, dense, pruned, _ = random_population(draw, 5, 50)
    found, _ = findings(study(labels, dense, {0.5: pruned}))
    assert found["pie_excess"].outcome == "not_asked"
    assert "at least 6 parents" in found["pie_excess"].reason
    assert found["pie_count"].pruned is not None


def test_some_controls_are_used_for_the_parents_that_have_them(study):
    draw = np.random.default_rng(5)
    labels, dense, pruned, control = random_population(draw, 7, 100)
    found, _ = findings(study(labels, dense, {0.5: pruned}, control[:5]))
    assert found["pie_excess"].parents == 5
    assert found["pie_excess"].p_floor == 1 / 2**5
    assert found["pie_count"].parents == 7
    assert found["pie_count"].control is None


def test_without_parents_the_count_is_unpaired_and_the_excess_not_asked(study):
    draw = np.random.default_rng(6)
    labels, dense, pruned, control = random_population(draw, 7, 100)
    paired, _ = findings(study(labels, dense, {0.5: pruned}, control))
    found, _ = findings(study(labels, dense, {0.5: pruned}, control, named_parents=False))
    assert found["pie_count"].pruned == paired["pie_count"].pruned
    assert "no pruned model names its parent" in found["pie_count"].reason
    assert found["pie_excess"].outcome == "not_asked"


def test_without_dense_models_nothing_is_asked(study):
    made = study([0, 1], np.zeros((0, 2)), {0.5: np.ones((2, 2))}, named_parents=False)
    families, rows = ask(made)
    (finding,) = families[0].findings
    assert (finding.measure, finding.outcome) == ("pie_count", "not_asked")
    assert len(rows) == 0


def test_one_model_is_a_population_of_one(study):
    labels = np.zeros(40, dtype=int)
    dense, pruned = np.zeros((1, 40), dtype=int), np.zeros((1, 40), dtype=int)
    pruned[0, :4] = 1
    found, _ = findings(study(labels, dense, {0.5: pruned}, dense))
    assert found["pie_count"].pruned == 4
    assert found["pie_excess"].p_floor == 0.5


def test_even_numbers_of_parents_are_said(study):
    labels = np.zeros(40, dtype=int)
    found, _ = findings(study(labels, np.zeros((4, 40)), {0.5: np.zeros((4, 40))}))
    assert "even" in found["pie_count"].reason


def test_all_predictions_equal(study):
    labels = np.zeros(40, dtype=int)
    same = np.zeros((3, 40), dtype=int)
    found, members = findings(study(labels, same, {0.5: same}, same))
    assert found["pie_count"].pruned == 0
    assert (found["pie_excess"].change, found["pie_excess"].p) == (0.0, 1.0)
    assert found["accuracy_on_pies"].outcome == "not_asked"
    assert members["pie_over_representation", "class-0"].outcome == "not_asked"


def test_a_single_example_and_none(study):
    found, _ = findings(study([0], np.zeros((3, 1)), {0.5: np.ones((3, 1))}, np.zeros((3, 1))))
    assert found["pie_count"].pruned == 1
    assert found["pie_excess"].p is None
    shown = np.full((3, 5), NOT_SHOWN)
    found, _ = findings(study(np.zeros(5), shown, {0.5: shown}, shown))
    assert found["pie_count"].outcome == "not_asked"
    assert found["pie_excess"].outcome == "not_asked"


def test_an_example_that_one_model_was_not_shown_is_left_out(study):
    labels = np.zeros(40, dtype=int)
    pruned = np.ones((3, 40), dtype=int)
    pruned[1, :7] = NOT_SHOWN
    found, _ = findings(study(labels, np.zeros((3, 40)), {0.5: pruned}))
    assert (found["pie_count"].pruned, found["pie_count"].n) == (33, 33)


def test_unlabelled_exemplars_count_and_have_no_kind(study):
    labels = np.array([-1] * 40)
    families, rows = ask(
        study(labels, np.zeros((3, 40)), {0.5: np.ones((3, 40))}, classes=("a", "b"))
    )
    counts = {f.measure: f.pruned for f in families[0].findings if f.unit == "count"}
    assert counts["pie_count"] == 40
    kinds = [f for f in families[0].findings if f.measure in ("pie_harmed", "pie_moved")]
    assert {(f.pruned, f.outcome, f.n) for f in kinds} == {(None, "not_asked", 0)}
    assert all("add a column `label`" in f.reason for f in kinds)
    assert rows["kind"].isna().all()
    assert rows["label"].isna().all()


def test_levels_are_tested_in_sequence_from_the_largest(study):
    """Per method the p of a level is the largest so far; two methods would cost a factor of two."""
    draw = np.random.default_rng(7)
    labels, dense, pruned, control = random_population(draw, 7, 150, 2.0)
    made = study(labels, dense, {0.3: control, 0.5: pruned, 0.9: pruned}, control)
    families, _ = ask(made)
    excess = {f.sparsity: f for f in families[0].findings if f.measure == "pie_excess"}
    assert excess[0.9].p_adjusted == excess[0.9].p
    assert excess[0.5].p_adjusted == max(excess[0.5].p, excess[0.9].p)
    assert excess[0.3].p_adjusted == 1.0


def test_methods_are_corrected_against_each_other(study):
    draw = np.random.default_rng(7)
    labels, dense, pruned, control = random_population(draw, 7, 150, 2.0)
    made = study(labels, dense, {0.5: pruned, 0.9: pruned}, control)
    arms = (replace(made.arms[0], method="random"), made.arms[1])
    families, rows = exemplar_families(made.block, made.evidence, arms, Plan())
    excess = [f for f in families[0].findings if f.measure == "pie_excess"]
    assert [f.p_adjusted for f in excess] == [2 * f.p for f in excess]
    assert rows["method"].unique().tolist() == ["magnitude", "random"]


def test_a_level_is_not_claimed_where_a_larger_one_is_not(study):
    draw = np.random.default_rng(7)
    labels, dense, pruned, control = random_population(draw, 7, 150, 2.0)
    families, _ = ask(study(labels, dense, {0.3: pruned, 0.9: control}, control))
    excess = {f.sparsity: f for f in families[0].findings if f.measure == "pie_excess"}
    assert excess[0.3].p < 0.05
    assert excess[0.9].p == excess[0.3].p_adjusted == 1.0


def test_the_families_are_corrected_without_a_hitch(study):
    draw = np.random.default_rng(8)
    labels, dense, pruned, control = random_population(draw, 7, 400, 2.0)
    families, _ = ask(study(labels, dense, {0.9: pruned}, control))
    done = correct(families, 0.05)
    tiers = {f.measure: f.tier for f in done}
    assert (tiers["pie_excess"], tiers["pie_over_representation"]) == ("B", "C")
    excess = next(f for f in done if f.measure == "pie_excess")
    assert excess.p_adjusted <= 0.05
    assert excess.change > 0


def test_the_excess_covers_the_truth_for_these_models(study):
    """New examples, the same models: the share of all examples is inside the interval."""
    draw = np.random.default_rng(9)
    labels, dense, pruned, control = random_population(draw, 5, 20_000, 1.0)
    whole, _ = findings(study(labels, dense, {0.5: pruned}, control))
    truth, inside = whole["pie_excess"].change, 0
    for _ in range(100):
        pick = draw.integers(0, 20_000, 300)
        part = study(labels[pick], dense[:, pick], {0.5: pruned[:, pick]}, control[:, pick])
        one = findings(part)[0]["pie_excess"]
        inside += one.low <= truth <= one.high
    assert inside >= 89


def test_an_unstated_sparsity_has_rows_and_no_onset(study):
    made = study(np.zeros(4, dtype=int), np.zeros((3, 4)), {0.5: np.ones((3, 4))})
    (arm,) = made.arms
    unstated = (replace(arm, sparsity=None),)
    families, rows = exemplar_families(made.block, made.evidence, unstated, Plan())
    assert {f.sparsity for f in families[0].findings} == {None}
    assert rows["example"].tolist() == [0, 1, 2, 3]
    assert rows["sparsity"].isna().all()
    assert rows["onset"].isna().all()
