"""Methods: labels, aliases, and combinations that make no sense."""

from __future__ import annotations

import dataclasses
import json

import pytest

from pruners import Method
from pruners.schedules import linear


def test_labels_leave_defaults_out_but_for_the_saliency():
    assert Method().label == "magnitude"
    assert Method("obd", allocation="uniform").label == "obd-uniform"
    assert (
        Method("fisher", "filter", "erk", "one_shot", "none").label
        == "fisher-filter-erk-one_shot-none"
    )
    assert Method(name="ours").label == "ours"
    assert Method(schedule=linear).label == "magnitude-linear"


def test_polynomial_is_cubic_and_equal_methods_are_equal():
    assert Method(schedule="polynomial") == Method()
    assert Method(schedule="polynomial").label == "magnitude"
    one = Method(arguments={"power": 2.0, "initial": 0.1}, protect=["first"])
    two = Method(arguments=(("initial", 0.1), ("power", 2.0)), protect="first")
    assert one == two
    assert hash(one) == hash(two)
    assert one.sparsity_at(0.0, 0.9) == pytest.approx(0.1)
    assert dataclasses.replace(one, name="x").label == "x"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"saliency": "magnitud"}, "did you mean 'magnitude'"),
        ({"granularity": "blok"}, "no granularity called 'blok'"),
        ({"allocation": "glob"}, "did you mean 'global'"),
        ({"schedule": "cubik"}, "did you mean 'cubic'"),
        ({"retraining": "finetune"}, "did you mean 'fine_tune'"),
        ({"saliency": None}, "must be a name or a function"),
        ({"retraining": "none"}, "needs training steps"),
        ({"granularity": "2:4", "allocation": "erk"}, "same share of every layer"),
        ({"schedule": "one_shot", "frequency": 3}, "leave out end and frequency"),
        ({"schedule": "one_shot", "end": 0.9}, "leave out end and frequency"),
        ({"schedule": "one_shot", "arguments": {"power": 2.0}}, "takes no arguments, not power"),
        ({"arguments": {"rounds": 2}}, "takes initial, power, not rounds"),
        ({"arguments": {"power": -1.0}}, "above 0"),
        ({"schedule": lambda progress, final: 0.5}, "must end at the sparsity asked for"),
        ({"begin": 0.9}, "0 ≤ begin < end ≤ 1"),
        ({"end": 1.5}, "0 ≤ begin < end ≤ 1"),
        ({"begin": "0"}, "0 ≤ begin < end ≤ 1"),
        ({"frequency": 0}, "frequency"),
        ({"examples": 10}, "looks at no examples"),
        ({"count": "weights"}, "'targeted' weights or 'all' parameters"),
        ({"keep": 0}, "keep must be an integer"),
        ({"reenter": 1}, "reenter must be true or false"),
        ({"biases": True, "granularity": "2:4", "allocation": "uniform"}, "removes whole groups"),
        ({"schedule": "cyclic"}, "add reenter=True"),
        ({"schedule": "one_shot", "reenter": True}, "leave it out"),
        ({"schedule": "iterative", "retraining": "none", "reenter": True}, "leave it out"),
        ({"retraining": "weight_rewinding"}, "begins when pruning is over"),
        ({"schedule": "at_initialisation"}, "use 'while_training'"),
        ({"rewind": 0.5}, "rewinds nothing"),
        ({"retraining": "lr_rewinding", "rewind": 1.0}, "in \\[0, 1\\)"),
        ({"schedule": "iterative", "retraining": "none", "end": 0.5}, "leave out end"),
        (
            {"schedule": "at_initialisation", "retraining": "while_training", "begin": 0.1},
            "leave out begin",
        ),
        ({"saliency": "fisher", "examples": 0}, "integer of 1 or more"),
        ({"name": 3}, "a line of text, got 3"),
        ({"name": " "}, "a line of text, got ' '"),
        ({"name": "a\nb"}, "a line of text"),
        ({"name": "a/b"}, "'a/b' has a '/'"),
    ],
)
def test_nonsense_is_refused_with_the_reason(arguments, message):
    with pytest.raises(ValueError, match=message):
        Method(**arguments)


@pytest.mark.parametrize(
    "method",
    [
        Method(),
        Method("fisher", "filter", "erk", "one_shot", "none", examples=10),
        Method(schedule="cyclic", arguments={"cycles": 2, "initial": 0.1}, reenter=True),
        Method(schedule="one_shot", retraining="weight_rewinding", rewind=0.25, protect="first"),
        Method(count="all", biases=True, keep=2, recalibrate=True, name="ours"),
    ],
)
def test_a_method_is_written_down_and_read_again(method):
    saved = json.loads(json.dumps(method.to_dict()))
    assert Method.from_dict(saved) == method
    assert Method().to_dict() == {}


def test_what_cannot_be_written_down_is_said():
    with pytest.raises(ValueError, match="schedule of method 'magnitude-linear' is a function"):
        Method(schedule=linear).to_dict()
    with pytest.raises(ValueError, match=r"no field called 'salience'.*'saliency'"):
        Method.from_dict({"salience": "obd"})
