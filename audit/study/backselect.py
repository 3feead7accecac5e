"""BackSelect: the few pixels that a model needs, found by taking away those it misses least.

Backward selection as in Carter et al. (arXiv 1810.03805) and Liebenwein et al. (2103.03014): while
pixels are left, hide the one without which the confidence stays highest. Those hidden last are
informative. A hidden pixel is 0 in the model's input: with normalised inputs, the mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from audit.evidence.store import Store
from audit.study.models import load_model, preprocessing, to_images
from audit.study.prepare import Arrays
from audit.study.preprocess import Preprocess
from audit.study.recipes import (
    INFORMATIVE,
    INFORMATIVE_ACROSS,
    Across,
    Predicted,
    Selected,
    Shown,
)
from audit.study.sources.cuts import stratified_sample

KEPT = 0.9  # of the confidence that the whole image gives
SHARE = 0.1  # of the pixels, by which models are compared with each other
_EXAMPLES = 7  # entropy that sets this sample apart from other draws with the same seed

Confidence = Callable[[Tensor], Tensor]  # inputs [N, C, H, W] -> one probability each, [N]


def removal(
    confidence: Confidence, image: Tensor, step: int, size: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """In which order pixels are hidden, and what confidence each step leaves.

    Args:
        confidence: Of the class in question.
        image: A model's input [C, H, W].
        step: Pixels hidden at a time, those of the least loss; ties go to the smaller index.
        size: Inputs shown at a time.

    Returns:
        int64 [H·W], indices of pixels by row, the first hidden first; and float64 [steps + 1], from
        the whole image to nothing of it.
    """
    pixels = image[0].numel()
    hidden = torch.zeros(pixels, dtype=torch.bool, device=image.device)
    order: list[int] = []
    curve = [float(confidence(image[None])[0])]
    while len(order) < pixels:
        left = torch.nonzero(~hidden)[:, 0]
        scores = torch.cat(
            [confidence(_without(image, hidden, some)) for some in torch.split(left, size)]
        ).double()
        least = torch.sort(scores, descending=True, stable=True).indices[:step]
        gone = left[least]
        hidden[gone] = True
        order += gone.tolist()
        curve.append(float(confidence(_with(image, ~hidden))[0]))
    return np.array(order, dtype=np.int64), np.array(curve)


def share_kept(curve: NDArray[np.float64], pixels: int, step: int) -> float:
    """The smallest share of pixels with 90 % of the confidence in the whole image.

    The walk is followed until it first falls below that, since what comes back later is chance.
    """
    below = np.flatnonzero(curve < KEPT * curve[0])
    steps = (below[0] if len(below) else len(curve)) - 1
    return max(pixels - int(steps) * step, 0) / pixels


def _without(image: Tensor, hidden: Tensor, pixels: Tensor) -> Tensor:
    """The image without what is hidden and, in each copy, without one more pixel."""
    shown = _with(image, ~hidden).repeat(len(pixels), 1, 1, 1)
    copies = torch.arange(len(pixels), device=image.device)
    shown.flatten(2).permute(0, 2, 1)[copies, pixels] = 0.0
    return shown


def _with(image: Tensor, shown: Tensor) -> Tensor:
    return (image * shown.reshape(image.shape[1:]))[None]


def select(folder: Path, recipe: Selected, store: Store, base: Path) -> None:
    """Writes the order and curve of one model on each example, for the true class."""
    arrays = Arrays(store.folder(recipe.data))
    call = _model(recipe, store, arrays, base)
    rows = []
    for name, label, image in _examples(recipe, arrays, base):
        size = recipe.compute.batch_size
        with torch.inference_mode():
            order, curve = removal(_of_class(call, label), image, recipe.step, size)
        kept = share_kept(curve, len(order), recipe.step)
        rows.append((recipe.name, name, label, curve[0], kept, order, curve))
    columns = ["model", "example", "label", "confidence", "share_kept", "order", "curve"]
    pd.DataFrame(rows, columns=columns).to_parquet(folder / INFORMATIVE, index=False)


def cross(folder: Path, recipe: Across, store: Store, base: Path) -> None:
    """Writes what confidence each model keeps on the pixels that are informative to each."""
    first = next(iter(recipe.selected.values()))
    arrays = Arrays(store.folder(first.data))
    shown = {name: _informative(one, store, arrays, base) for name, one in recipe.selected.items()}
    rows = []
    for seer, one in recipe.selected.items():
        call = _model(one, store, arrays, base)
        for chooser, images in shown.items():
            for name, (label, image) in images.items():
                with torch.inference_mode():
                    sure = float(_of_class(call, label)(image[None])[0])
                rows.append((chooser, seer, name, sure))
    columns = ["informative_to", "model", "example", "confidence"]
    pd.DataFrame(rows, columns=columns).to_parquet(folder / INFORMATIVE_ACROSS, index=False)


def _informative(
    recipe: Selected, store: Store, arrays: Arrays, base: Path
) -> Mapping[str, tuple[int, Tensor]]:
    """Each example's label and its image with a tenth of the pixels, those hidden last."""
    orders = pd.read_parquet(store.folder(recipe) / INFORMATIVE).set_index("example")["order"]
    found = {}
    for name, label, image in _examples(recipe, arrays, base):
        order = orders[name]
        shown = torch.zeros(len(order), dtype=torch.bool, device=image.device)
        shown[torch.from_numpy(order[-max(1, round(SHARE * len(order))) :].copy())] = True
        found[name] = (label, _with(image, shown)[0])
    return found


def _examples(recipe: Selected, arrays: Arrays, base: Path) -> list[tuple[str, int, Tensor]]:
    """Id, class code and input [C, H, W] of the examples drawn."""
    preprocess = preprocessing(recipe.model, arrays, base)
    labels, ids = arrays.labels("test"), arrays.ids("test")
    count = min(recipe.examples, len(labels))
    rows = np.flatnonzero(stratified_sample(labels, count, (recipe.seed, _EXAMPLES)))
    values = np.array(arrays.inputs("test")[rows])
    if not isinstance(preprocess, Preprocess):  # refused when the study was laid out
        raise TypeError("Only images have pixels.")
    inputs = preprocess.after(to_images(values, preprocess)).to(recipe.compute.device)
    return [(str(ids[row]), int(labels[row]), one) for row, one in zip(rows, inputs, strict=True)]


def _model(recipe: Selected, store: Store, arrays: Arrays, base: Path) -> Callable[[Tensor], Any]:
    asked = Predicted(
        recipe.name,
        recipe.model,
        Shown("clean", recipe.data),
        recipe.predict,
        recipe.code,
        recipe.compute,
    )
    return load_model(asked, store, arrays, base)


def _of_class(call: Callable[[Tensor], Tensor], label: int) -> Confidence:
    return lambda inputs: call(inputs).softmax(1)[:, label]
