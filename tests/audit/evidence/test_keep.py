"""Evidence written as a folder is the evidence that was there."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from audit.evidence.errors import StoreError
from audit.evidence.flat import read_flat
from audit.evidence.folder import read_folder
from audit.evidence.keep import write_evidence


def table(seed=0):
    """Two models, three conditions (one natural), two splits, probabilities, groups, a cluster."""
    rng = np.random.default_rng(seed)
    frames = []
    for model, parent in (("d", None), ("p", "d")):
        for condition, severity in (("clean", 0.0), ("fog", 3.0), ("elsewhere", None)):
            n = 12
            p = rng.dirichlet(np.ones(3), n)
            frames.append(
                pd.DataFrame(
                    {
                        "model": model,
                        "parent": parent,
                        "sparsity": 0.0 if parent is None else 0.8,
                        "condition": condition,
                        "severity": severity,
                        "example": [f"{'n' if severity is None else 'e'}{i}" for i in range(n)],
                        "split": ["validation" if i < 4 else "test" for i in range(n)],
                        "label": np.arange(n) % 3,
                        "predicted": p.argmax(1),
                        "confidence": p.max(1).astype(np.float32),
                        "probabilities": list(p),
                        "group_age": np.arange(n) * 1.5,
                        "group_site": [None if i == 5 else "a" for i in range(n)],
                        "cluster": np.arange(n) // 2,
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


def same(ours, theirs):
    order = theirs.examples["example"].tolist()
    mine = ours.examples.set_index("example").loc[order].reset_index()
    shared = sorted(set(mine) & set(theirs.examples))
    pd.testing.assert_frame_equal(mine[shared], theirs.examples[shared], check_dtype=False)
    place = [ours.examples["example"].tolist().index(name) for name in order]
    assert ours.conditions == theirs.conditions
    for condition in ours.conditions:
        one, two = ours.load(condition), theirs.load(condition)
        for name in ("predicted", "confidence", "loss", "energy", "value"):
            a, b = getattr(one, name), getattr(two, name)
            assert (a is None) == (b is None), name
            if a is not None:
                np.testing.assert_array_equal(a[:, place], b)
        for row in range(len(ours.models)):
            a, b = ours.probabilities(condition, row), theirs.probabilities(condition, row)
            np.testing.assert_allclose(np.asarray(a)[place], b, rtol=1e-6)


def test_what_is_written_is_read_again(tmp_path):
    evidence = read_flat([table()])
    again = read_folder(write_evidence(evidence, tmp_path / "evidence"))
    assert again.classes == evidence.classes
    pd.testing.assert_frame_equal(again.models, evidence.models, check_dtype=False)
    same(evidence, again)
    assert evidence.validation is not None
    assert again.validation is not None
    assert len(again.validation.examples) == len(evidence.validation.examples)


def test_values_without_classes(tmp_path):
    frame = pd.DataFrame(
        {
            "model": ["d"] * 3 + ["p"] * 3,
            "parent": [None] * 3 + ["d"] * 3,
            "example": [0, 1, 2] * 2,
            "value": [0.9, 0.8, 0.7, 0.9, 0.6, 0.7],
        }
    )
    evidence = read_flat([frame])
    again = read_folder(write_evidence(evidence, tmp_path / "evidence"))
    np.testing.assert_array_equal(
        again.load(again.conditions[0]).value, evidence.load(evidence.conditions[0]).value
    )


def test_a_folder_that_is_there_is_replaced_and_no_scratch_stays(tmp_path):
    for seed in (0, 1):
        write_evidence(read_flat([table(seed)]), tmp_path / "evidence")
    same(read_flat([table(1)]), read_folder(tmp_path / "evidence"))
    assert [path.name for path in tmp_path.iterdir()] == ["evidence"]


def test_where_nothing_can_be_written_one_sentence_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be written"):
        write_evidence(read_flat([table()]), tmp_path / "file" / "evidence")
