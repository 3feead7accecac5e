"""The command that lays finished audits beside each other: compare. It never needs torch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reports.cli.studies import AsJson, Quiet

if TYPE_CHECKING:
    from audit.judgement.comparing.comparison import Comparison


def compare(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Run folders, or one with --arms.")
    ],
    arms: Annotated[
        list[str] | None,
        typer.Option("--arms", help="Arms to compare: --arms magnitude@0.8 magnitude@0.9"),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")] = Path("runs/comparison"),
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Say what moved between audits, with intervals, and rank those that may be ranked.

    Example: prune-audit compare runs/before runs/after --out runs/comparison
    """
    from audit.judgement.comparing.comparison import compare_runs
    from reports.comparison.write import write_comparison

    folders, more = _apart(runs, bool(arms))
    comparison = compare_runs(folders, [*_split(arms or []), *more])
    written = write_comparison(comparison, out)
    if as_json:
        typer.echo(comparison.to_json(), nl=False)
    elif not quiet:
        _say(comparison)
        for path in written:
            typer.echo(f"comparison: {path}")


def _apart(words: list[str], some_arms: bool) -> tuple[list[str], list[str]]:
    """Folders, and the arms among the words: an option takes one word, and people type several."""
    arms = [w for w in words if some_arms and "@" in w and not Path(w).exists()]
    return [word for word in words if word not in arms], arms


def _split(arms: list[str]) -> list[str]:
    return [part.strip() for text in arms for part in text.split(",") if part.strip()]


def _say(comparison: Comparison) -> None:
    from rich.console import Console

    from reports.cli.rendering import WIDTH
    from reports.comparison.terminal import moves_table, order_lines, sides_table

    console = Console(highlight=False)
    if not console.is_terminal or console.width < WIDTH:
        console = Console(highlight=False, width=WIDTH)
    console.print(sides_table(comparison))
    moved = moves_table(comparison)
    if moved is not None:
        console.print(moved)
    console.print(order_lines(comparison), markup=False)
