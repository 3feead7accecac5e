"""Frost against per-pixel code, the law of its draws, and the statistics of its windows."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats

from corruptions import PRESETS, corrupt, frost_bank
from corruptions.draws import stream
from corruptions.frost import Bank, frost

# Of the published photographs: mean and standard deviation of red, green and blue; luma at
# 1, 5, 25, 50, 75, 95 and 99 %; the standard deviation of the mean luma of 224×224 crops; slope of
# the power spectrum.
PUBLISHED = {
    "frost1": (
        (78, 149, 166),
        (27, 17, 15),
        (95, 102, 116, 128, 141, 163, 177),
        (0.82, 0.57, 0.93),
        9.7,
        -1.84,
    ),
    "frost2": (
        (201, 205, 215),
        (21, 22, 23),
        (140, 165, 193, 208, 220, 235, 244),
        (0.99, 0.99, 0.99),
        7.1,
        -1.7,
    ),
    "frost4": (
        (138, 153, 165),
        (29, 29, 30),
        (81, 102, 132, 150, 167, 196, 231),
        (0.99, 0.99, 0.99),
        7.2,
        -1.3,
    ),
    "frost5": (
        (112, 123, 135),
        (44, 43, 42),
        (43, 58, 89, 117, 149, 202, 237),
        (0.99, 0.99, 0.99),
        13.7,
        -1.85,
    ),
}
SIZES = ((600, 900), (315, 560), (350, 527), (495, 660))


def luma(photograph):
    return photograph.astype(float) @ [0.299, 0.587, 0.114]


def power_slope(grey, side=224, count=20):
    """Of the logarithm of the mean power of windowed crops against that of the frequency."""
    generator, power = np.random.default_rng(0), np.zeros((side, side))
    window = np.outer(np.hanning(side), np.hanning(side))
    for _ in range(count):
        top, left = (generator.integers(0, size - side + 1) for size in grey.shape)
        crop = grey[top : top + side, left : left + side]
        power += np.abs(np.fft.fft2((crop - crop.mean()) * window)) ** 2
    axis = np.fft.fftfreq(side)
    frequency = np.hypot(axis[:, None], axis[None, :])
    edges = np.geomspace(2 / side, 0.5, 13)
    means = [power[(frequency >= a) & (frequency < b)].mean() for a, b in pairwise(edges)]
    return np.polyfit(np.log(np.sqrt(edges[1:] * edges[:-1])), np.log(means), 1)[0]


def crop_spread(grey, side=224):
    tops, lefts = (range(0, size - side + 1, 8) for size in grey.shape)
    return np.std([grey[t : t + side, x : x + side].mean() for t in tops for x in lefts])


@pytest.mark.parametrize("which", range(4))
def test_windows_have_the_statistics_of_the_photographs(which):
    photograph = frost_bank().photographs[which]
    mean, spread, quantiles, correlations, crops, slope = PUBLISHED[f"frost{(1, 2, 4, 5)[which]}"]
    assert photograph.shape == (*SIZES[which], 3)
    grey, bands = luma(photograph), photograph.reshape(-1, 3).astype(float)
    assert bands.mean(axis=0) == pytest.approx(mean, abs=1.5)
    assert bands.std(axis=0) == pytest.approx(spread, abs=2)
    assert np.percentile(grey, [1, 5, 25, 50, 75, 95, 99]) == pytest.approx(quantiles, abs=1.5)
    rows, columns = (0, 0, 1), (1, 2, 2)
    assert np.corrcoef(bands.T)[rows, columns] == pytest.approx(correlations, abs=0.03)
    assert crop_spread(grey) == pytest.approx(crops, abs=0.25 * crops)
    assert power_slope(grey) == pytest.approx(slope, abs=0.15)


def test_windows_are_made_of_integers_and_the_same_everywhere():
    bank = frost_bank()
    assert bank.name == "frost (procedural)"
    assert bank.digest == "2702c97e120ce643e69c1180f086b86f"
    assert frost_bank() is bank


def expected(images, photographs, slots, clear, frosted, seed, severity):
    """One pixel at a time, with the draws taken apart by Python's integers."""
    words = stream(seed, "frost", severity, np.arange(len(images))).words(3).tolist()
    result = np.empty(images.shape, dtype=np.uint8)
    for image, target, draws in zip(images, result, words, strict=True):
        low = [word % 2**32 for word in draws]
        window = photographs[slots[low[0] * len(slots) // 2**32]]
        room = [max(1, a - b) for a, b in zip(window.shape[:2], image.shape[:2], strict=True)]
        top, left = (draw * size // 2**32 for draw, size in zip(low[1:], room, strict=True))
        for y, x, band in np.ndindex(image.shape):
            ice = float(window[top + y, left + x, band])
            level = clear * float(image[y, x, band]) + frosted * ice
            target[y, x, band] = int(min(max(level + 1e-9, 0), 255))
    return result


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_frost_pixel_by_pixel(photographs, severity):
    images = photographs(64, 4)
    clear, frosted, scale = PRESETS["imagenet"].constants("frost", severity)
    assert scale == 1
    ours = corrupt(images, "frost", severity, preset="imagenet", seed=3)
    theirs = expected(
        images, frost_bank().photographs, (0, 1, 1, 2, 3), clear, frosted, 3, severity
    )
    apart = np.abs(ours.astype(int) - theirs)
    assert apart.max() <= 1
    assert (apart > 0).mean() <= 0.001


def halved(photograph):
    """Half the size by plain bilinear interpolation: between four pixels, rounded half up."""
    tall, wide = photograph.shape[0] // 2, photograph.shape[1] // 2
    result = np.empty((tall, wide, 3), dtype=np.uint8)
    for y, x, band in np.ndindex(result.shape):
        four = photograph[2 * y : 2 * y + 2, 2 * x : 2 * x + 2, band]
        result[y, x, band] = (int(four.sum()) + 2) // 4
    return result


def test_photographs_are_scaled_by_plain_bilinear_interpolation(photographs):
    photograph, images = photographs(64, 1)[0], photographs(16, 6)
    planes = torch.from_numpy(images).permute(0, 3, 1, 2)
    bank = Bank("one", "0", (photograph,), (0,))
    draws = stream(0, "frost", 2, np.arange(6))
    ours = frost(planes, draws, 0.9, 0.4, 0.5, bank=bank).permute(0, 2, 3, 1).numpy()
    theirs = expected(images, [halved(photograph)], (0,), 0.9, 0.4, 0, 2)
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_scaled_pixels_are_not_averaged():
    """At a fifth of the size each pixel is the middle of five by five, and nothing around it."""
    photograph = np.zeros((50, 50, 3), dtype=np.uint8)
    photograph[2::5, 2::5] = 200
    bank = Bank("one", "0", (photograph,), (0,))
    black = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
    ours = frost(black, stream(0, "frost", 1, np.arange(1)), 1, 1, 0.2, bank=bank)
    assert ours.unique().tolist() == [200]


@pytest.fixture
def folder(tmp_path):
    """Six photographs named as the published ones, each of one grey level: 20, 40, … 120."""
    for k in range(1, 7):
        level = np.full((40, 50, 3), 20 * k, dtype=np.uint8)
        Image.fromarray(level).save(tmp_path / f"frost{k}.{'png' if k < 4 else 'jpg'}", quality=100)
    (tmp_path / "notes.txt").write_text("not a photograph")
    return tmp_path


def drawn(folder, count=5000):
    """How often each level was seen, with the photograph laid over black."""
    images = np.zeros((count, 4, 4), dtype=np.uint8)
    frosted = corrupt(images, "frost", 1, preset="imagenet", frost=folder)
    assert (frosted == frosted[:, :1, :1]).all()
    return np.unique(frosted[:, 0, 0], return_counts=True)


def test_the_sixth_published_photograph_is_never_drawn_and_the_others_equally_often(folder):
    levels, counts = drawn(folder)
    assert levels.tolist() == [8, 16, 24, 32, 40]
    assert stats.chisquare(counts).pvalue > 1e-3


def test_photographs_of_other_names_are_all_drawn_equally_often(folder):
    (folder / "frost6.jpg").rename(folder / "window.JPEG")
    levels, counts = drawn(folder)
    assert levels.tolist() == [8, 16, 24, 32, 40, 48]
    assert stats.chisquare(counts).pvalue > 1e-3


def test_procedural_windows_are_drawn_as_often_as_their_photographs():
    draws = stream(1, "frost", 1, np.arange(100_000)).words(3)
    words = draws[:, 0].bitwise_and(2**32 - 1).numpy()
    counts = np.bincount(np.array([0, 1, 1, 2, 3])[words * 5 >> 32])
    assert stats.chisquare(counts, 100_000 * np.array([0.2, 0.4, 0.2, 0.2])).pvalue > 1e-3


def test_crops_are_drawn_from_everywhere_but_the_last_place():
    """A window whose level tells the place, over black: every place but the last equally often."""
    across = np.broadcast_to(np.arange(40, dtype=np.uint8)[None, :, None], (30, 40, 3))
    down = np.broadcast_to(np.arange(30, dtype=np.uint8)[:, None, None], (30, 40, 3))
    black = torch.zeros(20_000, 3, 8, 8, dtype=torch.uint8)
    for picture, places in ((across, 32), (down, 22)):
        bank = Bank("one", "0", (np.ascontiguousarray(picture),), (0,))
        crops = frost(black, stream(2, "frost", 1, np.arange(20_000)), 1, 1, 1, bank=bank)
        counts = np.bincount(crops[:, 0, 0, 0].numpy())
        assert len(counts) == places
        assert stats.chisquare(counts).pvalue > 1e-3


def test_banks_are_named_after_their_folder_and_known_by_what_it_holds(folder):
    bank = frost_bank(folder)
    assert bank.name == f"frost (photographs in {folder.name})"
    assert frost_bank(str(folder)) is bank
    assert len(bank.photographs) == 5
    (folder / "notes.txt").unlink()
    assert frost_bank(folder).digest == bank.digest
    Image.new("RGB", (50, 40), (1, 2, 3)).save(folder / "frost1.png")
    changed = frost_bank(folder)
    assert changed.digest != bank.digest
    assert changed.photographs[0][0, 0].tolist() == [1, 2, 3]


def test_an_image_larger_than_the_photographs_has_them_enlarged(folder):
    images = np.zeros((3, 90, 70, 3), dtype=np.uint8)
    frosted = corrupt(images, "frost", 2, preset="imagenet", frost=folder)
    assert set(np.unique(frosted)) <= {12, 24, 36, 48, 60}
    assert corrupt(np.zeros((1, 620, 30), np.uint8), "frost", 3, preset="cifar").min() > 0


def test_folders_that_cannot_be_used(tmp_path, folder):
    images = np.zeros((1, 8, 8), dtype=np.uint8)
    with pytest.raises(ValueError, match=r"there is no folder .*nowhere"):
        corrupt(images, "frost", 1, frost=tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="empty has no PNG or JPEG files"):
        corrupt(images, "frost", 1, frost=tmp_path / "empty")
    (folder / "frost2.png").write_bytes(b"\x89PNG and then nothing")
    with pytest.raises(ValueError, match=r"frost2\.png cannot be read"):
        corrupt(images, "frost", 1, frost=folder)
    Image.fromarray(np.full((30, 30), 300, np.uint16)).save(tmp_path / "empty" / "deep.png")
    with pytest.raises(ValueError, match=r"deep\.png cannot be read .*more than 8 bits"):
        corrupt(images, "frost", 1, frost=tmp_path / "empty")


def test_grey_images_get_the_luma_and_so_does_any_other_number_of_bands(tmp_path):
    Image.new("RGB", (30, 30), (200, 100, 50)).save(tmp_path / "a.png")
    grey = (299 * 200 + 587 * 100 + 114 * 50 + 500) // 1000
    for shape in ((2, 6, 6), (2, 6, 6, 5)):
        black = np.zeros(shape, dtype=np.uint8)
        ours = corrupt(black, "frost", 1, preset="imagenet", frost=tmp_path, bands=len(shape) == 4)
        assert np.unique(ours).tolist() == [int(0.4 * grey)]


def test_floats_keep_their_fractions(photographs):
    images = photographs(32, 3)
    exact = corrupt(images / 255, "frost", 3, preset="cifar", value_range=(0, 1)) * 255
    bytes_ = corrupt(images, "frost", 3, preset="cifar")
    assert np.abs(np.floor(exact + 2e-3) - bytes_).max() <= 1
    assert (exact % 1 > 0.01).any()


@pytest.mark.parametrize("severity", [1, 2.5, 5])
def test_an_image_is_frosted_alike_in_any_batch(photographs, severity):
    images = photographs(32, 7)
    together = corrupt(images, "frost", severity, seed=4)
    assert np.array_equal(corrupt(images, "frost", severity, seed=4), together)
    assert not np.array_equal(corrupt(images, "frost", severity, seed=5), together)
    for k in (6, 0, 3):
        alone = corrupt(images[k : k + 1], "frost", severity, seed=4, ids=[k])
        assert np.array_equal(alone[0], together[k])


@pytest.mark.parametrize("shape", [(0, 32, 32, 3), (1, 2, 2), (2, 28, 28), (1, 299, 299, 3)])
@pytest.mark.parametrize("level", [0, 255])
def test_sizes_and_flat_images(shape, level):
    images = np.full(shape, level, dtype=np.uint8)
    assert corrupt(images, "frost", 5).shape == shape
    assert np.array_equal(corrupt(images, "frost", 0), images)
