import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from audit.judgement.shifts.bins import binned, equal_mass, equal_width

CONFIDENCES = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=40)


def test_equal_width_by_hand():
    """Four bins end at .25, .5, .75 and 1, and an edge belongs to the bin that it closes."""
    found = equal_width(np.array([[0.0, 0.25, 0.26, 0.5, 1.0, np.nan]]), 4)
    assert found.tolist() == [[0, 0, 1, 1, 3, -1]]


def test_equal_mass_by_hand():
    """Six confidences in three bins: two each, whatever their order."""
    found = equal_mass(np.array([[0.9, 0.1, 0.5, 0.95, 0.2, 0.55, np.nan]]), 3)
    assert found.tolist() == [[2, 0, 1, 2, 0, 1, -1]]


def test_equal_confidences_share_a_bin():
    """The first bin of two ends at .7, and all of .7 is in it."""
    assert equal_mass(np.array([[0.7, 0.7, 0.7, 0.9]]), 2).tolist() == [[0, 0, 0, 1]]
    assert equal_mass(np.ones((1, 5)), 3).tolist() == [[0] * 5]


def test_weights_count_as_copies():
    """One example of weight 3 stands where three examples would."""
    once = equal_mass(np.array([[0.2, 0.4, 0.6]]), 2, np.array([3.0, 1.0, 2.0]))
    copies = equal_mass(np.array([[0.2, 0.2, 0.2, 0.4, 0.6, 0.6]]), 2)
    assert once[0].tolist() == [0, 1, 1]
    assert copies[0].tolist() == [0, 0, 0, 1, 1, 1]


@given(CONFIDENCES, st.integers(1, 20), st.randoms(use_true_random=False))
def test_order_plays_no_part(confidence, bins, shuffle):
    order = list(range(len(confidence)))
    shuffle.shuffle(order)
    row = np.array([confidence])
    for into in (equal_width, equal_mass):
        found = into(row, bins)
        assert (into(row[:, order], bins) == found[:, order]).all()
        assert found.min() >= 0
        assert found.max() < bins


@given(CONFIDENCES, st.integers(1, 20))
def test_unit_weights_change_nothing(confidence, bins):
    row = np.array([confidence])
    assert (equal_mass(row, bins, np.ones(len(confidence))) == equal_mass(row, bins)).all()


def test_sums_per_bin():
    sums, weight = binned(
        np.array([[1.0, 2.0, 4.0]]), np.array([[0, 0, -1]]), 2, np.array([1.0, 3.0, 9.0])
    )
    assert sums.tolist() == [[7.0, 0.0]]
    assert weight.tolist() == [[4.0, 0.0]]
