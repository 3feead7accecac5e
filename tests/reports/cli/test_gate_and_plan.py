"""The commands of a pipeline as a person types them: check with its outputs, and plan."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import yaml
from typer.testing import CliRunner

from reports.cli.app import build
from reports.cli.exits import CANNOT_TELL, INPUT, OVER


def cli(*words: object):
    return CliRunner().invoke(build(), [str(word) for word in words])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pairs of models on 600 examples; pruning loses ten points."""
    draw = np.random.default_rng(0)
    label = draw.integers(0, 2, 600)
    rows = []
    for seed in range(3):
        wrong = draw.random(600) < 0.05
        for model, more in ((f"d{seed}", 0.0), (f"p{seed}", 0.1)):
            lost = wrong | (draw.random(600) < more)
            rows.append(
                pd.DataFrame(
                    {
                        "model": model,
                        "parent": None if model[0] == "d" else f"d{seed}",
                        "sparsity": None if model[0] == "d" else 0.9,
                        "method": None if model[0] == "d" else "magnitude",
                        "example": np.arange(600),
                        "label": label,
                        "predicted": np.where(lost, 1 - label, label),
                    }
                )
            )
    pd.concat(rows).to_csv(tmp_path / "table.csv", index=False)
    return tmp_path


def audited(folder: Path, policy: dict) -> Path:
    (folder / "policy.yaml").write_text(yaml.safe_dump(policy))
    out = cli(
        *("audit", folder / "table.csv", "--policy", folder / "policy.yaml"),
        *("--out", folder / "run", "--quiet"),
    )
    assert out.exit_code == 0, out.output
    return folder / "run"


def waiver(days: int) -> dict:
    return {
        "limit": "max_accuracy_drop",
        "reason": "known",
        "owner": "Ada",
        "expires": date.today() + timedelta(days=days),
    }


def test_a_waiver_written_in_yaml_holds_today_and_not_after(folder: Path) -> None:
    assert cli("check", audited(folder, {"max_accuracy_drop": 0.01})).exit_code == OVER
    kept = cli("check", audited(folder, {"max_accuracy_drop": 0.01, "waivers": [waiver(0)]}))
    assert (kept.exit_code, "1 waived" in kept.output) == (0, True)
    late = cli("check", audited(folder, {"max_accuracy_drop": 0.01, "waivers": [waiver(-1)]}))
    assert late.exit_code == OVER
    assert f"a waiver expired on {date.today() - timedelta(days=1)}" in late.output


def test_check_writes_junit_and_annotates(folder: Path, monkeypatch) -> None:
    run = audited(folder, {"max_accuracy_drop": 0.01, "max_pie_excess": 0.1})
    summary = folder / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    out = cli("check", run, "--junit", folder / "gate.xml", "--github")
    assert out.exit_code == OVER
    (suite,) = ElementTree.parse(folder / "gate.xml").getroot()
    assert (suite.get("name"), suite.get("failures")) == ("magnitude at 0.9", "1")
    assert "::error title=magnitude at 0.9%3A max_accuracy_drop 0.01::over" in out.stdout
    assert summary.read_text().startswith("before\n### prune-audit")


def test_json_stays_json_beside_annotations(folder: Path) -> None:
    run = audited(folder, {"max_accuracy_drop": 0.01})
    out = cli("check", run, "--json", "--github")
    told = json.loads(out.stdout)
    assert (told["outcome"], told["verdicts"][0]["outcome_today"]) == ("over", "over")
    assert "::error" in out.stderr


def test_an_unknown_candidate_is_an_input_error(folder: Path) -> None:
    run = audited(folder, {"max_accuracy_drop": 0.01})
    out = cli("check", run, "--model", "p9")
    assert out.exit_code == INPUT
    assert "No candidate is called 'p9'" in out.output


