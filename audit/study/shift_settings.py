"""The `shifts` section of a config: what else the models are shown beside clean test examples."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from audit.judgement.plan import Settings
from audit.study.corrupted_settings import ClassMap, CorruptedSets
from audit.study.data_settings import DataSettings, without_labels
from audit.study.mix_settings import Mixes

Severity = Annotated[float, Field(ge=1.0, le=5.0)]
AttackName = Literal["fgsm", "pgd"]


def _ratio(value: Any) -> Any:
    """`8/255` as the number it is: that is how the field writes sizes of attacks."""
    if not isinstance(value, str):
        return value
    above, _, below = value.partition("/")
    try:
        return float(above) / float(below) if below else float(above)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{value!r} is no number: write 0.03 or 8/255") from None


# A share of the range of pixels, from 0 to 1.
Share = Annotated[
    Annotated[float, Field(gt=0.0, le=1.0)],
    BeforeValidator(_ratio, json_schema_input_type=float | str),
]


class NaturalSettings(DataSettings):
    """Another data set with the same classes, or some of them.

    Attributes:
        mask: Where only some of the classes are there (ImageNet-A has 200 of 1,000), whether a
            model's logits are masked to these. The literature does both; the notes say which.
        class_map: Their class names to ours, where they differ: a JSON object or a CSV file (its
            columns `theirs` and `ours`), or the mapping itself. A class may have several of ours,
            each of which is right, or null, which leaves it out.
    """

    mask: bool = False
    class_map: ClassMap = None

    @property
    def data(self) -> DataSettings:
        """The data section in it."""
        stated = self.model_fields_set - {"mask", "class_map"}
        return DataSettings.model_validate({key: getattr(self, key) for key in stated})


class NoiseSettings(Settings):
    """Uniform noise on clean examples, to see how like its parent a pruned model still is.

    As Liebenwein et al. (arXiv 2103.03014) probe functional distance. Noise of size ε is uniform on
    [-ε, ε], a share of the range of pixels; it is not cut off at black and white, so that all of
    the noise arrives, and equal draws are scaled to each size.

    Attributes:
        levels: Values of ε.
        seed: Seed of the draws, which depend on it and on the example.
    """

    levels: tuple[Share, ...] = Field(default=(0.02, 0.05, 0.1), min_length=1)
    seed: int = Field(default=0, ge=0)

    @field_validator("levels")
    @classmethod
    def _each_once(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        names = [f"{level:.4g}" for level in levels]
        for position, name in enumerate(names):
            if name in names[:position]:
                raise ValueError(f"the noise level {name} is there twice: name it once")
        return levels


class AttackSettings(Settings):
    """White-box attacks, made for each model on its own gradients, within an L∞ ball.

    Attributes:
        names: `fgsm`, one step of size ε along the gradient's sign (Goodfellow et al., arXiv
            1412.6572), and `pgd`, projected steps from a random start (Madry et al., 1706.06083).
        epsilon: Radius of the ball, a share of the range of pixels; `8/255` may be written so.
        steps: Of `pgd`.
        step_size: Of `pgd`, as `epsilon`.
        examples: How many test examples are attacked, a stratified sample; None for all.
        seed: Seed of the sample and of the random starts.
    """

    names: tuple[AttackName, ...] = Field(default=("fgsm", "pgd"), min_length=1)
    epsilon: Share = 8 / 255
    steps: int = Field(default=10, ge=1)
    step_size: Share = 2 / 255
    examples: int | None = Field(default=None, ge=1)
    seed: int = Field(default=0, ge=0)

    @field_validator("names")
    @classmethod
    def _each_once(cls, names: tuple[AttackName, ...]) -> tuple[AttackName, ...]:
        for position, name in enumerate(names):
            if name in names[:position]:
                raise ValueError(f"the attack {name!r} is there twice: name it once")
        return names


class BackSelectSettings(Settings):
    """Which pixels each model needs, on a handful of test examples.

    BackSelect (Carter et al., arXiv 1810.03805; Liebenwein et al., 2103.03014) hides pixels, those
    first without which the confidence in the true class stays highest. Beside the evidence,
    `informative.parquet` has the order and the confidence that is left, per model and example, and
    `informative_across.parquet` the confidence of each model on the tenth of the pixels that is
    informative to each other one.

    Attributes:
        examples: How many test examples, a stratified sample. A model is shown each about
            pixels² / (2 × step) times.
        step: Pixels hidden at a time.
        seed: Seed of the sample.
    """

    examples: int = Field(default=5, ge=1, le=100)
    step: int = Field(default=1, ge=1)
    seed: int = Field(default=0, ge=0)


class ShiftSettings(Settings):
    """What else the models are shown.

    Attributes:
        corruptions: A set's name, or names of corruptions (or `module:function`).
        severities: Severities from 1 to 5, steps between them too.
        preset: Constants by image size; `auto` picks, and the report says what it picked.
        seed: Seed of the corruptions' draws.
        requantise: Whether corrupted images go through JPEG files of quality 85, as those of the
            published ImageNet-C and Tiny-ImageNet-C did; by default they are shown as made.
        frost: A folder of photographs of frost, relative to the config; without one, frost is
            procedural.
        corrupted: Sets on disk that are corrupted already (`CorruptedSettings`): a path, one such
            section, or several by name. Each corruption and severity is a condition.
        natural: Other data sets with the same classes or some of them, matched by name: a name for
            each, and a path (read as `data` is) or a data section of its own.
        out_of_distribution: Data sets of other things, whose labels are not read; as `natural`.
        reweight: Other mixes of groups among the test examples: a name for each, one group column,
            and the share of each of its groups, which sum to 1.
        noise: Uniform noise on clean examples; None shows none.
        attacks: Attacks on every model; None makes none.
        backselect: The pixels that each model needs; None does not ask.
        sequences: A set's name (`imagenet-p`, `imagenet-p-extra`, `cifar-p`), or names of
            sequences of frames (Hendrycks & Dietterich, arXiv 1903.12261): how often does an
            answer flip from frame to frame? Every model is shown each image some 31 times.
        sequence_difficulty: Of noise which of three strengths, of all else how many frames apart
            answers are compared.
    """

    corruptions: str | tuple[str, ...] = ()
    severities: tuple[Severity, ...] = (1.0, 3.0, 5.0)
    preset: str = "auto"
    seed: int = Field(default=0, ge=0)
    requantise: bool = False
    frost: str | None = None
    corrupted: CorruptedSets = Field(default_factory=dict)
    natural: dict[str, str | NaturalSettings] = Field(default_factory=dict)
    out_of_distribution: dict[str, str | DataSettings] = Field(default_factory=dict)
    reweight: Mixes = Field(default_factory=dict)
    noise: NoiseSettings | None = None
    attacks: AttackSettings | None = None
    backselect: BackSelectSettings | None = None
    sequences: str | tuple[str, ...] = ()
    sequence_difficulty: int = Field(default=1, ge=1, le=10)

    @field_validator("natural", "out_of_distribution")
    @classmethod
    def _as_they_are(cls, sets: dict[str, Any]) -> dict[str, Any]:
        for data in sets.values():
            if isinstance(data, DataSettings):
                without_labels(data)
        return sets

    @model_validator(mode="after")
    def _sequences_once(self) -> ShiftSettings:
        if "sequence_difficulty" in self.model_fields_set and not self.sequences:
            raise ValueError(
                "sequence_difficulty has no use without sequences: take it out, or list some"
            )
        listed = () if isinstance(self.sequences, str) else self.sequences
        for position, name in enumerate(listed):
            if name in listed[:position]:
                raise ValueError(f"the sequence {name!r} is there twice: name it once")
        return self

    @model_validator(mode="after")
    def _of_use(self) -> ShiftSettings:
        if self.requantise and not self.corruptions:
            raise ValueError("requantise has no use without corruptions: take it out, or list some")
        return self

    @model_validator(mode="after")
    def _one_name_each(self) -> ShiftSettings:
        for name in (*self.natural, *self.out_of_distribution, *self.reweight):
            if "@" in name:
                raise ValueError(
                    f"the data set {name!r} has an @ in its name, as attacks and noise have: "
                    "rename it"
                )
            if name in self.natural and name in self.out_of_distribution:
                raise ValueError(
                    f"{name!r} is a natural shift and out of distribution: keep one of them"
                )
            if name in self.reweight and (name in self.natural or name in self.out_of_distribution):
                raise ValueError(f"{name!r} is a mix and a data set: rename one of them")
            if name in self.corrupted:  # examples of both would begin with it
                raise ValueError(
                    f"{name!r} is a corrupted set and another data set or mix: rename one of them"
                )
        return self
