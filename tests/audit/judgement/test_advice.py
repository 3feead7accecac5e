from dataclasses import replace

import numpy as np
import pytest

from audit.evidence.blocks import CLEAN, Condition
from audit.judgement.advice import advice
from audit.judgement.findings import Finding, Findings, no_exemplars
from audit.judgement.judging import judge
from audit.judgement.plan import Plan
from audit.judgement.policy.limits import Policy
from audit.judgement.shifts.potential import REQUESTED

FOG = Condition("fog", 3.0)


def potential(condition, pruned, low, high, severity=None, measure="prune_potential"):
    return Finding(
        id=f"{measure}-{condition}",
        measure=measure,
        unit="sparsity",
        method="magnitude",
        condition=condition,
        severity=severity,
        pruned=pruned,
        low=low,
        high=high,
    )


def said(*findings, run=None):
    given = advice(Findings(run or {}, {}, findings, no_exemplars()))
    return {sentence.guideline: sentence for sentence in given}


LADDER = (
    potential("clean", 0.9, 0.8, 0.9, 0.0),
    potential("fog", 0.5, 0.4, 0.5, 3.0),
    potential("snow", 0.7, 0.7, 0.7, 1.0),
    potential("all", 0.6, None, None, None, "mean_prune_potential"),
    potential("all", 0.5, 0.4, 0.5, None, "minimum_prune_potential"),
)


def test_the_four_guidelines_name_their_numbers():
    found = said(*LADDER)
    assert list(found) == ["unexpected_shift", "partial_knowledge", "full_extent", "augmentation"]
    unexpected = found["unexpected_shift"]
    assert "falls from 0.9 (at least 0.8 is shown)" in unexpected.text
    assert "0.5 (at least 0.4 is shown) under fog at severity 3, of 2 shifted" in unexpected.text
    assert unexpected.findings == ("prune_potential-clean", "prune_potential-fog")
    partial = found["partial_knowledge"]
    assert "prune moderately: to 0.4 of all parameters at most" in partial.text
    assert "minimum_prune_potential-all" in partial.findings
    assert "full extent, 0.9 (at least 0.8 is shown)" in found["full_extent"].text
    assert "0.6, lies 0.3 below" in found["augmentation"].text
    assert "not recorded" in found["augmentation"].text
    assert {sentence.method for sentence in found.values()} == {"magnitude"}


def test_what_retraining_had():
    stated = {"config": {"population": {"fine_tuning": {"augmentation": "mix1"}}}}
    assert "it had mix1" in said(*LADDER, run=stated)["augmentation"].text
    assert "it had none" in said(*LADDER, run={"config": {}})["augmentation"].text
    given = {"config": {"population": {"models": [{"name": "a"}]}}}
    assert "not recorded" in said(*LADDER, run=given)["augmentation"].text


def test_no_shift_was_shown():
    found = said(LADDER[0])
    assert set(found) == {"unexpected_shift", "full_extent"}
    assert "under no shift was it measured" in found["unexpected_shift"].text


def test_no_shift_lowers_it():
    found = said(LADDER[0], replace(LADDER[1], pruned=0.9, low=0.8))
    assert "lower under none of 1 shifted conditions" in found["unexpected_shift"].text


def test_what_cannot_be_told():
    found = said(
        replace(LADDER[0], low=0.0, high=None),
        replace(LADDER[1], low=0.0, high=None),
        LADDER[3],
        replace(LADDER[4], low=0.0, high=None),
    )
    assert "these data show no sparsity" in found["partial_knowledge"].text
    assert "cannot be told" in found["partial_knowledge"].text
    assert "cannot be told" in found["full_extent"].text


def test_a_slope_is_cited_only_where_it_is_shown():
    slope = replace(LADDER[0], id="s", measure="excess_error_slope", change=0.2, low=0.1, high=0.3)
    found = said(*LADDER, slope)["unexpected_shift"]
    assert "2.00 points" in found.text
    assert found.findings[-1] == "s"
    unshown = said(*LADDER, replace(slope, low=-0.1))["unexpected_shift"]
    assert "s" not in unshown.findings


def test_one_sparsity_gives_none_of_the_four():
    missing = replace(LADDER[0], outcome="not_asked", reason="one sparsity only", pruned=None)
    assert said(missing) == {}


@pytest.mark.parametrize(("hurt", "guideline"), [(0.0, "no_harm_found"), (0.6, "harm_found")])
def test_of_a_whole_audit(study, hurt, guideline):
    """Without harm it says how large a one would have been found; every id it cites is there."""
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 3, 300)

    def off(share):
        return np.where(draw.random((4, 300)) < share, (labels + 1) % 3, labels)

    blocks = {}
    for condition in (CLEAN, FOG):
        dense = off(0.1)
        pruned = {
            s: np.where(draw.random((4, 300)) < hurt * s, off(1.0), dense) for s in (0.5, 0.9)
        }
        made = study(labels, dense, pruned, dense, condition=condition)
        blocks[condition] = made.block
    evidence = replace(made.evidence, conditions=tuple(blocks), load=blocks.__getitem__)
    found = judge(evidence, Plan(resamples=100), Policy())
    given = advice(found)
    assert given[0].guideline == guideline
    ids = {finding.id for finding in found.findings}
    assert all(sentence.findings and set(sentence.findings) <= ids for sentence in given)
    if not hurt:
        assert "points in accuracy" in given[0].text
    assert len(given) == 5


def test_no_sparsity_qualifies():
    nothing = replace(LADDER[0], pruned=0.0, low=0.0, high=0.0)
    found = said(nothing, replace(LADDER[1], pruned=0.0, low=0.0, high=0.0))
    assert "0 on clean examples already" in found["unexpected_shift"].text
    assert "no audited sparsity keeps the error" in found["full_extent"].text


def test_what_a_ratio_is_a_share_of():
    assert "of all parameters, only" in said(*LADDER)["full_extent"].text
    requested = [replace(f, reason=REQUESTED) for f in LADDER]
    assert "of the targeted weights, as requested," in said(*requested)["full_extent"].text
