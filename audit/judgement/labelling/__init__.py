"""Which examples to label so that limits that cannot be told are told, with known probabilities."""

from audit.judgement.labelling.asked import unlabelled_families
from audit.judgement.labelling.sample import COLUMNS, ESTIMATOR, to_label

__all__ = ["COLUMNS", "ESTIMATOR", "to_label", "unlabelled_families"]
