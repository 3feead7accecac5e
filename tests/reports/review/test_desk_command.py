"""`prune-audit review`: what it prints and writes, and what it refuses, each in a sentence."""

from __future__ import annotations

import json
import os
import shutil
import socket

import pytest
from typer.testing import CliRunner

from reports.cli.app import build
from reports.review import authenticate, open_records, reviewers_of, study_of
from reports.review.security import allowed
from reports.review.starting import read_questions
from tests.reports import sample
from tests.reports.review.desk import made, started


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return sample.run_folder(tmp_path_factory.mktemp("runs") / "digits")


@pytest.fixture
def run(finished, tmp_path):
    """A run whose review has begun."""
    folder = tmp_path / "digits"
    shutil.copytree(finished, folder)
    started(folder / "review.db", made(4), findings="").close()
    return folder


def called(*arguments):
    result = CliRunner().invoke(build(), ["review", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def unserved(monkeypatch):
    """Stops before the first request."""
    monkeypatch.setattr("reports.review.serving.serve", lambda app, listening: None)


def test_links_are_shown_once(run, unserved):
    status, out, _ = called(run, "--port", 0, "--reviewer", "Ada")
    assert status == 0
    tokens = [line.partition("token=")[2] for line in out.splitlines() if "token=" in line]
    records = open_records(run / "review.db")
    assert [authenticate(records, token).name for token in tokens] == ["lead", "Ada"]
    assert [each.role for each in reviewers_of(records)] == ["reviewer", "lead"]
    status, out, _ = called(run, "--port", 0, "--reviewer", "Ada")
    assert "token=" not in out
    assert "links that were given before" in out
    status, out, _ = called(run, "--port", 0, "--reviewer", "Ada", "--new-token")
    assert out.count("token=") == 1
    assert authenticate(records, tokens[1]) is None
    records.close()


def test_stopping_writes_what_the_report_reads(run, unserved):
    _, out, _ = called(run, "--port", 0)
    assert f"review: {run / 'review'}" in out
    assert sorted(each.name for each in (run / "review").iterdir()) == [
        "answers.parquet",
        "queue.parquet",
        "record.parquet",
    ]


def test_answers_are_written_and_the_review_closed(run, tmp_path):
    status, _, _ = called(run, "--close", "--export-answers", tmp_path / "answers.json")
    assert status == 0
    assert json.loads((tmp_path / "answers.json").read_text())["rows"] == []
    records = open_records(run / "review.db")
    assert study_of(records).closed
    records.close()


def test_an_offline_page_is_written_for_one_person(run, tmp_path):
    page = tmp_path / "page.html"
    status, _, error = called(run, "--export", page)
    assert status == 2
    assert "--reviewer" in error
    assert called(run, "--export", page, "--reviewer", "Ada")[0] == 0
    assert "secret-stratum" not in page.read_text()


def test_an_import_that_is_none_is_refused(run, tmp_path):
    (tmp_path / "answers.json").write_text("{")
    status, _, error = called(run, "--import", tmp_path / "answers.json")
    assert status == 2
    assert error.startswith("prune-audit: ")


def refused(*arguments):
    status, _, error = called(*arguments)
    assert status == 2
    assert error.startswith("prune-audit: ")
    assert error.count("\n") == 1
    return error


def test_bad_input_is_a_sentence(run, tmp_path, unserved):
    assert "no folder" in refused(tmp_path / "nothing")
    (tmp_path / "unfinished").mkdir()
    lacking = refused(tmp_path / "unfinished")
    assert "There is no findings.json in" in lacking
    assert "run or audit something first" in lacking
    assert not (tmp_path / "unfinished" / "review.db").exists()
    assert "--reviewer" in refused(run, "--new-token")
    assert "no folder" in refused(run, "--pictures", tmp_path / "nothing")
    assert "https://host" in refused(run, "--address", "review.example/desk")
    assert "ends on" in refused(run, "--export-answers", tmp_path / "answers.doc")


def test_a_run_without_exemplars_has_nothing_to_review(tmp_path, finished):
    import pandas as pd

    folder = tmp_path / "digits"
    shutil.copytree(finished, folder)
    table = folder / "exemplars.parquet"
    pd.read_parquet(table).head(0).to_parquet(table)
    assert "no exemplar" in refused(folder)
    assert not (folder / "review.db").exists()


def test_a_port_in_use_is_a_sentence(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "is in use" in refused(run, "--port", taken.getsockname()[1])


def test_a_database_that_is_down_is_a_sentence(run):
    error = refused(run, "--db", "postgresql://ann:secret@127.0.0.1:1/none")
    assert "cannot be reached" in error
    assert "secret" not in error


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_a_sentence(run):
    (run / "review.db").unlink()
    run.chmod(0o500)
    assert "cannot be written" in refused(run)
    run.chmod(0o700)


def test_other_findings_than_those_of_the_queue_are_said(finished, tmp_path, unserved):
    folder = tmp_path / "digits"
    shutil.copytree(finished, folder)
    started(folder / "review.db", made(4)).close()
    assert "other findings" in called(folder, "--port", 0)[2]


def test_options_of_a_new_review_are_said_to_be_too_late(run, unserved):
    _, _, error = called(run, "--port", 0, "--hide-label", "--order", "score")
    assert "--order, --hide-label would hold for a new one" in error


def test_a_missing_library_names_its_install_line(run, monkeypatch):
    def gone(*_, **__):
        raise ModuleNotFoundError("No module named 'starlette'", name="starlette")

    monkeypatch.setattr("reports.cli.review_work._serve", gone)
    assert "pip install 'prune-audit[review]'" in refused(run)


def test_questions_come_from_a_file(tmp_path):
    file = tmp_path / "questions.yaml"
    file.write_text("- {key: ok, text: Right, kind: choice, choices: ['yes it is', 'no']}\n")
    assert [each.key for each in read_questions(file)] == ["ok"]
    for text in ("a: b", "- [", "- {key: x}"):
        file.write_text(text)
        with pytest.raises(Exception, match=r"question|YAML"):
            read_questions(file)


def test_the_desk_answers_to_the_loopback_and_the_named_proxy():
    where = allowed(8420, "https://Review.Example")
    assert where.hosts == {"127.0.0.1:8420", "localhost:8420", "[::1]:8420", "review.example"}
    assert "https://review.example" in where.origins
