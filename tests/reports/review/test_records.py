"""Study, reviewers, turns and answers, the same on both databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from audit.evidence.errors import InputError
from reports.review import (
    Item,
    Question,
    Records,
    Reviewer,
    add_reviewer,
    answers_of,
    authenticate,
    close_study,
    create_study,
    default_questions,
    disputed,
    every_row,
    item_at,
    item_named,
    latest_answers,
    new_token,
    next_item,
    open_records,
    progress,
    record,
    reopen_study,
    retire_reviewer,
    reviewers_of,
    skip,
    source_of,
    study_of,
    team_progress,
    turn_of,
    unblinded,
    verify_chain,
    withdraw,
)
from tests.reports.review.queue import CLASSES, ITEMS, made_items, made_settings

Add = Callable[[str], Reviewer]
AGREE = {"label_right": "agree"}


def answer_everything(records: Records, who: Reviewer) -> list[str]:
    seen = []
    while shown := next_item(records, who):
        seen.append(shown.item)
        record(records, who, shown.item, AGREE, seconds=3)
    return seen


def test_a_study_is_what_was_put_in(records: Records, items: tuple[Item, ...]) -> None:
    study = study_of(records)
    whole = (study.name, study.findings, study.items, study.closed)
    assert whole == ("digits", "f" * 64, ITEMS, None)
    assert study.settings == made_settings()
    assert study.questions == default_questions()
    back = {each.item: each for each in unblinded(records, while_open=True)}
    assert back == {each.item: replace(each, text=None) for each in items}
    assert source_of(records, "item-7").text == "row 7"
    assert source_of(records, "item-7").example == 7


def test_a_second_study_is_refused(records: Records) -> None:
    with pytest.raises(InputError, match="holds a study already"):
        create_study(records, made_items(3), name="other")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"item": "item-1"}, "'item-1' is in the queue twice"),
        ({"kind": "suspect"}, "is a 'suspect': give pie or decoy"),
        ({"probability": 0.0}, "probability 0.0: give one above 0"),
        ({"probability": float("nan")}, "probability nan"),
    ],
)
def test_a_queue_that_cannot_be_is_refused_whole(
    empty: Records, change: dict[str, object], said: str
) -> None:
    items = list(made_items(3))
    items[0] = replace(items[0], **change)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=said):
        create_study(empty, items, name="x")
    with pytest.raises(InputError, match="holds no study yet"):
        study_of(empty)


def test_an_empty_queue_and_a_missing_score_are_refused(empty: Records) -> None:
    with pytest.raises(InputError, match="queue is empty"):
        create_study(empty, [], name="x")
    unscored = replace(made_items(1)[0], order_score=None)
    with pytest.raises(InputError, match="no score to order by"):
        create_study(empty, [unscored], name="x", settings=made_settings(order="score"))


def test_order_by_score_is_everyones(empty: Records) -> None:
    create_study(empty, made_items(9), name="x", settings=made_settings(order="score"))
    for name in ("Ada", "Bob"):
        who = authenticate(empty, add_reviewer(empty, name))
        assert who is not None
        assert answer_everything(empty, who) == [f"item-{k}" for k in range(8, -1, -1)]


def test_reviewers_see_every_item_once_in_an_order_of_their_own(
    records: Records, reviewer: Add
) -> None:
    orders = [answer_everything(records, reviewer(name)) for name in ("Ada", "Bob")]
    for order in orders:
        assert sorted(order) == sorted(f"item-{k}" for k in range(ITEMS))
    assert orders[0] != orders[1]
    assert verify_chain(records) == ()


def test_work_is_resumed_where_it_stopped(url: str) -> None:
    records = open_records(url)
    create_study(records, made_items(ITEMS), name="x", settings=made_settings())
    token = add_reviewer(records, "Ada")
    who = authenticate(records, token)
    assert who is not None
    order = [item_at(records, who, k).item for k in range(ITEMS)]
    for item in order[:3]:
        record(records, who, item, AGREE)
    records.close()
    again = open_records(url, create=False)
    who = authenticate(again, token)
    assert who is not None
    shown = next_item(again, who)
    assert shown is not None
    assert (shown.item, shown.position, shown.total, shown.state) == (order[3], 3, ITEMS, "new")
    again.close()


def test_an_item_answered_out_of_turn_does_not_come_again(records: Records, reviewer: Add) -> None:
    ada = reviewer("Ada")
    record(records, ada, item_at(records, ada, 1).item, AGREE)
    record(records, ada, item_at(records, ada, 0).item, AGREE)
    shown = next_item(records, ada)
    assert shown is not None
    assert shown.position == 2


def test_what_is_shown_does_not_tell_exemplars_from_decoys(records: Records, reviewer: Add) -> None:
    shown = next_item(records, reviewer("Ada"))
    told = set(vars(shown)) if hasattr(shown, "__dict__") else set()
    assert told.isdisjoint({"kind", "stratum", "probability", "order_score", "number", "example"})
    with pytest.raises(InputError, match="close it before its queue is unblinded"):
        unblinded(records)
    close_study(records)
    assert {each.kind for each in unblinded(records)} == {"pie", "decoy"}


def test_tokens_let_in_whom_they_were_given_to(records: Records) -> None:
    token = add_reviewer(records, "Ada")
    lead = add_reviewer(records, "Zoë", "lead")
    found = authenticate(records, token)
    assert found is not None
    assert (found.name, found.role) == ("Ada", "reviewer")
    assert authenticate(records, lead).role == "lead"  # type: ignore[union-attr]
    for wrong in ("", token[:-1], token + "a", token.swapcase(), "\ud800", "é" * 50):
        assert authenticate(records, wrong) is None
    second = new_token(records, "Ada")
    assert authenticate(records, token) is None
    assert authenticate(records, second) == found
    retire_reviewer(records, "Ada")
    assert authenticate(records, second) is None
    assert [(each.name, each.active) for each in reviewers_of(records)] == [
        ("Ada", False),
        ("Zoë", True),
    ]


def test_no_token_is_in_the_database(records: Records) -> None:
    token = add_reviewer(records, "Ada")
    with records.reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM review_reviewers").all()
    assert token not in repr(rows)


@pytest.mark.parametrize("name", ["", "  ", "x" * 201, "a\nb"])
def test_a_reviewer_needs_a_name(records: Records, name: str) -> None:
    with pytest.raises(InputError, match="no name for a reviewer"):
        add_reviewer(records, name)


def test_reviewers_that_cannot_be(records: Records) -> None:
    add_reviewer(records, "Ada")
    with pytest.raises(InputError, match="a reviewer 'Ada' already"):
        add_reviewer(records, "Ada")
    with pytest.raises(InputError, match="no role"):
        add_reviewer(records, "Bob", "admin")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no reviewer 'Bob'"):
        new_token(records, "Bob")


def test_answers_are_kept_with_what_was_shown(records: Records, reviewer: Add) -> None:
    ada = reviewer("Ada")
    given = {
        "label_right": "wrong",
        "right_label": CLASSES[2],
        "hard_because": ["low quality", "abstract"],
        "quality": "4",
        "note": "“<b>\x00🙂",
    }
    number = record(
        records, ada, "item-4", given, seconds=7.25, predictions_shown=True,
        content_sha256=source_of(records, "item-4").content_sha256,
    )  # fmt: skip
    rows = latest_answers(records)
    assert {each.question: each.value for each in rows} == {
        "label_right": "wrong",
        "right_label": CLASSES[2],
        "hard_because": ["abstract", "low quality"],
        "quality": 4,
        "note": "“<b>🙂",
    }
    assert [each.sequence for each in rows] == [1, 2, 3, 4, 5]
    for each in rows:
        assert (each.submission, each.reviewer, each.item, each.example) == (
            number,
            "Ada",
            "item-4",
            4,
        )
        assert (each.seconds, each.label_was_hidden, each.predictions_were_shown) == (
            7.25,
            False,
            True,
        )
        assert each.content_sha256 == source_of(records, "item-4").content_sha256
        assert each.at.endswith("+00:00")
    assert answers_of(records, "Ada") == rows
    assert answers_of(records, "Bob") == []


def test_answers_that_cannot_be_leave_nothing(records: Records, reviewer: Add) -> None:
    ada = reviewer("Ada")
    for item, answers, said in (
        ("item-99", AGREE, "'item-99' is not in this study"),
        ("item-1", {"label_right": "maybe"}, "give one of agree"),
        (
            "item-1",
            {"label_right": "wrong", "right_label": "dog"},
            "name the same one, 'dog', as right: name another, or agree",
        ),
        (
            "item-1",
            {"label_right": "agree", "hard_because": ["wrong or inadequate label"]},
            "You agree with the label and call it a wrong or inadequate label as well",
        ),
        ("item-1", {"quality": 3}, "'label_right' has no answer"),
        ("item-1", {}, "has no answer"),
    ):
        with pytest.raises(InputError, match=said):
            record(records, ada, item, answers)
    with pytest.raises(InputError, match="other content than what was shown"):
        record(records, ada, "item-1", AGREE, content_sha256="0" * 64)
    for seconds in (-1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="seconds were spent"):
            record(records, ada, "item-1", AGREE, seconds=seconds)
    assert every_row(records) == []
    assert turn_of(records, ada, "item-1") == "new"
    assert progress(records, ada).done == 0


def test_a_changed_answer_is_a_further_row(records: Records, reviewer: Add) -> None:
    ada = reviewer("Ada")
    record(records, ada, "item-1", {"label_right": "wrong", "right_label": "cat", "quality": 2})
    record(records, ada, "item-1", {"label_right": "agree"})
    # What the label should be is no longer asked; the quality still stands.
    assert {each.question: each.value for each in latest_answers(records)} == {
        "label_right": "agree",
        "quality": 2,
    }
    assert len(every_row(records)) == 5
    assert progress(records, ada).done == 1


def test_an_answer_is_cleared_by_none(records: Records, reviewer: Add) -> None:
    ada = reviewer("Ada")
    record(records, ada, "item-1", {**AGREE, "note": "x"})
    record(records, ada, "item-1", {**AGREE, "note": ""})
    assert [each.question for each in latest_answers(records)] == ["label_right"]
    with pytest.raises(InputError, match="Nothing was answered"):
        record(records, ada, "item-1", {"note": ""})


def test_undo_is_a_row_and_brings_the_item_back(records: Records, reviewer: Add) -> None:
    ada, bob = reviewer("Ada"), reviewer("Bob")
    first, second = (item_at(records, ada, k).item for k in (0, 1))
    record(records, ada, first, AGREE)
    number = record(records, ada, second, {"label_right": "cannot tell", "quality": 1})
    record(records, bob, second, AGREE)
    assert withdraw(records, ada) == second
    assert [(each.reviewer, each.item) for each in latest_answers(records)] == [
        ("Ada", first),
        ("Bob", second),
    ]
    last = every_row(records)[-1]
    assert (last.withdraws, last.question, last.value, last.reviewer) == (number, "", None, "Ada")
    assert len(every_row(records)) == 5
    shown = next_item(records, ada)
    assert shown is not None
    assert (shown.item, shown.state, shown.answers) == (second, "open", {})
    assert withdraw(records, ada) == first
    assert withdraw(records, ada) is None
    assert progress(records, ada).done == 0
    assert progress(records, bob).done == 1
    assert verify_chain(records) == ()


def test_undo_lets_the_earlier_answer_stand(records: Records, reviewer: Add) -> None:
    ada = reviewer("Ada")
    record(records, ada, "item-1", AGREE)
    record(records, ada, "item-2", AGREE)
    record(records, ada, "item-1", {"label_right": "cannot tell"})
    assert withdraw(records, ada, "item-1") == "item-1"
    assert [(each.item, each.value) for each in latest_answers(records)] == [
        ("item-1", "agree"),
        ("item-2", "agree"),
    ]


def test_skipped_items_come_last_and_again(records: Records, reviewer: Add) -> None:
    ada = reviewer("Ada")
    order = [item_at(records, ada, k).item for k in range(ITEMS)]
    skip(records, ada, order[0])
    skip(records, ada, order[1])
    assert progress(records, ada).skipped == 2
    for item in order[2:]:
        shown = next_item(records, ada)
        assert shown is not None
        assert shown.item == item
        record(records, ada, item, AGREE)
    skip(records, ada, order[0])
    assert answer_everything(records, ada) == [order[1], order[0]]
    skip(records, ada, order[0])
    assert turn_of(records, ada, order[0]) == "done"


def test_a_hidden_label_is_withheld_until_a_first_answer(empty: Records) -> None:
    create_study(
        empty, made_items(4), name="x", questions=default_questions(label_hidden=True),
        settings=made_settings(label_hidden=True),
    )  # fmt: skip
    who = authenticate(empty, add_reviewer(empty, "Ada"))
    assert who is not None
    shown = next_item(empty, who)
    assert shown is not None
    assert (shown.label, shown.label_hidden, shown.predicted) == (None, True, {})
    record(empty, who, shown.item, {"own_label": "dog"}, whole=False, seconds=2)
    again = next_item(empty, who)
    assert again is not None
    assert (again.item, again.state, again.label_hidden) == (shown.item, "open", False)
    assert again.label in CLASSES
    assert again.predicted == {"parent": "cat", "pruned": "dog"}
    record(empty, who, shown.item, AGREE, seconds=3)
    hidden = {each.question: each.label_was_hidden for each in latest_answers(empty)}
    assert hidden == {"own_label": True, "label_right": False}
    assert progress(empty, who).median_seconds == 5
    # Whoever takes an answer back has seen the label all the same.
    withdraw(empty, who)
    withdraw(empty, who)
    assert item_named(empty, who, shown.item).label_hidden is False


def test_progress_says_how_long_the_rest_takes(records: Records, reviewer: Add) -> None:
    ada = reviewer("Ada")
    assert progress(records, ada).median_seconds is None
    assert progress(records, ada).seconds_left is None
    for k, seconds in enumerate((1.0, 9.0, 2.0)):
        record(records, ada, f"item-{k}", AGREE, seconds=seconds)
    record(records, ada, "item-3", AGREE)
    seen = progress(records, ada)
    assert (seen.done, seen.left, seen.total, seen.skipped) == (4, 8, 12, 0)
    assert (seen.median_seconds, seen.seconds_left) == (2.0, 16.0)
    reviewer("Bob")
    assert {name: each.done for name, each in team_progress(records).items()} == {
        "Ada": 4,
        "Bob": 0,
    }


def test_disputes_are_where_reviewers_differ(records: Records, reviewer: Add) -> None:
    ada, bob, eve = reviewer("Ada"), reviewer("Bob"), reviewer("Eve")
    record(records, ada, "item-1", {**AGREE, "quality": 3, "note": "a", "difficulty": 1})
    record(records, bob, "item-1", {**AGREE, "quality": 4, "note": "b", "difficulty": 3})
    record(records, ada, "item-2", AGREE)
    record(records, bob, "item-2", {"label_right": "wrong", "right_label": "dog"})
    record(records, eve, "item-2", {"label_right": "wrong", "right_label": "cat"})
    record(records, ada, "item-3", {**AGREE, "hard_because": ["abstract"]})
    record(records, bob, "item-3", {**AGREE, "hard_because": ["atypical"]})
    record(records, ada, "item-4", {"label_right": "cannot tell"})
    found = {each.item: (each.example, each.answers) for each in disputed(records)}
    assert found == {
        "item-1": (1, {"difficulty": {"Ada": 1, "Bob": 3}}),
        "item-2": (
            2,
            {
                "label_right": {"Ada": "agree", "Bob": "wrong", "Eve": "wrong"},
                "right_label": {"Bob": "dog", "Eve": "cat"},
            },
        ),
    }
    withdraw(records, bob, "item-1")
    assert [each.item for each in disputed(records)] == ["item-2"]


def test_a_closed_study_takes_nothing(records: Records, reviewer: Add) -> None:
    ada = reviewer("Ada")
    record(records, ada, "item-1", AGREE)
    assert close_study(records).closed is not None
    for attempt in (
        lambda: record(records, ada, "item-2", AGREE),
        lambda: withdraw(records, ada),
        lambda: skip(records, ada, "item-2"),
    ):
        with pytest.raises(InputError, match="review is closed"):
            attempt()
    assert len(every_row(records)) == 1
    assert reopen_study(records).closed is None
    record(records, ada, "item-2", AGREE)


def test_a_retired_reviewer_answers_no_more(records: Records, reviewer: Add) -> None:
    ada = reviewer("Ada")
    retire_reviewer(records, "Ada")
    with pytest.raises(InputError, match="'Ada' is no active reviewer"):
        record(records, ada, "item-1", AGREE)


def test_questions_may_be_ones_own(empty: Records) -> None:
    own = (Question("urgent", "Urgent?", "choice", ("yes", "no"), required=True),)
    create_study(empty, made_items(2), name="x", questions=own)
    who = authenticate(empty, add_reviewer(empty, "Ada"))
    assert who is not None
    record(empty, who, "item-0", {"urgent": "yes"})
    with pytest.raises(InputError, match="no question 'label_right': the questions are urgent"):
        record(empty, who, "item-1", AGREE)
    assert study_of(empty).questions == own


def test_a_position_outside_the_queue(records: Records, reviewer: Add) -> None:
    ada = reviewer("Ada")
    for position in (-1, ITEMS):
        with pytest.raises(InputError, match=f"no position {position}: give 0 to 11"):
            item_at(records, ada, position)
    with pytest.raises(InputError, match="not in this study"):
        item_named(records, ada, "../../etc/passwd")
    with pytest.raises(InputError, match="not in this study"):
        source_of(records, "item-99")
