"""Writes corrupted copies of tables and texts: one file for each corruption and severity."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from audit.evidence.files import flush
from audit.study.data_settings import DataSettings
from audit.study.fingerprint import fingerprint
from audit.study.progress import Watcher
from audit.study.writing.copies import Written
from audit.study.writing.layouts import Unit, whole_or_absent
from audit.study.writing.provenance import found_in, made_by, write_record
from audit.study.writing.rows import Rows, RowsWanted, read_rows


def write_rows(wanted: RowsWanted, out: Path, watch: Watcher) -> Written:
    """Writes `<corruption>/<severity>` files, in the source's format, that are not there yet.

    Args:
        wanted: What is asked for.
        out: Folder of the copy.
        watch: Told of the progress, in rows.

    Raises:
        InputError: The request or the table is at fault, or the folder holds something else.
        StoreError: The folder cannot be written.
    """
    rows = read_rows(wanted)
    asked = _settings(rows)
    if found_in(out, asked) is None:
        write_record(out, _record(rows, asked))
    units = [Unit(name, severity) for name in rows.names for severity in wanted.severities]
    suffix = rows.path.suffix.lower()
    files = {unit: out / unit.corruption / f"{unit.severity:g}{suffix}" for unit in units}
    todo, each = [unit for unit in units if not files[unit].is_file()], len(rows.frame)
    watch.stage("corrupt", each * (len(units) - len(todo)), each * len(units))
    start = time.perf_counter()
    for unit in todo:
        _save(rows.changed(unit), files[unit])
        watch.advance(each)
    seconds, there = time.perf_counter() - start, len(units) - len(todo)
    notes = tuple(_notes(rows))
    return Written(out, rows.kind, each, len(todo), there, rows.not_made, seconds, notes)


def _settings(rows: Rows) -> dict[str, Any]:
    """What must agree for a copy to be gone on with."""
    wanted = rows.wanted
    return {
        "made_by": made_by(),
        "layout": rows.path.suffix.lower()[1:],
        "set": "" if wanted.corruptions else wanted.which,
        "corruptions": wanted.corruptions,
        "severities": wanted.severities,
        "seed": wanted.seed,
        "column" if rows.kind == "text" else "label": rows.target,
        "id": wanted.id,
        "reference": _content(wanted.reference, wanted.here),
        "source": _content(wanted.source, wanted.here),
    }


def _content(path: str | None, here: Path) -> str | None:
    return None if path is None else fingerprint(DataSettings(source="table", path=path), here)


def _record(rows: Rows, asked: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: asked[key] for key in ("made_by", "layout", "set", "seed", "severities", "source")}
    return {
        **kept,
        "settings": asked,
        "kind": rows.kind,
        "corruptions": rows.names,
        "not_made": rows.not_made,
        "rows": len(rows.frame),
    }


def _save(frame: pd.DataFrame, target: Path) -> None:
    with whole_or_absent(target) as scratch:
        with scratch.open("wb") as file:
            if target.suffix == ".parquet":
                frame.to_parquet(file, index=False)
            else:
                frame.to_csv(file, index=False, sep="\t" if target.suffix == ".tsv" else ",")
            flush(file)
        scratch.replace(target)


def _notes(rows: Rows) -> Iterator[str]:
    if rows.kind == "tabular" and rows.wanted.reference is None:
        yield (
            "spreads, ranges and marginals are those of the source itself; a study takes the "
            "training rows', which --reference names."
        )
