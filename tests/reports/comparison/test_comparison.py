"""What a reader of a comparison meets: the page, the short page, the terminal, the command."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from typer.testing import CliRunner

from audit.judgement.comparing import Comparison, compare_runs, comparison_schema
from reports.cli.app import build
from reports.cli.exits import INPUT
from reports.comparison.compose import compose
from reports.comparison.html import render
from reports.comparison.markdown import render as render_markdown
from reports.comparison.terminal import order_lines
from reports.comparison.write import write_comparison
from tests.audit.judgement.comparing.made import drawn, write_run

EVIL = "<script>alert(1)</script>"
N = 300
LABELS = np.random.default_rng(0).integers(0, 2, N)
SEX = np.where(np.arange(N) % 3 == 0, "F", EVIL)
DENSE, HARMED = drawn(1, 4, LABELS, 0.9, np.where(SEX == "F", 0.25, 0.03))
MENDED = np.where((HARMED != DENSE) & (SEX == "F"), DENSE, HARMED)


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two runs that may be ranked, one of other data, one of which only findings are left."""
    folder = tmp_path_factory.mktemp("compared")
    common = {"labels": LABELS, "columns": {"group_sex": SEX}, "classes": ("no", EVIL)}
    common |= {"policy": {"max_group_accuracy_drop": 0.08}}
    out = {
        "plain": write_run(
            folder / "plain", DENSE, {("m", 0.9): HARMED}, run={"name": "plain"}, **common
        ),
        "mended": write_run(
            folder / "mended",
            DENSE,
            {("m", 0.9): MENDED},
            run={"name": f"mended {EVIL}"},
            **common,
        ),
    }
    config = {"config": {"data": {"source": "torchvision", "name": "MNIST"}}, "name": "mnist"}
    ids = [f"m{i}" for i in range(N)]
    out["mnist"] = write_run(
        folder / "mnist", DENSE, {("m", 0.9): HARMED}, ids=ids, run=config, **common
    )
    out["findings"] = write_run(
        folder / "findings",
        DENSE,
        {("m", 0.9): MENDED},
        run={"name": "findings only"},
        evidence=False,
        **common,
    )
    return out


@pytest.fixture(scope="session")
def two(runs: dict[str, Path]) -> Comparison:
    return compare_runs([runs["plain"], runs["mended"]])


@pytest.fixture(scope="session")
def many(runs: dict[str, Path]) -> Comparison:
    return compare_runs(list(runs.values()))


def cli(*words: object) -> object:
    return CliRunner().invoke(build(), [str(word) for word in words])


def text_of(html: str) -> str:
    body = re.sub(r"<(style|script).*?</\1>", "", html, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())


def test_the_page_says_who_comes_first_why_and_how_sure(two):
    page = compose(two)
    assert "comes before plain, by its verdict" in page.answers[0].text
    assert any("interval" in sentence for sentence in page.answers[0].why)
    first = next(" ".join(s.text.split()) for s in page.sentences if "sex=F" in s.text)
    assert "points higher in" in first
    assert "corrected p" in first
    assert "n = 100" in first
    assert "holds for new examples and new trainings" in first


def test_every_sentence_leads_to_a_row_that_is_there(many):
    html = render(compose(many))
    links = re.findall(r'href="#([^"]+)"', html)
    assert links
    for link in links:
        assert f'id="{link}"' in html


def test_names_are_text_and_never_markup(many):
    html = render(compose(many))
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script>" not in render_markdown(compose(many))


def test_nothing_is_loaded_from_anywhere(two):
    html = render(compose(two))
    assert "default-src &#39;none&#39;" in html
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", html)


def test_it_shows_sides_checks_recipes_and_practices(many):
    text = text_of(render(compose(many)))
    for said in (
        "May they be ranked?",
        "Side by side",
        "MNIST",
        "test examples",
        "What was done otherwise",
        "data.name",
        "Blalock et al.",
        "✓",
        "✗",
        "findings alone",
    ):
        assert said in text


def test_runs_that_may_not_be_ranked_say_what_differs(many):
    answers = [answer.text for answer in compose(many).answers]
    assert (
        "plain and mnist are not ranked: they differ in test examples and data settings" in answers
    )
    assert any(answer.endswith("findings only are not ranked") for answer in answers)


def test_sides_that_were_trained_otherwise_say_so(runs, tmp_path):
    config = {"data": {"source": "digits"}, "population": {"fine_tuning": {"epochs": 9}}}
    more = {"columns": {"group_sex": SEX}, "classes": ("no", EVIL), "run": {"config": config}}
    policy = {"max_group_accuracy_drop": 0.08}
    other = write_run(
        tmp_path / "longer", DENSE, {("m", 0.9): MENDED}, labels=LABELS, policy=policy, **more
    )
    page = compose(compare_runs([runs["plain"], other]))
    assert any(why.startswith("These were trained otherwise") for why in page.answers[0].why)


