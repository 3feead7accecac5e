from dataclasses import replace

import pytest
from scipy import stats

from audit.judgement.judging import judge
from audit.judgement.plan import Plan
from audit.judgement.policy.claims import NOT_ABOUT_FILES, interval_of
from audit.judgement.policy.limits import Policy
from audit.judgement.policy.margins import judge_cells
from tests.audit.judgement.policy.test_margins import cell, judged, limit
from tests.audit.judgement.test_judging import QUICK, population


def of_files(change, error, files_error, **more):
    """A change that is surer for these files than for the way of pruning."""
    reach = stats.t.isf(0.025, 999) * files_error
    return replace(
        cell(change, error, **more),
        examples_low=change - reach,
        examples_high=change + reach,
        examples_standard_error=files_error,
        examples_df=999.0,
    )


def test_a_claim_about_files_is_held_to_their_own_interval():
    """One point lost ± 3 points for the recipe, ± .5 for the files, against a limit of 3 points."""
    found = of_files(-0.01, 0.03, 0.005)
    (recipe,) = judged(found, stated=limit(value=0.03))
    (files,) = judged(found, stated=limit(value=0.03, claim="files"))
    assert (recipe.outcome, files.outcome) == ("cannot_tell", "within")
    assert files.bound_within == pytest.approx(0.01 + stats.t.isf(0.05, 999) * 0.005)
    assert recipe.reason.count("for models pruned this way, and new inputs") == 1
    assert files.reason.endswith("for these files and new inputs")


def test_what_would_decide_a_claim_about_files_is_examples_alone():
    found = of_files(-0.025, 0.03, 0.01)
    (told,) = judged(found, stated=limit(value=0.03, claim="files"))
    assert told.outcome == "cannot_tell"
    assert "such examples would decide it" in told.reason
    assert "parents" not in told.reason


def test_a_measure_without_such_an_interval_cannot_tell_and_says_why():
    (told,) = judged(cell(-0.01), stated=limit(value=0.05, claim="files"))
    assert (told.outcome, told.reason) == ("cannot_tell", NOT_ABOUT_FILES)


def test_one_parent_is_about_files_either_way_and_the_sentence_says_so():
    one = replace(cell(-0.01), generalises_to="examples", parents=1)
    for claim in ("recipe", "files"):
        (told,) = judged(one, stated=limit(value=0.05, claim=claim))
        assert told.outcome == "within"
        assert told.reason.endswith("for these files and new inputs")
    assert interval_of(one, "files") == interval_of(one, "recipe")


@pytest.mark.parametrize(
    ("measure", "class_", "word"),
    [
        ("group_fpr", "x", "such negatives"),
        ("group_fnr", "x", "such positives"),
        ("recall", "x", "such examples of the class"),
        ("group_fpr", None, "such examples"),
    ],
)
def test_what_is_lacking_is_named(measure, class_, word):
    found = replace(cell(0.04, error=0.02), measure=measure, class_=class_)
    stated = limit("max_group_fpr_increase", 0.05)
    (told,) = judge_cells([found], stated, 0.05, 30)
    assert f"{word} and" in told.reason
    (clustered,) = judge_cells([found], stated, 0.05, 30, clustered=True)
    assert f"{word} in new clusters and" in clustered.reason


def test_both_claims_on_one_population(study):
    policy = {"max_accuracy_drop": [0.05, {"limit": 0.05, "claim": "files"}]}
    found = judge(population(study, n=600), Plan(**QUICK), Policy.model_validate(policy))
    held = [f for f in found.findings if f.limit_name and f.sparsity == 0.9]
    assert {"for models" in f.reason for f in held} == {True, False}
    assert {entry["claim"] for entry in found.policy["limits"]} == {"recipe", "files"}
    assert len({f.bound_within for f in held}) == 2


def test_planned_looks_divide_the_level():
    two = judge_cells([cell(-0.01)], limit(), 0.05, 30, looks=2)[0]
    t = stats.t.isf(0.025, 100)
    assert two.bound_within == pytest.approx(0.01 + t * 0.01)
    assert two.bound_over == pytest.approx(0.01 - t * 0.01)
    assert "one-sided 97.5 %" in two.reason
