"""The command that turns what reviewers said into a file of corrected labels."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reports.cli.studies import AsJson, Quiet
from reports.cli.tables import RunFolder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit.judgement.reviewing.consensus import Consensus


def relabel(
    run: RunFolder,
    out: Annotated[Path, typer.Option("--out", help="File to write, .csv or .parquet.")],
    min_reviewers: Annotated[
        int, typer.Option("--min-reviewers", min=1, help="Votes that a decision takes.")
    ] = 2,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write over a file that is there.")
    ] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Write the labels that reviewers agree on, for `audit RUN --labels` or a config's data.labels.

    Example: prune-audit relabel runs/digits-demo --out labels.csv
    """
    from audit.evidence.errors import InputError
    from audit.evidence.files import write_file
    from audit.judgement.reviewing.answers import read_review
    from audit.judgement.reviewing.consensus import consensus
    from reports.document import read

    if out.suffix not in (".csv", ".parquet"):
        raise InputError(f"{out} is neither .csv nor .parquet: name a file of one of these.")
    if out.exists() and not replace:
        raise InputError(f"{out} is there already: name another file, or add --replace.")
    document = read(run)
    folder = document.folder or run
    review = read_review(folder)
    if review is None:
        raise InputError(
            f"There is no review in {folder}: `prune-audit review {folder}` begins one, and "
            "`--export-answers` writes its answers."
        )
    found = consensus(review, document.classes, min_reviewers)
    write_file(out, _content(found, out.suffix))
    if as_json:
        decided = Counter(each.decided_by for each in found)
        changed = sum(each.changed for each in found)
        typer.echo(json.dumps({"file": str(out), "changed": changed, "decided_by": decided}))
    elif not quiet:
        typer.echo(_sentence(found, min_reviewers))
        typer.echo(f"labels: {out}")


def _sentence(found: Sequence[Consensus], min_reviewers: int) -> str:
    changed = sum(each.changed for each in found)
    few = sum(each.decided_by == "too few reviewers" for each in found)
    open_ = sum(each.decided_by in ("undecided", "unnamed") for each in found)
    return (
        f"Of {len(found):,} examples that were reviewed, {changed:,} get another label; "
        f"{open_:,} are undecided and {few:,} have fewer than {min_reviewers} votes: they keep "
        "theirs."
    )


def _content(found: Sequence[Consensus], suffix: str) -> bytes:
    from io import BytesIO

    from audit.judgement.reviewing.consensus import as_table

    table = as_table(found)
    if suffix == ".csv":
        return table.to_csv(index=False).encode()
    content = BytesIO()
    table.to_parquet(content, index=False)
    return content.getvalue()
