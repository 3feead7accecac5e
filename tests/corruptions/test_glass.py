"""Glass blur against a loop over pixels, and the law of its offsets."""

import numpy as np
import pytest
import torch
from scipy import ndimage, stats

from corruptions import PRESETS, corrupt, glass, partners
from corruptions.draws import stream

SEVERITIES = (1, 2, 3, 4, 5)
GRADED = [name for name, preset in PRESETS.items() if len(preset.rows.get("glass_blur", ())) == 5]


def smooth(levels, sigma):
    """Levels [H, W, C] as numbers in [0, 1], blurred channel by channel."""
    unit = levels / 255
    blurred = [
        ndimage.gaussian_filter(unit[..., c], sigma, truncate=4, mode="nearest")
        for c in range(levels.shape[-1])
    ]
    return np.stack(blurred, axis=-1)


def passed(pixels, distance, down, right, happens):
    """One pass over [H, W, C] from the last pixel to the first; a swap that only copies."""
    height, width = pixels.shape[:2]
    for h in range(height - distance, distance, -1):
        for w in range(width - distance, distance, -1):
            if happens[h, w]:
                pixels[h, w] = pixels[h + down[h, w], w + right[h, w]]


def reference(image, sigma, distance, offsets, happens=None, whole=True, ties=2e-4):
    """The recipe on [H, W, C], up to its last truncation; offsets [passes, 2, H, W]."""
    pixels = smooth(image, sigma) * 255
    if whole:
        # Narrow Gaussians make many integers out of a photograph's gradients, for which rounding
        # errors decide. Ties go up, as with ours.
        pixels = np.uint8(pixels + ties)
    for number, (down, right) in enumerate(offsets):
        always = np.ones(image.shape[:2], bool)
        passed(pixels, distance, down, right, always if happens is None else happens[number])
    return np.clip(smooth(pixels, sigma), 0, 1) * 255


def random_offsets(distance, passes, count, height, width):
    generator = np.random.default_rng(7)
    shape = (count, passes, 2, height, width)
    return generator.integers(-distance, distance, shape)


def as_steps(offsets, distance):
    """What `glassed` takes, from [N, passes, 2, H, W]: 0 outside of where the loops go."""
    _, passes, _, height, width = offsets.shape
    inside = np.zeros((height, width), bool)
    inside[distance + 1 : height - distance + 1, distance + 1 : width - distance + 1] = True
    steps = (offsets[:, :, 0] * width + offsets[:, :, 1]) * inside
    return [torch.from_numpy(steps[:, number].astype(np.int32)) for number in range(passes)]


def agree(ours, theirs, share=0.001):
    """At most one level apart, and that on hardly any element where rounding does not decide."""
    apart = np.abs(ours.astype(int) - np.uint8(theirs))
    assert apart.max() <= 1
    clear = np.abs(theirs - np.round(theirs)) > 2e-3
    assert (apart * clear > 0).mean() <= share


def planes(images):
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))


def last(tensor):
    return tensor.permute(0, 2, 3, 1).numpy()


CASES = [("cifar", 32, 3), ("tiny", 64, 1), ("imagenet", 64, 1), ("imagenet299", 64, 1)]


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize(("preset", "side", "count"), CASES)
def test_given_offsets(photographs, preset, side, count, severity):
    images = photographs(side, count)
    sigma, distance, passes = PRESETS[preset].constants("glass_blur", severity)
    offsets = random_offsets(int(distance), int(passes), count, side, side)
    ours = last(glass.glassed(planes(images), sigma, as_steps(offsets, int(distance))))
    for image, blurred, drawn in zip(images, ours, offsets, strict=True):
        agree(blurred, reference(image, sigma, int(distance), drawn))
        agree(blurred, reference(image, sigma, int(distance), drawn, ties=0), share=0.02)


@pytest.mark.parametrize("severity", [3, 5])
def test_given_offsets_at_full_size(photographs, severity):
    images = photographs(224, 1)
    sigma, distance, passes = PRESETS["imagenet"].constants("glass_blur", severity)
    offsets = random_offsets(int(distance), int(passes), 1, 224, 224)
    ours = last(glass.glassed(planes(images), sigma, as_steps(offsets, int(distance))))
    agree(ours[0], reference(images[0], sigma, int(distance), offsets[0]))


@pytest.mark.parametrize(("height", "width"), [(20, 33), (33, 20), (9, 40), (4, 7), (2, 2), (2, 9)])
def test_other_shapes(photographs, height, width):
    images = photographs(64, 2)[:, :height, :width]
    offsets = random_offsets(3, 2, 2, height, width)
    ours = last(glass.glassed(planes(images), 1.5, as_steps(offsets, 3)))
    for image, blurred, drawn in zip(images, ours, offsets, strict=True):
        agree(blurred, reference(image, 1.5, 3, drawn))


