"""The halves: whole clusters, classes alike, and no say for the order of rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from audit.judgement.search.halves import first_half


def table(labels, **more):
    return pd.DataFrame({"example": np.arange(len(labels)), "label": labels, **more})


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(0, 5))
def test_every_class_is_halved_to_one(labels, seed):
    usable = np.ones(len(labels), dtype=bool)
    first = first_half(table(labels), usable, seed)
    # classes follow each other through the draw, so that a cut is off by one at most
    for label in set(labels):
        inside = np.asarray(labels) == label
        assert abs(int((first & inside).sum()) - int((~first & inside).sum())) <= 1
    assert abs(int(first.sum()) - int((~first).sum())) <= 1


@given(st.integers(0, 1000))
def test_the_order_of_rows_plays_no_part(seed):
    frame = table([0, 1] * 20)
    order = np.random.default_rng(seed).permutation(40)
    first = first_half(frame, np.ones(40, dtype=bool), 7)
    again = first_half(frame.iloc[order].reset_index(drop=True), np.ones(40, dtype=bool), 7)
    assert (again == first[order]).all()


def test_clusters_stay_whole_and_the_unusable_are_in_neither_half():
    clusters = np.repeat([f"patient-{i}" for i in range(10)], 4)
    usable = np.ones(40, dtype=bool)
    usable[:4] = False
    first = first_half(table([0] * 40, cluster=clusters), usable, 1)
    assert not first[:4].any()
    by_cluster = pd.Series(first[4:]).groupby(clusters[4:]).mean()
    assert set(by_cluster) == {0.0, 1.0}
    assert 4 <= by_cluster.sum() <= 5


def test_another_seed_is_another_draw():
    usable = np.ones(40, dtype=bool)
    frame = table([0] * 40)
    assert (first_half(frame, usable, 0) != first_half(frame, usable, 1)).any()
