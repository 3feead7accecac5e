"""Attacks on the review desk: each is refused, recorded nowhere, and told nothing."""

from __future__ import annotations

import io
import logging
from dataclasses import replace
from hashlib import sha256

import pytest
from PIL import Image

from reports.review import every_row, new_token, retire_reviewer
from reports.review.security import LARGEST_BODY
from tests.reports.review.desk import BASE, HOSTILE, OURS, Person, browser, made, picture, started


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """For attacks: when all are over, nothing was ever recorded."""
    found = started(tmp_path_factory.mktemp("attacked") / "review.db")
    yield found
    found.close()


@pytest.fixture(scope="module")
def ada(records):
    return Person(records)


@pytest.fixture
def own_records(tmp_path):
    found = started(tmp_path / "review.db")
    yield found
    found.close()


@pytest.fixture
def own_ada(own_records):
    return Person(own_records)


PAGES = ("/", "/item/1", "/picture/1", "/keys", "/break", "/lead", "/lead/answers.csv")


@pytest.mark.parametrize("path", PAGES)
def test_without_a_session_nothing_is_shown(ada, path):
    stranger = browser(ada.app)
    answer = stranger.get(path)
    assert answer.status_code == 401
    assert "secret" not in answer.text
    assert "cat" not in answer.text


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "ä🙂", "%00", "../../etc/passwd"])
def test_a_wrong_token_lets_nobody_in(ada, token):
    stranger = browser(ada.app)
    answer = stranger.get("/enter", params={"token": token})
    assert answer.status_code == 401
    assert not stranger.cookies
    assert stranger.get("/item/1").status_code == 401


def test_the_token_leaves_the_address_and_the_cookie_is_closed_to_script(own_ada):
    assert own_ada.entered.status_code == 303
    assert own_ada.entered.headers["location"] == "/"
    cookie = own_ada.entered.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert own_ada.token not in cookie
    assert own_ada.token not in own_ada.page().text


def test_a_link_works_again_and_ends_the_session_before(own_ada):
    old = dict(own_ada.client.cookies)
    own_ada.client.get(f"/enter?token={own_ada.token}")
    assert dict(own_ada.client.cookies) != old
    assert own_ada.page().status_code == 200
    stranger = browser(own_ada.app)
    stranger.cookies.update(old)
    assert stranger.get("/item/1").status_code == 401


@pytest.mark.parametrize("ended", ["new token", "retired"])
def test_a_token_that_was_taken_back_ends_its_sessions(own_ada, own_records, ended, monkeypatch):
    monkeypatch.setattr("reports.review.sessions._ASKED_AGAIN", 0.0)
    assert own_ada.get("/item/1").status_code == 200
    if ended == "retired":
        retire_reviewer(own_records, "Ada")
    else:
        new_token(own_records, "Ada")
    assert own_ada.get("/item/1").status_code == 401
    assert browser(own_ada.app).get(f"/enter?token={own_ada.token}").status_code == 401


def test_leaving_ends_the_session_on_the_server(own_ada):
    kept = dict(own_ada.client.cookies)
    assert own_ada.post("/leave").status_code == 200
    own_ada.client.cookies.update(kept)
    assert own_ada.get("/item/1").status_code == 401


WRITES = ("/item/1", "/undo", "/break", "/leave", "/lead/close")


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize("csrf", [None, "", "x", "ü"])
def test_a_write_without_the_sessions_own_mark_is_refused(ada, records, path, csrf):
    form = {"do": "save", "q_label_right": "agree", "sure": "yes"}
    if csrf is not None:
        form["csrf"] = csrf
    assert ada.client.post(path, data=form, headers=OURS).status_code == 403
    assert every_row(records) == []
    assert ada.get("/item/1").status_code == 200


def test_a_mark_of_another_session_is_refused(ada, records):
    ben = Person(records, "Ben", app=ada.app)
    form = {"csrf": ben.csrf, "do": "save", "q_label_right": "agree"}
    assert ada.client.post("/item/1", data=form, headers=OURS).status_code == 403
    assert every_row(records) == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "https://127.0.0.1:8420"},
        {"Origin": BASE, "Sec-Fetch-Site": "cross-site"},
        {"Origin": BASE, "Sec-Fetch-Site": "same-site"},
        {"Origin": "null", "Sec-Fetch-Site": "none"},
    ],
)
def test_a_write_from_elsewhere_is_refused_even_with_the_mark(ada, records, headers):
    form = {"csrf": ada.csrf, "do": "save", "q_label_right": "agree"}
    assert ada.client.post("/item/1", data=form, headers=headers).status_code == 403
    assert every_row(records) == []


