"""What names a result: the frozen recipe of every artefact that a study makes.

A recipe holds its parent's recipe, its seed, and all that changes floating-point results (device
kind, precision, thread count, batch size), and nothing else: neither wall-clock time, nor the
number of workers, nor where the store is. Fields added later get a default that changes nothing;
when what a builder does with the same fields changes, its `revision` is raised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Compute:
    """The arithmetic: results agree bit for bit only between equal ones."""

    device: str = "cpu"
    precision: str = "float32"
    threads: int = 1
    batch_size: int = 256


@dataclass(frozen=True)
class Data:
    """Examples as arrays: made from a source whose settings and contents are in `fingerprint`.

    A natural shift is read `like` the data that models were trained on: coded, shaped and encoded
    the same way.
    """

    revision: ClassVar[int] = 1
    source: str
    fingerprint: str
    like: Data | None = None


@dataclass(frozen=True)
class Dense:
    """A dense parent that we train."""

    revision: ClassVar[int] = 1
    data: Data
    architecture: str
    arguments: Options
    code: str  # content of the file that defines the architecture; "" for built-in ones
    preprocess: str
    training: Options
    seed: int
    compute: Compute = Compute()


@dataclass(frozen=True)
class Given:
    """A model that exists: a file, named by its content, and how to build it."""

    revision: ClassVar[int] = 1
    name: str
    data: Data
    content: str  # SHA-256 of the file; "" where `predict` needs none
    suffix: str  # its ending says how it is read
    architecture: str | None  # None for exported programs
    arguments: Options
    code: str
    preprocess: str
    predict: str | None = None
    seed: int = 0


@dataclass(frozen=True)
class Pruned:
    """A parent, pruned and retrained; without a method it is that parent's control."""

    revision: ClassVar[int] = 1
    parent: Dense | Given
    data: Data
    training: Options
    method: Options | None = None
    sparsity: float = 0.0
    compute: Compute = Compute()


Model = Dense | Given | Pruned


@dataclass(frozen=True)
class Shown:
    """One condition: the test examples of `data`, clean or corrupted; severity None if natural."""

    name: str
    data: Data
    corruption: str | None = None
    severity: float | None = 0.0
    seed: int = 0
    preset: str = "auto"
    code: str = ""


@dataclass(frozen=True)
class Predicted:
    """One model's predictions under one condition, under the name that people see."""

    revision: ClassVar[int] = 1
    name: str
    model: Model
    shown: Shown
    predict: str | None = None
    code: str = ""
    compute: Compute = Compute()


@dataclass(frozen=True)
class Gathered:
    """The evidence folder: every model and condition under the names people see."""

    revision: ClassVar[int] = 1
    data: Data
    models: Options  # name -> address
    parts: Options  # "model | condition | severity" -> address
    natural: Options = field(default_factory=dict)
    files: Options = field(default_factory=dict)  # given predictions, by content
    described: Options = field(default_factory=dict)  # what a config says of given models
    corruptions: str = ""  # the set that was asked for by name: the notes say what it lacks


@dataclass(frozen=True)
class Judged:
    """The findings of an evidence folder under a plan and a policy, by one version of the tool.

    Judging is cheap and improves with every release, so a new version judges anew.
    """

    revision: ClassVar[int] = 1
    version: str
    evidence: str
    plan: Options
    policy: Options
    run: Options
