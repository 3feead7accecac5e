import itertools
import json
import weakref
from collections import Counter
from dataclasses import replace

import jsonschema
import numpy as np
import pandas as pd
import pytest

from audit.evidence.blocks import CLEAN, NO_LABEL, Condition
from audit.evidence.errors import InputError
from audit.judgement.document import findings_schema
from audit.judgement.judging import judge
from audit.judgement.measures import MEASURES
from audit.judgement.plan import Plan
from audit.judgement.policy.limits import Policy

FOG = [Condition("fog", severity) for severity in (1.0, 3.0)]
QUICK = {"resamples": 100, "minimum_n": 10}
EVERY_LIMIT = {
    "max_accuracy_drop": [0.02, {"limit": 0.05, "condition": "fog", "owner": "Ada"}],
    "max_class_recall_drop": [0.1, {"limit": 0.2, "condition": "fog", "severity": 3}],
    "max_corruption_error_increase": 0.05,
    "max_corruption_excess_error": 0.05,
    "max_ece_increase": 0.1,
    "max_nll_increase": 0.5,
    "max_ece": [0.2, {"limit": 0.5, "condition": "any"}],
    "max_excess_error": 0.05,
    "max_excess_gap": 0.05,
    "max_flip_rate": [0.1, {"limit": 0.2, "condition": "any", "claim": "files"}],
    "max_group_accuracy_drop": 0.05,
    "max_group_fnr_increase": 0.05,
    "max_group_fpr_increase": [0.05, {"limit": 0.2, "condition": "any"}],
    "max_harmed_rate": 0.1,
    "max_pie_excess": [0.05, {"limit": 0.2, "condition": "fog", "severity": "any"}],
    "min_accuracy": 0.5,
    "min_prune_potential": [0.3, {"limit": 0.1, "condition": "any"}],
    "min_recall": [0.5, {"limit": 0.1, "condition": "fog", "class": "class-1"}],
}


# What `population` lacks, and measures that it has no occasion for: no plan asks for them, the set
# is not ImageNet-C, no exemplar stays one.
ABSENT = {
    *("attacks", "corrected_label", "costs", "energy", "macs", "more_classes", "noise", "ood"),
    *("parameters", "positive", "probabilities", "scores", "sequences", "training", "validation"),
    "value",
}
OTHERWISE = {
    *("found_slice", "guard_deferred", "guard_recovered", "searched_slice", "unlabelled"),
    *("imagenet_c_ce", "imagenet_c_mce", "imagenet_c_relative_mce", "pie_staying"),
}


def population(study, seed=0, n=150, parents=3, classes=3, hurt=0.0, controls=True):
    """Blocks under clean, fog 1 and fog 3; sparsity 0.9 loses `hurt` of group b."""
    draw = np.random.default_rng(seed)
    labels = np.r_[np.arange(classes), draw.integers(0, classes, n - classes)]
    group = draw.choice(["a", "b"], n)

    def changed(before, share):
        other = draw.integers(0, classes, before.shape)
        return np.where(draw.random(before.shape) < share, other, before)

    made, blocks = None, {}
    for condition, noise in zip((CLEAN, *FOG), (0.05, 0.1, 0.2), strict=True):
        dense = changed(np.tile(labels, (parents, 1)), noise)
        pruned = {s: changed(dense, 0.02) for s in (0.5, 0.9)}
        lost = (group == "b") & (draw.random((parents, n)) < hurt)
        pruned[0.9] = np.where(lost, (labels + 1) % classes, pruned[0.9])
        made = study(
            labels,
            dense,
            pruned,
            changed(dense, 0.02) if controls else None,
            columns={"group_g": group, "group_h": np.roll(group, 1)},
            condition=condition,
            classes=[f"class-{c}" for c in range(classes)],
        )
        sure = draw.uniform(0.5, 1.0, made.block.predicted.shape).astype(np.float32)
        blocks[condition] = replace(made.block, confidence=sure, loss=1.0 - sure)
    return replace(made.evidence, conditions=tuple(blocks), load=blocks.__getitem__)


def without(evidence, **changes):
    """The evidence with columns or conditions taken away or put in place."""
    frames = {
        name: getattr(evidence, name).assign(**changes.pop(name))
        for name in ("examples", "models")
        if name in changes
    }
    return replace(evidence, **frames, **changes)


def whole(findings):
    """What must hold of every document."""
    document = json.loads(findings.to_json())
    jsonschema.validate(document, findings_schema())
    assert Counter(f.id for f in findings.findings).most_common(1)[0][1] == 1
    for finding in findings.findings:
        measure = MEASURES[finding.measure]
        assert (finding.unit, finding.worse_direction) == (measure.unit, measure.worse_direction)
        assert finding.reason or finding.outcome != "not_asked"
    return findings


