"""`embed`: said on the command line, in the config, or kept from the report before."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from audit.evidence.errors import ConfigError
from audit.study.config_file import load_config, load_report
from reports.cli.app import build
from reports.cli.embedding import noted
from reports.verify.hashes import check_hashes, read_manifest

SECRET = "the text of an example"


def cli(*words: object):
    done = CliRunner().invoke(build(), [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done


def shows(folder: Path) -> bool:
    """Whether the report holds the text of an example."""
    return SECRET in (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Evidence with a text for each example."""
    folder = tmp_path_factory.mktemp("texts")
    rows = [
        {"model": model, "parent": parent, "sparsity": 0.8 if parent else 0.0, "example": i,
         "label": i % 2, "predicted": (i + bool(parent) * (i % 3 == 0)) % 2}
        for model, parent in (("d", ""), ("p", "d"))
        for i in range(60)
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(folder / "table.csv", index=False)
    cli("audit", folder / "table.csv", "--out", folder / "run", "-q")
    examples = folder / "run" / "evidence" / "examples.parquet"
    table = pq.read_table(examples)
    kept = table.schema.metadata
    told = table.append_column("text", pa.array([SECRET] * table.num_rows))
    pq.write_table(told.replace_schema_metadata(kept), examples)
    return folder / "run" / "evidence"


def test_an_audit_asks_the_command_line_first_and_the_config_then(texts, tmp_path):
    config, out = tmp_path / "audit.yaml", tmp_path / "out"
    config.write_text("audit: {}\npolicy: {}\nreport: {embed: none}\n")
    cli("audit", texts, "--out", out, "-q")
    assert shows(out)
    assert noted(out) is None  # the default needs no note
    for option in ("--policy", "--plan"):
        cli("audit", texts, option, config, "--out", out, "-q")
        assert not shows(out)
        assert noted(out) == "none"
    cli("audit", texts, "--policy", config, "--embed", "thumbnails", "--out", out, "-q")
    assert shows(out)


def test_a_report_made_again_shows_no_more_than_before(texts, tmp_path):
    out = tmp_path / "out"
    cli("audit", texts, "--embed", "none", "--out", out, "-q")
    before = json.loads((out / "run.json").read_text())
    cli("report", out, "-q")
    assert not shows(out)
    cli("audit", out, "--out", tmp_path / "again", "-q")  # the evidence of that run
    assert not shows(tmp_path / "again")
    assert json.loads((out / "run.json").read_text()) == before
    cli("report", out, "--embed", "thumbnails", "-q")
    assert shows(out)
    assert json.loads((out / "run.json").read_text())["command"] == before["command"]


def test_a_run_takes_its_config_and_judges_nothing_again(small_run, small_config, tmp_path):
    store = tmp_path / "runs"
    shutil.copytree(small_run.folder.parent, store, symlinks=True)
    folder = store / small_run.folder.name
    page = folder / "report.html"
    before = (folder / "findings.json").stat().st_ino
    changed = folder / "evidence" / "records.json"
    changed.write_bytes(changed.read_bytes().replace(b"\n", b" "))
    for said, options, held in (
        ("full", ("--embed", "none"), "none"),
        ("full", (), "full"),
        ("thumbnails", (), "thumbnails"),
    ):
        (tmp_path / "small.yaml").write_text(
            small_config + f"\nstore: {store}\nreport: {{embed: {said}}}\n"
        )
        cli("run", tmp_path / "small.yaml", "-q", *options)
        html = page.read_text(encoding="utf-8")
        assert ("embeds no picture" in html) == (held == "none")
        assert ("at full resolution" in html) == (held == "full")
        assert (noted(folder) or "thumbnails") == held
        # The manifest gets the hashes of the report, and not those of what somebody changed.
        found = check_hashes(folder, read_manifest(folder))
        assert found.problems == (
            "evidence/records.json was changed after the manifest was written.",
        )
    assert (folder / "findings.json").stat().st_ino == before


def test_an_unknown_choice_is_refused_with_its_line(tmp_path):
    config = tmp_path / "audit.yaml"
    config.write_text("data: {source: digits}\nreport: {embed: some}\n")
    for load in (load_config, load_report):
        with pytest.raises(ConfigError, match="line 2"):
            load(config)
    config.write_text("data: {source: digits}\n")
    assert load_report(config) is None
