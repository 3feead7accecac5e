"""A finding: one question asked of the evidence, with its answer, its doubt and its verdict."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from audit.evidence.errors import InputError, TableError
from audit.evidence.files import write_file

SCHEMA = "prune-audit/findings/1"
FINDINGS_FILE = "findings.json"
EXEMPLARS_FILE = "exemplars.parquet"
RELIABILITY_FILE = "reliability.parquet"
EXEMPLAR_COLUMNS = (
    "example",
    "method",
    "sparsity",
    "label",
    "parent_label",
    "pruned_label",
    "kind",
    "score",
)
RELIABILITY_COLUMNS = (
    "method",
    "sparsity",
    "condition",
    "severity",
    "role",
    "bin",
    "low",
    "high",
    "n",
    "share",
    "confidence",
    "accuracy",
)

Outcome = Literal["within", "over", "cannot_tell", "not_asked", "no_limit"]
Estimand = Literal["examples", "seeds", "both"]
Direction = Literal["up", "down"]
Unit = Literal["fraction", "ratio", "count", "nats", "distance", "sparsity", "cost", "value"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One flat answer; None wherever a value is undefined. Rates and changes are fractions.

    Attributes:
        id: Stable name, a hash of what was asked (not of the answer).
        measure: A name from `judgement.measures.MEASURES`.
        unit: What its numbers are: one of `Unit`. A `cost` is in the units in which the plan states
            costs, a `value` in those of the column `value`.
        method: The pruning method's name; None for a question about no method.
        sparsity: Requested sparsity in [0, 1); None for a question about all of them, or where none
            is stated.
        model: The one file it is about, where a candidate was named; None for all models of a
            method and sparsity.
        condition: Condition name. `all` for a mean over every corruption.
        severity: Severity; None for natural shifts and means over severities.
        subject: The class's or group's name, or the columns of a whole grouping; None for a
            question about everybody.
        class_: Class name (written `class` in files).
        groups: `column=value & column=value`, columns sorted; None for everybody.
        parent: Value in the dense parents.
        pruned: Value in the pruned models.
        control: Value in the controls (parents trained on as long, unpruned).
        change: pruned − parent, in the measure's unit.
        relative_change: change / parent; None where the parent's value is 0 or unknown. Small rates
            make it explode: read it beside the values.
        low: Lower end of the interval of `change`; of `pruned` where the measure is a level.
        high: Upper end.
        standard_error: Of what `low` and `high` are about; one-sided policy bounds come from it.
        df: Degrees of freedom of its t distribution.
        n: Distinct examples in the denominator.
        parents: Distinct parents (independent replicates).
        discordant: Examples on which a parent and its pruned model differ in this measure.
        generalises_to: Who the interval is about: new `examples`, new training `seeds`, or `both`.
        p: Two-sided p-value before correction.
        p_adjusted: After correction inside `family`.
        p_holm: By Holm's procedure over the same measure of the same models, for replication.
        p_bh: By Benjamini & Hochberg's, for replication.
        p_floor: The smallest p these data could have given.
        tier: A policy, B omnibus, C inside a rejected family, D screen.
        family: The questions corrected together; of an `omnibus` question, those it is about.
        family_size: How many are corrected together; of an `omnibus` question, how many of these.
        detectable: Smallest true change found with 80 % power at the corrected level.
        examples_low: Lower end of the interval about these very models and new examples, where
            `low` and `high` are about new training runs too: these files, not this way of pruning.
        examples_high: Its upper end.
        examples_standard_error: Its standard error.
        examples_df: Its degrees of freedom.
        examples_p: Its two-sided p before correction.
        worse_direction: Which way is worse.
        limit: The policy's limit that applies here.
        limit_name: The policy key that set it.
        bound_within: One-sided bound that must lie inside the limit, in the limit's own direction
            (the largest drop that these data leave open, for a limit on a drop).
        bound_over: One-sided bound that must lie beyond it, corrected over the limit's findings.
        waiver: Who accepted it, why and until when; None where nobody did.
        outcome: Verdict against the limit.
        reason: Why undefined, why it cannot tell, how the number is to be read; one sentence.
    """

    id: str
    measure: str
    unit: str
    method: str | None = None
    sparsity: float | None = None
    model: str | None = None
    condition: str | None = "clean"
    severity: float | None = 0.0
    subject: str | None = None
    class_: str | None = None
    groups: str | None = None
    parent: float | None = None
    pruned: float | None = None
    control: float | None = None
    change: float | None = None
    relative_change: float | None = None
    low: float | None = None
    high: float | None = None
    standard_error: float | None = None
    df: float | None = None
    n: int | None = None
    parents: int | None = None
    discordant: int | None = None
    generalises_to: Estimand | None = None
    p: float | None = None
    p_adjusted: float | None = None
    p_holm: float | None = None
    p_bh: float | None = None
    p_floor: float | None = None
    tier: Literal["A", "B", "C", "D"] | None = None
    family: str | None = None
    family_size: int | None = None
    detectable: float | None = None
    examples_low: float | None = None
    examples_high: float | None = None
    examples_standard_error: float | None = None
    examples_df: float | None = None
    examples_p: float | None = None
    worse_direction: Direction | None = None
    limit: float | None = None
    limit_name: str | None = None
    bound_within: float | None = None
    bound_over: float | None = None
    waiver: str | None = None
    outcome: Outcome = "no_limit"
    reason: str | None = None

    def record(self) -> dict[str, Any]:
        """The finding as it stands in `findings.json`: `class_` is written `class`."""
        return {f.name.rstrip("_"): getattr(self, f.name) for f in fields(self)}


