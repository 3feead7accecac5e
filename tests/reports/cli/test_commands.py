"""Every command as a person types it: what it prints, what it writes, how it exits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from reports.cli.app import COMMANDS, build
from reports.cli.exits import CANNOT_TELL, CRASH, FAILED_JOBS, INPUT, OVER, guarded

if TYPE_CHECKING:
    from click.testing import Result as Output

    from audit.study.run import Result


def cli(*words: object) -> Output:
    """Runs a command in this process."""
    return CliRunner().invoke(build(), [str(word) for word in words])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def predictions(model: str, error: float, draws: int, **more: object) -> pd.DataFrame:
    draw = np.random.default_rng(draws)
    label = np.random.default_rng(0).integers(0, 2, 500)
    wrong = draw.random(500) < error
    return pd.DataFrame(
        {
            "model": model,
            "image_id": [f"im{i:03}" for i in range(500)],
            "y_true": np.array(["no", "yes"])[label],
            "y_pred": np.array(["no", "yes"])[np.where(wrong, 1 - label, label)],
            **more,
        }
    )


# --- help, version, lists ------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_shows_an_example(command: str) -> None:
    output = cli(command, "--help")
    assert output.exit_code == 0
    assert f"Example: prune-audit {command}" in output.output


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\nsys.argv = ['prune-audit', '--help']\n"
        "from reports.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'torch', 'pandas', 'numpy', 'scipy', 'matplotlib', 'pydantic'}\n"
        "heavy &= set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("what", ["methods", "corruptions", "measures", "limits", "sources"])
def test_list(what: str) -> None:
    plain, structured = cli("list", what), cli("list", what, "--json")
    rows = json.loads(structured.output)
    if what == "methods":  # a matrix, and axes with the source of every choice
        rows = [(row["name"], row["summary"]) for axis in rows["axes"].values() for row in axis]
    assert len(rows) >= 5
    assert all(name in plain.output and line for name, line in rows)


def test_schema_accepts_the_shipped_configs() -> None:
    from audit.study.demo import DEMO, STARTER

    schema = json.loads(cli("schema").output)
    for path in (DEMO, STARTER):
        Draft202012Validator(schema).validate(yaml.safe_load(path.read_text()))
    bad = {"data": {"source": "digits"}, "populaton": {}}
    assert not Draft202012Validator(schema).is_valid(bad)


def test_findings_follow_their_schema(small_run: Result) -> None:
    schema = json.loads(cli("schema", "findings").output)
    document = json.loads((small_run.folder / "findings.json").read_text())
    Draft202012Validator(schema).validate(document)
    document["findings"][0]["outcome"] = "fine"
    assert not Draft202012Validator(schema).is_valid(document)


# --- a study -------------------------------------------------------------------------------------


def test_run_status_and_run_again(here: Path, small_config: str) -> None:
    Path("small.yaml").write_text(small_config)
    before = json.loads(cli("status", "small.yaml", "--json").output)
    assert [row["done"] for row in before] == [0, 0, 0, 0]
    first = cli("run", "small.yaml", "--json")
    assert first.exit_code == 0, first.output
    told = json.loads(first.stdout)
    assert told["folder"] == "runs/small"
    assert told["missing"] == []
    after = json.loads(cli("status", "small.yaml", "--json").output)
    assert [row["done"] for row in after] == [row["total"] for row in after] == [1, 3, 9, 60]
    written = {path: path.stat().st_mtime_ns for path in Path("runs/small").rglob("*.html")}
    again = cli("run", "small.yaml", "--quiet")
    assert again.exit_code == 0
    assert again.stdout == ""
    assert {path: path.stat().st_mtime_ns for path in written} == written


def test_run_folder_holds_what_is_promised(small_run: Result) -> None:
    names = {path.name for path in small_run.folder.iterdir()}
    assert names == {
        *("report.html", "report.md", "findings.json", "exemplars.parquet", "reliability.parquet"),
        *("evidence", "population", "run.json", "manifest.json"),
    }
    assert {path.name for path in (small_run.folder / "evidence").iterdir()} == {
        *("examples.parquet", "models.parquet", "layers.parquet", "predictions", "study.json"),
        "records.json",
    }
    assert len(list((small_run.folder / "population").glob("*.safetensors"))) == 3 + 3 + 6
    manifest = json.loads((small_run.folder / "manifest.json").read_text())
    assert "report.html" in manifest["files"]


def test_population_files_hold_the_sparsity_asked_for(small_run: Result) -> None:
    models = pd.read_parquet(small_run.folder / "evidence" / "models.parquet").set_index("model")
    assert models.loc["magnitude-0.95-0", "sparsity_targeted"] == pytest.approx(0.95, abs=0.005)
    assert models.loc["control-0", "sparsity_all"] == 0.0
    assert models.loc["magnitude-0.95-0", "parent"] == "dense-0"


def test_init_writes_a_config_that_is_valid_and_never_overwrites(here: Path) -> None:
    assert cli("init").exit_code == 0
    assert cli("status", "audit.yaml").exit_code == 0
    Path("audit.yaml").write_text("mine")
    refused = cli("init")
    assert refused.exit_code == INPUT
    assert "--force" in refused.output
    assert Path("audit.yaml").read_text() == "mine"
    assert cli("init", "--force").exit_code == 0


def test_a_config_with_a_mistake_exits_2_with_one_sentence(here: Path) -> None:
    Path("a.yaml").write_text("data: {source: digits}\npolcy: {}\n")
    output = cli("run", "a.yaml")
    assert output.exit_code == INPUT
    assert "line 2" in output.output
    assert "did you mean 'policy'?" in output.output
    assert not Path("runs").exists()


def test_report_again_gives_the_same_bytes(small_run: Result, tmp_path: Path) -> None:
    before = (small_run.folder / "report.html").read_bytes()
    assert cli("report", small_run.folder, "--quiet").exit_code == 0
    assert (small_run.folder / "report.html").read_bytes() == before
    nothing = cli("report", tmp_path)
    assert nothing.exit_code == INPUT
    assert "no findings.json" in nothing.output


# --- check ---------------------------------------------------------------------------------------


def gate(folder: Path, **verdict: object) -> Path:
    """A findings.json with one verdict."""
    counts = {"within": 0, "over": 0, "cannot_tell": 0, "not_asked": 0} | {
        str(verdict["outcome"]): 1
    }
    document = {
        "schema": "prune-audit/findings/1",
        "run": {},
        "policy": {
            "limits": [{"name": "max_accuracy_drop", "limit": 0.02}],
            "verdicts": [{"method": "magnitude", "sparsity": 0.5, **counts, **verdict}],
            "largest_within": [],
        },
        "findings": [],
    }
    (folder / "findings.json").write_text(json.dumps(document))
    return folder


@pytest.mark.parametrize(
    ("outcome", "flags", "status"),
    [
        ("within", (), 0),
        ("over", (), OVER),
        ("cannot_tell", (), CANNOT_TELL),
        ("not_asked", (), CANNOT_TELL),
        ("cannot_tell", ("--cannot-tell", "pass"), 0),
        ("over", ("--cannot-tell", "pass"), OVER),
    ],
)
def test_check(tmp_path: Path, outcome: str, flags: tuple[str, ...], status: int) -> None:
    assert cli("check", gate(tmp_path, outcome=outcome), *flags).exit_code == status


def test_check_refuses_what_was_not_audited(tmp_path: Path, small_run: Result) -> None:
    folder = gate(tmp_path, outcome="within")
    assert cli("check", folder, "--sparsity", "0.9").exit_code == INPUT
    assert cli("check", folder, "--method", "obd").exit_code == INPUT
    assert cli("check", tmp_path / "nowhere").exit_code == INPUT
    document = json.loads((folder / "findings.json").read_text())
    document["policy"]["limits"] = []
    (folder / "findings.json").write_text(json.dumps(document))
    refused = cli("check", folder)
    assert refused.exit_code == INPUT
    assert "no limits" in refused.output


def test_check_of_a_real_run(small_run: Result) -> None:
    """Three parents of four epochs, 95 % of their weights gone: nobody would call that within."""
    assert cli("check", small_run.folder, "--sparsity", "0.95").exit_code in (OVER, CANNOT_TELL)
    told = json.loads(cli("check", small_run.folder, "--json").output)
    assert told["status"] in (OVER, CANNOT_TELL)


# --- tables --------------------------------------------------------------------------------------


def test_audit_of_two_plain_files(here: Path) -> None:
    predictions("d", 0.05, 1).drop(columns="model").to_csv("dense.csv", index=False)
    predictions("p", 0.25, 2).drop(columns="model").to_csv("pruned.csv", index=False)
    output = cli(
        *("audit", "--parent", "dense.csv", "--pruned", "pruned.csv", "--out", "out"),
        *("--columns", "example=image_id,label=y_true,predicted=y_pred"),
    )
    assert output.exit_code == 0, output.output
    findings = pd.DataFrame(json.loads(Path("out/findings.json").read_text())["findings"])
    accuracy = findings.query("measure == 'accuracy' and method == 'pruned'").iloc[0]
    # 5 % and 25 % wrong, independently, of 500: the change is −0.20 give or take 0.05
    assert accuracy["change"] == pytest.approx(-0.2, abs=0.06)
    assert accuracy["low"] < -0.2 < accuracy["high"]
    assert accuracy["generalises_to"] == "examples"
    assert Path("out/report.html").exists()


def test_audit_of_a_table_with_groups_and_a_policy(here: Path) -> None:
    frames = []
    for seed in range(3):
        north = np.where(np.arange(500) % 2, "north", "south")
        more = {"seed": seed, "group_den": north}
        frames.append(predictions(f"d{seed}", 0.02, seed, parent=None, sparsity=0.0, **more))
        frames.append(
            predictions(f"p{seed}", 0.3, 10 + seed, parent=f"d{seed}", sparsity=0.9, **more)
        )
    pd.concat(frames).to_parquet("t.parquet")
    Path("limits.yaml").write_text("max_accuracy_drop: 0.05\n")
    output = cli(
        *("audit", "t.parquet", "--groups", "den", "--positive", "yes", "--out", "out"),
        *("--columns", "example=image_id,label=y_true,predicted=y_pred"),
        *("--policy", "limits.yaml", "--json"),
    )
    assert output.exit_code == 0, output.output
    verdict = json.loads(output.stdout)["policy"]["verdicts"][0]
    assert verdict["outcome"] == "over"
    assert cli("check", "out").exit_code == OVER
    findings = pd.DataFrame(json.loads(Path("out/findings.json").read_text())["findings"])
    assert {"den=north", "den=south"} <= set(findings.query("measure == 'group_fpr'")["groups"])


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("nope.parquet",), "nope.parquet"),
        ((), "Name one table"),
        (("--parent", "t.csv"), "belong together"),
        (("t.csv", "--parent", "t.csv", "--pruned", "t.csv"), "Name one table"),
        (("t.csv", "--columns", "example"), "ours=yours"),
        (("t.csv", "--columns", "example=imageid"), "image_id"),
        (("t.csv", "--groups", "sexx"), "sexx"),
        (("t.csv", "--policy", "nope.yaml"), "nope.yaml"),
    ],
)
def test_audit_refuses_in_a_sentence(here: Path, words: tuple[str, ...], complaint: str) -> None:
    predictions("d", 0.1, 0, group_sex="F").rename(
        columns={"y_true": "label", "y_pred": "predicted"}
    ).assign(example=range(500)).to_csv("t.csv", index=False)
    output = cli("audit", *words, "--out", "out")
    assert output.exit_code == INPUT, output.output
    assert complaint in output.output.replace("\n", " ")
    assert not Path("out").exists()


def test_audit_of_a_run_that_exists_judges_its_evidence_anew(
    small_run: Result, tmp_path: Path
) -> None:
    output = cli("audit", small_run.folder, "--out", tmp_path / "again", "--quiet")
    assert output.exit_code == 0, output.output
    before = json.loads((small_run.folder / "findings.json").read_text())["findings"]
    after = json.loads((tmp_path / "again" / "findings.json").read_text())["findings"]
    values = {f["id"]: (f["parent"], f["pruned"]) for f in before if f["limit"] is None}
    assert values
    assert values.items() <= {f["id"]: (f["parent"], f["pruned"]) for f in after}.items()


# --- exits ---------------------------------------------------------------------------------------


def test_a_crash_of_ours_is_not_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's own exit status 1 would read as *over* in a pipeline."""
    import typer

    def broken() -> None:
        raise ZeroDivisionError("oh")

    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(guarded(broken))
    output = CliRunner().invoke(app, [])
    assert output.exit_code == CRASH
    assert "defect of ours" in output.output