def reasons(findings, measure):
    return [
        f.reason for f in findings.findings if f.measure == measure and f.outcome == "not_asked"
    ]


def of(findings, measure, **where):
    return [
        f
        for f in findings.findings
        if f.measure == measure and all(getattr(f, k) == v for k, v in where.items())
    ]


def test_a_whole_audit(study):
    evidence = population(study, hurt=0.5)
    found = whole(judge(evidence, Plan(**QUICK), Policy.model_validate(EVERY_LIMIT), {"name": "x"}))
    asked = {f.measure for f in found.findings if f.outcome != "not_asked"}
    left = {name for name, measure in MEASURES.items() if ABSENT & set(measure.needs)}
    assert set(MEASURES) - asked == left | OTHERWISE
    assert all(f.reason for f in found.findings if f.outcome == "not_asked")
    tiers = Counter(f.tier for f in found.findings)
    assert set(tiers) - {None} == {"A", "B", "C", "D"}
    assert len(of(found, "omnibus")) <= 10
    assert found.run["name"] == "x"
    assert (found.run["parents"], found.run["controls"], found.run["pruned"]) == (3, 3, 6)
    assert list(found.run) == sorted(found.run)
    verdicts = {v["sparsity"]: v["outcome"] for v in found.policy["verdicts"]}
    assert verdicts[0.9] == "over"
    assert len(found.policy["limits"]) == sum(
        len(limit) if isinstance(limit, list) else 1 for limit in EVERY_LIMIT.values()
    )


def test_harm_in_one_group_is_over_and_without_it_is_not(study):
    limits = {"max_excess_gap": 0.1, "max_group_accuracy_drop": 0.2}
    for hurt, outcome in ((0.6, "over"), (0.0, "within")):
        evidence = population(study, n=600, hurt=hurt)
        found = judge(evidence, Plan(**QUICK), Policy.model_validate(limits))
        (gap,) = of(found, "excess_gap", groups="g=b", sparsity=0.9)
        (drop,) = of(found, "group_accuracy", groups="g=b", sparsity=0.9)
        assert (gap.outcome, drop.outcome) == (outcome, outcome)
        (spared,) = of(found, "group_accuracy", groups="g=b", sparsity=0.5)
        assert spared.outcome == "within"


def test_one_condition_in_memory_at_a_time(study):
    evidence = population(study)
    alive, loaded = [], []

    def load(condition):
        assert not [ref for ref in alive if ref() is not None]
        fresh = evidence.load(condition)
        block = replace(fresh, predicted=fresh.predicted.copy())
        alive.append(weakref.ref(block))
        loaded.append(condition)
        return block

    judge(replace(evidence, load=load), Plan(**QUICK), Policy.model_validate(EVERY_LIMIT))
    assert loaded == list(evidence.conditions)


def test_clean_comes_first_whatever_the_order(study):
    evidence = population(study)
    turned = replace(evidence, conditions=evidence.conditions[::-1])
    plan, policy = Plan(**QUICK), Policy()
    first, second = (judge(e, plan, policy) for e in (evidence, turned))
    assert {f.id: f for f in first.findings} == {f.id: f for f in second.findings}
    assert len(of(second, "excess_error", condition="fog", severity=1.0)) == 2


def test_the_same_evidence_gives_the_same_bytes_in_any_row_order(study):
    evidence = population(study)
    plan, policy = Plan(**QUICK), Policy.model_validate(EVERY_LIMIT)
    once, again = (judge(evidence, plan, policy).to_json() for _ in range(2))
    assert once == again
    order = np.random.default_rng(1).permutation(len(evidence.models))
    shuffled = replace(
        evidence,
        models=evidence.models.iloc[order].reset_index(drop=True),
        load=lambda condition: replace(
            (block := evidence.load(condition)),
            predicted=block.predicted[order],
            confidence=block.confidence[order],
            loss=block.loss[order],
        ),
    )
    known = {f.id: f for f in judge(evidence, plan, policy).findings}
    for finding in judge(shuffled, plan, policy).findings:
        assert finding.outcome == known[finding.id].outcome
        if finding.change is not None:
            assert finding.change == pytest.approx(known[finding.id].change, abs=1e-12)


def test_a_pair_is_about_examples_and_a_population_about_both(study):
    one = judge(population(study, parents=1), Plan(**QUICK), Policy())
    several = judge(population(study, parents=3), Plan(**QUICK), Policy())
    for found, about in ((one, "examples"), (several, "both")):
        assert {f.generalises_to for f in of(found, "accuracy", condition="clean") if f.method} == {
            about
        }
    assert any("two parents or more" in reason for reason in reasons(one, "accuracy"))
    assert not any("two parents" in reason for reason in reasons(several, "accuracy"))


