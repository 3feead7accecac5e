"""The sentences that matter: worst first, each with what a reader needs to weigh it."""

from __future__ import annotations

from dataclasses import replace

from audit.judgement.findings import Finding, Findings, no_exemplars
from reports.document import read
from reports.sentences import no_harm, place, sentences, state
from tests.reports import sample

LOST = Finding(
    id="a1",
    measure="recall",
    unit="fraction",
    method="magnitude",
    sparsity=0.9,
    subject="8",
    class_="8",
    parent=0.939,
    pruned=0.889,
    change=-0.05,
    low=-0.071,
    high=-0.029,
    n=91,
    parents=7,
    generalises_to="both",
    p=0.0004,
    p_adjusted=0.004,
    tier="A",
    detectable=0.03,
    worse_direction="down",
    limit=0.02,
    limit_name="max_class_recall_drop",
    outcome="over",
)


def of(*findings: Finding) -> Findings:
    return Findings({}, {}, findings, no_exemplars())


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\u00a0", " ")


def test_a_sentence_says_who_lost_how_much_how_sure_and_against_what():
    assert plain(state(LOST, [LOST], alpha=0.05)) == (
        "Recall of class 8 fell by 5.0 points at sparsity 0.9, from 93.9 % to 88.9 % "
        "(n = 91; 95 % interval −7.1 to −2.9; corrected p 0.004; holds for new examples and new "
        "trainings). Limit 2.0 points: over at sparsity 0.9."
    )


def test_a_rate_that_rises_a_group_a_shift_and_several_methods():
    rose = replace(
        LOST,
        measure="group_fnr",
        groups="slant=left",
        change=0.05,
        parent=0.061,
        pruned=0.111,
        condition="fog",
        severity=3.0,
        limit=None,
        outcome="no_limit",
        low=None,
    )
    text = plain(state(rose, alpha=0.01, name_method=True))
    assert text == (
        "False negative rate of class 8 in slant=left rose by 5.0 points at sparsity 0.9 "
        "(magnitude) under fog, severity 3, from 6.1 % to 11.1 % (n = 91; corrected p 0.004; "
        "holds for new examples and new trainings)."
    )


def test_a_change_against_controls_says_so():
    excess = Finding(
        id="e",
        measure="pie_excess",
        unit="fraction",
        sparsity=0.9,
        pruned=0.033,
        control=0.005,
        change=0.028,
        worse_direction="up",
    )
    assert plain(state(excess, alpha=0.05)).strip() == (
        "Share of PIEs over all examples is 3.3 % at sparsity 0.9, 2.8 points more than the "
        "0.5 % of the controls"
    )


def test_the_mean_over_corruptions_is_told_from_one_of_them():
    assert place(replace(LOST, condition="all", severity=None)).endswith("mean over corruptions")
    assert place(replace(LOST, condition="v2", severity=None)).endswith("under v2")


def test_what_is_over_a_limit_comes_before_what_is_only_upheld():
    upheld = replace(LOST, id="b2", measure="accuracy", class_=None, subject=None, change=-0.3,
                     limit=None, limit_name=None, outcome="no_limit")  # fmt: skip
    found = sentences(read(of(upheld, LOST)), 0.05)
    assert [s.href for s in found[:2]] == ["#f-a1", "#f-b2"]


def test_other_sparsities_of_one_subject_add_no_sentence_but_are_counted_in_it():
    less = replace(LOST, id="c3", sparsity=0.8, change=-0.03, low=-0.04, high=-0.021)
    found = [s for s in sentences(read(of(LOST, less)), 0.05) if "class 8" in s.text]
    assert len(found) == 1
    assert found[0].text.endswith("over at sparsity 0.8 and 0.9.")


def test_one_bad_family_does_not_hide_the_others():
    many = [replace(LOST, id=f"x{i}", class_=str(i), change=-0.9) for i in range(20)]
    other = replace(LOST, id="y", measure="group_accuracy", class_=None, groups="a=b", change=-0.06)
    found = sentences(read(of(*many, other)), 0.05)
    assert "#f-y" in [s.href for s in found]
    assert sum("Recall" in s.text for s in found) == 2


def test_there_are_three_to_eight_of_them():
    assert 3 <= len(sentences(read(sample.made()), 0.05)) <= 8
    assert 3 <= len(sentences(read(sample.made(limits=False)), 0.05)) <= 8


def test_a_screen_never_makes_a_sentence():
    screen = replace(LOST, tier="D", limit=None, outcome="no_limit")
    found = sentences(read(of(screen)), 0.05)
    assert all("class 8" not in s.text for s in found)


def test_no_harm_says_how_much_would_have_been_found():
    fine = replace(LOST, p_adjusted=0.6, limit=None, outcome="no_limit", change=-0.001)
    less = replace(fine, id="z", sparsity=0.5, detectable=0.021)
    found = no_harm(read(of(fine, less)), 0.05)
    assert found.text.startswith("No harm was found")
    assert "recall of classes 3.0 points" in found.text
    assert sentences(read(of(fine, less)), 0.05)[0] == found


def test_a_family_that_moved_is_not_no_harm():
    fine = replace(LOST, p_adjusted=0.6, limit=None, outcome="no_limit")
    moved = Finding(id="o", measure="omnibus", unit="fraction", family="classes", p_adjusted=0.01)
    first = sentences(read(of(fine, moved)), 0.05)[0]
    assert first.text.startswith("Something moved (classes), but no limit is exceeded")
    assert first.outcome == "cannot_tell"
    still = replace(moved, p_adjusted=0.2)
    assert sentences(read(of(fine, still)), 0.05)[0].text.startswith("No harm was found")


def test_a_limit_on_a_whole_method_is_over_at_no_sparsity_in_particular():
    whole = replace(
        LOST,
        measure="prune_potential",
        unit="sparsity",
        sparsity=None,
        class_=None,
        subject=None,
        pruned=0.3,
        change=None,
        low=0.3,
        high=None,
        limit=0.5,
        limit_name="min_prune_potential",
    )
    assert plain(state(whole, [whole], alpha=0.05)) == (
        "Prune potential over all examples is 0.3 (n = 91; corrected p 0.004; holds for new "
        "examples and new trainings). Limit 0.5: over."
    )


def test_nothing_tested_is_not_no_harm():
    untested = replace(LOST, p=None, p_adjusted=None, limit=None, outcome="no_limit")
    for findings in (of(), of(untested), of(replace(untested, outcome="not_asked"))):
        first = sentences(read(findings), 0.05)[0]
        assert first.outcome == "cannot_tell"
        assert "nothing is known about harm" in first.text


def test_an_undecided_limit_is_never_left_out():
    unsure = replace(LOST, p_adjusted=0.4, outcome="cannot_tell")
    texts = [s.text for s in sentences(read(of(unsure)), 0.05)]
    assert any(text.startswith("One limit question cannot be decided") for text in texts)


def test_what_an_undecided_limit_is_at_least_is_said_of_changes_only():
    unsure = replace(LOST, outcome="cannot_tell", bound_over=0.0144)
    assert plain(state(unsure, alpha=0.05)).endswith(
        "Limit 2.0 points: cannot tell; corrected for the number of questions, at least 1.4 points."
    )
    for other in (
        replace(unsure, bound_over=None),
        replace(unsure, limit_name="min_accuracy", bound_over=0.91),
    ):
        assert plain(state(other, alpha=0.05)).endswith("cannot tell.")
