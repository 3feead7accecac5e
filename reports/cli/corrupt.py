"""The command that writes a corrupted copy of a data set, or shows what it would look like."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from reports.cli.corrupt_rows import corrupt_rows, refuse_others
from reports.cli.progress import watcher
from reports.cli.studies import Quiet

if TYPE_CHECKING:
    from audit.study.writing import Written
    from audit.study.writing.source import Wanted
    from audit.study.writing.what import Changes


def corrupt(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A folder of class folders, what `datasets` reads (Parquet, …), `digits`, or an "
            "audit.yaml, whose data section is taken. With the set `tabular` or `text`, a CSV or "
            "Parquet file.",
        ),
    ],
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the copy.")] = None,
    which: Annotated[
        str | None, typer.Option("--set", help="A set of corruptions; `imagenet-c` by default.")
    ] = None,
    corruption: Annotated[
        list[str] | None,
        typer.Option("--corruption", help="A corruption instead of a set; may be repeated."),
    ] = None,
    severity: Annotated[
        list[float] | None,
        typer.Option("--severity", help="All that the preset has by default; may be repeated."),
    ] = None,
    layout: Annotated[
        Literal["imagenet-c", "cifar-c", "parquet"],
        typer.Option(
            "--layout",
            help="Files <corruption>/<severity>/<class>/<file>, arrays <corruption>.npy, or "
            "Parquet that `datasets` reads.",
        ),
    ] = "imagenet-c",
    preset: Annotated[
        str, typer.Option("--preset", help="Severity constants; `auto` picks by image size.")
    ] = "auto",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the draws.")] = 0,
    requantise: Annotated[
        bool,
        typer.Option(
            "--requantise/--no-requantise",
            help="Store JPEG files of quality 85 (4:2:0), as ImageNet-C and Tiny-ImageNet-C were "
            "published; otherwise PNG, which keeps every pixel. Arrays go through JPEG and back.",
        ),
    ] = False,
    split: Annotated[
        str | None,
        typer.Option(
            "--split", help="By default `test`, or the only one, or the one that a config tests."
        ),
    ] = None,
    frost: Annotated[
        Path | None,
        typer.Option("--frost", help="A folder of frost photographs; a procedural bank without."),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option("--threads", min=1, help="Batches at a time; one per core by default."),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option("--limit", min=1, help="At most so many images, sampled within classes."),
    ] = None,
    unreadable: Annotated[
        Literal["fail", "skip"] | None,
        typer.Option("--unreadable", help="What an unreadable image does; `fail` by default."),
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", help="Column of the labels, if it is not `label`.")
    ] = None,
    column: Annotated[
        str | None, typer.Option("--column", help="Column of the texts, if it is not `text`.")
    ] = None,
    identity: Annotated[
        str | None,
        typer.Option("--id", help="Column of ids in a table; rows are numbered without."),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            "--reference",
            help="Training rows, by whose spreads, ranges and marginals tables are corrupted.",
        ),
    ] = None,
    image_size: Annotated[
        int | None,
        typer.Option("--image-size", min=2, help="Scale and centre-crop to so many pixels first."),
    ] = None,
    preview: Annotated[
        Path | None,
        typer.Option(
            "--preview",
            help="Draw a corruption × severity sheet in this file, or with `-` print the first "
            "rows of a table or texts; needs no --out.",
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Write a corrupted copy of a data set: every corruption of a set at every severity.

    A copy that was stopped goes on where it was, when asked for again.

    Example: prune-audit corrupt data/test --set imagenet-c --layout imagenet-c --out data/test-c
    """
    from audit.evidence.errors import InputError
    from audit.study.writing.rows import RowsWanted, row_kind
    from audit.study.writing.source import Wanted
    from audit.study.writing.what import SEVERITIES, Changes, severities_of

    if out is None and preview is None:
        raise InputError("Nothing is asked for: give --out for a copy, or --preview for a picture.")
    if which is not None and corruption:
        raise InputError("--set and --corruption both say what is made: give one of them.")
    if row_kind(which, tuple(corruption or ())) is not None:
        refuse_others(
            "corruptions of tables and texts",
            layout=layout != "imagenet-c",
            preset=preset != "auto",
            requantise=requantise,
            split=split,
            frost=frost,
            threads=threads,
            limit=limit,
            unreadable=unreadable,
            image_size=image_size,
        )
        names, severities = tuple(corruption or ()), tuple(sorted(set(severity or SEVERITIES)))
        rows = RowsWanted(
            *(source, which or "", names, severities, seed),
            *(column, label, identity, reference, Path.cwd()),
        )
        corrupt_rows(rows, out, preview, quiet)
        return
    refuse_others("corruptions of images", column=column, id=identity, reference=reference)
    wanted = Wanted(source, split, label, image_size, limit, unreadable)
    changes = Changes(
        which or "imagenet-c",
        tuple(corruption or ()),
        tuple(sorted(set(severity or severities_of(preset)))),
        preset,
        seed,
        frost,
    )
    if preview is not None:
        _draw(preview, wanted, changes, quiet)
    if out is not None:
        _write(out, wanted, changes, layout, requantise, threads or _cores(), quiet)


def _draw(file: Path, wanted: Wanted, changes: Changes, quiet: bool) -> None:
    from audit.study.writing import write_preview

    used = write_preview(file, wanted, changes, Path.cwd())
    if not quiet:
        typer.echo(f"preview: {file} (constants: preset {used})")


def _write(
    out: Path,
    wanted: Wanted,
    changes: Changes,
    layout: str,
    requantise: bool,
    threads: int,
    quiet: bool,
) -> None:
    from audit.study.writing import Request, write_copies

    request = Request(wanted, changes, out, layout, requantise, threads, Path.cwd())
    with watcher(quiet) as watch:
        written = write_copies(request, watch)
    if not quiet:
        _tell(written, changes, layout, requantise)


def _tell(written: Written, changes: Changes, layout: str, requantise: bool) -> None:
    how = "picked by size" if changes.preset == "auto" else "as asked"
    typer.echo(f"constants: preset {written.preset}, {how}")
    for name, why in written.not_made.items():
        typer.echo(f"left out of {changes.which}: {name}, because {why}")
    for note in written.notes:
        typer.echo(f"note: {note}")
    kept = "as arrays" if layout == "cifar-c" else "as PNG files, every pixel kept"
    through = "through JPEG files of quality 85" if requantise else kept
    typer.echo(f"stored: {layout}, {through}")
    typer.echo(_speed(written))
    typer.echo(f"written: {written.folder}")


def _speed(written: Written) -> str:
    there = f", {written.there:,} were there already" if written.there else ""
    units = "1 unit" if written.made == 1 else f"{written.made:,} units"
    told = f"made: {units} (corruption × severity) of {written.images:,} images{there}"
    if not written.made:
        return told
    pace = written.made * written.images / max(written.seconds, 1e-9)
    return f"{told}; {written.seconds:.1f} s, {pace:,.0f} images/s"


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
