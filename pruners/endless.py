"""Stops torch-pruning where it would look for the members of a group without end.

Where a tensor is split and joined again (rotary embeddings, heads that share keys), it can come
back to a layer with other indices each time round, and takes every time for something new.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

# Members of a group for each node of the graph: nets that end have at most one (ViT-B/16).
MEMBERS_PER_NODE = 10


@contextmanager
def bounded(graph: Any) -> Iterator[None]:
    """While it is open, groups of a torch-pruning graph that grow without end are refused.

    The library has no limit of its own, and nothing to hook one onto but the method that adds a
    member: that is replaced meanwhile, for all threads.

    Args:
        graph: A `torch_pruning.DependencyGraph`, built.

    Raises:
        ValueError: Inside, where a group has ten times as many members as the graph has nodes.
    """
    from torch_pruning.dependency.group import Group

    add, limit = Group.add_dep, MEMBERS_PER_NODE * len(graph.module2node)

    def add_some(group: Any, dep: Any, idxs: Any) -> None:
        if len(group) >= limit:
            raise ValueError(f"its channels come back to themselves: over {limit} coupled layers")
        add(group, dep, idxs)

    with patch.object(Group, "add_dep", add_some):
        yield
