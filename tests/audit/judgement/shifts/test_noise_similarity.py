from dataclasses import replace

import numpy as np
import pytest

from audit.evidence.blocks import Condition
from audit.judgement.plan import Plan
from audit.judgement.shifts.noise_similarity import ALONE, noise_families

NOISE = Condition("uniform_noise@0.1", None)
PLAN = Plan(minimum_n=1)


def with_probabilities(made, table):
    """The evidence with class probabilities, by row of its models."""
    return replace(made.evidence, probabilities=lambda _condition, row: table[row])


def test_by_hand(study):
    """Pruned models match their parents on 3 and 2 of 4; the parents match each other on 2."""
    made = study(
        [0] * 4,
        [[0, 0, 0, 0], [0, 0, 1, 1]],
        {0.5: [[0, 0, 0, 1], [0, 0, 0, 0]]},
        condition=NOISE,
    )
    (family,) = noise_families(made.block, made.evidence, made.arms, PLAN)
    (match,) = family.findings
    assert (match.measure, match.parent) == ("noise_match", None)
    assert match.pruned == pytest.approx((3 / 4 + 2 / 4) / 2)
    assert match.control == 0.5
    assert match.change == pytest.approx(0.125)
    assert match.low < match.change < match.high
    assert (match.condition, match.n) == ("uniform_noise@0.1", 4)


def test_distance_by_hand(study):
    """Parents are certain of class 0 and of class 1: √2 apart. A pruned model half way is √½."""
    made = study([0, 0], [[0, 0], [1, 1]], {0.5: [[0, 0], [1, 1]]}, condition=NOISE)
    certain = np.array([[1.0, 0.0]] * 2, np.float32)
    half = np.array([[0.5, 0.5]] * 2, np.float32)
    evidence = with_probabilities(made, [certain, certain[:, ::-1], half, certain[:, ::-1]])
    (family,) = noise_families(made.block, evidence, made.arms, PLAN)
    distance = next(f for f in family.findings if f.measure == "noise_distance")
    assert distance.pruned == pytest.approx((np.sqrt(0.5) + 0) / 2)
    assert distance.control == pytest.approx(np.sqrt(2))
    assert distance.change == pytest.approx(distance.pruned - distance.control)
    assert distance.unit == "distance"


def test_replicates_of_a_parent_count_once(study):
    """Two children of the first parent: they match on 4 and 0 of 4, the second's on 4."""
    made = study(
        [0] * 4,
        [[0, 0, 0, 0], [0, 0, 0, 0]],
        {0.5: [[0, 0, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]]},
        parent_of=[0, 0, 1],
        condition=NOISE,
    )
    (family,) = noise_families(made.block, made.evidence, made.arms, PLAN)
    assert family.findings[0].pruned == pytest.approx(0.75)


def test_one_parent_has_no_separate_network(study):
    made = study([0] * 4, [[0, 0, 0, 0]], {0.5: [[0, 0, 0, 1]]}, condition=NOISE)
    (family,) = noise_families(made.block, made.evidence, made.arms, PLAN)
    (match,) = family.findings
    assert (match.pruned, match.control, match.change, match.p) == (0.75, None, None, None)
    assert match.reason == ALONE


def test_labels_play_no_part(study):
    votes = [[0, 1, 0, 1], [0, 1, 1, 1]]
    values = []
    for labels in ([0, 1, 0, 1], [-1, -1, -1, -1]):
        made = study(labels, votes, {0.5: votes[::-1]}, condition=NOISE, classes=("a", "b"))
        (family,) = noise_families(made.block, made.evidence, made.arms, PLAN)
        values.append((family.findings[0].pruned, family.findings[0].control))
    assert values[0] == values[1]
