import numpy as np
import pytest

from audit.evidence.blocks import CLEAN, Condition
from audit.judgement.pairs import design
from audit.judgement.plan import Plan
from audit.judgement.shifts.robustness import (
    APART,
    SEPARATE,
    Tally,
    condition_findings,
    core,
    corruption_findings,
    mean_error,
    slope_finding,
    tally,
)

FOG1, FOG3 = Condition("fog", 1.0), Condition("fog", 3.0)
NATURAL = Condition("cifar10.1", None)
KNOWN = Plan(minimum_n=1)


def shifted(study, labels, dense, pruned, control=None, condition=CLEAN, **options):
    """A study and its tally under one condition."""
    made = study(labels, dense, pruned, control, condition=condition, **options)
    return made, tally(made.block, design(made.evidence, KNOWN))


def drawn(seed, n=200, parents=3, rates=(0.1, 0.2)):
    draw = np.random.default_rng(seed)
    labels = np.zeros(n, int)
    return labels, *((draw.random((parents, n)) < rate).astype(int) for rate in rates)


def one(findings, measure, condition=None):
    (match,) = [
        f
        for f in findings
        if f.measure == measure and (condition is None or f.condition == condition)
    ]
    return match


def test_excess_error_by_hand(study):
    labels = [0] * 4
    made, clean = shifted(study, labels, [[0, 0, 0, 1]], {0.5: [[0, 0, 1, 1]]})
    _, foggy = shifted(study, labels, [[0, 0, 1, 1]], {0.5: [[1, 1, 1, 1]]}, condition=FOG1)
    known = design(made.evidence, KNOWN)
    (found,) = condition_findings(FOG1, foggy.error, clean.error, made.arms[0], known)
    # (4/4 - 2/4) - (2/4 - 1/4)
    assert found.change == 0.25
    assert (found.parent, found.pruned) == (0.25, 0.5)
    assert (found.condition, found.severity, found.n) == ("fog", 1.0, 4)
    assert condition_findings(CLEAN, clean.error, clean.error, made.arms[0], known) == []
    assert condition_findings(FOG1, foggy.error, None, made.arms[0], known) == []


def test_mean_over_severities_then_over_corruptions():
    fog = Tally(np.array([[2, 0]], np.uint8), np.array([[2, 2]], np.uint8))
    blur = Tally(np.array([[0, 1]], np.uint8), np.array([[1, 1]], np.uint8))
    assert mean_error({"fog": fog, "blur": blur}).tolist() == [[0.5, 0.5]]
    assert (fog + fog).error.tolist() == fog.error.tolist()


def test_extra_corruptions_are_no_part_of_the_mean():
    assert core(["fog", "saturate", "spatter"]) == ["fog"]
    assert core(["saturate"]) == ["saturate"]


def test_corruption_errors_beside_parent_and_control(study):
    labels, dense, pruned = drawn(0)
    made, clean = shifted(study, labels, np.zeros((3, 200), int), {0.5: np.zeros((3, 200), int)})
    _, fog = shifted(study, labels, dense, {0.5: pruned}, dense, condition=FOG1)
    _, saturate = shifted(study, labels, pruned, {0.5: pruned}, dense, condition=FOG3)
    made, _ = shifted(study, labels, dense, {0.5: pruned}, dense)
    clean = Tally(np.zeros_like(fog.wrong), np.ones_like(fog.wrong))
    known = design(made.evidence, KNOWN)
    found = corruption_findings(
        {"fog": fog, "saturate": saturate}, clean.error, made.arms[0], known
    )
    overall = one(found, "corruption_error", "all")
    assert overall.parent == pytest.approx(dense.mean())
    assert overall.pruned == pytest.approx(pruned.mean())
    assert overall.control == pytest.approx(dense.mean())
    assert overall.change == pytest.approx(pruned.mean() - dense.mean())
    assert overall.severity is None
    assert APART in overall.reason
    assert one(found, "excess_error", "all").change == pytest.approx(overall.change)
    relative = one(found, "relative_corruption_error")
    assert relative.pruned == pytest.approx(pruned.mean() / dense.mean())
    assert relative.change == pytest.approx(relative.pruned - 1)
    assert relative.low < relative.change < relative.high
    assert (relative.parent, relative.p) == (1.0, None)
    assert one(found, "corruption_error", "saturate").change == 0.0


def test_all_conditions_of_one_example_share_its_weight(study):
    # The same errors under two conditions are no more evidence than under one.
    labels, dense, pruned = drawn(1)
    made, fog = shifted(study, labels, dense, {0.5: pruned}, condition=FOG1)
    known = design(made.evidence, KNOWN)
    once = corruption_findings({"fog": fog}, None, made.arms[0], known)
    twice = corruption_findings({"fog": fog + fog, "blur": fog}, None, made.arms[0], known)
    for a, b in zip(
        [f for f in once if f.condition == "all"],
        [f for f in twice if f.condition == "all"],
        strict=True,
    ):
        assert a.standard_error == pytest.approx(b.standard_error)
        assert (a.n, a.low) == (b.n, pytest.approx(b.low))


def test_a_natural_shift_has_examples_of_its_own(study):
    draw = np.random.default_rng(0)
    labels = np.zeros(300, int)
    here, there = np.arange(300) < 200, np.arange(300) >= 200
    dense, pruned = (draw.random((3, 300)) < rate for rate in (0.1, 0.3))
    made, clean = shifted(
        study, labels, np.where(here, dense, -1), {0.5: np.where(here, dense, -1)}
    )
    _, natural = shifted(
        study,
        labels,
        np.where(there, dense, -1),
        {0.5: np.where(there, pruned, -1)},
        condition=NATURAL,
    )
    known = design(made.evidence, KNOWN)
    (found,) = condition_findings(NATURAL, natural.error, clean.error, made.arms[0], known)
    assert found.change == pytest.approx(pruned[:, there].mean() - dense[:, there].mean())
    assert found.reason == SEPARATE
    assert found.severity is None
    assert found.low < found.change < found.high
    spread = np.sqrt((0.3 * 0.7 + 0.1 * 0.9) / 3 / 100)
    assert found.standard_error == pytest.approx(spread, rel=0.5)


def test_the_slope_is_least_squares_through_the_origin(study):
    labels, dense, _ = drawn(2)
    draw = np.random.default_rng(3)
    pruned = {s: (draw.random((3, 200)) < s / 2).astype(int) for s in (0.3, 0.6, 0.9)}
    made, fog = shifted(study, labels, dense, pruned, condition=FOG1)
    clean = np.zeros(fog.wrong.shape)
    known = design(made.evidence, KNOWN)
    ratios = [0.25, 0.55, 0.85]
    found = slope_finding({"fog": fog}, clean, made.arms, ratios, known, "as requested")
    x, y = np.array(ratios), np.array([p.mean() - dense.mean() for p in pruned.values()])
    assert found.change == pytest.approx((x @ y) / (x @ x))
    assert (found.sparsity, found.condition) == (None, "all")
    assert found.reason == "as requested"


def test_unlabelled_and_unshown_examples_are_left_out(study):
    _, counted = shifted(study, [0, -1, 0], [[0, 0, -1]], {0.5: [[1, 0, 0]]}, classes=("a", "b"))
    assert counted.shown.tolist() == [[1, 0, 0], [1, 0, 1]]
    assert np.isnan(counted.error[0, 2])
    assert counted.wrong.tolist() == [[0, 0, 0], [1, 0, 0]]
