"""Flips from frame to frame, by hand, and what the judge makes of them."""

from dataclasses import replace

import numpy as np
import pytest

from audit.evidence.blocks import NOT_SHOWN, Condition
from audit.evidence.errors import InputError
from audit.judgement.judging import judge
from audit.judgement.plan import Plan
from audit.judgement.policy.limits import Policy
from audit.judgement.shifts.kinds import is_sequence, kind_of
from audit.judgement.shifts.sequences import (
    Flips,
    flip_probability,
    flip_rate,
    mean_flip_probability,
    sequence_families,
    top5_distance,
)

TURNS = Condition("rotate@sequence", None)
PLAN = Plan(minimum_n=1)
# Frames down, examples across.
ANSWERS = np.array([[0, 1], [0, 2], [1, 1], [0, 1], [0, 1]])


def test_flips_by_hand():
    """The first answers 0 0 1 0 0: it turns twice in four steps; the second 1 2 1 1 1 too."""
    assert flip_probability(ANSWERS, "previous").tolist() == [2 / 4, 2 / 4]
    # Of noise every frame is beside the first: one of four is another answer, for both.
    assert flip_probability(ANSWERS, "first").tolist() == [1 / 4, 1 / 4]
    # Two apart: 0→1, 0→0, 1→0 for the first; 1→1, 2→1, 1→1 for the second.
    assert flip_probability(ANSWERS, "previous", 2).tolist() == [2 / 3, 1 / 3]
    assert flip_probability(ANSWERS, "first", 2).tolist() == [1 / 4, 1 / 4]
    assert flip_probability(ANSWERS, "first").dtype == np.float64


def test_two_apart_is_the_mean_over_both_interleaved_sequences():
    """As published: every second frame, from the first and from the second on."""
    drawn = np.random.default_rng(0).integers(0, 3, (21, 40))
    for apart in (1, 2, 3):
        steps = [drawn[start::apart] for start in range(apart)]
        flips = np.concatenate([one[1:] != one[:-1] for one in steps])
        assert np.allclose(flip_probability(drawn, "previous", apart), flips.mean(axis=0))


def test_an_example_that_was_not_shown_has_no_probability():
    some = ANSWERS.copy()
    some[3, 1] = NOT_SHOWN
    found = flip_probability(some, "previous")
    assert found[0] == 0.5
    assert np.isnan(found[1])
    assert mean_flip_probability(found) == Flips(0.5, 1)
    assert mean_flip_probability(found[1:]) == Flips(None, 0)


def test_too_few_frames_and_no_difficulty_are_refused():
    with pytest.raises(InputError, match="5 frames has none that are 5 apart"):
        flip_probability(ANSWERS, "previous", 5)
    with pytest.raises(InputError, match="use 1 or more"):
        flip_probability(ANSWERS, "previous", 0)


def test_the_flip_rate_is_over_the_normaliser():
    assert flip_rate(Flips(0.3, 10), Flips(0.2, 10)) == pytest.approx(1.5)
    assert flip_rate(Flips(0.3, 10), Flips(0.0, 10)) is None
    assert flip_rate(Flips(None, 0), Flips(0.2, 10)) is None


def test_top5_distance_by_hand():
    """Two swapped: 1 + 1. All new: 5 + 4 + 3 + 2 + 1. The last one replaced: 1."""
    ranked = np.array([[[0, 1, 2, 3, 4]], [[1, 0, 2, 3, 4]]])
    assert top5_distance(ranked, "previous").tolist() == [2.0]
    other = np.array([[[0, 1, 2, 3, 4]], [[5, 6, 7, 8, 9]]])
    assert top5_distance(other, "previous").tolist() == [15.0]
    last = np.array([[[0, 1, 2, 3, 4]], [[0, 1, 2, 3, 9]]])
    assert top5_distance(last, "first").tolist() == [1.0]
    three = np.concatenate([ranked, last[1:]])
    # From the second to the third: classes 1 and 0 swap, class 4 falls out.
    assert top5_distance(three, "previous").tolist() == [(2 + 3) / 2]
    assert top5_distance(three, "first").tolist() == [(2 + 1) / 2]