def test_the_candidate_is_said_and_gated_alone(folder: Path) -> None:
    from audit.evidence.flat import read_flat
    from audit.judgement.judging import judge
    from audit.judgement.plan import Plan
    from audit.judgement.policy.limits import Policy
    from reports import write_html
    from reports.cli.rendering import say_findings

    evidence = read_flat([folder / "table.csv"])
    policy = Policy.model_validate({"max_accuracy_drop": 0.05})
    found = judge(evidence, Plan(candidate="p1"), policy)
    found.write(folder / "one")
    assert cli("check", folder / "one", "--model", "p1").exit_code == OVER
    assert "(p1): over" in cli("check", folder / "one").output
    say_findings(found)
    judge(evidence, Plan(), policy).write(folder / "none")
    one, none = (
        set(re.findall(r"<tr.*?</tr>", write_html(folder / name).read_text(), re.DOTALL))
        for name in ("one", "none")
    )
    # The population's tables are not mixed with one file's, which has a section of its own.
    assert none <= one
    cells = [row for row in one - none if "<td" in row]
    assert cells
    assert all("candidate" in row or "p1" in row for row in cells), cells
    assert "The file that would ship, p1: over" in (folder / "one/report.html").read_text()


def test_not_knowing_may_pass(folder: Path) -> None:
    run = audited(folder, {"max_pie_excess": 0.1})  # no controls
    assert cli("check", run).exit_code == CANNOT_TELL
    assert cli("check", run, "--cannot-tell", "pass").exit_code == 0


CONFIG = {
    "data": {"source": "digits"},
    "population": {"seeds": 5},
    "policy": {"max_accuracy_drop": 0.02, "max_ece": 0.1, "min_accuracy": 0.9},
}


def test_plan_of_a_config(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("audit.yaml").write_text(yaml.safe_dump(CONFIG))
    out = cli("plan", "audit.yaml")
    assert out.exit_code == 0, out.output
    assert "505 examples" in out.output  # the arithmetic is checked by hand in test_planning
    assert "[2] 1,054" in out.output
    rows = json.loads(cli("plan", "audit.yaml", "--json", "--level", "0.95").stdout)
    assert {row["name"]: row["parents"] for row in rows}["max_accuracy_drop"] == 5
    assert {row["name"]: row["examples_needed"] for row in rows}["min_accuracy"] > 30
    less = json.loads(cli("plan", "audit.yaml", "--json", "--discordance", "0.01").stdout)
    needed = [
        next(row["examples_needed"] for row in each if row["name"] == "max_accuracy_drop")
        for each in (less, rows)
    ]
    assert needed[0] < needed[1]


def test_plan_of_a_finished_run(folder: Path) -> None:
    run = audited(folder, {"max_accuracy_drop": 0.01})
    (row,) = json.loads(cli("plan", run, "--json").stdout)
    assert (row["method"], row["sparsity"], row["examples"], row["parents"]) == (
        "magnitude", 0.9, 600, 3,
    )  # fmt: skip
    assert row["enough"] is False
    refused = cli("plan", run, "--discordance", "0.1")
    assert refused.exit_code == INPUT
    assert "leave out --discordance" in refused.output


def test_the_measures_of_a_config_are_listed(tmp_path: Path) -> None:
    (tmp_path / "mine_of_a_config.py").write_text(
        'def mine(view, plan):\n    """How mine it is."""\n    return []\n'
    )
    audit = {"measures": ["mine_of_a_config:mine"]}
    (tmp_path / "audit.yaml").write_text(
        yaml.safe_dump({"data": {"source": "digits"}, "audit": audit})
    )
    out = cli("list", "measures", "--config", tmp_path / "audit.yaml")
    assert "How mine it is (mine_of_a_config:mine)" in out.output
    assert "accuracy" in out.output
    refused = cli("list", "limits", "--config", tmp_path / "audit.yaml")
    assert refused.exit_code == INPUT


def test_plan_without_limits(tmp_path: Path) -> None:
    (tmp_path / "audit.yaml").write_text(yaml.safe_dump({"data": {"source": "digits"}}))
    out = cli("plan", tmp_path / "audit.yaml")
    assert out.exit_code == INPUT
    assert "states no limits" in out.output
