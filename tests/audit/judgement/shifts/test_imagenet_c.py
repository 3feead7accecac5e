from dataclasses import replace

import numpy as np
import pytest

from audit.evidence.blocks import CLEAN, Condition
from audit.judgement.judging import judge
from audit.judgement.pairs import design
from audit.judgement.plan import Plan
from audit.judgement.policy.limits import Policy
from audit.judgement.shifts.imagenet_c import (
    ALEXNET,
    ALEXNET_CLEAN,
    BENCHMARK,
    SEVERITIES,
    imagenet_c_families,
    set_of,
)
from audit.judgement.shifts.robustness import EXTRA, Tally

RUN = {"set": "imagenet-c", "preset": "imagenet"}
N = 50


@pytest.fixture
def case(study):
    """Errors drawn at a rate per corruption; one parent, one pruned model, 1,000 classes."""
    draw = np.random.default_rng(0)
    made = study([0] * N, [[0] * N], {0.5: [[0] * N]}, classes=[str(i) for i in range(1000)])
    every = [Condition(name, s) for name in (*BENCHMARK, "saturate") for s in SEVERITIES]
    evidence = replace(made.evidence, conditions=(CLEAN, *every))
    shown = np.full((2, N), 5, np.uint8)
    tallies = {
        name: Tally(draw.integers(0, 6, (2, N)).astype(np.uint8), shown)
        for name in (*BENCHMARK, "saturate")
    }
    clean = (draw.random((2, N)) < 0.2).astype(float)
    return tallies, clean, evidence, made.arms, design(evidence, Plan())


def test_the_definition(case):
    tallies, clean, *_ = case
    (family,) = imagenet_c_families(*case, RUN)
    found = {(f.measure, f.condition): f for f in family.findings}
    for row, side in ((0, "parent"), (1, "pruned")):
        error = {name: tallies[name].error[row].mean() for name in BENCHMARK}
        mce = np.mean([error[name] / ALEXNET[name] for name in BENCHMARK])
        relative = np.mean(
            [
                (error[name] - clean[row].mean()) / (ALEXNET[name] - ALEXNET_CLEAN)
                for name in BENCHMARK
            ]
        )
        assert getattr(found["imagenet_c_mce", "all"], side) == pytest.approx(mce)
        assert getattr(found["imagenet_c_relative_mce", "all"], side) == pytest.approx(relative)
        assert getattr(found["imagenet_c_ce", "fog"], side) == pytest.approx(
            error["fog"] / ALEXNET["fog"]
        )
    assert "no part of mCE" in found["imagenet_c_ce", "saturate"].reason
    mce = found["imagenet_c_mce", "all"]
    assert mce.low < mce.change < mce.high


def test_alexnet_against_itself_is_one():
    assert len(BENCHMARK) == 15
    assert set(ALEXNET) - set(BENCHMARK) == EXTRA
    assert np.mean([ALEXNET[name] for name in BENCHMARK]) == pytest.approx(0.788993, abs=1e-6)


@pytest.mark.parametrize(
    ("run", "why"),
    [
        ({}, "does not say that its set is imagenet-c"),
        ({"set": "mnist-c", "preset": "imagenet"}, "does not say"),
        ({"set": "imagenet-c", "preset": "cifar"}, "constants of cifar"),
        ({"set": "imagenet-c"}, "no preset"),
    ],
)
def test_only_where_the_run_says_so(case, run, why):
    (family,) = imagenet_c_families(*case, run)
    assert {f.outcome for f in family.findings} == {"not_asked"}
    assert all(why in f.reason for f in family.findings)


def test_only_on_these_data(case):
    tallies, clean, evidence, arms, known = case
    few = replace(evidence, classes=evidence.classes[:10])
    (family,) = imagenet_c_families(tallies, clean, few, arms, known, RUN)
    assert "10 classes" in family.findings[0].reason
    part = replace(evidence, conditions=evidence.conditions[:-8])
    (family,) = imagenet_c_families(tallies, clean, part, arms, known, RUN)
    assert "3 are missing" in family.findings[0].reason
    (family,) = imagenet_c_families(tallies, None, evidence, arms, known, RUN)
    assert "clean" in family.findings[0].reason


def test_a_config_names_the_set():
    assert set_of({"config": {"shifts": {"corruptions": "imagenet-c"}}}) == "imagenet-c"
    assert set_of({"config": {"shifts": {"corruptions": ["fog"]}}}) is None


def test_a_whole_audit_says_why_not(study):
    fog = Condition("fog", 1.0)
    made = study([0, 1] * 20, [[0, 1] * 20], {0.5: [[0, 1] * 20]}, condition=fog)
    clean = replace(made.block, condition=CLEAN)
    blocks = {CLEAN: clean, fog: made.block}
    evidence = replace(made.evidence, conditions=tuple(blocks), load=blocks.__getitem__)
    found = judge(evidence, Plan(), Policy())
    (mce,) = [f for f in found.findings if f.measure == "imagenet_c_mce"]
    assert (mce.outcome, mce.pruned) == ("not_asked", None)
    assert next(f for f in found.findings if f.measure == "corruption_error").n == 40