def test_a_form_under_our_referrer_policy_is_ours(own_ada, own_records):
    form = {"csrf": own_ada.csrf, "do": "save", "q_label_right": "agree"}
    ours = {"Origin": "null", "Sec-Fetch-Site": "same-origin"}
    assert own_ada.client.post("/item/1", data=form, headers=ours).status_code == 303
    assert len(every_row(own_records)) == 1


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8420", "127.0.0.1", "127.0.0.1:1", "127.0.0.1.evil:8420",
     "0.0.0.0:8420", "localhost", "[::1]", "localhost:8420@evil", ""],
)  # fmt: skip
def test_a_rebound_name_is_not_ours(ada, host):
    answer = ada.get("/item/1", headers={"Host": host})
    assert answer.status_code == 421
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8420", "localhost:8420", "LOCALHOST:8420", "[::1]:8420"]
)
def test_names_of_the_loopback_are(ada, host):
    assert ada.get("/keys", headers={"Host": host}).status_code == 200


def test_a_proxy_is_known_only_where_it_was_named(own_records):
    ada = Person(own_records, address="https://review.example")
    cookie = ada.entered.headers["set-cookie"]
    assert "Secure" in cookie
    where = {"Host": "review.example", "Cookie": cookie.partition(";")[0]}
    assert ada.client.get("/keys", headers=where).status_code == 200
    other = {**where, "Host": "other.example"}
    assert ada.client.get("/keys", headers=other).status_code == 421


@pytest.mark.parametrize(
    "path",
    ["/picture/0", "/picture/7", "/picture/99999999999999999999", "/picture/-1", "/picture/1.png",
     "/picture/..%2f..%2fetc%2fpasswd", "/picture/%2e%2e/%2e%2e/etc/passwd", "/picture//etc/passwd",
     "/item/i0", "/item/%00", "/item/1%0d%0aX-Evil:%201", "/static/../../etc/passwd",
     "/lead/answers.../../etc", "/picture/" + "9" * 5000, "/item/٣"],
)  # fmt: skip
def test_numbers_are_all_that_a_path_may_hold(ada, path):
    answer = ada.get(path)
    assert answer.status_code in (403, 404, 414)
    assert "root:" not in answer.text
    assert "x-evil" not in answer.headers


def test_a_recorded_path_outside_the_named_folders_is_not_read(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out.png").write_bytes(picture())
    (tmp_path / "in" / "link.png").symlink_to(tmp_path / "out.png")
    paths = ("../out.png", str(tmp_path / "out.png"), "link.png", "/etc/passwd", "a\0b", "in")
    items = [
        replace(each, path=path, thumbnail=None, content_sha256=sha256(picture()).hexdigest())
        for each, path in zip(made(len(paths)), paths, strict=True)
    ]
    records = started(tmp_path / "review.db", items)
    ada = Person(records, roots=(tmp_path / "in",))
    for place in range(1, len(paths) + 1):
        assert ada.get(f"/picture/{place}").status_code == 404
        page = ada.get(f"/item/{place}")
        assert page.status_code == 200
        assert str(tmp_path) not in page.text
        assert "--pictures" in page.text
    records.close()


def test_what_a_camera_wrote_beside_the_picture_is_not_sent(tmp_path):
    exif = Image.Exif()
    exif[0x010E] = "Jane Doe, born 1970"
    exif[0x0112] = 6
    file = picture(format="JPEG", exif=exif)
    (tmp_path / "a.jpg").write_bytes(file)
    item = replace(
        made(1)[0], path="a.jpg", thumbnail=None, content_sha256=sha256(file).hexdigest()
    )
    records = started(tmp_path / "review.db", [item])
    answer = Person(records, roots=(tmp_path,)).get("/picture/1")
    records.close()
    assert b"Jane Doe" in file
    assert b"Jane" not in answer.content
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (6, 8)  # turned, as its note said
        assert not image.getexif()


def test_another_file_under_the_same_name_is_not_shown(tmp_path):
    (tmp_path / "a.png").write_bytes(picture(1))
    item = replace(made(1)[0], path="a.png", content_sha256=sha256(picture(2)).hexdigest())
    records = started(tmp_path / "review.db", [item])
    ada = Person(records, roots=(tmp_path,))
    assert ada.get("/picture/1").status_code == 404
    assert "not the one" in ada.get("/item/1").text
    records.close()


def test_too_large_a_body_is_refused_before_it_is_read(ada, records):
    form = {"csrf": ada.csrf, "do": "save", "q_note": "x" * LARGEST_BODY}
    assert ada.client.post("/item/1", data=form, headers=OURS).status_code == 413

    def parts():
        for _ in range(LARGEST_BODY // 1000 + 2):
            yield b"x" * 1000

    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = ada.client.post("/item/1", content=parts(), headers={**OURS, **kind})
    assert answer.status_code == 413
    assert every_row(records) == []


@pytest.mark.parametrize("length", ["-1", "x", "9" * 50, "١٢"])
def test_a_length_that_is_none_is_refused(ada, length):
    headers = {**OURS, "Content-Length": length.encode()}
    assert ada.client.post("/item/1", content=b"a", headers=headers).status_code == 413


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "text/plain", ""])
def test_only_plain_forms_are_read(ada, records, kind):
    body = f"csrf={ada.csrf}&do=save&q_label_right=agree"
    headers = {**OURS, "Content-Type": kind}
    assert ada.client.post("/item/1", content=body, headers=headers).status_code == 422
    assert every_row(records) == []


