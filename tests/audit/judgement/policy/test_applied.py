from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from audit.evidence.errors import InputError
from audit.judgement.answers import asked
from audit.judgement.design import Arm
from audit.judgement.findings import Findings, no_exemplars
from audit.judgement.plan import Plan
from audit.judgement.policy.applied import Scope, apply, check, worst
from audit.judgement.policy.limits import Policy

SOME = np.zeros(1, np.int64)


def arm(sparsity=0.5, method="magnitude"):
    return Arm(method, sparsity, SOME, SOME, SOME)


def answer(measure, change, sparsity=0.5, error=0.001, method="magnitude", n=500, **question):
    """A finding whose change, or level, is known to within `error`."""
    finding = asked(measure, arm(sparsity, method), **question)
    return replace(
        finding,
        change=change,
        pruned=change,
        low=change - 2 * error,
        high=change + 2 * error,
        standard_error=error,
        df=1e6,
        n=n,
        generalises_to="both",
        tier="C",
    )


def scope(*sparsities, groups=("g=a", "g=b"), plan=None, methods=("magnitude",)):
    levels = tuple((m, s) for m in methods for s in sparsities or (0.5,))
    return Scope(levels, groups, plan or Plan())


def applied(findings, policy, where=None):
    return apply(findings, Policy.model_validate(policy), where or scope())


def document(verdicts):
    limits = [{"name": "max_accuracy_drop", "limit": 0.01}]
    return Findings({}, {"limits": limits, "verdicts": verdicts}, (), no_exemplars())


def test_a_limit_is_attached_and_counted():
    (found,), policy = applied([answer("accuracy", -0.02)], {"max_accuracy_drop": 0.01})
    assert (found.outcome, found.limit, found.limit_name) == ("over", 0.01, "max_accuracy_drop")
    assert found.tier == "A"
    assert found.bound_over == pytest.approx(0.02 - 1.645 * 0.001, abs=1e-4)
    assert policy["verdicts"] == [
        {
            "method": "magnitude",
            "sparsity": 0.5,
            "model": None,
            "outcome": "over",
            "within": 0,
            "over": 1,
            "cannot_tell": 0,
            "not_asked": 0,
            "waived": 0,
        }
    ]
    assert policy["limits"][0]["name"] == "max_accuracy_drop"


def test_no_limits_no_verdict():
    (found,), policy = applied([answer("accuracy", -0.02)], {})
    assert found.outcome == "no_limit"
    assert policy["verdicts"][0]["outcome"] == "no_limit"
    assert policy["limits"] == []


def test_any_group_is_every_group_of_a_single_column_and_no_crossing():
    findings = [
        answer("group_fpr", 0.0, groups="g=a"),
        answer("group_fpr", 0.05, groups="g=b"),
        answer("group_fpr", 0.05, groups="g=b & h=c"),
        answer("group_fpr", 0.05, groups="g=a", class_="x"),
    ]
    found, policy = applied(findings, {"max_group_fpr_increase": 0.02})
    assert [f.outcome for f in found] == ["within", "over", "no_limit", "no_limit"]
    assert policy["verdicts"][0]["over"] == 1
    named = {"max_group_fpr_increase": {"limit": 0.02, "groups": "group_h=c&g=b"}}
    found, _ = applied(findings, named)
    assert [f.outcome for f in found] == ["no_limit", "no_limit", "over", "no_limit"]
    of_class = {"max_group_fpr_increase": {"limit": 0.02, "class": "any"}}
    assert [f.outcome for f in applied(findings, of_class)[0]][3] == "over"


def test_with_a_positive_class_the_question_is_about_it():
    findings = [answer("group_fpr", 0.05, groups="g=a", class_="yes")]
    where = scope(plan=Plan(positive="yes"))
    assert applied(findings, {"max_group_fpr_increase": 0.02}, where)[0][0].outcome == "over"


def test_one_small_group_leaves_any_group_untold():
    findings = [
        answer("group_fnr", 0.0, groups="g=a"),
        replace(answer("group_fnr", 0.0, groups="g=b", n=12), standard_error=None),
    ]
    found, policy = applied(findings, {"max_group_fnr_increase": 0.02})
    assert [f.outcome for f in found] == ["within", "cannot_tell"]
    assert policy["verdicts"][0]["outcome"] == "cannot_tell"