def test_what_the_operating_system_refuses_is_no_crash_of_ours() -> None:
    import typer

    def refused() -> None:
        Path("/dev/null/below").mkdir()

    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(guarded(refused))
    output = CliRunner().invoke(app, [])
    assert (output.exit_code, output.output.count("\n")) == (INPUT, 1)
    assert "/dev/null/below cannot be written or read (not a directory)" in output.output


def test_usage_errors_exit_2() -> None:
    assert cli("run").exit_code == 2
    assert cli("nonsense").exit_code == 2
    assert cli("check", "x", "--cannot-tell", "maybe").exit_code == 2


def test_plain_lines_where_there_is_no_terminal(here: Path, small_config: str) -> None:
    Path("small.yaml").write_text(small_config)
    result = subprocess.run(
        [sys.executable, "-m", "reports.cli", "prune", "small.yaml"],
        capture_output=True,
        text=True,
        env=os.environ | {"NO_COLOR": "1"},
    )
    assert result.returncode == 0, result.stderr
    assert "parents: 3 to make" in result.stderr
    assert "\x1b" not in result.stdout + result.stderr
    assert "\r" not in result.stderr


OWN_MODEL = """
import torch
from pruners import build as make

def build(input_shape, classes):
    model = make("cnn", input_shape, classes)
    if torch.rand(()) < 0.5:  # drawn from the parent's seed: always the same parents are broken
        torch.nn.init.constant_(model.classifier.weight, float("nan"))
    return model
"""


