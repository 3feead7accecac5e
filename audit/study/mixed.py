"""Draws the test examples that a stated mix of groups shows: a shift of who is there.

Evidence has one weight for each example, whatever the condition, so a mix is drawn and not
weighted: the largest sample without replacement that has the stated shares. Its examples are other
rows of the evidence than the clean ones, as a natural shift's are. Paired by example a mix would
change nothing, since nobody is changed; what it changes is the mean, which is compared as that of a
separate sample.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from audit.evidence.errors import InputError
from audit.evidence.folder import write_examples
from audit.evidence.nearest import hint
from audit.study.prepare import Arrays, write_inputs
from audit.study.recipes import Mix
from audit.study.sources.cuts import stratified_sample
from corruptions.tabular import reweight_to_mix

_MIX = 7  # entropy that sets this sample apart from other draws with the same seed

IntArray = NDArray[np.int64]


def write_mix(folder: Path, name: str, mix: Mix, arrays: Arrays) -> None:
    """Writes the examples of a mix as a data folder that has nothing but a test part.

    Args:
        folder: Where to.
        name: What the config calls the mix.
        mix: The shares.
        arrays: The audited data.

    Raises:
        InputError: There is no such group column, or a group with a share has too few examples.
    """
    frame = pd.read_parquet(arrays.folder / "examples.parquet")
    frame = frame[frame["split"] == "test"].reset_index(drop=True)
    groups, shares = _groups(frame, name, mix), dict(mix.shares)
    try:
        weighted = reweight_to_mix(groups, shares)
    except ValueError as error:
        raise InputError(f"shifts.reweight.{name}: {error}") from error
    labels = arrays.labels("test")
    rows = drawn(groups, labels, shares, mix.seed)
    if not len(rows):
        raise InputError(f"shifts.reweight.{name}: too few test examples for one of this mix.")
    write_inputs(folder, "test", np.array(arrays.inputs("test")[rows]))
    np.save(folder / "test-labels.npy", labels[rows])
    write_examples(folder, frame.iloc[rows].reset_index(drop=True), arrays.classes)
    note = _note(mix, len(rows), len(frame), weighted.effective_size)
    meta = {**arrays.meta, "notes": [note], "examples": {"test": len(rows)}}
    (folder / "meta.json").write_text(json.dumps(meta, indent=1, sort_keys=True))


def drawn(
    groups: NDArray[Any], labels: IntArray, shares: Mapping[str, float], seed: int
) -> IntArray:
    """Positions of the largest sample with these shares, int64, increasing.

    Drawn without replacement and, within each group, so that every class keeps its share: what a
    group's members are like stays as it was.

    Args:
        groups: [N], texts.
        labels: int64 [N], codes; negative where there is none.
        shares: By group, summing to 1.
        seed: Seed of the draw.
    """
    sizes = {group: int((groups == group).sum()) for group, share in shares.items() if share > 0}
    # A share such as 0.1 is no binary fraction: 30 / 0.1 must not be 299.
    most = min(math.floor(size / shares[group] + 1e-6) for group, size in sizes.items())
    found = []
    for group, size in sizes.items():
        members = np.flatnonzero(groups == group)
        count = min(round(shares[group] * most), size)
        inside = stratified_sample(labels[members] + 1, count, (seed, _MIX))
        found.append(members[inside])
    return np.sort(np.concatenate(found))


def _groups(frame: pd.DataFrame, name: str, mix: Mix) -> NDArray[Any]:
    column = f"group_{mix.column}"
    if column not in frame:
        known = [one.removeprefix("group_") for one in frame.columns if one.startswith("group_")]
        said = hint(mix.column, known) if known else "name it in data.groups."
        raise InputError(
            f"shifts.reweight.{name} asks for the group column {mix.column!r}, which is not there: "
            f"{said}"
        )
    return frame[column].astype(object).to_numpy()


def _note(mix: Mix, count: int, every: int, effective: float) -> str:
    shares = ", ".join(f"{group} {100 * share:.4g} %" for group, share in mix.shares)
    return (
        f"{count:,} of the {every:,} test examples, the most that can be drawn without replacement "
        f"so that {mix.column} is {shares} and every class keeps its share within each group. "
        f"Weights on all of them would be worth {effective:,.0f} examples. They are compared with "
        "the clean examples as a separate sample, which is cautious, as the two overlap."
    )
