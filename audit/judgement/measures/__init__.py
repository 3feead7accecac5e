"""The catalogue of measures, by name."""

from collections.abc import Mapping

from audit.judgement.measures.behind_accuracy import BEHIND_ACCURACY
from audit.judgement.measures.held_levels import HELD_LEVELS
from audit.judgement.measures.measure import Measure
from audit.judgement.measures.of_compression import OF_COMPRESSION
from audit.judgement.measures.of_exemplars import OF_EXEMPLARS
from audit.judgement.measures.of_groups import OF_GROUPS
from audit.judgement.measures.of_labels import OF_LABELS
from audit.judgement.measures.of_outputs import OF_OUTPUTS
from audit.judgement.measures.of_rates import OF_RATES
from audit.judgement.measures.of_search import OF_SEARCH
from audit.judgement.measures.of_values import OF_VALUES
from audit.judgement.measures.under_shift import UNDER_SHIFT

MEASURES: Mapping[str, Measure] = {
    **BEHIND_ACCURACY,
    **OF_EXEMPLARS,
    **OF_LABELS,
    **OF_GROUPS,
    **OF_RATES,
    **HELD_LEVELS,
    **UNDER_SHIFT,
    **OF_OUTPUTS,
    **OF_COMPRESSION,
    **OF_SEARCH,
    **OF_VALUES,
}

__all__ = ["MEASURES", "Measure"]
