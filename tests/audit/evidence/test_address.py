"""Addresses: pinned, the same for the same recipe, different for different ones."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.evidence.address import address, canonical, canonical_json


class Decay(enum.Enum):
    COSINE = "cosine"


@dataclass(frozen=True)
class Training:
    epochs: int = 10
    lr: float = 0.1
    decay: Decay = Decay.COSINE
    stages: tuple[int, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Parent:
    data: str
    training: Training = field(default_factory=Training)
    seed: int = 0
    revision: ClassVar[int] = 1


@dataclass(frozen=True)
class Pruned:
    parent: Parent
    sparsity: float
    where: Path | None = None
    note: str = field(default="", compare=False)
    revision: ClassVar[int] = 3


# These never change: results in people's stores are found by them.
PINNED = {
    "parent-adecb4e871df51ef": Parent("digits"),
    "pruned-ce4ee147e6fb7051": Pruned(
        Parent("digits", Training(epochs=3), seed=4), 0.9, Path("a") / "b"
    ),
    "training-b1a280cc257be583": Training(
        lr=1e-3, stages=(1, 2), options={"b": [1.5, None, True], "a": "é"}
    ),
}


@pytest.mark.parametrize("pinned", PINNED)
def test_addresses_are_pinned(pinned: str):
    assert address(PINNED[pinned]) == pinned


def test_canonical_by_hand():
    recipe = Pruned(Parent("digits", Training(epochs=3), seed=4), 0.9, Path("a") / "b", note="x")
    assert canonical(recipe) == {
        "class": "Pruned",
        "revision": 3,
        "parent": {
            "class": "Parent",
            "revision": 1,
            "data": "digits",
            "training": {"class": "Training", "revision": 1, "epochs": 3},
            "seed": 4,
        },
        "sparsity": 0.9,
        "where": "a/b",
    }


def test_canonical_json_sorts_keys_and_leaves_no_spaces():
    assert canonical_json(Parent("é")) == '{"class":"Parent","data":"\\u00e9","revision":1}'


def test_what_equals_its_default_is_left_out():
    plain = canonical(Training())
    assert plain == {"class": "Training", "revision": 1}
    assert canonical(Training(10, 0.1, Decay.COSINE, (), {})) == plain
    assert canonical(Training(epochs=10.0, stages=[])) == plain  # type: ignore[arg-type]
    assert address(Parent("x", Training())) == address(Parent("x"))


def test_a_field_added_later_keeps_the_address():
    @dataclass(frozen=True)
    class Recipe:
        seed: int

    before = address(Recipe(3))

    @dataclass(frozen=True)
    class Recipe:  # type: ignore[no-redef]
        seed: int
        added: float = 0.5

    assert address(Recipe(3)) == before
    assert address(Recipe(3, 0.6)) != before  # type: ignore[call-arg]


def test_a_raised_revision_changes_the_address(monkeypatch: pytest.MonkeyPatch):
    before = address(Parent("x"))
    monkeypatch.setattr(Parent, "revision", 2)
    assert address(Parent("x")) != before


def test_whatever_changes_a_parent_changes_its_children():
    child = Pruned(Parent("digits"), 0.5)
    assert address(child) != address(Pruned(Parent("digits", seed=1), 0.5))
    assert address(child) != address(Pruned(Parent("digits", Training(epochs=9)), 0.5))


def test_numbers_that_are_equal_agree_and_truth_values_do_not():
    assert address(Parent("x", seed=1)) == address(Parent("x", seed=1.0))  # type: ignore[arg-type]
    assert address(Parent("x", seed=1)) == address(Parent("x", seed=np.int64(1)))  # type: ignore[arg-type]
    assert address(Parent("x", seed=1)) != address(Parent("x", seed=True))
    assert address(Parent("x", seed=0)) != address(Parent("x", seed=False))
    assert address(Training(options={"a": (1,)})) != address(Training(options={"a": (True,)}))
    assert address(Training(lr=-0.0)) == address(Training(lr=0.0))
    assert address(Training(lr=np.float64(0.3))) == address(Training(lr=0.3))


@dataclass(frozen=True)
class Anything:
    value: Any


class Unsayable:
    def __repr__(self) -> str:
        return "<unsayable>"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, (1, [math.nan]), {"a": math.inf}])
def test_what_is_not_finite_is_refused(value: object):
    with pytest.raises(ValueError, match=r"^Anything\.value.* is -?(nan|inf).*: give a finite"):
        address(Anything(value))


@pytest.mark.parametrize(
    "value",
    [{1, 2}, frozenset(), b"x", Unsayable(), object, np.float32(0.1), [{"a": {2}}], Parent, 1j],
)
def test_what_json_cannot_say_is_refused(value: object):
    with pytest.raises(TypeError, match=r"^Anything\.value.* has no canonical form: use numbers"):
        address(Anything(value))


def test_keys_that_are_not_text_are_refused():
    with pytest.raises(TypeError, match=r"^Anything\.value has the key 1: keys in a recipe must"):
        address(Anything({1: 2}))


def test_what_is_no_frozen_dataclass_is_refused():
    @dataclass
    class Open:
        seed: int = 0

    with pytest.raises(TypeError, match=r"must be a frozen dataclass, not \{'seed': 1\}"):
        address({"seed": 1})
    with pytest.raises(TypeError, match="must be a frozen dataclass, not <class"):
        address(Parent)
    with pytest.raises(TypeError, match=r"^Open can change after it was named: declare it frozen"):
        address(Open())
    with pytest.raises(TypeError, match=r"^Open can change"):
        address(Anything(Open()))


def test_a_revision_that_is_a_field_is_refused():
    @dataclass(frozen=True)
    class Wrong:
        revision: int = 2

    with pytest.raises(TypeError, match=r"^Wrong\.revision is a field"):
        address(Wrong())


SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
PLAIN = st.recursive(
    SCALARS.filter(lambda v: not (isinstance(v, float) and math.isinf(v))),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


def reordered(value: Any) -> Any:
    """The same value, written down differently."""
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    if isinstance(value, list):
        return tuple(map(reordered, value))
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
        return float(value)
    return value


@given(PLAIN)
def test_how_a_value_is_written_does_not_matter(value: Any):
    assert address(Anything(value)) == address(Anything(reordered(value)))


def agree(first: Any, second: Any) -> bool:
    """Whether two values mean the same, said without JSON."""
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(map(agree, first, second))
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(agree(first[k], second[k]) for k in first)
    return bool(first == second)


ALIKE = st.sampled_from([0, 0.0, False, 1, 1.0, True, "1", "", None, (), [], {}, "None", 0.1])
NEST = st.recursive(ALIKE, lambda i: st.lists(i, max_size=2) | st.dictionaries(ALIKE.map(str), i))


@given(NEST, NEST)
def test_values_share_a_name_only_if_they_mean_the_same(first: Any, second: Any):
    assert (address(Anything(first)) == address(Anything(second))) == agree(first, second)
