"""The command that makes the compliance file: dossier. It never needs torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from reports.cli.studies import AsJson, Quiet
from reports.cli.tables import RunFolder


def dossier(
    run: RunFolder,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder to write; by default dossier/ in the run folder."),
    ] = None,
    aggregate_only: Annotated[
        bool,
        typer.Option(
            "--aggregate-only", help="No image, no row of one example, no count of a few people."
        ),
    ] = False,
    minimum_cell: Annotated[
        int,
        typer.Option("--minimum-cell", help="The smallest count that --aggregate-only shows."),
    ] = 10,
    key: Annotated[
        Path | None,
        typer.Option(
            "--key",
            help="File of the key that hides names; by default dossier.key in the run folder.",
        ),
    ] = None,
    sign_key: Annotated[
        Path | None,
        typer.Option("--sign-key", help="Sign the manifest with this Ed25519 key (PEM)."),
    ] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Print the page as a PDF, too.")] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Make a folder of evidence to hand to an auditor; what a person wrote in it is kept.

    Example: prune-audit dossier runs/digits-demo --aggregate-only
    """
    from reports.cli.verify import passphrase_of
    from reports.dossier import Sharing, write_dossier

    secret = None if sign_key is None else passphrase_of(sign_key)
    made = write_dossier(
        run,
        out,
        sharing=Sharing(aggregate_only, minimum_cell),
        key=key,
        sign_key=sign_key,
        passphrase=secret,
        pdf=pdf,
    )
    if as_json:
        about = {"folder": str(made.folder), "files": made.files, "waiting": made.waiting}
        typer.echo(json.dumps(about, indent=1))
        return
    if quiet:
        return
    typer.echo(f"dossier: {made.folder}")
    for name in made.waiting:
        typer.echo(f"to be filled in by a person: {made.folder / name}")
