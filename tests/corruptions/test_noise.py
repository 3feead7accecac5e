"""Noise: each element against the inverse cdf in full precision; the law of 20 million draws."""

import numpy as np
import pytest
import torch
from scipy import special, stats

from corruptions import noise
from corruptions.draws import stream

DRAWS = 20_000_000


def uniforms(draws, count, bits):
    """The full-precision uniform number behind every element, drawn whether or not it is needed."""
    codes = draws.codes(count).view(torch.uint16).to(torch.int64) >> (16 - bits)
    rows, columns = torch.meshgrid(torch.arange(len(codes)), torch.arange(count), indexing="ij")
    fine = draws.refine(rows.flatten(), columns.flatten(), 1).view_as(codes)
    return (codes.numpy() + (fine.numpy() + 0.5) / 2.0**36) / 2.0**bits


@pytest.fixture
def batch():
    images = torch.randint(0, 256, (40, 3, 16, 16), dtype=torch.uint8)
    return images, stream(0, "noise", 3, np.arange(40))


@pytest.mark.parametrize("scale", [0.04, 0.38])
def test_gaussian_is_clip_of_x_plus_floor_of_scaled_normal(batch, scale):
    images, draws = batch
    normal = special.ndtri(uniforms(draws, 768, 16)).reshape(images.shape)
    expected = np.clip(images.numpy() + np.floor(255 * scale * normal), 0, 255)
    assert np.array_equal(noise.gaussian_noise(images, draws, scale).numpy(), expected)


@pytest.mark.parametrize("scale", [0.06, 0.9])
def test_speckle_is_clip_of_x_plus_floor_of_x_times_normal(batch, scale):
    images, draws = batch
    normal = special.ndtri(uniforms(draws, 768, 16)).reshape(images.shape)
    expected = np.clip(images.numpy() + np.floor(images.numpy() * scale * normal), 0, 255)
    assert np.array_equal(noise.speckle_noise(images, draws, scale).numpy(), expected)


@pytest.mark.parametrize("photons", [500, 12, 3])
def test_shot_is_the_poisson_quantile_over_photons(batch, photons):
    images, draws = batch
    rates = images.numpy() / 255 * photons
    counts = stats.poisson.ppf(uniforms(draws, 768, 12).reshape(images.shape), rates)
    expected = (np.clip(counts / photons, 0, 1) * 255).astype(np.uint8)
    assert np.array_equal(noise.shot_noise(images, draws, photons).numpy(), expected)


def test_impulse_sets_elements_by_the_lowest_and_highest_codes(batch):
    images, draws = batch
    codes = draws.codes(768).reshape(images.shape).numpy().astype(int) + 2**15
    half = round(0.27 * 2**15)
    expected = np.where(codes < half, 0, np.where(codes >= 2**16 - half, 255, images.numpy()))
    assert np.array_equal(noise.impulse_noise(images, draws, 0.27).numpy(), expected)


def counts_of(function, level, constant):
    """How often each grey level comes out of DRAWS elements of one level."""
    total = np.zeros(256, dtype=np.int64)
    side, parts = 250, 20
    per_part = DRAWS // (side * side * parts)
    images = torch.full((per_part, 1, side, side), level, dtype=torch.uint8)
    for part in range(parts):
        draws = stream(1, "law", 1, np.arange(part * per_part, (part + 1) * per_part))
        result = function(images, draws, constant)
        total += np.bincount(result.flatten().numpy(), minlength=256)
    return total


def chi2_p(observed, probabilities):
    """The p-value of counts against a law, neighbours merged until each expects ten."""
    expected, seen, merged_expected, merged_seen = 0.0, 0, [], []
    for probability, count in zip(probabilities * observed.sum(), observed, strict=True):
        expected, seen = expected + probability, seen + count
        if expected >= 10:
            merged_expected.append(expected)
            merged_seen.append(seen)
            expected, seen = 0.0, 0
    merged_expected[-1] += expected
    merged_seen[-1] += seen
    return stats.chisquare(merged_seen, merged_expected).pvalue


def stepped_normal(level, spread):
    """The law of clip(level + floor(spread · Z), 0, 255)."""
    edges = stats.norm.cdf((np.arange(257) - level) / spread)
    edges[0], edges[-1] = 0, 1
    return np.diff(edges)


@pytest.mark.parametrize(("scale", "level"), [(0.08, 100), (0.18, 10), (0.18, 200), (0.38, 100)])
def test_law_of_gaussian_noise(scale, level):
    observed = counts_of(noise.gaussian_noise, level, scale)
    assert chi2_p(observed, stepped_normal(level, 255 * scale)) > 1e-3


@pytest.mark.parametrize(("scale", "level"), [(0.15, 10), (0.6, 100), (0.35, 200)])
def test_law_of_speckle_noise(scale, level):
    observed = counts_of(noise.speckle_noise, level, scale)
    assert chi2_p(observed, stepped_normal(level, level * scale)) > 1e-3


@pytest.mark.parametrize(("photons", "level"), [(60, 100), (12, 200), (3, 10), (500, 60)])
def test_law_of_shot_noise(photons, level):
    counts = np.arange(2000)
    outcomes = (np.clip(counts / photons, 0, 1) * 255).astype(int)
    law = np.bincount(
        outcomes, weights=stats.poisson.pmf(counts, photons * level / 255), minlength=256
    )
    assert chi2_p(counts_of(noise.shot_noise, level, photons), law) > 1e-3


def test_law_of_impulse_noise():
    observed = counts_of(noise.impulse_noise, 100, 0.17)
    law = np.zeros(256)
    law[[0, 100, 255]] = 0.085, 0.83, 0.085
    assert chi2_p(observed, law) > 1e-3


def test_channels_are_drawn_independently():
    images = torch.full((50, 3, 32, 32), 128, dtype=torch.uint8)
    noisy = noise.gaussian_noise(images, stream(0, "x", 1, np.arange(50)), 0.1).numpy()
    channels = noisy.transpose(1, 0, 2, 3).reshape(3, -1)
    off_diagonal = np.corrcoef(channels)[np.triu_indices(3, 1)]
    assert np.abs(off_diagonal).max() < 0.02


@pytest.mark.parametrize("function", [noise.gaussian_noise, noise.speckle_noise])
def test_values_stop_at_black_and_white_and_do_not_wrap(function):
    draws = stream(0, "x", 1, np.arange(20))
    black = torch.zeros((20, 1, 32, 32), dtype=torch.uint8)
    assert function(black, draws, 0.1).max() < 128
    white = torch.full_like(black, 255)
    assert function(white, draws, 0.1).min() > 100
