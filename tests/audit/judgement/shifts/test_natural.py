import numpy as np
import pytest

from audit.evidence.blocks import NOT_SHOWN, Condition
from audit.judgement.pairs import design
from audit.judgement.plan import Plan
from audit.judgement.shifts.natural import comparable
from audit.judgement.shifts.robustness import SEPARATE, condition_findings, tally

HALF = Condition("imagenet-a", None)
# Three clean examples of classes 0, 1 and 2, then two natural ones of class 0 and one of class 1.
LABELS = [0, 1, 2, 0, 0, 1]


def shown(study, natural, classes=("a", "b", "c")):
    rows = np.r_[np.full(3, NOT_SHOWN), natural]
    return study(LABELS, [rows], {0.5: [rows]}, condition=HALF, classes=classes)


def test_clean_examples_of_the_classes_that_are_there(study):
    made = shown(study, [0, 2, 1])
    known = design(made.evidence, Plan(minimum_n=1))
    clean = np.array([[0.0, 1.0, 1.0, np.nan, np.nan, np.nan]] * 2)
    found = comparable(made.block, clean, known)
    assert np.isnan(found.clean[:, 2:]).all()
    assert (found.clean[:, :2] == clean[:, :2]).all()
    assert "2 of the 3 classes" in found.reason
    assert "33.3 % of the answers are none of them" in found.reason


def test_masked_logits_show_in_the_answers(study):
    made = shown(study, [0, 1, 1])
    known = design(made.evidence, Plan())
    clean = np.zeros((2, 6))
    assert "every answer is one of them" in comparable(made.block, clean, known).reason


def test_every_class_is_there(study):
    rows = np.r_[np.full(3, NOT_SHOWN), [0, 1, 2]]
    made = study([0, 1, 2, 0, 1, 2], [rows], {0.5: [rows]}, condition=HALF)
    known = design(made.evidence, Plan())
    clean = np.r_[np.zeros(3), np.full(3, np.nan)][None].repeat(2, 0)
    found = comparable(made.block, clean, known)
    assert found.clean is clean
    assert found.reason is None
    assert comparable(made.block, None, known).clean is None


def test_excess_error_on_a_subset_by_hand(study):
    """Clean on classes 0 and 1: parent right twice, pruned once; natural: 0 and 2 errors of 3.

    Excess (2/3 − 1/2) − (0 − 0) = 1/6; the error on class 2 plays no part.
    """
    natural = shown(study, [0, 0, 1])
    other = [NOT_SHOWN] * 3
    natural = study(
        LABELS, [[*other, 0, 0, 1]], {0.5: [[*other, 1, 1, 1]]}, condition=HALF, classes="abc"
    )
    known = design(natural.evidence, Plan(minimum_n=1))
    clean = np.array([[0.0, 0, 1, np.nan, np.nan, np.nan], [0, 1, 0, np.nan, np.nan, np.nan]])
    subset = comparable(natural.block, clean, known)
    error = tally(natural.block, known).error
    (found,) = condition_findings(HALF, error, subset.clean, natural.arms[0], known, subset.reason)
    assert found.change == pytest.approx(2 / 3 - 1 / 2)
    assert "2 of the 3 classes" in found.reason
    assert SEPARATE in found.reason
