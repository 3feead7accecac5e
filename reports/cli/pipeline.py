"""The command that gates a pipeline: check, with JUnit XML and GitHub annotations."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from reports.cli.studies import AsJson
from reports.cli.tables import RunFolder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit.judgement.policy.gate import Gated

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


def check(
    run: RunFolder,
    method: Annotated[str | None, typer.Option("--method", help="Only this method.")] = None,
    sparsity: Annotated[
        float | None, typer.Option("--sparsity", help="Only this requested sparsity.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Only the candidate of this name.")
    ] = None,
    cannot_tell: Annotated[
        Literal["fail", "pass"],
        typer.Option("--cannot-tell", help="Whether not knowing fails the gate."),
    ] = "fail",
    junit: Annotated[
        Path | None, typer.Option("--junit", help="Write JUnit XML to this file, too.")
    ] = None,
    github: Annotated[
        bool, typer.Option("--github", help="Print GitHub annotations, and a job summary.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Gate a pipeline on the policy: exit 0 within, 1 over, 3 cannot tell, 2 usage or input.

    Waivers hold to their last day, by this machine's date.

    Example: prune-audit check runs/digits-demo --sparsity 0.7 --junit gate.xml
    """
    from audit.evidence.errors import InputError
    from audit.judgement.findings import Findings
    from audit.judgement.policy.gate import gated, status_of
    from reports.unfinished import unfinished

    if run.is_dir() and not (run / "findings.json").is_file():
        raise InputError(unfinished(run))
    today = date.today()
    chosen = gated(Findings.read(run), method, sparsity, model=model, today=today)
    status, outcome = status_of(chosen, cannot_tell)
    if junit is not None:
        from reports.junit import write_junit

        write_junit(chosen, cannot_tell, junit)
    if as_json:
        rows = [_record(each) for each in chosen]
        typer.echo(json.dumps({"outcome": outcome, "status": status, "verdicts": rows}, indent=1))
    else:
        for each in chosen:
            typer.echo(_line(each))
        typer.echo(f"{outcome.replace('_', ' ')} (exit status {status})")
    if github:
        _annotate(chosen, cannot_tell, err=as_json)
    raise typer.Exit(status)


def _annotate(chosen: Sequence[Gated], cannot_tell: Literal["fail", "pass"], *, err: bool) -> None:
    """Prints the annotations, and adds to the job's summary where there is one.

    Beside JSON they go to standard error, which GitHub reads as well.
    """
    from reports.annotations import github_annotations, step_summary

    for line in github_annotations(chosen, cannot_tell):
        typer.echo(line, err=err)
    if os.environ.get(STEP_SUMMARY):
        with Path(os.environ[STEP_SUMMARY]).open("a", encoding="utf-8") as summary:
            summary.write(step_summary(chosen, cannot_tell))


def _record(each: Gated) -> dict[str, Any]:
    """A verdict for a program: what the data say, and what it comes to today."""
    return {
        **each.verdict,
        "outcome_today": each.outcome,
        "accepted_today": sorted(each.waived),
        "expired": dict(sorted(each.expired.items())),
    }


def _line(each: Gated) -> str:
    from reports.junit import subject

    verdict = each.verdict
    counts = [
        f"{verdict[outcome]} {outcome.replace('_', ' ')}"
        for outcome in ("over", "cannot_tell", "not_asked", "within", "waived")
        if verdict.get(outcome)
    ]
    for last in sorted(set(each.expired.values())):
        counts.append(f"a waiver expired on {last}")
    return f"{subject(each)}: {each.outcome.replace('_', ' ')} ({', '.join(counts)})"
