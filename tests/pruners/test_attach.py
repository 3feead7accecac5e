"""Pruning inside a loop of one's own: the schedule is followed, masks hold, errors are told."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch.optim import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    NAdam,
    RAdam,
    RMSprop,
    lr_scheduler,
)

from pruners import attach
from pruners.schedules import cubic


def loop(model, optimizer, data, steps, each=lambda step: None):
    model.train()
    for i in range(1, steps + 1):
        loss = F.cross_entropy(model(data[0]), data[1])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        each(i)


def make(model, kind=SGD):
    extra = {"momentum": 0.9, "weight_decay": 0.01} if kind is SGD else {}
    return kind(model.parameters(), lr=0.01, **extra)


def removed_of(masks, model):
    return masks.sparsities(model).removed


def test_the_masks_follow_the_cubic_ramp(net, data):
    optimizer = make(net)
    path = []
    with attach(net, optimizer, sparsity=0.9, schedule="cubic", steps=30, frequency=1) as masks:
        loop(net, optimizer, data, 30, lambda i: path.append(removed_of(masks, net)))
    weights = 288 + 384
    expected = [cubic(min(i / 20, 1), 0.9) * weights for i in range(1, 31)]
    assert path == [int(value + 0.5) for value in expected]
    assert path[19:] == [605] * 11


# Those that this net has groups of; heads, layers and the like have tests of their own.
GRANULARITIES = ("1:4", "2:4", "block:4x4", "column", "filter", "kernel", "row", "weight")
ONLY = {"1:4": 0.75, "2:4": 0.5}


@pytest.mark.parametrize(
    ("kind", "schedule", "granularity"),
    [
        *[(SGD, schedule, "weight") for schedule in ("linear", "iterative", "iterative_linear")],
        *[(kind, "one_shot", "filter") for kind in (SGD, Adam)],
        *[(Adam, "cubic", granularity) for granularity in GRANULARITIES],
    ],
)
def test_masks_hold_and_never_shrink(net, data, kind, schedule, granularity):
    optimizer, seen = make(net, kind), {}
    sparsity = ONLY.get(granularity, 0.8)

    def check(step):
        for name, kept in masks.kept.items():
            parameter = net.get_parameter(name)
            assert parameter[~kept].count_nonzero() == 0
            assert not (kept & ~seen.get(name, torch.ones_like(kept))).any()
            seen[name] = kept

    attached = attach(
        net,
        optimizer,
        sparsity,
        steps=12,
        schedule=schedule,
        granularity=granularity,
        saliency="random",
    )
    masks = attached.masks
    loop(net, optimizer, data, 12, check)
    attached.detach()
    assert masks.sparsities(net).targeted == pytest.approx(sparsity, abs=0.01)
    assert masks.requested == sparsity
    if granularity == "2:4":
        blocks = masks.kept["3.weight"].movedim(1, -1).reshape(-1, 4).sum(1)
        assert (blocks == 2).all()


@pytest.mark.parametrize("saliency", ["fisher", "obd", "taylor1"])
def test_saliencies_with_examples_follow_the_training(net, data, saliency):
    optimizer = make(net)
    loader = [(data[0][:12], data[1][:12]), (data[0][12:], data[1][12:])]
    with attach(
        net, optimizer, 0.7, steps=6, saliency=saliency, data=iter(loader), frequency=2
    ) as masks:
        loop(net, optimizer, data, 6)
    assert masks.sparsities(net).removed == round(0.7 * 672)
    with pytest.raises(ValueError, match="needs examples"):
        attach(net, optimizer, 0.7, steps=6, saliency=saliency)


def test_begin_end_and_frequency_say_when(net, data):
    optimizer, changes = make(net), []

    def note(step):
        count = removed_of(masks, net)
        if not changes or changes[-1][1] != count:
            changes.append((step, count))

    with attach(
        net, optimizer, 0.8, steps=20, begin=0.25, end=0.75, frequency=4, schedule="linear"
    ) as masks:
        loop(net, optimizer, data, 20, note)
    # From step 5 (nothing due yet) to step 15: 9, 13, and the end.
    assert [step for step, _ in changes] == [1, 9, 13, 15]
    assert changes[0][1] == 0


@pytest.mark.parametrize("granularity", GRANULARITIES)
def test_a_removed_weight_never_comes_back_whatever_its_score(net, data, granularity):
    """A saliency that says something else every time cannot lift a mask."""
    calls = []

    def fickle(model, names, data, seed):
        calls.append(seed)
        draws = torch.Generator().manual_seed(len(calls))
        return {n: torch.rand(model.get_parameter(n).shape, generator=draws) for n in names}

    optimizer, before = make(net), {}
    sparsity = ONLY.get(granularity, 0.8)

    def check(step):
        for name, kept in masks.kept.items():
            assert not (kept & ~before.get(name, kept)).any()
            before[name] = kept

    with attach(
        net, optimizer, sparsity, steps=12, saliency=fickle, granularity=granularity
    ) as masks:
        loop(net, optimizer, data, 12, check)
    assert len(calls) == 8
    assert masks.sparsities(net).targeted == pytest.approx(sparsity, abs=0.01)


def test_one_shot_prunes_before_the_first_step(net, data):
    optimizer = make(net)
    with attach(net, optimizer, 0.5, steps=4, schedule="one_shot") as masks:
        assert removed_of(masks, net) == 336
        loop(net, optimizer, data, 4)
    assert removed_of(masks, net) == 336


def test_a_loop_that_is_too_short_is_told(net, data):
    optimizer = make(net)
    with (
        pytest.raises(ValueError, match=r"of 0\.9 when the loop ended after 5 steps.*step 67"),
        attach(net, optimizer, 0.9, steps=100),
    ):
        loop(net, optimizer, data, 5)
    with pytest.raises(KeyError), attach(net, optimizer, 0.9, steps=100):
        raise KeyError("the loop's own error is not hidden")


def test_after_detach_the_optimizer_is_free_again(net, data):
    optimizer = make(net)
    attached = attach(net, optimizer, 0.5, steps=4, schedule="one_shot")
    attached.detach()
    attached.detach()
    loop(net, optimizer, data, 1)
    parameter, gone = attached.masks.removed(net)[0]
    assert parameter[gone].count_nonzero() > 0


def test_the_models_names_and_hooks_are_untouched(net, data):
    keys = list(net.state_dict())
    optimizer = make(net)
    with attach(net, optimizer, 0.5, steps=3):
        loop(net, optimizer, data, 3)
        assert not any(m._forward_hooks or m._forward_pre_hooks for m in net.modules())
    assert list(net.state_dict()) == keys


@pytest.mark.parametrize(
    "arguments",
    [{"steps": 0}, {"steps": 2.5}, {"steps": 5, "sparsity": 1.0}, {"steps": 5, "rounds": 3}],
)
def test_nonsense_is_refused(net, arguments):
    with pytest.raises(ValueError, match=r"steps|fraction removed|takes initial, power"):
        attach(net, make(net), **({"sparsity": 0.5} | arguments))


def test_what_cannot_begin_leaves_no_hook_and_no_weight_to_another_optimizer(net, data):
    optimizer = make(net)
    with pytest.raises(ValueError, match="data is empty"):
        attach(net, optimizer, 0.5, steps=3, saliency="taylor1", schedule="one_shot", data=[])
    assert not optimizer._optimizer_step_post_hooks
    with pytest.raises(ValueError, match=r"does not move 3\.weight, and masks are held"):
        attach(net, SGD(net[7:].parameters(), lr=0.1), 0.5, steps=3)
    with pytest.raises(TypeError, match="got None"):
        attach(net, None, 0.5, steps=3)


OPTIMIZERS = {
    "adadelta": lambda p: Adadelta(p, lr=0.5),
    "adagrad": lambda p: Adagrad(p, lr=0.1, initial_accumulator_value=0.1),
    "adam fused": lambda p: Adam(p, lr=0.01, weight_decay=0.1, amsgrad=True, fused=True),
    "adamax": lambda p: Adamax(p, lr=0.01),
    "adamw": lambda p: AdamW(p, lr=0.01, weight_decay=0.5),
    "nadam": lambda p: NAdam(p, lr=0.01),
    "radam": lambda p: RAdam(p, lr=0.01),
    "rmsprop": lambda p: RMSprop(p, lr=0.01, momentum=0.9, centered=True),
    "sgd nesterov": lambda p: SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
}


@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_no_optimizer_moves_a_removed_weight_or_remembers_it(net, data, name):
    """Two groups of parameters, a scheduler, gradients of two batches accumulated."""
    parameters = list(net.parameters())
    optimizer = OPTIMIZERS[name]([{"params": parameters[:4]}, {"params": parameters[4:]}])
    rates = lr_scheduler.CosineAnnealingLR(optimizer, T_max=8)
    with attach(net, optimizer, 0.8, steps=8, frequency=1) as masks:
        for _ in range(8):
            optimizer.zero_grad()
            for part in (slice(12), slice(12, 24)):
                F.cross_entropy(net(data[0][part]), data[1][part]).backward()
            optimizer.step()
            rates.step()
            for parameter, gone in masks.removed(net):
                assert parameter[gone].count_nonzero() == 0
                for value in optimizer.state[parameter].values():
                    if value.shape == parameter.shape:
                        assert value[gone].count_nonzero() == 0
                        assert value[~gone].count_nonzero() > 0
    assert masks.sparsities(net).removed == round(0.8 * 672)


@pytest.mark.parametrize("fused", [False, True])
def test_a_step_that_the_gradient_scaler_skips(net, data, fused):
    """An infinite gradient stops the optimizer, not the loop; masks hold and go on after it."""
    optimizer = SGD(net.parameters(), lr=0.05, momentum=0.9, fused=fused)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    with attach(net, optimizer, 0.8, steps=12, frequency=1) as masks:
        for i in range(12):
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = F.cross_entropy(net(data[0]), data[1])
            scaler.scale(loss * (float("inf") if i == 3 else 1.0)).backward()
            scaler.step(optimizer)
            scaler.update()
            assert all(p[gone].count_nonzero() == 0 for p, gone in masks.removed(net))
    assert masks.sparsities(net).removed == round(0.8 * 672)
    assert all(parameter.isfinite().all() for parameter in net.parameters())


def test_what_is_gone_is_plus_zero_even_where_it_was_not_finite(net):
    optimizer = make(net)
    attached = attach(net, optimizer, 0.5, steps=4, schedule="one_shot")
    for parameter, gone in attached.masks.removed(net):
        parameter.data[gone] = float("nan")
        parameter.grad = -torch.ones_like(parameter)
    optimizer.step()
    for parameter, gone in attached.masks.removed(net):
        assert not parameter.data[gone].signbit().any()
        assert (parameter.data[gone] == 0.0).all()
        assert (parameter.data[~gone] != 0.0).all()