def test_a_failed_parent_is_named_and_the_rest_goes_on(here: Path, small_config: str) -> None:
    Path("own.py").write_text(OWN_MODEL)
    config = yaml.safe_load(small_config)
    config["model"] = {"architecture": "own:build"}
    config["population"]["seeds"] = 6
    Path("small.yaml").write_text(yaml.safe_dump(config))
    output = cli("run", "small.yaml")
    assert output.exit_code == FAILED_JOBS, output.output
    findings = json.loads(Path("runs/small/findings.json").read_text())
    missing = findings["run"]["missing"]
    broken = {m.partition(":")[0] for m in missing if "finite" in m}
    assert 0 < len(broken) < 6
    name = min(broken)
    assert any(s.startswith("left out of the audit: control-") and name in s for s in missing)
    models = pd.read_parquet("runs/small/evidence/models.parquet")
    dense = models.query("role == 'dense'")["model"]
    assert set(dense) == {f"dense-{i}" for i in range(6)} - broken
    assert set(models["parent"].dropna()) == set(dense)
    assert name in Path("runs/small/report.html").read_text()
    assert name in output.output


def test_names_are_checked_before_anything_is_trained(here: Path, small_config: str) -> None:
    for section, change, complaint in (
        ("population", {"methods": [{"saliency": "magnitud"}]}, "magnitude"),
        ("shifts", {"corruptions": ["gausian_noise"]}, "gaussian_noise"),
        ("shifts", {"preset": "digit"}, "digits"),
    ):
        config = yaml.safe_load(small_config)
        config[section] |= change
        Path("small.yaml").write_text(yaml.safe_dump(config))
        output = cli("run", "small.yaml")
        assert output.exit_code == INPUT
        assert complaint in output.output
    assert not list(Path("runs").rglob("*.safetensors"))


def test_a_narrow_terminal_still_shows_the_verdict(
    small_run: Result, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from reports.cli.rendering import say_findings

    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("FORCE_COLOR", "1")  # as a terminal
    assert small_run.findings is not None
    say_findings(small_run.findings)
    assert "verdict" in capsys.readouterr().out
