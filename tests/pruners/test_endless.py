"""Channels that come back to themselves are refused, where torch-pruning goes on for ever."""

from __future__ import annotations

import pytest
import torch
from torch_pruning.dependency.group import Group

from pruners import compact, make_masks
from pruners.dependencies import trace_dependencies


@pytest.fixture(scope="module")
def llama():
    transformers = pytest.importorskip("transformers")
    config = transformers.LlamaConfig(
        vocab_size=32,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=1,
        num_attention_heads=4,
        num_key_value_heads=2,
        num_labels=3,
        use_cache=False,
        pad_token_id=0,
    )
    torch.manual_seed(0)
    return transformers.LlamaForSequenceClassification(config).eval()


@pytest.fixture
def tokens():
    return torch.arange(24).reshape(4, 6) % 31 + 1


def test_tracing_ends_and_says_why(llama, tokens):
    before = Group.add_dep
    with pytest.raises(ValueError, match="come back to themselves"):
        trace_dependencies(llama, (tokens,))
    assert Group.add_dep is before


def test_channels_fall_back_to_filters_with_a_note(llama, tokens):
    data = (tokens, torch.zeros(4, dtype=torch.long))
    masks = make_masks(llama, [0.5], granularity="channel", data=data, protect=())[0]
    assert any("come back to themselves" in note for note in masks.notes)
    removed = sum(int((~kept).sum()) for kept in masks.kept.values())
    total = sum(kept.numel() for kept in masks.kept.values())
    assert removed / total == pytest.approx(0.5, abs=0.02)


def test_compaction_leaves_the_masked_model(llama, tokens):
    masks = make_masks(llama, [0.5], protect=())[0]
    compacted = compact(llama, masks, tokens)
    assert "come back to themselves" in compacted.reason
    assert compacted.difference == 0.0
