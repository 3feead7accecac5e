import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from audit.judgement.inference.max_t import max_t, max_t_of


def by_definition(scores):
    """Westfall & Young's algorithm 4.1 with every sign vector, one question at a time."""
    units, questions = scores.shape
    norm = np.sqrt((scores**2).sum(axis=0))
    z = np.abs(scores.sum(axis=0)) / norm
    order = sorted(range(questions), key=lambda k: -z[k])
    signs = np.array(list(itertools.product([1, -1], repeat=units)))
    null = np.abs(signs @ scores) / norm
    p, last = np.empty(questions), 0.0
    for place, k in enumerate(order):
        later = null[:, order[place:]].max(axis=1)
        last = max(last, (later >= z[k] - 1e-9).mean())
        p[k] = last
    return p


def test_by_hand_three_parents_that_agree():
    """Of the 8 sign vectors only +++ and −−− reach the sum of 3: p = 2 / 8, the floor."""
    found = max_t(np.ones((3, 1)), resamples=100, seed=0)
    assert found.p_adjusted.tolist() == [0.25]
    assert found.p_floor == 0.25
    assert (found.units, found.enumerated) == (3, True)


def test_seven_parents_cannot_go_below_one_in_sixty_four():
    found = max_t(np.ones((7, 2)) * [1.0, 0.5], resamples=100, seed=0)
    assert found.p_floor == 2 / 2**7
    assert found.p_adjusted.tolist() == [2 / 2**7, 2 / 2**7]


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 6), st.integers(1, 6), st.integers(0, 10**6))
def test_it_is_the_step_down_algorithm(units, questions, seed):
    scores = np.random.default_rng(seed).normal(0.4, 1.0, (units, questions))
    found = max_t(scores, resamples=100, seed=0)
    assert found.p_adjusted == pytest.approx(by_definition(scores))
    assert (found.p_adjusted >= found.p_floor).all()


def test_sparse_and_dense_scores_agree():
    draw = np.random.default_rng(0)
    scores = np.where(draw.random((200, 30)) < 0.05, draw.normal(0.5, 1.0, (200, 30)), 0.0)
    dense = max_t_of(
        lambda s: s @ scores, 200, np.sqrt((scores**2).sum(axis=0)), resamples=400, seed=3
    )
    active = np.flatnonzero((scores != 0).any(axis=1))
    ours = max_t(sparse.csr_array(scores), resamples=400, seed=3)
    assert ours.units == active.size
    assert ours.p_adjusted == pytest.approx(dense.p_adjusted, abs=0.08)
    again = max_t(scores, resamples=400, seed=3)
    assert again.p_adjusted.tolist() == ours.p_adjusted.tolist()


def test_questions_and_units_may_come_in_any_order():
    scores = np.random.default_rng(5).normal(0.5, 1.0, (6, 9))
    turn = np.random.default_rng(6).permutation(9)
    whole = max_t(scores, resamples=100, seed=0).p_adjusted
    assert max_t(scores[:, turn], resamples=100, seed=0).p_adjusted.tolist() == whole[turn].tolist()
    assert max_t(scores[::-1], resamples=100, seed=0).p_adjusted.tolist() == whole.tolist()


def test_units_and_questions_without_any_difference():
    scores = np.zeros((6, 2))
    scores[:4, 0] = 1.0
    found = max_t(scores, resamples=100, seed=0)
    assert found.units == 4
    assert found.p_adjusted.tolist() == [2 / 2**4, 1.0]
    assert max_t(np.zeros((3, 2)), resamples=100, seed=0).p_adjusted.tolist() == [1.0, 1.0]
    assert max_t(np.zeros((3, 0)), resamples=100, seed=0).p_adjusted.size == 0


def test_more_units_are_drawn_and_the_draw_is_an_argument():
    scores = np.random.default_rng(0).normal(0.3, 1.0, (20, 5))
    found = max_t(scores, resamples=200, seed=1)
    assert not found.enumerated
    assert found.draws == 200
    assert found.p_floor == 1 / 201
    assert found.p_adjusted.tolist() == max_t(scores, resamples=200, seed=1).p_adjusted.tolist()
    assert found.p_adjusted.tolist() != max_t(scores, resamples=200, seed=0).p_adjusted.tolist()


def test_what_questions_share_is_not_paid_for_twice():
    """A hundred copies of one question cost nothing; Bonferroni would multiply by a hundred."""
    one = np.random.default_rng(1).normal(0.8, 1.0, (9, 1))
    assert max_t(np.repeat(one, 100, axis=1), resamples=100, seed=0).p_adjusted[0] == pytest.approx(
        max_t(one, resamples=100, seed=0).p_adjusted[0]
    )


def test_true_nulls_reject_anything_one_time_in_twenty():
    draw = np.random.default_rng(2)
    rejected = 0
    for _ in range(300):
        shared = draw.normal(0.0, 1.0, (8, 1))
        scores = shared + draw.normal(0.0, 1.0, (8, 40))
        rejected += max_t(scores, resamples=100, seed=0).p_adjusted.min() <= 0.05
    assert rejected / 300 <= 0.09
