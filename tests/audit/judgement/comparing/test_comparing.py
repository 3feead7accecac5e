"""Whole comparisons of small run folders: what moved, what is shared, who may be ranked."""

from __future__ import annotations

import json
import math
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from audit.evidence.errors import InputError
from audit.judgement.comparing import compare_runs, comparison_schema
from tests.audit.judgement.comparing.made import drawn

N = 400
PUBLISHED = Path(__file__).parents[4] / "docs" / "comparison.schema.json"
LABELS = np.random.default_rng(0).integers(0, 2, N)
SEX = np.where(np.arange(N) % 3 == 0, "F", "M")
DENSE, HARMED = drawn(1, 5, LABELS, 0.9, np.where(SEX == "F", 0.2, 0.03))
MENDED = np.where((HARMED != DENSE) & (SEX == "F"), DENSE, HARMED)
COMMON = {"labels": LABELS, "columns": {"group_sex": SEX}}
LIMIT = {"policy": {"max_accuracy_drop": 0.04}}


def moves_of(comparison, place=0, **wanted):
    return [
        move
        for move in comparison.pairs[place].moves
        if all(getattr(move, name) == value for name, value in wanted.items())
    ]


def check_of(comparison, facet, place=0):
    (found,) = [c for c in comparison.pairs[place].checks if c.facet == facet]
    return found


def plain(make_run, name="plain", pruned=HARMED, method="magnitude", **more):
    return make_run(name, DENSE, {(method, 0.9): pruned}, **{**COMMON, **LIMIT, **more})


def test_identical_runs_differ_by_exactly_nothing(make_run):
    shifted = {"fog": {("magnitude", 0.9): DENSE}}
    one = plain(make_run, control=DENSE, shifted=shifted)
    comparison = compare_runs([one, one])
    of_predictions = [m for m in comparison.pairs[0].moves if m.how != "findings"]
    assert {m.family for m in of_predictions} == {"accuracy", "classes", "groups", "shifts"}
    for move in of_predictions:
        assert (move.difference, move.p, move.p_adjusted, move.outcome) == (0.0, 1.0, 1.0, "same")
    for move in comparison.pairs[0].moves:
        assert move.difference in (0.0, None)
        assert move.outcome not in ("better", "worse")
        assert not any(isinstance(v, float) and math.isnan(v) for v in vars(move).values())
    assert comparison.pairs[0].congruent
    assert comparison.rankings[0].places == (1, 1)
    assert comparison.rankings[0].steps[0].by == "cannot_tell"
    assert comparison.recipes == ()
    assert [side.name for side in comparison.sides] == [str(one), f"{one} (2)"]


def test_a_planted_mitigation_is_found_where_it_is_and_nowhere_else(make_run):
    comparison = compare_runs([plain(make_run), plain(make_run, "mended", MENDED, "balanced")])
    better = {(m.measure, m.groups) for m in comparison.pairs[0].moves if m.outcome == "better"}
    assert ("group_accuracy", "sex=F") in better
    (women,) = moves_of(comparison, groups="sex=F")
    women_only = SEX == "F"
    before = (HARMED == LABELS)[:, women_only].mean() - (DENSE == LABELS)[:, women_only].mean()
    assert women.before.change == pytest.approx(before)
    assert women.after.change == pytest.approx(0.0)
    assert women.difference == pytest.approx(-before)
    assert women.how == "parents_and_examples"
    assert women.generalises_to == "both"
    (men,) = moves_of(comparison, groups="sex=M")
    assert (men.difference, men.outcome) == (0.0, "same")
    assert comparison.pairs[0].parents == ("the same 5 parents on both sides",)


def test_the_same_question_asked_backwards_has_the_opposite_answer(make_run):
    one, other = plain(make_run), plain(make_run, "mended", MENDED)
    there, back = compare_runs([one, other]), compare_runs([other, one])
    for forth, reverse in zip(there.pairs[0].moves, back.pairs[0].moves, strict=True):
        if forth.difference is not None:
            assert reverse.difference == pytest.approx(-forth.difference)
            assert reverse.p == pytest.approx(forth.p)


def test_order_of_rows_and_of_classes_plays_no_part(make_run):
    one = plain(make_run)
    same = plain(make_run, "same", MENDED)
    turn = np.random.default_rng(4).permutation(N)
    turned = make_run(
        "turned",
        1 - DENSE[:, turn],
        {("magnitude", 0.9): 1 - MENDED[:, turn]},
        labels=1 - LABELS[turn],
        classes=("yes", "no"),
        ids=turn,
        columns={"group_sex": SEX[turn]},
        **LIMIT,
    )
    first, second = compare_runs([one, same]), compare_runs([one, turned])
    found = [
        {(m.measure, m.class_, m.groups): m for m in c.pairs[0].moves} for c in (first, second)
    ]
    assert found[0].keys() == found[1].keys()
    for question, move in found[0].items():
        if move.how != "findings":
            assert found[1][question].difference == pytest.approx(move.difference)
            assert found[1][question].p == pytest.approx(move.p)
    assert second.pairs[0].parents == ("the same 5 parents on both sides",)


