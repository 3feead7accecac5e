"""A desk that was killed and started again: everyone goes on where they were; nothing is lost."""

from __future__ import annotations

import time

from reports.review import every_row, latest_answers, new_token, open_records
from reports.review.app import desk_app
from tests.reports.review.desk import OURS, PORT, Person, browser, started


def test_a_desk_that_was_started_again_knows_everyone(tmp_path):
    """A second server on the same database, the first one gone without a word."""
    records = started(tmp_path / "review.db")
    ada = Person(records)
    ada.answer()
    page = ada.page()
    place, csrf = page.url.path, ada.csrf
    ada.post(place, {"do": "models", "q_note": "typed before"})
    again = browser(desk_app(open_records(tmp_path / "review.db"), port=PORT))
    again.cookies = ada.client.cookies
    shown = again.get("/", follow_redirects=True)
    assert shown.url.path == place
    assert "typed before" in shown.text
    assert "What the models say</caption>" in shown.text
    form = {"csrf": csrf, "do": "save", "q_label_right": "agree", "q_note": "typed after"}
    assert again.post(place, data=form, headers=OURS).status_code == 303
    assert latest_answers(records)[-1].value == "typed after"
    assert every_row(records)[-1].predictions_were_shown
    again.post("/leave", data={"csrf": csrf}, headers=OURS)
    third = browser(desk_app(records, port=PORT))
    third.cookies = ada.client.cookies
    assert "open the link that you were given" in third.get("/").text
    assert third.get(f"/enter?token={ada.token}").status_code == 303
    assert third.get("/").status_code == 303


def test_a_session_of_before_ends_with_its_token_or_its_day(tmp_path, monkeypatch):
    records = started(tmp_path / "review.db")
    ada, ben = Person(records), Person(records, "Ben")
    new_token(records, "Ada")
    for person, status in ((ada, 401), (ben, 303)):
        fresh = browser(desk_app(records, port=PORT))
        fresh.cookies = person.client.cookies
        assert fresh.get("/").status_code == status
    now = time.time()
    monkeypatch.setattr("reports.review.sessions.time.time", lambda: now + 13 * 3600)
    fresh.cookies = ben.client.cookies
    assert fresh.get("/").status_code == 401
    other = browser(desk_app(records, port=PORT))
    other.cookies = ben.client.cookies
    assert other.get("/").status_code == 401
