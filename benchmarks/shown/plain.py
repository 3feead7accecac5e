"""The corruptions in plain NumPy, SciPy and Pillow, one image at a time.

Every function takes (image, random, *constants): uint8 [H, W, 3], a NumPy generator, and the
constants of the preset; it returns uint8 [H, W, 3]. The recipes are those of ImageNet-C; here they
are the yardstick of speed, and the distribution that ours must have.
"""

from __future__ import annotations

import io
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from matplotlib.colors import hsv_to_rgb, rgb_to_hsv
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from corruptions import frost_bank, preset_for

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Random = np.random.Generator


def levels(values: Floats) -> Bytes:
    """Values in [0, 1] as grey levels, truncated as the published generators do."""
    return np.asarray(np.clip(values, 0, 1) * 255, dtype=np.uint8)


def gaussian_noise(image: Bytes, random: Random, scale: float) -> Bytes:
    x = image / 255.0
    return levels(x + random.normal(scale=scale, size=x.shape))


def speckle_noise(image: Bytes, random: Random, scale: float) -> Bytes:
    x = image / 255.0
    return levels(x + x * random.normal(scale=scale, size=x.shape))


def shot_noise(image: Bytes, random: Random, photons: float) -> Bytes:
    return levels(random.poisson(image / 255.0 * photons) / photons)


def impulse_noise(image: Bytes, random: Random, amount: float) -> Bytes:
    draws = random.random(image.shape)
    salted = np.where(draws < amount / 2, 255, image)
    return np.where(draws > 1 - amount / 2, 0, salted).astype(np.uint8)


def gaussian_blur(image: Bytes, random: Random, sigma: float) -> Bytes:
    blurred = ndimage.gaussian_filter(image / 255.0, (sigma, sigma, 0), mode="nearest", truncate=4)
    return levels(blurred)


def defocus_blur(image: Bytes, random: Random, radius: float, alias: float) -> Bytes:
    reach, side = (8, 3) if radius <= 8 else (math.ceil(radius), 5)
    axis = np.arange(-reach, reach + 1)
    disk = (axis[:, None] ** 2 + axis[None, :] ** 2 <= radius**2).astype(np.float32)
    kernel = cv2.GaussianBlur(disk / disk.sum(), (side, side), alias)
    return levels(cv2.filter2D((image / 255.0).astype(np.float32), -1, kernel).astype(np.float64))


def glass_blur(image: Bytes, random: Random, sigma: float, reach: float, times: float) -> Bytes:
    x = gaussian_blur(image, random, sigma)
    height, width = x.shape[:2]
    reach = int(reach)
    for _ in range(int(times)):
        for row in range(height - reach, reach, -1):
            for column in range(width - reach, reach, -1):
                right, down = random.integers(-reach, reach, size=2)
                x[row, column] = x[row + down, column + right]
    return gaussian_blur(x, random, sigma)


def motion(x: Floats, radius: float, sigma: float, degrees: float) -> Floats:
    """One-sided Gaussian along a line at nearest pixels, edges repeated: [H, W] or [H, W, C]."""
    steps = np.arange(2 * round(radius) + 1)
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    angle = math.radians(degrees)
    result = np.zeros_like(x)
    height, width = x.shape[:2]
    for step, weight in zip(steps, weights / weights.sum(), strict=True):
        down = math.ceil(step * math.sin(angle) - 0.5)
        right = math.ceil(step * math.cos(angle) - 0.5)
        rows = np.clip(np.arange(height) + down, 0, height - 1)
        columns = np.clip(np.arange(width) + right, 0, width - 1)
        result += weight * x[rows][:, columns]
    return result


def motion_blur(image: Bytes, random: Random, radius: float, sigma: float) -> Bytes:
    return levels(motion(image / 255.0, radius, sigma, random.uniform(-45, 45)))


def enlarged(x: Floats, zoom: float) -> Floats:
    """The centre enlarged to the image's size, linearly."""
    height, width = x.shape[:2]
    rows, columns = math.ceil(height / zoom), math.ceil(width / zoom)
    top, left = (height - rows) // 2, (width - columns) // 2
    centre = x[top : top + rows, left : left + columns]
    large = ndimage.zoom(centre, (zoom, zoom) + (1,) * (x.ndim - 2), order=1)
    top, left = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
    return np.asarray(large[top : top + height, left : left + width])


