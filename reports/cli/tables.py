"""Commands that read what exists: audit, report. Neither of them needs torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reports.cli.studies import AsJson, Quiet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from audit.evidence.blocks import Evidence
    from audit.judgement.findings import Findings
    from audit.judgement.plan import Plan
    from audit.judgement.policy.limits import Policy

RunFolder = Annotated[
    Path, typer.Argument(metavar="RUN", help="A run folder, or its findings.json.")
]


def audit(
    table: Annotated[
        list[Path] | None,
        typer.Argument(metavar="TABLE", help="Predictions (Parquet, CSV, Arrow) or evidence."),
    ] = None,
    parent: Annotated[
        list[Path] | None, typer.Option("--parent", help="Predictions of a dense parent.")
    ] = None,
    pruned: Annotated[
        list[Path] | None, typer.Option("--pruned", help="Predictions of a pruned model.")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option("--columns", help="Your names: example=image_id,label=y,predicted=y_hat"),
    ] = None,
    groups: Annotated[
        str | None, typer.Option("--groups", help="Group columns, comma-separated.")
    ] = None,
    positive: Annotated[
        str | None, typer.Option("--positive", help="The positive class, for a binary question.")
    ] = None,
    classes: Annotated[
        str | None, typer.Option("--classes", help="Class names in code order, comma-separated.")
    ] = None,
    policy: Annotated[
        Path | None, typer.Option("--policy", help="YAML file of limits (or a whole audit.yaml).")
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")] = Path("runs/audit"),
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Audit predictions that exist already, from any framework.

    Example: prune-audit audit predictions.parquet --groups sex,race --positive ">50K" --out runs/x
    """
    from audit.evidence.errors import InputError
    from audit.evidence.files import write_file
    from reports.cli.rendering import say_findings, typed, write_reports

    if bool(table) == bool(parent or pruned):
        raise InputError("Name one table of predictions, or --parent and --pruned files: not both.")
    if bool(parent) != bool(pruned):
        raise InputError("--parent and --pruned belong together: name at least one file of each.")
    mapping = column_names(columns)
    if table:
        evidence = _read(table, mapping, _names(classes), _names(groups))
    else:
        evidence = _read_pair(parent or [], pruned or [], mapping, _names(classes), _names(groups))
    plan = _plan(groups, positive)
    findings = _judge(evidence, plan, _policy(policy), out.name)
    findings.write(out)
    write_file(out / "run.json", json.dumps({"command": typed()}, indent=1).encode())
    written = write_reports(out)
    if as_json:
        reports = [str(path) for path in written]
        typer.echo(json.dumps({"folder": str(out), "reports": reports, "policy": findings.policy}))
    elif not quiet:
        say_findings(findings)
        for path in written:
            typer.echo(f"report: {path}")


def report(run: RunFolder, quiet: Quiet = False) -> None:
    """Render report.html and report.md again from a run's findings.

    Example: prune-audit report runs/digits-demo
    """
    from audit.evidence.errors import InputError
    from reports.cli.rendering import write_reports

    folder = run.parent if run.name == "findings.json" else run
    if not (folder / "findings.json").is_file():
        raise InputError(f"There is no findings.json in {folder}: run or audit something first.")
    for path in write_reports(folder):
        if not quiet:
            typer.echo(f"report: {path}")


def _names(text: str | None) -> list[str] | None:
    return [part.strip() for part in text.split(",") if part.strip()] if text else None


def column_names(text: str | None) -> dict[str, str]:
    """Our column name -> theirs, from `ours=yours` pairs."""
    from audit.evidence.errors import InputError

    pairs = [part.partition("=") for part in (text or "").split(",") if part]
    for ours, equals, theirs in pairs:
        if not (ours and equals and theirs):
            raise InputError(
                f"--columns {text!r} is not a list of ours=yours pairs: write, for example, "
                "example=image_id,label=y_true,predicted=y_pred."
            )
    return {ours.strip(): theirs.strip() for ours, _, theirs in pairs}


def _read(
    sources: Sequence[Path],
    columns: Mapping[str, str],
    classes: Sequence[str] | None,
    groups: Sequence[str] | None,
) -> Evidence:
    from audit.evidence.flat import read_flat
    from audit.evidence.folder import read_folder

    if len(sources) == 1 and sources[0].is_dir():
        inner = sources[0] / "evidence"
        return read_folder(inner if inner.is_dir() else sources[0])
    return read_flat(list(sources), columns=columns, classes=classes, groups=groups)


def _read_pair(
    parents: Sequence[Path],
    pruned: Sequence[Path],
    columns: Mapping[str, str],
    classes: Sequence[str] | None,
    groups: Sequence[str] | None,
) -> Evidence:
    from audit.evidence.flat import read_pair

    return read_pair(parents, pruned, columns=columns, classes=classes, groups=groups)


def _plan(groups: str | None, positive: str | None) -> Plan:
    from audit.judgement.plan import Plan

    named = _names(groups)
    return Plan(groups=None if named is None else tuple(named), positive=positive)


def _policy(path: Path | None) -> Policy:
    from audit.judgement.policy.limits import Policy
    from audit.study.config_file import load_policy

    return Policy() if path is None else load_policy(path)


def _judge(evidence: Evidence, plan: Plan, policy: Policy, name: str) -> Findings:
    from audit.judgement.judging import judge

    return judge(evidence, plan, policy, {"name": name})
