"""What masks cost: a training step with and without them, and masks at ten sparsities at once.

Run: python benchmarks/pruners.py [--repeats 3]; writes benchmarks/results/pruners.json. On one
thread, in seconds of processor time, so that what else the machine does hardly matters.
"""

from __future__ import annotations

import argparse
import copy
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
import torch.nn.utils.prune as torch_prune
import torchvision
from torch import nn

# Run as a script this folder comes first on the path, and this file would hide the package.
sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != Path(__file__).parent]

from pruners import attach, build_seeded, find_targets, make_masks  # noqa: E402

SPARSITIES = [0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.99]


def seconds(work: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def loop(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    x: torch.Tensor,
    y: torch.Tensor,
    steps: int,
) -> None:
    for _ in range(steps):
        loss = F.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def step_ratio(name: str, shape: tuple[int, ...], steps: int, repeats: int) -> dict[str, Any]:
    """A step with held masks, and a step on a cubic ramp, against a plain one; rounds alternate."""
    x, y = torch.rand(64, *shape), torch.randint(10, (64,))

    def measure(schedule: str | None) -> float:
        model = build_seeded(name, shape, 10, seed=0)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
        loop(model, optimizer, x, y, 3)
        start = time.process_time()
        if schedule is None:
            loop(model, optimizer, x, y, steps)
        else:
            with attach(model, optimizer, 0.9, steps=steps, schedule=schedule):
                loop(model, optimizer, x, y, steps)
        return (time.process_time() - start) / steps

    kinds = {"plain": None, "held": "one_shot", "ramp": "cubic"}
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(repeats):
        for kind, schedule in kinds.items():
            times[kind].append(measure(schedule))
    best = {kind: min(found) for kind, found in times.items()}
    return {
        "plain_ms": 1000 * best["plain"],
        "held_ratio": best["held"] / best["plain"],
        "ramp_ratio": best["ramp"] / best["plain"],
        "steps": steps,
    }


def many_masks(repeats: int) -> dict[str, Any]:
    """Global magnitude masks of ResNet-50 at ten sparsities, ours against torch's, ten calls."""
    model = torchvision.models.resnet50(weights=None)
    names = find_targets(model, ()).names
    ours = seconds(lambda: make_masks(model, SPARSITIES, protect=()), repeats)
    theirs = 0.0
    for sparsity in SPARSITIES:
        twin = copy.deepcopy(model)
        layers = [(twin.get_submodule(name.rpartition(".")[0]), "weight") for name in names]
        start = time.process_time()
        torch_prune.global_unstructured(layers, torch_prune.L1Unstructured, amount=sparsity)
        theirs += time.process_time() - start
    return {
        "weights": sum(model.get_parameter(name).numel() for name in names),
        "sparsities": SPARSITIES,
        "ours_s": ours,
        "torch_global_unstructured_s": theirs,
        "ratio": theirs / ours,
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--repeats", type=int, default=3)
    given = arguments.parse_args()
    torch.set_num_threads(1)
    results = {
        "torch": torch.__version__,
        "machine": platform.processor() or platform.machine(),
        "threads": 1,
        "step_cnn_digits": step_ratio("cnn", (1, 8, 8), 150, given.repeats),
        "step_resnet20_cifar": step_ratio("resnet20", (3, 32, 32), 15, given.repeats),
        "masks_resnet50_ten_sparsities": many_masks(given.repeats),
    }
    path = Path(__file__).parent / "results" / "pruners.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n")
    print(path.read_text())


if __name__ == "__main__":
    main()
