"""The system of a model and who stands by: every column of its answers follows the rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from audit.evidence.blocks import CLEAN, NOT_SHOWN
from audit.judgement.design import arms
from audit.judgement.guarding.deferral import handed_back, signals, with_guards
from audit.judgement.plan import Guard


def case(study, confidence, labels=(0, 1, 2, 0), pruned=((1, 1, 0, 2),)):
    made = study(labels, [labels], {0.5: pruned})
    sure = np.array([[0.9] * len(labels), *confidence], dtype=np.float32)
    block = replace(made.block, confidence=sure, loss=-np.log(sure))
    return replace(made.evidence, load=lambda _: block)


def test_below_the_threshold_the_parent_answers(study):
    """Confidences .2 .8 .5 .4 and the rule *below .5*: the first and the last are handed back."""
    evidence = case(study, [[0.2, 0.8, 0.5, 0.4]])
    system = with_guards(evidence, {0: 0.5}, arms(evidence.models), Guard()).load(CLEAN)
    assert system.predicted.tolist() == [[0, 1, 2, 0], [0, 1, 0, 0]]
    assert system.confidence is not None
    assert system.loss is not None
    assert system.confidence[1].tolist() == pytest.approx([0.9, 0.8, 0.5, 0.9])
    assert system.loss[1].tolist() == pytest.approx(-np.log([0.9, 0.8, 0.5, 0.9]), abs=1e-6)


def test_a_person_is_right_and_has_no_confidence(study):
    evidence = case(study, [[0.2, 0.8, 0.5, 0.4]])
    unlabelled = evidence.examples.assign(label=[-1, 1, 2, 0])
    evidence = replace(evidence, examples=unlabelled)
    guard = Guard(to="person")
    system = with_guards(evidence, {0: 0.5}, arms(evidence.models), guard).load(CLEAN)
    assert system.predicted[1].tolist() == [NOT_SHOWN, 1, 0, 0]
    assert system.confidence is not None
    assert np.isnan(system.confidence[1]).tolist() == [True, False, False, True]


def test_what_is_not_known_is_handed_back_and_what_is_not_shown_stays_so(study):
    evidence = case(study, [[np.nan, 0.8, 0.5, 0.4]], pruned=[[1, 1, NOT_SHOWN, 2]])
    system = with_guards(evidence, {0: 0.1}, arms(evidence.models), Guard()).load(CLEAN)
    assert system.predicted[1].tolist() == [0, 1, NOT_SHOWN, 2]
    assert handed_back(np.array([[np.nan, 0.1, 0.2]]), 0.2).tolist() == [[True, True, False]]


def test_probabilities_follow_whichever_condition_was_loaded(study):
    evidence = case(study, [[0.2, 0.8, 0.5, 0.4]])
    tables = [np.full((4, 3), share, dtype=np.float32) for share in (0.1, 0.7)]
    evidence = replace(evidence, probabilities=lambda _, row: tables[row])
    system = with_guards(evidence, {0: 0.5}, arms(evidence.models), Guard())
    found = system.probabilities(CLEAN, 1)
    assert found is not None
    assert found[:, 0].tolist() == pytest.approx([0.1, 0.7, 0.7, 0.1])
    assert system.probabilities(CLEAN, 0) is tables[0]


def test_the_margin_is_the_largest_less_the_second(study):
    """(.5, .3, .2) has a margin of .2; two classes' confidence of .8 one of .6."""
    evidence = case(study, [[0.2, 0.8, 0.5, 0.4]])
    guard, rows = Guard(signal="margin"), np.array([1])
    assert signals(evidence.load(CLEAN), evidence, rows, guard) is None
    table = np.tile(np.array([0.3, 0.5, 0.2], dtype=np.float32), (4, 1))
    with_tables = replace(evidence, probabilities=lambda *_: table)
    found = signals(evidence.load(CLEAN), with_tables, rows, guard)
    assert found is not None
    assert found[0].tolist() == pytest.approx([0.2] * 4)
    two = replace(evidence, classes=("no", "yes"))
    found = signals(evidence.load(CLEAN), two, rows, guard)
    assert found is not None
    assert found[0].tolist() == pytest.approx([-0.6, 0.6, 0.0, -0.2], abs=1e-6)


def test_no_confidence_is_no_signal(study):
    evidence = case(study, [[np.nan] * 4])
    assert signals(evidence.load(CLEAN), evidence, np.array([1]), Guard()) is None
