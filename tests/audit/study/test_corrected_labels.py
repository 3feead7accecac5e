"""Corrected labels that a config names: counted, hashed, no reason to train; and bad files."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pandas as pd
import pytest

from audit.evidence.errors import AuditError, ConfigError
from audit.evidence.folder import read_folder
from audit.study.config_file import load_config
from audit.study.run import run

TINY = """
name: tiny
data: {source: digits, limit: {train: 60, test: 40}%s}
population:
  seeds: 1
  training: {epochs: 1, batch_size: 32}
  sparsities: [0.5]
shifts: {corruptions: []}
execute: {backend: in_process}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("labels")


def made(folder: Path, labels: str = ""):
    path = folder / "tiny.yaml"
    path.write_text(TINY % (f", labels: {labels}" if labels else ""))
    config = load_config(path).model_copy(update={"store": str(folder / "runs")})
    return run(config, base=folder)


def test_labels_are_counted_and_hashed_and_nothing_is_trained_again(folder):
    plain = made(folder)
    evidence = read_folder(plain.folder / "evidence")
    first, second = (str(each) for each in evidence.examples["example"].head(2))
    right, given = (evidence.classes[code] for code in evidence.labels[:2])
    other = next(name for name in evidence.classes if name != right)
    content = f"example,label\n{first},{other}\n{second},{given}\n"
    (folder / "labels.csv").write_text(content)
    models = sorted(path.name for path in (folder / "runs" / ".store").glob("*"))
    found = made(folder, "labels.csv")
    record = found.findings.run["labels"]
    assert record == {
        "file": "labels.csv",
        "sha256": sha256(content.encode()).hexdigest(),
        "labelled": 2,
        "changed": 1,
    }
    (note,) = [each for each in found.findings.run["notes"] if "labels.csv" in each]
    assert "2 examples are labelled there, and 1 of them get another label" in note
    table = pd.read_parquet(found.folder / "evidence" / "examples.parquet").set_index("example")
    assert table["corrected_label"].dropna().to_dict() == {first: other, second: given}
    stages = json.loads((found.folder / "run.json").read_text())["stages"]["made"]
    assert {name for name, n in stages.items() if n} <= {"gather", "audit"}, (stages, models)
    (folder / "labels.csv").write_text(content.replace(other, given, 1))
    assert made(folder, "labels.csv").findings.run["labels"]["sha256"] != record["sha256"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("example,label\nnobody,1\n", "labels example 'nobody', which is not in the evidence"),
        ("example,label\n{first},cat\n", "the label 'cat', which is no class"),
        ("example,label\n{first},1\n{first},2\n", "twice: keep one row of each"),
        (None, r"gone.csv cannot be read|There is no file .*gone.csv"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused_before_anything_is_trained(
    folder, tmp_path, monkeypatch, text, said
):
    name = "gone.csv"
    if text is not None:
        evidence = read_folder(made(folder).folder / "evidence")
        (folder / "wrong.csv").write_text(text.format(first=evidence.examples["example"].iloc[0]))
        name = "wrong.csv"
    monkeypatch.setattr("audit.study.stages.Stages.parents", lambda stages: pytest.fail("trained"))
    with pytest.raises(AuditError, match=said):
        made(folder, name)


@pytest.mark.parametrize(
    "section",
    [
        "model: {pretraining: {data: {source: digits, labels: l.csv}}}",
        "shifts: {natural: {b: {source: digits, labels: l.csv}}}",
        "shifts: {out_of_distribution: {b: {source: digits, labels: l.csv}}}",
    ],
)
def test_labels_of_data_that_nobody_audits_are_refused_and_not_ignored(tmp_path, section):
    (tmp_path / "a.yaml").write_text(f"data: {{source: digits}}\n{section}\n")
    with pytest.raises(ConfigError, match=r"line 2.*'l\.csv' would not be read here"):
        load_config(tmp_path / "a.yaml")
