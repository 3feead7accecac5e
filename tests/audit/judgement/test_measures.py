from typing import get_args

import pytest

from audit.judgement.findings import Unit
from audit.judgement.measures import MEASURES
from audit.judgement.unasked import NEEDS


@pytest.mark.parametrize("name", list(MEASURES))
def test_every_entry_is_whole(name):
    measure = MEASURES[name]
    assert measure.name == name
    assert name == name.lower()
    assert measure.definition
    assert "\n" not in measure.definition
    assert measure.unit in get_args(Unit)
    assert measure.worse_direction in {"up", "down", None}
    assert measure.source
    assert set(measure.needs) <= set(NEEDS)


def test_what_spans_every_sparsity():
    assert {name for name, measure in MEASURES.items() if measure.spans} == {
        "excess_error_slope", "group_base_rate", "label_error_share",
        "mean_prune_potential", "minimum_prune_potential", "omnibus", "parents_agreement",
        "parents_flip_rate",
        "parents_harmed_rate", "parents_kappa", "prune_potential", "rank_by_corrected_labels",
        "unlabelled",
    }  # fmt: skip


def test_the_contracts_names_are_there():
    promised = {
        "accuracy", "corruption_error", "ece", "excess_error", "excess_gap", "group_fnr",
        "group_fpr", "normalised_recall_shift", "pie_count", "pie_excess", "prune_potential",
        "recall",
    }  # fmt: skip
    assert promised <= set(MEASURES)


def test_no_word_that_promises_too_much():
    text = " ".join(measure.definition for measure in MEASURES.values()).lower()
    for word in ("fair", "unbiased", "debiased", "safe", "solved"):
        assert word not in text
