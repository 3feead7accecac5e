from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from audit.evidence.blocks import CLEAN, NO_LABEL, NOT_SHOWN, Condition
from audit.judgement.judging import judge
from audit.judgement.pairs import design
from audit.judgement.plan import Plan
from audit.judgement.policy.limits import Policy
from audit.judgement.shifts.out_of_distribution import clean_scores, ood_families

SVHN = Condition("svhn", None)
INSIDE, OUTSIDE = 120, 80


def population(study, seed=0, worse=0.0, energy=True, controls=True):
    """Clean examples and others of no class; pruned models are less sure of which is which."""
    draw = np.random.default_rng(seed)
    n = INSIDE + OUTSIDE
    labels = np.r_[draw.integers(0, 3, INSIDE), np.full(OUTSIDE, NO_LABEL)]
    clean = np.arange(n) < INSIDE
    votes = np.where(clean, labels, NOT_SHOWN)
    others = np.where(clean, NOT_SHOWN, 1)
    blocks = {}
    for condition, shown in ((CLEAN, votes), (SVHN, others)):
        rows = np.tile(shown, (3, 1))
        made = study(
            labels,
            rows,
            {0.5: rows, 0.9: rows},
            rows if controls else None,
            columns={"split": np.where(clean, "test", "ood")},
            condition=condition,
            classes=["a", "b", "c"],
        )
        models = len(made.evidence.models)
        blurred = np.where(made.evidence.models["sparsity"].to_numpy() == 0.9, worse, 0.0)
        apart = np.where(clean, 2.0, 0.0) * (1 - blurred[:, None])
        score = apart + draw.normal(0, 1, n) + draw.normal(0, 0.5, (models, n))
        seen = made.block.predicted != NOT_SHOWN
        blocks[condition] = replace(
            made.block,
            confidence=np.where(seen, 1 / (1 + np.exp(-score)), np.nan).astype(np.float32),
            energy=np.where(seen, -score.round(1), np.nan).astype(np.float32) if energy else None,
        )
    return made, replace(made.evidence, conditions=tuple(blocks), load=blocks.__getitem__), blocks


def asked(study, **options):
    made, evidence, blocks = population(study, **options)
    known = design(evidence, Plan())
    clean = clean_scores(blocks[CLEAN], evidence)
    (family,) = ood_families(blocks[SVHN], evidence, clean, made.arms, known)
    return family, blocks, made


@pytest.mark.parametrize(
    ("suffix", "column", "sign"), [("", "confidence", 1), ("_energy", "energy", -1)]
)
def test_as_scikit_learn_has_it(study, suffix, column, sign):
    family, blocks, made = asked(study, worse=0.5)
    found = {f.measure: f for f in family.findings if f.sparsity == 0.9}
    truth = np.r_[np.ones(INSIDE), np.zeros(OUTSIDE)]

    def each(of, rows):
        values = []
        for row in rows:
            inside = sign * getattr(blocks[CLEAN], column)[row, :INSIDE].astype(float)
            out = sign * getattr(blocks[SVHN], column)[row, INSIDE:].astype(float)
            values.append(of(np.r_[inside, out]))
        return np.mean(values)

    def fpr95(score):
        rate, kept, _ = roc_curve(truth, score, drop_intermediate=False)
        return rate[np.argmax(kept >= 0.95)]

    oracles = {
        "ood_auroc": lambda s: roc_auc_score(truth, s),
        "ood_aupr_in": lambda s: average_precision_score(truth, s),
        "ood_aupr_out": lambda s: average_precision_score(1 - truth, -s),
        "ood_fpr95": fpr95,
    }
    roles = made.evidence.models["role"].to_numpy()
    pruned = np.flatnonzero(made.evidence.models["sparsity"].to_numpy() == 0.9)
    for measure, of in oracles.items():
        finding = found[measure + suffix]
        assert finding.parent == pytest.approx(each(of, np.flatnonzero(roles == "dense")))
        assert finding.pruned == pytest.approx(each(of, pruned))
        assert finding.control == pytest.approx(each(of, np.flatnonzero(roles == "control")))
        assert finding.change == pytest.approx(finding.pruned - finding.parent)
        assert finding.low < finding.change < finding.high
        assert (finding.n, finding.parents, finding.condition) == (200, 3, "svhn")
        assert "120 in, 80 out" in finding.reason


def test_a_blurred_model_is_found_and_an_equal_one_is_not(study):
    family, _, _ = asked(study, worse=0.7)
    p = {f.sparsity: f.p for f in family.findings if f.measure == "ood_auroc"}
    assert p[0.9] < 0.01 < p[0.5]
    level = next(f for f in family.findings if f.measure == "ood_auroc_level")
    assert level.p is None
    assert level.low < level.pruned < level.high
    assert level.change is None


def test_a_model_scores_like_itself(study):
    _, evidence, blocks = population(study)
    same = {
        c: replace(b, confidence=np.tile(b.confidence[:1], (len(b.confidence), 1)))
        for c, b in blocks.items()
    }
    known = design(evidence, Plan())
    clean = clean_scores(same[CLEAN], evidence)
    (family,) = ood_families(same[SVHN], evidence, clean, population(study)[0].arms, known)
    for finding in family.findings:
        if not finding.measure.endswith(("_energy", "_level")):
            assert (finding.change, finding.p) == (pytest.approx(0.0), pytest.approx(1.0))


def test_without_energies_or_too_few_of_them(study):
    family, _, _ = asked(study, energy=False)
    assert not [f for f in family.findings if f.measure.endswith("_energy")]
    made, evidence, blocks = population(study)
    known = design(evidence, Plan(minimum_n=100))  # 120 are in, 80 out
    clean = clean_scores(blocks[CLEAN], evidence)
    (family,) = ood_families(blocks[SVHN], evidence, clean, made.arms, known)
    assert all(f.p is None and "80" in f.reason for f in family.findings)


def test_others_have_no_part_in_anything_else(study):
    """Of the whole audit, only what is about other inputs changes when there are some."""
    _, evidence, _ = population(study)
    policy = Policy.model_validate(
        {
            "min_ood_auroc": 0.5,
            "max_ood_auroc_drop": 0.5,
            "max_ece": {"limit": 0.9, "condition": "any"},
            "min_recall": {"limit": 0.5, "condition": "any"},
        }
    )
    found = judge(evidence, Plan(resamples=100), policy)
    about = {f.measure for f in found.findings if f.condition == "svhn"}
    assert about
    assert all(name.startswith("ood_") for name in about)
    assert {v["outcome"] for v in found.policy["verdicts"]} == {"within"}
    potentials = {f.condition for f in found.findings if f.measure == "prune_potential"}
    assert potentials == {"clean"}
    alone = judge(replace(evidence, conditions=(CLEAN,)), Plan(resamples=100), Policy())
    accuracy = {f.id: f.pruned for f in alone.findings if f.measure == "accuracy"}
    assert accuracy == {f.id: f.pruned for f in found.findings if f.measure == "accuracy"}


def test_what_to_add(study):
    made = study([0, 1] * 20, [[0, 1] * 20], {0.5: [[0, 1] * 20]})
    found = judge(made.evidence, Plan(), Policy())
    reasons = {f.measure: f.reason for f in found.findings if f.outcome == "not_asked"}
    assert "split `ood`" in reasons["ood_auroc"]
    assert "split `ood`" in reasons["ood_fpr95_energy"]
    assert "uniform_noise@" in reasons["noise_match"]
    assert "fgsm@" in reasons["adversarial_accuracy"]
    assert "probabilities" in reasons["brier"]
    assert "multiply" in reasons["theoretical_speedup"]
