from dataclasses import replace

import numpy as np
import pytest

from audit.evidence.blocks import CLEAN
from audit.judgement.labels import opinions
from audit.judgement.labels.opinions import apart, margins, opinion

FIRST = np.array([[0.7, 0.2, 0.1], [0.4, 0.4, 0.2]], dtype=np.float32)
SECOND = np.array([[0.1, 0.8, 0.1], [0.0, 1.0, 0.0]], dtype=np.float32)
THIRD = np.array([[0.3, 0.3, 0.4], [1.0, 0.0, 0.0]], dtype=np.float32)


def evidence_of(study, *tables):
    made = study([0, 1], np.zeros((len(tables), 2)), {}, classes=("a", "b", "c")).evidence
    asked = []

    def probabilities(condition, row):
        asked.append(row)
        return tables[row]

    return replace(made, probabilities=probabilities), asked


def rows(*values):
    return np.array(values, dtype=np.int64)


def test_by_hand(study):
    """Means of two models; margins .5, .0 and .7, 1.0."""
    evidence, asked = evidence_of(study, FIRST, SECOND)
    found = opinion(evidence, CLEAN, rows(0, 1), rows(0, 1))
    assert found.mean == pytest.approx((FIRST + SECOND) / 2)
    assert found.margin == pytest.approx(np.array([[0.5, 0.0], [0.7, 1.0]]))
    assert asked == [0, 1]


def test_replicates_share_their_parents_weight(study):
    """Rows 0 and 1 are of one parent, row 2 of another: weights 1/4, 1/4, 1/2."""
    evidence, _ = evidence_of(study, FIRST, SECOND, THIRD)
    found = opinion(evidence, CLEAN, rows(0, 1, 2), rows(7, 7, 9))
    assert found.mean == pytest.approx(FIRST / 4 + SECOND / 4 + THIRD / 2)
    assert found.owners.tolist() == [7, 9]
    assert found.margin[0] == pytest.approx([0.6, 0.5])


def test_a_model_without_probabilities_leaves_no_opinion(study):
    evidence, asked = evidence_of(study, FIRST, None, SECOND)
    assert opinion(evidence, CLEAN, rows(0, 1, 2), rows(0, 1, 2)) is None
    assert asked == [0, 1]
    assert opinion(evidence, CLEAN, rows(), rows()) is None


def test_an_example_that_was_not_shown_is_nan(study):
    holed = FIRST.copy()
    holed[1] = np.nan
    evidence, _ = evidence_of(study, holed, SECOND)
    found = opinion(evidence, CLEAN, rows(0, 1), rows(0, 1))
    assert np.isnan(found.mean[1]).all()
    assert np.isnan(found.margin).tolist() == [[False, True], [False, False]]


def test_distance_by_hand_and_in_blocks(study, monkeypatch):
    """|.7 − .1| + |.2 − .8| + 0 = 1.2, and |.4| + |.6| + |.2| = 1.2."""
    assert apart(FIRST, SECOND) == pytest.approx([1.2, 1.2])
    evidence, _ = evidence_of(study, FIRST, SECOND)
    whole = opinion(evidence, CLEAN, rows(0, 1), rows(0, 1))
    monkeypatch.setattr(opinions, "ROWS", 1)
    split = opinion(evidence, CLEAN, rows(0, 1), rows(0, 1))
    assert (split.mean == whole.mean).all()
    assert (split.margin == whole.margin).all()
    assert apart(FIRST, SECOND) == pytest.approx([1.2, 1.2])


def test_one_class_has_its_whole_probability_as_margin():
    assert margins(np.ones((3, 1), dtype=np.float32)).tolist() == [1.0, 1.0, 1.0]
