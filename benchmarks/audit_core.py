"""How long the core of an audit takes on synthetic labels: exemplars, class tests, group intervals.

50,000 examples × 1,000 classes × 7 sparsities × 30 parents, each with a control and a pruned model
per sparsity, and one group column of five. Run it from the repository root:

    python benchmarks/audit_core.py [--examples 50000] [--classes 1000] [--parents 30]

It prints wall and processor seconds, peak memory, and how long a plain pandas and Fairlearn loop
takes on a stated subset, and writes `benchmarks/results/audit_core.json`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from audit.evidence.blocks import CLEAN, Block, Evidence
from audit.judgement.classes.recall import class_families
from audit.judgement.design import arms
from audit.judgement.exemplars import exemplar_families
from audit.judgement.inference.families import correct
from audit.judgement.pairs import answers, contrast, design, pairs
from audit.judgement.pairs import correct as right
from audit.judgement.plan import Plan

SPARSITIES = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
GROUPS = 5
SUBSET = {"sparsities": 1, "parents": 3}
RESULTS = Path(__file__).parent / "results" / "audit_core.json"


def synthesise(examples: int, classes: int, parents: int, seed: int = 0) -> tuple[Block, Evidence]:
    """Predictions that are right three times in four, and repeat their parent's errors mostly.

    Every example has its own difficulty and four likely confusions, as in a real data set; a pruned
    model forgets more of the difficult ones the sparser it is.
    """
    generator = np.random.default_rng(seed)
    labels = generator.permutation(np.arange(examples) % classes)
    difficulty = generator.beta(0.6, 1.8, examples)
    confusions = (labels + generator.integers(1, classes, (4, examples))) % classes

    def train(harder: float) -> np.ndarray:
        wrong = generator.random(examples) < np.minimum(difficulty * harder, 1.0)
        choice = confusions[generator.integers(0, 4, examples), np.arange(examples)]
        return np.where(wrong, choice, labels).astype(np.int32)

    def retrain(parent: np.ndarray, harder: float) -> np.ndarray:
        again = generator.random(examples) < 0.35
        return np.where(again, train(harder), parent)

    dense = [train(1.0) for _ in range(parents)]
    rows = [("dense", m, np.nan, dense[m]) for m in range(parents)]
    rows += [("control", m, 0.0, retrain(dense[m], 1.0)) for m in range(parents)]
    rows += [
        ("pruned", m, level, retrain(dense[m], 1.0 + level**4))
        for level in SPARSITIES
        for m in range(parents)
    ]
    models = pd.DataFrame(
        {
            "model": [f"{role}-{level}-{m}" for role, m, level, _ in rows],
            "parent": [None if role == "dense" else f"dense-nan-{m}" for role, m, _, _ in rows],
            "role": [role for role, _, _, _ in rows],
            "method": ["magnitude" if role == "pruned" else None for role, _, _, _ in rows],
            "sparsity": [level for _, _, level, _ in rows],
            "seed": [m for _, m, _, _ in rows],
        }
    )
    table = pd.DataFrame({"example": np.arange(examples), "label": labels, "split": "test"})
    table["group_region"] = generator.integers(0, GROUPS, examples).astype(str)
    block = Block(CLEAN, np.stack([predicted for _, _, _, predicted in rows]))
    names = tuple(f"class {c}" for c in range(classes))
    return block, Evidence(table, table.iloc[:0], models, names, (CLEAN,), lambda _: block)


def core(block: Block, evidence: Evidence, plan: Plan) -> dict[str, float]:
    """What is measured: seconds per part."""
    audited, known = arms(evidence.models), design(evidence, plan)
    seconds: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        found = work()
        seconds[name] = round(time.perf_counter() - start, 2)
        return found

    counted, rows = timed("exemplars", lambda: exemplar_families(block, evidence, audited, plan))
    classes = timed("classes", lambda: class_families(block, evidence, audited, plan))
    region = evidence.examples["group_region"].astype(np.int64).to_numpy()

    def groups() -> int:
        done = 0
        for arm in audited:
            found = pairs(block, arm, known)
            if found is not None:
                done += len(answers(contrast(found, right(known.labels)), region, GROUPS))
        return done

    timed("groups", groups)
    findings = timed("correction", lambda: correct([*counted, *classes], plan.alpha))
    print(f"{len(findings):,} findings, {len(rows):,} exemplar rows")
    return seconds


def plain(block: Block, evidence: Evidence) -> float:
    """The same figures, without tests, as a loop over pandas and Fairlearn would have them.

    Only the subset: one sparsity × three parents. Returns seconds.
    """
    from fairlearn.metrics import MetricFrame
    from sklearn.metrics import accuracy_score, recall_score

    arm = arms(evidence.models)[0]
    labels, region = evidence.labels, evidence.examples["group_region"]
    rows = np.concatenate([arm.parent[:3], arm.pruned[:3], arm.control[:3]])
    start = time.perf_counter()
    votes = pd.DataFrame(block.predicted[rows].T)
    modal = [
        votes[list(part)].apply(lambda row: row.value_counts().index[0], axis=1)
        for part in ((0, 1, 2), (3, 4, 5), (6, 7, 8))
    ]
    exemplars = int((modal[0] != modal[1]).sum()), int((modal[0] != modal[2]).sum())
    for row in rows:
        predicted = block.predicted[row]
        recall_score(labels, predicted, average=None, zero_division=0)
        MetricFrame(
            metrics=accuracy_score, y_true=labels, y_pred=predicted, sensitive_features=region
        )
    seconds = time.perf_counter() - start
    print(f"plain loop: {exemplars[0]} and {exemplars[1]} exemplars of 3 + 3 models")
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=50_000)
    parser.add_argument("--classes", type=int, default=1000)
    parser.add_argument("--parents", type=int, default=30)
    parser.add_argument("--out", type=Path, default=RESULTS)
    wanted = parser.parse_args()
    block, evidence = synthesise(wanted.examples, wanted.classes, wanted.parents)
    start, busy = time.perf_counter(), time.process_time()
    seconds = core(block, evidence, Plan())
    wall, busy = time.perf_counter() - start, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2  # KiB on Linux
    loop = plain(block, evidence)
    share = (SUBSET["sparsities"] * SUBSET["parents"]) / (len(SPARSITIES) * wanted.parents)
    scaled = loop / share
    result = {
        "examples": wanted.examples,
        "classes": wanted.classes,
        "sparsities": len(SPARSITIES),
        "parents": wanted.parents,
        "wall_seconds": round(wall, 2),
        "processor_seconds": round(busy, 2),
        "seconds": seconds,
        "peak_gib": round(peak, 2),
        "plain_loop": {
            "subset": "1 sparsity × 3 parents, no tests",
            "seconds": round(loop, 2),
            "scaled_linearly_seconds": round(scaled, 1),
            "times_slower": round(scaled / wall, 1),
        },
        "machine": {
            "cpus": os.cpu_count(),
            "load_before": round(os.getloadavg()[0], 1),
            "python": platform.python_version(),
        },
    }
    wanted.out.parent.mkdir(parents=True, exist_ok=True)
    wanted.out.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    print(
        f"{wanted.examples:,} examples × {wanted.classes:,} classes × {len(SPARSITIES)} sparsities "
        f"× {wanted.parents} parents: {wall:.1f} s, of which {busy:.1f} s on a processor "
        f"({seconds}), {peak:.2f} GiB at peak; a plain loop takes {loop:.1f} s for {share:.1%} of "
        f"it, {scaled:,.0f} s scaled linearly: {scaled / wall:,.0f} times as long"
    )


if __name__ == "__main__":
    main()
