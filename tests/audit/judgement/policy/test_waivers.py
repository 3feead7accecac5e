from datetime import date

import pytest
from pydantic import ValidationError

from audit.judgement.findings import Findings, no_exemplars
from audit.judgement.policy.gate import check, gated
from audit.judgement.policy.limits import Policy
from audit.judgement.policy.waivers import notes
from tests.audit.judgement.policy.test_applied import answer, applied, scope

WAIVER = {
    "limit": "max_group_fpr_increase",
    "groups": "group_g=b",
    "reason": "known, being mended",
    "owner": "Ada",
    "expires": "2027-01-31",
}
LIMIT = {"max_group_fpr_increase": 0.02}


def judged(waivers, changes=(("g=a", 0.0), ("g=b", 0.05)), **more):
    found = [answer("group_fpr", change, groups=group) for group, change in changes]
    findings, policy = applied(found, {**LIMIT, "waivers": waivers, **more})
    return Findings({}, policy, tuple(findings), no_exemplars())


def test_an_accepted_finding_keeps_its_outcome_and_says_who_accepted_it():
    found = judged([WAIVER])
    spared, accepted = found.findings
    assert (spared.outcome, spared.waiver) == ("within", None)
    assert accepted.outcome == "over"
    assert accepted.waiver == "accepted by Ada until 2027-01-31: known, being mended"
    (record,) = found.policy["waivers"]
    assert (record["expires"], record["findings"]) == ("2027-01-31", [accepted.id])


def test_it_is_counted_apart_and_the_outcome_stays_that_of_the_data():
    (row,) = judged([WAIVER]).policy["verdicts"]
    assert (row["outcome"], row["waived"], row["over"], row["within"]) == ("over", 1, 0, 0)


def test_what_is_accepted_is_no_sparsity_within():
    assert judged([WAIVER]).policy["largest_within"][0]["sparsity"] is None


def test_a_group_beside_it_still_counts():
    found = judged([WAIVER], (("g=a", 0.06), ("g=b", 0.05)))
    (row,) = found.policy["verdicts"]
    assert (row["over"], row["waived"]) == (1, 0)
    assert check(found, today=date(2026, 1, 1)) == (1, "over")


@pytest.mark.parametrize(
    ("today", "status"), [((2026, 1, 1), 0), ((2027, 1, 31), 0), ((2027, 2, 1), 1)]
)
def test_it_holds_to_its_last_day_and_fails_after_it(today, status):
    found = judged([WAIVER])
    assert check(found, today=date(*today))[0] == status
    (row,) = gated(found, today=date(*today))
    assert len(row.waived) == (status == 0)
    assert list(row.expired.values()) == (["2027-01-31"] if status else [])


def test_a_later_waiver_keeps_what_an_earlier_one_let_go():
    later = {**WAIVER, "expires": "2028-01-31", "owner": "Grace"}
    found = judged([WAIVER, later])
    assert check(found, today=date(2027, 6, 1)) == (0, "within")
    assert "Ada" in found.findings[1].waiver
    assert "Grace" in found.findings[1].waiver
    assert check(found, today=date(2028, 6, 1))[0] == 1


def test_one_limit_accepted_leaves_another_on_the_same_finding():
    found = judged(
        [{**WAIVER, "limit": "max_accuracy_drop", "groups": None}],
        max_accuracy_drop=0.01,
    )
    assert check(found, today=date(2026, 1, 1))[0] == 1


@pytest.mark.parametrize(
    "scope_",
    [
        {"groups": "g=c"},
        {"class": "x"},
        {"condition": "fog"},
        {"sparsity": 0.9},
        {"method": "random"},
        {"model": "m"},
        {"groups": "g=a"},
    ],
)
def test_one_that_accepts_nothing_is_said_aloud(scope_):
    found = judged([{**WAIVER, **scope_}])
    assert found.findings[1].waiver is None
    (note,) = notes(found.policy["waivers"])
    assert "accepts nothing" in note
    assert "max_group_fpr_increase by Ada" in note


def test_one_without_a_scope_accepts_every_finding_of_its_limit():
    found = judged([{**WAIVER, "groups": "any"}], (("g=a", 0.06), ("g=b", 0.05)))
    assert all(f.waiver for f in found.findings)
    assert notes(found.policy["waivers"]) == []


def test_what_was_not_asked_can_be_accepted():
    found, policy = applied(
        [],
        {"max_ece": 0.1, "waivers": [{**WAIVER, "limit": "max_ece", "groups": None}]},
        scope(0.5),
    )
    assert found[0].waiver
    whole = Findings({}, policy, tuple(found), no_exemplars())
    assert check(whole, today=date(2026, 1, 1)) == (0, "within")
    assert check(whole, today=date(2030, 1, 1)) == (3, "cannot_tell")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"limit": "max_groop_fpr_increase"}, "did you mean 'max_group_fpr_increase'"),
        ({"reason": ""}, "at least 1 character"),
        ({"owner": ""}, "at least 1 character"),
        ({"expires": "soon"}, "date"),
        ({"until": "2027-01-31"}, "Extra inputs"),
    ],
)
def test_a_waiver_that_is_wrong(change, text):
    with pytest.raises(ValidationError, match=text):
        Policy.model_validate({**LIMIT, "waivers": [{**WAIVER, **change}]})


def test_a_policy_with_waivers_survives_json():
    policy = Policy.model_validate({**LIMIT, "waivers": [WAIVER], "looks": 3, "own": {"x": 0.1}})
    assert Policy.model_validate(policy.model_dump(mode="json", by_alias=True)) == policy
