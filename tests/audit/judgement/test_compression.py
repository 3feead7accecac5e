import numpy as np
import pytest

from audit.judgement.compression import PERFECT, WITH_ZEROS, compression_families
from audit.judgement.plan import Plan


def asked(made, **columns):
    evidence = made.evidence
    evidence = type(evidence)(**{**vars(evidence), "models": evidence.models.assign(**columns)})
    (family,) = compression_families(made.block, evidence, made.arms, Plan(minimum_n=1))
    assert (family.name, family.tier) == ("compression", "D")
    assert all(f.p is None for f in family.findings)
    return {f.measure: f for f in family.findings}


@pytest.fixture
def made(study):
    """Two parents with 1 and 2 errors of 10, their pruned models with 2 and 4."""

    def wrong(k):
        return [1] * k + [0] * (10 - k)

    return study([0] * 10, [wrong(1), wrong(2)], {0.5: [wrong(2), wrong(4)]})


def test_error_as_percent_change(made):
    """Errors of .15 and .3: it doubled, which is a change of 1."""
    found = asked(made)["relative_error"]
    assert (found.parent, found.pruned, found.change) == (1.0, 2.0, 1.0)
    assert found.low < 1.0 < found.high


def test_sample_deviation_over_seeds(made):
    """Accuracies .9 and .8, then .8 and .6."""
    found = asked(made)["accuracy_deviation"]
    assert found.parent == pytest.approx(np.std([0.9, 0.8], ddof=1))
    assert found.pruned == pytest.approx(np.std([0.8, 0.6], ddof=1))
    assert (found.parents, found.change) == (2, None)


def test_compression_ratio_and_speed_up(made):
    """A quarter of the parameters is left in one and a half in the other: 1 / .375."""
    found = asked(
        made,
        parameters=[100, 100, 100, 100],
        nonzero=[100, 100, 25, 50],
        macs=[1000, 1000, 500, 500],
    )
    assert found["compression_ratio"].pruned == pytest.approx(1 / 0.375)
    assert found["compression_ratio"].parent == 1.0
    assert found["theoretical_speedup"].pruned == 2.0
    assert found["theoretical_speedup"].reason == WITH_ZEROS


def test_a_mask_does_less_where_zeros_are_skipped(made):
    """A mask leaves all 1,000 multiply–adds in place; 250 of them are not by zero."""
    found = asked(made, macs=[1000] * 4, macs_nonzero=[1000, 1000, 250, 250])
    assert found["theoretical_speedup"].pruned == 4.0
    assert found["theoretical_speedup"].reason is None


def test_a_ratio_from_the_share_of_all_parameters(made):
    found = asked(made, sparsity_all=[0.0, 0.0, 0.8, 0.8])
    assert found["compression_ratio"].pruned == pytest.approx(5.0)
    assert "theoretical_speedup" not in found


def test_what_is_not_known_is_not_made_up(made):
    assert not {"compression_ratio", "theoretical_speedup"} & set(asked(made))
    half = asked(made, macs=[1000, np.nan, 500, 500])
    assert "theoretical_speedup" not in half
    everything = asked(made, parameters=[100] * 4, nonzero=[100, 100, 0, 0])
    assert "compression_ratio" not in everything


def test_a_parent_without_errors(study):
    made = study([0] * 4, [[0] * 4], {0.5: [[0, 0, 0, 1]]})
    found = asked(made)["relative_error"]
    assert (found.outcome, found.reason) == ("not_asked", PERFECT)
