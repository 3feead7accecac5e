"""The page as a file: whole without network and script, byte-stable, unbroken by any name."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import reports
from audit.judgement.findings import Findings, no_exemplars
from reports.compose import compose
from reports.document import read
from reports.html import render
from tests.reports import sample
from tests.reports.test_wording import FORBIDDEN

VOID = {"meta", "link", "img", "br", "input"}
STYLE = (Path(reports.__file__).parent / "templates" / "report.css").read_text()


class Page(HTMLParser):
    """Text by element id, every tag with its attributes, and whether tags close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.crossed: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.crossed.append(tag)

    def handle_data(self, data):
        if self.open and self.open[-1] not in {"script", "style"}:
            self.text.append(data)

    @property
    def words(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.text))

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


@pytest.fixture(scope="module")
def parsed(page) -> Page:
    return Page(page)


def test_it_is_a_whole_document(page, parsed):
    assert page.startswith('<!doctype html>\n<html lang="en">')
    assert parsed.crossed == []
    assert parsed.open == []
    assert "<title>prune-audit: digits-demo</title>" in page
    names = [tag for tag, _ in parsed.tags]
    for landmark in ("header", "nav", "main", "footer", "h1"):
        assert names.count(landmark) == 1


def test_ids_are_there_once_and_links_lead_somewhere(parsed):
    ids = [a["id"] for _, a in parsed.tags if "id" in a]
    assert len(ids) == len(set(ids))
    targets = [a["href"] for a in parsed.all("a")]
    assert len(targets) > 50
    for target in targets:
        assert target[0] == "#"
        assert target[1:] in ids
    for _, attributes in parsed.tags:
        if "aria-labelledby" in attributes:
            assert attributes["aria-labelledby"] in ids


def test_the_page_is_in_its_order(parsed):
    order = [
        "verdict", "sentences", "omnibus", "tradeoff", "exemplars", "classes", "subgroups",
        "robustness", "agreement", "calibration", "compression", "review", "locked", "advice",
        "method", "limits", "evidence", "provenance", "reproduce", "glossary",
    ]  # fmt: skip
    assert [a["id"] for a in parsed.all("section")] == order


def test_what_was_audited_is_one_line(parsed):
    assert (
        "magnitude at 6 sparsities (0.3, 0.5, 0.7, 0.8, 0.9 and 0.95); cnn with 4,522 parameters; "
        "931 examples of digits; 7 parents; prune-audit 0.1.0; findings judged-0123abcd; "
        "finished 2031-05-04 03:02 UTC."
    ) in parsed.words


def test_the_date_is_stated_once(parsed):
    assert len(re.findall(r"2031", parsed.words)) == 1


def test_every_section_says_what_it_holds(parsed):
    words = parsed.words
    for said in (
        "Largest sparsity within every limit: 0.8",
        "3 cannot tell, 1 within",
        "Showing 120 of 363 exemplars",
        "neither smaller nor faster than their parents",
        "One question (Brier score): the table has no probabilities of every class",
        "How to ask:",
        "slant=left was thinned to 20 % of its rows in the training part only",
        "Missing: model magnitude-0.95-3: left out of the audit",
        "prune-audit run digits-demo.yaml",
        "Smallest change found with 80 % power",
    ):
        assert said in words, said


def test_every_claim_shows_what_it_takes_to_weigh_it(page):
    tables = re.findall(
        r'<table id="([a-z-]+)" class="claims">.*?<thead><tr>(.*?)</tr>', page, re.S
    )
    assert len(tables) >= 8
    for key, head in tables:
        columns = re.sub("<[^>]+>", "|", head)
        if key == "omnibus-claims":  # asks whether anything moved, and of nobody in particular
            asked = ["family", "did anything move?", "p, corrected", "tier", "finding"]
            assert [name for name in columns.split("|") if name] == asked
            continue
        for needed in ("outcome", "p, corrected", "generalises to", "finding"):
            assert needed in columns, (key, needed)
        assert "|n|" in columns, key
        assert "interval" in columns, key


def test_no_word_makes_a_promise(parsed):
    assert FORBIDDEN.findall(parsed.words) == []


def test_nothing_is_fetched_from_anywhere(page, parsed):
    text = re.sub(r'xmlns="http://www\.w3\.org/2000/svg"', "", page)
    assert re.findall(r"https?://", text) == []
    assert re.findall(r"url\((?!#)", text) == []
    assert "@import" not in text
    assert parsed.all("iframe") == parsed.all("object") == parsed.all("base") == []
    for name, attribute in (("img", "src"), ("link", "href"), ("script", "src")):
        for attributes in parsed.all(name):
            assert (attributes.get(attribute) or "data:").startswith("data:")


def test_the_policy_allows_this_style_and_this_script_and_nothing_else(page):
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy[1].replace("&#39;", "'").split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    for name, element in (("style-src", "style"), ("script-src", "script")):
        (content,) = re.findall(rf"<{element}>(.*?)</{element}>", page, re.S)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[name] == f"'sha256-{digest}'"
    assert " style=" not in page
    assert not re.search(r"\son[a-z]+=\"", page)


