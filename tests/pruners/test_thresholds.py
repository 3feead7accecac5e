"""The lowest of many numbers at several counts: what a stable sort gives, without one."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pruners import thresholds
from pruners.thresholds import lowest


@pytest.fixture(autouse=True, params=["counted", "sorted"])
def either_way(request, monkeypatch):
    monkeypatch.setattr(thresholds, "SORTED", -1 if request.param == "counted" else 2**20)


VALUES = [-math.inf, -1.0, -0.0, 0.0, 0.5, 0.5000001, 2.0, math.inf]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@given(values=st.lists(st.sampled_from(VALUES), min_size=1), draw=st.data())
def test_lowest_is_a_stable_sort(dtype, values, draw):
    keys = torch.tensor(values, dtype=dtype)
    counts = draw.draw(st.lists(st.integers(0, len(values)), max_size=4))
    order = keys.argsort(stable=True)
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(values)), max_size=3)))
    found = lowest(keys.tensor_split(cuts), counts)
    for count in counts:
        assert torch.cat(found.at(count)).nonzero()[:, 0].tolist() == sorted(order[:count].tolist())


@given(seed=st.integers(0, 99), size=st.integers(1, 60), several=st.integers(1, 300))
def test_chunks_and_many_counts_change_nothing(seed, size, several):
    draws = torch.Generator().manual_seed(seed)
    keys = torch.randn(size, generator=draws).mul(4).round().div(4)
    counts = torch.randint(size + 1, (several,), generator=draws).tolist()
    whole = lowest([keys], counts)
    before, thresholds.CHUNK = thresholds.CHUNK, 7
    try:
        parts = lowest(keys.tensor_split(3), counts)
    finally:
        thresholds.CHUNK = before
    assert torch.equal(torch.cat(whole.levels), torch.cat(parts.levels))
    order = keys.argsort(stable=True)
    assert all(
        set(order[:n].tolist()) == set(torch.cat(parts.at(n)).nonzero()[:, 0].tolist())
        for n in counts
    )


def test_more_counts_than_a_short_integer_holds():
    keys = torch.arange(33_000.0)
    found = lowest([keys], range(33_000))
    assert [int(found.at(count)[0].count_nonzero()) for count in (1, 32_767, 32_999)] == [
        1,
        32_767,
        32_999,
    ]
