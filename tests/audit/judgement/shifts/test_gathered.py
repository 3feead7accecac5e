from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from audit.evidence.blocks import CLEAN, NO_LABEL, Condition
from audit.judgement.findings import RELIABILITY_COLUMNS, Findings
from audit.judgement.judging import judge
from audit.judgement.plan import Plan
from audit.judgement.policy.limits import Policy
from audit.judgement.shifts.potential import REQUESTED

FOG = Condition("fog", 3.0)
SHADOW = Condition("shadow", None)
QUICK = Plan(resamples=100)
SLACK = Plan(resamples=100, delta=0.9)


@pytest.fixture
def evidence(study):
    """Three parents, two methods at two sparsities each; the second states no `sparsity_all`."""
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 3, 120)

    def off(share):
        return np.where(draw.random((3, 120)) < share, (labels + 1) % 3, labels)

    blocks = {}
    for condition, noise in ((CLEAN, 0.1), (FOG, 0.3)):
        dense = off(noise)
        rungs = {s: off(noise) for s in (0.4, 0.5, 0.8, 0.9)}
        made = study(labels, dense, rungs, condition=condition)
        sure = draw.uniform(0.4, 1.0, made.block.predicted.shape).astype(np.float32)
        blocks[condition] = replace(made.block, confidence=sure, loss=1.0 - sure)
    models = made.evidence.models
    second = models["sparsity"].isin([0.4, 0.8])
    models = models.assign(
        method=models["method"].where(~second, "random"),
        sparsity_all=(models["sparsity"] * 0.9).where(~second),
    )
    return replace(made.evidence, models=models, conditions=tuple(blocks), load=blocks.__getitem__)


def potentials(found, method):
    return [f for f in found.findings if f.measure == "prune_potential" and f.method == method]


def test_each_method_is_read_as_it_states_its_sizes(evidence):
    """One method counts all parameters, the other only what was requested, and says so."""
    found = judge(evidence, SLACK, Policy())
    for method, ratio in (("magnitude", 0.81), ("random", 0.8)):
        assert [f.pruned for f in potentials(found, method)] == pytest.approx([ratio, ratio])
    assert all(REQUESTED in f.reason for f in potentials(found, "random"))
    assert not any(REQUESTED in f.reason for f in potentials(found, "magnitude"))


def test_traffic_without_labels_has_no_potential(evidence):
    """Nobody is in its denominator: that is no potential of 0, and no part of the smallest."""
    blocks = {c: evidence.load(c) for c in evidence.conditions}
    wide = {c: replace(b, **_wider(b)) for c, b in blocks.items()}
    unlabelled = {c: replace(b, **_wider(b, last=True)) for c, b in blocks.items()}
    wide[SHADOW] = replace(unlabelled[CLEAN], condition=SHADOW)
    more = evidence.examples.assign(
        example=lambda t: t["example"] + 1000, label=NO_LABEL, split="shadow"
    )
    both = replace(
        evidence,
        examples=pd.concat([evidence.examples, more], ignore_index=True),
        conditions=tuple(wide),
        load=wide.__getitem__,
    )
    found = judge(both, SLACK, Policy())
    assert {f.condition for f in potentials(found, "magnitude")} == {"clean", "fog"}
    smallest = [f for f in found.findings if f.measure == "minimum_prune_potential"]
    assert all(f.pruned > 0 for f in smallest)


def _wider(block, last=False):
    """The block beside as many examples that were not shown; or those shown and the others not."""
    out = {}
    for name, blank in (("predicted", -1), ("confidence", np.nan), ("loss", np.nan)):
        values = getattr(block, name)
        none = np.full_like(values, blank)
        out[name] = np.concatenate([none, values] if last else [values, none], axis=1)
    return out


def test_the_bins_are_written_and_read(evidence, tmp_path):
    found = judge(evidence, QUICK, Policy())
    assert set(found.reliability["condition"]) == {"clean", "fog"}
    assert set(found.reliability["method"]) == {"magnitude", "random"}
    assert found.reliability["bin"].max() < QUICK.calibration_bins
    found.write(tmp_path)
    again = Findings.read(tmp_path)
    assert list(again.reliability.columns) == list(RELIABILITY_COLUMNS)
    pd.testing.assert_frame_equal(again.reliability, found.reliability, check_dtype=False)
    assert "reliability" not in found.document()


def test_limits_on_confidence_and_on_one_class_under_one_condition(evidence):
    policy = {
        "max_nll_increase": 0.5,
        "max_ece_increase": 0.9,
        "min_recall": {"limit": 0.3, "condition": "fog", "severity": 3, "class": "class-1"},
    }
    found = judge(evidence, QUICK, Policy.model_validate(policy))
    held = {}
    for f in found.findings:
        if f.limit_name:
            held.setdefault(f.limit_name, []).append(f)
    assert set(held) == set(policy)
    assert {f.outcome for some in held.values() for f in some} == {"within"}
    assert {(f.condition, f.severity, f.class_) for f in held["min_recall"]} == {
        ("fog", 3.0, "class-1")
    }
    assert len(held["min_recall"]) == 4
    strict = {
        "max_nll_increase": 0.0,
        "min_recall": {"limit": 0.95, "condition": "fog", "class": "class-1"},
    }
    found = judge(evidence, QUICK, Policy.model_validate(strict))
    outcomes = {(f.limit_name, f.outcome) for f in found.findings if f.limit_name}
    assert ("min_recall", "over") in outcomes
    assert ("max_nll_increase", "cannot_tell") in outcomes
