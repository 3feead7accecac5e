"""A whole review in a real browser: by keyboard, by two people, over a killed server."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from reports.review import latest_answers, open_records, verify_chain
from reports.review.checking import check_review
from tests.reports import sample
from tests.reports.review.desk import made, picture, started
from tests.reports.test_browser import ARGUMENTS, CHROMIUM

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
ITEMS = 4


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as play:
        running = play.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A run folder with findings."""
    return sample.run_folder(tmp_path_factory.mktemp("runs") / "digits")


@pytest.fixture
def run(finished, tmp_path) -> Path:
    """A run whose review of hidden labels has begun and nobody has joined."""
    folder = tmp_path / "digits"
    shutil.copytree(finished, folder)
    items = list(made(ITEMS))
    (folder / "big.png").write_bytes(big := picture(200))
    items[0] = replace(items[0], path="big.png", content_sha256=sha256(big).hexdigest())
    started(folder / "review.db", items, hide=True).close()
    return folder


@contextmanager
def serving(run: Path, *options: str) -> Iterator[tuple[Any, dict[str, str], str]]:
    """The desk in a process of its own: the process, links by name, and its address."""
    command = [sys.executable, "-m", "reports.cli", "review", str(run), "--pictures", str(run)]
    process = subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    said, links = [], {}
    try:
        for line in process.stdout:
            said.append(line)
            if found := re.match(r"(\S+) \(\w+\): (\S+)$", line):
                links[found[1]] = found[2]
            if line.startswith("Stop with"):
                break
        address = re.search(r"http://127\.0\.0\.1:\d+", "".join(said))
        assert address, "".join(said)
        yield process, links, address[0]
    finally:
        process.send_signal(signal.SIGINT)
        said.append(process.communicate(timeout=20)[0])


def opened(browser: Any, link: str, width: int = 1280, scheme: str = "light") -> Any:
    """The first page of a link, with everything that it said or asked for in `page.heard`."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.heard, page.asked = [], []
    page.on("console", lambda message: page.heard.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: page.heard.append(f"error: {error}"))
    context.on("request", lambda request: page.asked.append(request.url))
    page.goto(link)
    return page


def outside(page: Any, base: str) -> list[str]:
    return [url for url in page.asked if not url.startswith((f"{base}/", "data:"))]


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def sent(page: Any, key: str) -> None:
    """Press a key that leads to a page, and wait for it."""
    with page.expect_navigation(wait_until="load"):
        page.keyboard.press(key)


def work(page: Any, choice: str) -> None:
    """One item by keyboard alone: a label of one's own, then whether the label is right."""
    assert page.get_by_role("heading", name="Before you see the label").is_visible()
    press(page, "l", "d", "Enter")
    sent(page, "Enter")
    assert page.locator(".label b").first.inner_text() in ("cat", "dog")
    press(page, choice)
    sent(page, "Enter")


def blur_is_lifted_by_key_and_by_click(page: Any, base: str) -> None:
    place_of(page, base, "[data-stage]", ITEMS)
    view, blurred = page.locator("[data-view]"), "each => getComputedStyle(each).filter"
    assert "blur" in view.evaluate(blurred)
    press(page, "r")
    assert view.evaluate(blurred) == "none"
    page.get_by_text("Blur it again").click()
    assert "blur" in view.evaluate(blurred)


def place_of(page: Any, base: str, what: str, most: int = 12) -> None:
    """To the first item that has this."""
    for k in range(1, most + 1):
        page.goto(f"{base}/item/{k}")
        if page.locator(what).count():
            return
    raise AssertionError(f"no item has {what}")


def test_a_review_by_keyboard_over_a_killed_server(browser, run):
    with serving(run, "--port", "0", "--reviewer", "Ada", "--reviewer", "Ben") as (
        process,
        links,
        base,
    ):
        ada = opened(browser, links["Ada"])
        assert "token" not in ada.url
        work(ada, "1")
        work(ada, "3")
        before = ada.url
        sent(ada, "u")
        assert "was taken back" in ada.get_by_role("status").inner_text()
        assert ada.url != before
        press(ada, "1")
        sent(ada, "Enter")
        assert ada.url == before
        sent(ada, "s")
        resumed, mark = ada.url, ada.locator('[name="csrf"]').first.input_value()
        assert "1 skipped" in ada.locator(".far").inner_text()
        press(ada, "l", "d", "Enter")
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    port = base.rpartition(":")[2]
    with serving(run, "--port", port, "--blur") as (_, none, again):
        assert none == {}
        assert again == base
        ada.goto(base)  # without her link: the desk knows her, and the tab what she had chosen
        assert ada.url == resumed
        assert ada.locator("select").input_value() == "dog"
        # The page of before is one of this desk's as well: what is sent from it is taken.
        assert ada.locator('[name="csrf"]').first.input_value() == mark
        assert f"2 of {ITEMS} done" in ada.locator(".far").inner_text()
        for _ in range(ITEMS - 2):
            work(ada, "1")
        assert ada.get_by_role("heading", name="Every item is answered").is_visible()
        ben = opened(browser, links["Ben"], 390)
        for _ in range(ITEMS):
            work(ben, "3")
        lead = opened(browser, links["lead"])
        blur_is_lifted_by_key_and_by_click(lead, base)
        lead.goto(f"{base}/lead")
        assert f"{ITEMS} items" in lead.locator("main").inner_text()
        for page in (ada, ben, lead):
            assert page.heard == []
            assert outside(page, base) == []
            page.context.close()
    records = open_records(run / "review.db")
    said = [
        (each.reviewer, each.value)
        for each in latest_answers(records)
        if each.question == "label_right"
    ]
    assert sorted(said) == [("Ada", "agree")] * ITEMS + [("Ben", "cannot tell")] * ITEMS
    assert all(each.seconds is not None for each in latest_answers(records))
    verify_chain(records)
    records.close()
    assert (run / "review" / "answers.parquet").is_file()
    checked = check_review(run)
    assert checked is not None
    assert checked.problems == checked.unknown == ()
    assert len(checked.files) == 4


