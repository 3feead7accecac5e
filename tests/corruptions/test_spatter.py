"""Spatter against code written from the recipe, edges, distances and histograms by hand."""

import math

import cv2
import numpy as np
import pytest
import torch
from scipy import ndimage

from corruptions import PRESETS, corrupt, spatter
from corruptions.draws import stream
from corruptions.normal import UNIT, normals

CASES = [("cifar", 32), ("tiny", 64), ("imagenet", 224), ("imagenet299", 299)]
SEVERITIES = (1, 2, 3, 4, 5)


def canny_by_hand(levels, low, high):
    """Edges of an 8-bit image: gradients, thinning along four directions, then what strong ones
    reach through weak ones."""
    padded = np.pad(levels.astype(int), 1, mode="edge")

    def gradient(y, x, a, b):
        part = padded[y : y + 3, x : x + 3]
        return int((part * np.outer(a, b)).sum())

    across, down = (np.zeros(levels.shape, dtype=int) for _ in range(2))
    for y, x in np.ndindex(levels.shape):
        across[y, x] = gradient(y, x, (1, 2, 1), (-1, 0, 1))
        down[y, x] = gradient(y, x, (-1, 0, 1), (1, 2, 1))
    size = np.pad(np.abs(across) + np.abs(down), 1)
    thin = np.zeros(levels.shape, dtype=bool)
    for y, x in np.ndindex(levels.shape):
        here, dx, dy = size[y + 1, x + 1], across[y, x], down[y, x]
        # The tangent of 22.5° in units of 2^−15, and that of 67.5°, which is it and 2.
        shallow = abs(dx) * 13573
        steep = shallow + (abs(dx) << 16)
        if (abs(dy) << 15) < shallow:
            thin[y, x] = here > size[y + 1, x] and here >= size[y + 1, x + 2]
        elif (abs(dy) << 15) > steep:
            thin[y, x] = here > size[y, x + 1] and here >= size[y + 2, x + 1]
        else:
            turn = -1 if (dx ^ dy) < 0 else 1
            thin[y, x] = here > size[y, x + 1 - turn] and here > size[y + 2, x + 1 + turn]
    inner = size[1:-1, 1:-1]
    weak, strong = thin & (inner > low), thin & (inner > high)
    labels, _ = ndimage.label(weak, structure=np.ones((3, 3)))
    reached = np.unique(labels[strong])
    return np.isin(labels, reached[reached > 0])


def distances_by_hand(edges):
    """To the nearest edge by steps of 1, diagonals of 1.4 and knight's moves of 2.1969."""
    unit = 2**16
    steps = {
        (y, x): round((1 if 0 in (y, x) else 1.4 if abs(y) == abs(x) else 2.1969) * unit)
        for y in range(-2, 3)
        for x in range(-2, 3)
        if math.gcd(y, x) == 1
    }
    height, width = edges.shape
    found = np.where(edges, 0, 2**40)
    for order in (1, -1):
        for y in range(height)[::order]:
            for x in range(width)[::order]:
                for (down, right), cost in steps.items():
                    from_y, from_x = y + down, x + right
                    visited = (down, right) < (0, 0) if order == 1 else (down, right) > (0, 0)
                    if visited and 0 <= from_y < height and 0 <= from_x < width:
                        found[y, x] = min(found[y, x], found[from_y, from_x] + cost)
    return np.minimum(found / unit, 20)


def equalised_by_hand(levels):
    counts = np.bincount(levels.ravel(), minlength=256)
    first = int(np.flatnonzero(counts)[0])
    if counts[first] == levels.size:
        return levels
    scale = 255 / (levels.size - counts[first])
    table = np.array([round(scale * counts[first + 1 : k + 1].sum()) for k in range(256)])
    return table[levels]


def correlated(levels, kernel):
    return ndimage.correlate(levels.astype(float), np.asarray(kernel, float), mode="mirror")


def water_by_hand(liquid, threshold, strength):
    depth = np.where(liquid < threshold, 0, np.floor(255 * liquid)).astype(int)
    far = distances_by_hand(canny_by_hand(depth, 50, 150))
    mean = np.floor(correlated(far, np.ones((3, 3))) / 9 + 1e-9).astype(int)
    relief = correlated(equalised_by_hand(mean), [[-2, -1, 0], [-1, 1, 1], [0, 1, 2]])
    light = np.rint(correlated(relief.clip(0, 255), np.ones((3, 3))) / 9)
    water = depth * light
    return water / water.max() * strength if water.max() else water