def test_top5_distance_is_the_published_formula_of_whole_rankings():
    drawn = np.random.default_rng(0).random((6, 8, 12)).argsort(axis=2)  # classes by rank
    ranks = drawn.argsort(axis=2) + 1  # of each class, from 1
    found = []
    for example in range(8):
        apart = []
        for before, after in zip(ranks[:-1, example], ranks[1:, example], strict=True):
            sigma = after[np.argsort(before)]
            apart.append(sum(abs(i - min(sigma[i] - 1, 5)) for i in range(5)))
        found.append(np.mean(apart))
    assert np.allclose(top5_distance(drawn[..., :5], "previous"), found)
    with pytest.raises(InputError, match="frames, examples, 5"):
        top5_distance(drawn[..., 0], "previous")


def with_flips(made, values):
    """The study with each model's flip probabilities, parents first."""
    block = replace(made.block, value=np.asarray(values, np.float32))
    return replace(
        made, block=block, evidence=replace(made.evidence, load=lambda _condition: block)
    )


@pytest.fixture
def turned(study):
    made = study([0] * 4, [[0] * 4] * 2, {0.5: [[0] * 4] * 2}, condition=TURNS)
    return with_flips(
        made, [[0.1, 0.1, 0.1, 0.1], [0.2, 0.2, 0.2, 0.2], [0.2] * 4, [0.5, 0.3, 0.4, 0.4]]
    )


def test_the_family_by_hand(turned):
    """Parents .1 and .2, pruned .2 and .4: up by .15, twice as often."""
    (family,) = sequence_families(turned.block, turned.evidence, turned.arms, PLAN)
    (found,) = family.findings
    assert (family.name, family.tier) == ("flips", "D")
    assert (found.measure, found.condition, found.severity) == (
        "mean_flip_probability",
        "rotate@sequence",
        None,
    )
    assert found.parent == pytest.approx(0.15)
    assert found.pruned == pytest.approx(0.3)
    assert found.change == pytest.approx(0.15)
    assert found.relative_change == pytest.approx(1.0)
    assert "the flip rate over the parent's is 2" in found.reason
    assert (found.n, found.parents, found.worse_direction) == (4, 2, "up")
    assert found.low < found.change < found.high


def test_without_parents_the_two_means_stand_alone(study):
    made = study([0] * 2, [[0, 0]], {0.5: [[0, 0]]}, condition=TURNS, named_parents=False)
    made = with_flips(made, [[0.1, 0.3], [0.2, 0.6]])
    (family,) = sequence_families(made.block, made.evidence, made.arms, PLAN)
    (found,) = family.findings
    assert found.outcome == "not_asked"
    assert (found.parent, found.pruned) == (pytest.approx(0.2), pytest.approx(0.4))
    assert found.change is None


def test_a_sequence_without_values_asks_nothing(study):
    made = study([0] * 2, [[0, 0]], {0.5: [[0, 0]]}, condition=TURNS)
    assert sequence_families(made.block, made.evidence, made.arms, PLAN) == []


def test_the_name_tells_a_sequence(study):
    made = study([0, 0], [[0, 0]], {0.5: [[0, 0]]}, condition=TURNS)
    assert kind_of(made.block, made.evidence) == "sequence"
    assert is_sequence(TURNS)
    assert not is_sequence(Condition("rotate", 3.0))
    assert not is_sequence(Condition("sketches", None))


def test_the_judge_asks_of_a_sequence_about_flips_alone(turned):
    limit = {"limit": 0.01, "condition": "any"}
    found = judge(turned.evidence, PLAN, Policy.model_validate({"max_class_recall_drop": limit}))
    under = [f for f in found.findings if f.condition == TURNS.name and f.outcome != "not_asked"]
    assert {f.measure for f in under} == {"mean_flip_probability"}
    (values,) = [f for f in found.findings if f.measure == "value"]
    assert values.outcome == "not_asked"
    assert "no column `value`" in values.reason
