"""Models in a config: the dense parents, and single ones that exist already."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from audit.judgement.plan import Settings
from audit.study.data_settings import DataSettings, without_labels
from audit.study.training_settings import TrainingSettings

EXPORTED = (".pt2", ".onnx")  # whole programs: they need no `build`


class ModelFile(Settings):
    """A model made elsewhere, pruned by anyone with anything.

    Attributes:
        name: What the report calls it; by default the stem of its file.
        checkpoint: `.safetensors`, a state dict (`.pt`, `.pth`, `.bin`, `.ckpt`), an exported
            `.pt2`, or `.onnx`; relative to the config file.
        predictions: A table of its predictions, in place of a checkpoint.
        predict: `module:function(model, inputs) -> logits`. `model` is the loaded module, the
            checkpoint's path where no module is built, or None where there is no checkpoint.
        build: A built-in architecture or `module:function` that makes the module, where this one
            has another shape than the study's.
        arguments: Keyword arguments of `build`.
        parent: Name of the dense model it was made from.
        role: `dense` without a parent or sparsity and `pruned` otherwise, unless given.
        method: How it was pruned, in the words of whoever did it.
        sparsity: Fraction of the targeted weights that was asked to be removed.
        seed: Seed of its training.
    """

    name: str = ""
    checkpoint: str | None = None
    predictions: str | None = None
    predict: str | None = None
    build: str | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)
    parent: str | None = None
    role: Literal["dense", "pruned", "control", "compressed"] | None = None
    method: str | None = None
    sparsity: float | None = Field(default=None, ge=0.0, lt=1.0)
    seed: int | None = Field(default=None, ge=0)

    @property
    def exported(self) -> bool:
        """Whether the checkpoint is a whole program."""
        return self.checkpoint is not None and self.checkpoint.lower().endswith(EXPORTED)

    @property
    def inferred_role(self) -> Literal["dense", "pruned", "control", "compressed"]:
        """The role given, else what parent and sparsity say."""
        if self.role is not None:
            return self.role
        return "pruned" if self.parent is not None or self.sparsity else "dense"

    @model_validator(mode="before")
    @classmethod
    def _named_after_its_file(cls, values: Any) -> Any:
        if isinstance(values, dict) and not values.get("name"):
            file = values.get("checkpoint") or values.get("predictions")
            if isinstance(file, str):
                return {**values, "name": PurePath(file).stem}
        return values

    @model_validator(mode="after")
    def _can_predict(self) -> ModelFile:
        if not self.name:
            raise ValueError("a model without a checkpoint or predictions needs a name: add one")
        if self.predictions is not None:
            for key in ("checkpoint", "predict", "build"):
                if getattr(self, key) is not None:
                    raise ValueError(
                        f"model {self.name!r} has predictions and {key}: keep one of them"
                    )
        elif self.checkpoint is None and self.predict is None:
            raise ValueError(
                f"model {self.name!r} has nothing to predict with: add checkpoint, predictions "
                "or predict"
            )
        if self.arguments and self.build is None:
            raise ValueError(f"model {self.name!r} has arguments but no build to take them")
        if self.build is not None and self.exported:
            raise ValueError(
                f"model {self.name!r} is an exported program, which needs no build: take it out"
            )
        if self.role == "dense" and self.parent is not None:
            raise ValueError(f"model {self.name!r} is dense but has a parent: keep one of them")
        return self


class Expect(Settings):
    """What the dense parents must reach on clean test data before anything else is paid for."""

    accuracy: float = Field(ge=0.0, le=1.0)
    tolerance: float = Field(default=0.01, ge=0.0, le=1.0)


class PretrainingSettings(Settings):
    """Other data that the parents learn before the audited ones.

    Attributes:
        data: They need a training part, and examples of the audited data's shape.
        training: Of the parents on them; by default that of `population.training`.
    """

    data: DataSettings
    training: TrainingSettings | None = None

    @field_validator("data")
    @classmethod
    def _as_it_is(cls, value: DataSettings) -> DataSettings:
        return without_labels(value)


class ModelSettings(Settings):
    """The dense parents: how one is built, or where its weights are.

    Attributes:
        architecture: `mlp` (for tables too), `cnn`, `resnet20`, `resnet32`, `resnet56`, `resnet`
            (argument `depth`), `vgg16_bn`; `torchvision:<name>`, a classification model of theirs;
            or `module:function` that returns an `nn.Module`.
        arguments: Keyword arguments of the architecture; of torchvision's, `weights` are null
            (drawn from the seed) unless given.
        weights: Checkpoint files of dense parents, one each; none are trained then.
        preprocess: `auto` (mean 0 and spread 1 over the training part), `unit` (in [0, 1], nothing
            else), `torchvision:<Weights>.<MEMBER>`, or `module:function`: for images it is
            called without arguments and gives a `Preprocess` or a function of a batch; of texts it
            is called with a list of N, and gives a tensor [N, ...].
        predict: `module:function(model, inputs) -> logits`, for models that are called unusually.
        expect: Accuracy below which the audit stops.
        pretraining: What the parents are trained on first; the last layer is then made anew.
    """

    architecture: str = "cnn"
    arguments: dict[str, Any] = Field(default_factory=dict)
    weights: tuple[str, ...] | None = None
    preprocess: str = "auto"
    predict: str | None = None
    expect: Expect | None = None
    pretraining: PretrainingSettings | None = None

    @field_validator("weights", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value
