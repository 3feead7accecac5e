import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.judgement.design import dense
from audit.judgement.exemplars import (
    halves_floor,
    swap_parent_and_pruned,
    swap_pruned_and_control,
)
from audit.judgement.exemplars.populations import populations

FIXTURE = HealthCheck.function_scoped_fixture  # a factory: nothing is shared between examples


def votes(study, d, p, c=None, **kwargs):
    made = study(np.zeros(d.shape[1], dtype=int), d, {0.5: p}, c, **kwargs)
    counted = np.ones(d.shape[1], dtype=bool)
    return populations(made.block, made.arms[0], counted, dense(made.evidence.models))


def apart(first, second):
    """Σ over examples of the taxicab distance, example by example."""
    total = 0.0
    for a, b in zip(first.T, second.T, strict=True):
        for label in {*a.tolist(), *b.tolist()}:
            total += abs((a == label).mean() - (b == label).mean())
    return total


def by_definition(d, p, c=None):
    totals = []
    for swap in itertools.product([False, True], repeat=len(d)):
        s = np.array(swap)[:, None]
        if c is None:
            totals.append(apart(np.where(s, p, d), np.where(s, d, p)))
        else:
            totals.append(apart(d, np.where(s, c, p)) - apart(d, np.where(s, p, c)))
    totals = np.array(totals)
    return (totals >= totals[0] - 1e-9).mean()


def draw_models(draw, parents, n, wrong=0.3):
    return np.where(draw.random((parents, n)) < wrong, draw.integers(1, 4, (parents, n)), 0)


@settings(deadline=None, max_examples=20, suppress_health_check=[FIXTURE])
@given(seed=st.integers(0, 10**6), parents=st.integers(1, 5), n=st.integers(1, 12))
def test_the_swap_test_is_its_definition(study, seed, parents, n):
    draw = np.random.default_rng(seed)
    d, p, c = (draw_models(draw, parents, n) for _ in range(3))
    found = swap_pruned_and_control(votes(study, d, p, c), 100, 0)
    assert found.p == pytest.approx(by_definition(d, p, c))
    assert found.p >= found.p_floor == 1 / 2**parents
    assert (found.swaps, found.enumerated) == (2**parents, True)
    other = swap_parent_and_pruned(votes(study, d, p), 100, 0)
    assert other.p == pytest.approx(by_definition(d, p))
    assert other.p >= other.p_floor == min(1.0, 2 / 2**parents)


def test_by_hand_seven_parents_that_all_moved(study):
    """Only the identity leaves all seven apart: p = 1 / 128; without controls 2 / 128."""
    d, p = np.zeros((7, 5), dtype=int), np.ones((7, 5), dtype=int)
    assert swap_pruned_and_control(votes(study, d, p, d), 100, 0).p == 1 / 128
    assert swap_parent_and_pruned(votes(study, d, p), 100, 0).p == 2 / 128


def test_identical_pruned_and_control_have_p_one(study):
    draw = np.random.default_rng(0)
    d, p = draw_models(draw, 5, 30), draw_models(draw, 5, 30)
    assert swap_pruned_and_control(votes(study, d, p, p), 100, 0).p == 1.0
    assert swap_parent_and_pruned(votes(study, d, d), 100, 0).p == 1.0


def test_swapping_pruned_and_control_turns_the_question(study):
    """P[T ≥ t] and P[T ≤ t] hold everything once, and ties twice."""
    draw = np.random.default_rng(1)
    d, p, c = (draw_models(draw, 5, 20) for _ in range(3))
    one = swap_pruned_and_control(votes(study, d, p, c), 100, 0).p
    other = swap_pruned_and_control(votes(study, d, c, p), 100, 0).p
    assert one + other >= 1.0


def test_thirteen_parents_are_drawn_and_the_draw_is_an_argument(study):
    draw = np.random.default_rng(2)
    d, p, c = (draw_models(draw, 13, 3) for _ in range(3))
    found = swap_pruned_and_control(votes(study, d, p, c), 500, 1)
    assert not found.enumerated
    assert found.swaps == 502
    assert found.p_floor == 1 / 502
    assert found == swap_pruned_and_control(votes(study, d, p, c), 500, 1)
    assert found.p == pytest.approx(by_definition(d, p, c), abs=0.07)


def test_replicates_share_their_parents_vote(study):
    """Two identical replicates are one model: the same p as without the copy."""
    draw = np.random.default_rng(3)
    d, p, c = (draw_models(draw, 4, 25) for _ in range(3))
    copies = np.vstack([p, p[:1]])
    one = swap_pruned_and_control(votes(study, d, p, c), 100, 0)
    two = swap_pruned_and_control(votes(study, d, copies, c, parent_of=[0, 1, 2, 3, 0]), 100, 0)
    assert one == two


def test_a_parent_without_control_is_refused(study):
    d = np.zeros((3, 5), dtype=int)
    with pytest.raises(ValueError, match="no control"):
        swap_pruned_and_control(votes(study, d, d), 100, 0)


@pytest.mark.parametrize(("parents", "size"), [(6, 3), (7, 3), (8, 3), (9, 3), (10, 5), (2, 1)])
def test_halves_are_disjoint_equal_and_odd(study, parents, size):
    draw = np.random.default_rng(parents)
    d, p = draw_models(draw, parents, 30), draw_models(draw, parents, 30)
    pruned, chance, found = halves_floor(votes(study, d, p), "undecided", 0)
    assert found == size
    assert ((pruned >= 0) & (pruned <= 1)).all()
    assert ((chance >= 0) & (chance <= 1)).all()


def test_halves_of_one_population_have_no_excess(study):
    """With D = P, D_A beside P_B is D_A beside D_B: the same exemplars, whatever the halving."""
    d = draw_models(np.random.default_rng(4), 7, 60, 0.5)
    pruned, chance, _ = halves_floor(votes(study, d, d), "undecided", 0)
    assert pruned.tolist() == chance.tolist()
    assert chance.sum() > 0


def null_or_harm(draw, harm):
    """Parents, and two children of each that are exchangeable but for the harm."""
    hard = draw.beta(0.6, 2.0, 60)
    d = np.where(draw.random((7, 60)) < hard, draw.integers(1, 3, (7, 60)), 0)

    def child(more):
        again = np.where(draw.random((7, 60)) < hard + more, draw.integers(1, 3, (7, 60)), 0)
        return np.where(draw.random((7, 60)) < 0.4, again, d)

    return d, child(harm), child(0.0)


@pytest.mark.parametrize("controls", [True, False])
def test_true_nulls_are_rejected_one_time_in_twenty(study, controls):
    """Without controls the null is that pruned and parent are exchangeable: fresh draws of both."""
    draw = np.random.default_rng(6)
    rejected = 0
    for _ in range(200):
        d, p, c = null_or_harm(draw, 0.0)
        if controls:
            rejected += swap_pruned_and_control(votes(study, d, p, c), 100, 0).p <= 0.05
        else:
            rejected += swap_parent_and_pruned(votes(study, c, p), 100, 0).p <= 0.05
    assert rejected / 200 <= 0.1


def test_harm_is_found(study):
    draw = np.random.default_rng(7)
    found = [
        swap_pruned_and_control(votes(study, *null_or_harm(draw, 0.25)), 100, 0).p <= 0.05
        for _ in range(20)
    ]
    assert np.mean(found) >= 0.8
