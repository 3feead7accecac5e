"""A whole audit of an ImageNet-sized evidence folder, from Parquet on disk to findings.

50,000 examples × 1,000 classes, 30 parents, 30 controls, 210 pruned models, one column of five
groups, labels, predictions and confidences, clean and under corruption: every family of questions
that these columns allow. Run it from the repository root:

    python benchmarks/whole_audit.py [--parents 30] [--conditions 3]

With `--grow` it also measures how the cost grows with models, examples, classes and conditions, one
at a time, each in a process of its own, and draws `benchmarks/results/growth.svg`.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from audit.evidence.blocks import CLEAN, Condition
from audit.evidence.folder import read_folder, write_examples, write_models
from audit.evidence.parts import write_part
from benchmarks.audit_core import synthesise

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Size:
    """What is audited; pruned models are seven per parent, and each parent has a control."""

    examples: int = 50_000
    classes: int = 1000
    parents: int = 30
    conditions: int = 3


@dataclass(frozen=True)
class Cost:
    """What it took; memory is the whole process's peak, reading included."""

    size: Size
    models: int
    findings: int
    seconds: float
    peak_gib: float


# One dimension at a time grows from a size that is quick; the others stay.
SMALL = Size(examples=5_000, classes=100, parents=6, conditions=2)
GROWTH: dict[str, tuple[int, ...]] = {
    "parents": (3, 6, 12, 24),
    "examples": (2_500, 5_000, 10_000, 20_000, 40_000),
    "classes": (25, 100, 400, 1000),
    "conditions": (1, 2, 4, 8),
}


def write(folder: Path, size: Size) -> None:
    """An evidence folder of this size; corruptions change a tenth of the answers."""
    block, evidence = synthesise(size.examples, size.classes, size.parents)
    write_examples(folder, evidence.examples, evidence.classes)
    write_models(folder, evidence.models)
    rng = np.random.default_rng(1)
    ids = evidence.examples["example"].to_numpy()
    shown = [CLEAN, *(Condition("fog", float(s)) for s in range(1, size.conditions))]
    for condition in shown:
        for row, name in enumerate(evidence.models["model"]):
            predicted = block.predicted[row]
            if condition != CLEAN:
                lost = rng.random(size.examples) < 0.1 * (condition.severity or 0.0) / 5.0
                predicted = np.where(lost, (predicted + 1) % size.classes, predicted)
            right = predicted == evidence.labels
            sure = np.where(right, rng.beta(5, 1, size.examples), rng.beta(2, 2, size.examples))
            write_part(
                folder,
                name,
                condition,
                ids,
                predicted.astype(np.int32),
                confidence=sure.astype(np.float32),
            )


def judged(folder: Path, size: Size) -> Cost:
    """Reads and judges the folder in this process."""
    from audit.judgement.judging import judge
    from audit.judgement.plan import Plan
    from audit.judgement.policy.limits import Policy

    policy = Policy.model_validate({"max_accuracy_drop": 0.01, "max_class_recall_drop": 0.1})
    start = time.perf_counter()
    evidence = read_folder(folder)
    found = judge(evidence, Plan(), policy)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2  # KiB on Linux
    return Cost(size, len(evidence.models), len(found.findings), round(seconds, 2), round(peak, 2))


def measured(size: Size) -> dict[str, object]:
    """Writes the folder here and judges it in a process of its own, whose peak is then its own."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), size)
        done = subprocess.run(
            [sys.executable, __file__, "--judge", folder, json.dumps(asdict(size))],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    cost: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    print(cost)
    return cost


def grow() -> dict[str, list[dict[str, object]]]:
    """The cost along each dimension."""
    return {
        name: [measured(Size(**{**asdict(SMALL), name: value})) for value in values]
        for name, values in GROWTH.items()
    }


def draw(costs: dict[str, list[dict[str, object]]], path: Path) -> None:
    """Seconds and memory along each dimension, on logarithmic axes."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, len(costs), figsize=(12, 5), sharey="row", layout="constrained")
    for column, (name, row) in enumerate(costs.items()):
        x = [dict(cost["size"])[name] for cost in row]  # type: ignore[call-overload]
        for axis, key, label in zip(
            axes[:, column], ("seconds", "peak_gib"), ("seconds", "GiB at peak"), strict=True
        ):
            axis.loglog(x, [cost[key] for cost in row], marker="o")
            axis.set_xlabel(name)
            if not column:
                axis.set_ylabel(label)
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parents", type=int, default=Size.parents)
    parser.add_argument("--conditions", type=int, default=Size.conditions)
    parser.add_argument("--grow", action="store_true")
    parser.add_argument("--judge", nargs=2, metavar=("FOLDER", "SIZE"), help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.judge:
        folder, size = wanted.judge
        print(json.dumps(asdict(judged(Path(folder), Size(**json.loads(size))))))
        return
    record: dict[str, object] = {
        "whole": measured(Size(parents=wanted.parents, conditions=wanted.conditions))
    }
    if wanted.grow:
        costs = grow()
        record["growth"] = costs
        draw(costs, RESULTS / "growth.svg")
    (RESULTS / "whole_audit.json").write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
