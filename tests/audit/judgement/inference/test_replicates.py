import numpy as np
import pytest

from audit.judgement.inference.paired import paired_change
from audit.judgement.inference.replicates import average_by_parent


def test_replicates_are_averaged_and_parents_ascend():
    """Parent 7 has the rows 1, 3 (mean 2); parent 2 the row 5: [[5], [2]]."""
    assert average_by_parent([[1.0], [5.0], [3.0]], [7, 2, 7]).tolist() == [[5.0], [2.0]]


def test_without_replicates_rows_are_only_sorted():
    assert average_by_parent([[1.0], [2.0]], [4, 3]).tolist() == [[2.0], [1.0]]


def test_missing_values_are_left_out_of_the_mean():
    out = average_by_parent([[1.0, np.nan], [3.0, np.nan]], [0, 0])
    assert out[0, 0] == 2.0
    assert np.isnan(out[0, 1])


def test_unknown_parents_and_wrong_shapes_are_refused():
    with pytest.raises(ValueError, match="unknown"):
        average_by_parent([[1.0]], [-1])
    with pytest.raises(ValueError, match="give"):
        average_by_parent([[1.0]], [0, 1])


def test_ten_children_of_one_parent_are_not_ten_models():
    """A trap: parents differ by chance, children inherit it; the truth is no change.

    Counted as 50 independent models, half of all true nulls are rejected; averaged first, 5 %.
    """
    draw = np.random.default_rng(0)
    parent = np.repeat(np.arange(5), 10)
    naive, averaged, repeats = 0, 0, 200
    for _ in range(repeats):
        inherited = draw.normal(0.0, 0.05, 5)[parent, None]
        difference = inherited + draw.normal(0.0, 0.3, (50, 100))
        naive += paired_change(difference, generalises_to="seeds").p < 0.05
        ours = paired_change(average_by_parent(difference, parent), generalises_to="seeds")
        assert ours.parents == 5
        averaged += ours.p < 0.05
    assert naive / repeats > 0.3
    assert averaged / repeats < 0.1
