"""Pruning identified exemplars: the examples on which pruning changed a population's mind."""

from audit.judgement.exemplars.ballots import (
    DIVERGENCES,
    UNDECIDED,
    Ballots,
    ballots,
    jensen_shannon,
    modal,
    tally,
    taxicab,
)
from audit.judgement.exemplars.floor import (
    SwapTest,
    halves_floor,
    swap_parent_and_pruned,
    swap_pruned_and_control,
)
from audit.judgement.exemplars.judged import exemplar_families

__all__ = [
    "DIVERGENCES",
    "UNDECIDED",
    "Ballots",
    "SwapTest",
    "ballots",
    "exemplar_families",
    "halves_floor",
    "jensen_shannon",
    "modal",
    "swap_parent_and_pruned",
    "swap_pruned_and_control",
    "tally",
    "taxicab",
]
