"""The command that audits predictions which exist already; it needs no torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reports.cli.embedding import EmbedOption, note, noted
from reports.cli.studies import AsJson, Quiet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit.judgement.findings import Findings
    from audit.judgement.plan import Plan
    from audit.judgement.policy.limits import Policy
    from reports.pictures import Embed as Name

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
    plan: Annotated[
        Path | None,
        typer.Option("--plan", help="YAML file of how to judge (or a whole audit.yaml)."),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option("--labels", help="Corrected labels, as `prune-audit relabel` writes them."),
    ] = None,
    evidence: Annotated[
        bool,
        typer.Option(
            "--evidence/--no-evidence",
            help="Keep the predictions beside the findings, for compare, guard and label.",
        ),
    ] = True,
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")] = Path("runs/audit"),
    embed: EmbedOption = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Audit predictions that exist already, from any framework.

    Of a run folder it audits the evidence anew, as that run was judged where nothing else is said.

    Example: prune-audit audit predictions.parquet --groups sex,race --positive ">50K" --out runs/x
    """
    from audit.evidence.errors import InputError
    from audit.evidence.files import write_file
    from audit.evidence.flat import read_flat, read_pair
    from audit.evidence.folder import read_folder
    from audit.evidence.keep import keep_evidence
    from audit.judgement.from_tables import group_columns
    from audit.judgement.judging import judge
    from audit.study.publish import seal, standing
    from reports.cli.rendering import say_findings, typed, write_reports

    if bool(table) == bool(parent or pruned):
        raise InputError("Name one table of predictions, or --parent and --pruned files: not both.")
    if bool(parent) != bool(pruned):
        raise InputError("--parent and --pruned belong together: name at least one file of each.")
    mapping = column_names(columns)
    earlier = _earlier(table)
    how = _plan(plan, groups, positive, earlier)
    folder = _folder(table)
    if folder is not None:
        shown = read_folder(folder)
    elif table:
        shown = read_flat(list(table), mapping, _names(classes), group_columns(how))
    else:
        shown = read_pair(parent or [], pruned or [], mapping, _names(classes), group_columns(how))
    about: dict[str, object] = {"name": out.name}
    if labels is not None:
        from audit.judgement.reviewing.relabelled import label_note, label_record, with_labels

        if _same(folder, out / "evidence"):
            raise InputError(f"{out} holds the evidence itself: name another folder, --out.")
        # Written anew below: the examples that are kept are no longer those of the folder.
        shown, folder = with_labels(shown, labels), None
        record = label_record(shown.examples, shown.classes, labels)
        about |= {"labels": record, "notes": [label_note(record)]}
    if not evidence and (out / "evidence").is_dir() and not _same(folder, out / "evidence"):
        raise InputError(
            f"{out} keeps the evidence of another audit, which would stand beside these findings: "
            "name another folder with --out, or leave --no-evidence out."
        )
    base = plan.parent if plan is not None else Path()
    before = standing(out)
    findings = judge(shown, how, _policy(policy, earlier), about, base=base)
    findings.write(out)
    if evidence:
        keep_evidence(shown, folder, out / "evidence")
    pictures = embed.value if embed is not None else _embed(plan or policy, table)
    write_file(out / "run.json", json.dumps({"command": typed()}, indent=1).encode())
    written = write_reports(out, pictures)
    note(out, pictures)
    seal(out, before)
    if as_json:
        reports = [str(path) for path in written]
        typer.echo(json.dumps({"folder": str(out), "reports": reports, "policy": findings.policy}))
    elif not quiet:
        say_findings(findings)
        for path in written:
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


def _folder(sources: Sequence[Path] | None) -> Path | None:
    """The evidence folder that is named, or that is in the run folder that is; None for tables."""
    if not sources or len(sources) > 1 or not sources[0].is_dir():
        return None
    inner = sources[0] / "evidence"
    return inner if inner.is_dir() else sources[0]


def _earlier(sources: Sequence[Path] | None) -> Findings | None:
    """What was found of a run that is audited again: it says how, and against which limits."""
    from audit.judgement.findings import Findings

    if not sources or len(sources) > 1 or not (sources[0] / "findings.json").is_file():
        return None
    return Findings.read(sources[0])


def _same(folder: Path | None, other: Path) -> bool:
    return folder is not None and folder.resolve() == other.resolve()


def _embed(config: Path | None, sources: Sequence[Path] | None) -> Name:
    """As a whole audit.yaml says, or as the report of the run did whose evidence is audited."""
    from audit.study.config_file import load_report

    said = None if config is None else load_report(config)
    if said is not None:
        return said.embed
    return (noted(sources[0]) if sources and sources[0].is_dir() else None) or "thumbnails"


def _plan(
    path: Path | None, groups: str | None, positive: str | None, earlier: Findings | None
) -> Plan:
    """How to judge: as the file says, or the run before, but for what is on the command line."""
    from audit.judgement.plan import Plan
    from audit.judgement.restored import plan_of
    from audit.study.config_file import load_plan

    plan = Plan() if earlier is None else plan_of(earlier)
    plan = plan if path is None else load_plan(path)
    named = _names(groups)
    said = {
        **({} if named is None else {"groups": tuple(named)}),
        **({} if positive is None else {"positive": positive}),
    }
    return plan.model_copy(update=said)


def _policy(path: Path | None, earlier: Findings | None) -> Policy:
    from audit.judgement.policy.limits import Policy
    from audit.judgement.restored import policy_of
    from audit.study.config_file import load_policy

    if path is not None:
        return load_policy(path)
    return Policy() if earlier is None else policy_of(earlier)
