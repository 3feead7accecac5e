"""Attention heads in models as they are: torch's module, BERT, shared keys and values, odd ones."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pruners import make_masks
from pruners.attention import find_attention
from pruners.compaction import compact

IDS = torch.randint(1, 20, (6, 5), generator=torch.Generator().manual_seed(0))
DATA = (IDS, torch.arange(6) % 3)
SIZES = {"vocab_size": 20, "num_hidden_layers": 2, "num_labels": 3, "pad_token_id": 0}


def model_of(kind, **settings):
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = getattr(transformers, f"{kind}Config")(
        **SIZES, hidden_size=16, num_attention_heads=4, intermediate_size=12, **settings
    )
    model = getattr(transformers, f"{kind}ForSequenceClassification")(config).eval()
    for parameter in model.parameters():  # biases and classifiers that are not zero
        nn.init.normal_(parameter, 0.0, 0.3)
    return model


def test_a_masked_head_of_torchs_attention_is_a_sum_without_it():
    torch.manual_seed(0)
    attention = nn.MultiheadAttention(6, 3, batch_first=True)
    nn.init.normal_(attention.in_proj_bias)
    model = nn.Sequential()
    model.add_module("attention", attention)
    masks = make_masks(model, [1 / 3], granularity="head", protect=())[0]
    gone = (~masks.kept["attention.out_proj.weight"].any(0)).nonzero()[:, 0].tolist()
    head = gone[0] // 2
    assert gone == [2 * head, 2 * head + 1]
    tokens = torch.rand(4, 5, 6)
    query, key, value = (tokens @ attention.in_proj_weight.T + attention.in_proj_bias).chunk(3, -1)
    expected = attention.out_proj.bias.expand(4, 5, 6)
    for one in {0, 1, 2} - {head}:
        at = slice(2 * one, 2 * one + 2)
        looks = (query[..., at] @ key[..., at].transpose(1, 2) / 2**0.5).softmax(-1)
        expected = expected + looks @ value[..., at] @ attention.out_proj.weight[:, at].T
    masks.apply_(model)
    found = attention(tokens, tokens, tokens, need_weights=False)[0]
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "shared", "left"),
    [("Bert", None, (8, 8)), ("Llama", 4, (8, 8)), ("Llama", 2, (8, 4)), ("Llama", 1, (8, 4))],
)
def test_heads_of_transformers_are_cut_out_and_nothing_else_changes(kind, shared, left):
    """Half of the heads: queries, and keys with values unless there is one head of these."""
    model = model_of(kind, **({"num_key_value_heads": shared} if shared else {}))
    masks = make_masks(model, [0.5], granularity="head", protect=(), allocation="uniform")[0]
    assert masks.notes == ()
    made = compact(model, masks, IDS)
    assert made.reason is None
    assert made.left == ()
    for attention in find_attention(model):
        query, key = (attention.weights[0], attention.weights[min(1, len(attention.weights) - 1)])
        key = query.replace("q_proj", "k_proj") if shared else key
        widths = [made.model.get_parameter(name).shape[0] for name in (query, key)]
        assert tuple(widths) == left
        out = made.model.get_parameter(attention.weights[-1])
        assert out.shape == (16, left[0])
    masks.apply_(model)
    with torch.no_grad():
        expected = model(IDS.flip(0)).logits
        torch.testing.assert_close(made.model(IDS.flip(0)).logits, expected, rtol=1e-4, atol=1e-5)


def test_queries_that_share_keys_and_values_go_with_them():
    model = model_of("Llama", num_key_value_heads=2)
    masks = make_masks(model, [0.5], granularity="head", protect=(), allocation="uniform")[0]
    for layer in range(2):
        part = f"model.layers.{layer}.self_attn"
        gone = (~masks.kept[f"{part}.k_proj.weight"].any(1)).reshape(2, 4).all(1).tolist()
        assert sorted(gone) == [False, True]
        query = (~masks.kept[f"{part}.q_proj.weight"].any(1)).reshape(4, 4).all(1).tolist()
        assert query == [gone[0], gone[0], gone[1], gone[1]]
        assert torch.equal(
            masks.kept[f"{part}.o_proj.weight"].any(0), masks.kept[f"{part}.q_proj.weight"].any(1)
        )


class Own(nn.Module):
    """Attention with layers of its own; `norm` is over the queries of all heads together."""

    def __init__(self, *, norm=False, turned=False):
        super().__init__()
        self.num_heads, self.turned = 2, turned
        self.q_proj, self.k_proj, self.v_proj, self.out = (nn.Linear(4, 4) for _ in range(4))
        self.norm = nn.LayerNorm(4) if norm else nn.Identity()

    def forward(self, x):
        parts = (self.norm(self.q_proj(x)), self.k_proj(x), self.v_proj(x))
        shape = (2, 2) if self.turned is False else (2, -1)
        heads = [part.unflatten(-1, shape) for part in parts]
        # Turned: number by number, the heads of each beside each other.
        heads = [h.transpose(-1, -2) if self.turned else h for h in heads]
        q, k, v = (h.transpose(1, 2) for h in heads)
        seen = ((q @ k.transpose(-1, -2)).softmax(-1) @ v).transpose(1, 2)
        return x + self.out((seen.transpose(-1, -2) if self.turned else seen).flatten(-2))


@pytest.mark.parametrize("odd", [{"norm": True}, {"turned": True}])
def test_attention_whose_heads_depend_on_each_other_stays_and_is_named(odd):
    torch.manual_seed(0)
    model = nn.Sequential(Own(), Own(**odd), nn.Flatten(), nn.Linear(12, 3))
    data = (torch.rand(4, 3, 4), torch.tensor([0, 1, 2, 0]))
    masks = make_masks(model, [0.5], granularity="head", protect=(), data=data)[0]
    note = "head: those of 1 stay, because without one the others change."
    assert masks.notes == (note,)
    assert {"1.q_proj.weight", "1.out.weight"} <= set(masks.targets.unsupported)
    assert (~masks.kept["0.q_proj.weight"]).any()
    if "norm" in odd:  # and so it is where no example can be had
        blind = make_masks(
            nn.Sequential(nn.Unflatten(1, (3, 4)), model), [0.5], granularity="head", protect=()
        )[0]
        assert blind.notes == (note.replace("of 1 stay", "of 1.1 stay"),)


def test_attention_of_another_make_is_named_and_the_rest_goes():
    class Fused(nn.Module):
        def __init__(self):
            super().__init__()
            self.num_heads, self.qkv = 2, nn.Linear(4, 4)

        def forward(self, x):
            return self.qkv(x)

    model = nn.Sequential(Own(), Fused(), nn.Flatten(), nn.Linear(12, 3))
    masks = make_masks(model, [0.5], granularity="head", protect=())[0]
    assert masks.notes == (
        "head: those of 1 stay, because it has no layer of its own for each projection.",
    )
    assert "1.qkv.weight" in masks.targets.unsupported
