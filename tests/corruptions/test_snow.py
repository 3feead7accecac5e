"""Snow against slow per-pixel code written from the recipe, and the law of its draws."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage, stats

from corruptions import PRESETS, blur, corrupt, snow
from corruptions.draws import stream
from corruptions.normal import FINE_UNIT, UNIT, fine_normals, normals

CASES = [("cifar", 32), ("tiny", 64), ("imagenet", 224)]
SEVERITIES = (1, 2, 3, 4, 5)


def layer_reference(noise, angle, side, mean, spread, zoom, threshold, radius, sigma):
    """One layer, 8 bits: SciPy's zoom of the centre's noise, then ImageMagick's motion blur."""
    large = (
        ndimage.zoom(mean + spread * noise, zoom, order=1) if zoom != 1 else mean + noise * spread
    )
    trim = (large.shape[0] - side) // 2
    layer = large[trim : trim + side, trim : trim + side].copy()
    layer[layer < threshold] = 0
    layer = np.uint8(255 * np.clip(layer, 0, 1)).astype(float)
    width = 2 * radius + 1
    kernel = np.exp(-(np.arange(width) ** 2) / (2 * sigma**2))
    kernel /= kernel.sum()
    result = np.zeros(layer.shape)
    for step, weight in enumerate(kernel):
        down = -math.ceil(step * math.sin(math.radians(angle)) - 0.5)
        right = -math.ceil(step * math.cos(math.radians(angle)) - 0.5)
        rows = np.clip(np.arange(side) - down, 0, side - 1)
        columns = np.clip(np.arange(side) - right, 0, side - 1)
        result += weight * layer[np.ix_(rows, columns)]
    return np.uint8(result + 1e-9)


def snowed_reference(image, layer, mix):
    """One pixel at a time, on x in [0, 1]."""
    result = np.empty(image.shape)
    height, width = layer.shape
    for y, x in np.ndindex(layer.shape):
        red, green, blue = image[y, x] / 255
        white = 1.5 * (0.299 * red + 0.587 * green + 0.114 * blue) + 0.5
        fallen = (float(layer[y, x]) + layer[height - 1 - y, width - 1 - x]) / 255
        for band, value in enumerate((red, green, blue)):
            result[y, x, band] = mix * value + (1 - mix) * max(value, white) + fallen
    return 255 * np.clip(result, 0, 1)


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize(("preset", "side"), CASES)
def test_snow(photographs, preset, side, severity):
    count = 1 if side == 224 else 3
    images = photographs(side, count)
    mean, spread, zoom, threshold, radius, sigma, mix = PRESETS[preset].constants("snow", severity)
    draws = stream(3, "snow", severity, np.arange(count))
    kept = math.ceil(side / zoom)
    noise = fine_normals(draws, kept * kept).view(-1, kept, kept).numpy() * FINE_UNIT
    codes = draws.codes(1, purpose=1)[:, 0].numpy().astype(int) + 2**15
    ours = corrupt(images, "snow", severity, preset=preset, seed=3)
    for image, one, angle, snowy in zip(
        images, noise, -135 + 90 * (codes + 0.5) / 2**16, ours, strict=True
    ):
        layer = layer_reference(one, angle, side, mean, spread, zoom, threshold, int(radius), sigma)
        theirs = snowed_reference(image, layer, mix)
        apart = np.abs(snowy.astype(int) - np.uint8(theirs))
        assert apart.max() <= 1
        assert (apart > 0).mean() <= 0.01
        assert layer.max() > 0