def test_a_screen_held_to_a_limit_is_a_screen_no_more():
    screen = replace(answer("group_fpr", 0.05, groups="g=a & h=b"), reason="screen, no claim")
    limit = {"max_group_fpr_increase": {"limit": 0.02, "groups": "g=a & h=b"}}
    (found,), _ = applied([screen], limit)
    assert found.tier == "A"
    assert "screen" not in found.reason


def test_conditions_and_severities():
    from audit.evidence.blocks import Condition

    findings = [
        answer("accuracy", -0.005),
        answer("accuracy", -0.005, condition=Condition("fog", 1.0)),
        answer("accuracy", -0.05, condition=Condition("fog", 3.0)),
    ]

    def outcomes(**where):
        found, _ = applied(findings, {"max_accuracy_drop": {"limit": 0.01, **where}})
        return [f.outcome for f in found]

    assert outcomes() == ["within", "no_limit", "no_limit"]
    assert outcomes(condition="fog") == ["no_limit", "within", "over"]
    assert outcomes(condition="fog", severity=1) == ["no_limit", "within", "no_limit"]
    assert outcomes(condition="any") == ["within", "within", "over"]


def test_all_is_the_mean_over_corruptions():
    from audit.judgement.answers import ALL_CONDITIONS

    found, _ = applied(
        [answer("excess_error", 0.05, condition=ALL_CONDITIONS)], {"max_excess_error": 0.01}
    )
    assert found[0].outcome == "over"


def test_a_second_limit_on_one_finding_is_a_finding_of_its_own():
    limits = {
        "max_accuracy_drop": [0.01, {"limit": 0.05, "owner": "Ada"}],
    }
    found, policy = applied([answer("accuracy", -0.02)], limits)
    assert [(f.limit, f.outcome) for f in found] == [(0.01, "over"), (0.05, "within")]
    assert found[0].id != found[1].id
    assert found[0].id == answer("accuracy", -0.02).id
    verdict = policy["verdicts"][0]
    assert (verdict["over"], verdict["within"]) == (1, 1)


def test_what_nothing_answers_is_not_asked_and_cannot_tell():
    (found, missing), policy = applied(
        [answer("accuracy", 0.0)], {"max_accuracy_drop": 0.01, "max_ece": 0.1}
    )
    assert found.outcome == "within"
    assert (missing.measure, missing.outcome) == ("ece_level", "not_asked")
    assert missing.reason
    assert (missing.method, missing.sparsity) == ("magnitude", 0.5)
    verdict = policy["verdicts"][0]
    assert (verdict["outcome"], verdict["not_asked"]) == ("cannot_tell", 1)


def test_the_reason_is_that_of_the_question():
    why = replace(asked("excess_error", None), outcome="not_asked", reason="add corruptions")
    found, _ = applied([why], {"max_excess_error": 0.1})
    assert found[0] is why
    assert found[1].reason == "add corruptions"


def test_a_question_refused_for_its_arm_takes_the_limit():
    refused = replace(asked("pie_excess", arm()), outcome="not_asked", reason="add controls")
    (found,), _ = applied([refused], {"max_pie_excess": 0.1})
    assert (found.outcome, found.limit, found.reason) == ("not_asked", 0.1, "add controls")


def test_a_group_nobody_is_in():
    limit = {"max_group_fnr_increase": {"limit": 0.1, "groups": "g=A"}}
    found, _ = applied([answer("group_fnr", 0.0, groups="g=a")], limit)
    assert "nobody is in the group 'g=A': did you mean 'g=a'?" in found[-1].reason


def test_a_sparsity_nobody_audited():
    limit = {"max_accuracy_drop": {"limit": 0.1, "sparsity": 0.7}}
    found, policy = applied([answer("accuracy", 0.0)], limit)
    assert found[-1].outcome == "not_asked"
    assert "there is magnitude at 0.5" in found[-1].reason
    assert [v["sparsity"] for v in policy["verdicts"]] == [0.5, 0.7]


