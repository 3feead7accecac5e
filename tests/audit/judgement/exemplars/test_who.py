"""Who the exemplars are: how sure models are of them, how lasting, where, and how labelled."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from audit.judgement.exemplars import exemplar_families
from audit.judgement.exemplars.populations import case
from audit.judgement.exemplars.stability import onsets
from audit.judgement.exemplars.sureness import gap_of_means
from audit.judgement.labels.suspicion import suspicion
from audit.judgement.pairs import design
from audit.judgement.plan import Plan

NONE = np.zeros(0, dtype=np.int64)


def softened(made, sharp=4.0, noise=0.5):
    """The study with probabilities that favour what each model predicts, and their largest."""
    classes = len(made.evidence.classes)
    votes = made.block.predicted

    def probabilities(condition, row):
        draw = np.random.default_rng(row)
        z = draw.normal(0.0, noise, (votes.shape[1], classes)) + sharp * np.eye(classes)[votes[row]]
        return (np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)).astype(np.float32)

    sure = np.stack([probabilities(None, row).max(axis=1) for row in range(len(votes))])
    block = replace(made.block, confidence=sure)
    evidence = replace(made.evidence, probabilities=probabilities, load=lambda _condition: block)
    return replace(made, block=block, evidence=evidence)


def random_study(study, parents=5, n=300, controls=True, **kwargs):
    draw = np.random.default_rng(0)
    hard, labels = draw.beta(0.6, 2.0, n), draw.integers(0, 3, n)

    def models(more):
        wrong = draw.random((parents, n)) < np.minimum(hard * more, 1.0)
        return np.where(wrong, draw.integers(0, 3, (parents, n)), labels)

    dense, control = models(1.0), models(1.0)
    pruned = {0.5: models(1.4), 0.9: models(2.0)}
    return study(labels, dense, pruned, control if controls else None, **kwargs)


def ask(made, sparsity=0.9, **plan):
    suspects = suspicion(made.evidence, made.block.condition)
    families, rows = exemplar_families(made.block, made.evidence, made.arms, Plan(**plan), suspects)
    every = [f for family in families for f in family.findings if f.sparsity == sparsity]
    return {(f.measure, f.groups): f for f in every if f.class_ is None}, rows


def test_the_probability_score_is_the_distance_of_mean_probabilities(study):
    made = softened(random_study(study))
    _, rows = ask(made)
    read, models = made.evidence.probabilities, made.evidence.models
    before = np.mean([read(None, row) for row in np.flatnonzero(models["role"] == "dense")], 0)
    for sparsity in (0.5, 0.9):
        there = np.flatnonzero((models["sparsity"] == sparsity) & (models["role"] == "pruned"))
        score = np.abs(before - np.mean([read(None, row) for row in there], 0)).sum(axis=1)
        own = rows[rows["sparsity"] == sparsity]
        assert own["probability_score"].to_numpy() == pytest.approx(score[own["example"]], abs=1e-5)
        assert not np.allclose(own["probability_score"], own["score"], atol=0.05)


def test_without_probabilities_nothing_of_them_is_said(study):
    found, rows = ask(random_study(study))
    for column in ("probability_score", "confidence", "margin", "suspected"):
        assert rows[column].isna().all()
    assert not {name for name, _ in found} & {"margin_on_pies", "label_errors_on_pies"}


def test_a_pruned_model_without_probabilities_leaves_the_parents_suspicions(study):
    made = softened(random_study(study))
    parents = set(np.flatnonzero(made.evidence.models["role"] == "dense").tolist())
    whole = made.evidence.probabilities
    some = replace(
        made.evidence, probabilities=lambda c, row: whole(c, row) if row in parents else None
    )
    found, rows = ask(replace(made, evidence=some))
    assert rows["probability_score"].isna().all()
    assert rows["suspected"].notna().all()
    assert ("label_errors_on_pies", None) in found


def test_confidence_and_margin_on_and_off_exemplars(study):
    made = softened(random_study(study))
    found, rows = ask(made)
    pies = rows[(rows["sparsity"] == 0.9) & (rows["kind"] != "undecided")]
    on, off = found["confidence_on_pies", None], found["confidence_off_pies", None]
    dense = made.block.confidence[made.evidence.models["role"] == "dense"]
    here = np.isin(np.arange(300), pies["example"])
    assert on.parent == pytest.approx(dense[:, here].mean())
    assert off.parent == pytest.approx(dense[:, ~here].mean())
    assert on.change == pytest.approx(on.pruned - on.parent)
    assert on.low < on.change < on.high
    assert (on.n, off.n, on.p) == (here.sum(), 300 - here.sum(), None)
    gap = found["pie_confidence_gap", None]
    assert gap.pruned == pytest.approx(on.parent - off.parent)
    assert gap.control == pytest.approx(on.control - off.control)
    assert found["pie_margin_gap", None].pruned is not None
    assert pies["confidence"].mean() == pytest.approx(on.parent)
    assert pies["margin"].mean() == pytest.approx(found["margin_on_pies", None].parent)


def test_the_gap_is_a_difference_of_two_means_with_welchs_error(study):
    """Unweighted and unclustered, its error is Welch's up to n / (n − 1) in each variance."""
    made = random_study(study)
    one = case(made.block, made.arms[0], design(made.evidence, Plan()), NONE)
    draw = np.random.default_rng(1)
    values, on = draw.normal(size=300), np.arange(300) < 120
    gap, low, high = gap_of_means(values, on, one)
    assert gap == pytest.approx(values[on].mean() - values[~on].mean())
    error = np.sqrt(values[on].var(ddof=1) / 120 + values[~on].var(ddof=1) / 180)
    assert (high - low) / 2 == pytest.approx(stats.t.ppf(0.975, 119) * error, rel=0.01)


