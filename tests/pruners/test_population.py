"""A population: who is in it, made when asked, each beside its control."""

from __future__ import annotations

import copy

import pytest
import torch

from pruners import Method, Training, population, prune_and_retrain

TRAINING = Training(epochs=1, batch_size=8)
METHODS = [Method(), Method("random", schedule="one_shot")]


def test_every_parent_method_and_sparsity_with_a_control(net, data):
    parents = {"a": net, "b": copy.deepcopy(net)}
    made = list(population(parents, *data, METHODS, [0.5, 0.9], TRAINING))
    assert [m.name for m in made[:5]] == [
        "a/control",
        "a/magnitude@0.5",
        "a/magnitude@0.9",
        "a/random-one_shot@0.5",
        "a/random-one_shot@0.9",
    ]
    assert len({m.name for m in made}) == 10
    control = next(m for m in made if m.parent == "b")
    assert (control.role, control.method, control.sparsity) == ("control", None, 0.0)
    assert {m.seed for m in made if m.parent == "a"} == {0}
    assert {m.seed for m in made if m.parent == "b"} == {1}
    assert [m.sparsities.removed for m in made[:3]] == [0, 336, 605]
    alone = prune_and_retrain(net, *data, METHODS[0], 0.9, TRAINING, seed=0)
    assert torch.equal(alone.model(data[0]), made[2].model(data[0]))


def test_members_are_made_when_asked(net, data):
    shown = []
    net.register_forward_pre_hook(lambda module, inputs: shown.append(len(inputs[0])))
    members = population({"a": net}, *data, METHODS, [0.5], TRAINING, controls=False)
    assert shown == []
    assert next(members).name == "a/magnitude@0.5"
    assert len(shown) == 3
    assert len(list(members)) == 1
    assert len(shown) == 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sparsities": [0.5, 0.5]}, "0.5 is there twice"),
        ({"sparsities": [0.0]}, "prunes nothing"),
        ({"sparsities": [1.0]}, "fraction removed"),
        ({"methods": [Method(), Method(protect=())]}, "'magnitude' is there twice"),
        ({"seeds": {"b": 1}}, "no seed for parent 'a'"),
    ],
)
def test_nonsense_is_refused_at_the_call(net, data, arguments, message):
    given = {"methods": METHODS, "sparsities": [0.5]} | arguments
    methods, sparsities = given.pop("methods"), given.pop("sparsities")
    with pytest.raises(ValueError, match=message):
        population({"a": net}, *data, methods, sparsities, TRAINING, **given)
