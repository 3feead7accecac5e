"""Elastic transform against SciPy's resampling of each image, and the laws of its draws."""

import numpy as np
import pytest
import torch
from scipy import ndimage, stats

from corruptions import PRESETS, corrupt, elastic
from corruptions.draws import stream

SEVERITIES = (1, 2, 3, 4, 5)
GRADED = [
    name for name, preset in PRESETS.items() if len(preset.rows.get("elastic_transform", ())) == 5
]


def affine_of(jitter, height, width):
    """The 2 × 3 matrix that moves the three points, each (right, down)."""
    third = min(height, width) // 3
    right, down = width // 2, height // 2
    points = np.array(
        [
            [right + third, down + third],
            [right + third, down - third],
            [right - third, down - third],
        ],
        dtype=float,
    )
    return np.linalg.solve(np.hstack([points, np.ones((3, 1))]), points + jitter).T


def sampled(image, rows, columns, mode):
    channels = [
        ndimage.map_coordinates(image[..., c], [rows, columns], order=1, mode=mode)
        for c in range(image.shape[-1])
    ]
    return np.stack(channels, axis=-1)


def reference(image, jitter, field, alpha, sigma):
    """The recipe on [H, W, C], up to its last truncation; the field [H, W, 2] in [−1, 1]."""
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width].astype(float)
    matrix = affine_of(jitter, height, width)
    inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))
    columns, rows, _ = np.einsum("ij,jhw->ihw", inverse, np.stack([x, y, np.ones_like(x)]))
    warped = sampled(image.astype(float), rows, columns, "mirror")
    if field is None:
        return warped
    right, down = (
        alpha * ndimage.gaussian_filter(field[..., axis], sigma, truncate=3, mode="reflect")
        for axis in (0, 1)
    )
    return sampled(warped, y + down, x + right, "reflect")


def draws_for(count, height, width, affine, seed=4):
    generator = np.random.default_rng(seed)
    jitter = generator.uniform(-affine, affine, (count, 3, 2))
    return jitter, generator.integers(-(2**15), 2**15, (count, height, width, 2), dtype=np.int16)


def as_numbers(codes):
    return (codes + 0.5) / 2**15


def agree(ours, theirs, share=0.002):
    """At most one level apart, and that on hardly any element where rounding does not decide."""
    levels = np.clip(theirs, 0, 255)
    apart = np.abs(ours.astype(int) - np.uint8(levels))
    assert apart.max() <= 1
    clear = np.abs(levels - np.round(levels)) > 2e-3
    assert clear.any()
    assert (apart[clear] > 0).mean() <= share


def transformed(images, jitter, codes, alpha, sigma):
    planes = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    field = None if codes is None else torch.from_numpy(codes)
    result = elastic.elastic(planes, torch.from_numpy(jitter), field, alpha, sigma)
    return result.permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize(
    ("preset", "side", "count"),
    [("cifar", 32, 4), ("tiny", 64, 2), ("imagenet", 224, 1), ("imagenet299", 150, 1)],
)
def test_given_draws(photographs, preset, side, count, severity):
    images = photographs(side, count)
    alpha, sigma, affine, unit = PRESETS[preset].constants("elastic_transform", severity)
    jitter, codes = draws_for(count, side, side, affine * unit)
    if not alpha:
        codes = None
    ours = transformed(images, jitter, codes, alpha * unit, sigma * unit)
    for k in range(count):
        field = None if codes is None else as_numbers(codes[k])
        agree(ours[k], reference(images[k], jitter[k], field, alpha * unit, sigma * unit))


@pytest.mark.parametrize(
    ("height", "width"), [(40, 25), (25, 40), (7, 60), (60, 7), (3, 3), (3, 50), (8, 8)]
)
def test_other_shapes(photographs, height, width):
    images = photographs(64, 3)[:, :height, :width]
    jitter, codes = draws_for(3, height, width, 0.25 * min(height, width))
    for sigma in (0, 0.9, 3.0, 30.0):
        ours = transformed(images, jitter, codes, 5.0, sigma)
        for k in range(3):
            agree(ours[k], reference(images[k], jitter[k], as_numbers(codes[k]), 5.0, sigma), 0.02)


def test_noise_is_resampled_as_well(photographs):
    images = np.random.default_rng(1).integers(0, 256, (2, 48, 48, 3), dtype=np.uint8)
    jitter, codes = draws_for(2, 48, 48, 4)
    ours = transformed(images, jitter, codes, 10, 2)
    for k in range(2):
        agree(ours[k], reference(images[k], jitter[k], as_numbers(codes[k]), 10, 2))


@pytest.mark.parametrize("channels", [1, 5])
def test_levels_with_fractions_are_not_truncated(photographs, channels):
    images = np.concatenate([photographs(32, 2), photographs(32, 2)[..., ::-1]], axis=-1)
    images = (images[..., :channels] + np.linspace(0, 0.6, 32)[:, None]).clip(0, 255)
    images = images.astype(np.float32)
    jitter, codes = draws_for(2, 32, 32, 2)
    ours = transformed(images, jitter, codes, 3.2, 1.3)
    assert ours.dtype == np.float32
    for k in range(2):
        theirs = reference(images[k], jitter[k], as_numbers(codes[k]), 3.2, 1.3)
        assert np.abs(ours[k] - theirs).max() < 0.02


def test_no_draws_no_change(photographs):
    images = photographs(32, 2)
    still = np.zeros((2, 3, 2))
    assert np.array_equal(transformed(images, still, None, 0, 0), images)
    # Halfway between the codes −1 and 0 is nothing: this is half a code's width too far.
    codes = np.zeros((2, 32, 32, 2), np.int16)
    assert np.array_equal(transformed(images, still, codes, 1e-3, 2), images)


