"""The models: architectures, training, pruning, masks. A library of its own, for any module."""

from pruners.architectures import ARCHITECTURES, build, build_seeded
from pruners.attach import GradualPruning, attach
from pruners.batches import AUGMENTATIONS
from pruners.catalogue import (
    ALLOCATIONS,
    GRANULARITIES,
    RETRAININGS,
    SALIENCIES,
    SCHEDULE_ALIASES,
    SCHEDULES,
)
from pruners.cost import MACS_DEFINITION, Cost, Latency, measure_cost, measure_latency
from pruners.masks import Masks
from pruners.methods import Method
from pruners.optimizers import DECAYS, OPTIMIZERS
from pruners.population import Member, population
from pruners.prune import Pruned, make_masks, prune, prune_and_retrain
from pruners.sparsity import Sparsities, check_sparsity
from pruners.storage import load_masks, load_pruned, read_metadata, save_pruned
from pruners.targets import Targets, find_targets
from pruners.training import Curve, Training, train

__all__ = [
    "ALLOCATIONS",
    "ARCHITECTURES",
    "AUGMENTATIONS",
    "DECAYS",
    "GRANULARITIES",
    "MACS_DEFINITION",
    "OPTIMIZERS",
    "RETRAININGS",
    "SALIENCIES",
    "SCHEDULES",
    "SCHEDULE_ALIASES",
    "Cost",
    "Curve",
    "GradualPruning",
    "Latency",
    "Masks",
    "Member",
    "Method",
    "Pruned",
    "Sparsities",
    "Targets",
    "Training",
    "attach",
    "build",
    "build_seeded",
    "check_sparsity",
    "find_targets",
    "load_masks",
    "load_pruned",
    "make_masks",
    "measure_cost",
    "measure_latency",
    "population",
    "prune",
    "prune_and_retrain",
    "read_metadata",
    "save_pruned",
    "train",
]
