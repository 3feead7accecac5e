"""The demo's report, word for word: findings that a demo made, and the text that they make.

    python -m tests.reports.test_snapshot            # after a change of words that is meant
    python -m tests.reports.test_snapshot RUN        # after a change of findings, from a new demo

The findings are those of `make demo`, their numbers rounded to six digits; no demo runs here.
"""

from __future__ import annotations

import json
import lzma
import sys
from pathlib import Path
from typing import Any

import pytest

from audit.judgement.findings import Findings
from reports import write_html, write_markdown
from tests.reports.words import Words

SNAPSHOTS = Path(__file__).parent / "snapshots"
FINDINGS = SNAPSHOTS / "digits-demo.findings.json.xz"
MARKDOWN, VISIBLE = SNAPSHOTS / "digits-demo.md", SNAPSHOTS / "digits-demo.txt"
DIGITS = 6


def rounded(value: Any) -> Any:
    """The same JSON with numbers of six digits."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def texts(folder: Path) -> dict[Path, str]:
    """What the report of the snapshot's findings says: in Markdown, and to who opens the page."""
    folder.mkdir()
    (folder / "findings.json").write_bytes(lzma.decompress(FINDINGS.read_bytes()))
    page = write_html(folder).read_text(encoding="utf-8")
    return {
        MARKDOWN: write_markdown(folder).read_text(encoding="utf-8"),
        VISIBLE: "\n".join(Words.of(page)) + "\n",
    }


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, str]:
    return texts(tmp_path_factory.mktemp("snapshot") / "digits-demo")


@pytest.mark.parametrize("snapshot", [MARKDOWN, VISIBLE], ids=lambda path: path.suffix)
def test_the_report_of_the_demo_reads_as_it_did(said, snapshot):
    assert said[snapshot].splitlines() == snapshot.read_text(encoding="utf-8").splitlines()


def test_the_findings_of_the_demo_are_read_as_they_were(said, tmp_path):
    recorded = lzma.decompress(FINDINGS.read_bytes())
    (tmp_path / "findings.json").write_bytes(recorded)
    findings = Findings.read(tmp_path)
    assert len(findings.findings) > 4000
    findings.write(tmp_path / "again")
    again = json.loads((tmp_path / "again" / "findings.json").read_bytes())
    assert again == json.loads(recorded)
    (largest,) = findings.policy["largest_within"]
    assert (largest["method"], largest["sparsity"]) == ("magnitude", 0.7)


if __name__ == "__main__":
    import tempfile

    SNAPSHOTS.mkdir(exist_ok=True)
    if len(sys.argv) > 1:
        found = json.loads((Path(sys.argv[1]) / "findings.json").read_bytes())
        text = json.dumps(rounded(found), sort_keys=True, separators=(",", ":"))
        FINDINGS.write_bytes(lzma.compress(text.encode(), preset=9))
    with tempfile.TemporaryDirectory() as scratch:
        for path, text in texts(Path(scratch) / "digits-demo").items():
            path.write_text(text, encoding="utf-8")
            print(f"{path} written")