def test_it_is_small(page_file):
    assert page_file.stat().st_size < 1_500_000


def test_the_same_findings_give_the_same_bytes(composed, page):
    assert render(composed) == page


def test_content_needs_no_script(page):
    without = re.sub(r"<script.*?</script>", "", page, flags=re.S)
    words = Page(without).words
    assert "slant=left" in words
    assert "test/597" in words
    assert "Glossary" in words


def test_findings_alone_make_a_page():
    words = Page(render(compose(read(sample.made(limits=False)), draw=False))).words
    assert "No limits were stated, so nothing here passes or fails" in words
    assert "Compression needs the evidence folder" in words


def test_a_page_of_nothing_says_so():
    page = render(compose(read(Findings({}, {}, (), no_exemplars()))))
    words = Page(page).words
    assert "No pruned model was audited" in words
    assert "nothing is known about harm" in words
    assert words.count("No question of this section was asked.") == 9
    assert "●" not in page


def test_several_methods_each_have_a_verdict_and_a_column():
    page = render(compose(read(sample.made(methods=("obd", "magnitude"))), draw=False))
    words = Page(page).words
    assert "method obd" in words
    assert "at sparsity 0.95 (obd)" in words
    assert page.count('class="ladder"') == 2


def test_hostile_names_are_text(hostile_file):
    html = hostile_file.read_text(encoding="utf-8")
    parsed = Page(html)
    assert parsed.crossed == []
    assert parsed.open == []
    assert len(parsed.all("script")) == 2
    assert len(parsed.all("svg")) == html.count("<svg ")
    assert all("onload" not in a and "onerror" not in a for _, a in parsed.tags)
    words = parsed.words
    for name in (
        "<script>alert(1)</script>",
        "\"quoted\" & 'quoted'",
        "🦊 fox 狐",
        "]]><svg onload=alert(1)>",
        "{{ 7 * 7 }} {% raw %}",
        "$x^2$ \\alpha",
        "line break tab",
        "<img src=x onerror=alert(2)>",
        "שלום evil",
    ):
        assert name in words, name
    assert "\u202e" not in html
    assert "x" * 400 not in html
    assert "… (10,000 characters)" in html
    assert hostile_file.stat().st_size < 1_500_000


def test_a_note_in_backticks_is_code_and_still_text():
    findings = sample.made()
    reason = "add `<b>column</b>` & `x`"
    changed = tuple(
        replace(f, reason=reason) if f.outcome == "not_asked" else f for f in findings.findings
    )
    page = render(compose(read(replace(findings, findings=changed)), draw=False))
    assert "add <code>&lt;b&gt;column&lt;/b&gt;</code> &amp; <code>x</code>" in page


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def mixed(one: str, other: str, share: float) -> str:
    pairs = [(int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)


def test_contrast_by_hand():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_has_contrast_enough_in_both_schemes(scheme):
    blocks = re.findall(r":root \{(.*?)\}", STYLE, re.S)[:2]
    colors = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", blocks[scheme]))
    for ink in ("ink", "soft", "link", "over", "within", "tell", "none", "parent", "control",
                "pruned", "third", "fourth"):  # fmt: skip
        assert contrast(colors[ink], colors["paper"]) >= 4.5, ink
    for tone in ("over", "within", "tell", "none"):
        assert contrast(colors[tone], colors[f"{tone}-wash"]) >= 4.5, tone
    for ground in ("raised", "none-wash", "tell-wash"):
        assert contrast(colors["ink"], colors[ground]) >= 4.5, ground
    # Numbers stand on tiles of six tenths of their colour.
    for tile in ("harm", "gain"):
        assert contrast(colors["ink"], mixed(colors[tile], colors["paper"], 0.6)) >= 4.5, tile


def test_print_and_motion_are_thought_of():
    assert "@media print" in STYLE
    assert "prefers-reduced-motion" in STYLE
    assert ":focus-visible" in STYLE


def test_what_a_link_leads_to_is_never_cut():
    findings = sample.made(classes=tuple(f"class {i}" for i in range(300)))
    page = Page(render(compose(read(findings), draw=False)))
    ids = {a["id"] for _, a in page.tags if "id" in a}
    targets = {str(a["href"])[1:] for a in page.all("a")}
    assert len([t for t in targets if t.startswith("f-")]) > 20
    assert targets <= ids


def test_the_words_of_the_script_cannot_end_their_element(run_folder):
    page = compose(read(run_folder), draw=False)
    sections = tuple(
        replace(s, gallery=replace(s.gallery, kinds=(("x", "</script><b>"),))) if s.gallery else s
        for s in page.sections
    )
    html = render(replace(page, sections=sections))
    assert "</script><b>" not in html
    assert Page(html).crossed == []


def test_long_settings_are_cut_aloud_and_a_command_is_one_line():
    findings = sample.made()
    run = {**findings.run, "config": {"x": "y" * 30_000}, "command": "prune-audit\n```\nrun"}
    page = compose(read(replace(findings, run=run)), draw=False)
    assert len(page.settings) < 21_000
    assert page.settings.endswith("findings.json has them under run.config.")
    assert page.reproduce == "prune-audit ``` run"
