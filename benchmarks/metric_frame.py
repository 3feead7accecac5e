"""How much faster group rates are counted than by a loop of Fairlearn's MetricFrame.

Four rates × two group columns, 20,000 rows × 150 models: `MetricFrame` for each model in a loop,
and all models at once. Then the same with 1,000 crossed bootstrap resamples of 150 pairs. Run it
from the repository root, alone on its machine:

    OMP_NUM_THREADS=2 python benchmarks/metric_frame.py [--rows 20000] [--models 150]

It prints seconds, and the ratio of both in this run, and writes
`benchmarks/results/metric_frame.json`.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import fairlearn.metrics as theirs
import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score

from audit.judgement import MetricFrame, PairedMetricFrame

RESULTS = Path(__file__).parent / "results" / "metric_frame.json"
RATES = {
    "accuracy": accuracy_score,
    "selection_rate": theirs.selection_rate,
    "true_positive_rate": theirs.true_positive_rate,
    "false_positive_rate": theirs.false_positive_rate,
}
REPEATS = 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--models", type=int, default=150)
    parser.add_argument("--draws", type=int, default=1000)
    asked = parser.parse_args()
    draw = np.random.default_rng(0)
    label = draw.integers(0, 2, asked.rows)
    parent, pruned = (
        np.where(draw.random((asked.models, asked.rows)) < right, label, 1 - label)
        for right in (0.9, 0.85)
    )
    groups = pd.DataFrame(
        {
            "sex": draw.choice(["female", "male"], asked.rows),
            "race": draw.choice(["a", "b", "c", "d", "e"], asked.rows),
        }
    )
    names = {name: name for name in RATES}

    def counted() -> pd.DataFrame:
        return MetricFrame(
            metrics=names, y_true=label, y_pred=pruned, sensitive_features=groups
        ).by_group

    def looped() -> pd.DataFrame:
        frames = [
            theirs.MetricFrame(
                metrics=RATES, y_true=label, y_pred=row, sensitive_features=groups
            ).by_group
            for row in pruned
        ]
        return sum(frames) / len(frames)

    def drawn() -> pd.DataFrame:
        return (
            PairedMetricFrame(
                metrics=names,
                y_true=label,
                parent=parent,
                pruned=pruned,
                sensitive_features=groups,
            )
            .intervals(draws=asked.draws)
            .low
        )

    ours, one = timed(counted, REPEATS)
    fairlearn, other = timed(looped, 1)
    bootstrap, _ = timed(drawn, 1)
    pd.testing.assert_frame_equal(one, other, check_dtype=False)
    found = {
        "rows": asked.rows,
        "models": asked.models,
        "rates": len(RATES),
        "machine": platform.processor() or platform.machine(),
        "counted_seconds": round(ours, 5),
        "fairlearn_loop_seconds": round(fairlearn, 2),
        "ratio": round(fairlearn / ours),
        "draws": asked.draws,
        "bootstrap_seconds": round(bootstrap, 2),
    }
    print(json.dumps(found, indent=1))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def timed(work: Callable[[], pd.DataFrame], repeats: int) -> tuple[float, pd.DataFrame]:
    """Median seconds of some repeats, after one that warms up where there are several."""
    found = work() if repeats > 1 else None
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        found = work()
        seconds.append(time.perf_counter() - start)
    return median(seconds), found


if __name__ == "__main__":
    main()