def test_a_form_of_many_fields_is_refused(ada):
    body = f"csrf={ada.csrf}&" + "&".join("a=" for _ in range(3_000))
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert ada.client.post("/item/1", content=body, headers={**OURS, **kind}).status_code == 422


def test_only_reading_and_forms(ada):
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
        assert ada.client.request(method, "/item/1", headers=OURS).status_code == 405


@pytest.mark.parametrize("path", [*PAGES, "/nothing", "/enter?token=x"])
def test_every_answer_carries_its_marks(ada, path):
    headers = ada.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_nonces_are_used_once_and_nothing_is_inline_without(ada):
    first, second = ada.get("/item/1"), ada.get("/item/1")
    assert first.headers["content-security-policy"] != second.headers["content-security-policy"]
    nonce = first.headers["content-security-policy"].partition("script-src 'nonce-")[2][:22]
    assert f'<script nonce="{nonce}">' in first.text
    for inline in (" onclick=", " onload=", " style=", "javascript:"):
        assert inline not in first.text.lower()


def test_reviewers_see_no_page_of_the_lead(ada, records):
    for path in ("/lead", "/lead/results", "/lead/answers.csv", "/lead/answers.json"):
        assert ada.get(path).status_code == 403
    assert ada.post("/lead/close", {"sure": "yes"}).status_code == 403


def test_no_page_tells_what_an_item_is_or_how_it_was_drawn(own_records):
    lead = Person(own_records, "Lena", "lead")
    for path in ("/item/1", "/item/2", "/lead", "/lead/results"):
        text = lead.get(path).text
        for word in ("secret-", 'decoy"', 'pie"', "probability=", "i0<", "order_score"):
            assert word not in text


def test_hostile_text_is_text_everywhere(tmp_path):
    items = [
        replace(each, label=f"{name}?", text=name, facts={name: name}, predicted={name: name})
        for each, name in zip(made(len(HOSTILE), HOSTILE), HOSTILE, strict=True)
    ]
    records = started(tmp_path / "review.db", items, classes=HOSTILE)
    lead = Person(records, "<b>Lena</b>", "lead")
    ben = Person(records, "Ben \" onload='x'", app=lead.app)
    for name in HOSTILE:
        form = {"q_label_right": "wrong", "q_right_label": name, "q_note": name}
        assert lead.answer(**form).status_code == 303
        assert ben.answer(**{**form, "q_right_label": HOSTILE[0]}).status_code == 303
    pages = [lead.get(f"/item/{k}").text for k in range(1, 6)]
    pages += [lead.get(path).text for path in ("/lead", "/lead/results")]
    for page in pages:
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<b>Lena" not in page
        assert "49 " not in page
    assert any("&lt;script&gt;alert(1)" in page for page in pages)
    assert any("🙈" in page for page in pages)
    kept = {each.value for each in every_row(records) if each.question == "note"}
    assert kept == set(HOSTILE)
    records.close()


def test_errors_tell_neither_places_nor_tokens(own_ada, own_records, tmp_path):
    own_records.engine.dispose()
    (tmp_path / "review.db").rename(tmp_path / "elsewhere.db")
    (tmp_path / "review.db").mkdir()
    answer = own_ada.get("/item/1")
    assert answer.status_code in (422, 503)
    assert str(tmp_path) not in answer.text
    assert own_ada.token not in answer.text
    assert "Traceback" not in answer.text


def test_a_crash_tells_nothing(ada, monkeypatch):
    def broken(*_):
        raise RuntimeError("secret of the machine")

    monkeypatch.setattr("reports.review.pages.progress", broken)
    answer = ada.get("/item/1")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "defect of ours" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_the_log_has_paths_and_no_tokens(ada, caplog):
    with caplog.at_level(logging.INFO, "prune_audit.review"):
        ada.get(f"/enter?token={ada.token}")
        ada.get("/item/1%0aFORGED line")
    lines = [each.getMessage() for each in caplog.records if each.name == "prune_audit.review"]
    assert lines[0].startswith("GET /enter 303")
    assert all(ada.token not in line and "\n" not in line for line in lines)
    assert "%0AFORGED" in lines[1]
