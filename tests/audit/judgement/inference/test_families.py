from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from audit.judgement.findings import Finding
from audit.judgement.inference.estimate import detectable_change
from audit.judgement.inference.families import OMNIBUS, Family, benjamini_hochberg, correct, holm

ps = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30)


def question(name, p, **fields):
    return Finding(id=name, measure="recall", unit="fraction", p=p, **fields)


def by_id(findings):
    return {finding.id: finding for finding in findings}


def omnibus(findings):
    return {f.family: f for f in findings if f.measure == OMNIBUS}


def test_holm_by_hand():
    """.01 × 3, then .03 × 2, then .04 × 1, which must not fall below the step before."""
    assert holm([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.06, 0.06])


def test_benjamini_hochberg_by_hand():
    """.04 × 3 / 3, .03 × 3 / 2 = .045 (but no more than the step above, .04), .01 × 3 / 1."""
    assert benjamini_hochberg([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.04, 0.04])


@given(ps)
def test_benjamini_hochberg_is_scipys(p):
    assert benjamini_hochberg(p) == pytest.approx(stats.false_discovery_control(p))


@given(ps, st.randoms(use_true_random=False))
def test_corrections_do_not_see_order_and_never_lower_p(p, shuffle):
    places = list(range(len(p)))
    shuffle.shuffle(places)
    for adjust in (holm, benjamini_hochberg):
        whole = adjust(p)
        assert adjust([p[i] for i in places]).tolist() == [whole[i] for i in places]
        assert (whole >= np.array(p) - 1e-15).all()
        assert (whole <= 1.0).all()
    assert (holm(p) >= benjamini_hochberg(p) - 1e-12).all()


def test_nothing_to_correct():
    assert holm([]).size == 0
    assert benjamini_hochberg([]).size == 0
    assert correct([], 0.05) == []


def test_a_family_opens_only_if_its_omnibus_question_rejects():
    """Omnibus p .001 × 2 = .002 opens `classes`; .3 does not open `groups`. All / rejected is 2."""
    found = correct(
        [
            Family("classes", "C", [question("a", 0.0005), question("b", 0.2)], 0.001),
            Family("groups", "C", [question("c", 0.0001), question("d", None)], 0.3),
        ],
        0.05,
    )
    of = by_id(found)
    assert of["a"].p_adjusted == pytest.approx(0.0005 * 2 * 2)
    assert of["b"].p_adjusted == pytest.approx(0.2 * 2)
    assert of["c"].p_adjusted == 1.0
    assert "not opened" in of["c"].reason
    assert of["d"].p_adjusted is None
    assert of["d"].reason is None
    assert (of["a"].tier, of["a"].family, of["a"].family_size) == ("C", "classes", 2)
    assert of["d"].family_size == 1
    named = omnibus(found)
    assert list(named) == ["classes", "groups"]
    assert named["classes"].p_adjusted == pytest.approx(0.002)
    assert named["groups"].p_adjusted == pytest.approx(0.3)
    assert {f.tier for f in named.values()} == {"B"}
    assert {f.family_size for f in named.values()} == {2}


def test_the_smallest_corrected_p_is_the_omnibus_p_if_none_is_given():
    found = correct([Family("classes", "C", [question("a", 0.01), question("b", 0.02)])], 0.05)
    assert omnibus(found)["classes"].p == pytest.approx(0.02)


def test_a_correction_that_was_brought_stands():
    brought = [question("a", 0.001, p_adjusted=0.02), question("b", 0.5, p_adjusted=0.3)]
    of = by_id(correct([Family("classes", "C", brought)], 0.05))
    assert of["a"].p_adjusted == 0.02
    assert of["b"].p_adjusted == 0.5  # never below the raw p


def test_parts_of_one_family_are_corrected_together():
    """Four questions of one name, in two parts: Holm over all four."""
    parts = [
        Family("accuracy", "B", [question("a", 0.01), question("b", 0.5)]),
        Family("other", "D", [question("x", 0.9)]),
        Family("accuracy", "B", [question("c", 0.2), question("d", 0.9)]),
    ]
    found = correct(parts, 0.05)
    assert [f.id for f in found[:5]] == ["a", "b", "x", "c", "d"]
    assert by_id(found)["a"].p_adjusted == pytest.approx(0.04)
    assert by_id(found)["c"].family_size == 4
    assert list(omnibus(found)) == ["accuracy"]