NOTHING_TO_ASK = {
    "no confidence": ("ece", "add a column `confidence`"),
    "no loss": ("nll", "add a column `loss`"),
    "no controls": ("accuracy", "there are no controls"),
    "no groups": ("group_fpr", "add columns `group_…`"),
    "no groups ": ("worst_excess_gap", "add columns `group_…`"),
    "no corruption": ("excess_error", "add conditions with a severity"),
    "no positive": ("demographic_parity_difference", "name it as `positive`"),
    "one sparsity": ("prune_potential", "prune at two or more"),
    "one sparsity ": ("excess_error_slope", "prune at two or more"),
    "no parents": ("accuracy", "parent"),
    "no labels": ("group_accuracy", "labels"),
    "no labels ": ("ece", "labels"),
    "no pruned": ("accuracy", "there is no pruned model"),
    "no clean": ("pie_count", "add the condition `clean`"),
    "absent class": ("recall", "no test example is of this class"),
}


def lacking(what, study):
    evidence = population(study, controls=what != "no controls")
    blocks = {c: evidence.load(c) for c in evidence.conditions}
    if what == "no confidence":
        blocks = {c: replace(b, confidence=None) for c, b in blocks.items()}
    if what == "no loss":
        blocks = {c: replace(b, loss=None) for c, b in blocks.items()}
    if what.startswith("no groups"):
        evidence = replace(evidence, examples=evidence.examples[["example", "label", "split"]])
    if what == "no corruption":
        blocks = {CLEAN: blocks[CLEAN]}
    if what == "no clean":
        del blocks[CLEAN]
    if what.startswith("one sparsity"):
        keep = (evidence.models["sparsity"] != 0.9).to_numpy()
        evidence = replace(evidence, models=evidence.models[keep].reset_index(drop=True))
        blocks = {
            c: replace(
                b, predicted=b.predicted[keep], confidence=b.confidence[keep], loss=b.loss[keep]
            )
            for c, b in blocks.items()
        }
    if what == "no parents":
        evidence = without(evidence, models={"parent": None})
    if what.startswith("no labels"):
        evidence = without(evidence, examples={"label": NO_LABEL})
    if what == "no pruned":
        evidence = without(evidence, models={"role": "dense"})
    if what == "absent class":
        evidence = replace(evidence, classes=(*evidence.classes, "rare"))
    return replace(evidence, conditions=tuple(blocks), load=blocks.__getitem__)


@pytest.mark.parametrize("what", sorted(NOTHING_TO_ASK))
def test_what_cannot_be_asked_says_what_to_add(study, what):
    measure, text = NOTHING_TO_ASK[what]
    policy = Policy.model_validate(EVERY_LIMIT)
    found = whole(judge(lacking(what, study), Plan(**QUICK), policy))
    assert any(text in reason for reason in reasons(found, measure))


def test_a_class_without_test_examples_leaves_a_limit_on_any_class_untold(study):
    evidence = lacking("absent class", study)
    limits = {"max_class_recall_drop": 0.9, "min_recall": 0.01}
    found = judge(evidence, Plan(**QUICK), Policy.model_validate(limits))
    for measure in ("recall", "recall_level"):
        (rare, *_) = of(found, measure, class_="rare", sparsity=0.5)
        assert rare.outcome == "not_asked"
        assert rare.limit_name
    assert {v["outcome"] for v in found.policy["verdicts"]} == {"cannot_tell"}


def test_floors_need_no_parent(study):
    evidence = lacking("no parents", study)
    found = judge(evidence, Plan(**QUICK), Policy.model_validate({"min_accuracy": 0.5}))
    assert {f.outcome for f in of(found, "accuracy_level")} == {"within"}


@pytest.mark.parametrize("case", ["one example", "one class", "all alike", "identical", "unshown"])
def test_small_and_flat_evidence(study, case):
    labels = [0] if case == "one example" else [0] * 20 if case == "one class" else [0, 1] * 20
    shape = (1 if case == "one class" else 3, len(labels))
    dense = np.zeros(shape, int)
    if case == "identical":
        dense = np.tile(labels, (3, 1))
    pruned = np.where(np.arange(len(labels)) % 2, -1, dense) if case == "unshown" else dense
    made = study(
        labels,
        dense,
        {0.5: pruned},
        dense,
        columns={"group_g": ["a"] * len(labels)},
        classes=("x", "y"),
    )
    sure = np.full(made.block.predicted.shape, 0.75, np.float32)
    block = replace(made.block, confidence=sure, loss=sure)
    evidence = replace(made.evidence, load=lambda _: block)
    found = whole(judge(evidence, Plan(**QUICK), Policy.model_validate(EVERY_LIMIT)))
    for finding in found.findings:
        assert finding.change in (None, 0.0)
        assert finding.p in (None, 1.0)
        assert finding.p_adjusted in (None, 1.0)


