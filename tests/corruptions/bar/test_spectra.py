"""Noise with a spectrum beside the published construction of it."""

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.fft import ifft2

from corruptions.bar import spectra
from corruptions.draws import stream


def noise(codes, size, power):
    """The published construction for an even side: phases of half the spectrum, mirrored."""
    phases = (codes[: size * (size // 2)].reshape(size, size // 2) + 0.5) * (2 * np.pi / 65536)
    phases = np.concatenate([phases, phases[::-1, ::-1]], axis=1)
    far = np.array(
        [[np.hypot(x - size / 2, y - size / 2) for x in range(size)] for y in range(size)]
    )
    spectrum = power(far) * np.exp(1j * phases)
    spectrum = np.roll(np.roll(spectrum, size // 2, axis=0), size // 2, axis=1)
    field = np.real(ifft2(spectrum))
    return field / np.std(field)


def codes_for(*shape):
    return np.random.default_rng(0).integers(0, 65536, shape)


@pytest.mark.parametrize("size", [8, 32])
def test_blue_noise_blacks_pixels_out(size, images, near):
    given, codes, level = images(size, size), codes_for(2, size * size // 2), 4.2
    kept = np.stack([noise(own, size, lambda far: far) > 3.0 * level / 10 - 2.5 for own in codes])
    expected = given.permute(0, 2, 3, 1).numpy() * kept[..., None]
    near(spectra.sampled(given, level, torch.from_numpy(codes)), expected.astype(np.uint8))


@pytest.mark.parametrize("size", [8, 32])
@pytest.mark.parametrize("channels", [1, 3])
def test_brownish_noise_is_added(size, channels, images, near):
    given = images(size, size, channels=channels)
    codes, level = codes_for(2, channels, size * size // 2), 5
    fields = [[noise(one, size, lambda far: 1 / (far**2 + 1)) for one in own] for own in codes]
    expected = given.permute(0, 2, 3, 1).numpy() + 64 * level / 10 * np.moveaxis(fields, 1, 3)
    ours = spectra.browned(given, level, torch.from_numpy(codes))
    near(ours, np.clip(expected, 0, 255).astype(np.uint8))


@pytest.mark.parametrize("shape", [(9, 9), (2, 2), (3, 2), (8, 13), (13, 8), (32, 64)])
def test_other_sides_have_noise_of_the_same_kind(shape):
    keys = stream(0, "noise", 1, np.arange(40))
    codes = spectra._codes(torch.zeros(40, 1, *shape), keys, 1)[:, 0]
    noise = spectra.coloured(codes, spectra._frequency(*shape)).numpy()
    assert noise.shape == (40, *shape)
    assert np.allclose(noise.std(axis=(1, 2)), 1)
    # The zero frequency has no amplitude.
    assert np.abs(noise.mean(axis=(1, 2))).max() < 1e-12


def test_the_phases_of_a_spectrum_are_mirrored_on_odd_sides_too():
    codes = spectra._codes(torch.zeros(2, 1, 7, 9), stream(0, "noise", 1, np.arange(2)), 1)[:, 0]
    assert codes.shape == (2, 7 * 4 + 3)
    noise = spectra.coloured(codes, torch.ones(7, 9, dtype=torch.float64)).numpy()
    # Equal phases at f and -f make every cosine even about the first pixel.
    turned = np.roll(noise[:, ::-1, ::-1], 1, axis=(1, 2))
    assert np.allclose(noise, turned)


def test_how_many_pixels_go_and_that_neighbours_rarely_do():
    keys = stream(0, "blue_noise_sample", 3, np.arange(100))
    images = torch.full((100, 1, 32, 32), 200, dtype=torch.uint8)
    gone = (spectra.blue_noise_sample(images, keys, 4.2) == 0)[:, 0].numpy()
    share = gone.mean()
    assert share == pytest.approx(stats.norm.cdf(3 * 4.2 / 10 - 2.5), abs=0.01)
    both = (gone[:, :, 1:] & gone[:, :, :-1]).mean()
    assert both < 0.5 * share**2


def test_brownish_noise_is_as_strong_as_it_says():
    images = torch.full((20, 2, 32, 32), 128.0)
    keys = stream(0, "brownish_noise", 1, np.arange(20))
    added = spectra.brownish_noise(images, keys, 1) - 128
    assert np.allclose(added.std(dim=(2, 3), correction=0), 6.4, atol=1e-4)
    assert not torch.allclose(added[:, 0], added[:, 1])
    # Clouds: neighbours are nearly alike.
    assert float((added[..., 1:] - added[..., :-1]).std()) < 3
