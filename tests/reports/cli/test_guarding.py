"""The commands guard and label: from a run folder to files that a program uses."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from reports.cli.app import build

POLICY = "policy: {max_accuracy_drop: 0.03, max_group_accuracy_drop: 0.05}\n"


@dataclass(frozen=True)
class Output:
    status: int
    text: str
    errors: str


def cli(*words: object) -> Output:
    found = CliRunner().invoke(build(), [str(word) for word in words])
    return Output(found.exit_code, found.stdout, found.stderr)


def predictions(labelled: bool, n: int = 400) -> pd.DataFrame:
    """A parent and a pruned model that doubts what it loses, on test and validation examples."""
    draw = np.random.default_rng(0)
    frames = []
    for split in ("test", "validation"):
        label = draw.integers(0, 3, n)
        lost = draw.random(n) < 0.1
        about = pd.DataFrame(
            {
                "example": [f"{split}-{i}" for i in range(n)],
                "split": split,
                "label": label if labelled else None,
                "group_sex": np.where(draw.random(n) < 0.5, "F", "M"),
            }
        )
        for model, wrong in (("dense", np.zeros(n, dtype=bool)), ("small", lost)):
            role = {"role": "dense"} if model == "dense" else {"role": "pruned", "parent": "dense"}
            sure = np.where(wrong, 0.3, 0.8) + 0.1 * draw.random(n)
            frames.append(
                about.assign(
                    model=model,
                    predicted=np.where(wrong, (label + 1) % 3, label),
                    confidence=sure,
                    **role,
                    **({"method": "magnitude", "sparsity": 0.7} if model == "small" else {}),
                )
            )
    return pd.concat(frames)


@pytest.fixture(scope="module")
def audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of a labelled table, beside the table."""
    tmp_path = tmp_path_factory.mktemp("audited")
    predictions(True).to_parquet(tmp_path / "table.parquet")
    (tmp_path / "policy.yaml").write_text(POLICY)
    done = cli(
        "audit", tmp_path / "table.parquet", "--policy", tmp_path / "policy.yaml",
        "--out", tmp_path / "run", "--quiet", "--no-evidence",
    )  # fmt: skip
    assert done.status == 0, done.errors
    return tmp_path / "run"


def test_a_guard_is_written_and_runs(audited: Path) -> None:
    out = audited.parent / "guard"
    table = audited.parent / "table.parquet"
    done = cli("guard", audited, "--table", table, "--out", out)
    assert done.status == 0, done.errors
    assert "verdict on the whole is within (without it: over)" in done.text
    document = json.loads((out / "guard.json").read_text())
    assert document["method"] == "magnitude"
    assert document["provenance"]["run"] == "run"
    space: dict[str, object] = {}
    exec(compile((out / "guard.py").read_text(), "guard.py", "exec"), space)
    keep = space["keep"]
    assert callable(keep)
    assert keep([0.35, 0.85]).tolist() == [False, True]


def test_a_guard_by_other_means_and_as_json(audited: Path) -> None:
    done = cli(
        "guard", audited, "--table", audited.parent / "table.parquet", "--to", "person",
        "--most", "0.3", "--sparsity", "0.7", "--json", "--out", audited.parent / "g",
    )  # fmt: skip
    assert done.status == 0, done.errors
    assert json.loads(done.text)["after"] == "within"
    assert json.loads((audited.parent / "g" / "guard.json").read_text())["rule"]["else"] == "person"


def test_evidence_that_was_kept_needs_no_table(audited: Path) -> None:
    run = audited.parent / "kept"
    done = cli(
        "audit", audited.parent / "table.parquet", "--policy", audited.parent / "policy.yaml",
        "--out", run, "--quiet",
    )  # fmt: skip
    assert done.status == 0, done.errors
    without = cli("guard", run, "--json", "--out", run / "g")
    named = cli("guard", audited, "--table", audited.parent / "table.parquet", "--json",
                "--out", audited.parent / "h")  # fmt: skip
    assert json.loads(without.text)["after"] == json.loads(named.text)["after"] == "within"
    assert json.loads(without.text)["threshold"] == json.loads(named.text)["threshold"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("guard",), "There is no evidence in"),
        (("guard", "--most", "2"), "--most 2.0 cannot be"),
        (("label",), "There is no evidence in"),
        (("label", "--out", "x.txt"), "neither .csv nor .parquet"),
    ],
)
def test_bad_input_is_one_sentence(audited: Path, words: tuple[str, ...], says: str) -> None:
    name, *options = words
    done = cli(name, audited, *options)
    assert done.status == 2
    assert says in done.errors
    assert done.errors.count("\n") == 1


def test_a_method_that_is_not_there(audited: Path) -> None:
    done = cli("guard", audited, "--table", audited.parent / "table.parquet", "--method", "x")
    assert done.status == 2
    assert "magnitude at 0.7" in done.errors


def test_all_labelled_is_nothing_to_label(audited: Path) -> None:
    done = cli("label", audited, "--table", audited.parent / "table.parquet")
    assert done.status == 2
    assert "has a label already" in done.errors


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_shadow_traffic_from_the_audit_to_what_to_label(tmp_path: Path, suffix: str) -> None:
    table = tmp_path / "shadow.parquet"
    predictions(False).to_parquet(table)
    (tmp_path / "policy.yaml").write_text(POLICY)
    done = cli(
        "audit", table, "--classes", "a,b,c", "--policy", tmp_path / "policy.yaml",
        "--out", tmp_path / "run", "--quiet",
    )  # fmt: skip
    assert done.status == 0, done.errors
    page = (tmp_path / "run" / "report.md").read_text()
    assert "400 of 400 examples" in page
    assert "prune-audit label" in page
    out = tmp_path / f"to_label.{suffix}"
    done = cli("label", tmp_path / "run", "--table", table, "--n", "50", "--out", out)
    assert done.status == 0, done.errors
    assert "50 examples to label" in done.text
    drawn = pd.read_csv(out) if suffix == "csv" else pd.read_parquet(out)
    assert len(drawn) == 50
    assert drawn["example"].str.startswith("test-").all()
    again = cli(
        "label", tmp_path / "run", "--table", table, "--n", "50", "--out", tmp_path / "b.csv"
    )
    assert again.status == 0
    assert pd.read_csv(tmp_path / "b.csv")["example"].tolist() == drawn["example"].tolist()
