"""Names every column of the evidence, what it holds and whether it must be there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

EVIDENCE_SCHEMA = "prune-audit/evidence/1"
METADATA_KEY = b"prune_audit"

Role = Literal["dense", "pruned", "control", "compressed"]
ROLES: tuple[Role, ...] = ("dense", "pruned", "control", "compressed")

# Frequencies are counted in the training split alone. Validation examples have steered the models
# too, so no rate ever comes from either.
TRAIN = "train"
TRAINING_SPLITS = (TRAIN, "validation")
DEFAULT_SPLIT = "test"
DEFAULT_METHOD = "pruned"

GROUP = "group_"
MISSING = "missing"  # the name of the group of those whose group is not known

# Largest severity: five levels, as in Hendrycks & Dietterich (arXiv 1903.12261).
MOST_SEVERE = 5.0

Kind = Literal["text", "integer", "number", "name", "class", "any", "list", "bytes"]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        kind: `text`, `integer`, `number` (float), `name` (integer or text, never missing), `class`
            (an index into the class names; in flat tables also the name), `list` of numbers,
            `bytes`, or `any`.
        meaning: What it holds, with its unit.
        required: Whether a table without it is refused.
    """

    kind: Kind
    meaning: str
    required: bool = False


PREDICTION_COLUMNS: Mapping[str, Column] = {
    "model": Column("text", "The model's name.", required=True),
    "condition": Column("text", "`clean`, a corruption, or a natural shift.", required=True),
    "severity": Column("number", "0 for clean, up to 5, null for a natural shift.", required=True),
    "example": Column("name", "The example's id.", required=True),
    "predicted": Column("class", "The predicted class.", required=True),
    "confidence": Column("number", "Largest class probability, 0 to 1."),
    "loss": Column("number", "Cross-entropy in nats."),
    "top5": Column("list", "The five most likely classes, best first."),
    "probabilities": Column("list", "One probability per class."),
    "energy": Column("number", "Minus the log-sum-exp of the logits."),
    "draw": Column("integer", "Number of a repeated draw of noise."),
    "value": Column("number", "A predicted quantity, where there is no class."),
}

EXAMPLE_COLUMNS: Mapping[str, Column] = {
    "example": Column("name", "The example's id.", required=True),
    "split": Column("text", "`train`, `validation`, `test` or a data set.", required=True),
    "label": Column("class", "The true class, null where nobody knows it.", required=True),
    "weight": Column("number", "How much it counts, not negative."),
    "cluster": Column("any", "Whom it belongs to: a patient, a writer, a drive."),
    "path": Column("text", "Where the input is."),
    "text": Column("text", "The input, where it is text."),
    "thumbnail": Column("bytes", "A small PNG of the input."),
}

MODEL_COLUMNS: Mapping[str, Column] = {
    "model": Column("text", "The model's name.", required=True),
    "parent": Column("text", "The dense model it was made from; empty where unknown."),
    "role": Column("text", "dense, pruned, control or compressed."),
    "method": Column("text", "The pruning method's name; empty for dense models."),
    "sparsity": Column("number", "Requested fraction removed, 0 to 1."),
    "sparsity_targeted": Column("number", "Fraction removed of the weights that may be pruned."),
    "sparsity_all": Column("number", "Fraction removed of all parameters."),
    "parameters": Column("integer", "Number of parameters."),
    "nonzero": Column("integer", "Number of parameters that are not zero."),
    "macs": Column("integer", "Multiply-adds for one example."),
    "bytes": Column("integer", "Size of the file."),
    "latency_ms": Column("number", "Measured time for one example, milliseconds."),
    "seed": Column("integer", "Seed of its training."),
    "address": Column("text", "Its recipe's address in the store."),
}


def required(columns: Mapping[str, Column]) -> tuple[str, ...]:
    """The names of the columns that a table must have."""
    return tuple(name for name, column in columns.items() if column.required)


# A flat table says everything in every row: predictions, examples and models side by side. Group
# columns begin with `group_`.
FLAT_COLUMNS: Mapping[str, Column] = {
    "model": Column("text", "The model's name; a file's name where there is none."),
    "parent": MODEL_COLUMNS["parent"],
    "role": MODEL_COLUMNS["role"],
    "method": MODEL_COLUMNS["method"],
    "sparsity": MODEL_COLUMNS["sparsity"],
    "seed": MODEL_COLUMNS["seed"],
    "condition": Column("text", "`clean` by default."),
    "severity": Column("number", "0 to 5; null or left out for a natural shift."),
    "example": Column("name", "The example's id.", required=True),
    "split": Column("text", "`test` by default; `train` and `validation` are not audited."),
    "label": Column("class", "The true class; may be missing."),
    "predicted": Column("class", "The predicted class.", required=True),
    "confidence": PREDICTION_COLUMNS["confidence"],
    "loss": PREDICTION_COLUMNS["loss"],
    "weight": EXAMPLE_COLUMNS["weight"],
    "cluster": EXAMPLE_COLUMNS["cluster"],
}

# Columns that are read where a person names them. In somebody's own table a column that happens to
# be called `address`, `bytes` or `text` may hold anything, so those are not read unasked.
NAMED_COLUMNS: Mapping[str, Column] = {**MODEL_COLUMNS, **EXAMPLE_COLUMNS, **FLAT_COLUMNS}
