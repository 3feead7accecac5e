"""Which rows of a corrupted set are which of the audited test examples."""

from __future__ import annotations

import numpy as np
import pytest

from audit.evidence.errors import InputError
from audit.study.sources.joining import Examples, Joined, Listed, join


def listed(labels: list[int], ids: list[object] | None = None) -> Listed:
    return Listed(None if ids is None else np.array(ids), np.array(labels, dtype=np.int64))


def joined(there: Listed, test: Listed, asked: Examples = "auto") -> Joined:
    return join(there, test, asked, "the set")


def test_rows_of_equal_number_and_labels_are_the_test_examples_in_order() -> None:
    found = joined(listed([1, 0, 1]), listed([1, 0, 1], [7, 3, 9]))
    assert found.same
    assert found.rows.tolist() == [0, 1, 2]


def test_labels_sorted_by_class_confirm_no_order() -> None:
    there, test = listed([0, 1, 1]), listed([0, 1, 1], [7, 3, 9])
    found = joined(there, test)
    assert not found.same
    assert found.how.startswith("their labels are sorted by class")
    assert joined(there, test, "same").rows.tolist() == [0, 1, 2]
    assert joined(listed([0, 1, 2]), listed([0, 1, 2], [7, 3, 9])).same  # one of each class


def test_ids_say_it_in_any_order() -> None:
    found = joined(listed([1, 0, 1], ["c", "a", "b"]), listed([0, 1], ["a", "b"]))
    assert found.rows.tolist() == [1, 2]
    assert found.how == "ids agree"


def test_file_names_within_a_class_whatever_their_ending_and_folder() -> None:
    """The two classes both have a file 1."""
    there = listed([0, 0, 1], ["n01/1.JPEG", "n01/2.JPEG", "n02/1.JPEG"])
    found = joined(there, listed([1, 0], ["val/n02/1.png", "val/n01/1.png"]))
    assert found.rows.tolist() == [2, 0]
    assert found.how == "file names agree within each class"


def test_a_sample_is_found_by_its_row_numbers() -> None:
    found = joined(listed([0, 1, 2, 0, 1]), listed([2, 1], [2, 4]))
    assert found.same
    assert found.rows.tolist() == [2, 4]
    assert found.how == "row numbers and every label agree"
    assert not joined(listed([0, 1, 2, 0, 1]), listed([2, 0], [2, 4])).same


def test_numbers_as_ids_count_only_where_labels_agree() -> None:
    test = listed([0, 1], [3, 5])
    assert joined(listed([1, 0, 2], [5, 3, 8]), test).rows.tolist() == [1, 0]
    assert not joined(listed([0, 0, 2], [5, 3, 8]), test).same


def test_labels_that_disagree_are_counted() -> None:
    with pytest.raises(InputError, match=r"2 of the 3 labels disagree: check the order of the cl"):
        joined(listed([0, 1, 2]), listed([0, 2, 1], [0, 1, 2]))
    with pytest.raises(InputError, match=r"by id, and 1 of the 2 labels disagree"):
        joined(listed([0, 1], ["a", "b"]), listed([0, 0], ["a", "b"]))


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match=r"lacks 1 of the 2 test examples, for example n01/2.png"):
        joined(listed([0], ["n01/1.JPEG"]), listed([0, 0], ["n01/1.png", "n01/2.png"]))


def test_what_does_not_join_is_of_its_own_and_may_be_refused() -> None:
    there, test = listed([0, 1, 0, -1], ["w", "x", "y", "z"]), listed([0, 1], ["a", "b"])
    found = joined(there, test)
    assert not found.same
    assert found.rows.tolist() == [0, 1, 2]  # the last is of a class that is left out
    with pytest.raises(InputError, match=r"4 examples and the test part 2, and neither ids nor"):
        joined(there, test, "same")
    assert not joined(listed([0, 1]), listed([1, 0], [0, 1]), "own").same