def zoom_blur(image: Bytes, random: Random, stop: float, step: float) -> Bytes:
    x = image / 255.0
    zooms = np.arange(1, stop, step)
    return levels((x + sum(enlarged(x, zoom) for zoom in zooms)) / (len(zooms) + 1))


def snow(
    image: Bytes,
    random: Random,
    mean: float,
    spread: float,
    zoom: float,
    threshold: float,
    radius: float,
    sigma: float,
    mix: float,
) -> Bytes:
    x = image / 255.0
    layer = enlarged(random.normal(mean, spread, x.shape[:2]), zoom)
    layer = levels(np.where(layer < threshold, 0, layer)) / 255.0
    layer = levels(motion(layer, radius, sigma, random.uniform(-135, -45))) / 255.0
    grey = (x @ [0.299, 0.587, 0.114])[..., None]
    white = mix * x + (1 - mix) * np.maximum(x, grey * 1.5 + 0.5)
    return levels(white + (layer + layer[::-1, ::-1])[..., None])


def frost(image: Bytes, random: Random, own: float, ice: float, photograph: Bytes) -> Bytes:
    top = random.integers(0, photograph.shape[0] - image.shape[0])
    left = random.integers(0, photograph.shape[1] - image.shape[1])
    crop = photograph[top : top + image.shape[0], left : left + image.shape[1]]
    return np.asarray(np.clip(own * image + ice * crop, 0, 255), dtype=np.uint8)


def plasma(random: Random, size: int, decay: float) -> Floats:
    """A diamond-square fractal on a torus, in [0, 1]."""
    field, step, wobble = np.zeros((size, size)), size, 100.0
    while step >= 2:
        half, shape = step // 2, (size // step, size // step)
        corners = field[::step, ::step]
        pairs = corners + np.roll(corners, -1, 0)
        centres = (pairs + np.roll(pairs, -1, 1)) / 4
        centres += wobble * random.uniform(-wobble, wobble, shape)
        field[half::step, half::step] = centres
        across = (centres + np.roll(centres, 1, 0) + corners + np.roll(corners, -1, 1)) / 4
        field[::step, half::step] = across + wobble * random.uniform(-wobble, wobble, shape)
        down = (centres + np.roll(centres, 1, 1) + corners + np.roll(corners, -1, 0)) / 4
        field[half::step, ::step] = down + wobble * random.uniform(-wobble, wobble, shape)
        step, wobble = half, wobble / decay
    field -= field.min()
    return field / field.max()


def fog(image: Bytes, random: Random, thickness: float, decay: float) -> Bytes:
    x = image / 255.0
    size = 2 ** (max(image.shape[:2]) - 1).bit_length()
    mist = plasma(random, size, decay)[: image.shape[0], : image.shape[1], None]
    return levels((x + thickness * mist) * x.max() / (x.max() + thickness))


def through_hsv(image: Bytes, change: Callable[[Floats], None]) -> Bytes:
    """Hue, saturation and value in [0, 1], changed in place, and back."""
    hsv = rgb_to_hsv(image / 255.0)
    change(hsv)
    return levels(hsv_to_rgb(hsv))


def brightness(image: Bytes, random: Random, amount: float) -> Bytes:
    def change(hsv: Floats) -> None:
        hsv[..., 2] = np.clip(hsv[..., 2] + amount, 0, 1)

    return through_hsv(image, change)


def saturate(image: Bytes, random: Random, factor: float, offset: float) -> Bytes:
    def change(hsv: Floats) -> None:
        hsv[..., 1] = np.clip(hsv[..., 1] * factor + offset, 0, 1)

    return through_hsv(image, change)


def contrast(image: Bytes, random: Random, factor: float) -> Bytes:
    x = image / 255.0
    mean = x.mean(axis=(0, 1), keepdims=True)
    return levels((x - mean) * factor + mean)


def elastic_transform(
    image: Bytes, random: Random, alpha: float, sigma: float, jitter: float
) -> Bytes:
    x = (image / 255.0).astype(np.float32)
    height, width = x.shape[:2]
    middle, third = np.float32((height, width)) // 2, min(height, width) // 3
    corners = np.float32([middle + third, [middle[0] + third, middle[1] - third], middle - third])
    moved = corners + random.uniform(-jitter, jitter, corners.shape).astype(np.float32)
    turned = cv2.warpAffine(
        x,
        cv2.getAffineTransform(corners, moved),
        (width, height),
        borderMode=cv2.BORDER_REFLECT_101,
    )
    places = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    shifts = [
        alpha * ndimage.gaussian_filter(random.uniform(-1, 1, (height, width)), sigma, truncate=3)
        for _ in range(2)
    ]
    rows, columns = places[0] + shifts[1], places[1] + shifts[0]
    bands = [
        ndimage.map_coordinates(turned[..., band], [rows, columns], order=1, mode="reflect")
        for band in range(3)
    ]
    return levels(np.stack(bands, axis=-1))


