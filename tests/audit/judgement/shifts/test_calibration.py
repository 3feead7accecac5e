from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from sklearn.calibration import calibration_curve

from audit.evidence.blocks import CLEAN
from audit.judgement.findings import RELIABILITY_COLUMNS
from audit.judgement.pairs import design
from audit.judgement.plan import Plan
from audit.judgement.shifts.calibration import (
    calibration,
    calibration_findings,
    contributions,
    expected_ece,
)
from audit.judgement.shifts.reliability import reliability


def ece_by_loop(confidence, right, bins):
    """The definition, bin by bin."""
    edges, total = np.linspace(0, 1, bins + 1), 0.0
    for low, high in pairwise(edges):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            total += abs(right[inside].mean() - confidence[inside].mean()) * inside.mean()
    return total


def sure(made, confidence, loss=None):
    """The study's block with confidences, and what is known of its examples."""
    as_rows = np.asarray(confidence, np.float32)
    losses = None if loss is None else np.asarray(loss, np.float32)
    block = replace(made.block, confidence=as_rows, loss=losses)
    return block, design(made.evidence, Plan(minimum_n=1))


@pytest.fixture
def case(study):
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 3, 300)
    right = [draw.random((5, 300)) < rate for rate in (0.9, 0.7)]
    dense, pruned = (np.where(r, labels, (labels + 1) % 3) for r in right)
    made = study(labels, dense, {0.5: pruned}, dense)
    confidence = draw.uniform(0.34, 1.0, (15, 300)).astype(np.float32)
    return made, confidence


def test_ece_is_its_definition(case):
    made, confidence = case
    block, known = sure(made, confidence)
    found = calibration_findings(block, calibration(block, known), made.arms, known)
    names = [finding.measure for finding in found]
    assert names == [
        "ece", "ece_expected", "ece_adaptive", "ece_adaptive_expected", "overconfidence",
    ]  # fmt: skip
    ece, expected, _, _, over = found
    each = [
        ece_by_loop(c.astype(float), p == made.evidence.labels, 15)
        for c, p in zip(confidence, block.predicted, strict=True)
    ]
    assert ece.parent == pytest.approx(np.mean(each[:5]))
    assert ece.pruned == pytest.approx(np.mean(each[5:10]))
    assert ece.control == pytest.approx(np.mean(each[10:]))
    assert ece.low < ece.change < ece.high
    assert ece.p is None
    assert "overconfidence" in ece.reason
    assert expected.measure == "ece_expected"
    assert (expected.p, expected.low) == (None, None)
    assert 0 < expected.parent < ece.parent
    right = (block.predicted[5:10] == made.evidence.labels).mean()
    assert over.pruned == pytest.approx(confidence[5:10].mean() - right)
    assert over.p < 0.01  # accuracy fell by 20 points, confidence did not


