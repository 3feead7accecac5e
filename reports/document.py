"""What there is to report: findings, and the evidence beside them, read once into frozen values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from audit.evidence.errors import InputError, TableError
from audit.judgement.findings import Finding, Findings
from reports import gallery
from reports.overview import Overview, arms, overviews
from reports.pictures import Embed
from reports.select import ordered
from reports.unfinished import unfinished

FINDINGS, RUN, MANIFEST = "findings.json", "run.json", "manifest.json"
EXAMPLES, MODELS, LAYERS, INFORMATIVE, ACROSS = (
    f"evidence/{name}.parquet"
    for name in ("examples", "models", "layers", "informative", "informative_across")
)
RECORDS = "evidence/records.json"
METADATA_KEY = b"prune_audit"
_INFORMATIVE = ["model", "example", "confidence", "share_kept"]  # orders of pixels are long


@dataclass(frozen=True)
class Document:
    """Everything that the renderers may look at.

    Attributes:
        findings: The findings with their run, policy and exemplars.
        classes: Class names by code; empty when no evidence is at hand.
        examples: The examples of the gallery, indexed by id: any of `thumbnail`, `text`, `path`,
            `group_*`. Empty when no evidence is at hand.
        models: One row per model, or empty.
        layers: `model, layer, parameters, nonzero`, one row per layer, or empty.
        records: How each model was made, by name; empty where nobody wrote it down.
        informative: `model, example, confidence, share_kept`, the pixels models need; or empty.
        across: `informative_to, model, example, confidence`, on the pixels of others; or empty.
        times: What `run.json` holds: when, how long, on what machine, with which versions.
        address: Address of the findings in the store; empty when not known.
        folder: The run folder; None for findings in memory.
        embed: Which pictures of examples the report holds.
    """

    findings: Findings
    classes: tuple[str, ...] = ()
    examples: pd.DataFrame = field(default_factory=pd.DataFrame)
    models: pd.DataFrame = field(default_factory=pd.DataFrame)
    layers: pd.DataFrame = field(default_factory=pd.DataFrame)
    records: Mapping[str, Any] = field(default_factory=dict)
    informative: pd.DataFrame = field(default_factory=pd.DataFrame)
    across: pd.DataFrame = field(default_factory=pd.DataFrame)
    times: Mapping[str, Any] = field(default_factory=dict)
    address: str = ""
    folder: Path | None = None
    embed: Embed = "thumbnails"

    @property
    def run(self) -> Mapping[str, Any]:
        """What was audited, as `findings.json` says."""
        return self.findings.run

    @property
    def policy(self) -> Mapping[str, Any]:
        """Limits, verdicts, and the largest sparsity within every limit."""
        return self.findings.policy

    @cached_property
    def asked(self) -> tuple[Finding, ...]:
        """Findings with an answer, or at least with an attempt at one."""
        return tuple(f for f in self._of_populations if f.outcome != "not_asked")

    @cached_property
    def not_asked(self) -> tuple[Finding, ...]:
        """Questions that could not be asked."""
        return tuple(f for f in self._of_populations if f.outcome == "not_asked")

    @cached_property
    def held(self) -> tuple[Finding, ...]:
        """Findings that a limit of the policy judged."""
        return tuple(f for f in self._of_populations if f.limit_name is not None)

    @cached_property
    def _of_populations(self) -> tuple[Finding, ...]:
        """Findings but for those about the one file that would ship."""
        return tuple(f for f in self.findings.findings if f.model is None)

    @cached_property
    def candidate(self) -> tuple[Finding, ...]:
        """What limits said of the one file that would ship."""
        every = self.findings.findings
        return tuple(f for f in every if f.model is not None and f.limit_name is not None)

    @cached_property
    def rows(self) -> tuple[Overview, ...]:
        """What happened at each method and sparsity."""
        return tuple(overviews(self.findings))

    @cached_property
    def arms(self) -> tuple[tuple[str, float | None], ...]:
        """(method, sparsity) pairs that were judged, as `overview.arms` sorts them."""
        return arms(self.findings)

    @cached_property
    def methods(self) -> tuple[str, ...]:
        """Pruning methods, sorted."""
        return tuple(sorted({method for method, _ in self.arms}))

    @cached_property
    def sparsities(self) -> tuple[float | None, ...]:
        """Requested sparsities, ascending; last None, where some models state none."""
        return tuple(ordered(sparsity for _, sparsity in self.arms))

    def class_name(self, code: object) -> str | None:
        """The name of a class code; a name stays itself; None where a vote was tied or unknown."""
        if isinstance(code, str):
            return code
        if not isinstance(code, int | float) or pd.isna(code) or code < 0:
            return None
        position = int(code)
        return self.classes[position] if position < len(self.classes) else str(position)


def read(source: Document | Findings | str | Path, embed: Embed = "thumbnails") -> Document:
    """Reads a run folder, or takes findings as they are.

    Args:
        source: A run folder (`findings.json`, and optionally `exemplars.parquet`, `evidence/`,
            `run.json`), its `findings.json`, or findings in memory, which have no gallery.
        embed: Which pictures of examples the report holds; `full` takes the files that the examples
            table names, where it names any.

    Raises:
        InputError: There is no such folder, or there are no findings in it.
        TableError: A table in it cannot be read.
    """
    if isinstance(source, Document):
        return source
    if isinstance(source, Findings):
        return Document(source, classes=_classes_of_run(source.run))
    folder = Path(source)
    folder = folder.parent if folder.name == FINDINGS else folder
    if not (folder / FINDINGS).is_file():
        raise InputError(unfinished(folder))
    findings = Findings.read(folder)
    examples = folder / EXAMPLES
    return Document(
        findings,
        classes=_classes(examples) or _classes_of_run(findings.run),
        examples=_examples(examples, gallery.chosen(findings.exemplars)),
        models=_table(folder / MODELS),
        layers=_table(folder / LAYERS),
        records=_records(folder / RECORDS),
        informative=_table(folder / INFORMATIVE, columns=_INFORMATIVE),
        across=_table(folder / ACROSS),
        times=_json(folder / RUN),
        address=str((_json(folder / MANIFEST).get("state") or {}).get("findings") or ""),
        folder=folder,
        embed=embed,
    )


def _classes_of_run(run: Mapping[str, Any]) -> tuple[str, ...]:
    classes = run.get("classes")
    return tuple(map(str, classes)) if isinstance(classes, list | tuple) else ()


def _classes(path: Path) -> tuple[str, ...]:
    if not path.is_file():
        return ()
    try:
        metadata = pq.read_schema(path).metadata or {}
        return tuple(map(str, json.loads(metadata.get(METADATA_KEY, b"{}")).get("classes", ())))
    except (OSError, ValueError) as error:
        raise TableError(f"{path} cannot be read ({error}): audit the run again.") from error


def _examples(path: Path, wanted: pd.DataFrame) -> pd.DataFrame:
    if not path.is_file() or wanted.empty:
        return pd.DataFrame()
    names = pq.read_schema(path).names
    columns = [
        name
        for name in names
        if name in {"example", "thumbnail", "text", "path"} or name.startswith("group_")
    ]
    identities = wanted["example"].unique().tolist()
    return _table(path, columns=columns, filters=[("example", "in", identities)]).set_index(
        "example"
    )


def _table(path: Path, **options: Any) -> pd.DataFrame:
    if not path.is_file():
        return pd.DataFrame()
    try:
        frame: pd.DataFrame = pq.read_table(path, **options).to_pandas()
    except (OSError, ValueError) as error:
        raise TableError(f"{path} cannot be read ({error}): audit the run again.") from error
    return frame


def _records(path: Path) -> Mapping[str, Any]:
    return {name: each for name, each in _json(path).items() if isinstance(each, Mapping)}


def _json(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}): remove it or run again.") from error
    return content if isinstance(content, dict) else {}
