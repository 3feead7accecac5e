"""Costs: multiply–adds by hand and against torch's own counter, bytes, latency."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from pruners import build, measure_cost, measure_latency, prune


def test_counts_by_hand():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 3))
    with torch.no_grad():
        model[0].weight[0] = 0.0
        model[2].weight[:, :4] = 0.0
    cost = measure_cost(model, (1, 4, 4))
    # 18 weights at 4 places, 24 weights once; half of each is zero.
    assert (cost.macs, cost.macs_nonzero) == (18 * 4 + 24, 9 * 4 + 12)
    assert cost.parameters == 18 + 2 + 24 + 3
    assert cost.nonzero == 9 + 2 + 12 + 3
    assert cost.bytes == 4 * 47
    assert cost.uncounted == ()


@pytest.mark.parametrize(
    ("name", "shape", "arguments"),
    [("cnn", (1, 8, 8), {}), ("mlp", (5,), {}), ("resnet20", (3, 16, 16), {"width": 4})],
)
def test_torchs_own_counter_agrees(name, shape, arguments):
    model = build(name, shape, 10, **arguments).eval()
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(1, *shape))
    assert measure_cost(model, shape).macs == counter.get_total_flops() // 2


def test_groups_strides_and_transposed_convolutions():
    model = nn.Sequential(
        nn.Conv2d(4, 8, 3, groups=2, stride=2), nn.ConvTranspose2d(8, 2, 3, stride=2)
    )
    # 8·2·9 weights at 3×3 outputs; 8·2·9 weights at 3×3 inputs.
    assert measure_cost(model, (4, 7, 7)).macs == 144 * 9 + 144 * 9


def test_a_linear_layer_counts_each_position_and_each_call():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 3)

        def forward(self, x):
            return self.layer(self.layer(x))

    assert measure_cost(Twice(), (5, 3)).macs == 2 * 5 * 9


def test_layers_that_are_not_counted_are_named():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.idle = nn.Linear(2, 2), nn.Linear(2, 2)
            self.recurrent = nn.GRU(2, 2, batch_first=True)

        def forward(self, x):
            return self.recurrent(self.used(x))[0]

    assert measure_cost(Net(), (3, 2)).uncounted == ("idle", "recurrent")


def test_zeros_save_nothing_until_they_are_packed():
    model = build("mlp", (50,), 10)
    dense, sparse = measure_cost(model, (50,)), measure_cost(prune(model, 0.9), (50,))
    assert sparse.bytes == dense.bytes
    assert sparse.macs == dense.macs
    assert sparse.macs_nonzero < dense.macs_nonzero
    assert sparse.bytes_deflated < 0.6 * dense.bytes_deflated


def test_measuring_leaves_the_model_as_it_was(net):
    net.train()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    measure_cost(net, (1, 4, 4))
    found = measure_latency(net, torch.rand(2, 1, 4, 4), warm_up=1, repeats=5)
    assert 0 < found.low_ms <= found.median_ms <= found.high_ms
    assert (found.repeats, found.batch, found.threads, found.device) == (5, 2, 1, "cpu")
    assert net.training
    assert not any(m._forward_hooks for m in net.modules())
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())


def test_latency_needs_a_few_repeats(net):
    with pytest.raises(ValueError, match="3 repeats"):
        measure_latency(net, torch.rand(2, 1, 4, 4), repeats=2)
