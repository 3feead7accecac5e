"""Attacks stay within their ball and the range of pixels, and hurt; a linear model shows how."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from audit.evidence.errors import InputError
from audit.study.attacks import ATTACKS, WHITE, attacked

SETTING = {"epsilon": 8 / 255, "step_size": 2 / 255, "steps": 10}
WEIGHTS = torch.tensor([[1.0, -1.0, 0.0], [-1.0, 1.0, 0.0]])  # [classes, pixels]


def linear(images: Tensor) -> Tensor:
    return images.flatten(1) @ WEIGHTS.T / WHITE


def pixels(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float32).reshape(1, 1, 1, len(values))


def attack(name: str, images: Tensor, start: Tensor, **more: float) -> Tensor:
    setting = {"name": name, **SETTING, **more}
    return attacked(linear, images, torch.zeros(len(images), dtype=torch.int64), setting, start)


def test_fgsm_by_hand() -> None:
    """Class 0 scores x₀ − x₁: its loss grows where x₀ falls and x₁ rises, by 8 levels each; x₂ has
    no gradient and stays. The 4 can fall to 0 alone, the 250 rise to 255 alone."""
    assert attack("fgsm", pixels(100, 50, 7), pixels(0, 0, 0)).flatten().tolist() == [92, 58, 7]
    assert attack("fgsm", pixels(4, 250, 7), pixels(0, 0, 0)).flatten().tolist() == [0, 255, 7]


def test_pgd_by_hand() -> None:
    """From the corner (+8, +8, +8), ten steps of 2 reach (−8, +8) and are held there; the pixel
    without gradient stays where the walk began."""
    found = attack("pgd", pixels(100, 50, 7), pixels(1, 1, 1)).flatten().tolist()
    assert found == pytest.approx([92, 58, 15])
    one = attack("pgd", pixels(100, 50, 7), pixels(1, 1, 1), steps=1).flatten().tolist()
    assert one == pytest.approx([106, 58, 15])


@pytest.mark.parametrize("name", ATTACKS)
def test_in_the_ball_in_range_and_worse(name: str) -> None:
    draws = torch.Generator().manual_seed(0)
    images = torch.rand(20, 1, 4, 3, generator=draws) * WHITE
    start = torch.rand(images.shape, generator=draws) * 2 - 1
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12, 5))
    labels = torch.arange(20) % 5
    found = attacked(lambda x: net(x / WHITE), images, labels, {"name": name, **SETTING}, start)
    assert (found - images).abs().max() <= 8 + 1e-3
    assert found.min() >= 0
    assert found.max() <= WHITE
    before, after = (
        torch.nn.functional.cross_entropy(net(x / WHITE), labels, reduction="none")
        for x in (images, found)
    )
    assert (after > before).all()


def test_an_example_is_attacked_alike_in_any_batch() -> None:
    images = torch.stack([pixels(100, 50, 7)[0], pixels(9, 200, 80)[0]])
    both = attack("fgsm", images, torch.zeros_like(images))
    alone = attack("fgsm", images[1:], torch.zeros_like(images[1:]))
    assert torch.equal(both[1:], alone)


def test_a_model_without_gradients_is_refused() -> None:
    with pytest.raises(InputError, match="fgsm needs gradients by the pixels"):
        attacked(
            lambda x: linear(x.detach()),
            pixels(1, 2, 3),
            torch.zeros(1, dtype=torch.int64),
            {"name": "fgsm", **SETTING},
            pixels(0, 0, 0),
        )
