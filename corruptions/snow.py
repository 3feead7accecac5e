"""Snow: flakes of thresholded noise, enlarged and blurred along their fall, on a whitened image."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .blur import motion, paths_between
from .draws import Stream
from .exact import grey_levels
from .normal import FINE_UNIT, fine_normals

_LUMA = (0.299, 0.587, 0.114)


def snow(
    images: Tensor,
    stream: Stream,
    mean: float,
    spread: float,
    zoom: float,
    threshold: float,
    radius: float,
    sigma: float,
    mix: float,
) -> Tensor:
    """Whiten the image and add a layer of snow, and the same layer turned by 180°.

    The layer is one channel of N(mean, spread) noise, of which the centre is enlarged by `zoom`,
    set to 0 below `threshold`, cut to 8 bits and blurred along a path of `radius` and `sigma` at an
    angle uniform in (−135°, −45°). Only the part that the zoom keeps is drawn. The layer has 8 bits
    whatever the images have.
    """
    kept = [kept_by_zoom(side, zoom) for side in images.shape[2:]]
    noise = fine_normals(stream, kept[0] * kept[1]).view(-1, *kept)
    falls = paths_between(2 * round(radius) + 1, -135.0, -45.0)
    flakes = flakes_from(noise, images.shape[2], images.shape[3], mean, spread, zoom, threshold)
    layer = motion(flakes[:, None], sigma, falls.paths, falls.drawn(stream, purpose=1))
    return snowed(images, layer, mix)


def snowed(images: Tensor, layer: Tensor, mix: float) -> Tensor:
    """A layer of snow, and the same turned by 180°, on the whitened image.

    The sum is mix · x + (1 − mix) · max(x, 1.5 · grey(x) + ½) + layer + turned layer.

    The grey of three channels is .299 R + .587 G + .114 B; of any other number, their mean.

    Args:
        images: uint8 or float32 levels [N, C, H, W].
        layer: uint8 [N, 1, H, W].
        mix: How much of the image is left unwhitened, 0..1.
    """
    fallen = layer.to(torch.float32)
    fallen = fallen + fallen.flip((2, 3))
    values = images.to(torch.float32, copy=True)
    white = _grey(values).mul_(1.5).add_(127.5).mul_(1 - mix).add_(fallen)
    # max(x + S, mix · x + (1 − mix) · w + S) is the same sum, with less to do in every channel.
    # Products and sums are separate steps: fused ones would round differently between machines.
    whitened = values.mul(mix).add_(white)
    values.add_(fallen)
    return grey_levels(torch.maximum(values, whitened, out=values), images.dtype)


def _grey(values: Tensor) -> Tensor:
    """One channel, float32 [N, 1, H, W], in new memory."""
    if values.shape[1] != 3:
        return values.mean(dim=1, keepdim=True)
    red, green, blue = (values[:, c : c + 1].mul(weight) for c, weight in enumerate(_LUMA))
    return red.add_(green).add_(blue)


def kept_by_zoom(side: int, zoom: float) -> int:
    """How many pixels of a side the enlargement keeps: the ones in its centre."""
    return math.ceil(side / zoom)


def flakes_from(
    noise: Tensor,
    height: int,
    width: int,
    mean: float,
    spread: float,
    zoom: float,
    threshold: float,
) -> Tensor:
    """Enlarge noise bilinearly, drop what is below the threshold: uint8 [N, height, width].

    Args:
        noise: Standard normal, int32 [N, kept_by_zoom(height), kept_by_zoom(width)], in units of
            2^−20.
        height: Of the result, in pixels.
        width: Of the result, in pixels.
        mean: Of the noise, in units of full brightness.
        spread: Its standard deviation, in the same units.
        zoom: At least 1.
        threshold: In units of full brightness.
    """
    layer = noise.to(torch.float64).mul_(spread * FINE_UNIT).add_(mean)
    layer = _enlarged(_enlarged(layer, 2, width, zoom), 1, height, zoom)
    layer = torch.threshold_(layer, threshold, 0.0)
    return layer.clamp_(max=1).mul_(255).to(torch.uint8)


def _enlarged(layer: Tensor, axis: int, side: int, zoom: float) -> Tensor:
    """Interpolate one axis as SciPy's order-1 zoom does (ends on ends), trimmed to `side`."""
    kept = layer.shape[axis]
    places = _places(side, kept, zoom)
    first = np.minimum(places.astype(np.int64), max(kept - 2, 0))
    after = np.minimum(first + 1, kept - 1)
    shape = [-1 if k == axis else 1 for k in range(3)]
    share = torch.from_numpy(places - first).view(shape).to(layer.device)
    low, high = (
        layer.index_select(axis, torch.from_numpy(index).to(layer.device))
        for index in (first, after)
    )
    return low.mul_(1 - share).add_(high.mul_(share))


def _places(side: int, kept: int, zoom: float) -> NDArray[np.float64]:
    enlarged = round(kept * zoom)
    trimmed = (enlarged - side) // 2
    step = (kept - 1) / max(enlarged - 1, 1)
    return np.asarray(np.minimum((trimmed + np.arange(side)) * step, kept - 1))
