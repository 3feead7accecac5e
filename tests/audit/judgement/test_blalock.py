from dataclasses import replace

import pandas as pd
import pytest

from audit.judgement.blalock import blalock
from audit.judgement.findings import Finding, Findings, finding_id, no_exemplars

RUN = {"architecture": "resnet20", "data": "digits", "config": {"seeds": 3}, "version": "1.0"}
MODELS = pd.DataFrame({"bytes": [1.0], "bytes_deflated": [1.0], "latency_ms": [1.0]})
LAYERS = pd.DataFrame({"model": ["a"], "layer": ["conv"], "parameters": [9], "nonzero": [3]})


def finding(measure, sparsity, **values):
    name = finding_id(measure=measure, sparsity=sparsity)
    given = {"parent": 0.9, "pruned": 0.8, "control": 0.9, "parents": 3, **values}
    return Finding(
        id=name, measure=measure, unit="fraction", method="m", sparsity=sparsity, **given
    )


def whole(sparsities=(0.5, 0.75, 0.875, 0.9375, 0.96875)):
    measures = (
        "accuracy", "top5_accuracy", "accuracy_deviation", "compression_ratio",
        "theoretical_speedup",
    )  # fmt: skip
    return [finding(measure, s) for measure in measures for s in sparsities]


def ticks(found, run=RUN, models=MODELS, layers=LAYERS):
    given = blalock(Findings(run, {}, tuple(found), no_exemplars()), models, layers)
    return {tick.practice: tick for tick in given}


def test_an_audit_that_follows_all_of_them():
    given = ticks(whole())
    assert len(given) == 8
    assert all(tick.done for tick in given.values())
    assert "2×, 4×, 8×, 16×, 32×" in given["operating_points"].detail
    assert "3 parents" in given["spread"].detail


def without(measure):
    return [f for f in whole() if f.measure != measure]


@pytest.mark.parametrize(
    ("practice", "change", "detail"),
    [
        ("both_ratios", {"found": without("theoretical_speedup")}, "multiply–adds"),
        ("operating_points", {"found": whole((0.5, 0.9))}, "2 at the least"),
        ("top1_and_top5", {"found": without("top5_accuracy")}, "not recorded"),
        ("spread", {"found": without("accuracy_deviation")}, "one parent"),
        ("controls", {"found": [replace(f, parent=None) for f in whole()]}, "no parent"),
        ("exactly_what", {"run": {**RUN, "data": None}}, "data"),
        ("layers", {"layers": None}, "not recorded"),
        ("measured_size_and_time", {"models": MODELS.drop(columns="latency_ms")}, "latency"),
    ],
)
def test_each_that_is_missing_is_named(practice, change, detail):
    given = ticks(**{"found": whole(), **change})
    assert [name for name, tick in given.items() if not tick.done] == [practice]
    assert detail in given[practice].detail


def test_a_question_that_was_not_asked_is_none_that_was_answered():
    found = without("top5_accuracy")
    missing = replace(
        finding("top5_accuracy", 0.5), outcome="not_asked", pruned=None, reason="no probabilities"
    )
    given = ticks([*found, missing])
    assert not given["top1_and_top5"].done
    assert "no probabilities" in given["top1_and_top5"].detail


def test_nothing_at_all():
    given = ticks([], run={}, models=pd.DataFrame(), layers=pd.DataFrame())
    assert not any(tick.done for tick in given.values())
