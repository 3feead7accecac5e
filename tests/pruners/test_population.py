"""A population: who is in it, made when asked, each beside its control."""

from __future__ import annotations

import copy
import dataclasses

import pandas
import pytest
import torch

from pruners import (
    Method,
    Training,
    frame,
    make_origin,
    population,
    prune_and_retrain,
    train,
)

TRAINING = Training(epochs=1, batch_size=8)
METHODS = [Method(), Method("random", schedule="one_shot")]
RECIPE = Training(epochs=2, batch_size=8, lr=0.05)
UNPAIRED = [
    Method(retraining="while_training", name="cubic"),
    Method("random", schedule="one_shot", retraining="none", name="random"),
]


def weights(model):
    return torch.cat([p.detach().reshape(-1) for p in model.parameters()])


@pytest.fixture
def origins():
    return {
        name: make_origin("cnn", (1, 4, 4), 3, RECIPE, seed=seed, width=3)
        for name, seed in (("a", 4), ("b", 5))
    }


@pytest.fixture
def parents(origins, data):
    trained = {name: origin.build() for name, origin in origins.items()}
    for name, model in trained.items():
        train(model, *data, RECIPE, seed=origins[name].seed)
    return trained


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
        (
            {"methods": [Method(), Method(protect=())]},
            "'magnitude' is there twice: give each a name",
        ),
        ({"seeds": {"b": 1}}, "no seed for parent 'a'"),
    ],
)
def test_nonsense_is_refused_at_the_call(net, data, arguments, message):
    given = {"methods": METHODS, "sparsities": [0.5]} | arguments
    methods, sparsities = given.pop("methods"), given.pop("sparsities")
    with pytest.raises(ValueError, match=message):
        population({"a": net}, *data, methods, sparsities, TRAINING, **given)


def test_a_chain_starts_each_sparsity_from_the_one_before(net, data):
    # The second prunes late: what was removed before has to be held until then.
    methods = [
        Method("random", schedule="one_shot", name="r"),
        Method(schedule="linear", begin=0.6, end=1.0, name="m"),
    ]
    made = list(
        population({"a": net}, *data, methods, [0.8, 0.5], TRAINING, controls=False, chain=True)
    )
    assert [m.name for m in made] == ["a/r@0.5", "a/r@0.8", "a/m@0.5", "a/m@0.8"]
    assert [m.before for m in made] == [None, "a/r@0.5", None, "a/m@0.5"]
    for first, second in (made[:2], made[2:]):
        for name, kept in second.masks.kept.items():
            assert not (kept & ~first.masks.kept[name]).any()
        assert second.sparsities.removed == round(0.8 * 672)
    again = prune_and_retrain(
        made[2].model, *data, methods[1], 0.8, TRAINING, seed=0, before=made[2].masks
    )
    assert torch.equal(weights(again.model), weights(made[3].model))
    alone = prune_and_retrain(net, *data, methods[1], 0.8, TRAINING, seed=0)
    assert not torch.equal(weights(alone.model), weights(made[3].model))


@pytest.mark.parametrize("how", ["names", "models"])
def test_a_chain_is_taken_up_where_it_was_left(net, data, how):
    given = ({"a": net}, *data, [Method()], [0.5, 0.7, 0.9], TRAINING)
    whole = list(population(*given, chain=True))
    first = {m.name: (m.model, m.masks) for m in whole[:3]}
    rest = list(population(*given, chain=True, done=list(first) if how == "names" else first))
    assert [m.name for m in rest] == ["a/magnitude@0.9"]
    assert torch.equal(weights(rest[0].model), weights(whole[3].model))
    assert list(population(*given, chain=True, done={m.name for m in whole})) == []


def test_what_is_done_is_not_made_again(net, data):
    shown = []
    net.register_forward_pre_hook(lambda module, inputs: shown.append(len(inputs[0])))
    done = {"a/control", "a/magnitude@0.5"}
    made = list(population({"a": net}, *data, METHODS[:1], [0.5, 0.9], TRAINING, done=done))
    assert [m.name for m in made] == ["a/magnitude@0.9"]
    assert len(shown) == 3


def test_members_without_parents_have_seeds_of_their_own(origins, data):
    made = list(population(None, *data, UNPAIRED, [0.5, 0.8], TRAINING, origins=origins))
    assert [m.name for m in made[:5]] == [
        "a/dense", "a/cubic@0.5", "a/cubic@0.8", "a/random@0.5", "a/random@0.8",
    ]  # fmt: skip
    assert [m.role for m in made[:2]] == ["dense", "pruned"]
    assert {m.parent for m in made} == {None}
    assert {m.kind for m in made} == {"independent"}
    assert len({m.seed for m in made}) == 10
    # What one is: its origin drawn and trained by that seed.
    dense, cubic, _, random = made[:4]
    source = origins["a"].redrawn(dense.seed)
    alone = source.build()
    assert train(alone, *data, RECIPE, seed=dense.seed) == dense.curve
    assert torch.equal(weights(alone), weights(dense.model))
    assert len(cubic.curve.loss) == 2
    assert random.curve.loss == ()
    again = population(None, *data, UNPAIRED, [0.8], TRAINING, origins=origins, controls=False)
    twin = next(again)
    assert twin.name == "a/cubic@0.8"
    assert torch.equal(weights(twin.model), weights(made[2].model))


