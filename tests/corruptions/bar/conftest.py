"""What the tests of C-bar share: images, and how near a reference has to be."""

from collections.abc import Callable

import numpy as np
import pytest
import torch


@pytest.fixture
def images(photographs) -> Callable[..., torch.Tensor]:
    """Crops of photographs: (height, width, count=2, channels=3) -> uint8 [N, C, H, W]."""

    def cropped(height: int, width: int, count: int = 2, channels: int = 3) -> torch.Tensor:
        squares = photographs(max(height, width), count)[:, :height, :width, :channels]
        return torch.from_numpy(squares.transpose(0, 3, 1, 2).copy())

    return cropped


@pytest.fixture
def near() -> Callable[[torch.Tensor, np.ndarray], None]:
    """Checks bytes [N, C, H, W] against bytes [N, H, W, C]: a level apart in few places."""

    def check(ours: torch.Tensor, reference: np.ndarray) -> None:
        assert reference.dtype == np.uint8
        gap = np.abs(ours.permute(0, 2, 3, 1).numpy().astype(int) - reference)
        assert gap.max() <= 1
        assert (gap > 0).sum() <= max(1, 0.01 * gap.size)

    return check


@pytest.fixture
def caught(monkeypatch) -> Callable[..., list]:
    """What a corruption hands on: (module, inner, function, images, stream, level) -> arguments."""

    def catch(module, inner, function, *given):
        kept = []
        monkeypatch.setattr(module, inner, lambda *arguments: kept.append(arguments))
        getattr(module, function)(*given)
        return list(kept[0])

    return catch