def mud_by_hand(liquid, threshold, sigma):
    soft = ndimage.gaussian_filter(
        (liquid > threshold).astype(float), sigma, truncate=4, mode="nearest"
    )
    return np.where(soft < 0.8, 0, soft)


def water_by_opencv(liquid, threshold, strength):
    """For large images: the same with OpenCV's own edges, distances and histograms."""
    depth = (np.where(liquid < threshold, 0, liquid) * 255).astype(np.uint8)
    far = cv2.distanceTransform(255 - cv2.Canny(depth, 50, 150), cv2.DIST_L2, 5)
    even = cv2.equalizeHist(cv2.blur(np.minimum(far, 20), (3, 3)).astype(np.uint8))
    relief = cv2.filter2D(even, cv2.CV_8U, np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]))
    water = depth * cv2.blur(relief, (3, 3)).astype(float)
    return water / water.max() * strength


def liquids(seed, severity, side, count, mean, spread, sigma):
    noise = normals(stream(seed, "spatter", severity, np.arange(count)), side * side)
    for one in noise.reshape(count, side, side) * UNIT:
        yield ndimage.gaussian_filter(mean + spread * one, sigma, truncate=4, mode="nearest")


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize(("preset", "side"), CASES)
def test_spatter(photographs, preset, side, severity):
    images = photographs(side, 1 if side > 64 else 3)
    row = PRESETS[preset].constants("spatter", severity)
    mean, spread, sigma, threshold, strength, mud = row
    ours = corrupt(images, "spatter", severity, preset=preset, seed=3)
    water = water_by_opencv if side > 64 else water_by_hand
    found = liquids(3, severity, side, len(images), mean, spread, sigma)
    for image, liquid, spattered in zip(images / 255, found, ours, strict=True):
        cover = (mud_by_hand if mud else water)(liquid, threshold, strength)[..., None]
        colour = np.array((63, 42, 20) if mud else (175, 238, 238)) / 255
        theirs = (1 - cover) * image + cover * colour if mud else image + cover * colour
        apart = np.abs(spattered.astype(int) - np.uint8(255 * np.clip(theirs, 0, 1) + 1e-9))
        assert apart.max() <= 1
        assert (apart > 0).mean() <= 0.005
        assert (spattered != np.uint8(255 * image + 0.5)).any()


@pytest.mark.parametrize("seed", range(5))
def test_what_opencv_does_is_what_is_done_by_hand(seed):
    generator = np.random.default_rng(seed)
    liquid = ndimage.gaussian_filter(generator.normal(0.65, 0.3, (25, 33)), 1.5)
    depth = np.where(liquid < 0.66, 0, 255 * liquid).clip(0, 255).astype(np.uint8)
    edges = canny_by_hand(depth, 50, 150)
    assert edges.any()
    assert np.array_equal(edges, cv2.Canny(depth, 50, 150) == 255)
    far = cv2.distanceTransform(255 - 255 * edges.astype(np.uint8), cv2.DIST_L2, 5)
    assert np.allclose(distances_by_hand(edges), np.minimum(far, 20), atol=1e-4)
    levels = generator.integers(0, 21, (25, 33), dtype=np.uint8)
    assert np.array_equal(equalised_by_hand(levels), cv2.equalizeHist(levels))


def test_where_there_is_no_liquid_nothing_changes(photographs):
    images = torch.from_numpy(photographs(32, 4)).permute(0, 3, 1, 2)
    draws = stream(0, "spatter", 1, np.arange(4))
    for row in ((0.5, 0.01, 1.0, 0.9, 0.6, 0), (0.5, 0.01, 1.0, 0.9, 1.5, 1)):
        assert torch.equal(spatter.spatter(images, draws, *row), images)


def test_where_all_is_liquid_it_is_as_thick_everywhere(photographs):
    images = torch.from_numpy(photographs(32, 2)).permute(0, 3, 1, 2)
    draws = stream(0, "spatter", 1, np.arange(2))
    wet = spatter.spatter(torch.zeros_like(images), draws, 0.9, 0.0, 1.0, 0.5, 0.6, 0)
    assert wet.flatten(2).unique(dim=2).squeeze(2).tolist() == [[105, 142, 142]] * 2
    muddy = spatter.spatter(images, draws, 0.9, 0.0, 1.0, 0.5, 1.0, 1)
    assert muddy.flatten(2).unique(dim=2).squeeze(2).tolist() == [[63, 42, 20]] * 2


