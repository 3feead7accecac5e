"""The YAML file as typed values: data, model, population, shifts, audit, policy, execution.

Torch-free, so that `schema`, `init` and `status` answer at once, and so that a config can be
checked on a machine where no model ever runs.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from audit.judgement.plan import Plan, Settings
from audit.judgement.policy.limits import Policy
from audit.study.data_settings import DataSettings
from audit.study.model_settings import ModelFile, ModelSettings
from audit.study.own_programs import check_program
from audit.study.population_rules import check_population, check_stackable
from audit.study.shift_settings import ShiftSettings
from audit.study.training_settings import TrainingSettings

Sparsity = Annotated[float, Field(gt=0.0, lt=1.0)]


class MethodSettings(Settings):
    """A pruning method: one choice per axis (`prune-audit list methods` names them).

    The same fields as `pruners.Method`, and the same defaults.
    """

    saliency: str = "magnitude"
    granularity: str = "weight"
    allocation: str | dict[str, float] = "global"
    schedule: str = "cubic"
    retraining: str = "fine_tune"
    protect: tuple[str, ...] = ("first", "last")
    begin: float = Field(default=0.0, ge=0.0, le=1.0)
    end: float = Field(default=2 / 3, ge=0.0, le=1.0)
    frequency: int | None = Field(default=None, ge=1)
    arguments: dict[str, float] = Field(default_factory=dict)
    examples: int = Field(default=256, ge=1)
    count: Literal["targeted", "all"] = "targeted"
    biases: bool = False
    keep: int = Field(default=1, ge=1)
    reenter: bool = False
    rewind: float = Field(default=0.0, ge=0.0, lt=1.0)
    recalibrate: bool = False
    name: str | None = None

    @field_validator("name")
    @classmethod
    def _names_files(cls, value: str | None) -> str | None:
        if value and (not value.isprintable() or "/" in value or "\\" in value):
            raise ValueError(
                f"{value!r} names files too (weights in the folder of results): leave out slashes "
                f"and line breaks"
            )
        return value


Control = Literal["dense", "small_dense", "from_scratch_e", "from_scratch_b", "reinitialise"]
Kind = Literal["independent", "one_parent", "calibration", "snapshots"]


class PopulationSettings(Settings):
    """The models to compare: how many parents, pruned how, to which sparsities; or files.

    Attributes:
        seeds: Number of parents (seeds 0, 1, …) or the seeds themselves.
        controls: `true` or `dense`: each parent with the same extra training, unpruned. A list may
            also name `small_dense` (a dense net of a pruned one's size) and the retrainings
            `from_scratch_e`, `from_scratch_b` and `reinitialise`, at every sparsity.
        paired: Whether pruned models are made from the parents. If not, they are trained and pruned
            from seeds of their own (retraining `while_training`), as many as there are parents.
        chain: Whether each sparsity starts from the model pruned to the one before.
        calibration: Replicates of each parent whose saliencies see other examples.
        kind: Of given models, what makes them differ.
        training: Training of the parents.
        fine_tuning: Training after (and during) pruning, and of the controls. By default a third
            of the parents' epochs at a tenth of their learning rate.
        train: A `module:function` or command that trains a parent, in place of ours.
        prune: A `module:function` or command that prunes and retrains one, in place of ours.
        timeout: Seconds after which either is ended.
        methods: Pruning methods.
        sparsities: Fractions of the targeted weights to remove.
        stacked: Whether all that is fine-tuned from one parent is trained at once: faster for small
            nets of linear layers, the less often masks are chosen anew the more.
        compact: Whether structures that are gone are also cut out of a copy, whose size and work
            are recorded.
        models: Models that exist already; then nothing is trained or pruned.
    """

    seeds: int | tuple[int, ...] = 7
    controls: bool | tuple[Control, ...] = True
    paired: bool = True
    chain: bool = False
    calibration: int = Field(default=1, ge=1)
    kind: Kind | None = None
    training: TrainingSettings = TrainingSettings()
    fine_tuning: TrainingSettings | None = None
    train: str | tuple[str, ...] | None = None
    prune: str | tuple[str, ...] | None = None
    timeout: float | None = Field(default=None, gt=0.0)
    methods: tuple[MethodSettings, ...] = (MethodSettings(),)
    sparsities: tuple[Sparsity, ...] = (0.5, 0.8, 0.9, 0.95)
    stacked: bool = False
    compact: bool = False
    models: tuple[ModelFile, ...] | None = None

    @field_validator("controls", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("train", "prune")
    @classmethod
    def _known_placeholders(cls, value: Any, about: ValidationInfo) -> Any:
        return value if value is None else check_program(value, str(about.field_name))

    @model_validator(mode="after")
    def _belongs_together(self) -> PopulationSettings:
        check_population(self)
        return self

    @property
    def control_kinds(self) -> tuple[Control, ...]:
        """The kinds of controls to make."""
        if isinstance(self.controls, tuple):
            return self.controls
        return ("dense",) if self.controls and self.paired else ()

    @field_validator("seeds")
    @classmethod
    def _some_seeds(cls, value: int | tuple[int, ...]) -> int | tuple[int, ...]:
        seeds = range(value) if isinstance(value, int) else value
        if not seeds or min(seeds) < 0:
            raise ValueError(f"at least one seed of 0 or more is needed, not {value}")
        if len(set(seeds)) < len(seeds):
            raise ValueError(f"a seed is named twice in {list(seeds)}: name each once")
        return value

    @field_validator("sparsities", "methods", "controls")
    @classmethod
    def _each_once(cls, value: Any) -> Any:
        if isinstance(value, bool):
            return value
        if not value:
            raise ValueError("at least one is needed")
        for position, item in enumerate(value):
            if item in value[:position]:
                raise ValueError(f"{item} is there twice: name it once")
        return value

    @property
    def seed_list(self) -> tuple[int, ...]:
        """The seeds of the parents."""
        return tuple(range(self.seeds)) if isinstance(self.seeds, int) else self.seeds

    @property
    def retraining(self) -> TrainingSettings:
        """The training that pruned models and controls get."""
        if self.fine_tuning is not None:
            return self.fine_tuning
        epochs = -(-self.training.epochs // 3)
        return self.training.model_copy(update={"epochs": epochs, "lr": self.training.lr / 10})


class ExecuteSettings(Settings):
    """Where and how the work is done.

    Attributes:
        backend: `in_process` or `processes`.
        workers: Processes; `auto` is one per core, and one on a GPU.
        device: `auto` takes the GPU when there is one.
        precision: Of prediction.
        batch_size: Of prediction. It changes the last bits of results, so it names them too.
        data_workers: Processes that read a user's torch `Dataset`.
        probabilities: Whether every class's probability is kept. `auto` keeps them where a model
            and condition make two million numbers at most (classes × examples), and always under
            uniform noise, whose distances are made of them.
    """

    backend: Literal["in_process", "processes"] = "processes"
    workers: int | Literal["auto"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    batch_size: int = Field(default=256, ge=1)
    data_workers: int = Field(default=0, ge=0)
    probabilities: bool | Literal["auto"] = "auto"

    @field_validator("workers")
    @classmethod
    def _at_least_one(cls, value: int | str) -> int | str:
        if isinstance(value, int) and value < 1:
            raise ValueError(f"workers must be 1 or more, or auto, not {value}")
        return value


class ReportSettings(Settings):
    """What a run's report holds.

    Attributes:
        embed: Pictures and texts of examples inside it: `none`, for a report that leaves the room
            where the data may be seen; `thumbnails`, at most 64 pixels a side, and the beginnings
            of texts; or `full`, the pictures at full resolution.
    """

    embed: Literal["none", "thumbnails", "full"] = "thumbnails"


def _or_a_path(schema: dict[str, Any]) -> None:
    """Lets an editor accept what `load_config` does: the path of a file of limits."""
    schema["anyOf"] = [{"$ref": schema.pop("$ref")}, {"type": "string"}]


class Config(Settings):
    """One study, whole.

    Attributes:
        name: Outputs go to `<store>/<name>/`; the config file's stem by default.
        data: What the models are trained on and tested with.
        model: The dense parents.
        population: Pruned models and controls.
        shifts: Corruptions and natural shifts.
        audit: Groups, levels, minimum counts.
        policy: Limits, or in a YAML file the path of a file of their own.
        execute: Device, processes, precision.
        report: What the report holds of the examples.
        store: Folder of all outputs; addressed results are in its `.store`.
    """

    name: str = Field(default="audit", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)
    data: DataSettings
    model: ModelSettings = ModelSettings()
    population: PopulationSettings = PopulationSettings()
    shifts: ShiftSettings = ShiftSettings()
    audit: Plan = Plan()
    policy: Policy = Field(default=Policy(), json_schema_extra=_or_a_path)
    execute: ExecuteSettings = ExecuteSettings()
    report: ReportSettings = ReportSettings()
    store: str = "runs"

    @field_validator("policy", mode="before")
    @classmethod
    def _read_already(cls, value: Any) -> Any:
        if isinstance(value, str):
            raise ValueError(
                f"a path to a policy, {value!r}, is read by load_config alone: load_policy reads it"
            )
        return value

    @model_validator(mode="after")
    def _either_made_or_given(self) -> Config:
        check_stackable(self.population, self.model.architecture)
        if self.population.models is not None and self.model.weights is not None:
            raise ValueError(
                "model.weights and population.models both name checkpoints: list every model, "
                "dense parents too, under population.models"
            )
        given = self.population.models is not None or self.model.weights is not None
        if self.population.kind is not None and not given:
            raise ValueError(
                "population.kind describes models that exist already, and these are made here, "
                "which tells it: leave it out"
            )
        for key, value in (
            ("model.pretraining", self.model.pretraining),
            ("population.train", self.population.train),
        ):
            if value is not None and given:
                raise ValueError(
                    f"{key} is about parents that are trained here, and they exist already: "
                    "leave it out"
                )
        if self.model.pretraining is not None and self.population.train is not None:
            raise ValueError(
                "population.train trains the parents in its own way: leave out model.pretraining"
            )
        if not self.population.paired and self.model.weights is not None:
            raise ValueError(
                "population.paired: false trains pruned models as the parents were trained, and "
                "nothing is known of the training of model.weights: leave one of them out"
            )
        return self