def adaptive_by_loop(confidence, right, bins):
    """The definition with bins of equal mass, where no two confidences are equal."""
    order, total = np.argsort(confidence), 0.0
    for own in (order[len(order) * b // bins : len(order) * (b + 1) // bins] for b in range(bins)):
        total += abs(right[own].sum() - confidence[own].sum()) / len(order)
    return total


def test_adaptive_ece_is_its_definition(case):
    made, confidence = case
    block, known = sure(made, confidence)
    found = calibration_findings(block, calibration(block, known), made.arms, known)
    adaptive = next(f for f in found if f.measure == "ece_adaptive")
    expected = next(f for f in found if f.measure == "ece_adaptive_expected")
    each = [
        adaptive_by_loop(c.astype(float), p == made.evidence.labels, 15)
        for c, p in zip(confidence, block.predicted, strict=True)
    ]
    assert adaptive.parent == pytest.approx(np.mean(each[:5]))
    assert adaptive.pruned == pytest.approx(np.mean(each[5:10]))
    assert adaptive.control == pytest.approx(np.mean(each[10:]))
    assert 0 < expected.parent < adaptive.parent
    assert expected.examples_p is None


def test_the_bins_are_those_of_scikit_learn(case):
    made, confidence = case
    block, known = sure(made, confidence)
    table = reliability(CLEAN, calibration(block, known), made.arms, known)
    own = table[table["role"] == "pruned"]
    right = (block.predicted[5:10] == made.evidence.labels).ravel()
    share, sure_of = calibration_curve(right, confidence[5:10].ravel().astype(float), n_bins=15)
    assert own["accuracy"].to_numpy() == pytest.approx(share)
    assert own["confidence"].to_numpy() == pytest.approx(sure_of)
    assert own["n"].sum() == right.size
    assert (own["low"] < own["confidence"]).all()
    assert (own["confidence"] <= own["high"]).all()


def test_the_table_adds_up_to_the_error(study):
    draw = np.random.default_rng(1)
    labels = draw.integers(0, 3, 200)
    made = study(labels, [draw.integers(0, 3, 200)], {0.5: [draw.integers(0, 3, 200)]})
    block, known = sure(made, draw.uniform(0.34, 1.0, (2, 200)))
    found = calibration(block, known)
    table = reliability(CLEAN, found, made.arms, known)
    ece = calibration_findings(block, found, made.arms, known)[0]
    for role, value in (("parent", ece.parent), ("pruned", ece.pruned)):
        own = table[table["role"] == role]
        assert (own["share"] * (own["confidence"] - own["accuracy"]).abs()).sum() == (
            pytest.approx(value)
        )
    assert set(table["role"]) == {"parent", "pruned"}
    assert list(table.columns) == list(RELIABILITY_COLUMNS)
    assert len(reliability(CLEAN, None, made.arms, known)) == 0


@pytest.mark.parametrize("size", [1, 30, 600])
def test_expectation_under_perfect_calibration(size):
    draw = np.random.default_rng(size)
    confidence = np.clip(1 - draw.exponential(0.1, size), 0.1, 1.0)
    simulated = [ece_by_loop(confidence, draw.random(size) < confidence, 15) for _ in range(400)]
    expected = expected_ece(confidence[None, :], 15)[0]
    error = np.std(simulated) / 20
    assert expected == pytest.approx(np.mean(simulated), abs=4 * error + 1e-12)


def test_certain_and_right_is_perfectly_calibrated():
    assert expected_ece(np.ones((1, 10)), 15).tolist() == [0.0]
    assert np.isnan(expected_ece(np.full((1, 3), np.nan), 15)).all()


def test_an_edge_belongs_to_the_bin_it_closes(study):
    made = study([0, 0], [[0, 0]], {0.5: [[0, 1]]})
    block, known = sure(made, [[0.5, 0.5], [0.5, 0.5001]])
    known = replace(known, plan=Plan(calibration_bins=2))
    found = contributions(calibration(block, known), known)
    assert found[0].mean() == pytest.approx(0.5)
    # Two bins: |1 - .5| / 2 + |0 - .5001| / 2.
    assert found[1].mean() == pytest.approx(0.50005)


def test_loss_alone_is_enough_for_nll(study):
    made = study([0, 0, 0], [[0, 0, 0]], {0.5: [[0, 0, 1]]})
    block, known = sure(made, np.full((2, 3), np.nan), [[0.1, 0.2, 0.3], [0.2, 0.3, 1.0]])
    assert calibration(block, known) is None
    (found,) = calibration_findings(block, None, made.arms, known)
    assert (found.measure, found.unit) == ("nll", "nats")
    assert found.parent == pytest.approx(0.2)
    assert found.change == pytest.approx(0.3)


def test_missing_confidences_are_left_out(case):
    made, confidence = case
    whole, known = sure(made, confidence)
    holes = confidence.copy()
    holes[:, :50] = np.nan
    block, _ = sure(made, holes)
    found = calibration_findings(block, calibration(block, known), made.arms, known)
    assert {finding.n for finding in found} == {250}
    without = replace(whole, confidence=None)
    assert calibration(without, known) is None


def test_both_sides_are_of_the_examples_that_both_were_shown(study):
    labels = [0, 1] * 20
    half = np.where(np.arange(40) % 2, -1, 0)
    made = study(labels, [np.zeros(40, int)], {0.5: [half]}, classes=("x", "y"))
    block, known = sure(made, np.full((2, 40), 0.75))
    for finding in calibration_findings(block, calibration(block, known), made.arms, known):
        assert (finding.n, finding.change) == (20, 0.0)


def test_identical_models_move_nothing(study):
    labels = [0, 1] * 20
    made = study(labels, [labels], {0.5: [labels]})
    block, known = sure(made, np.full((2, 40), 0.9))
    for finding in calibration_findings(block, calibration(block, known), made.arms, known):
        assert finding.change == 0.0
        assert finding.p in (None, 1.0)
