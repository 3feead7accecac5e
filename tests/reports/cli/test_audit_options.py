"""`audit`: how to judge may come from a file, and what was judged stays beside the findings."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from audit.evidence.folder import read_folder
from reports.cli.app import build


def cli(*arguments):
    return CliRunner().invoke(build(), [str(argument) for argument in arguments])


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    n = 120
    label, sex = rng.integers(0, 2, n), rng.choice(["F", "M"], n)
    rows = []
    for model, parent, lost in (("d", "", 0.1), ("p", "d", 0.25)):
        predicted = np.where(rng.random(n) < lost, 1 - label, label)
        rows.append(
            pd.DataFrame(
                {"model": model, "parent": parent, "sparsity": 0.8 if parent else 0.0,
                 "example": range(n), "label": label, "predicted": predicted, "sex": sex}
            )
        )  # fmt: skip
    path = tmp_path / "table.csv"
    pd.concat(rows).to_csv(path, index=False)
    return path


def findings(folder):
    return json.loads((folder / "findings.json").read_text())


def test_a_plan_file_says_how_to_judge_and_the_command_line_has_the_last_word(table, tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text('audit: {groups: [sex], positive: "1", minimum_n: 20}\n')
    out = tmp_path / "out"
    assert cli("audit", table, "--plan", plan, "--positive", "0", "--out", out, "-q").exit_code == 0
    told = findings(out)["run"]["plan"]
    assert (told["groups"], told["positive"], told["minimum_n"]) == (["sex"], "0", 20)
    assert {f["groups"] for f in findings(out)["findings"]} >= {"sex=F", "sex=M"}


def test_an_unknown_key_of_a_plan_is_refused_with_its_line(table, tmp_path):
    plan = tmp_path / "plan.yaml"
    plan.write_text("groups: [sex]\nalhpa: 0.1\n")
    out = cli("audit", table, "--plan", plan, "--out", tmp_path / "out")
    assert out.exit_code == 2
    assert "line 2" in out.output
    assert "alpha" in out.output
    assert not (tmp_path / "out").exists()


def test_the_evidence_stays_beside_the_findings_and_can_be_judged_again(table, tmp_path):
    first, again, bare = tmp_path / "first", tmp_path / "again", tmp_path / "bare"
    assert cli("audit", table, "--groups", "sex", "--out", first, "-q").exit_code == 0
    assert len(read_folder(first / "evidence").examples) == 120
    assert cli("audit", first, "--out", again, "-q").exit_code == 0
    assert findings(again)["findings"] == findings(first)["findings"]
    assert cli("audit", table, "--no-evidence", "--out", bare, "-q").exit_code == 0
    assert not (bare / "evidence").exists()
    mixed = cli("audit", table, "--no-evidence", "--out", first, "-q")
    assert (mixed.exit_code, "evidence of another audit" in mixed.output) == (2, True)
    assert cli("audit", first, "--no-evidence", "--out", first, "-q").exit_code == 0


def test_evidence_of_an_earlier_audit_does_not_stay_among_what_takes_its_place(table, tmp_path):
    first, out = tmp_path / "first", tmp_path / "out"
    for folder in (first, out):
        assert cli("audit", table, "--out", folder, "-q").exit_code == 0
    (part,) = (out / "evidence" / "predictions").glob("*/p*.parquet")
    shutil.copy(part, part.with_name("gone.parquet"))
    assert cli("audit", first, "--out", out, "-q").exit_code == 0
    assert not part.with_name("gone.parquet").exists()
    assert cli("verify", out, "--depth", "counts").exit_code == 0


def test_auditing_a_run_into_itself_keeps_its_evidence(table, tmp_path):
    out = tmp_path / "out"
    assert cli("audit", table, "--groups", "sex", "--out", out, "-q").exit_code == 0
    assert cli("audit", out, "--out", out, "-q").exit_code == 0
    assert len(read_folder(out / "evidence").examples) == 120


def test_a_run_is_audited_again_as_it_was_judged_unless_something_else_is_said(table, tmp_path):
    asked = tmp_path / "audit.yaml"
    asked.write_text("audit: {groups: [sex], minimum_n: 20}\npolicy: {max_accuracy_drop: 0.05}\n")
    run, again, other = (tmp_path / name for name in ("run", "again", "other"))
    how = ("--plan", asked, "--policy", asked)
    assert cli("audit", table, *how, "--out", run, "-q").exit_code == 0
    assert cli("audit", run, "--out", again, "-q").exit_code == 0
    assert findings(again)["run"]["plan"] == findings(run)["run"]["plan"]
    assert findings(again)["policy"] == findings(run)["policy"]
    asked.write_text("policy: {max_accuracy_drop: 0.5}\n")
    assert cli("audit", run, "--policy", asked, "--out", other, "-q").exit_code == 0
    assert [one["limit"] for one in findings(other)["policy"]["limits"]] == [0.5]
    assert findings(other)["run"]["plan"] == findings(run)["run"]["plan"]
