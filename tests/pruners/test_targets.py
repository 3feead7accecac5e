"""Which weights are targeted: protected, frozen, shared, never touched."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pruners import build, find_targets, make_masks


def test_first_and_last_are_protected_by_default(net):
    found = find_targets(net)
    assert found.names == ("3.weight", "7.weight")
    assert found.protected == ("0.weight", "9.weight")
    assert found.frozen == ()
    assert found.biases == (("3.weight", "3.bias"), ("7.weight", "7.bias"))


def test_nothing_names_and_patterns_can_be_protected(net):
    assert find_targets(net, ()).names == ("0.weight", "3.weight", "7.weight", "9.weight")
    assert find_targets(net, "last").protected == ("9.weight",)
    assert find_targets(net, ("3", "7.weight")).names == ("0.weight", "9.weight")
    resnet = build("resnet20", (3, 8, 8), 10, width=2)
    assert all("conv1" not in n for n in find_targets(resnet, ["*.conv1"]).names)
    assert find_targets(resnet, ["stage2_*"]).protected[0].startswith("stage2_block1")


def test_a_name_that_protects_nothing_is_refused(net):
    with pytest.raises(ValueError, match="did you mean 'first'"):
        find_targets(net, ("frist",))


def test_nothing_left_says_why():
    with pytest.raises(ValueError, match=r"2 protected by \['first', 'last'\].*protect=\(\)"):
        find_targets(build("mlp", (4,), 2, hidden=(3,)))
    with pytest.raises(ValueError, match="no weights at all among its 2 parameters, weights are"):
        find_targets(nn.BatchNorm2d(3), ())
    computed = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    with pytest.raises(ValueError, match=r"no weights at all .*remove_parametrizations"):
        find_targets(nn.Sequential(computed), ())
    with pytest.raises(ValueError, match=r"protect is a name, .*got None"):
        find_targets(computed, None)
    with pytest.raises(TypeError, match=r"A model is a torch\.nn\.Module, got OrderedDict"):
        find_targets(computed.state_dict())


def test_frozen_weights_are_skipped_and_reported(net):
    net[3].weight.requires_grad_(False)
    found = find_targets(net)
    assert found.frozen == ("3.weight",)
    assert found.names == ("7.weight",)


def test_tables_biases_and_normalisation_are_never_targeted():
    class Text(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(9, 4)
            self.position = nn.Parameter(torch.zeros(1, 5, 4))
            self.attention = nn.MultiheadAttention(4, 2)
            self.norm = nn.LayerNorm(4)
            self.plane = nn.LayerNorm([5, 4])
            self.root = nn.RMSNorm([5, 4])
            self.head = nn.Linear(4, 2)

    found = find_targets(Text(), ())
    norms = ("plane.weight", "plane.bias", "root.weight")
    assert found.others == ("position", "table.weight", *norms)
    assert found.names == ("attention.in_proj_weight", "attention.out_proj.weight", "head.weight")
    assert found.biases == (
        ("attention.out_proj.weight", "attention.out_proj.bias"),
        ("head.weight", "head.bias"),
    )


def test_a_shared_weight_counts_once():
    first, second = nn.Linear(4, 4), nn.Linear(4, 4)
    second.weight = first.weight
    assert find_targets(nn.Sequential(first, second, nn.Linear(4, 2)), ()).names == (
        "0.weight",
        "2.weight",
    )


def test_a_transposed_convolution_has_no_bias_by_row():
    assert find_targets(nn.ConvTranspose2d(3, 3, 2), ()).biases == ()


def test_a_name_is_taken_as_it_is_before_it_is_a_pattern():
    layers = nn.ModuleDict({name: nn.Linear(4, 4) for name in ("a[0]", "a0", "größe*", "größer")})
    assert find_targets(layers, "a[0]").protected == ("a[0].weight",)
    assert find_targets(layers, "a[0].weight").protected == ("a[0].weight",)
    assert find_targets(layers, "a[01]").protected == ("a0.weight",)
    shares = make_masks(layers, [0.1], protect=(), allocation={"a[0]": 1.0})[0].sparsities(layers)
    assert shares.layers["a[0].weight"] == 6 / 16


def test_an_empty_matrix_and_the_scale_of_a_weight_norm_are_no_weights():
    net = nn.Module()
    net.weight_g, net.weight_v = nn.Parameter(torch.ones(4, 1)), nn.Parameter(torch.ones(4, 4))
    net.weight_empty = nn.Parameter(torch.ones(0, 4))
    net.weight_scalar = nn.Parameter(torch.ones(()))
    masks = make_masks(net, [0.5], protect=())[0]
    assert masks.targets.names == ("weight_v",)
    assert masks.sparsities(net).layers == {"weight_v": 0.5}


def test_weights_on_no_device_have_no_order(net):
    assert find_targets(net.to("meta")).names == ("3.weight", "7.weight")
    with pytest.raises(ValueError, match=r"no values \(device meta\)"):
        make_masks(net, [0.5])
