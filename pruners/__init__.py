"""The models: architectures, training, pruning, masks. A library of its own, for any module."""

from pruners.accuracy import Accuracy, measure_accuracy
from pruners.architectures import ARCHITECTURES, build, build_seeded
from pruners.attach import attach, hold_masks
from pruners.batches import AUGMENTATIONS
from pruners.catalogue import (
    ALLOCATIONS,
    GRANULARITIES,
    RETRAININGS,
    SALIENCIES,
    SCHEDULE_ALIASES,
    SCHEDULES,
)
from pruners.compaction import Compacted, compact, load_compacted, save_compacted
from pruners.cost import (
    MACS_DEFINITION,
    MASKED_IS_DENSE,
    Cost,
    Energy,
    Latency,
    LayerMacs,
    Macs,
    Ratios,
    compare_costs,
    compare_latency,
    count_macs,
    describe_cost,
    measure_cost,
    measure_energy,
    measure_latency,
)
from pruners.gradual import GradualPruning
from pruners.heads import replace_head
from pruners.masks import Masks
from pruners.members import Member, frame
from pruners.methods import Method
from pruners.optimizers import DECAYS, OPTIMIZERS
from pruners.origin import Origin, make_origin
from pruners.population import population
from pruners.prune import Pruned, make_masks, prune, prune_and_retrain
from pruners.recalibration import Recalibration, recalibrate
from pruners.small_dense import small_dense
from pruners.sparsity import Sparsities, check_sparsity
from pruners.stacked import train_stacked
from pruners.stacked_retraining import prune_and_retrain_stacked
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
    "MASKED_IS_DENSE",
    "OPTIMIZERS",
    "RETRAININGS",
    "SALIENCIES",
    "SCHEDULES",
    "SCHEDULE_ALIASES",
    "Accuracy",
    "Compacted",
    "Cost",
    "Curve",
    "Energy",
    "GradualPruning",
    "Latency",
    "LayerMacs",
    "Macs",
    "Masks",
    "Member",
    "Method",
    "Origin",
    "Pruned",
    "Ratios",
    "Recalibration",
    "Sparsities",
    "Targets",
    "Training",
    "attach",
    "build",
    "build_seeded",
    "check_sparsity",
    "compact",
    "compare_costs",
    "compare_latency",
    "count_macs",
    "describe_cost",
    "find_targets",
    "frame",
    "hold_masks",
    "load_compacted",
    "load_masks",
    "load_pruned",
    "make_masks",
    "make_origin",
    "measure_accuracy",
    "measure_cost",
    "measure_energy",
    "measure_latency",
    "population",
    "prune",
    "prune_and_retrain",
    "prune_and_retrain_stacked",
    "read_metadata",
    "recalibrate",
    "replace_head",
    "save_compacted",
    "save_pruned",
    "small_dense",
    "train",
    "train_stacked",
]