def test_parts_that_bring_corrections_share_the_level():
    parts = [
        Family("classes", "C", [question("a", 0.001, p_adjusted=0.004)]),
        Family("classes", "C", [question("b", 0.001), question("c", 0.5)]),
    ]
    of = by_id(correct(parts, 0.05))
    assert of["a"].p_adjusted == pytest.approx(0.008)
    assert of["b"].p_adjusted == pytest.approx(0.004)


def test_stated_omnibus_ps_of_parts_are_shared_by_bonferroni():
    parts = [Family("x", "C", [question(str(i), 0.5)], p) for i, p in enumerate((0.01, 0.4))]
    assert omnibus(correct(parts, 0.05))["x"].p == pytest.approx(0.02)


def test_a_screen_is_labelled_and_has_no_gate():
    found = correct([Family("cells", "D", [question("a", 0.01), question("b", 0.04)])], 0.05)
    of = by_id(found)
    assert of["a"].p_adjusted == pytest.approx(0.02)
    assert "screen, no claim" in of["a"].reason
    assert omnibus(found) == {}


def test_policy_limits_are_corrected_without_a_gate():
    of = by_id(correct([Family("policy", "A", [question("a", 0.01), question("b", 0.6)])], 0.05))
    assert of["a"].p_adjusted == pytest.approx(0.02)
    assert of["b"].p_adjusted == pytest.approx(0.6)


def test_reasons_are_kept_and_a_floor_that_is_too_high_is_said():
    few = question("a", 0.25, p_floor=0.25, reason="three parents")
    (found, _) = correct([Family("classes", "C", [few], 0.001)], 0.05)
    assert found.reason == "three parents; these data could not have given a p below 0.25"


def test_detectable_is_at_the_corrected_level():
    """Two questions, one of two families opened: level .05 / 2 / 2."""
    one = question("a", 0.001, standard_error=0.01, df=20.0, detectable=0.5)
    families = [
        Family("classes", "C", [one, question("b", 0.9)], 0.001),
        Family("groups", "C", [replace(one, id="c", p=0.9)], 0.9),
    ]
    of = by_id(correct(families, 0.05))
    assert of["a"].detectable == pytest.approx(detectable_change(0.01, 20.0, 0.05 / 4))
    assert of["b"].detectable is None


def test_a_family_that_asks_nothing_is_not_asked():
    found = correct([Family("classes", "C", [question("a", None)])], 0.05)
    assert omnibus(found)["classes"].outcome == "not_asked"
    assert omnibus(found)["classes"].p is None


def test_order_of_families_changes_no_finding():
    families = [
        Family(name, "C", [question(f"{name}{i}", p) for i, p in enumerate(ps_)])
        for name, ps_ in (("x", (0.001, 0.2)), ("y", (0.03,)), ("z", (0.8,)))
    ]
    one, other = correct(families, 0.05), correct(families[::-1], 0.05)
    assert by_id(one) == by_id(other)


def test_more_than_ten_omnibus_questions_are_refused():
    families = [Family(f"f{i}", "C", [question(str(i), 0.5)]) for i in range(11)]
    with pytest.raises(ValueError, match="at most 10"):
        correct(families, 0.05)


def test_one_name_has_one_tier():
    with pytest.raises(ValueError, match="tiers"):
        correct([Family("x", "C"), Family("x", "D")], 0.05)


def test_the_whole_scheme_rejects_a_true_null_one_time_in_twenty():
    draw = np.random.default_rng(0)
    wrong = 0
    for _ in range(400):
        families = [
            Family(name, "C", [question(f"{name}{i}", float(draw.random())) for i in range(20)])
            for name in "abcde"
        ]
        found = correct(families, 0.05)
        wrong += any(f.p_adjusted <= 0.05 for f in found)
    assert wrong / 400 <= 0.083
