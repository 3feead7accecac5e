"""The review desk's pages by plain forms: order, hidden labels, drafts, undo, breaks, the lead."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from reports.review import close_study, every_row, latest_answers, unblinded
from reports.review.forms import answers_in, spans_of
from reports.review.questions import DEFAULT_QUESTIONS
from reports.review.sessions import Clock
from tests.reports.review.desk import Person, made, started


@pytest.fixture
def records(tmp_path):
    found = started(tmp_path / "review.db")
    yield found
    found.close()


@pytest.fixture
def ada(records):
    return Person(records)


def answers(records, reviewer="Ada"):
    return {
        (a.item, a.question): a.value for a in latest_answers(records) if a.reviewer == reviewer
    }


def test_every_item_once_then_the_end(ada, records):
    seen = []
    for _ in range(6):
        page = ada.page()
        seen.append(page.url.path)
        assert ada.answer().status_code == 303
    assert len(set(seen)) == 6
    assert "Every item is answered" in ada.page().text
    assert len(answers(records)) == 6


def test_two_reviewers_have_orders_of_their_own(records, ada):
    ben = Person(records, "Ben", app=ada.app)
    orders = []
    for person in (ada, ben):
        pages = [person.get(f"/item/{k}").text for k in range(1, 7)]
        orders.append([re.search(r'data-item="(\w+)"', page)[1] for page in pages])
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] != orders[1]


def test_a_form_without_what_is_needed_comes_back_with_what_was_typed(ada, records):
    answer = ada.answer(q_label_right="", q_note="half a thought", q_difficulty="4")
    assert answer.status_code == 422
    assert "Not recorded" in answer.text
    assert "half a thought" in answer.text
    assert every_row(records) == []
    assert "half a thought" in ada.page().text


def test_an_answer_that_is_none_is_refused_in_a_sentence(ada, records):
    answer = ada.answer(q_label_right="perhaps")
    assert answer.status_code == 422
    assert "perhaps" in answer.text
    assert every_row(records) == []


def test_an_answer_that_contradicts_itself_is_refused_and_nothing_typed_is_lost(ada, records):
    own = "cat" if "<b><bdi>cat</bdi></b>" in ada.page().text else "dog"
    answer = ada.answer(q_label_right="wrong", q_right_label=own, q_note="a long thought")
    assert answer.status_code == 422
    said = f"You call the label wrong and name the same one, &#39;{own}&#39;, as right"
    assert said in answer.text
    assert "a long thought" in answer.text
    assert re.search(
        r'<fieldset class="asked amiss"[^>]*>\s*<legend>Which label would', answer.text
    )
    assert f'<option value="{own}" selected disabled>{own} (the label it has)' in answer.text
    assert every_row(records) == []
    said = "“Is the label right?” has no answer"
    assert said in ada.answer(q_label_right="").text


def test_what_was_typed_waits_while_an_answer_before_it_is_taken_back(ada):
    ada.answer()
    page = ada.page()
    item = re.search(r'name="item" value="([^"]+)"', page.text)[1]
    ada.post("/undo", {"item": item, "q_note": "half a thought", "q_quality": ["", "2"]})
    assert "half a thought" in ada.get(page.url.path).text


def test_all_kinds_of_questions_are_recorded(ada, records):
    right = "dog" if "<b><bdi>cat</bdi></b>" in ada.page().text else "cat"
    ada.answer(
        q_label_right="wrong",
        q_right_label=right,
        q_hard_because=["", "abstract", "atypical"],
        q_quality=["", "5"],
        q_consequence=["", "serious"],
        q_note="two\r\nlines",
    )
    said = {question: value for (_, question), value in answers(records).items()}
    assert said == {
        "label_right": "wrong",
        "right_label": right,
        "hard_because": ["abstract", "atypical"],
        "quality": 5,
        "consequence": "serious",
        "note": "two\nlines",
    }


def test_models_are_shown_on_request_and_that_is_recorded(ada, records):
    assert "What the models say</caption>" not in ada.page().text
    place = ada.page().url.path
    form = {"do": "models", "q_label_right": "agree", "q_note": "kept"}
    assert ada.post(place, form).headers["location"] == f"{place}#models"
    page = ada.page().text
    assert "What the models say</caption>" in page
    assert "kept" in page
    ada.answer()
    ada.answer()
    assert [row.predictions_were_shown for row in every_row(records)] == [True, False]


def test_a_hidden_label_is_shown_after_the_first_answer(tmp_path):
    records = started(tmp_path / "hidden.db", [replace(made(1)[0], label="dog")], hide=True)
    ada = Person(records)
    page = ada.page().text
    assert "Before you see the label" in page
    assert "<bdi>dog</bdi></b>" not in page
    assert "Is the label right?" not in page
    assert "Show what the models say" not in page
    assert "<bdi>parent</bdi>" not in ada.post("/item/1", {"do": "models"}).text + ada.page().text
    ada.post("/item/1", {"do": "save", "q_own_label": "cat"})
    page = ada.page().text
    assert "<bdi>dog</bdi></b>" in page
    assert "Is the label right?" in page
    ada.answer()
    assert [row.label_was_hidden for row in every_row(records)] == [True, False]
    assert "Every item is answered" in ada.page().text
    records.close()


def test_a_first_answer_taken_back_can_be_given_again(tmp_path):
    records = started(tmp_path / "hidden.db", made(1), hide=True)
    ada = Person(records)
    ada.post("/item/1", {"do": "save", "q_own_label": "cat"})
    ada.post("/undo")
    assert "Which label would you give it?" in ada.page().text
    ada.answer(q_own_label="dog")
    assert answers(records)[("i0", "own_label")] == "dog"
    records.close()


def test_undo_takes_back_and_returns_to_the_item(ada, records):
    place = ada.page().url.path
    ada.answer(q_label_right="cannot tell")
    assert ada.page().url.path != place
    assert ada.post("/undo").headers["location"] == place
    assert answers(records) == {}
    page = ada.page()
    assert page.url.path == place
    assert "was taken back" in page.text
    ada.post("/undo")
    assert "no answer of yours" in ada.page().text


def test_a_skipped_item_comes_at_the_end(ada, records):
    place = ada.page().url.path
    ada.post(place, {"do": "skip"})
    assert ada.page().url.path != place
    for _ in range(5):
        ada.answer()
    assert ada.page().url.path == place


def test_a_break_hides_everything_and_keeps_what_was_typed(ada):
    place = ada.page().url.path
    ada.post(place, {"do": "break", "q_note": "not yet done"})
    for path in ("/", place):
        assert ada.get(path).headers["location"] == "/break"
    assert "A break" in ada.get("/break").text
    ada.post("/break", {"do": "go on"})
    page = ada.page()
    assert page.url.path == place
    assert "not yet done" in page.text


def test_another_answer_replaces_the_first_and_both_are_kept(ada, records):
    place = ada.page().url.path
    ada.answer()
    ada.post(place, {"do": "save", "q_label_right": "cannot tell"})
    assert list(answers(records).values()) == ["cannot tell"]
    assert [row.value for row in every_row(records)] == ["agree", "cannot tell"]


def test_other_content_than_was_shown_is_not_answered(ada, records):
    answer = ada.answer(content="0" * 64)
    assert answer.status_code == 422
    assert every_row(records) == []


def test_blur_hides_until_asked(records):
    page = Person(records, blur=True).page().text
    assert 'id="reveal"' in page
    assert 'id="reveal"' not in Person(records, "Ben").page().text


def test_a_note_marks_the_words_it_names(ada):
    pages = [ada.get(f"/item/{k}").text for k in range(1, 7)]
    place = 1 + next(k for k, page in enumerate(pages) if "data-text" in page)
    ada.post(f"/item/{place}", {"do": "save", "q_label_right": "agree", "q_note": "[4:5] odd"})
    assert "The <mark>🙂</mark> text" in ada.get(f"/item/{place}").text


@pytest.mark.parametrize(
    ("note", "marked"),
    [
        ("", []),
        ("[0:2]", ["ab"]),
        ("[4:99]", ["ef"]),
        ("[3:1] [99:100]", []),
        ("[1:3] and [2:4]", ["bc", "d"]),
    ],
)
def test_spans(note, marked):
    pieces = spans_of("abcdef", note)
    assert "".join(piece for piece, _ in pieces) == "abcdef"
    assert [piece for piece, marks in pieces if marks] == marked


def test_a_blank_clears_and_a_missing_field_does_not():
    form = {"q_quality": ["", "3"], "q_note": [""], "q_hard_because": [""]}
    found = answers_in(form, DEFAULT_QUESTIONS)
    assert found == {"quality": "3", "note": None, "hard_because": None}


def test_the_clock_leaves_breaks_out(monkeypatch):
    now = [100.0]
    monkeypatch.setattr("reports.review.sessions.time.monotonic", lambda: now[0])
    clock = Clock()
    clock.show("a")
    now[0] += 5
    clock.pause()
    now[0] += 1_000
    clock.show("a")
    now[0] += 2
    assert clock.seconds("a") == 7
    assert clock.seconds("b") is None
    clock.show("b")
    now[0] += 1
    assert clock.seconds("b") == 1


def test_the_lead_sees_progress_disputes_and_the_end(records):
    lead = Person(records, "Lena", "lead")
    ada = Person(records, app=lead.app)
    ben = Person(records, "Ben", app=lead.app)
    for _ in range(6):
        ada.answer(q_label_right="agree")
        ben.answer(q_label_right="cannot tell")
    page = lead.get("/lead").text
    assert "6 items" in page
    assert re.search(r"<bdi>Ada</bdi></th><td>reviewer</td><td class=\"num\">6<", page)
    results = lead.get("/lead/results").text
    assert "How far reviewers agree" in results
    assert "Exemplars beside decoys" not in results
    assert lead.post("/lead/close").status_code == 303
    assert "still open" in lead.get("/lead").text
    lead.post("/lead/close", {"sure": "yes"})
    assert "no further answers" in lead.get("/lead").text.lower()
    results = lead.get("/lead/results").text
    assert "Exemplars beside decoys" in results
    assert "Nobody has answered" not in results
    assert len(unblinded(records)) == 6
    assert "This review is closed" in ada.page().text
    assert ada.post("/item/1", {"do": "save", "q_label_right": "wrong"}).status_code == 422


def test_the_lead_takes_the_answers_away(records):
    lead = Person(records, "Lena", "lead")
    assert lead.get("/lead/results").status_code == 200
    lead.answer(q_note="=1+1")
    found = json.loads(lead.get("/lead/answers.json").text)
    assert {row["value"] for row in found["rows"]} == {"agree", "=1+1"}
    answer = lead.get("/lead/answers.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="answers.csv"'
    assert "kind" not in answer.text.splitlines()[0]
    assert lead.get("/lead/answers.exe").status_code == 404


def test_a_link_from_another_site_is_let_go_on(ada):
    """The new cookie is not sent on the way from another site; a click here sends it."""
    fresh = Person(ada.records, "Ben", app=ada.app)
    fresh.client.cookies.clear()
    answer = fresh.get("/", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 401
    assert "Go on to the desk" in answer.text


def test_a_closed_study_is_said(ada, records):
    close_study(records)
    assert "This review is closed" in ada.page().text
    assert "This review is closed" in ada.get("/item/1").text
