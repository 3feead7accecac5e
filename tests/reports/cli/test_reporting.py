"""The report command: pages, tables and one finding; an unfinished run is told what it lacks."""

from __future__ import annotations

import shutil

import pytest
from typer.testing import CliRunner

from reports.cli.app import build
from tests.reports import sample


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return sample.run_folder(tmp_path_factory.mktemp("cli") / "run")


def asked(*arguments: object):
    return CliRunner().invoke(build(), ["report", *map(str, arguments)])


def test_it_writes_tables_without_pictures(folder, tmp_path):
    done = asked(folder, "--embed", "none", "--tables", tmp_path, "--table-format", "parquet")
    assert done.exit_code == 0, done.output
    assert "<img" not in (folder / "report.html").read_text(encoding="utf-8")
    assert (tmp_path / "findings-classes.parquet").is_file()
    assert f"report: {tmp_path / 'findings-classes.parquet'}" in done.output


def test_one_finding_is_told_in_full(folder):
    name = next(f.id for f in sample.made().findings if f.measure == "accuracy")
    done = asked(folder, "--finding", name)
    assert done.exit_code == 0
    assert done.output.startswith("Accuracy: everybody, magnitude, sparsity 0.3, ")
    assert "  definition: share of examples given their own label" in done.output


def test_an_unknown_finding_is_a_sentence(folder):
    done = asked(folder, "--finding", "nothing")
    assert done.exit_code == 2
    assert "No finding is named 'nothing'" in done.output


def test_an_unfinished_run_is_told_what_it_has(tmp_path):
    (tmp_path / "population").mkdir()
    (tmp_path / "population" / "dense-0.safetensors").touch()
    done = asked(tmp_path)
    assert done.exit_code == 2
    assert "unfinished (1 models and 0 parts of predictions are there)" in done.output
    assert "judges what is there" not in done.output  # there is nothing to judge


def test_findings_of_a_later_version_are_a_sentence(tmp_path):
    (tmp_path / "findings.json").write_text('{"schema": "prune-audit/findings/9"}')
    done = asked(tmp_path)
    assert done.exit_code == 2
    assert "was written by a later version" in done.output


def test_a_report_may_go_elsewhere_and_leave_the_run_alone(folder, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    out = tmp_path / "new" / "place"
    done = asked(folder, "--out", out, "--embed", "none")
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in out.iterdir()) == ["report.html", "report.md"]
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


@pytest.mark.parametrize("name", ["exemplars.parquet", "reliability.parquet"])
def test_a_table_that_is_broken_is_named(folder, tmp_path, name):
    shutil.copytree(folder, tmp_path / "run")
    (tmp_path / "run" / name).write_bytes(b"PAR1")
    done = asked(tmp_path / "run")
    assert done.exit_code == 2
    assert f"{name} cannot be read" in done.output


def test_every_command_says_what_an_unfinished_run_lacks(folder, tmp_path):
    bare = shutil.copytree(folder, tmp_path / "bare")
    (bare / "findings.json").unlink()
    for command in (["check"], ["dossier"], ["review", "--port", "0"]):
        done = CliRunner().invoke(build(), [*command, str(bare)])
        assert (done.exit_code, "the run is unfinished" in done.output) == (2, True), done.output


def test_a_run_without_its_table_of_exemplars_says_so(folder, tmp_path):
    bare = shutil.copytree(folder, tmp_path / "bare")
    told = "exemplars.parquet is not in the run folder"
    assert asked(bare).exit_code == 0
    assert told not in (bare / "report.md").read_text(encoding="utf-8")
    (bare / "exemplars.parquet").unlink()
    assert asked(bare).exit_code == 0
    for name in ("report.md", "report.html"):
        assert told in (bare / name).read_text(encoding="utf-8")
    done = CliRunner().invoke(build(), ["review", str(bare), "--port", "0"])
    assert (done.exit_code, "exemplars.parquet is not in" in done.output) == (2, True)


def test_a_review_that_cannot_begin_leaves_no_database(folder, tmp_path):
    broken = shutil.copytree(folder, tmp_path / "broken")
    (broken / "evidence" / "models.parquet").write_bytes(b"PAR1")
    done = CliRunner().invoke(build(), ["review", str(broken), "--port", "0"])
    assert (done.exit_code, "models.parquet cannot be read" in done.output) == (2, True)
    assert [path.name for path in broken.glob("review*")] == []


def test_a_folder_that_cannot_be_made_is_a_sentence(folder):
    for option in ("--out", "--tables"):
        done = asked(folder, option, "/dev/null/nowhere")
        assert (done.exit_code, "/dev/null/nowhere" in done.output) == (2, True), done.output
        assert "defect of ours" not in done.output