@pytest.mark.parametrize("zoom", [1.0, 1.25, 1.75, 2.25, 2.5, 3.0, 4.0, 4.5])
@pytest.mark.parametrize("shape", [(32, 32), (28, 41), (2, 3), (224, 7)])
def test_layers_of_any_size_are_those_of_scipys_zoom(shape, zoom):
    kept = [math.ceil(side / zoom) for side in shape]
    assert [snow.kept_by_zoom(side, zoom) for side in shape] == kept
    whole = torch.randint(-(2**20), 2**20, (2, *kept), dtype=torch.int32)
    ours = snow.flakes_from(whole, *shape, 0.3, 0.2, zoom, 0.25).numpy()
    for one, flakes in zip(whole.numpy() * FINE_UNIT, ours, strict=True):
        large = ndimage.zoom(0.3 + 0.2 * one, zoom, order=1)
        first = [(size - side) // 2 for size, side in zip(large.shape, shape, strict=True)]
        centre = large[first[0] : first[0] + shape[0], first[1] : first[1] + shape[1]]
        theirs = np.where(centre < 0.25, 0, np.minimum(centre, 1)) * 255
        clear = (np.abs(theirs - np.round(theirs)) > 1e-6) & (np.abs(centre - 0.25) > 1e-9)
        assert np.array_equal(flakes[clear], np.uint8(theirs)[clear])


def test_snow_by_hand():
    """Grey 100: whitened to max(100, 277.5), a tenth of it; the layer and its turned self added."""
    image = torch.full((1, 1, 2, 2), 100, dtype=torch.uint8)
    layer = torch.tensor([[[[10, 0], [5, 200]]]], dtype=torch.uint8)
    ours = snow.snowed(image, layer, 0.9)
    base = 0.9 * 100 + 0.1 * 277.5
    assert ours.flatten().tolist() == [255, int(base + 5), int(base + 5), 255]
    bands = torch.tensor([10.0, 20.0, 30.0, 40.0, 50.0])[None, :, None, None].expand(1, 5, 2, 2)
    white = 1.5 * 30 + 127.5
    many = snow.snowed(bands, torch.zeros_like(layer), 0.5)[0, :, 0, 0]
    assert many.tolist() == pytest.approx([0.5 * x + 0.5 * white for x in (10, 20, 30, 40, 50)])


def test_noise_follows_its_law():
    """24 bits each: grey levels of N(.1, .2), 8 million times; a coarse one in bins of its own."""
    count, edges = 2**20, (np.arange(1, 256) / 255 - 0.1) / 0.2
    expected = np.diff(stats.norm.cdf(np.concatenate([[-np.inf], edges, [np.inf]])))
    counts = np.zeros(256)
    for part in range(8):
        values = fine_normals(stream(part, "snow", 1, np.arange(1)), count).double() * FINE_UNIT
        levels = np.floor(255 * (0.1 + 0.2 * values.numpy())).clip(0, 255)
        counts += np.bincount(levels.astype(int).ravel(), minlength=256)
    enough = expected * 8 * count > 20
    counts = np.append(counts[enough], counts[~enough].sum())
    wanted = 8 * count * np.append(expected[enough], expected[~enough].sum())
    assert stats.chisquare(counts, wanted).pvalue > 1e-3
    coarse = normals(stream(0, "snow", 1, np.arange(1)), count).ravel() * UNIT
    edges = stats.norm.ppf(np.arange(1, 64) / 64)
    assert stats.chisquare(np.bincount(np.searchsorted(edges, coarse))).pvalue > 1e-3


def test_numbers_are_the_quantiles_of_their_bits():
    """Enough of them that some lie in the first and some in the last bin."""
    draws, count = stream(0, "snow", 1, np.arange(3)), 100_000
    fine = fine_normals(draws, count).numpy() * FINE_UNIT
    words = draws.words(count // 2).view(torch.int32).numpy().astype(np.int64)
    exact = stats.norm.ppf(((words >> 8) + 2**23 + 0.5) / 2**24)
    assert {0, 2**16 - 1} <= set(((words >> 16) + 2**15).ravel().tolist())
    assert np.abs(fine - exact).max() < 0.02  # next to the outermost bins a line is that far off
    codes = draws.codes(count).numpy().astype(int)
    coarse = stats.norm.ppf((codes + 2**15 + 0.5) / 2**16)
    assert np.abs(normals(draws, count) * UNIT - coarse).max() <= UNIT


def test_angles_are_uniform_and_paths_are_those_of_the_angles():
    codes = stream(0, "snow", 3, np.arange(100_000)).codes(1, purpose=1)[:, 0].numpy().astype(int)
    assert stats.kstest((codes + 2**15 + 0.5) / 2**16, "uniform").pvalue > 1e-3
    flakes = np.zeros((9, 9), dtype=np.uint8)
    flakes[4, 4] = 255  # a flake at the middle leaves its path behind
    angles = np.array([-135.0, -90.0, -45.0])
    paths = blur.path_offsets(3, angles)
    layer = torch.from_numpy(flakes)[None, None].expand(3, 1, 9, 9).contiguous()
    fallen = blur.motion(layer, 1000.0, paths, torch.arange(3))[:, 0] > 0
    reached = [{(y, x) for y, x in np.argwhere(one.numpy()).tolist()} for one in fallen]
    assert reached == [{(4, 4), (5, 5)}, {(4, 4), (5, 4), (6, 4)}, {(4, 4), (5, 3)}]


@pytest.mark.parametrize("severity", [1, 3.5, 5])
def test_an_image_is_snowed_alike_in_any_batch(photographs, severity):
    images = photographs(32, 7)
    together = corrupt(images, "snow", severity, seed=4)
    assert np.array_equal(corrupt(images, "snow", severity, seed=4), together)
    assert not np.array_equal(corrupt(images, "snow", severity, seed=5), together)
    for k in (6, 0, 3):
        alone = corrupt(images[k : k + 1], "snow", severity, seed=4, ids=[k])
        assert np.array_equal(alone[0], together[k])


def test_floats_keep_their_fractions(photographs):
    images = photographs(32, 3)
    exact = corrupt(images / 255, "snow", 3, preset="cifar", value_range=(0, 1)) * 255
    bytes_ = corrupt(images, "snow", 3, preset="cifar")
    assert np.abs(np.floor(exact + 2e-3) - bytes_).max() <= 1
    assert (exact % 1 > 0.01).any()


@pytest.mark.parametrize(
    "shape", [(0, 32, 32, 3), (1, 2, 2), (2, 28, 28), (1, 20, 50, 3), (1, 299, 299, 3)]
)
@pytest.mark.parametrize("level", [0, 128, 255])
def test_sizes_and_flat_images(shape, level):
    images = np.full(shape, level, dtype=np.uint8)
    for severity in (1, 5):
        snowy = corrupt(images, "snow", severity)
        assert snowy.shape == shape
        assert (snowy >= images).all()