def test_other_labels_are_noticed_left_out_and_not_ranked(make_run):
    relabelled = LABELS.copy()
    relabelled[:7] = 1 - relabelled[:7]
    other = plain(make_run, "other", labels=relabelled)
    pair = compare_runs([plain(make_run), other]).pairs[0]
    assert pair.shared is not None
    assert (pair.shared.n, pair.shared.relabelled) == (N - 7, 7)
    assert not pair.congruent


def test_examples_that_one_side_lacks_are_counted_and_not_ranked(make_run):
    kept = slice(0, 300)
    other = make_run(
        "fewer",
        DENSE[:, kept],
        {("magnitude", 0.9): MENDED[:, kept]},
        labels=LABELS[kept],
        columns={"group_sex": SEX[kept]},
        **LIMIT,
    )
    comparison = compare_runs([plain(make_run), other])
    shared = comparison.pairs[0].shared
    assert shared is not None
    assert (shared.n, shared.only_before, shared.only_after) == (300, 100, 0)
    assert {m.n for m in moves_of(comparison, family="accuracy")} == {300}
    assert comparison.rankings == ()


def test_ids_that_name_other_examples_share_nothing(make_run):
    labels = np.random.default_rng(9).integers(0, 2, N)
    dense, pruned = drawn(5, 5, labels, 0.9, 0.1)
    other = make_run("other", dense, {("magnitude", 0.9): pruned}, labels=labels, **LIMIT)
    comparison = compare_runs([plain(make_run), other])
    assert comparison.pairs[0].moves == ()
    assert "another label" in check_of(comparison, "examples").said


def test_runs_of_other_data_are_laid_side_by_side(make_run):
    other = make_run(
        "mnist",
        DENSE,
        {("magnitude", 0.9): HARMED},
        ids=[f"m{i}" for i in range(N)],
        run={"config": {"data": {"source": "torchvision", "name": "MNIST"}}, "architecture": "vgg"},
        **{**COMMON, **LIMIT},
    )
    comparison = compare_runs([plain(make_run), other])
    assert comparison.rankings == ()
    assert comparison.pairs[0].moves == ()
    assert not comparison.pairs[0].comparable
    assert [(side.data, side.architecture) for side in comparison.sides] == [
        ("digits", "cnn"),
        ("MNIST", "vgg"),
    ]
    assert comparison.pairs_practice.detail.startswith("2 here")


@pytest.mark.parametrize(
    ("more", "facet"),
    [
        ({"policy": {"max_accuracy_drop": 0.05}}, "policy"),
        ({"plan": {"positive": "yes"}}, "plan"),
        ({"plan": {"alpha": 0.1}}, "plan"),
        ({"columns": {}}, "groups"),
        ({"run": {"architecture": "vgg"}}, "architecture"),
        ({"run": {"config": {"data": {"source": "digits", "limit": 3}}}}, "data"),
        (
            {"run": {"config": {"data": {"source": "digits"}, "model": {"preprocess": "a:b"}}}},
            "preprocessing",
        ),
        ({"columns": {"group_sex": SEX, "thumbnail": [b"a"] * N}}, None),
    ],
)
def test_what_differs_is_named_and_forbids_a_ranking(make_run, more, facet):
    comparison = compare_runs([plain(make_run), plain(make_run, "other", **more)])
    differ = [check.facet for check in comparison.pairs[0].checks if check.agrees is False]
    assert differ == ([facet] if facet else [])
    assert bool(comparison.rankings) is (facet is None)
    assert comparison.pairs[0].moves  # what moved is told all the same


def test_inputs_that_look_otherwise_are_no_ground_to_rank(make_run):
    pictures = [b"a"] * N
    one = plain(make_run, columns={"group_sex": SEX, "thumbnail": pictures})
    other = plain(make_run, "other", columns={"group_sex": SEX, "thumbnail": [b"b", *pictures[1:]]})
    assert check_of(compare_runs([one, other]), "inputs").agrees is False


def test_a_better_verdict_comes_first_and_the_interval_stands_beside_it(make_run):
    comparison = compare_runs([plain(make_run), plain(make_run, "mended", MENDED)])
    (ranking,) = comparison.rankings
    assert (ranking.sides, ranking.places) == ((1, 0), (1, 2))
    step = ranking.steps[0]
    assert step.by == "verdict"
    assert step.move is not None
    assert step.move.difference is not None
    assert step.move.difference < 0


