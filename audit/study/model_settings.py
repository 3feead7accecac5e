"""One model that exists already: its file, its place in the population, how it is built."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any, Literal

from pydantic import Field, model_validator

from audit.judgement.plan import Settings

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
