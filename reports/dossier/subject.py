"""What a dossier is about: the run's document, its examples, its review, and what may be shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from audit.evidence.errors import InputError, TableError
from audit.evidence.schema import GROUP
from audit.judgement.reviewing.answers import METADATA_KEY
from audit.judgement.reviewing.results import Results, review_results
from reports.background import alpha_of
from reports.document import EXAMPLES, Document, read

MINIMUM_CELL = 10
REVIEW = ("answers", "queue")


@dataclass(frozen=True)
class Sharing:
    """What may leave the data room.

    Attributes:
        aggregate_only: No image, no row of one example, no count of fewer than `minimum_cell`.
        minimum_cell: The smallest count that is shown then.
    """

    aggregate_only: bool = False
    minimum_cell: int = MINIMUM_CELL


@dataclass(frozen=True)
class Subject:
    """Everything that the parts of a dossier look at.

    Attributes:
        document: The run.
        folder: Its folder.
        examples: Every example of every split: `example`, `split`, `label` and `group_*`; empty
            where the run holds no evidence.
        answers: What reviewers said, one row each; None where nobody reviewed.
        review: What comes of their answers; None likewise.
        chain: Table -> `rows` and `sha256`, the end of the record that it was exported from.
        sharing: What may be shown.
    """

    document: Document
    folder: Path
    examples: pd.DataFrame = field(default_factory=pd.DataFrame)
    answers: pd.DataFrame | None = None
    review: Results | None = None
    chain: Mapping[str, Any] = field(default_factory=dict)
    sharing: Sharing = Sharing()

    @property
    def run(self) -> Mapping[str, Any]:
        """What was audited, as `findings.json` says."""
        return self.document.run

    @property
    def group_columns(self) -> list[str]:
        """Names of the group columns, without their prefix."""
        return [str(c).removeprefix(GROUP) for c in self.examples if str(c).startswith(GROUP)]


def open_subject(run: str | Path, sharing: Sharing) -> Subject:
    """Reads a run folder for a dossier.

    Raises:
        InputError: There is no finished run, or `minimum_cell` is less than 2.
        TableError: A table of it cannot be read.
    """
    if sharing.minimum_cell < 2:
        raise InputError(
            f"--minimum-cell {sharing.minimum_cell} hides nobody: give 2 or more, such as 10."
        )
    folder = Path(run)
    folder = folder.parent if folder.name == "findings.json" else folder
    document = read(folder)
    tables = {name: folder / "review" / f"{name}.parquet" for name in REVIEW}
    return Subject(
        document,
        folder,
        _examples(folder / EXAMPLES),
        _table(tables["answers"]),
        review_results(folder, document.classes, alpha_of(document)),
        {name: _chain(path) for name, path in tables.items()},
        sharing,
    )


def natural_conditions(subject: Subject) -> frozenset[str]:
    """Names of the conditions that are natural shifts: other examples, and no severity."""
    conditions = subject.run.get("conditions") or ()
    return frozenset(str(c.get("name")) for c in conditions if c.get("severity") is None)


def read_json(path: Path) -> Mapping[str, Any]:
    """A JSON object; empty where there is no such file.

    Raises:
        InputError: It is there and is none.
    """
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}): remove it or run again.") from error
    return found if isinstance(found, dict) else {}


def _chain(path: Path) -> Mapping[str, Any]:
    """The end of the record that an export notes; empty where there is none."""
    if not path.is_file():
        return {}
    about = json.loads((pq.read_schema(path).metadata or {}).get(METADATA_KEY, b"{}"))
    found = about.get("chain") if isinstance(about, dict) else None
    return found if isinstance(found, dict) and {"rows", "sha256"} <= set(found) else {}


def _examples(path: Path) -> pd.DataFrame:
    if not path.is_file():
        return pd.DataFrame(columns=["example", "split", "label"])
    names = pq.read_schema(path).names
    kept = [n for n in names if n in {"example", "split", "label"} or n.startswith(GROUP)]
    found = _table(path, columns=kept)
    return pd.DataFrame() if found is None else found


def _table(path: Path, **options: Any) -> pd.DataFrame | None:
    if not path.is_file():
        return None
    try:
        frame: pd.DataFrame = pq.read_table(path, **options).to_pandas()
    except (OSError, ValueError) as error:
        raise TableError(f"{path} cannot be read ({error}): write it again.") from error
    return frame
