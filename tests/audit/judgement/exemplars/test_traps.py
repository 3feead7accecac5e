"""What must never be done with exemplars, each as a case in which doing it goes wrong."""

import itertools

import numpy as np
import pytest

from audit.judgement.exemplars import exemplar_families, halves_floor, swap_pruned_and_control
from audit.judgement.exemplars.populations import populations
from audit.judgement.plan import Plan

NONE = np.zeros(0, dtype=np.int64)


def excess(study, labels, dense, pruned, control=None):
    made = study(labels, dense, {0.5: pruned}, control)
    families, _ = exemplar_families(made.block, made.evidence, made.arms, Plan())
    return {f.measure: f for f in families[0].findings}


def votes(study, dense, pruned, control=None):
    made = study(np.zeros(dense.shape[1], dtype=int), dense, {0.5: pruned}, control)
    return populations(made.block, made.arms[0], np.ones(dense.shape[1], dtype=bool), NONE)


def majority(models):
    return (models.mean(axis=0) > 0.5).astype(int)


def test_the_pie_count_is_never_permuted(study):
    """Seven parents and controls say 0 of ten examples, all seven pruned models say 1.

    Swap up to three pairs and every modal label stays: 64 of 128 swaps show as many exemplars, so
    that permuting their count gives p = .5. The taxicab totals give 1 / 128.
    """
    dense, pruned = np.zeros((7, 10), dtype=int), np.ones((7, 10), dtype=int)
    counts = []
    for swap in itertools.product([False, True], repeat=7):
        s = np.array(swap)[:, None]
        counts.append((majority(np.where(s, dense, pruned)) != majority(dense)).sum())
    assert np.mean(np.array(counts) >= counts[0]) == 0.5
    assert swap_pruned_and_control(votes(study, dense, pruned, dense), 100, 0).p == 1 / 128


def test_counts_at_different_numbers_of_models_are_never_compared(study):
    """Five of seven parents have a control: both shares are of those five, not of seven and five.

    The two parents without one are what makes the modal label at seven: 4 of 7 pruned models move,
    of the five only 2.
    """
    dense = np.zeros((7, 40), dtype=int)
    pruned = dense.copy()
    pruned[[0, 1, 5, 6]] = 1
    found = excess(study, np.zeros(40, dtype=int), dense, pruned, dense[:5])
    assert (found["pie_count"].pruned, found["pie_count"].parents) == (40, 7)
    assert (found["pie_excess"].pruned, found["pie_excess"].parents) == (0.0, 5)
    assert found["pie_count"].control is None


def test_two_samples_of_one_population_disagree_more_the_fewer_they_are(study):
    """A 60/40 example flips between two samples in about 22 % of cases at 31 models, 43 % at 5."""
    draw = np.random.default_rng(0)
    shares = {}
    for models in (5, 31):
        first, second = (draw.random((models, 4000)) < 0.4 for _ in range(2))
        shares[models] = (majority(first) != majority(second)).mean()
    assert shares[5] == pytest.approx(0.43, abs=0.02)
    assert shares[31] == pytest.approx(0.22, abs=0.02)


def test_the_halves_are_compared_at_one_size_and_with_nobodys_own_child(study):
    """Six parents: halves of three. Parent m alone says 1 of example m, and so does its child.

    A model beside its own parent would hide what is compared: with three disjoint parents on either
    side nobody says 1 twice, and neither share finds an exemplar. All children saying 1 are found
    in every halving.
    """
    dense = np.eye(6, dtype=int)
    pruned, chance, size = halves_floor(votes(study, dense, dense), "undecided", 0)
    assert (size, pruned.sum(), chance.sum()) == (3, 0.0, 0.0)
    pruned, chance, _ = halves_floor(votes(study, dense, np.ones((6, 6), int)), "undecided", 0)
    assert (pruned.tolist(), chance.sum()) == ([1.0] * 6, 0.0)


def test_without_change_halves_show_no_excess_on_average(study):
    """40 times a population whose children are drawn as their parents were: mean excess near 0."""
    draw, found = np.random.default_rng(1), []
    for _ in range(40):
        close = draw.uniform(0.2, 0.8, 300)
        dense, pruned = (draw.random((2, 9, 300)) < close).astype(int)
        here, chance, _ = halves_floor(votes(study, dense, pruned), "undecided", 0)
        found.append(here.mean() - chance.mean())
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(40)
    assert np.std(found) < 0.03


def test_ties_are_counted_apart(study):
    """Two of four parents against two: undecided where the vote changed, and never an exemplar."""
    dense = np.array([[0], [0], [1], [1]]) * np.ones((1, 40), dtype=int)
    found = excess(study, np.zeros(40, dtype=int), dense, np.ones((4, 40), dtype=int))
    assert found["pie_count"].pruned == 0
    assert found["pie_undecided"].pruned == 40
