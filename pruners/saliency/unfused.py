"""Attention in plain steps, which can be batched, watched and differentiated twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel


@contextmanager
def unfused_attention() -> Iterator[None]:
    """Inside, attention is matrix products and a softmax; its values agree up to rounding.

    `torch.vmap` has no rule for the fused kernels (it goes through the examples one by one, with a
    warning), they have no second derivative, and they hide the products with the weights.
    """
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
