"""A retraining of one's own is called with what it takes, and refused where it cannot prune."""

from __future__ import annotations

import pytest
import torch

from pruners import Method, Training, build, prune_and_retrain, train
from pruners.own_retraining import own_retraining
from pruners.retraining import fine_tune, lr_rewinding

INPUTS, LABELS = torch.rand(12, 4), torch.arange(12) % 3
TRAINING = Training(epochs=1, batch_size=6)


def mine(model, inputs, labels, training, *, watcher=None, seed=0):
    """Takes neither `origin` nor `prepare` nor `device`."""
    return train(model, inputs, labels, training, watcher=watcher, seed=seed)


def test_a_function_without_origin_prunes_as_one_with_it():
    parent = build("mlp", (4,), 3, hidden=(6, 6))
    pruned = [
        prune_and_retrain(
            parent, INPUTS, LABELS, Method(retraining=retraining), 0.5, TRAINING, seed=3
        )
        for retraining in (mine, "fine_tune")
    ]
    own, ours = (one.model.state_dict() for one in pruned)
    assert all(torch.equal(own[name], ours[name]) for name in ours)
    assert pruned[0].sparsities.targeted == 0.5
    assert Method(retraining=mine).label == "magnitude-mine"


def test_what_takes_everything_is_called_as_it_is():
    assert own_retraining(fine_tune) is fine_tune
    assert own_retraining(lr_rewinding) is lr_rewinding


def no_watcher(model, inputs, labels, training, seed=0):
    return train(model, inputs, labels, training, seed=seed)


def too_few(model, inputs, *, watcher=None):
    return None


def more(model, inputs, labels, training, extra, *, watcher=None):
    return None


@pytest.mark.parametrize("function", [no_watcher, too_few, more])
def test_what_cannot_prune_is_refused_when_the_method_is_made(function):
    with pytest.raises(
        ValueError, match=rf"and watcher=, which prunes.*{function.__name__}\(.*fit"
    ):
        Method(retraining=function)
