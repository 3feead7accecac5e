"""The `data` section of a config: where examples come from, and what each column is."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, field_validator, model_validator

from audit.evidence.nearest import hint
from audit.judgement.plan import Binned, Probability, Settings

Fraction = Annotated[float, Field(ge=0.0, lt=1.0)]

_COMMON = {
    *("source", "groups", "splits", "split_seed", "validation_fraction", "test_fraction"),
    *("undersample", "limit", "labels"),
}
_PICTURES = {"unreadable", "image_size", "mode"}

# What each source is, for lists; `audit.study.sources` has what reads it.
DESCRIPTIONS = {
    "digits": "scikit-learn's handwritten digits: 1,797 grey 8×8 images, no download",
    "datasets": "what datasets.load_dataset takes: Parquet, CSV, Arrow, image folders, hub names",
    "torchvision": "a torchvision data set by class name, with its root as path",
    "folder": "images in a folder per class, below a folder per split or cut here",
    "table": "a CSV or Parquet table of features; text columns are one-hot coded",
    "module:function": "a function of yours that gives arrays, a Dataset, a DataLoader or a Source",
}

# Which settings each source reads; another one is refused, so that none is ignored in silence.
SETTINGS_OF = {
    "digits": _COMMON,
    "datasets": _COMMON
    | _PICTURES
    | {"path", "name", "arguments", "kind", "input", "label", "id", "classes"},
    "torchvision": _COMMON | _PICTURES | {"path", "name", "arguments", "classes"},
    "folder": _COMMON | _PICTURES | {"path", "classes"},
    "table": _COMMON | {"path", "arguments", "kind", "input", "label", "id", "classes"},
    "module:function": _COMMON | {"path", "arguments", "kind", "input", "label", "id", "classes"},
}


class SplitNames(Settings):
    """Which split of the source trains, validates and tests.

    Attributes:
        train: None when nothing is trained; then no validation part is cut either.
        validation: None cuts one from the training split.
        test: The split that is audited.
    """

    train: str | None = "train"
    validation: str | None = None
    test: str = "test"

    @model_validator(mode="after")
    def _each_once(self) -> SplitNames:
        names = [name for name in (self.train, self.validation, self.test) if name is not None]
        if len(set(names)) < len(names):
            raise ValueError(
                f"one split is named for two uses ({', '.join(names)}): examples that train a "
                "model cannot audit it, so name another split, or leave it out to have it cut"
            )
        return self


class Undersample(Settings):
    """Makes a group rare in the training part, and in no other part.

    Attributes:
        where: Group columns and the value that each has in the group.
        keep: Fraction of the group's training examples that stay.
        seed: Seed of the draw.
    """

    where: dict[str, str | bool | int | float] = Field(min_length=1)
    keep: Probability
    seed: int = Field(default=0, ge=0)


class Limit(Settings):
    """The largest number of examples in each part, drawn once, stratified by class."""

    train: PositiveInt | None = None
    validation: PositiveInt | None = None
    test: PositiveInt | None = None


class DataSettings(Settings):
    """Where examples come from.

    Attributes:
        source: `digits`, `datasets`, `torchvision`, `folder`, `table`, or `module:function`.
        path: File or folder (relative to the config file), a `datasets` hub name, the root of
            torchvision data, or what the function of `module:function` reads (passed as `path`).
        name: The `datasets` configuration, or the torchvision class, for example `CIFAR10`.
        arguments: Keyword arguments of `load_dataset`, of the torchvision class, of
            `pandas.read_csv`, or of the function.
        kind: `text` where models read one column of texts, which `input` names and
            `model.preprocess` makes numbers of. Otherwise the source says what it holds.
        input: Column of the images or texts, or columns of a table's features. By default the one
            image column there is, or every column but the label and the id.
        label: Column of the labels.
        id: Column of example ids; by default rows are numbered.
        groups: Columns that divide the examples into groups, numeric ones cut at stated edges, or
            `module:function` that measures groups (see `audit.study.sources.groups`).
        splits: Which split trains, validates and tests. A source with a single split is cut.
        split_seed: Seed of every cut and of `limit`.
        validation_fraction: Of the training split, where no split is named for it. By default
            0.1, and 0.2 of the digits.
        test_fraction: Of a source with a single split. By default 0.2, and 900 of the 1,797 digits.
        classes: Class names in the order of the model's outputs.
        unreadable: Whether one unreadable image stops the study, or is left out and reported.
        image_size: Pixels (a side, or height and width) to which images are scaled and centre
            cropped; by default they must agree.
        mode: `grey` or `rgb`; by default `rgb` as soon as one image has colour.
        undersample: A group to make rare in the training part. `auto` keeps 15 % of the training
            digits that lean left, so that the demo has a rare group, and does nothing elsewhere.
        limit: The largest number of examples per part, for a quick run.
        labels: Corrected labels (`example`, `label`), CSV or Parquet, as `prune-audit relabel`
            writes them: the audit says what they would change, and no model learns from them.
    """

    source: str
    path: str | None = None
    name: str | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)
    kind: Literal["text"] | None = None
    input: str | tuple[str, ...] | None = None
    label: str = "label"
    id: str | None = None
    groups: tuple[str | Binned, ...] = ()
    splits: SplitNames = SplitNames()
    split_seed: int = Field(default=0, ge=0)
    validation_fraction: Fraction | None = None
    test_fraction: Probability | None = None
    classes: tuple[str, ...] | None = Field(default=None, min_length=2)
    unreadable: Literal["fail", "skip"] = "fail"
    image_size: PositiveInt | tuple[PositiveInt, PositiveInt] | None = None
    mode: Literal["grey", "rgb"] | None = None
    undersample: Undersample | Literal["auto"] | None = "auto"
    limit: Limit | None = None
    labels: str | None = None

    @property
    def reader(self) -> str:
        """The source's key in the catalogues: a name, or `module:function`."""
        return "module:function" if ":" in self.source else self.source

    @field_validator("source")
    @classmethod
    def _known(cls, value: str) -> str:
        if ":" not in value and value not in SETTINGS_OF:
            raise ValueError(f"there is no data source {value!r}: {hint(value, SETTINGS_OF)}")
        return value

    @field_validator("classes")
    @classmethod
    def _distinct(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for position, name in enumerate(value or ()):
            if name in (value or ())[:position]:
                raise ValueError(f"class {name!r} is listed twice: list each once")
        return value

    @model_validator(mode="after")
    def _only_what_the_source_reads(self) -> DataSettings:
        known = SETTINGS_OF[self.reader]
        for key in sorted(self.model_fields_set & DataSettings.model_fields.keys()):
            if key not in known and getattr(self, key) != type(self).model_fields[key].get_default(
                call_default_factory=True
            ):
                raise ValueError(f"the source {self.source!r} has no use for {key!r}: take it out")
        if self.path is None and self.reader in ("datasets", "folder", "table"):
            raise ValueError(f"the source {self.source!r} needs a path: add one")
        if self.reader == "torchvision" and self.name is None:
            raise ValueError("the source 'torchvision' needs name, for example CIFAR10: add one")
        return self

    @model_validator(mode="after")
    def _one_column_of_texts(self) -> DataSettings:
        if self.kind is None:
            return self
        if not isinstance(self.input, str):
            raise ValueError("kind text needs input, the name of the one column of texts: add it")
        for key in sorted(_PICTURES):
            if getattr(self, key) != type(self).model_fields[key].default:
                raise ValueError(f"{key} is for pictures, and kind is text: take one of them out")
        return self


def without_labels(data: DataSettings) -> DataSettings:
    """The same settings.

    Raises:
        ValueError: They name corrected labels, which are of use for the audited data alone.
    """
    if data.labels is not None:
        raise ValueError(
            f"corrected labels are for the audited data alone, and {data.labels!r} would not be "
            "read here: take `labels` out"
        )
    return data