def finding_id(**asked: str | float | None) -> str:
    """Names a finding by what was asked: measure, method, sparsity, condition, class, groups."""
    canonical = json.dumps(asked, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


@dataclass(frozen=True, eq=False)
class Findings:
    """Everything an audit found, as it is written to a run folder.

    Attributes:
        run: What was audited: counts, notes and versions. No times, so that the same evidence gives
            the same bytes.
        policy: `limits`, `verdicts` per (method, sparsity), and `largest_within` per method.
        findings: The answers, in a fixed order.
        exemplars: One row per exemplar, in the columns `EXEMPLAR_COLUMNS`.
        reliability: One row per bin of confidence, in the columns `RELIABILITY_COLUMNS`.
    """

    run: Mapping[str, Any]
    policy: Mapping[str, Any]
    findings: tuple[Finding, ...]
    exemplars: pd.DataFrame
    reliability: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=list(RELIABILITY_COLUMNS))
    )

    def frame(self) -> pd.DataFrame:
        """The findings as a table, one row each, columns as in `findings.json`."""
        return pd.DataFrame([f.record() for f in self.findings], columns=list(RECORD_KEYS))

    def document(self) -> dict[str, Any]:
        """What `findings.json` holds, as plain values."""
        return {
            "schema": SCHEMA,
            "run": dict(self.run),
            "policy": dict(self.policy),
            "findings": [f.record() for f in self.findings],
        }

    def to_json(self) -> str:
        """`findings.json`: the same findings give the same bytes, and NaN is never in them."""
        text = json.dumps(self.document(), indent=1, ensure_ascii=False, allow_nan=False)
        return text + "\n"

    def write(self, folder: str | Path) -> None:
        """Writes `findings.json` and its tables, each whole or not at all.

        The tables are `exemplars.parquet` and, where there are confidences, `reliability.parquet`.

        Raises:
            StoreError: The folder cannot be written.
        """
        write_file(Path(folder) / EXEMPLARS_FILE, _parquet(self.exemplars))
        if len(self.reliability):
            write_file(Path(folder) / RELIABILITY_FILE, _parquet(self.reliability))
        write_file(Path(folder) / FINDINGS_FILE, self.to_json().encode())

    @classmethod
    def read(cls, path: str | Path) -> Findings:
        """Reads a run folder, or its `findings.json`.

        Raises:
            InputError: Nothing is there, it is not such a file, or a later version wrote it.
            TableError: A table beside it cannot be read.
        """
        file = Path(path) / FINDINGS_FILE if Path(path).is_dir() else Path(path)
        document = _checked(_parsed(file), file)
        exemplars, bins = file.parent / EXEMPLARS_FILE, file.parent / RELIABILITY_FILE
        tables = {"reliability": _table(bins)} if bins.exists() else {}
        return cls(
            run=document["run"],
            policy=document["policy"],
            findings=tuple(_finding(record, file) for record in document["findings"]),
            exemplars=_table(exemplars) if exemplars.exists() else no_exemplars(),
            **tables,
        )


def _table(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise TableError(f"{path} cannot be read ({error}): audit the run again.") from error


def no_exemplars() -> pd.DataFrame:
    """An exemplar table with nobody in it."""
    return pd.DataFrame(columns=list(EXEMPLAR_COLUMNS))


def _parquet(table: pd.DataFrame) -> bytes:
    content = io.BytesIO()
    table.to_parquet(content, index=False)
    return content.getvalue()


def _parsed(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"Cannot read {file} ({error.strerror}): name a run folder, or its {FINDINGS_FILE}."
        ) from error
    except ValueError as error:
        raise InputError(f"{file} is not JSON ({error}): name a {FINDINGS_FILE}.") from error
    if not isinstance(document, dict):
        raise InputError(f"{file} holds no findings but a {type(document).__name__}: name another.")
    return document


def _checked(document: dict[str, Any], file: Path) -> dict[str, Any]:
    family, _, version = str(document.get("schema")).rpartition("/")
    ours, _, known = SCHEMA.rpartition("/")
    if family != ours or not version.isdigit():
        raise InputError(f"{file} is no findings file: its schema is {document.get('schema')!r}.")
    if int(version) > int(known):
        raise InputError(
            f"{file} was written by a later version (schema {version}, this one reads {known}): "
            "upgrade with `pip install --upgrade prune-audit`."
        )
    missing = [key for key in ("run", "policy", "findings") if key not in document]
    if missing:
        raise InputError(f"{file} has no key {missing[0]!r}: write the run again.")
    return document


def _finding(record: dict[str, Any], file: Path) -> Finding:
    try:
        return Finding(**{_ATTRIBUTES.get(key, key): value for key, value in record.items()})
    except TypeError as error:
        raise InputError(f"{file} holds a finding that is not one ({error}).") from error


RECORD_KEYS = tuple(f.name.rstrip("_") for f in fields(Finding))
_ATTRIBUTES = {f.name.rstrip("_"): f.name for f in fields(Finding)}