def pixelate(image: Bytes, random: Random, fraction: float) -> Bytes:
    height, width = image.shape[:2]
    small = Image.fromarray(image).resize(
        (int(width * fraction), int(height * fraction)), Image.Resampling.BOX
    )
    return np.asarray(small.resize((width, height), Image.Resampling.BOX))


def jpeg_compression(image: Bytes, random: Random, quality: float) -> Bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=round(quality))
    return np.asarray(Image.open(file))


def spatter(
    image: Bytes,
    random: Random,
    mean: float,
    spread: float,
    sigma: float,
    threshold: float,
    strength: float,
    mud: float,
) -> Bytes:
    x = image / 255.0
    liquid = random.normal(mean, spread, x.shape[:2])
    liquid = ndimage.gaussian_filter(liquid, sigma, mode="nearest", truncate=4)
    liquid[liquid < threshold] = 0
    if mud:
        cover = ndimage.gaussian_filter(np.float64(liquid > threshold), strength, mode="nearest")
        cover[cover < 0.8] = 0
        return levels((1 - cover)[..., None] * x + cover[..., None] * np.array([63, 42, 20]) / 255)
    drops = np.uint8(liquid * 255)
    far = cv2.distanceTransform(255 - cv2.Canny(drops, 50, 150), cv2.DIST_L2, 5)
    near = cv2.equalizeHist(np.uint8(cv2.blur(np.minimum(far, 20), (3, 3))))
    sharp = cv2.filter2D(near, cv2.CV_8U, np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]))
    wet = drops.astype(np.float64) * cv2.blur(sharp, (3, 3))
    wet *= strength / max(wet.max(), 1)
    return levels(x + wet[..., None] * np.array([175, 238, 238]) / 255)


PLAIN: Mapping[str, Callable[..., Any]] = {
    "gaussian_noise": gaussian_noise,
    "shot_noise": shot_noise,
    "impulse_noise": impulse_noise,
    "defocus_blur": defocus_blur,
    "glass_blur": glass_blur,
    "motion_blur": motion_blur,
    "zoom_blur": zoom_blur,
    "snow": snow,
    "frost": frost,
    "fog": fog,
    "brightness": brightness,
    "contrast": contrast,
    "elastic_transform": elastic_transform,
    "pixelate": pixelate,
    "jpeg_compression": jpeg_compression,
    "speckle_noise": speckle_noise,
    "gaussian_blur": gaussian_blur,
    "spatter": spatter,
    "saturate": saturate,
}


@dataclass(frozen=True)
class Timed:
    """How fast the plain code is, and what it did.

    Attributes:
        per_s: Images a second of processor time.
        change: Mean |difference| to the clean image, for each image done.
    """

    per_s: float
    change: list[float]


def constants_of(name: str, side: int, severity: int) -> tuple[Any, ...]:
    """What the plain function takes: the preset's constants, and a photograph for frost."""
    constants = preset_for((1, side, side, 3)).constants(name, severity)
    if name == "frost":
        return (*constants[:2], frost_bank().photographs[0])
    if name == "elastic_transform":
        *shares, size = constants
        return tuple(size * share for share in shares)
    return constants[:3] if name == "glass_blur" else constants


def by_plain_code(name: str, images: NDArray[np.uint8], severity: int, repeats: int) -> Timed:
    """Time one corruption on as many images as a second allows, the best of some turns."""
    constants = constants_of(name, images.shape[1], severity)
    random = np.random.default_rng(0)
    best, change = 0.0, list[float]()
    for turn in range(repeats):
        spent, count = 0.0, 0
        for image in images:
            start = time.process_time()
            shown = PLAIN[name](image, random, *constants)
            spent, count = spent + time.process_time() - start, count + 1
            if turn == 0:
                change.append(float(np.abs(shown.astype(int) - image).mean()))
            if spent > 1:
                break
        best = max(best, count / spent)
    return Timed(best, change)
