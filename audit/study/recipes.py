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

# Tables in the folders of `Selected` and `Across`, and beside the evidence.
INFORMATIVE, INFORMATIVE_ACROSS = "informative.parquet", "informative_across.parquet"
# Names of images that were unreadable, in the folder of `Predicted`.
LEFT_OUT = "left_out.json"


@dataclass(frozen=True)
class Compute:
    """The arithmetic: results agree bit for bit only between equal ones."""

    device: str = "cpu"
    precision: str = "float32"
    threads: int = 1
    batch_size: int = 256


@dataclass(frozen=True)
class Mix:
    """The share that each group of a column has, and the seed of the draw that gives it."""

    column: str
    shares: tuple[tuple[str, float], ...]
    seed: int = 0


@dataclass(frozen=True)
class Data:
    """Examples as arrays: made from a source whose settings and contents are in `fingerprint`.

    A natural shift is read `like` the data that models were trained on: coded, shaped and encoded
    the same way. Where it is not `labelled`, whatever labels it has are left unread.
    """

    revision: ClassVar[int] = 1
    source: str
    fingerprint: str
    like: Data | None = None
    labelled: bool = True
    class_map: Mapping[str, tuple[str, ...]] | None = None  # of a natural shift: theirs -> ours
    mix: Mix | None = None  # test examples of `like`, drawn so that groups have these shares


@dataclass(frozen=True)
class Program:
    """A training or pruning of the user's own, in words, and the content of its files."""

    words: tuple[str, ...]
    code: str = ""  # of the files that the words name
    timeout: float | None = field(default=None, compare=False)  # seconds


@dataclass(frozen=True)
class Dense:
    """A dense parent that we train, or that a program of the user's own trains.

    Where it is `pretrained`, it starts from those weights, all but the last layer's.
    """

    revision: ClassVar[int] = 1
    data: Data
    architecture: str
    arguments: Options
    code: str  # content of the file that defines the architecture; "" for built-in ones
    preprocess: str
    training: Options
    seed: int
    compute: Compute = Compute()
    pretrained: Dense | None = None
    program: Program | None = None


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
class Stack:
    """What is trained at once from one parent: the method (None: the control) and sparsity of each.

    Part of the arithmetic: sums are added up in another order in another stack.
    """

    members: tuple[tuple[Options | None, float], ...]


@dataclass(frozen=True)
class Pruned:
    """A parent, pruned and retrained; without a method it is that parent's control.

    Another kind of control says which: a `small_dense` net of a pruned one's size, a retraining
    from other weights, or `retrained` without pruning as the method retrains. What comes after
    `before` starts from that model and its masks. An `unpaired` one shares the parent's recipe up
    to its training, and not its trained weights; a `draw` is a further replicate of the same
    parent, with examples drawn anew.
    """

    revision: ClassVar[int] = 2  # 2: filters and units take their batch-norm along
    parent: Dense | Given
    data: Data
    training: Options
    method: Options | None = None
    sparsity: float = 0.0
    compute: Compute = Compute()
    control: str = ""
    before: Pruned | None = None
    draw: int = 0
    unpaired: bool = False
    program: Program | None = None
    stack: str = ""  # address of the `Stack` that it was trained in; "" where it was trained alone


Model = Dense | Given | Pruned


@dataclass(frozen=True)
class Compacted:
    """A pruned model with the structures that are gone cut out of it, its outputs compared."""

    RECORD: ClassVar[str] = "compaction.json"
    WEIGHTS: ClassVar[str] = "compact.safetensors"
    revision: ClassVar[int] = 1
    model: Pruned
    compute: Compute = Compute()


@dataclass(frozen=True)
class OnDisk:
    """A condition whose images are files that were corrupted before.

    They are named by what is in them; where they are, and what the config calls them, do not count.
    """

    fingerprint: str
    path: str = field(compare=False)
    name: str = field(compare=False)
    image_size: int | tuple[int, int] | None = None
    skip: bool = False  # unreadable images, instead of stopping


@dataclass(frozen=True)
class Shown:
    """One condition: the test examples of `data`, clean (with the validation examples) or changed.

    The severity is None for a natural shift, uniform noise, an attack and a sequence of frames.
    Logits are masked to the classes that `data` has where it says so.
    """

    name: str
    data: Data
    corruption: str | None = None
    severity: float | None = 0.0
    seed: int = 0
    preset: str = "auto"
    code: str = ""
    noise: float = 0.0  # half the width of the uniform noise, as a share of the range of pixels
    attack: Options | None = None  # name, epsilon, seed, and what else its kind needs
    mask: bool = False
    on_disk: OnDisk | None = None  # the images; `data` then has ids and labels alone
    requantise: bool = False  # through a JPEG file once corrupted
    frost: str = ""  # content of the photographs of frost; "" for the procedural ones
    frost_folder: str = field(default="", compare=False)
    sequence: str = ""  # name of a sequence of frames
    apart: int = 1  # how many frames apart the answers are that it compares

    @property
    def another(self) -> bool:
        """Whether the examples are of another data set than the audited one."""
        probe = self.noise or self.attack is not None or self.sequence
        return self.severity is None and not probe


@dataclass(frozen=True)
class Predicted:
    """One model's predictions under one condition, under the name that people see."""

    revision: ClassVar[int] = 2  # 2: energy too, and validation examples beside clean ones
    name: str
    model: Model
    shown: Shown
    predict: str | None = None
    code: str = ""
    compute: Compute = Compute()
    probabilities: bool = False


@dataclass(frozen=True)
class Selected:
    """The pixels that one model needs of a few test examples, by backward selection."""

    revision: ClassVar[int] = 1
    name: str
    model: Model
    data: Data
    examples: int
    step: int
    seed: int = 0
    predict: str | None = None
    code: str = ""
    compute: Compute = Compute()


@dataclass(frozen=True)
class Across:
    """What each model makes of the pixels that are informative to each other one."""

    revision: ClassVar[int] = 1
    selected: Mapping[str, Selected]


@dataclass(frozen=True)
class Gathered:
    """The evidence folder: every model and condition under the names people see."""

    revision: ClassVar[int] = 3  # 3: the records of how models were made, notes on the population
    data: Data
    models: Options  # name -> address
    parts: Options  # "model | condition | severity" -> address
    natural: Options = field(default_factory=dict)
    outside: Options = field(default_factory=dict)  # out of distribution, as `natural`
    files: Options = field(default_factory=dict)  # given predictions, by content
    described: Options = field(default_factory=dict)  # what a config says of given models
    probes: Options = field(default_factory=dict)  # name -> address of what was selected
    corruptions: str = ""  # the set that was asked for by name: the notes say what it lacks
    corrupted: Options = field(default_factory=dict)  # sets on disk, as `natural`
    kind: str = ""  # of a population of given models, as the config says
    compacted: Options = field(default_factory=dict)  # name -> address
    labels: str = ""  # corrected ones, by content


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
