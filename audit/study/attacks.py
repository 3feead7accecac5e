"""White-box attacks on one model's own gradients: images changed within an L∞ ball of epsilon.

Every attack has one signature: the gradient of the loss by the images, the images, the setting and
where to start from; images are float32 in [0, 255] and stay there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from audit.evidence.errors import InputError

WHITE = 255.0  # the largest value of a pixel

Gradient = Callable[[Tensor], Tensor]
Setting = Mapping[str, Any]  # `Shown.attack`: epsilon, step_size as shares of the range of pixels
Attack = Callable[[Gradient, Tensor, Setting, Tensor], Tensor]


def fgsm(gradient: Gradient, images: Tensor, setting: Setting, start: Tensor) -> Tensor:
    """One step of size ε along the sign of the gradient (Goodfellow et al., arXiv 1412.6572).

    The valid range is imposed afterwards, so that no pixel leaves [0, 255].
    """
    step = WHITE * float(setting["epsilon"])
    return (images + step * gradient(images).sign()).clamp(0.0, WHITE)


def pgd(gradient: Gradient, images: Tensor, setting: Setting, start: Tensor) -> Tensor:
    """Steps along the gradient's sign, each projected onto the ball (Madry et al., 1706.06083).

    Args:
        gradient: Of the summed loss by the images.
        images: float32 [N, C, H, W] in [0, 255].
        setting: `epsilon`, `step_size` and `steps`.
        start: Uniform on [-1, 1), shaped like `images`: where in the ball the walk begins.
    """
    radius, step = WHITE * float(setting["epsilon"]), WHITE * setting["step_size"]
    low, high = (images - radius).clamp(min=0.0), (images + radius).clamp(max=WHITE)
    found = (images + radius * start).clamp(low, high)
    for _ in range(setting["steps"]):
        found = (found + step * gradient(found).sign()).clamp(low, high)
    return found


ATTACKS: Mapping[str, Attack] = {"fgsm": fgsm, "pgd": pgd}


def attacked(
    model: Callable[[Tensor], Tensor],
    images: Tensor,
    labels: Tensor,
    setting: Setting,
    start: Tensor,
) -> Tensor:
    """The images that an attack makes for a model.

    Args:
        model: From float32 images in [0, 255] to logits [N, classes], preprocessing included.
        images: float32 [N, C, H, W].
        labels: int64 [N], the true classes, whose loss is driven up.
        setting: `Shown.attack`.
        start: As for `pgd`.

    Raises:
        InputError: The model gives no gradient.
    """

    def gradient(found: Tensor) -> Tensor:
        asked = found.detach().requires_grad_()
        logits = model(asked)
        if not logits.requires_grad:
            raise InputError(
                f"{setting['name']} needs gradients by the pixels, and this model or its "
                "preprocessing passes none on: take shifts.attacks out."
            )
        # A sum, so that an example's gradient does not depend on how many share its batch.
        loss = F.cross_entropy(logits.float(), labels, reduction="sum")
        return torch.autograd.grad(loss, asked)[0]

    with torch.enable_grad():
        return ATTACKS[setting["name"]](gradient, images, setting, start).detach()
