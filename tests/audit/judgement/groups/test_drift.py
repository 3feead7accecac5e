from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from audit.evidence.blocks import CLEAN, Block
from audit.judgement.groups.drift import drift_families
from audit.judgement.groups.subgroups import subgroup_findings
from audit.judgement.plan import Plan

PLAN = Plan(positive="yes")


def shifted(study, n=3000, by=0.15, seed=0, validation=True):
    """Pruning lowers every score alike: the ranking stays, the threshold .5 does not."""
    draw = np.random.default_rng(seed)
    group = draw.choice(["a", "b"], n)
    label = (draw.random(n) < np.where(group == "a", 0.6, 0.3)).astype(int)
    dense = np.clip(0.5 + 0.3 * (label - 0.5) + 0.15 * draw.normal(size=(3, n)), 0.16, 1)
    table = np.concatenate([dense, dense - by])
    vote, sure = (table >= 0.5).astype(np.int32), np.maximum(table, 1 - table).astype(np.float32)
    half = n // 2
    made = study(
        label[:half],
        vote[:3, :half],
        {0.5: vote[3:, :half]},
        columns={"group_g": group[:half]},
        classes=("no", "yes"),
    )
    block = replace(made.block, confidence=sure[:, :half])
    evidence = replace(made.evidence, load=lambda _: block)
    if validation:
        held = Block(CLEAN, vote[:, half:], sure[:, half:])
        examples = pd.DataFrame(
            {"example": np.arange(half), "label": label[half:], "split": "validation"}
        )
        evidence = replace(
            evidence, validation=replace(evidence, examples=examples, load=lambda _: held)
        )
    return replace(made, block=block, evidence=evidence)


def by_name(families):
    return {(f.measure, f.groups): f for family in families for f in family.findings}


def test_drift_is_told_from_bias(study):
    """Every score falls by .15: plain FNRs rise by tens of points, and re-set ones not at all."""
    made = shifted(study)
    plain = by_name(subgroup_findings(made.block, made.evidence, made.arms, PLAN))
    again = by_name(drift_families(made.block, made.evidence, made.arms, PLAN))
    for name in ("g=a", "g=b"):
        assert plain["group_fnr", name].change > 0.2
        assert again["group_fnr_recalibrated", name].change == pytest.approx(0.0, abs=0.005)
        assert again["group_fpr_recalibrated", name].change == pytest.approx(0.0, abs=0.005)
    assert {measure for measure, _ in again} == {
        "group_accuracy_recalibrated", "group_fnr_recalibrated", "group_fpr_recalibrated",
        "group_selection_rate_recalibrated",
    }  # fmt: skip


def test_what_is_no_drift_stays(study):
    made = shifted(study, by=0.0)
    hurt = made.evidence.examples["group_g"].to_numpy() == "b"
    vote, sure = made.block.predicted.copy(), made.block.confidence.copy()
    vote[3:, hurt], sure[3:, hurt] = 0, 0.9
    block = replace(made.block, predicted=vote, confidence=sure)
    again = by_name(drift_families(block, made.evidence, made.arms, PLAN))
    assert again["group_fnr_recalibrated", "g=b"].change > 0.3
    assert again["group_fnr_recalibrated", "g=b"].p < 0.01


def test_without_validation_scores_or_a_positive_nothing_is_asked(study):
    made = shifted(study, validation=False)
    assert drift_families(made.block, made.evidence, made.arms, PLAN) == []
    made = shifted(study)
    assert drift_families(made.block, made.evidence, made.arms, Plan()) == []
    bare = replace(made.block, confidence=None)
    assert drift_families(bare, made.evidence, made.arms, PLAN) == []