def test_identical_runs_say_that_nothing_moved_and_what_would_have_been_seen(runs):
    comparison = compare_runs([runs["plain"], runs["plain"]])
    page = compose(comparison)
    assert page.answers[0].text.startswith("These data cannot tell")
    assert len(page.sentences) == 1
    assert "no difference was found" in page.sentences[0].text
    assert re.search(r"would have been found: accuracy [\d.]+ points", page.sentences[0].text)
    assert "None" not in text_of(render(page))
    assert "nan" not in text_of(render(page)).lower().split()


def test_the_same_comparison_gives_the_same_bytes(runs, two):
    again = compare_runs([runs["plain"], runs["mended"]])
    assert render(compose(two)) == render(compose(again))
    assert render_markdown(compose(two)) == render_markdown(compose(again))


def test_every_table_has_as_many_cells_as_columns(many):
    for section in compose(many).sections:
        for table in section.tables:
            assert {len(row.cells) for row in table.rows} <= {len(table.columns)}


def test_the_short_page_holds_the_answer_and_the_grid(two):
    short = render_markdown(compose(two))
    assert "comes before plain" in short
    assert "| plain |" in short
    for line in short.splitlines():
        if line.startswith("|"):
            assert line.endswith("|")


def test_lines_in_the_terminal_name_every_verdict(two):
    lines = order_lines(two).splitlines()
    assert lines[0] == "plain: over."
    assert any("comes before plain" in line for line in lines)


def test_files_are_written_beside_each_other(two, tmp_path):
    written = write_comparison(two, tmp_path / "out")
    assert [path.name for path in written] == [
        "comparison.json",
        "comparison.html",
        "comparison.md",
    ]
    document = json.loads(written[0].read_text())
    jsonschema.validate(document, comparison_schema())


# --- the command ---------------------------------------------------------------------------------


def test_the_command_writes_and_tells(runs, tmp_path):
    output = cli("compare", runs["plain"], runs["mended"], "--out", tmp_path / "out")
    assert output.exit_code == 0, output.output
    assert "better" in output.output
    assert (tmp_path / "out" / "comparison.html").is_file()


def test_quiet_says_nothing_and_json_is_one_object(runs, tmp_path):
    words = ("compare", runs["plain"], runs["mended"], "--out", tmp_path / "out")
    assert cli(*words, "--quiet").stdout == ""
    document = json.loads(cli(*words, "--json").stdout)
    assert document["schema"] == "prune-audit/comparison/1"
    assert document == json.loads((tmp_path / "out" / "comparison.json").read_text())


@pytest.mark.parametrize(
    "form", [["m@0.5", "m@0.9"], ["m@0.5,m@0.9"], ["m@0.5", "--arms", "m@0.9"]]
)
def test_arms_as_people_type_them(tmp_path, form):
    run = write_run(
        tmp_path / "run", DENSE, {("m", 0.5): MENDED, ("m", 0.9): HARMED}, labels=LABELS
    )
    output = cli("compare", run, "--arms", *form, "--out", tmp_path / "out", "--json")
    assert output.exit_code == 0, output.output
    sides = json.loads(output.stdout)["sides"]
    assert [side["name"] for side in sides] == ["m@0.5", "m@0.9"]


def test_bad_input_is_one_sentence_and_status_2(runs, tmp_path):
    for words, said in (
        ([runs["plain"]], "one run to compare"),
        ([runs["plain"], tmp_path], "no findings.json"),
        ([runs["plain"], "--arms", "m@0.9,m@0.1"], "no arm 'm@0.1'"),
    ):
        output = cli("compare", *words, "--out", tmp_path / "out")
        assert output.exit_code == INPUT
        assert said in " ".join(output.stderr.split())
        assert len(output.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists()


# --- in a browser --------------------------------------------------------------------------------

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
@pytest.mark.parametrize("width", [1280, 390])
def test_it_opens_quietly_and_fits(many: Comparison, tmp_path: Path, width: int) -> None:
    api: Callable[..., object] = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed"
    ).sync_playwright
    file = write_comparison(many, tmp_path)[1]
    heard: list[str] = []
    with api() as play:  # type: ignore[attr-defined]
        browser = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": width, "height": 900})
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.goto(file.as_uri())
        assert heard == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.locator(".matter a").first.click()
        assert page.locator("tr:target").count() == 1
        browser.close()
