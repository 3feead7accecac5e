"""The search as findings: a planted slice is found, null data give honest p, and what cannot be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from audit.judgement.inference.families import correct
from audit.judgement.plan import Plan, Search
from audit.judgement.search import search_families

PLAN = Plan(search=Search())


def population(study, seed, n=1200, parents=3, planted=0.0, columns=4, **more):
    """Everybody loses 3 points; camera=1 & site=2 may lose `planted` more."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 5, n)
    names = ["camera", "site", *(f"c{i}" for i in range(columns - 2))]
    about = {f"meta_{name}": draw.integers(0, 4, n).astype(str) for name in names}
    inside = (about["meta_camera"] == "1") & (about["meta_site"] == "2")
    dense = np.tile(labels, (parents, 1))
    lost = draw.random((parents, n)) < 0.03 + planted * inside
    pruned = np.where(lost, (labels + 1) % 5, labels)
    return study(labels, dense, {0.7: pruned}, columns={**about, **more})


def ask(case, plan=PLAN):
    return search_families(case.block, case.evidence, case.arms, plan)[0].findings


def test_nothing_is_asked_unless_the_plan_does(study):
    case = population(study, 0)
    assert search_families(case.block, case.evidence, case.arms, Plan()) == []


def test_a_planted_slice_is_found_and_both_halves_are_told(study):
    found = ask(population(study, 0, n=2400, planted=0.5))
    tested, chosen = found[:2]
    assert tested.groups == chosen.groups == "camera=1 & site=2"
    assert (tested.measure, chosen.measure) == ("searched_slice", "found_slice")
    assert tested.change == pytest.approx(0.5, abs=0.15)
    assert tested.p_adjusted is not None
    assert tested.p_adjusted < 1e-4
    assert tested.reason is not None
    assert f"n = {chosen.n:,}" in tested.reason
    assert chosen.p is None
    assert chosen.low is None
    assert tested.n is not None
    assert chosen.n is not None
    assert abs(tested.n - chosen.n) < 40


def test_the_same_table_without_it_is_not_flagged(study):
    for seed in range(5):
        found = ask(population(study, seed))
        assert all(f.p_adjusted is None or f.p_adjusted > 0.01 for f in found)


def null(study, seed, n=400):
    """One parent and one pruned model that err independently on 30 % each: no slice loses more."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 3, n)
    about = {f"meta_{i}": draw.integers(0, 3, n).astype(str) for i in range(5)}
    wrong = (labels + 1) % 3
    dense, pruned = (np.where(draw.random((1, n)) < 0.3, wrong, labels) for _ in range(2))
    return study(labels, dense, {0.7: pruned}, columns=about)


def test_null_p_are_uniform_or_larger_and_the_choice_flatters(study):
    """Over 150 null tables, on the half that tests, p ≤ a happens at most about a of the time.

    On the half that chose the slices their excess is above nothing every time; on the other its
    mean is nothing.
    """
    p, chosen, tested = [], [], []
    for seed in range(150):
        found = ask(null(study, seed), Plan(search=Search(), minimum_n=15))
        p += [f.p for f in found if f.measure == "searched_slice" and f.p is not None][:1]
        chosen += [f.change for f in found if f.measure == "found_slice"]
        tested += [f.change for f in found if f.measure == "searched_slice" and f.groups]
    assert len(p) > 75
    for level in (0.01, 0.05, 0.1, 0.25, 0.5):
        rejected = sum(value <= level for value in p)
        assert rejected <= stats.binom.ppf(0.999, len(p), level)
    assert min(chosen) > 0.1
    assert abs(np.mean(tested)) < 0.02


def test_holm_is_over_all_that_were_tested(study):
    """Three of six sites lose a little: three slices, and the smallest p counts three times."""
    draw = np.random.default_rng(0)
    site = draw.integers(0, 6, 1500)
    lost = draw.random((2, 1500)) < np.where(site < 3, 0.25, 0.0)
    labels = np.zeros(1500, dtype=int)
    about = {"meta_site": site.astype(str)}
    case = study(labels, [labels] * 2, {0.5: lost.astype(int)}, columns=about)
    found = correct(search_families(case.block, case.evidence, case.arms, PLAN), 0.05)
    tested = sorted((f for f in found if f.p is not None), key=lambda f: f.p)
    assert {f.groups for f in tested} == {"site=0", "site=1", "site=2"}
    assert tested[0].p_adjusted == pytest.approx(min(1.0, tested[0].p * 3))
    assert tested[0].tier == "D"
    assert "screen, no claim" in tested[0].reason


def test_no_slice_worth_testing_says_what_would_have_shown(study):
    labels = np.arange(400) % 4
    case = study(labels, [labels] * 2, {0.5: [labels] * 2}, columns={"meta_a": ["x", "y"] * 200})
    (found,) = ask(case)
    assert found.groups is None
    assert found.p is None
    assert found.outcome == "no_limit"
    assert found.n == 200
    assert found.detectable is not None
    assert 0.0 < found.detectable < 0.5
    assert "of 2 slices none" in (found.reason or "")


def test_the_order_of_rows_plays_no_part(study):
    case = population(study, 5, planted=0.3)
    order = np.random.default_rng(0).permutation(1200)
    examples = case.evidence.examples.iloc[order].reset_index(drop=True)
    block = replace(case.block, predicted=case.block.predicted[:, order])
    evidence = replace(case.evidence, examples=examples, load=lambda _: block)
    again = search_families(block, evidence, case.arms, PLAN)[0].findings
    assert [(f.groups, f.n) for f in again] == [(f.groups, f.n) for f in ask(case)]


def test_an_unlabelled_example_is_in_neither_half(study):
    case = population(study, 6, planted=0.5)
    blank = case.evidence.examples.copy()
    blank.loc[:599, "label"] = -1
    found = search_families(case.block, replace(case.evidence, examples=blank), case.arms, PLAN)[
        0
    ].findings
    sizes = [f.n for f in found if f.groups is None] or [
        2 * f.n for f in found if f.measure == "searched_slice"
    ]
    assert max(sizes) <= 300


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"columns": {}}, "add columns `group_…` or `meta_…`"),
        ({"columns": {"meta_a": ["x", "y"] * 100}, "named_parents": False}, "`parent`"),
        ({"columns": {"meta_a": ["x", "y"] * 100, "label": -1}}, "label"),
    ],
)
def test_what_cannot_be_asked_says_what_to_add(study, change, says):
    labels = np.arange(200) % 2
    case = study(labels, [labels], {0.5: [labels]}, **change)
    found = ask(case, Plan(search=Search(), minimum_n=5))
    assert {f.outcome for f in found} == {"not_asked"}
    assert all(says in (f.reason or "") for f in found)


def test_clusters_of_embeddings_are_searched(study):
    """Pruning fails on the heap of vectors around (9, 9), which no column names."""
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 3, 800)
    far = draw.random(800) < 0.25
    vectors = draw.normal(size=(800, 2)) + 9.0 * far[:, None]
    pruned = np.where(far & (draw.random((5, 800)) < 0.5), (labels + 1) % 3, labels)
    column = pd.Series(list(vectors.astype(np.float32)), dtype=object)
    case = study(labels, [labels] * 5, {0.7: pruned}, columns={"embedding": column})
    plan = Plan(search=Search(embeddings="embedding", clusters=2))
    tested = ask(case, plan)[0]
    assert (tested.groups or "").startswith("embedding cluster=")
    assert tested.p_adjusted is not None
    assert tested.p_adjusted < 1e-6