def test_suspected_labels_among_exemplars_by_hand(study):
    """40 of 400 labels are wrong and every parent knows; 30 of the 40 and 30 others are exemplars.

    Half of the exemplars are suspected, and 10 of the other 340.
    """
    labels = np.repeat([0, 1], 200)
    parent = labels.copy()
    parent[:40] = 1
    pruned = parent.copy()
    pruned[:30], pruned[300:330] = 0, 0
    whole = study(labels, [parent] * 3, {0.9: [pruned] * 3}, [parent] * 3)
    made = softened(whole, noise=0.0)
    found, rows = ask(made)
    on, off = found["label_errors_on_pies", None], found["label_errors_off_pies", None]
    assert (on.pruned, on.n) == (pytest.approx(30 / 60), 60)
    assert (off.pruned, off.n) == (pytest.approx(10 / 340), 340)
    assert on.low < 0.5 < on.high
    assert on.control is None
    assert off.control == pytest.approx(40 / 400)
    assert rows.set_index("example")["suspected"].loc[[0, 29, 300]].tolist() == [True, True, False]


def test_an_unlabelled_example_is_nobodys_suspect(study):
    labels = np.where(np.arange(90) < 30, -1, 0)
    made = softened(study(labels, np.zeros((3, 90)), {0.9: np.ones((3, 90))}, classes=("a", "b")))
    found, rows = ask(made)
    assert rows.set_index("example")["suspected"].isna().tolist() == [True] * 30 + [False] * 60
    assert found["label_errors_on_pies", None].n == 60


def ladder(study, **kwargs):
    """Five examples at .3, .5 and .9. 0: always. 1: from .5 on. 2: at .3 and .9. 3: at .3 and .5.

    4: at .3; at .5 parents and children tie; at .9 again.
    """
    dense = np.zeros((4, 5), dtype=int)
    levels = {level: dense.copy() for level in (0.3, 0.5, 0.9)}
    for level, where in ((0.3, [0, 2, 3, 4]), (0.5, [0, 1, 3]), (0.9, [0, 1, 2, 4])):
        levels[level][:, where] = 1
    levels[0.5][:2, 4] = 1
    return study(np.zeros(5, dtype=int), dense, levels, **kwargs)


