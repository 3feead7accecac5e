from dataclasses import replace

import numpy as np
import pytest

from audit.evidence.blocks import CLEAN
from audit.judgement.judging import judge
from audit.judgement.labels.errors import label_families
from audit.judgement.labels.suspicion import suspicion
from audit.judgement.plan import Plan
from audit.judgement.policy.limits import Policy

MEASURES = ("label_error_share", "accuracy_off_suspects", "accuracy_on_suspects")


def softened(made, sharp=4.0):
    """Probabilities that favour what each model predicts, all by the same amount."""
    classes, votes = len(made.evidence.classes), made.block.predicted

    def probabilities(condition, row):
        z = np.exp(sharp * np.eye(classes)[votes[row]])
        table = (z / z.sum(axis=1, keepdims=True)).astype(np.float32)
        table[votes[row] < 0] = np.nan
        return table

    return replace(made, evidence=replace(made.evidence, probabilities=probabilities))


def ask(made, **plan):
    suspects = suspicion(made.evidence, CLEAN)
    (family,) = label_families(made.block, made.evidence, made.arms, Plan(**plan), suspects)
    assert (family.name, family.tier) == ("labels", "D")
    return {(f.measure, f.class_, f.groups): f for f in family.findings}


def wrong_labels(study, **kwargs):
    """200 a, 200 b; 40 labelled a are seen as b by all parents; pruned models say a of 30 of them
    and of 20 of the b."""
    labels = np.repeat([0, 1], 200)
    parent = labels.copy()
    parent[:40] = 1
    pruned = parent.copy()
    pruned[:30], pruned[200:220] = 0, 0
    return study(
        labels, [parent] * 3, {0.9: [pruned] * 3}, [parent] * 3, classes=("a", "b"), **kwargs
    )


def test_shares_by_hand(study):
    group = np.where(np.arange(400) < 100, "x", "y")
    found = ask(softened(wrong_labels(study, columns={"group_g": group})))
    whole = found["label_error_share", None, None]
    assert (whole.parent, whole.n, whole.parents) == (pytest.approx(0.1), 400, 3)
    assert whole.low < 0.1 < whole.high
    assert "3 parents" in whole.reason
    assert "no proof" in whole.reason
    assert found["label_error_share", "a", None].parent == pytest.approx(40 / 200)
    assert found["label_error_share", "b", None].parent == 0.0
    assert found["label_error_share", None, "g=x"].parent == pytest.approx(40 / 100)
    assert whole.method is None


def test_accuracy_with_and_without_suspects_by_hand(study):
    """Without the 40, parents are right on 360 of 360, pruned models on 340. On them 0 and 30."""
    found = ask(softened(wrong_labels(study)))
    off = found["accuracy_off_suspects", None, None]
    assert (off.parent, off.pruned, off.n) == (1.0, pytest.approx(340 / 360), 360)
    assert off.low < off.change < off.high
    on = found["accuracy_on_suspects", None, None]
    assert (on.parent, on.pruned, on.n) == (0.0, pytest.approx(30 / 40), 40)
    for one in (on, off):
        assert (one.p, one.examples_p) == (None, None)
        assert "by construction" in one.reason


def test_weights_count(study):
    heavy = np.where(np.arange(400) < 40, 3.0, 1.0)
    found = ask(softened(wrong_labels(study, columns={"weight": heavy})))
    assert found["label_error_share", None, None].parent == pytest.approx(120 / 480)


def test_who_has_no_label_or_was_not_shown_is_not_judged(study):
    made = wrong_labels(study)
    labels = made.evidence.labels.copy()
    labels[380:] = -1
    predicted = made.block.predicted.copy()
    predicted[1, 370:380] = -1
    evidence = replace(made.evidence, examples=made.evidence.examples.assign(label=labels))
    made = replace(made, evidence=evidence, block=replace(made.block, predicted=predicted))
    assert ask(softened(made))["label_error_share", None, None].n == 370


def test_without_any_label_nothing_is_suspected(study):
    made = wrong_labels(study)
    nobody = replace(made.evidence, examples=made.evidence.examples.assign(label=-1))
    assert ask(softened(replace(made, evidence=nobody))) == {}


def test_without_probabilities_it_is_not_asked_and_says_what_to_add(study):
    made = wrong_labels(study)
    assert suspicion(made.evidence, CLEAN) is None
    found = judge(made.evidence, Plan(resamples=100), Policy())
    for measure in (*MEASURES, "label_errors_on_pies", "margin_on_pies"):
        (one,) = [f for f in found.findings if f.measure == measure]
        assert one.outcome == "not_asked"
        assert "`probabilities`" in one.reason


def test_a_whole_audit_answers_it(study):
    made = softened(wrong_labels(study))
    found = judge(made.evidence, Plan(resamples=100), Policy())
    answered = {f.measure for f in found.findings if f.outcome != "not_asked"}
    assert {*MEASURES, "label_errors_on_pies", "label_errors_off_pies"} <= answered
    assert found.exemplars["suspected"].sum() == 30
    again = judge(made.evidence, Plan(resamples=100), Policy())
    assert again.to_json() == found.to_json()