def test_equal_verdicts_are_told_apart_by_the_interval_or_not_at_all(make_run):
    free = {"policy": {}}
    runs = [plain(make_run, **free), plain(make_run, "mended", MENDED, **free)]
    hardly = HARMED.copy()
    place = np.flatnonzero(HARMED[0] != DENSE[0])[0]
    hardly[0, place] = DENSE[0, place]
    runs.append(plain(make_run, "hardly", hardly, **free))
    (ranking,) = compare_runs(runs).rankings
    assert ranking.sides == (1, 2, 0)
    assert [step.by for step in ranking.steps] == ["interval", "cannot_tell"]
    assert ranking.places == (1, 2, 2)


def test_other_parents_are_independent_and_add_their_variance(make_run):
    dense, harmed = drawn(2, 4, LABELS, 0.9, np.where(SEX == "F", 0.2, 0.03))
    other = make_run("other", dense, {("magnitude", 0.9): harmed}, **COMMON, **LIMIT)
    comparison = compare_runs([plain(make_run), other])
    (move,) = moves_of(comparison, family="accuracy")
    assert (move.how, move.parents_before, move.parents_after) == ("examples", 5, 4)
    assert "taken to be independent" in comparison.pairs[0].parents[0]
    assert move.outcome == "cannot_tell"


def test_one_address_makes_one_parent_whatever_it_is_called(make_run):
    one = plain(make_run, addresses=list("abcde"))
    turned = DENSE[::-1]
    other = make_run(
        "other",
        turned,
        {("magnitude", 0.9): HARMED[::-1]},
        addresses=list("edcba"),
        **COMMON,
        **LIMIT,
    )
    comparison = compare_runs([one, other])
    (move,) = moves_of(comparison, family="accuracy")
    assert (move.how, move.difference, move.outcome) == ("parents_and_examples", 0.0, "same")


def test_findings_alone_are_compared_as_if_independent(make_run):
    one = plain(make_run, evidence=False)
    other = plain(make_run, "mended", MENDED)
    alone, whole = compare_runs([one, other]), compare_runs([plain(make_run, "p"), other])
    (move,), (paired,) = (moves_of(c, family="accuracy") for c in (alone, whole))
    assert (move.how, move.difference) == ("findings", pytest.approx(paired.difference))
    assert move.standard_error > paired.standard_error
    assert alone.rankings == ()
    assert check_of(alone, "examples").agrees is None


def test_arms_of_one_run_are_sides(make_run):
    run = make_run(
        "run", DENSE, {("magnitude", 0.8): MENDED, ("obd", 0.9): HARMED}, **COMMON, **LIMIT
    )
    comparison = compare_runs([run], ["magnitude@0.8", "obd@0.9"])
    assert [side.name for side in comparison.sides] == ["magnitude@0.8", "obd@0.9"]
    assert [(d.what, d.values) for d in comparison.recipes] == [
        ("method", ("magnitude", "obd")),
        ("sparsity", ("0.8", "0.9")),
    ]
    (move,) = moves_of(comparison, family="accuracy")
    assert move.outcome == "worse"
    assert comparison.rankings[0].sides == (0, 1)


def test_recipes_are_diffed_by_topic(make_run):
    config = {
        "data": {"source": "digits"},
        "population": {"fine_tuning": {"epochs": 40}, "methods": [{"saliency": "obd"}]},
        "shifts": {"severities": [1]},
    }
    other = plain(make_run, "other", run={"config": config}, plan={"alpha": 0.1})
    found = {(d.topic, d.what): d.values for d in compare_runs([plain(make_run), other]).recipes}
    assert found[("training", "population.fine_tuning.epochs")] == (None, "40")
    assert found[("pruning", "population.methods")] == (None, '[{"saliency": "obd"}]')
    assert found[("plan", "alpha")] == ("0.05", "0.1")
    assert found[("shifts", "shifts.severities")] == (None, "[1]")


def test_exemplars_in_common_by_hand(make_run):
    """Of 40 examples, all parents of both runs are right.

    All models of the first are wrong on 0–3, of the second on 2–4, controls of the first on 4 and
    5. Shared: 2 and 3; Jaccard 2/5; by chance 4 · 3/40 = .3; of the churn {4, 5}, the second has 4.
    """
    labels = np.zeros(40, dtype=int)
    dense = np.zeros((3, 40), dtype=int)

    def wrong(*places):
        rows = dense.copy()
        rows[:, list(places)] = 1
        return rows

    one = make_run("a", dense, {("m", 0.5): wrong(0, 1, 2, 3)}, labels=labels, control=wrong(4, 5))
    two = make_run("b", dense, {("m", 0.5): wrong(2, 3, 4)}, labels=labels)
    (found,) = compare_runs([one, two]).pairs[0].overlaps
    assert (found.before, found.after, found.shared, found.jaccard) == (4, 3, 2, 0.4)
    assert found.expected == pytest.approx(0.3)
    assert (found.churn, found.churned, found.churn_jaccard) == (2, 1, 0.25)


