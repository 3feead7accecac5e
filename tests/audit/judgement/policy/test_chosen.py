from dataclasses import replace

import pytest

from audit.evidence.errors import InputError
from audit.judgement.plan import Plan
from audit.judgement.policy.chosen import choose_on_validation
from audit.judgement.policy.limits import Policy
from tests.audit.judgement.test_judging import QUICK, population

LIMITS = Policy.model_validate({"max_group_accuracy_drop": 0.2, "max_accuracy_drop": 0.2})


def both(study, on_validation=0.0, on_test=0.0):
    """Sparsity 0.9 loses so much of group b on validation, and on test."""
    held_out = population(study, seed=1, n=600, hurt=on_validation)
    return replace(population(study, seed=2, n=600, hurt=on_test), validation=held_out)


def test_the_largest_within_on_validation_is_confirmed_on_test(study):
    found = choose_on_validation(both(study), Plan(**QUICK), LIMITS)
    assert found.sparsities == {"magnitude": 0.9}
    assert [v["sparsity"] for v in found.test.policy["verdicts"]] == [0.9]
    assert found.test.policy["verdicts"][0]["outcome"] == "within"
    assert found.sentences() == [
        "magnitude: sparsity 0.9 was chosen on 600 validation examples; on 600 test examples, "
        "looked at once, it is within."
    ]


def test_only_what_was_chosen_is_looked_at(study):
    found = choose_on_validation(both(study, on_validation=0.7), Plan(**QUICK), LIMITS)
    assert found.sparsities == {"magnitude": 0.5}
    assert {f.sparsity for f in found.test.findings} <= {None, 0.5}
    assert found.test.run["pruned"] == 3


def test_a_choice_that_the_test_does_not_bear_out_is_said(study):
    found = choose_on_validation(both(study, on_test=0.7), Plan(**QUICK), LIMITS)
    assert found.sparsities == {"magnitude": 0.9}
    assert "it is over" in found.sentences()[0]


def test_nothing_chosen_nothing_confirmed(study):
    tight = Policy.model_validate({"max_accuracy_drop": 0.0001})
    found = choose_on_validation(both(study), Plan(**QUICK), tight)
    assert found.sparsities == {"magnitude": None}
    assert found.test is None
    assert "no sparsity is within" in found.sentences()[0]


def test_a_limit_on_the_whole_method_helps_to_choose_and_is_not_confirmed(study):
    limits = Policy.model_validate({"max_accuracy_drop": 0.2, "min_prune_potential": 0.0})
    found = choose_on_validation(both(study), Plan(**QUICK), limits)
    assert {entry["name"] for entry in found.validation.policy["limits"]} == {
        "max_accuracy_drop",
        "min_prune_potential",
    }
    if found.test is not None:
        assert [entry["name"] for entry in found.test.policy["limits"]] == ["max_accuracy_drop"]


def test_what_is_needed(study):
    with pytest.raises(InputError, match="no validation examples"):
        choose_on_validation(population(study), Plan(**QUICK), LIMITS)
    with pytest.raises(InputError, match="states no limits"):
        choose_on_validation(both(study), Plan(**QUICK), Policy())