@pytest.fixture(scope="module")
def desk(finished, tmp_path_factory) -> Iterator[tuple[dict[str, str], str]]:
    folder = tmp_path_factory.mktemp("runs") / "digits"
    shutil.copytree(finished, folder)
    started(folder / "review.db", made(12)).close()
    with serving(folder, "--port", "0", "--reviewer", "Ada", "--reviewer", "Ben") as (
        _,
        links,
        base,
    ):
        yield links, base


# Colours do not depend on the width, nor what has a name on the colours: two of four tell.
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_everybody_can_use_it(browser, desk, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    links, base = desk
    ada = opened(browser, links["Ada"], width, scheme)
    lead = opened(browser, links["lead"], width, scheme)
    pages = [(ada, "/item/1"), (lead, "/lead")]
    if (width, scheme) == (390, "dark"):  # what differs little is looked at once
        pages += [(ada, "/item/2"), (ada, "/item/3"), (ada, "/keys"), (lead, "/lead/results")]
    for page, path in pages:
        page.goto(f"{base}{path}")
        found = axe.Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
        for narrow in (width, 390, 320):
            page.set_viewport_size({"width": narrow, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= narrow
        page.set_viewport_size({"width": width, "height": 900})
    ada.goto(f"{base}/item/1")
    press(ada, "?")
    assert ada.locator("dialog").is_visible()
    assert axe.Axe().run(ada).response["violations"] == []
    for page in (ada, lead):
        assert page.heard == []
        assert outside(page, base) == []
        page.context.close()


def test_the_picture_is_adjusted_by_key(browser, desk):
    links, base = desk
    page = opened(browser, links["Ada"])
    place_of(page, base, "[data-stage]")
    image = page.locator("[data-view] img").first
    assert image.evaluate("each => each.naturalWidth") == 8
    before = image.bounding_box()["width"]
    press(page, "+", "+")
    page.wait_for_timeout(150)
    assert image.bounding_box()["width"] > 1.4 * before
    press(page, "i", "b", "C")
    style = image.get_attribute("style")
    for part in ("brightness(110%)", "contrast(90%)", "invert(1)"):
        assert part in style
    press(page, "v")
    assert page.locator("[data-view]").count() == 2
    assert "filter: none" in page.locator("[data-view] img").first.get_attribute("style")
    page.locator("[data-view]").first.focus()
    press(page, "ArrowLeft")
    assert "translate(30px" in page.locator("[data-view] img").last.get_attribute("style")
    press(page, "0", "v")
    page.wait_for_timeout(150)
    assert image.bounding_box()["width"] == pytest.approx(before, abs=1)
    assert page.heard == []
    page.context.close()


def test_selected_words_are_noted_in_characters(browser, desk):
    links, base = desk
    page = opened(browser, links["Ben"])
    place_of(page, base, "[data-text]")
    page.evaluate(
        """() => {
          const text = document.querySelector("[data-text]").firstChild;
          const at = text.data.indexOf("text");
          document.getSelection().setBaseAndExtent(text, at, text, at + 4);
        }"""
    )
    press(page, "h")
    # The emoji before it is one character, of two code units.
    assert page.locator("[data-note]").input_value() == "[6:10] text"
    assert page.locator("[data-text] mark").inner_text() == "text"
    page.context.close()


def test_a_question_appears_when_it_is_asked_and_keys_can_be_switched_off(browser, desk):
    links, _base = desk
    page = opened(browser, links["Ada"])
    asked = page.locator("fieldset", has_text="Which label would be right?")
    assert not asked.is_visible()
    press(page, "2")
    assert asked.is_visible()
    press(page, "Escape", "k", "k", "1")
    assert not asked.is_visible()
    page.keyboard.press("?")
    page.get_by_label("Single keys work").uncheck()
    press(page, "Escape")
    where = page.url
    press(page, "s", "u", "p")
    page.wait_for_timeout(200)
    assert page.url == where
    page.context.close()


def test_without_script_a_whole_item_is_answered(browser, desk):
    links, _base = desk
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(links["Ben"])
    where = page.url
    page.get_by_text("agree", exact=True).click()
    page.get_by_role("button", name="Show what the models say").click()
    assert page.get_by_role("radio", name="agree").is_checked()
    assert page.get_by_text("What the models say", exact=True).is_visible()
    page.get_by_role("button", name="Save and go on").last.click()
    assert page.url != where
    page.get_by_role("button", name="Undo").click()
    assert page.url == where
    context.close()
