"""From a finished run to what its user sees: report files, a table, the verdict."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.cli.progress import Bars, Plain, Quiet

if TYPE_CHECKING:
    from audit.judgement.findings import Findings
    from audit.study.run import Result
    from reports.pictures import Embed

REPORTS = ("report.html", "report.md")
WIDTH = 100  # columns that the table of a finished run fits in


def render(result: Result, watch: Plain | Bars | Quiet, embed: Embed = "thumbnails") -> list[Path]:
    """Writes the report of a run, unless the one that is there shows the same findings.

    One that held other pictures than it is to hold now is written again.
    """
    from reports.cli.embedding import note, noted
    from reports.cli.lock import note_lock

    if result.findings is not None:
        note_lock(result.folder, result.findings)
    paths = [result.folder / name for name in REPORTS]
    other = embed != (noted(result.folder) or "thumbnails")
    if other or result.published.fresh or not all(path.exists() for path in paths):
        from reports.verify.hashes import relist

        watch.stage("report", 0, 1)
        paths = write_reports(result.folder, embed)
        note(result.folder, embed)
        relist(result.folder, paths)
        watch.advance()
    return paths


def write_reports(folder: Path, embed: Embed = "thumbnails") -> list[Path]:
    """Renders report.html and report.md from what is in a run folder."""
    from reports import write_html, write_markdown

    html = write_html(folder, folder / REPORTS[0], embed)
    return [html, write_markdown(folder, folder / REPORTS[1])]


def typed() -> str:
    """The command as it was typed."""
    return shlex.join(["prune-audit", *sys.argv[1:]])


def say_findings(findings: Findings) -> None:
    """Prints the table by sparsity and the verdict."""
    from rich.console import Console

    from reports import largest_within_line, terminal_table

    console = Console(highlight=False)
    # Below a hundred columns rich would cut the last one, which is the verdict; a pipe has no width
    # of its own and would get eighty. A terminal folds long lines, and nothing is lost.
    if not console.is_terminal or console.width < WIDTH:
        console = Console(highlight=False, width=WIDTH)
    console.print(terminal_table(findings))
    console.print(largest_within_line(findings))
    for row in findings.policy.get("verdicts", ()):
        if row.get("model"):
            outcome = str(row["outcome"]).replace("_", " ")
            console.print(f"The candidate {row['model']}: {outcome}.", markup=False)


def summary(result: Result, written: list[Path]) -> dict[str, Any]:
    """What a program wants to know of a finished run."""
    findings = result.findings
    return {
        "folder": str(result.folder),
        "reports": [str(path) for path in written],
        "missing": list(result.missing),
        "policy": None if findings is None else findings.policy,
        "findings": None if findings is None else len(findings.findings),
    }
