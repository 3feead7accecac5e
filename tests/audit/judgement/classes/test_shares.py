import numpy as np
import pytest

from audit.judgement.classes.shares import share_findings
from audit.judgement.pairs import contrast, correct, design, pairs
from audit.judgement.plan import Plan


def ask(made, **plan):
    known = design(made.evidence, Plan(**plan))
    found = pairs(made.block, made.arms[0], known)
    right = contrast(found, correct(known.labels))
    classes = len(made.evidence.classes)
    return {f.measure: f for f in share_findings(found, right, classes)}


def moved(study, changes, parents=7, size=40, control=True, **kwargs):
    """Class c has 40 examples; `changes[c]` of them turn wrong (below 0) or right in every pair."""
    labels = np.repeat(np.arange(len(changes)), size)
    dense = labels.copy()
    dense[np.arange(labels.size) % size >= size - 10] = -1
    dense = np.where(dense < 0, (labels + 1) % len(changes), dense)
    pruned = dense.copy()
    for code, change in enumerate(changes):
        start = code * size
        if change < 0:
            pruned[start : start - change] = (code + 1) % len(changes)
        else:
            pruned[start + size - 10 : start + size - 10 + change] = code
    return study(
        labels, [dense] * parents, {0.5: [pruned] * parents},
        [dense] * parents if control else None, **kwargs,
    )  # fmt: skip


def test_by_hand(study):
    """Of four classes two lose, one gains, one stays; in the controls nobody moves.

    Seven parents flip 35, 21, 28 and 0 times: half of the odd lose by chance, and of the 28 half of
    1 − .1494, of none nobody: (.5 + .5 + .4253) / 4.
    """
    found = ask(moved(study, [-5, -3, 4, 0]))
    losing, gaining = found["classes_losing"], found["classes_gaining"]
    assert (losing.pruned, gaining.pruned) == (0.5, 0.25)
    assert (losing.control, gaining.control) == (0.0, 0.0)
    assert "of 4 classes; 35.6% by chance" in losing.reason
    assert (losing.p, losing.change) == (None, None)
    assert losing.low <= 0.5 <= losing.high


def test_a_class_without_examples_is_no_class_that_loses(study):
    found = ask(moved(study, [-5, 4, 0], classes=("a", "b", "c", "d")))
    assert found["classes_losing"].pruned == pytest.approx(1 / 3)
    assert "of 3 classes" in found["classes_losing"].reason


def test_chance_of_a_single_pair_by_hand(study):
    """One flip: it loses or gains, half each. Two: 1/4 each. None: neither. Mean .25."""
    found = ask(moved(study, [-1, -2, 0], parents=1, control=False))["classes_losing"]
    assert "25.0% by chance" in found.reason
    assert found.control is None
    assert found.generalises_to == "examples"


def test_identical_populations(study):
    found = ask(moved(study, [0, 0, 0]))
    for one in found.values():
        assert (one.pruned, one.control) == (0.0, 0.0)
        assert "0.0% by chance" in one.reason


def test_nobody_labelled_is_not_asked(study):
    made = study(np.full(40, -1), np.zeros((2, 40)), {0.5: np.ones((2, 40))})
    assert {f.outcome for f in ask(made).values()} == {"not_asked"}


def test_chance_is_what_models_that_did_not_change_show(study):
    """Forty nulls of eight small classes: the mean share is what the coin says, within a tenth."""
    draw = np.random.default_rng(0)
    labels, shares, said = np.repeat(np.arange(8), 30), [], []
    for _ in range(40):
        dense, again = (np.where(draw.random((3, 240)) < 0.95, labels, 8) for _ in range(2))
        known = study(labels, dense, {0.5: again})
        found = ask(known)["classes_losing"]
        shares.append(found.pruned)
        said.append(float(found.reason.split("; ")[1].split("%")[0]) / 100)
    assert np.mean(shares) == pytest.approx(np.mean(said), abs=0.06)
    assert np.mean(said) < 0.47