def test_points_go_where_they_are_sent():
    spot = np.zeros((1, 61, 61, 1), np.uint8)
    spot[0, 50, 50] = 255  # the point below right of the centre: 30 + 20
    jitter = np.zeros((1, 3, 2))
    jitter[0, 0] = 4, -3
    moved = transformed(spot, jitter, None, 0, 0)[0, :, :, 0]
    assert np.unravel_index(moved.argmax(), moved.shape) == (47, 54)
    assert moved[47, 54] >= 254


def test_both_ways_of_smoothing_agree():
    codes = torch.from_numpy(draws_for(2, 40, 30, 0)[1])
    for sigma in (1.0, 4.0, 12.0):
        plain = elastic.smoothed(codes, sigma)
        planes = codes.permute(0, 3, 1, 2).to(torch.float64)
        down, across = (torch.from_numpy(elastic._matrix(size, sigma)) for size in (40, 30))
        product = (down @ planes @ across.t()).permute(0, 2, 3, 1)
        assert (plain - product).abs().max() < 0.02  # of 32,768 codes


def captured(monkeypatch, count, side, constants, severity=2):
    """The draws that `elastic_transform` hands on for black images."""
    seen = {}

    def see(images, jitter, field, alpha, sigma):
        seen.update(jitter=jitter.numpy(), field=field, alpha=alpha, sigma=sigma)
        return images

    monkeypatch.setattr(elastic, "elastic", see)
    draws = stream(1, "elastic_transform", severity, np.arange(count))
    elastic.elastic_transform(torch.zeros(count, 1, side, side), draws, *constants)
    return seen


def test_points_move_uniformly(monkeypatch):
    seen = captured(monkeypatch, 20_000, 2, (0.05, 0.2, 0.07, 32))
    moves = seen["jitter"].reshape(-1, 6) / (0.07 * 32)
    for axis in range(6):
        assert stats.kstest(moves[:, axis], stats.uniform(-1, 2).cdf).pvalue > 1e-3
    assert np.abs(np.corrcoef(moves.T) - np.eye(6)).max() < 0.03


def test_fields_are_uniform_and_not_the_points_draws(monkeypatch):
    seen = captured(monkeypatch, 30, 128, (0.05, 0.2, 0.07, 32))
    assert (seen["alpha"], seen["sigma"]) == (pytest.approx(1.6), pytest.approx(6.4))
    numbers = as_numbers(seen["field"].numpy())
    assert numbers.shape == (30, 128, 128, 2)
    for axis in (0, 1):
        counts = np.bincount(((numbers[..., axis] + 1) * 128).astype(int).ravel())
        assert stats.chisquare(counts).pvalue > 1e-3
    assert abs(np.corrcoef(numbers[..., 0].ravel(), numbers[..., 1].ravel())[0, 1]) < 0.006
    points, first = seen["jitter"].reshape(30, 6) / 2.24, numbers.reshape(30, -1)[:, :24]
    for axis in range(6):
        assert (np.abs(points[:, axis, None] - first) < 1e-4).sum() <= 1


def test_without_a_field_nothing_is_drawn_for_one(monkeypatch):
    assert captured(monkeypatch, 2, 8, (0, 0, 0.08, 32))["field"] is None


@pytest.mark.parametrize(("preset", "severity"), [("imagenet", 1), ("imagenet", 3), ("cifar", 2)])
def test_an_images_result_is_its_own(photographs, preset, severity):
    images = photographs(56, 5)
    ids = np.array([4, 9, 1, 7, 30])
    made = {"severity": severity, "preset": preset, "seed": 2}
    together = corrupt(images, "elastic_transform", ids=ids, **made)
    order = [4, 0, 3]
    some = corrupt(images[order], "elastic_transform", ids=ids[order], **made)
    assert np.array_equal(some, together[order])
    alone = corrupt(images[2:3], "elastic_transform", ids=ids[2:3], **made)
    assert np.array_equal(alone[0], together[2])
    made["seed"] = 3
    assert not np.array_equal(corrupt(images, "elastic_transform", ids=ids, **made), together)


@pytest.mark.parametrize("preset", GRADED)
def test_a_flat_image_of_any_level_stays(preset):
    flat = torch.arange(256, dtype=torch.uint8)[:, None, None, None].repeat(1, 1, 12, 17)
    for severity in (1, 2.5, 5):
        assert torch.equal(corrupt(flat, "elastic_transform", severity, preset=preset), flat)


@pytest.mark.parametrize("shape", [(1, 2, 2, 3), (2, 2, 9), (1, 9, 2, 1)])
def test_the_smallest_images_get_some_result(shape):
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    for severity in SEVERITIES:
        for preset in ("imagenet", "cifar", "digits"):
            made = corrupt(images, "elastic_transform", severity, preset=preset)
            assert made.min() >= images.min() - 1
            assert made.max() <= images.max()


def test_points_on_one_line_give_one_colour(photographs):
    """No inverse: everything is taken from where the second point was."""
    images = photographs(32, 1)
    jitter = np.zeros((1, 3, 2))
    jitter[0, 0, 1] = -20  # the first point onto the second: they are 20 pixels apart
    made = transformed(images, jitter, None, 0, 0)
    assert (made == images[0, 16 - 10, 16 + 10]).all()


def test_no_images():
    draws = stream(0, "elastic_transform", 3, np.arange(0))
    none = torch.empty(0, 3, 8, 8)
    assert elastic.elastic_transform(none, draws, 0.1, 0.1, 0.1, 32).shape == none.shape
