"""The law of the noises: 20 million draws each against the exact probabilities, by chi-squared.

Tables of quantiles that look right at a million draws fail here; the last tests show that they do.
"""

from functools import lru_cache

import numpy as np
import pytest
import torch
from scipy import special, stats

from corruptions import noise
from corruptions.draws import stream

DRAWS = 20_000_000
SIDE, PARTS = 250, 64
LEVELS = (10, 100, 200)


def counts_of(function, level, constant):
    """How often each grey level comes out of at least DRAWS elements of one level."""
    total = np.zeros(256, dtype=np.int64)
    per_part = -(-DRAWS // (SIDE * SIDE * PARTS))
    images = torch.full((per_part, 1, SIDE, SIDE), level, dtype=torch.uint8)
    for part in range(PARTS):
        draws = stream(1, "law", 1, np.arange(part * per_part, (part + 1) * per_part))
        result = function(images, draws, constant).numpy()
        # Two levels at a time: half the places to count.
        pairs = np.bincount(result.view(np.uint16).ravel(), minlength=2**16).reshape(256, 256)
        total += pairs.sum(axis=0) + pairs.sum(axis=1)
    assert total.sum() >= DRAWS
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


def photons_law(level, photons):
    """The law of a Poisson count over the photons, as a grey level."""
    counts = np.arange(2000)
    outcomes = (np.clip(counts / photons, 0, 1) * 255).astype(int)
    chances = stats.poisson.pmf(counts, photons * level / 255)
    return np.bincount(outcomes, weights=chances, minlength=256)


def impulse_law(level, amount):
    """Half the amount black, half white, the rest as it was."""
    law = np.zeros(256)
    law[[0, level, 255]] = amount / 2, 1 - amount, amount / 2
    return law


# The smallest and the largest published constants of each, and some between.
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("scale", [0.04, 0.18, 0.40])
def test_law_of_gaussian_noise(scale, level):
    observed = counts_of(noise.gaussian_noise, level, scale)
    assert chi2_p(observed, stepped_normal(level, 255 * scale)) > 1e-3


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("scale", [0.06, 0.61])
def test_law_of_speckle_noise(scale, level):
    observed = counts_of(noise.speckle_noise, level, scale)
    assert chi2_p(observed, stepped_normal(level, level * scale)) > 1e-3


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("photons", [500, 12, 3])
def test_law_of_shot_noise(photons, level):
    observed = counts_of(noise.shot_noise, level, photons)
    assert chi2_p(observed, photons_law(level, photons)) > 1e-3


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("amount", [0.01, 0.28])
def test_law_of_impulse_noise(amount, level):
    observed = counts_of(noise.impulse_noise, level, amount)
    assert chi2_p(observed, impulse_law(level, amount)) > 1e-3


def by_one_table(quantiles):
    """A noise that takes the middle of each of 65,536 bins for all of it."""

    @lru_cache(maxsize=1)
    def table(level, constant):
        return quantiles((np.arange(2**16) + 0.5) / 2**16, level, constant).astype(np.uint8)

    def coarse(images, draws, constant):
        codes = draws.codes(images[0].numel()).flatten().view(torch.uint16).numpy()
        return torch.from_numpy(table(int(images[0, 0, 0, 0]), constant)[codes])

    return coarse


def normal_quantiles(uniform, level, spread):
    return np.clip(level + np.floor(spread * special.ndtri(uniform)), 0, 255)


def photon_quantiles(uniform, level, photons):
    # One bit fewer than there are: what a table of 32,768 bins would give.
    uniform = (np.floor(uniform * 2**15) + 0.5) / 2**15
    counts = stats.poisson.ppf(uniform, photons * level / 255)
    return np.clip(counts / photons, 0, 1) * 255


def test_a_plain_table_of_gaussian_quantiles_fails():
    observed = counts_of(by_one_table(normal_quantiles), 100, 255 * 0.08)
    assert chi2_p(observed, stepped_normal(100, 255 * 0.08)) < 1e-6


def test_a_plain_table_of_speckle_quantiles_fails():
    observed = counts_of(by_one_table(normal_quantiles), 100, 100 * 0.15)
    assert chi2_p(observed, stepped_normal(100, 100 * 0.15)) < 1e-6


def test_a_plain_table_of_photon_counts_fails():
    observed = counts_of(by_one_table(photon_quantiles), 100, 60)
    assert chi2_p(observed, photons_law(100, 60)) < 1e-6


def test_impulses_chosen_by_eight_bits_fail():
    def coarse(images, draws, amount):
        return noise.impulse_noise(images, draws, 2 * round(amount * 2**7) / 2**8)

    assert chi2_p(counts_of(coarse, 100, 0.17), impulse_law(100, 0.17)) < 1e-6
