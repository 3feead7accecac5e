"""Another data set's class names as ours: by name, by number, by a map; and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from audit.evidence.errors import InputError
from audit.study.class_map import matched, read_class_map
from audit.study.class_readings import reading

CLASSES = ("ant", "bee", "cow", "dog")


def test_names_first_and_numbers_in_the_order_of_the_classes_not_of_texts() -> None:
    """As texts, 10 comes before 2."""
    many = tuple(f"n{code:02d}" for code in range(12))
    found = matched({"10": 1, "2": 1, "0": 3}, many, None, "v2")
    assert found.ours == {"10": "n10", "2": "n02", "0": "n00"}
    assert found.how == "index"
    named = matched({"2": 1, "0": 1}, ("2", "0"), None, "digits")
    assert (named.ours, named.how) == ({"2": "2", "0": "0"}, "name")


def test_unknown_classes_are_named_and_counted() -> None:
    with pytest.raises(
        InputError, match=r"2 classes 'bees' \(3\), 'cat' \(4\) that .* 7 of 9 exam"
    ):
        matched({"ant": 2, "bees": 3, "cat": 4}, CLASSES, None, "mine")
    with pytest.raises(InputError, match=r"a class '4' \(2\) that the models were not trained on"):
        matched({"0": 1, "4": 2}, ("0", "a", "b", "c"), None, "mine")
    with pytest.raises(InputError, match=r"2 classes '1' \(1\), '4' \(2\)"):  # 4 is no position
        matched({"1": 1, "4": 2}, CLASSES, None, "mine")


def test_a_map_names_what_differs_leaves_out_and_takes_several_for_one() -> None:
    class_map = {"bug": ("ant", "bee"), "table": (), "hound": ("dog",)}
    found = matched({"bug": 1, "table": 1, "hound": 1, "cow": 1}, CLASSES, class_map, "mine")
    assert found.ours == {"bug": "ant", "table": None, "hound": "dog", "cow": "cow"}
    assert found.merged == (("ant", "bee"),)
    assert matched({"hound": 1}, CLASSES, class_map, "mine").merged == ()
    with pytest.raises(InputError, match=r"a class 'chair' \(1\)"):
        matched({"chair": 1}, CLASSES, class_map, "mine")


def test_a_map_that_contradicts_itself_or_the_classes() -> None:
    with pytest.raises(
        InputError, match=r"'bug' for 'bees', which is none of the classes: did you"
    ):
        matched({"bug": 1}, CLASSES, {"bug": ("bees",)}, "mine")
    with pytest.raises(InputError, match=r"'bee' in two lists that differ"):
        matched({"bug": 1}, CLASSES, {"bug": ("ant", "bee"), "fly": ("bee",)}, "mine")
    with pytest.raises(InputError, match=r"'\w+' in another order"):
        matched({"bug": 1}, CLASSES, {"bug": ("ant", "bee"), "fly": ("bee", "ant")}, "mine")


def test_a_map_is_read_from_json_csv_or_the_config(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"bug": ["ant", "bee"], "table": null, "hound": "dog"}')
    (tmp_path / "a.csv").write_text("theirs,ours\nbug,ant\nbug,bee\ntable,\nhound,dog\n")
    expected = {"bug": ("ant", "bee"), "table": (), "hound": ("dog",)}
    assert read_class_map("a.json", tmp_path) == expected
    assert read_class_map("a.csv", tmp_path) == expected
    inline = {"bug": ["ant", "bee"], "table": None, "hound": "dog"}
    assert read_class_map(inline, tmp_path) == expected
    assert read_class_map(None, tmp_path) is None


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.json", "[1]", "holds no JSON object"),
        ("a.json", "{", "cannot be read"),
        ("a.json", '{"bug": {"a": 1}}', "takes 'bug' for {'a': 1}: give a class name, a list"),
        ("a.csv", "from,to\na,b\n", "has the columns from, to: give it theirs and ours"),
        ("b.csv", None, "no file or folder"),
    ],
)
def test_a_file_that_is_no_map(
    tmp_path: Path, name: str, content: str | None, complaint: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=complaint):
        read_class_map(name, tmp_path)


def test_any_of_several_classes_is_right_and_their_probabilities_add_up() -> None:
    """Softmax of (ln 1, ln 2, ln 4, ln 3) is .1, .2, .4, .3; the largest logit decides."""
    logits = torch.tensor([[1.0, 2.0, 4.0, 3.0], [1.0, 5.0, 2.0, 2.0]], dtype=torch.float64).log()
    read = reading(CLASSES, np.array([0, 3]), False, [["ant", "bee"]])
    scores, predicted = read.answers(logits.clone())
    np.testing.assert_allclose(np.exp(scores), [[0.3, 0, 0.4, 0.3], [0.6, 0, 0.2, 0.2]])
    assert predicted.tolist() == [2, 0]
    masked = reading(CLASSES, np.array([0, 3]), True, [["ant", "bee"]])
    scores, predicted = masked.answers(logits.clone())
    np.testing.assert_allclose(np.exp(scores)[0], [0.5, 0, 0, 0.5])
    assert predicted.tolist() == [3, 0]
