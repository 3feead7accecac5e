"""Frames that blur, brighten or add noise, a little more or otherwise in each.

Every function takes (images [N, C, H, W], draws, frames, *constants) and yields so many batches of
images like the ones given, which stay as they are: uint8, or float32 grey levels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from .. import blur, noise, weather
from ..draws import Stream
from ..normal import fine_normals
from ..snow import flakes_from, kept_by_zoom, snowed

# The stream of one frame; what is drawn once for a whole sequence is drawn from that of frame 0.
Draws = Callable[[int], Stream]
Frames = Iterator[Tensor]


def gaussian_noise(images: Tensor, draws: Draws, frames: int, scale: float) -> Frames:
    """The images, then independent N(0, scale) noise on them in every frame."""
    yield images.clone()
    for frame in range(1, frames):
        yield noise.gaussian_noise(images, draws(frame), scale)


def shot_noise(images: Tensor, draws: Draws, frames: int, photons: float) -> Frames:
    """The images, then independent Poisson noise of so many photons in every frame."""
    yield images.clone()
    for frame in range(1, frames):
        yield noise.shot_noise(images, draws(frame), photons)


def speckle_noise(images: Tensor, draws: Draws, frames: int, scale: float) -> Frames:
    """The images, then independent noise x · N(0, scale) on them in every frame."""
    yield images.clone()
    for frame in range(1, frames):
        yield noise.speckle_noise(images, draws(frame), scale)


def motion_blur(
    images: Tensor, draws: Draws, frames: int, radius: float, sigma: float, turn: float
) -> Frames:
    """A camera whose direction turns by `turn` degrees a frame and ends at 0; nothing is drawn."""
    chosen = torch.zeros(len(images), dtype=torch.int64)
    for frame in range(frames):
        yield blur.motion(images, sigma, _path(radius, turn * (frame - frames + 1)), chosen)


def snow(
    images: Tensor,
    draws: Draws,
    frames: int,
    mean: float,
    spread: float,
    zoom: float,
    threshold: float,
    radius: float,
    sigma: float,
    mix: float,
    turn: float,
    start: float,
) -> Frames:
    """One layer of flakes, drawn once, that falls at `start` degrees and `turn` more each frame."""
    height, width = images.shape[2:]
    kept = [kept_by_zoom(side, zoom) for side in (height, width)]
    normal = fine_normals(draws(0), kept[0] * kept[1]).view(-1, *kept)
    flakes = flakes_from(normal, height, width, mean, spread, zoom, threshold)[:, None]
    chosen = torch.zeros(len(images), dtype=torch.int64)
    for frame in range(frames):
        layer = blur.motion(flakes, sigma, _path(radius, start + turn * frame), chosen)
        yield snowed(images, layer, mix)


def _path(radius: float, degrees: float) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return blur.path_offsets(2 * round(radius) + 1, np.array([degrees]))


def brightness(images: Tensor, draws: Draws, frames: int, step: float) -> Frames:
    """HSV value from 15 steps less to as many more; the middle frame is the images."""
    for frame in range(frames):
        yield weather.brightness(images, draws(frame), step * (frame - frames // 2))


def gaussian_blur(images: Tensor, draws: Draws, frames: int, sigma: float, step: float) -> Frames:
    """A Gaussian of `sigma` pixels, and `step` more each frame.

    Cut at 4 sigma, where the published generators cut at 6 or 7: no pixel is another level by it.
    """
    for frame in range(frames):
        yield blur.gaussian_blur(images, draws(frame), sigma + step * frame)
