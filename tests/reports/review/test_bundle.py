"""The offline bundle: whole without network, unbroken by any name, its answers taken back."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from audit.evidence.errors import InputError
from reports.review import (
    Item,
    Records,
    Reviewer,
    Source,
    add_reviewer,
    authenticate,
    bundle,
    close_study,
    create_study,
    default_questions,
    import_answers,
    item_at,
    latest_answers,
    open_records,
    record,
    verify_chain,
)
from tests.reports.review.queue import CLASSES, made_items, made_settings

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
HOSTILE = "</script><script>alert(1)</script><!--<script>\u2028\u202eabc&lt;'\"🙂"


def drawn(colour: str, *, exif: bool = False) -> bytes:
    sink = io.BytesIO()
    more: dict[str, Any] = {}
    if exif:
        about = Image.Exif()
        about[0x010F] = "a camera that tells"
        more["exif"] = about
    Image.new("RGB", (300, 20), colour).save(sink, "JPEG", **more)
    return sink.getvalue()


def hostile_items(n: int) -> list[Item]:
    return [
        replace(
            each, text=HOSTILE, label=HOSTILE, facts={HOSTILE: HOSTILE},
            predicted={"parent": HOSTILE}, path="/data/patients/1234.png",
            thumbnail=drawn("red"),
        )
        for each in made_items(n)
    ]  # fmt: skip


def begun(tmp_path: Path, items: list[Item], **settings: Any) -> tuple[Records, Reviewer]:
    records = open_records(tmp_path / "review.db")
    hidden = bool(settings.get("label_hidden"))
    create_study(
        records, items, name=f"x {HOSTILE}", questions=default_questions(label_hidden=hidden),
        settings=made_settings(classes=(*CLASSES, HOSTILE), **settings),
    )  # fmt: skip
    ada = authenticate(records, add_reviewer(records, "Ada"))
    assert ada is not None
    return records, ada


def data_of(path: Path) -> Any:
    html = path.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html, re.S)
    assert found is not None
    return json.loads(found[1])


def test_the_file_holds_what_is_left_and_nothing_that_unblinds(tmp_path: Path) -> None:
    records, ada = begun(tmp_path, hostile_items(12))
    done = item_at(records, ada, 1).item
    record(records, ada, done, {"label_right": "agree"})
    path = bundle(
        records, ada, tmp_path / "b.html", picture=lambda source: source.thumbnail, most=9
    )
    order = [item_at(records, ada, k).item for k in range(12)]
    items = data_of(path)["items"]
    assert [each["item"] for each in items] == [each for each in order if each != done][:9]
    for each in items:
        assert set(each) == {
            "item", "content_sha256", "label", "predicted", "text", "facts", "picture", "hidden",
        }  # fmt: skip
        assert each["text"] == each["label"] == HOSTILE
    html = path.read_text(encoding="utf-8")
    for secret in ("/data/patients", '"pie"', '"decoy"', "probability", "stratum"):
        assert secret not in html
    records.close()


def test_no_text_ends_a_script_or_breaks_the_page(tmp_path: Path) -> None:
    records, ada = begun(tmp_path, hostile_items(2))
    html = bundle(records, ada, tmp_path / "b.html", picture=lambda _: None).read_text("utf-8")
    assert html.count("<script") == html.count("</script>") == 2
    assert "alert(1)</" not in html
    assert "<title>Review of x &lt;/script&gt;" in html
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)
    assert policy is not None
    assert "default-src &#39;none&#39;" in policy[1]
    assert "unsafe" not in policy[1]
    assert not re.search(r"(src|href)=\"?(https?:)?//", html)
    records.close()


def test_pictures_are_drawn_anew_without_what_a_camera_wrote(tmp_path: Path) -> None:
    assert b"a camera that tells" in drawn("red", exif=True)
    records, ada = begun(tmp_path, list(made_items(1)))
    path = bundle(records, ada, tmp_path / "b.html", picture=lambda _: drawn("red", exif=True))
    kind, _, encoded = data_of(path)["items"][0]["picture"].partition(",")
    assert kind == "data:image/jpeg;base64"
    picture = base64.b64decode(encoded)
    assert b"a camera that tells" not in picture
    with Image.open(io.BytesIO(picture)) as opened:
        assert opened.size == (300, 20)
    records.close()


def test_pictures_come_from_the_items_file(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(drawn("blue"))
    item = replace(made_items(1)[0], path=str(tmp_path / "a.jpg"))
    records, ada = begun(tmp_path, [item])
    assert data_of(bundle(records, ada, tmp_path / "b.html"))["items"][0]["picture"]
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(InputError, match=r"a.jpg cannot be read .*put it back"):
        bundle(records, ada, tmp_path / "b.html")
    with pytest.raises(InputError, match="picture of item 'item-0' cannot be read"):
        bundle(records, ada, tmp_path / "b.html", picture=lambda _: b"<svg/>")
    records.close()


def test_no_file_is_written_for_nothing(tmp_path: Path) -> None:
    records, ada = begun(tmp_path, list(made_items(1)))
    record(records, ada, "item-0", {"label_right": "agree"})
    with pytest.raises(InputError, match="Nothing is left for 'Ada'"):
        bundle(records, ada, tmp_path / "b.html")
    close_study(records)
    with pytest.raises(InputError, match="review is closed"):
        bundle(records, ada, tmp_path / "b.html")
    assert not (tmp_path / "b.html").exists()
    records.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as play:
        running = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--no-first-run"]
        )
        yield running
        running.close()


def opened(browser: Any, path: Path) -> Any:
    page = browser.new_context(viewport={"width": 390, "height": 800}).new_page()
    page.heard = []
    page.on("console", lambda message: page.heard.append(message.text))
    page.on("pageerror", lambda error: page.heard.append(str(error)))
    page.on("dialog", lambda dialog: page.heard.append(dialog.message))
    page.on("request", lambda request: page.heard.append(request.url))
    page.goto(path.as_uri())
    return page


def saved(page: Any, path: Path) -> Path:
    with page.expect_download() as download:
        page.keyboard.press("d")
    download.value.save_as(path)
    return path


def quiet(page: Any) -> bool:
    return all(each.startswith(("file:", "data:", "blob:")) for each in page.heard)


def picture(source: Source) -> bytes | None:
    return drawn("green")


def test_a_whole_review_by_keyboard(browser: Any, tmp_path: Path) -> None:
    items = [replace(each, label="cat") for each in hostile_items(3)]
    records, ada = begun(tmp_path, items)
    page = opened(browser, bundle(records, ada, tmp_path / "b.html", picture=picture))
    order = [item_at(records, ada, k).item for k in range(3)]
    assert page.inner_text("#where") == "Item 1 of 3"
    assert HOSTILE[:30] in page.inner_text("#shown")
    page.keyboard.press("2")  # wrong
    assert page.locator("select option[value=cat]").is_disabled()  # the label that it has
    page.locator("fieldset:visible select").select_option(label=HOSTILE)
    page.locator("textarea").fill(HOSTILE)
    page.locator("#where").click()
    page.keyboard.press("Control+Enter")
    assert page.inner_text("#where") == "Item 2 of 3"
    page.keyboard.press("Enter")
    assert page.inner_text("#warning") == "A question marked with * has no answer yet."
    page.keyboard.press("s")
    page.keyboard.press("1")
    page.get_by_label("wrong or inadequate label").check()
    page.keyboard.press("Enter")
    assert "change one of the two" in page.inner_text("#warning")
    page.get_by_label("wrong or inadequate label").uncheck()
    page.keyboard.press("Enter")
    assert page.inner_text("#progress") == "2 of 3 answered"
    page.reload()  # what was answered is still there
    assert page.inner_text("#progress") == "2 of 3 answered"
    assert page.inner_text("#where") == "Item 2 of 3"
    taken = import_answers(records, saved(page, tmp_path / "answers.json"))
    assert (taken.items, taken.known) == (2, 0)
    said = {(each.item, each.question): each.value for each in latest_answers(records)}
    assert said == {
        (order[0], "label_right"): "wrong",
        (order[0], "right_label"): HOSTILE,
        (order[0], "note"): HOSTILE,
        (order[2], "label_right"): "agree",
    }
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    assert "Every item here is answered" in page.inner_text("#warning")
    taken = import_answers(records, saved(page, tmp_path / "answers.json"))
    assert (taken.items, taken.known) == (1, 2)
    assert quiet(page), page.heard
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert verify_chain(records) == ()
    page.context.close()
    records.close()


def test_a_hidden_label_is_shown_after_the_first_answer(browser: Any, tmp_path: Path) -> None:
    items = [replace(each, label="cat") for each in made_items(2)]
    records, ada = begun(tmp_path, items, label_hidden=True)
    page = opened(browser, bundle(records, ada, tmp_path / "b.html"))
    assert "The label is shown after your first answer." in page.inner_text("#shown")
    assert "cat" not in page.inner_text("#shown")
    page.locator("select").select_option(label="dog")
    page.locator("#next").click()
    assert page.inner_text("#where") == "Item 1 of 2"
    assert "cat" in page.inner_text("#shown")
    page.keyboard.press("2")
    page.locator("#next").click()
    import_answers(records, saved(page, tmp_path / "answers.json"))
    assert {
        each.question: (each.value, each.label_was_hidden) for each in latest_answers(records)
    } == {
        "own_label": ("dog", True),
        "label_right": ("wrong", False),
    }
    assert quiet(page), page.heard
    page.context.close()
    records.close()


def test_the_page_breaks_no_rule_of_accessibility(browser: Any, tmp_path: Path) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    records, ada = begun(tmp_path, hostile_items(1))
    path = bundle(records, ada, tmp_path / "b.html", picture=picture)
    for scheme in ("light", "dark"):
        # axe is put into the page, which the page's own policy would refuse.
        context = browser.new_context(color_scheme=scheme, bypass_csp=True)
        page = context.new_page()
        page.goto(path.as_uri())
        found = axe.Axe().run(page).response["violations"]
        assert [each["id"] for each in found] == []
        context.close()
    records.close()