def test_subject_is_a_class_a_group_or_the_columns_of_a_grouping(study):
    evidence = population(study, parents=1, controls=False)
    plan = Plan(positive="class-1", **QUICK)
    found = whole(judge(evidence, plan, Policy.model_validate(EVERY_LIMIT)))
    names = {*evidence.classes, *found.run["groups"], *(f.groups for f in found.findings)}
    assert {f.subject for f in found.findings} <= {None, *names}
    questions = of(found, "omnibus")
    assert {f.subject for f in questions} == {None}
    families = [f.family for f in questions]
    assert {"accuracy", "classes", "groups"} <= set(families)
    assert families == sorted(families)
    recipe = of(found, "accuracy", outcome="not_asked", method=None)
    assert len({f.id for f in recipe}) == len(recipe) == 2
    assert {f.subject for f in recipe} == {None}


def test_a_binary_question(study):
    evidence = population(study, classes=2)
    found = whole(
        judge(evidence, Plan(positive="class-1", **QUICK), Policy.model_validate(EVERY_LIMIT))
    )
    assert len(of(found, "demographic_parity_difference")) == 4
    fpr = of(found, "group_fpr", groups="g=b", sparsity=0.9, condition="clean")
    assert {f.class_ for f in fpr} == {"class-1"}
    assert {f.limit_name for f in fpr} == {"max_group_fpr_increase"}


def test_a_positive_that_is_no_class(study):
    with pytest.raises(InputError, match="'class-x', which is no class: did you mean 'class-"):
        judge(population(study), Plan(positive="class-x"), Policy())


def test_a_group_column_that_is_missing_is_refused_before_any_work(study):
    evidence = replace(population(study), load=lambda _: pytest.fail("a condition was read"))
    with pytest.raises(InputError, match="did you mean 'g'"):
        judge(evidence, Plan(groups=("gg",)), Policy())


def test_notes(study):
    evidence = without(
        population(study),
        examples={"cluster": np.arange(150) // 3, "weight": 1.5},
    )
    label = evidence.labels.copy()
    label[:5] = NO_LABEL
    evidence = without(evidence, examples={"label": label})
    notes = judge(evidence, Plan(screen_cells=5, **QUICK), Policy()).run["notes"]
    assert any(note.startswith("5 of 150 examples have no label") for note in notes)
    assert any("are not screened cell by cell" in note for note in notes)
    assert any("`cluster`" in note for note in notes)
    assert any("`weight`" in note for note in notes)


def test_exemplars_come_along(study):
    found = judge(population(study, parents=7, hurt=0.9), Plan(**QUICK), Policy())
    assert set(found.exemplars["kind"].dropna()) <= {"harmed", "mended", "moved", "undecided"}
    assert len(found.exemplars) >= 10
    assert isinstance(found.frame(), pd.DataFrame)


@pytest.mark.parametrize("positive", [None, "class-1"])
def test_every_scope_of_a_limit_is_answered(study, positive):
    """Groups, class, condition, sparsity, method, each named, any or left out, in one policy."""
    scopes = list(
        itertools.product(
            (None, "any", "g=b", "g=b & h=a"),
            (None, "any", "class-1"),
            (None, "clean", "fog", "any"),
        )
    )
    stated = [
        {
            "limit": 0.5 + i / 1000,  # tells one limit from another
            "sparsity": "any" if i % 2 else 0.9,
            "method": "magnitude" if i % 3 else "any",
            "severity": "any",
            **{k: v for k, v in zip(("groups", "class", "condition"), scope, strict=True) if v},
        }
        for i, scope in enumerate(scopes)
    ]
    plan = Plan(positive=positive, **QUICK, screen_cells=0)
    policy = Policy.model_validate({"max_group_fpr_increase": stated})
    found = judge(population(study, n=400, classes=2), plan, policy)
    named = {"g=b": {"g=b"}, "g=b & h=a": {"g=b & h=a"}}
    for limit, (groups, class_, condition) in zip(stated, scopes, strict=True):
        held = [f for f in found.findings if f.limit == limit["limit"]]
        assert {f.outcome for f in held} == {"within"}
        assert {f.sparsity for f in held} == ({0.9} if limit["sparsity"] == 0.9 else {0.5, 0.9})
        conditions = {"fog": {"fog"}, "any": {"clean", "fog"}}.get(condition, {"clean"})
        assert {f.condition for f in held} == conditions
        assert {f.groups for f in held} == named.get(groups, {"g=a", "g=b", "h=a", "h=b"})
        every = {"class-0", "class-1"} if class_ == "any" else {class_}
        assert {f.class_ for f in held} == ({"class-1"} if positive else every)
