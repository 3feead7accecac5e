from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from audit.evidence.errors import InputError
from audit.judgement.from_tables import audit_table
from audit.judgement.labels.corrected import (
    corrected,
    corrected_findings,
    overtaking_prevalence,
)
from audit.judgement.pairs import design
from audit.judgement.plan import Plan


def ask(made, **plan):
    known = design(made.evidence, Plan(**plan))
    found = corrected_findings(made.block, made.evidence, made.arms, known)
    return {f.measure: f for f in found}


def learned_errors(study, parents=3, **columns):
    """100 a, of which 40 are truly b. Parents learned it: they say a of them. Pruned models say b.

    On the 60 that are right, parents say a of all and pruned models of 54.
    """
    labels = np.zeros(100, dtype=int)
    truth = np.repeat([1, 0], [40, 60])
    pruned = truth.copy()
    pruned[40:46] = 1
    return study(
        labels, [labels] * parents, {0.9: [pruned] * parents}, classes=("a", "b"),
        columns={"corrected_label": truth, **columns},
    )  # fmt: skip


def test_the_crossing_by_hand():
    """(1 − q)(−.1) + q (+.3) = 0 at q = .25; two of one sign never cross."""
    assert overtaking_prevalence(-0.1, 0.3) == pytest.approx(0.25)
    assert overtaking_prevalence(0.1, -0.3) == pytest.approx(0.25)
    assert overtaking_prevalence(0.0, 0.3) == 0.0
    assert overtaking_prevalence(-0.1, 0.0) == 1.0
    assert overtaking_prevalence(-0.1, -0.3) is None
    assert overtaking_prevalence(0.2, 0.2) is None
    assert overtaking_prevalence(0.0, 0.0) is None


def test_accuracies_by_hand(study):
    """−6/60 where labels are right, 0 → 1 where they are wrong: level at .1 / 1.1 of them wrong."""
    found = ask(learned_errors(study))
    right, wrong = found["accuracy_on_right_labels"], found["accuracy_on_wrong_labels"]
    assert (right.parent, right.pruned, right.n) == (1.0, pytest.approx(0.9), 60)
    assert (wrong.parent, wrong.pruned, wrong.n) == (0.0, 1.0, 40)
    every = found["corrected_accuracy"]
    assert (every.parent, every.pruned) == (pytest.approx(0.6), pytest.approx(0.94))
    crossing = found["overtaking_prevalence"]
    assert crossing.pruned == pytest.approx(0.1 / 1.1)
    assert 0.0 <= crossing.low < 0.1 / 1.1 < crossing.high <= 1.0
    assert crossing.n == 100


def test_a_side_that_is_always_behind_is_said_to_be(study):
    labels = np.zeros(100, dtype=int)
    pruned = labels.copy()
    pruned[50:60] = 1
    truth = np.repeat([1, 0], [10, 90])
    made = study(
        labels, truth, {0.9: np.where(pruned == 1, 1 - truth, truth)}, classes=("a", "b"),
        columns={"corrected_label": truth},
    )  # fmt: skip
    pruned = made.block.predicted[1].copy()
    pruned[:3] = 0
    block = replace(made.block, predicted=np.stack([made.block.predicted[0], pruned]))
    found = ask(replace(made, block=block))["overtaking_prevalence"]
    assert (found.pruned, found.low) == (None, None)
    assert "behind at every prevalence" in found.reason


def test_the_ranking_is_kendalls(study):
    draw = np.random.default_rng(0)
    labels, truth = draw.integers(0, 3, 200), draw.integers(0, 3, 200)
    dense = [np.where(draw.random(200) < share, labels, truth) for share in (0.2, 0.5, 0.8)]
    made = study(labels, dense, {0.9: dense[:1]}, columns={"corrected_label": truth})
    found = ask(made)["rank_by_corrected_labels"]
    each = made.block.predicted
    expected = stats.kendalltau((each == labels).mean(1), (each == truth).mean(1)).statistic
    assert found.parent == pytest.approx(expected)
    assert found.parent < 0
    assert "best is dense-2 by the labels as given, dense-0 by the corrected" in found.reason


def test_names_codes_and_empty_cells(study):
    made = learned_errors(study)
    whole = corrected(made.evidence)
    names = np.where(whole.labels == 1, "b", None)
    examples = made.evidence.examples.assign(corrected_label=names)
    by_name = corrected(replace(made.evidence, examples=examples))
    assert (by_name.labels == whole.labels).all()
    assert by_name.wrong.sum() == 40


@pytest.mark.parametrize("value", ["c", 7])
def test_a_corrected_label_that_is_no_class_is_refused(study, value):
    made = learned_errors(study)
    examples = made.evidence.examples.assign(corrected_label=[value] * 100)
    with pytest.raises(InputError, match="corrected_label"):
        corrected(replace(made.evidence, examples=examples))


def test_without_the_column_there_is_nothing(study):
    labels = np.zeros(40, dtype=int)
    assert ask(study(labels, labels, {0.9: labels})) == {}


def test_no_error_at_all_leaves_the_crossing_unasked(study):
    labels = np.arange(60) % 2
    made = study(labels, labels, {0.9: 1 - labels}, columns={"corrected_label": labels})
    found = ask(made)
    assert found["overtaking_prevalence"].outcome == "not_asked"
    assert found["accuracy_on_wrong_labels"].outcome == "not_asked"
    assert found["corrected_accuracy"].pruned == 0.0


def test_a_flat_table_with_the_column():
    labels, truth = np.repeat(["a", "b"], 50), np.repeat(["a", "b", "a"], [50, 40, 10])
    frames = [
        pd.DataFrame(
            {
                "model": name, "role": role, "parent": parent, "example": np.arange(100),
                "label": labels, "corrected_label": np.where(truth != labels, truth, None),
                "predicted": predicted,
            }
        )
        for name, role, parent, predicted in (
            ("d", "dense", None, labels), ("p", "pruned", "d", truth),
        )
    ]  # fmt: skip
    found = audit_table(pd.concat(frames), Plan(resamples=100, minimum_n=10))
    by = {f.measure: f for f in found.findings}
    assert by["corrected_accuracy"].pruned == 1.0
    assert by["accuracy_on_wrong_labels"].n == 10
