"""Makes a dossier of a run: page, papers, tables, crosswalk and manifest, in one folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from audit.evidence.errors import AuditError, InputError, TableError
from audit.judgement.policy.locking import deviations, read_lock
from reports.dossier import folder as place
from reports.dossier import html, papers, person
from reports.dossier.compose import compose
from reports.dossier.composition import compositions
from reports.dossier.crosswalk import record
from reports.dossier.identities import dossier_key, scrub
from reports.dossier.impact import impact
from reports.dossier.judged import risks
from reports.dossier.overlap import as_record, overlap
from reports.dossier.release import released, shown_impact, shown_overlap
from reports.dossier.subject import Sharing, Subject, open_subject
from reports.dossier.supplies import Holdings
from reports.signing import SUFFIX, signature

FOLDER = "dossier"
PAGE, PDF = "dossier.html", "dossier.pdf"
FINDINGS = "tables/findings.csv"


@dataclass(frozen=True)
class Dossier:
    """A dossier that was written.

    Attributes:
        folder: Where it is.
        files: Paths below it, sorted.
        waiting: Files of the person's folder that nobody has filled in.
    """

    folder: Path
    files: tuple[str, ...]
    waiting: tuple[str, ...]


def write_dossier(
    run: str | Path,
    out: str | Path | None = None,
    *,
    sharing: Sharing | None = None,
    key: Path | None = None,
    sign_key: Path | None = None,
    passphrase: str | None = None,
    pdf: bool = False,
) -> Dossier:
    """Writes the dossier of a run; what a person wrote in the one that is there is kept.

    Args:
        run: The run folder.
        out: The folder to write; `dossier` in the run folder by default.
        sharing: What may be shown; everything by default.
        key: The file of the key that hides names, made where it is not there; by default
            `dossier.key` in the run folder. It is outside the dossier.
        sign_key: A PEM file with the Ed25519 key to sign the manifest with; None signs nothing.
        passphrase: Of that key, where it has one.
        pdf: Whether to print the page as a PDF, too; its bytes hold the time of printing.

    Raises:
        InputError: There is no finished run, `out` holds something else, the key would be in the
            dossier, or no PDF can be printed.
        MissingExtra: `huggingface_hub`, or `cryptography` for a signature, is not installed.
        StoreError: The folder cannot be written; whatever was there before still is.
    """
    how = sharing or Sharing()
    try:
        return _write(Path(run), out, how, key, sign_key, passphrase, pdf)
    except TableError:
        if not how.aggregate_only:
            raise
        # Such a sentence names the row that is wrong, and that is a person's.
        raise AuditError(
            "A table of this run cannot be read, and the sentence that says why names a row: make "
            "the dossier without --aggregate-only, inside the data room, to read it."
        ) from None


def _write(
    run: Path,
    out: str | Path | None,
    sharing: Sharing,
    key_file: Path | None,
    sign_key: Path | None,
    passphrase: str | None,
    pdf: bool,
) -> Dossier:
    whole = open_subject(run, sharing)
    target = Path(out) if out is not None else whole.folder / FOLDER
    people = place.people_of(target)
    if key_file is not None and key_file.resolve().is_relative_to(target.resolve()):
        raise InputError(f"--key {key_file} is in the dossier, which is handed on: keep it apart.")
    key = dossier_key(whole.folder, key_file)
    sections = _said(people, target)
    held = _holdings(whole, key, sections, sign_key is not None)
    files = {**_files(held, key, whole), **people}
    if pdf:
        from reports.pdf import printed

        files[PDF] = printed(files[PAGE].decode())
    files[place.MANIFEST] = place.manifest(files, made_by(), whole.document.address)
    if sign_key is not None:
        files[place.MANIFEST + SUFFIX] = signature(files[place.MANIFEST], sign_key, passphrase)
    place.place(target, files)
    waiting = tuple(f"{person.FOLDER}/{s.key}.md" for s in sections if not s.filled)
    return Dossier(target, tuple(sorted(files)), waiting)


def made_by() -> str:
    """The tool and its version."""
    return f"prune-audit {metadata.version('prune-audit')}"


def _said(people: Mapping[str, bytes], target: Path) -> tuple[person.PersonSection, ...]:
    return tuple(
        person.section(key, people.get(f"{person.FOLDER}/{key}.md"), target)
        for key in person.SECTIONS
    )


def _holdings(
    whole: Subject, key: bytes, people: Sequence[person.PersonSection], signed: bool
) -> Holdings:
    tables = tuple(compositions(whole))
    held = Holdings(
        subject=released(whole, tables, key),
        tables=tables,
        overlap=shown_overlap(whole, overlap(whole)),
        impact=shown_impact(whole, impact(whole), tables),
        people=tuple(people),
        risks=0,
        lock=read_lock(whole.folder) or {},
        signed=signed,
    )
    return replace(held, risks=len(risks(held)))


def _files(held: Holdings, key: bytes, whole: Subject) -> dict[str, bytes]:
    page = compose(held, key, _deviations(whole, held.lock, key), whole.document)
    findings = papers.findings_csv(held).encode()
    digest = hashlib.sha256(findings).hexdigest()
    texts = {
        PAGE: html.render(page),
        "model_card.md": papers.model_card(held, page),
        "data_statement.md": papers.paper("data_statement", held, page),
        "deployer_sheet.md": papers.paper("deployer_sheet", held, page),
        "risk_register.csv": papers.risk_register(held),
        "crosswalk.json": _json(record(page.frameworks, digest, made_by())),
        "overlap.json": _json(as_record(held.overlap)),
        "tables/composition.csv": papers.composition_csv(held),
        "tables/impact.csv": papers.impact_csv(held),
    }
    return {FINDINGS: findings, **{name: text.encode() for name, text in texts.items()}}


def _deviations(whole: Subject, lock: Mapping[str, Any], key: bytes) -> list[str]:
    """What was done otherwise than locked, a sentence each."""
    if not lock:
        return []
    said = [str(each) for each in deviations(lock, whole.document.findings)]
    if not whole.sharing.aggregate_only:
        return said
    names = set(whole.examples.get("example", ()))
    return [scrub(key, sentence, names) for sentence in said]


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
