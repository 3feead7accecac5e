from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.distance import jensenshannon

from audit.judgement.exemplars import (
    DIVERGENCES,
    UNDECIDED,
    ballots,
    jensen_shannon,
    modal,
    tally,
    taxicab,
)

votes = st.tuples(st.integers(1, 8), st.integers(1, 8)).flatmap(
    lambda shape: hnp.arrays(np.int32, shape, elements=st.integers(0, 5))
)


def split(predicted, first):
    """Votes of the first rows and of the others."""
    cast = ballots(predicted)
    here = np.arange(len(predicted)) < first
    return cast, tally(cast, here), tally(cast, ~here)


def test_modal_labels_by_hand():
    """Votes 2 2 1 are for 2; 0 1 2 are a tie, of which the largest is 2."""
    cast = ballots([[2, 0], [2, 1], [1, 2]])
    each = tally(cast, np.ones(3))
    assert modal(cast, each).tolist() == [2, UNDECIDED]
    assert modal(cast, each, "largest").tolist() == [2, 2]


def test_taxicab_by_hand():
    """Shares (2/3, 1/3, 0) and (0, 1/3, 2/3): 2/3 + 0 + 2/3."""
    cast, first, second = split(np.array([[0], [0], [1], [1], [2], [2]]), 3)
    assert taxicab(cast, first, second).tolist() == pytest.approx([4 / 3])


def test_taxicab_compares_shares_not_counts():
    """One of one and three of three say the same."""
    cast, first, second = split(np.array([[4], [4], [4], [4]]), 1)
    assert taxicab(cast, first, second).tolist() == [0.0]


@settings(deadline=None)
@given(votes)
def test_modal_is_what_a_counter_says(predicted):
    cast = ballots(predicted)
    each = tally(cast, np.ones(len(predicted)))
    for column, label in enumerate(modal(cast, each)):
        ranked = Counter(predicted[:, column].tolist()).most_common()
        best = [code for code, count in ranked if count == ranked[0][1]]
        assert label == (best[0] if len(best) == 1 else UNDECIDED)
        assert modal(cast, each, "largest")[column] == max(best)


@settings(deadline=None)
@given(votes, st.integers(1, 7))
def test_divergences_are_those_of_dense_counts(predicted, first):
    if first >= len(predicted):
        return
    cast, one, other = split(predicted, first)
    for column in range(predicted.shape[1]):
        p, q = (
            np.bincount(part[:, column], minlength=6) / len(part)
            for part in (predicted[:first], predicted[first:])
        )
        assert taxicab(cast, one, other)[column] == pytest.approx(np.abs(p - q).sum())
        expected = jensenshannon(p, q) ** 2 if (p != q).any() else 0.0
        assert jensen_shannon(cast, one, other)[column] == pytest.approx(expected, abs=1e-12)


@settings(deadline=None)
@given(votes, st.randoms(use_true_random=False))
def test_voters_may_come_in_any_order(predicted, shuffle):
    rows = list(range(len(predicted)))
    shuffle.shuffle(rows)
    one, other = ballots(predicted), ballots(predicted[rows])
    each = np.ones(len(predicted))
    assert modal(one, tally(one, each)).tolist() == modal(other, tally(other, each)).tolist()


def test_weights_are_votes():
    """Two replicates of one parent (weight 1 each) tie with one model of another (weight 2)."""
    cast = ballots([[0], [0], [1]])
    assert modal(cast, tally(cast, [1, 1, 2])).tolist() == [UNDECIDED]
    assert modal(cast, tally(cast, [1, 1, 3])).tolist() == [1]
    assert modal(cast, tally(cast, [1, 0, 0])).tolist() == [0]


def test_class_codes_may_be_large():
    cast = ballots([[2_000_000_000, 5], [2_000_000_000, 7], [0, 7]])
    assert modal(cast, tally(cast, np.ones(3))).tolist() == [2_000_000_000, 7]


def test_nobody_and_nothing():
    cast = ballots(np.zeros((3, 0), dtype=int))
    assert modal(cast, tally(cast, np.ones(3))).tolist() == []
    assert taxicab(cast, tally(cast, np.ones(3)), tally(cast, np.ones(3))).tolist() == []
    with pytest.raises(ValueError, match="at least 0"):
        ballots([[-1, 0]])


def test_divergences_are_offered_by_name():
    assert sorted(DIVERGENCES) == ["jensen_shannon", "taxicab"]
