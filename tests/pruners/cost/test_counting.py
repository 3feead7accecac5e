"""Multiply–adds by hand, against torch's own counter, and against published figures."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from pruners import MACS_DEFINITION, build, count_macs, measure_cost

CIFAR_VGG16 = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
LI_VGG16 = [32, 64, 128, 128, 256, 256, 256, 256, 256, 256, 256, 256, 256]


def test_counts_by_hand():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 3))
    with torch.no_grad():
        model[0].weight[0] = 0.0
        model[2].weight[:, :4] = 0.0
    cost = measure_cost(model, (1, 4, 4))
    # 18 weights at 4 places, 24 weights once; half of each is zero.
    assert (cost.macs, cost.macs_nonzero) == (18 * 4 + 24, 9 * 4 + 12)
    assert cost.uncounted == ()
    layers = count_macs(model, torch.zeros(1, 1, 4, 4)).layers
    assert [(x.name, x.kind, x.weights, x.nonzero, x.positions, x.macs) for x in layers] == [
        ("0", "Conv2d", 18, 9, 4, 72),
        ("2", "Linear", 24, 12, 1, 24),
    ]
    assert sum(layer.macs_nonzero for layer in layers) == cost.macs_nonzero


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
    (layer,) = count_macs(Twice(), torch.zeros(1, 5, 3)).layers
    assert (layer.weights, layer.positions) == (9, 10)


def test_attention_counts_its_four_projections_and_says_what_it_leaves_out():
    attention = nn.MultiheadAttention(4, 2, batch_first=True)
    with torch.no_grad():
        attention.in_proj_weight[:4] = 0.0
    query, key = torch.zeros(1, 3, 4), torch.zeros(1, 5, 4)
    found = count_macs(attention, (query, key, key))
    # Queries and output at 3 tokens, keys and values at 5, 16 weights each.
    assert found.macs == 16 * (3 + 5 + 5 + 3)
    assert found.macs_nonzero == found.macs - 16 * 3
    assert found.uncounted == ()
    assert found.layers[0].weights == 64
    assert found == count_macs(attention, {"query": query, "key": key, "value": key})
    apart = nn.MultiheadAttention(4, 2, kdim=6, vdim=2, batch_first=True)
    others = (torch.zeros(1, 5, 6), torch.zeros(1, 5, 2))
    assert count_macs(apart, (query, *others)).macs == 3 * 16 + 5 * 24 + 5 * 8 + 3 * 16
    for said in ("projections", "queries by keys", "normalisation", "count nothing"):
        assert said in MACS_DEFINITION


def test_a_transformer_block_against_torchs_counter_without_its_products():
    torch.manual_seed(0)
    block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    x = torch.zeros(1, 5, 8)
    with FlopCounterMode(display=False) as counter, torch.enable_grad():
        block(x.requires_grad_(True))
    products = 2 * 2 * 5 * 5 * 4  # two heads of width 4: 5×5 scores, and their sums over 5 values
    assert count_macs(block, x.detach()).macs == counter.get_total_flops() // 2 - products


def test_layers_that_are_not_counted_are_named():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.idle = nn.Linear(2, 2), nn.Linear(2, 2)
            self.recurrent = nn.GRU(2, 2, batch_first=True)

        def forward(self, x):
            return self.recurrent(self.used(x))[0]

    assert measure_cost(Net(), (3, 2)).uncounted == ("idle", "recurrent")
    # By itself it has no name.
    assert count_macs(nn.GRU(2, 2), torch.zeros(1, 3, 2)).uncounted == ("GRU",)


def vgg16(widths: list[int]) -> nn.Module:
    """VGG-16 with batch-norm for 32×32 images: the published one has a head of 512 units."""
    layers: list[nn.Module] = []
    fan_in = 3
    for i, width in enumerate(widths, start=1):
        layers += [nn.Conv2d(fan_in, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if i in (2, 4, 7, 10, 13) else []
        fan_in = width
    head = [nn.Linear(fan_in, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 10)]
    return nn.Sequential(*layers, nn.Flatten(), *head)


def test_vgg16_before_and_after_li():
    dense, pruned = (
        count_macs(vgg16(widths).eval(), torch.zeros(1, 3, 32, 32))
        for widths in (CIFAR_VGG16, LI_VGG16)
    )
    weights = [sum(layer.weights for layer in macs.layers) for macs in (dense, pruned)]
    # Li 2016, table 1: 64.0 % of 15 M parameters and 34.2 % of 313 M multiply–adds go.
    assert weights == [14_977_728, 5_390_176]
    assert (dense.macs, pruned.macs) == (313_463_808, 206_279_680)
    assert round(100 * (1 - weights[1] / weights[0]), 1) == 64.0
    assert round(100 * (1 - pruned.macs / dense.macs), 1) == 34.2
