"""Commands for what comes after the audit: guard, label. Neither needs torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from reports.cli.studies import AsJson, Quiet
from reports.cli.tables import RunFolder

if TYPE_CHECKING:
    from audit.evidence.blocks import Evidence
    from audit.judgement.findings import Findings
    from audit.judgement.guarding import Guarded, GuardResult
    from audit.judgement.plan import Guard, Plan

Predictions = Annotated[
    list[Path] | None,
    typer.Option(
        "--table", help="The predictions that were audited, where the run folder holds none."
    ),
]
Columns = Annotated[
    str | None,
    typer.Option("--columns", help="Your names: example=image_id,label=y,predicted=y_hat"),
]


def guard(
    run: RunFolder,
    method: Annotated[str | None, typer.Option("--method", help="The pruning method.")] = None,
    sparsity: Annotated[
        float | None, typer.Option("--sparsity", help="The requested sparsity.")
    ] = None,
    signal: Annotated[
        Literal["confidence", "margin"] | None,
        typer.Option("--signal", help="What is held to the threshold."),
    ] = None,
    most: Annotated[
        float | None, typer.Option("--most", help="Largest share of inputs to hand back.")
    ] = None,
    to: Annotated[
        Literal["parent", "person"] | None, typer.Option("--to", help="Who answers instead.")
    ] = None,
    table: Predictions = None,
    columns: Columns = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write; RUN/guard by default.")
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Write the smallest rule that hands inputs back so that every limit holds: JSON and Python.

    Example: prune-audit guard runs/digits-demo --method magnitude --sparsity 0.7
    """
    from audit.judgement.findings import Findings
    from audit.judgement.guarding import export_guard

    findings = Findings.read(run)
    options = {"signal": signal, "most": most, "to": to}
    stated = {name: value for name, value in options.items() if value is not None}
    result = _guards(run, findings, stated, table, columns)
    chosen = result.of(method, sparsity)
    folder = out or _folder(run) / "guard"
    written = export_guard(chosen, result.guard, folder, _provenance(run, findings))
    if as_json:
        typer.echo(json.dumps({"files": [str(path) for path in written]} | _said(chosen)))
    elif not quiet:
        typer.echo(_sentence(chosen, result.guard))
        for path in written:
            typer.echo(f"guard: {path}")


def label(
    run: RunFolder,
    n: Annotated[int, typer.Option("--n", min=1, help="How many examples to label.")] = 300,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the draw.")] = 0,
    table: Predictions = None,
    columns: Columns = None,
    out: Annotated[Path, typer.Option("--out", help="File to write, .csv or .parquet.")] = Path(
        "to_label.csv"
    ),
    quiet: Quiet = False,
) -> None:
    """Draw the examples whose labels would best settle what the audit cannot tell, with weights.

    Example: prune-audit label runs/shadow --n 300 --out to_label.csv
    """
    from audit.evidence.errors import InputError
    from audit.evidence.files import write_file
    from audit.judgement.findings import Findings
    from audit.judgement.labelling import ESTIMATOR, to_label

    if out.suffix not in (".csv", ".parquet"):
        raise InputError(f"{out} is neither .csv nor .parquet: name a file of one of these.")
    findings = Findings.read(run)
    plan = _plan(findings)
    drawn = to_label(_evidence(run, plan, table, columns), findings, plan, n, seed)
    if not len(drawn):
        typer.echo("Every limit that labels could settle is told: there is nothing to label.")
        return
    content = drawn.to_csv(index=False).encode() if out.suffix == ".csv" else _parquet(drawn)
    write_file(out, content)
    if not quiet:
        typer.echo(f"{len(drawn):,} examples to label: {out}")
        typer.echo(ESTIMATOR)


def _guards(
    run: Path,
    findings: Findings,
    stated: dict[str, Any],
    table: list[Path] | None,
    columns: str | None,
) -> GuardResult:
    """Those of the run; asked anew where other ones are wanted, or the run has none."""
    from audit.judgement.guarding import guard as look
    from audit.judgement.guarding.result import read_guard
    from audit.judgement.restored import policy_of

    plan = _plan(findings)
    asked = _asked(plan, stated)
    known = read_guard(findings)
    if known is not None and known.guard == asked:
        return known
    plan = plan.model_copy(update={"guard": asked})
    return look(_evidence(run, plan, table, columns), plan, policy_of(findings))


def _asked(plan: Plan, stated: dict[str, Any]) -> Guard:
    from pydantic import ValidationError

    from audit.evidence.errors import InputError
    from audit.judgement.plan import Guard

    before = {} if plan.guard is None else plan.guard.model_dump()
    try:
        return Guard.model_validate(before | stated)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            f"--{first['loc'][0]} {first['input']!r} cannot be: {first['msg'].lower()}."
        ) from error


def _plan(findings: Findings) -> Plan:
    from audit.judgement.restored import plan_of

    return plan_of(findings)


def _evidence(run: Path, plan: Plan, table: list[Path] | None, columns: str | None) -> Evidence:
    """The evidence in the run folder, or the tables that were audited."""
    from audit.evidence.errors import InputError
    from audit.evidence.flat import read_flat
    from audit.evidence.folder import read_folder
    from audit.judgement.from_tables import group_columns
    from reports.cli.tables import column_names

    if table and not (len(table) == 1 and table[0].is_dir()):
        return read_flat(table, columns=column_names(columns), groups=group_columns(plan))
    folder = table[0] if table else _folder(run) / "evidence"
    if not folder.is_dir():
        raise InputError(
            f"There is no evidence in {_folder(run)}: name the predictions that were audited, "
            "--table predictions.parquet."
        )
    return read_folder(folder)


def _folder(run: Path) -> Path:
    return run if run.is_dir() else run.parent


def _provenance(run: Path, findings: Findings) -> dict[str, Any]:
    from reports.document import read

    document = read(_folder(run))
    return {
        "run": str(findings.run.get("name") or _folder(run).name),
        "findings": document.address or None,
        "tool": f"prune-audit {findings.run.get('version')}",
    }


def _said(chosen: Guarded) -> dict[str, Any]:
    names = ("method", "sparsity", "threshold", "share", "recovered", "before", "after")
    return {name: getattr(chosen, name) for name in names}


def _sentence(chosen: Guarded, asked: Guard) -> str:
    after = (chosen.after or "not asked").replace("_", " ")
    before = (chosen.before or "not asked").replace("_", " ")
    if not chosen.threshold:
        return f"Nothing is handed back: on validation examples limits hold without it ({after})."
    share = "an unknown share" if chosen.share is None else f"{100 * chosen.share:.1f} %"
    return (
        f"Hand back where {asked.signal} is below {chosen.threshold:g}: {share} of test inputs; "
        f"the verdict on the whole is {after} (without it: {before})."
    )


def _parquet(table: Any) -> bytes:
    import io

    content = io.BytesIO()
    table.to_parquet(content, index=False)
    return content.getvalue()