def test_deep_inside_a_drop_it_is_as_far_from_the_edge_everywhere():
    liquid = np.full((60, 60), 0.1)
    liquid[5:55, 5:55] = np.linspace(0.7, 0.8, 50)
    cover = np.empty((60, 60), dtype=np.float32)
    spatter.water_cover(255 * liquid, 0.6, 0.5, cover)
    assert np.abs(cover - water_by_hand(liquid, 0.6, 0.5)).max() < 1e-5


def test_liquid_brighter_than_white_is_white():
    covers = np.empty((2, 6, 6), dtype=np.float32)
    for top, cover in zip((255.0, 300.0), covers, strict=True):
        liquid = np.full((6, 6), 25.0)
        liquid[2:4, 2:4] = top
        spatter.water_cover(liquid, 0.09, 0.5, cover)
    assert np.array_equal(*covers)
    assert covers[0].max() == np.float32(0.5)


def test_colours_of_grey_images_and_of_any_other_number_of_bands():
    cover = torch.ones(1, 2, 2)
    for channels, mud, water in (
        (1, [63], [219]),
        (3, [63, 42, 20], [175, 238, 238]),
        (5, [41] * 5, [217] * 5),
    ):
        black = torch.zeros(1, channels, 2, 2, dtype=torch.uint8)
        assert spatter.spattered(black, cover, mud=True)[0, :, 0, 0].tolist() == mud
        assert spatter.spattered(black, cover, mud=False)[0, :, 0, 0].tolist() == water


def test_water_adds_and_mud_covers():
    grey = torch.full((1, 1, 2, 2), 200, dtype=torch.uint8)
    cover = torch.tensor([[[0.0, 0.25], [0.5, 1.0]]])
    water = [200, int(200 + 0.25 * 219.163), 255, 255]
    assert spatter.spattered(grey, cover, mud=False).flatten().tolist() == water
    mud = [200, int(150 + 0.25 * 63), int(100 + 0.5 * 63), 63]
    assert spatter.spattered(grey, cover, mud=True).flatten().tolist() == mud


@pytest.mark.parametrize("sigma", [0.5, 1.0, 4.0])
def test_liquid_is_scipys_gaussian_of_the_noise(sigma):
    noise = np.random.default_rng(0).integers(-(2**14), 2**14, (19, 40)).astype(np.int16)
    ours = spatter.liquid_from(noise, spatter.gaussian_kernel(sigma), 0.65, 0.3)
    theirs = ndimage.gaussian_filter(0.65 + 0.3 * noise * UNIT, sigma, truncate=4, mode="nearest")
    assert np.abs(ours - 255 * theirs).max() < 1e-10


@pytest.mark.parametrize("severity", [1, 3.5, 5])
def test_an_image_is_spattered_alike_in_any_batch(photographs, severity):
    images = photographs(32, 7)
    together = corrupt(images, "spatter", severity, seed=4)
    assert np.array_equal(corrupt(images, "spatter", severity, seed=4), together)
    assert not np.array_equal(corrupt(images, "spatter", severity, seed=5), together)
    for k in (6, 0, 3):
        alone = corrupt(images[k : k + 1], "spatter", severity, seed=4, ids=[k])
        assert np.array_equal(alone[0], together[k])


def test_floats_keep_their_fractions(photographs):
    images = photographs(32, 3)
    for severity in (3, 5):
        exact = corrupt(images / 255, "spatter", severity, preset="cifar", value_range=(0, 1)) * 255
        bytes_ = corrupt(images, "spatter", severity, preset="cifar")
        assert np.abs(np.floor(exact + 2e-3) - bytes_).max() <= 1
        assert (exact % 1 > 0.01).any()


@pytest.mark.parametrize(
    "shape", [(0, 32, 32, 3), (3, 2, 2), (2, 28, 28), (1, 20, 50, 3), (1, 224, 224)]
)
@pytest.mark.parametrize("level", [0, 128, 255])
def test_sizes_and_flat_images(shape, level):
    images = np.full(shape, level, dtype=np.uint8)
    for severity in (1, 2, 5):
        assert corrupt(images, "spatter", severity).shape == shape
