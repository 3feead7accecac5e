"""Commands that make things: demo, init, run, prune, predict, status."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from reports.cli.embedding import EmbedOption
from reports.cli.exits import FAILED_JOBS
from reports.cli.progress import watcher
from reports.cli.rendering import typed

if TYPE_CHECKING:
    from audit.study.config import Config
    from audit.study.run import Result
    from reports.cli.embedding import Embed

Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say only what went wrong.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")]
ConfigFile = Annotated[Path, typer.Argument(metavar="CONFIG", help="The audit.yaml to read.")]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Processes; one per core by default.")
]
Until = Literal["population", "predictions", "findings"]


def demo(
    out: Annotated[Path, typer.Option("--out", help="Folder of all outputs.")] = Path("runs"),
    workers: Workers = None,
    embed: EmbedOption = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Audit a population of pruned models of handwritten digits, from nothing to a report.

    Example: prune-audit demo
    """
    from audit.study.config_file import load_config
    from audit.study.demo import DEMO

    config = load_config(DEMO).model_copy(update={"store": str(out)})
    _study(config, DEMO.parent, workers, quiet, as_json, "findings", embed)


def run(
    config: ConfigFile,
    workers: Workers = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Say what would be made, how long and how large; stop."),
    ] = False,
    embed: EmbedOption = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Make what a config asks for and is not there yet, audit it, and write the report.

    Example: prune-audit run audit.yaml
    """
    from audit.study.config_file import load_config

    if dry_run:
        from reports.cli.dry_run import say_dry_run

        say_dry_run(load_config(config), config.parent, as_json)
        return
    _study(load_config(config), config.parent, workers, quiet, as_json, "findings", embed)


def prune(
    config: ConfigFile, workers: Workers = None, quiet: Quiet = False, as_json: AsJson = False
) -> None:
    """Train and prune the population only.

    Example: prune-audit prune audit.yaml
    """
    from audit.study.config_file import load_config

    _study(load_config(config), config.parent, workers, quiet, as_json, "population")


def predict(
    config: ConfigFile, workers: Workers = None, quiet: Quiet = False, as_json: AsJson = False
) -> None:
    """Make the population and its predictions, and gather the evidence folder; no audit.

    Example: prune-audit predict audit.yaml
    """
    from audit.study.config_file import load_config

    _study(load_config(config), config.parent, workers, quiet, as_json, "predictions")


def status(config: ConfigFile, as_json: AsJson = False) -> None:
    """Say what of a config is done and what is left.

    Example: prune-audit status audit.yaml
    """
    from audit.study.config_file import load_config
    from audit.study.status import stages

    rows = stages(load_config(config), config.parent)
    if as_json:
        typer.echo(json.dumps([row.record() for row in rows], indent=1))
        return
    for row in rows:
        mark = "done" if row.done == row.total else f"{row.total - row.done} left"
        left = f", about {row.seconds_left:.0f} s" if row.seconds_left else ""
        typer.echo(f"{row.stage:<12} {row.done:>6}/{row.total:<6} {mark}{left}")


def init(
    path: Annotated[Path, typer.Argument(help="File to write.")] = Path("audit.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Write a commented starter config that runs as it is.

    Example: prune-audit init audit.yaml
    """
    from audit.evidence.errors import InputError
    from audit.evidence.files import write_file
    from audit.study.demo import STARTER

    if path.exists() and not force:
        raise InputError(f"{path} exists: give another name, or --force to replace it.")
    write_file(path, STARTER.read_bytes())
    typer.echo(f"{path} written. Next: prune-audit run {path}")


def _study(
    config: Config,
    base: Path,
    workers: int | None,
    quiet: bool,
    as_json: bool,
    until: Until,
    embed: Embed | None = None,
) -> None:
    from audit.study.run import run as run_study
    from reports.cli.rendering import render

    if workers is not None:
        execute = config.execute.model_copy(update={"workers": workers})
        config = config.model_copy(update={"execute": execute})
    with watcher(quiet) as watch:
        result = run_study(config, base=base, watch=watch, until=until, command=typed())
        shown = config.report.embed if embed is None else embed.value
        written = render(result, watch, shown) if result.findings is not None else []
    _tell(result, written, quiet, as_json)
    if result.missing:
        raise typer.Exit(FAILED_JOBS)


def _tell(result: Result, written: list[Path], quiet: bool, as_json: bool) -> None:
    from reports.cli.lock import lock_lines
    from reports.cli.rendering import say_findings, summary

    if as_json:
        typer.echo(json.dumps(summary(result, written), indent=1, ensure_ascii=False))
        return
    if quiet:
        return
    if result.findings is not None:
        say_findings(result.findings)
        for line in lock_lines(result.folder, result.findings):
            typer.echo(line)
    for path in written or [result.folder]:
        typer.echo(f"{path.stem if path.is_file() else 'written'}: {path}")
