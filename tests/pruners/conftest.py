"""Small models and examples that the tests of `pruners` share, on one thread."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def net() -> nn.Module:
    """A little of everything: convolution, batch-norm, linear, biases; 4 weights, 2 protected."""
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32, 12),
        nn.ReLU(),
        nn.Linear(12, 3),
    ).eval()


@pytest.fixture
def data() -> tuple[Tensor, Tensor]:
    draws = torch.Generator().manual_seed(1)
    return torch.rand(24, 1, 4, 4, generator=draws), torch.randint(3, (24,), generator=draws)


@pytest.fixture
def linear() -> Callable[..., nn.Linear]:
    """A linear layer with the weights given, no bias."""

    def make(weight: list[list[float]]) -> nn.Linear:
        values = torch.tensor(weight)
        layer = nn.Linear(values.shape[1], values.shape[0], bias=False)
        layer.weight.data = values
        return layer

    return make