def test_the_largest_sparsity_stops_at_the_first_that_is_not_within():
    drops = {0.5: 0.0, 0.7: -0.1, 0.9: 0.0}
    findings = [answer("accuracy", drop, sparsity) for sparsity, drop in drops.items()]
    _, policy = applied(findings, {"max_accuracy_drop": 0.01}, scope(*drops))
    (largest,) = policy["largest_within"]
    assert (largest["sparsity"], largest["reason"]) == (0.5, "stopped at 0.7: over")


def test_cannot_tell_stops_it_too():
    findings = [answer("accuracy", -0.01, 0.5, error=0.1), answer("accuracy", 0.0, 0.7)]
    _, policy = applied(findings, {"max_accuracy_drop": 0.02}, scope(0.5, 0.7))
    assert policy["largest_within"][0]["sparsity"] is None


def test_a_limit_on_the_whole_method_counts_for_every_sparsity():
    potential = replace(
        asked("prune_potential", arm(), whole_method=True), pruned=0.0, low=0.0, high=0.2
    )
    findings = [answer("accuracy", 0.0), potential]
    limits = {"max_accuracy_drop": 0.01, "min_prune_potential": 0.5}
    _, policy = applied(findings, limits)
    assert [(v["sparsity"], v["outcome"]) for v in policy["verdicts"]] == [
        (0.5, "within"),
        (None, "over"),
    ]
    assert policy["largest_within"][0]["sparsity"] is None
    status, outcome = check(Findings({}, policy, (), no_exemplars()), "magnitude", 0.5)
    assert (status, outcome) == (1, "over")


def test_over_is_corrected_over_the_cells_of_its_limit_in_all_sparsities():
    far = answer("accuracy", -0.0118, 0.5)  # 1.8 standard errors beyond
    assert applied([far], {"max_accuracy_drop": 0.01})[0][0].outcome == "over"
    others = [answer("accuracy", 0.0, s) for s in (0.6, 0.7, 0.8, 0.9)]
    found, _ = applied([far, *others], {"max_accuracy_drop": 0.01}, scope(0.5, 0.6, 0.7, 0.8, 0.9))
    assert found[0].outcome == "cannot_tell"


def test_worst_of():
    assert worst(["within", "over", "cannot_tell"]) == "over"
    assert worst(["within", "not_asked"]) == "not_asked"
    assert worst(["within", "within"]) == "within"
    assert worst([]) == "no_limit"


def verdict(outcome, sparsity=0.5, method="magnitude"):
    return {"method": method, "sparsity": sparsity, "outcome": outcome}


@pytest.mark.parametrize(
    ("outcomes", "cannot_tell", "status"),
    [
        (["within", "within"], "fail", 0),
        (["within", "over", "cannot_tell"], "fail", 1),
        (["within", "over", "cannot_tell"], "pass", 1),
        (["within", "cannot_tell"], "fail", 3),
        (["within", "cannot_tell"], "pass", 0),
    ],
)
def test_exit_status_of_the_worst(outcomes, cannot_tell, status):
    found = document([verdict(o, s / 10) for s, o in enumerate(outcomes)])
    assert check(found, cannot_tell=cannot_tell)[0] == status


def test_a_selection():
    found = document(
        [verdict("within", 0.5), verdict("over", 0.9), verdict("cannot_tell", 0.5, "random")]
    )
    assert check(found, "magnitude", 0.5) == (0, "within")
    assert check(found, sparsity=0.5) == (3, "cannot_tell")
    assert check(found, "magnitude") == (1, "over")
    with pytest.raises(InputError, match="'magnitud' in this run: there is 'magnitude', 'random'"):
        check(found, "magnitud")
    with pytest.raises(InputError, match=r"sparsity 0.7: there is 0.5, 0.9"):
        check(found, sparsity=0.7)


def test_no_limits_is_a_usage_error():
    empty = Findings({}, {"limits": [], "verdicts": []}, (), pd.DataFrame())
    with pytest.raises(InputError, match="states no limits"):
        check(empty)
    with pytest.raises(InputError, match="No limit covers"):
        check(document([verdict("no_limit")]))
