"""Sequences of slightly different frames, as ImageNet-P has them: does a model's answer flip?"""

from __future__ import annotations

from .catalogue import PERTURBATIONS, SEQUENCE_SETS, Compares, Perturbation, at_difficulty
from .frames import frame_count, perturbation_frames, published_size, size_of

__all__ = [
    "PERTURBATIONS",
    "SEQUENCE_SETS",
    "Compares",
    "Perturbation",
    "at_difficulty",
    "frame_count",
    "perturbation_frames",
    "published_size",
    "size_of",
]
