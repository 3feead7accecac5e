"""Granularities: groups by hand, and that spreading undoes gathering."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pruners import GRANULARITIES, make_masks
from pruners.granularity import filters, first, norm, size_of_total, total, two_of_four, weight
from pruners.saliency import taylor1


def test_filters_are_rows():
    layout = filters("w", torch.Size([2, 3]))
    rows = layout.gather(torch.tensor([[3.0, 4.0, 0.0], [1.0, -1.0, 1.0]]))
    assert norm(rows).tolist() == pytest.approx([5.0, 3**0.5])
    assert layout.spread(torch.tensor([True, False])).tolist() == [[True] * 3, [False] * 3]


def test_pools_by_hand():
    values = torch.tensor([[3.0, -4.0], [1.0, 1.0]])
    assert norm(values).tolist() == pytest.approx([5.0, 2**0.5])
    assert total(values).tolist() == [-1.0, 2.0]
    assert size_of_total(values).tolist() == [1.0, 2.0]
    assert first(values).tolist() == [3.0, 1.0]
    assert norm(values[:, 1:]).tolist() == [4.0, 1.0]


def test_filters_go_by_their_l2_norm(linear):
    """Norms 3, √8 and 9, sums of sizes 3, 4 and 9: the second goes, not the first."""
    layer = linear([[3.0, 0.0], [2.0, -2.0], [9.0, 0.0]])
    kept = make_masks(layer, [1 / 3], granularity="filter", protect=())[0].kept["weight"]
    assert kept.all(1).tolist() == [True, False, True]


def test_taylor_of_a_filter_is_the_size_of_the_sum(net, data):
    """Contributions of one filter may cancel; a negative sum is as large as a positive one."""
    net[3].weight.requires_grad_(False)
    row_sums = taylor1(net, ["7.weight"], data)["7.weight"].sum(1)
    smallest = int(row_sums.abs().argmin())
    assert smallest != int(row_sums.argmin())
    kept = make_masks(net, [1 / 12], saliency="taylor1", granularity="filter", data=data)[0]
    assert (~kept.kept["7.bias"]).nonzero().tolist() == [[smallest]]


def test_two_of_four_by_hand(linear):
    layer = linear([[1.0, -3.0, 2.0, 4.0, 0.0, 0.0, 0.0, 0.0]])
    kept = make_masks(layer, [0.5], granularity="2:4", protect=())[0].kept["weight"]
    assert kept.int().tolist() == [[0, 1, 0, 1, 0, 0, 1, 1]]


def test_two_of_four_runs_along_the_channels_of_a_convolution():
    layer = torch.nn.Conv2d(8, 3, 3)
    kept = make_masks(layer, [0.5], granularity="2:4", protect=())[0].kept["weight"]
    assert kept.shape == (3, 8, 3, 3)
    blocks = kept.permute(0, 2, 3, 1).reshape(-1, 4).sum(1)
    assert (blocks == 2).all()


def test_two_of_four_refuses_other_inputs_and_other_sparsities(linear):
    with pytest.raises(ValueError, match="weight has 3"):
        make_masks(linear([[1.0, 2.0, 3.0]]), [0.5], granularity="2:4", protect=())
    layer = linear([[1.0, 2.0, 3.0, 4.0]])
    for sparsity in (0.75, 0.25):
        with pytest.raises(
            ValueError, match=r"'2:4' removes 0\.5, no more and no less, got sparsity 0"
        ):
            make_masks(layer, [sparsity], granularity="2:4", protect=())


@given(
    st.sampled_from([weight, filters, two_of_four]),
    st.lists(st.integers(1, 4), min_size=2, max_size=4),
    st.integers(0, 99),
)
def test_spreading_undoes_gathering(granularity, sizes, seed):
    shape = torch.Size([sizes[0], 4 * sizes[1], *sizes[2:]])
    layout = granularity("w", shape)
    groups = shape.numel() // layout.members
    removed = torch.rand(groups, generator=torch.Generator().manual_seed(seed)) < 0.5
    spread = layout.spread(removed)
    assert spread.shape == shape
    gathered = layout.gather(spread)
    assert gathered.shape == (groups, layout.members)
    assert torch.equal(gathered, removed[:, None].expand_as(gathered))


def test_every_row_has_a_layout_that_covers_the_parameter():
    shape = torch.Size([2, 4, 3, 3])
    for row in GRANULARITIES.values():
        layout = row.function("w", shape)
        assert layout.gather(torch.zeros(shape)).numel() == shape.numel()