def test_onset_and_staying_by_hand(study):
    """Onsets .3, .5, .9, never, .9: a tie is no exemplar.

    Of four at .3 one stays, of three at .5 two.
    """
    made = ladder(study)
    known = design(made.evidence, Plan())
    cases = [case(made.block, arm, known, NONE) for arm in made.arms]
    first = onsets(cases, 5)["magnitude"]
    assert first[[0, 1, 2, 4]].tolist() == [0.3, 0.5, 0.9, 0.9]
    assert np.isnan(first[3])
    at = {level: ask(made, level)[0] for level in (0.3, 0.5, 0.9)}
    assert [at[s]["pie_onset", None].pruned for s in (0.3, 0.5, 0.9)] == [1, 1, 2]
    assert at[0.3]["pie_staying", None].pruned == pytest.approx(1 / 4)
    assert at[0.5]["pie_staying", None].pruned == pytest.approx(2 / 3)
    assert ("pie_staying", None) not in at[0.9]
    assert at[0.3]["pie_staying", None].low < 1 / 4 < at[0.3]["pie_staying", None].high


def test_a_level_at_which_an_example_was_not_shown_says_nothing_of_it(study):
    made = ladder(study)
    predicted = made.block.predicted.copy()
    most = made.arms[-1]
    predicted[most.pruned[0], [1, 3]] = -1
    known = design(made.evidence, Plan())
    block = replace(made.block, predicted=predicted)
    cases = [case(block, arm, known, NONE) for arm in made.arms]
    assert onsets(cases, 5)["magnitude"][[1, 3]].tolist() == [0.5, 0.3]


def test_one_sparsity_has_no_staying_and_an_unstated_one_no_onset(study):
    made = ladder(study)
    families, rows = exemplar_families(made.block, made.evidence, made.arms[:1], Plan())
    assert not [f for f in families[0].findings if f.measure in ("pie_onset", "pie_staying")]
    unstated = (*made.arms[:2], replace(made.arms[2], sparsity=None))
    families, rows = exemplar_families(made.block, made.evidence, unstated, Plan())
    onset = rows[rows["sparsity"] == 0.5].set_index("example")["onset"]
    assert onset[[0, 1, 3]].tolist() == [0.3, 0.5, 0.3]
    assert rows[rows["sparsity"].isna()].set_index("example")["onset"][0] == 0.3


def test_groups_are_the_audit_of_their_members_alone(study):
    """Every group's share, floor and p are what the same audit of its examples alone gives."""
    group = np.where(np.arange(300) % 3 == 0, "x", "y")
    made = random_study(study, columns={"group_g": group})
    found, _ = ask(made, minimum_n=10)
    inside = np.flatnonzero(group == "x")
    labels, block = made.evidence.labels[inside], made.block.predicted[:, inside]
    alone = study(labels, block[:5], {0.5: block[5:10], 0.9: block[10:15]}, block[15:])
    expected = ask(alone, minimum_n=10)[0]["pie_excess", None]
    one = found["group_pie_excess", "g=x"]
    for name in ("pruned", "control", "change", "low", "high", "p", "p_floor", "n", "parents"):
        assert getattr(one, name) == getattr(expected, name), name
    assert one.id != expected.id


def test_without_labels_exemplars_are_counted_in_every_group(study):
    """Shadow traffic: nobody knows the answer, and the excess over the controls is asked all the
    same, overall and in each group."""
    group = np.where(np.arange(300) % 2 == 0, "x", "y")
    whole = random_study(study, columns={"group_g": group})
    nobody = whole.evidence.examples.assign(label=-1)
    made = softened(replace(whole, evidence=replace(whole.evidence, examples=nobody)))
    known, rows = ask(whole)[0], ask(made)[1]
    found = ask(made)[0]
    for key in (("pie_count", None), ("pie_excess", None), ("group_pie_excess", "g=x")):
        assert (found[key].pruned, found[key].p) == (known[key].pruned, known[key].p)
    assert found["pie_over_representation", "g=x"].pruned is not None
    assert found["pie_harmed", None].outcome == "not_asked"
    assert rows["probability_score"].notna().all()
    assert rows["suspected"].isna().all()


def test_identical_populations_have_nobody_to_describe(study):
    labels = np.arange(60) % 2
    same = np.tile(labels, (3, 1))
    made = softened(study(labels, same, {0.9: same}, same, columns={"group_g": ["x"] * 60}))
    found, rows = ask(made)
    assert len(rows) == 0
    assert found["group_pie_excess", "g=x"].p == 1.0
    for name in ("confidence_on_pies", "pie_margin_gap", "label_errors_on_pies"):
        assert found[name, None].outcome == "not_asked"
