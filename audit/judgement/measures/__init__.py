"""The catalogue of measures, by name."""

from collections.abc import Mapping

from audit.judgement.measures.behind_accuracy import BEHIND_ACCURACY
from audit.judgement.measures.measure import Measure
from audit.judgement.measures.of_groups import OF_GROUPS
from audit.judgement.measures.under_shift import UNDER_SHIFT

MEASURES: Mapping[str, Measure] = {**BEHIND_ACCURACY, **OF_GROUPS, **UNDER_SHIFT}

__all__ = ["MEASURES", "Measure"]