def test_what_training_does_is_taken_out_beside_controls_by_hand(make_run):
    """Of 40 examples the parents miss 8, the second run's controls and pruned models none.

    Pruned of the first miss the same 8: changes 0 and +.2; beside controls that miss 8 and 0 both
    are 0, and so is their difference.
    """
    labels = np.zeros(40, dtype=int)
    missed = np.zeros((2, 40), dtype=int)
    missed[:, :8] = 1
    right = np.zeros((2, 40), dtype=int)
    one = make_run("a", missed, {("m", 0.5): missed}, labels=labels, control=missed)
    two = make_run("b", missed, {("m", 0.5): right}, labels=labels, control=right)
    (move,) = moves_of(compare_runs([one, two]), family="accuracy")
    assert (move.difference, move.beside_controls) == (pytest.approx(0.2), 0.0)
    three = make_run("c", missed, {("m", 0.5): right}, labels=labels)
    (move,) = moves_of(compare_runs([one, three]), family="accuracy")
    assert move.beside_controls is None


def test_moves_of_a_family_are_corrected_by_holm(make_run):
    comparison = compare_runs([plain(make_run), plain(make_run, "mended", MENDED)])
    first, second = sorted((m.p, m.p_adjusted) for m in moves_of(comparison, family="classes"))
    assert first[1] == pytest.approx(min(1.0, 2 * first[0]))
    assert second[1] == pytest.approx(max(second[0], first[1]))


def test_a_small_group_keeps_its_interval_and_makes_no_claim(make_run):
    plan = {"minimum_n": 200}
    comparison = compare_runs(
        [plain(make_run, plan=plan), plain(make_run, "mended", MENDED, plan=plan)]
    )
    (women,) = moves_of(comparison, groups="sex=F")
    assert (women.p, women.outcome) == (None, "not_asked")
    assert women.low is not None
    assert "that a claim needs" in (women.reason or "")


def test_it_is_written_as_its_schema_says_and_the_same_twice(make_run):
    runs = [
        plain(make_run),
        plain(make_run, "mended", MENDED),
        plain(make_run, "f", evidence=False),
    ]
    first, again = compare_runs(runs), compare_runs(runs)
    jsonschema.Draft202012Validator.check_schema(comparison_schema())
    jsonschema.validate(json.loads(first.to_json()), comparison_schema())
    assert first.to_json() == again.to_json()


def test_the_published_schema_is_this_one():
    assert json.loads(PUBLISHED.read_text()) == comparison_schema()


def test_conditions_that_only_one_was_shown_are_told(make_run):
    shifted = {"fog": {("magnitude", 0.9): DENSE}}
    pair = compare_runs([plain(make_run), plain(make_run, "foggy", shifted=shifted)]).pairs[0]
    assert "Only " in pair.notes[0]
    assert pair.notes[0].endswith("was shown fog.")
    assert not [m for m in pair.moves if m.family == "shifts" and m.how != "findings"]


def test_one_run_is_not_enough(make_run):
    with pytest.raises(InputError, match="one run to compare"):
        compare_runs([plain(make_run)])


def test_a_folder_that_is_no_run_is_refused(make_run, tmp_path):
    with pytest.raises(InputError, match=r"no findings\.json in .*name run folders"):
        compare_runs([plain(make_run), tmp_path])


def test_nothing_in_common_is_refused(make_run):
    other = make_run("other", DENSE, {("obd", 0.5): HARMED}, **COMMON)
    with pytest.raises(InputError, match=r"arm in common .*magnitude@0\.9.*obd@0\.5"):
        compare_runs([plain(make_run), other])


def test_an_arm_that_is_not_there_is_refused(make_run):
    with pytest.raises(InputError, match=r"no arm 'obd@0\.8' .*there are magnitude@0\.9"):
        compare_runs([plain(make_run)], ["magnitude@0.9", "obd@0.8"])
    with pytest.raises(InputError, match="1 arms of 2 runs"):
        compare_runs([plain(make_run), plain(make_run, "b")], ["magnitude@0.9"])


def test_where_sides_have_several_methods_only_the_same_answer_to_each_other(make_run):
    both = {("magnitude", 0.9): HARMED, ("obd", 0.9): MENDED}
    one, two = [make_run(name, DENSE, both, **COMMON) for name in ("one", "two")]
    pair = compare_runs([one, two]).pairs[0]
    assert pair.matches == (
        (("magnitude", 0.9), ("magnitude", 0.9)),
        (("obd", 0.9), ("obd", 0.9)),
    )
