"""What masks and curvature cost: training steps, masks at ten sparsities at once, saliencies.

Run: python benchmarks/pruners.py [--repeats 3]; writes benchmarks/results/pruners.json. On one
thread, in seconds of processor time, so that what else the machine does hardly matters.
"""

from __future__ import annotations

import argparse
import copy
import json
import platform
import statistics
import subprocess
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

from pruners import SALIENCIES, attach, build_seeded, find_targets, make_masks  # noqa: E402

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
    flat = torch.cat([model.get_parameter(name).detach().abs().flatten() for name in names])
    # Masks are made when they are looked at: each is gone through, as a user would.
    ours = seconds(
        lambda: [len(m.kept) for m in make_masks(model, SPARSITIES, protect=())], repeats
    )
    one_sort = seconds(lambda: flat.sort(), repeats)
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
        "one_sort_s": one_sort,
        "ours_over_one_sort": ours / one_sort,
        "peak_extra_copies_of_the_weights": peak_copies(),
    }


def peak_copies() -> float:
    """Memory above the model's while ten masks are made, in copies of the weights; in a process."""
    found = []
    for _ in range(5):  # where the allocator finds room varies from process to process
        asked = [sys.executable, "-c", PEAK]
        done = subprocess.run(asked, capture_output=True, text=True, check=True)
        found.append(float(done.stdout))
    return statistics.median(found)


PEAK = f"""
import pathlib, torch, torchvision
from pruners import make_masks
torch.set_num_threads(1)
make_masks(torch.nn.Linear(8, 8), [0.5], protect=())[0]  # what is loaded at first use
model = torchvision.models.resnet50(weights=None)
copy = sum(p.numel() * p.element_size() for p in model.parameters())
# Not getrusage's: that starts with the peak of the process that started this one.
pathlib.Path("/proc/self/clear_refs").write_text("5")
def kilobytes(key):
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key))
before = kilobytes("VmRSS")
made = make_masks(model, {SPARSITIES}, protect=())
for place in range(len(made)):
    made[place].kept
print((kilobytes("VmHWM") - before) * 1024 / copy)
"""

CURVED = {
    "mlp_47k": ("mlp", (1, 8, 8), {"hidden": (200, 120, 80)}),
    "lenet5": ("lenet5", (1, 28, 28), {}),
    "cnn_digits": ("cnn", (1, 8, 8), {"width": 32}),
    "cnn_550k": ("cnn", (1, 8, 8), {"width": 100}),
    "resnet20": ("resnet20", (3, 32, 32), {}),
}


def lenet5() -> nn.Module:
    """LeCun et al. (1998), with ReLU and max-pooling."""
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)),
    )


def curvature(repeats: int) -> dict[str, Any]:
    """`obd` and `fisher` on 256 examples, beside BackPACK's diagonal where it knows the layers."""
    return {title: curved(*asked, repeats) for title, asked in CURVED.items()}


def curved(
    name: str, shape: tuple[int, ...], arguments: dict[str, Any], repeats: int
) -> dict[str, Any]:
    from backpack import backpack, extend
    from backpack.extensions import DiagGGNExact

    model = lenet5() if name == "lenet5" else build_seeded(name, shape, 10, seed=0, **arguments)
    inputs, labels = torch.rand(256, *shape), torch.randint(10, (256,))
    names = find_targets(model, ()).names

    def ours(kind: str) -> float:
        score = SALIENCIES[kind].function
        return seconds(lambda: score(model, names, (inputs, labels), 0), repeats)

    row: dict[str, Any] = {"weights": sum(model.get_parameter(n).numel() for n in names)}
    with torch.no_grad():
        row["forward"] = seconds(lambda: model(inputs), repeats)
    row |= {kind: ours(kind) for kind in ("obd", "fisher")}
    row["obd_over_forward"] = row["obd"] / row["forward"]
    if name == "mlp":
        twin, loss = extend(copy.deepcopy(model)), extend(nn.CrossEntropyLoss())

        def theirs() -> None:
            with backpack(DiagGGNExact()):
                loss(twin(inputs), labels).backward()

        row["backpack"] = seconds(theirs, repeats)
        row["ours_over_backpack"] = row["obd"] / row["backpack"]
    return row


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
        "curvature_256_examples": curvature(given.repeats),
    }
    path = Path(__file__).parent / "results" / "pruners.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n")
    print(path.read_text())


if __name__ == "__main__":
    main()
