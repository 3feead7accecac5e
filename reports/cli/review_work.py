"""What the command review does: opens or begins a review, adds people, serves, imports, exports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import typer

from audit.evidence.errors import AuditError, InputError, MissingExtra

if TYPE_CHECKING:
    from reports.review.records import Records
    from reports.review.starting import Wish
    from reports.review.values import Study

LEAD_NAME = "lead"
_NEEDED = ("sqlalchemy", "starlette", "uvicorn")


@dataclass(frozen=True)
class Asked:
    """What was asked for on the command line."""

    run: Path
    database: str | None
    port: int
    reviewers: tuple[str, ...]
    new_token: bool
    wish: Wish
    pictures: tuple[Path, ...]
    address: str | None
    answers: Path | None
    bundle: Path | None
    imports: tuple[Path, ...]
    close: bool

    @property
    def serves(self) -> bool:
        """Whether a page is wanted, rather than a file or an end."""
        return not (self.answers or self.bundle or self.imports or self.close)


def work(asked: Asked) -> None:
    """Do it.

    Raises:
        InputError: Something that was asked for cannot be; the text says what.
        MissingExtra: The libraries of the review desk are not installed.
        StoreError: The database or the folder cannot be written.
    """
    from reports.review.starting import DATABASE, begun

    _check(asked)
    own = asked.run / DATABASE
    new = asked.database is None and not own.exists()
    try:
        records = _opened(asked)
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    empty = False
    try:
        _with(records, asked)
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    except AuditError:
        empty = new and begun(records) is None  # the queue could not be drawn
        raise
    finally:
        records.close()
        if empty:
            own.unlink(missing_ok=True)


def _check(asked: Asked) -> None:
    if not asked.run.is_dir():
        raise InputError(f"{asked.run} is no folder: give a run folder, such as runs/digits-demo.")
    if asked.bundle and len(asked.reviewers) != 1:
        raise InputError("--export writes the page of one person: name them with --reviewer.")
    if asked.new_token and not asked.reviewers:
        raise InputError("--new-token is for somebody: name them with --reviewer.")
    if asked.address:
        parts = urlsplit(asked.address)
        if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/"):
            raise InputError(
                f"{asked.address!r} is no address of a proxy: give https://host, without a path."
            )


def _opened(asked: Asked) -> Records:
    from reports.review.records import open_records
    from reports.review.starting import DATABASE, check_run

    place = asked.database or str(asked.run / DATABASE)
    new = asked.database is None and not Path(place).exists()
    if new:  # before an empty database is left in the folder
        check_run(asked.run)
    return open_records(place)


def _with(records: Records, asked: Asked) -> None:
    study = _study(records, asked)
    if asked.serves:
        _serve(records, asked, study)
        return
    if asked.bundle:
        _bundle(records, asked, asked.bundle)
    for path in asked.imports:
        _import(records, path)
    if asked.close:
        from reports.review.study import close_study

        close_study(records)
        typer.echo("The review is closed: its queue may be unblinded.")
    if asked.answers:
        from reports.review.export import export_answers

        typer.echo(f"answers: {export_answers(records, asked.answers)}")
    _keep(records, asked.run)


def _study(records: Records, asked: Asked) -> Study:
    from reports.review.starting import begin, begun, picture_folders

    study = begun(records)
    if study is None:
        roots = picture_folders(asked.run, asked.pictures)
        study, notes = begin(records, asked.run, asked.wish, roots)
        typer.echo(f"A review of {study.items} items of {study.name} has begun.")
        for note in notes:
            typer.echo(note)
    else:
        _say_differences(asked, study)
    return study


def _say_differences(asked: Asked, study: Study) -> None:
    """What was asked for now and holds for a new review only."""
    from reports.document import FINDINGS, read

    settings, wish = study.settings, asked.wish
    ignored = [
        option
        for option, differs in (
            ("--order", wish.order not in ("random", settings.order)),
            ("--hide-label", wish.hide_label and not settings.label_hidden),
            ("--questions", wish.questions not in (None, study.questions)),
            ("--seed", wish.seed not in (None, settings.seed)),
        )
        if differs
    ]
    if ignored:
        typer.echo(
            f"This review was begun on {study.created[:10]} and goes on as it was: "
            f"{', '.join(ignored)} would hold for a new one (--db).",
            err=True,
        )
    here = asked.run / FINDINGS
    if study.findings and here.is_file() and read(asked.run).address not in ("", study.findings):
        typer.echo("The run has other findings now than when its queue was drawn.", err=True)


def _serve(records: Records, asked: Asked, study: Study) -> None:
    from reports.review.app import desk_app
    from reports.review.serving import LOOPBACK, listen, serve
    from reports.review.starting import picture_folders

    listening = listen(asked.port)
    port = listening.getsockname()[1]
    try:
        roots = picture_folders(asked.run, asked.pictures)
        base = (asked.address or f"http://{LOOPBACK}:{port}").rstrip("/")
        _say_links(records, asked, base)
        app = desk_app(
            records,
            run=asked.run,
            port=port,
            roots=roots,
            blur=asked.wish.blur,
            address=asked.address,
        )
        serve(app, listening)
    finally:
        listening.close()
    _keep(records, asked.run)


def _say_links(records: Records, asked: Asked, base: str) -> None:
    from reports.review.reviewers import add_reviewer, new_token, reviewers_of
    from reports.review.values import LEAD, REVIEWER

    known = {each.name: each for each in reviewers_of(records)}
    wanted = [(name, REVIEWER) for name in dict.fromkeys(asked.reviewers)]
    if not known and LEAD_NAME not in asked.reviewers:
        wanted.insert(0, (LEAD_NAME, LEAD))
    links = []
    for name, role in wanted:
        if name not in known:
            links.append((name, role, add_reviewer(records, name, role)))
        elif asked.new_token:
            links.append((name, known[name].role, new_token(records, name)))
    for name, role, token in links:
        typer.echo(f"{name} ({role}): {base}/enter?token={token}")
    if links:
        typer.echo("Each link lets one person in, and is shown only now: hand it on with care.")
    else:
        typer.echo(f"{base}: links that were given before let people in;")
        typer.echo("a lost one is replaced with --reviewer NAME --new-token.")
    typer.echo("Stop with Ctrl+C: answers are kept as they come.")


def _bundle(records: Records, asked: Asked, path: Path) -> None:
    from reports.review.bundling import bundle
    from reports.review.pictures import small_copy
    from reports.review.reviewers import add_reviewer, reviewers_of
    from reports.review.starting import picture_folders

    roots = picture_folders(asked.run, asked.pictures)
    name = asked.reviewers[0]
    if name not in {each.name for each in reviewers_of(records)}:
        add_reviewer(records, name)  # a link for them is made when one is asked for
    person = next(each for each in reviewers_of(records) if each.name == name)
    written = bundle(records, person, path, picture=lambda source: small_copy(source, roots))
    typer.echo(f"offline page of {name}: {written}")


def _import(records: Records, path: Path) -> None:
    from reports.review.importing import import_answers

    found = import_answers(records, path)
    known = f", {found.known} were known" if found.known else ""
    typer.echo(f"{path}: {found.items} items answered by {found.reviewer} were taken in{known}.")


def _keep(records: Records, run: Path) -> None:
    """Answers and queue as files, for the report and whoever reads the run folder."""
    from reports.review.export import export_review

    typer.echo(f"review: {export_review(records, run)}")


def _missing(error: ModuleNotFoundError) -> Exception:
    package = (error.name or "").partition(".")[0]
    if package not in _NEEDED:
        return error
    return MissingExtra(package, "review", "The review desk")