def test_a_small_dense_net_has_as_many_parameters_as_stay(parents, origins, data):
    made = list(
        population(
            parents, *data, [Method(protect=())], [0.5], TRAINING, origins=origins,
            controls=("dense", "small_dense"),
        )
    )  # fmt: skip
    assert [m.name for m in made[:3]] == ["a/control", "a/small_dense@0.5", "a/magnitude@0.5"]
    assert [m.control for m in made[:3]] == ["dense", "small_dense", None]
    small, pruned = made[1], made[2]
    assert small.role == "control"
    assert small.sparsities.removed == 0
    assert len(small.curve.loss) == RECIPE.epochs
    left = pruned.sparsities.parameters - pruned.sparsities.removed
    assert abs(small.sparsities.parameters - left) < 0.35 * left
    assert small.sparsities.parameters < 0.7 * pruned.sparsities.parameters


def test_each_way_of_retraining_has_its_control(parents, origins, data):
    methods = [
        Method(),
        Method(schedule="one_shot", retraining="lr_rewinding", rewind=0.5),
        Method(schedule="one_shot", retraining="weight_rewinding"),
        Method("random", schedule="one_shot", retraining="from_scratch_e"),
    ]
    members = population(parents, *data, methods, [0.5], TRAINING, origins=origins)
    made = {m.name: m for m in members}
    assert [name for name, m in made.items() if m.role == "control" and m.parent == "a"] == [
        "a/control", "a/control-from_scratch_e", "a/control-lr_rewinding-0.5",
    ]  # fmt: skip
    rewound = made["a/control-lr_rewinding-0.5"]
    assert len(rewound.curve.loss) == 1
    assert rewound.sparsities.removed == 0
    assert not torch.equal(weights(rewound.model), weights(made["a/control"].model))


def test_a_row_per_member(parents, origins, data):
    method = Method("random", schedule="one_shot")
    table = frame(population(parents, *data, [method], [0.5], TRAINING)).set_index("name")
    row = table.loc["a/random-one_shot@0.5"]
    assert (row["parent"], row["role"], row["population"]) == ("a", "pruned", "independent")
    assert row["sparsity"] == 0.5
    assert row["sparsity_targeted"] == pytest.approx(0.5, abs=0.005)
    removed = row["parameters"] - row["nonzero"]
    assert row["sparsity_all"] == pytest.approx(removed / row["parameters"])
    assert row["layer/conv1.weight"] == 0.0
    assert row["layer/conv2.weight"] > 0.0
    assert row["macs_nonzero"] < row["macs"]
    assert (row["epochs"], row["loss"]) == (1, row["curve_loss"][-1])
    control = table.loc["a/control"]
    assert control["control"] == "dense"
    assert pandas.isna(control["method"])
    assert control["macs_nonzero"] == control["macs"]
    assert table.index.is_unique


def test_the_kind_of_population_is_told_by_its_parents(net, data):
    def kind(parents, method, **more):
        members = population(parents, *data, [method], [0.5], TRAINING, **more)
        return next(members).kind

    shot = Method("fisher", schedule="one_shot", retraining="none")
    assert kind({"a": net, "b": net}, Method()) == "one_parent"
    assert kind({"a": net, "b": net}, shot) == "calibration"
    assert kind({"a": net, "b": copy.deepcopy(net)}, shot) == "independent"
    assert kind({"a": net, "b": copy.deepcopy(net)}, shot, kind="snapshots") == "snapshots"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"controls": ("sparse",)}, "there is no 'sparse'"),
        ({"controls": ("small_dense",)}, "nothing says how that was"),
        ({"methods": [Method(retraining="while_training")]}, "nothing says how that was"),
        ({"parents": None}, "needs origins"),
        ({"parents": None, "origins": "b", "seeds": {"b": 1}}, "leave out seeds"),
        ({"parents": None, "origins": "b", "chain": True}, "leave out chain"),
        ({"origins": "b"}, "no parent 'b'"),
        ({"origins": "a", "controls": ("small_dense",)}, "does not say how a narrower net"),
        (
            {"methods": [Method(schedule="constant", reenter=True)], "chain": True},
            "leave out reenter",
        ),
        (
            {"methods": [Method(retraining="while_training")], "chain": True, "origins": "a"},
            "use 'weight_rewinding'",
        ),
    ],
)
def test_a_population_that_cannot_be_made_is_refused_at_the_call(
    net, data, origins, arguments, message
):
    given = {"parents": {"a": net}, "methods": METHODS} | arguments
    if name := given.get("origins"):
        given["origins"] = {name: dataclasses.replace(origins[name], narrow=None)}
    parents, methods = given.pop("parents"), given.pop("methods")
    with pytest.raises(ValueError, match=message):
        population(parents, *data, methods, [0.5], TRAINING, **given)
