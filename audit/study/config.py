"""The YAML file as typed values: data, model, population, shifts, audit, policy, execution.

Torch-free, so that `schema`, `init` and `status` answer at once, and so that a config can be
checked on a machine where no model ever runs.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from audit.judgement.plan import Plan, Settings
from audit.judgement.policy.limits import Policy
from audit.study.data_settings import DataSettings
from audit.study.model_settings import ModelFile
from audit.study.shift_settings import ShiftSettings

Sparsity = Annotated[float, Field(gt=0.0, lt=1.0)]


class Expect(Settings):
    """What the dense parents must reach on clean test data before anything else is paid for."""

    accuracy: float = Field(ge=0.0, le=1.0)
    tolerance: float = Field(default=0.01, ge=0.0, le=1.0)


class ModelSettings(Settings):
    """The dense parents: how one is built, or where its weights are.

    Attributes:
        architecture: `mlp`, `cnn`, `resnet20`, or `module:function` that returns an `nn.Module`.
        arguments: Keyword arguments of the architecture.
        weights: Checkpoint files of dense parents, one each; none are trained then.
        preprocess: `auto`, `torchvision:<Weights>.<MEMBER>`, or `module:function`: for images it is
            called without arguments and gives a `Preprocess` or a function of a batch; of texts it
            is called with a list of N, and gives a tensor [N, ...].
        predict: `module:function(model, inputs) -> logits`, for models that are called unusually.
        expect: Accuracy below which the audit stops.
    """

    architecture: str = "cnn"
    arguments: dict[str, Any] = Field(default_factory=dict)
    weights: tuple[str, ...] | None = None
    preprocess: str = "auto"
    predict: str | None = None
    expect: Expect | None = None

    @field_validator("weights", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


class TrainingSettings(Settings):
    """How weights are learned; the same fields as `pruners.Training` (a test compares them).

    Attributes:
        epochs: Times each example is seen.
        optimizer: `sgd`, `adam` or `adamw`.
        lr: Learning rate at the start.
        momentum: SGD's momentum, or Adam's β₁.
        weight_decay: L2 penalty (decoupled in `adamw`).
        batch_size: Examples per step.
        decay: Of the learning rate: `constant`, `linear` or `cosine`.
        augmentation: `none`, `shift`, `flip`, `shift_flip`, or a list of corruptions: each image is
            then shown as it is or under one of them at severity 3, each equally often. Test on
            others, under `shifts.corruptions`, what this robust training did not see.
    """

    epochs: int = Field(default=30, ge=1)
    optimizer: str = "sgd"
    lr: float = Field(default=0.1, gt=0.0)
    momentum: float = Field(default=0.9, ge=0.0, lt=1.0)
    weight_decay: float = Field(default=5e-4, ge=0.0)
    batch_size: int = Field(default=64, ge=1)
    decay: str = "cosine"
    augmentation: str | Annotated[tuple[str, ...], Field(min_length=1)] = "none"


class MethodSettings(Settings):
    """A pruning method: one choice per axis (`prune-audit list methods` names them).

    The same fields as `pruners.Method`, and the same defaults.
    """

    saliency: str = "magnitude"
    granularity: str = "weight"
    allocation: str = "global"
    schedule: str = "cubic"
    retraining: str = "fine_tune"
    protect: tuple[str, ...] = ("first", "last")
    begin: float = Field(default=0.0, ge=0.0, le=1.0)
    end: float = Field(default=2 / 3, ge=0.0, le=1.0)
    frequency: int | None = Field(default=None, ge=1)
    arguments: dict[str, float] = Field(default_factory=dict)
    examples: int = Field(default=256, ge=1)
    name: str | None = None


class PopulationSettings(Settings):
    """The models to compare: how many parents, pruned how, to which sparsities; or files.

    Attributes:
        seeds: Number of parents (seeds 0, 1, …) or the seeds themselves.
        controls: Also give each parent the same extra training without pruning.
        training: Training of the parents.
        fine_tuning: Training after (and during) pruning, and of the controls. By default a third
            of the parents' epochs at a tenth of their learning rate.
        methods: Pruning methods.
        sparsities: Fractions of the targeted weights to remove.
        models: Models that exist already; then nothing is trained or pruned.
    """

    seeds: int | tuple[int, ...] = 7
    controls: bool = True
    training: TrainingSettings = TrainingSettings()
    fine_tuning: TrainingSettings | None = None
    methods: tuple[MethodSettings, ...] = (MethodSettings(),)
    sparsities: tuple[Sparsity, ...] = (0.5, 0.8, 0.9, 0.95)
    models: tuple[ModelFile, ...] | None = None

    @field_validator("seeds")
    @classmethod
    def _some_seeds(cls, value: int | tuple[int, ...]) -> int | tuple[int, ...]:
        seeds = range(value) if isinstance(value, int) else value
        if not seeds or min(seeds) < 0:
            raise ValueError(f"at least one seed of 0 or more is needed, not {value}")
        if len(set(seeds)) < len(seeds):
            raise ValueError(f"a seed is named twice in {list(seeds)}: name each once")
        return value

    @field_validator("sparsities", "methods")
    @classmethod
    def _each_once(cls, value: tuple[Any, ...]) -> tuple[Any, ...]:
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
        if self.population.models is not None and self.model.weights is not None:
            raise ValueError(
                "model.weights and population.models both name checkpoints: list every model, "
                "dense parents too, under population.models"
            )
        return self