@pytest.mark.parametrize("channels", [1, 5])
def test_levels_with_fractions_are_not_truncated(photographs, channels):
    images = np.concatenate([photographs(32, 2), photographs(32, 2)[..., ::-1]], axis=-1)
    images = (images[..., :channels] + np.linspace(0, 0.6, 32)[:, None]).clip(0, 255)
    offsets = random_offsets(2, 3, 2, 32, 32)
    given = planes(images.astype(np.float32))
    ours = glass.glassed(given, 0.7, as_steps(offsets, 2))
    assert ours.dtype == torch.float32
    for image, blurred, drawn in zip(images, last(ours), offsets, strict=True):
        theirs = reference(image, 0.7, 2, drawn, whole=False)
        assert np.abs(blurred - theirs).max() < 0.01


def drawn_steps(*arguments):
    return [steps.numpy() for steps in partners.draw_steps(*arguments)]


def decoded(steps, width):
    """(down, right) of flat steps, each less than half a width."""
    down = (steps + width // 2) // width
    return down, steps - down * width


def test_steps_that_are_drawn_are_the_ones_used(photographs):
    images = photographs(40, 2)
    draws = stream(3, "glass_blur", 4, np.arange(2))
    steps = drawn_steps(draws, (40, 40), 3, 2)
    ours = last(glass.glass_blur(planes(images), draws, 1.1, 3, 2))
    for k in range(2):
        offsets = np.stack([np.stack(decoded(step[k], 40)) for step in steps])
        agree(ours[k], reference(images[k], 1.1, 3, offsets))


def test_some_copies_only(photographs):
    images = photographs(28, 1)[..., :1]
    draws = stream(5, "glass_blur", 1, np.arange(1))
    always = drawn_steps(draws, (28, 28), 1, 2)
    sometimes = drawn_steps(draws, (28, 28), 1, 2, 0.5)
    inside = np.s_[:, 2:-1, 2:-1]
    happens = [(a == b) for a, b in zip(always, sometimes, strict=True)]
    offsets = np.stack([np.stack(decoded(step[0], 28)) for step in always])
    theirs = reference(images[0], 0.7, 1, offsets, [h[0] for h in happens])
    agree(last(glass.glass_blur(planes(images), draws, 0.7, 1, 2, 0.5))[0], theirs)
    for step in sometimes:
        # An offset of (0, 0) is one of four.
        assert 0.3 < (step[inside] != 0).mean() < 0.45


@pytest.mark.parametrize("chance", [0.25, 0.9])
def test_how_often_a_copy_is_made(chance):
    draws = stream(0, "glass_blur", 1, np.arange(100))
    always = drawn_steps(draws, (60, 60), 3, 1)[0]
    sometimes = drawn_steps(draws, (60, 60), 3, 1, chance)[0]
    moving = always != 0
    made = int((sometimes[moving] != 0).sum())
    assert stats.binomtest(made, int(moving.sum()), chance).pvalue > 1e-3
    assert np.array_equal(sometimes[sometimes != 0], always[sometimes != 0])
    offsets = np.unique(sometimes[sometimes != 0], return_counts=True)[1]
    assert len(offsets) == 35
    assert stats.chisquare(offsets).pvalue > 1e-3


@pytest.mark.parametrize("distance", [1, 2, 3, 4, 5, 8, 9])
def test_offsets_are_uniform_and_independent(distance):
    side, count = 128, 150
    draws = stream(1, "glass_blur", 3, np.arange(count))
    steps = drawn_steps(draws, (side, side), distance, 1)[0]
    inside = steps[:, distance + 1 : side - distance + 1, distance + 1 : side - distance + 1]
    down, right = decoded(inside, side)
    assert (down.min(), down.max()) == (right.min(), right.max()) == (-distance, distance - 1)
    cell = (down + distance) * 2 * distance + right + distance
    counts = np.bincount(cell.ravel(), minlength=4 * distance**2)
    assert counts.sum() > 1.5e6
    assert stats.chisquare(counts).pvalue > 1e-3
    pairs = cell[:, :, 0::2][:, :, : cell.shape[2] // 2], cell[:, :, 1::2]
    same = (pairs[0] == pairs[1]).sum()
    assert stats.binomtest(int(same), pairs[1].size, 1 / (4 * distance**2)).pvalue > 1e-3


def test_the_margin_stays():
    draws = stream(1, "glass_blur", 3, np.arange(3))
    for distance in (1, 4):
        (steps,) = drawn_steps(draws, (20, 30), distance, 1)
        moving = (steps != 0).any(axis=0)
        rows, columns = np.flatnonzero(moving.any(axis=1)), np.flatnonzero(moving.any(axis=0))
        assert (rows[0], rows[-1]) == (distance + 1, 20 - distance)
        assert (columns[0], columns[-1]) == (distance + 1, 30 - distance)


def test_passes_differ_and_so_do_images():
    draws = stream(1, "glass_blur", 3, np.arange(2))
    first, second = drawn_steps(draws, (32, 32), 2, 2)
    assert (first != second).mean() > 0.7
    assert (first[0] != first[1]).mean() > 0.7


def test_an_images_result_is_its_own(photographs):
    images = photographs(48, 6)
    ids = np.array([4, 9, 1, 7, 30, 2])
    together = corrupt(images, "glass_blur", 3, ids=ids, seed=2)
    order = [5, 0, 3]
    assert np.array_equal(
        corrupt(images[order], "glass_blur", 3, ids=ids[order], seed=2), together[order]
    )
    alone = corrupt(images[2:3], "glass_blur", 3, ids=ids[2:3], seed=2)
    assert np.array_equal(alone[0], together[2])
    assert not np.array_equal(corrupt(images, "glass_blur", 3, ids=ids, seed=3), together)


@pytest.mark.parametrize("preset", GRADED)
def test_a_flat_image_of_any_level_stays(preset):
    flat = torch.arange(256, dtype=torch.uint8)[:, None, None, None].repeat(1, 1, 12, 17)
    for severity in (1, 2.5, 5):
        assert torch.equal(corrupt(flat, "glass_blur", severity, preset=preset), flat)


def test_no_images_and_input_left_alone(photographs):
    draws = stream(0, "glass_blur", 3, np.arange(0))
    assert glass.glass_blur(torch.empty(0, 3, 8, 8), draws, 1, 2, 3).shape == (0, 3, 8, 8)
    images = photographs(32, 1)
    before = images.copy()
    corrupt(images, "glass_blur", 1, preset="cifar")
    assert np.array_equal(images, before)


@pytest.mark.parametrize("distance", [0, 17])
def test_distances_that_cannot_be_drawn(distance):
    with pytest.raises(ValueError, match=f"distance is {distance}: use 1 to 16"):
        drawn_steps(stream(0, "x", 1, np.arange(1)), (32, 32), distance, 1)


@pytest.mark.parametrize(("side", "channels"), [(32, 3), (33, 1)])
@pytest.mark.parametrize("constants", [(0.05, 1, 1), (1.1, 3, 2, 0.5), (1.5, 4, 3)])
def test_the_code_for_a_gpu_does_the_same(photographs, monkeypatch, side, channels, constants):
    images = planes(photographs(64, 2)[:, :side, :50, :channels])
    draws = stream(5, "glass_blur", 1, np.arange(2))
    on_cpu = glass.glass_blur(images, draws, *constants)
    floats = glass.glass_blur(images.to(torch.float32), draws, *constants)
    monkeypatch.setattr(partners, "_ON_CPU", "no device")
    monkeypatch.setattr(glass, "_ON_CPU", "no device")
    apart = (glass.glass_blur(images, draws, *constants).int() - on_cpu.int()).abs()
    assert apart.max() <= 1
    assert (apart > 0).float().mean() < 0.001
    also = glass.glass_blur(images.to(torch.float32), draws, *constants)
    assert (also - floats).abs().max() < 1e-3


def test_no_pass_is_refused():
    with pytest.raises(ValueError, match="passes is 0: use at least 1"):
        partners.draw_steps(stream(0, "x", 1, np.arange(1)), (32, 32), 1, 0)


def exchanged(image, sigma, distance, offsets, happens):
    """MNIST-C's recipe on [H, W]: real swaps, and blurs down the columns alone."""
    down_only = {"sigma": (sigma, 0), "truncate": 4, "mode": "nearest"}
    pixels = np.uint8(ndimage.gaussian_filter(image / 255, **down_only) * 255 + 2e-4)
    height, width = image.shape
    for (down, right), takes in zip(offsets, happens, strict=True):
        for h in range(height - distance, distance, -1):
            for w in range(width - distance, distance, -1):
                if takes[h, w]:
                    there = h + down[h, w], w + right[h, w]
                    pixels[h, w], pixels[there] = pixels[there], pixels[h, w]
    return np.clip(ndimage.gaussian_filter(pixels / 255, **down_only), 0, 1) * 255


@pytest.mark.parametrize("device", ["cpu", "as on others"])
def test_in_mnist_c_pixels_change_places(device, monkeypatch):
    if device != "cpu":
        monkeypatch.setattr(glass, "_ON_CPU", "nothing")
    images = np.random.default_rng(3).integers(0, 256, (4, 28, 28), dtype=np.uint8)
    offsets = random_offsets(1, 2, 4, 28, 28)
    happens = np.random.default_rng(4).random((4, 2, 28, 28)) < 0.5
    steps = [
        step * torch.from_numpy(happens[:, number].astype(np.int32))
        for number, step in enumerate(as_steps(offsets, 1))
    ]
    ours = glass.glassed(torch.from_numpy(images)[:, None], 0.7, steps, exchange=True)[:, 0]
    for image, shown, drawn, takes in zip(images, ours.numpy(), offsets, happens, strict=True):
        agree(shown, exchanged(image, 0.7, 1, drawn, takes))


def test_the_mnist_c_preset_says_so():
    images = np.random.default_rng(3).integers(0, 256, (4, 28, 28), dtype=np.uint8)
    published = corrupt(images, "glass_blur", 1, preset="mnist-c")
    draws = stream(0, "glass_blur", 1.0, np.arange(4))
    steps = partners.draw_steps(draws, (28, 28), 1, 2, 0.5)
    wanted = glass.glassed(torch.from_numpy(images)[:, None], 0.7, steps, exchange=True)[:, 0]
    assert np.array_equal(published, wanted.numpy())
