"""Opens the review of a run: the one that was begun, or a new one with a queue of its own."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from audit.evidence.errors import InputError
from audit.judgement.findings import EXEMPLARS_FILE
from reports.review import pictures
from reports.review.questions import Question, default_questions, questions_from_json
from reports.review.records import Records
from reports.review.study import create_study, study_of
from reports.review.values import Item, Order, Settings, Study
from reports.unfinished import unfinished

if TYPE_CHECKING:
    from audit.judgement.findings import Findings
    from audit.judgement.reviewing.sampling import QueueItem

DATABASE = "review.db"
EVIDENCE = "evidence"
ITEMS = 60


@dataclass(frozen=True)
class Wish:
    """How a new review is to be.

    Attributes:
        n: Items, decoys among them.
        order: `random`, or `score`.
        method: Exemplars of this method only.
        sparsity: Exemplars at this sparsity only.
        hide_label: Whether the label is shown only after a first answer.
        blur: Whether what is shown is blurred until asked for.
        questions: What is asked; None for the usual ones.
        seed: Of the draw; None for one that nobody can guess.
    """

    n: int = ITEMS
    order: Order = "random"
    method: str | None = None
    sparsity: float | None = None
    hide_label: bool = False
    blur: bool = False
    questions: tuple[Question, ...] | None = None
    seed: int | None = None


def begun(records: Records) -> Study | None:
    """The study that the records hold; None if there is none yet."""
    try:
        return study_of(records)
    except InputError:
        return None


def begin(
    records: Records, run: Path, wish: Wish, roots: Sequence[Path] = ()
) -> tuple[Study, tuple[str, ...]]:
    """Draw the queue of a run and start its review.

    Args:
        records: Open records without a study.
        run: Run folder, with findings, exemplars and evidence.
        wish: How it is to be.
        roots: Folders that its pictures may lie in.

    Returns:
        The study, and what a reader of its results must know of the draw.

    Raises:
        InputError: The run is not finished, keeps no evidence or has no exemplar.
    """
    from audit.evidence.folder import read_folder
    from audit.judgement.restored import plan_of
    from audit.judgement.reviewing.sampling import draw_queue
    from reports.document import read

    findings = check_run(run)
    evidence = read_folder(run / EVIDENCE)
    seed = secrets.randbits(31) if wish.seed is None else wish.seed
    queue = draw_queue(
        findings.exemplars,
        evidence,
        plan_of(findings),
        n=wish.n,
        seed=seed,
        order=wish.order,
        method=wish.method,
        sparsity=wish.sparsity,
    )
    study = create_study(
        records,
        [_item(each, roots) for each in queue.items],
        name=str(findings.run.get("name") or run.name),
        findings=read(run).address,
        questions=wish.questions or default_questions(label_hidden=wish.hide_label),
        settings=Settings(
            classes=tuple(map(str, evidence.classes)),
            label_hidden=wish.hide_label,
            seed=seed,
            order=wish.order,
            blur=wish.blur,
        ),
    )
    return study, (queue.defined, *queue.notes)


def check_run(run: Path) -> Findings:
    """The findings of a run that can be reviewed.

    Raises:
        InputError: The run is not finished, keeps no evidence or has no exemplar.
    """
    findings = _findings(run)
    if not (run / EXEMPLARS_FILE).is_file():
        raise InputError(
            f"{EXEMPLARS_FILE} is not in {run}, and the queue is drawn from it: put it back, or "
            "judge the run again."
        )
    if findings.exemplars.empty:
        raise InputError(
            f"{run.name} has no exemplar, so there is nothing to review: no example's modal label "
            "changed with pruning, or the audit could not ask (its report says which)."
        )
    if not (run / EVIDENCE).is_dir():
        raise InputError(
            f"{run} keeps no evidence, and exemplars are looked at there: audit again with "
            "--evidence."
        )
    return findings


def picture_folders(run: Path, named: Sequence[Path]) -> tuple[Path, ...]:
    """Folders that pictures may lie in: those that are named, and the one the run read.

    Raises:
        InputError: One that is named is no folder.
    """
    for each in named:
        if not each.is_dir():
            raise InputError(f"{each} is no folder: name one that holds the pictures.")
    data = (_findings(run).run.get("config") or {}).get("data") or {}
    recorded = data.get("path") if isinstance(data, dict) else None
    # A relative one began at a config file that may be anywhere by now.
    known = [Path(recorded)] if isinstance(recorded, str) and Path(recorded).is_absolute() else []
    return (*named, *(each for each in known if each.is_dir()))


def read_questions(path: Path) -> tuple[Question, ...]:
    """Questions from a YAML file that lists them.

    Raises:
        InputError: It cannot be read, or one of them cannot be asked.
    """
    import yaml

    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        cause = str(error).splitlines()[0]
        raise InputError(f"{path} cannot be read ({cause}): give a YAML list.") from error
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{path} is no list of questions: give each a key, a text and a kind.")
    return questions_from_json(rows)


def _findings(run: Path) -> Findings:
    from audit.judgement.findings import Findings

    if not run.is_dir():
        raise InputError(f"{run} is no folder: give a run folder, such as runs/digits-demo.")
    if not (run / "findings.json").is_file():
        raise InputError(unfinished(run))
    return Findings.read(run)


def _item(drawn: QueueItem, roots: Sequence[Path]) -> Item:
    values = {each.name: getattr(drawn, each.name) for each in fields(Item)}
    found = pictures.file_hash(drawn.path, roots) if drawn.path else None
    return Item(**{**values, "content_sha256": found or drawn.content_sha256})
