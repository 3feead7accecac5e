"""Each class against the rest within each group: FNR, FPR and selection rate, as a screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from audit.evidence.blocks import NO_LABEL, NOT_SHOWN
from audit.judgement.answers import answer_finding
from audit.judgement.findings import Finding
from audit.judgement.groups.divisions import Grouping
from audit.judgement.pairs import Answer, Design, Pairs, Value, answers, contrast

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer]
CodeArray = NDArray[np.int64]

WIDEST = 4_000_000  # values of one quantity held at a time: 32 MB


def class_group_findings(found: Pairs, division: Grouping, classes: Sequence[str]) -> list[Finding]:
    """FNR, FPR and selection rate of every class within every group, for one arm.

    Classes are laid side by side, so that one inference serves as many as fit in memory.
    """
    size = max(found.pruned.size, 1)
    at_once = max(1, WIDEST // size)
    return [
        finding
        for start in range(0, len(classes), at_once)
        for finding in _classes_at_once(
            found, division, classes, np.arange(start, min(start + at_once, len(classes)))
        )
    ]


def _classes_at_once(
    found: Pairs, division: Grouping, classes: Sequence[str], codes: CodeArray
) -> list[Finding]:
    """Every example once per class: example i stands, for class c, in the cell (c, group of i)."""
    wide, n_groups = _repeated(found.design, len(codes)), len(division.names)
    of_class = (found.design.labels[None, :] == codes[:, None]).ravel()
    labelled = wide.labels != NO_LABEL
    cells = (np.arange(len(codes))[:, None] * n_groups + division.codes[None, :]).ravel()
    out = []
    for measure, taken, among in (
        ("group_fnr", False, of_class),
        ("group_fpr", True, labelled & ~of_class),
        ("group_selection_rate", True, labelled),
    ):
        both = replace(contrast(found, _share(codes, taken, among)), design=wide)
        each = answers(both, cells, len(codes) * n_groups)
        out += [
            _finding(measure, answer, found, classes[codes[cell // n_groups]], division, cell)
            for cell, answer in enumerate(each)
        ]
    return out


def _share(codes: CodeArray, taken: bool, among: NDArray[np.bool_]) -> Value:
    """Taken for the class or not, [models, classes × examples], NaN outside `among`."""

    def value(predicted: IntArray) -> FloatArray:
        hit = (predicted[:, None, :] == codes[None, :, None]) == taken
        outside = np.tile(predicted == NOT_SHOWN, len(codes)) | ~among
        return np.where(outside, np.nan, hit.reshape(len(predicted), -1).astype(np.float64))

    return value


def _repeated(known: Design, times: int) -> Design:
    """What is known of the examples, once per class; a cluster stays one cluster in each."""
    return replace(
        known,
        labels=np.tile(known.labels, times),
        weights=None if known.weights is None else np.tile(known.weights, times),
        clusters=None if known.clusters is None else np.tile(known.clusters, times),
        counted=np.tile(known.counted, times),
    )


def _finding(
    measure: str, answer: Answer, found: Pairs, class_: str, division: Grouping, cell: int
) -> Finding:
    return answer_finding(
        measure,
        answer,
        found.arm,
        found.design.plan,
        condition=found.condition,
        class_=class_,
        groups=division.names[cell % len(division.names)],
    )
