"""Images a second of every corruption, beside plain code, imagecorruptions and what memory allows.

Run: python -m benchmarks.shown [--head PATH] [--repeats 3] [--no-peer]; writes
benchmarks/results/corruptions.json and docs/corruptions.md. One thread, in seconds of processor
time; the peer runs in an environment of its own that is made on the first run (its unreleased state
where --head gives a checkout). Compare the ratios, which travel between machines, rather than
images a second.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from corruptions import corrupt, preset_for
from corruptions.catalog import SETS

from .clock import memory_needed, per_second, seconds
from .document import write
from .peers import environment, times
from .pictures import photographs
from .plain import by_plain_code

RESULTS = Path(__file__).parents[1] / "results" / "corruptions.json"
SEVERITY = 3
BENCHMARK, EXTRA = SETS["imagenet-c"], SETS["imagenet-c-extra"]
# Side in pixels and how many images a call gets: some 40 MB and some 12 MB.
SIZES = ((224, 256), (32, 4000))
RANDOM = ("gaussian_noise", "shot_noise", "impulse_noise", "speckle_noise", "fog", "spatter")

Images = NDArray[np.uint8]
Row = dict[str, Any]


def one_pass(tensor: torch.Tensor) -> None:
    """Bytes to floats, multiply, add, clip, and back, in pieces that stay in the cache."""
    step = max(1, 2**18 // tensor[0].numel())
    for start in range(0, len(tensor), step):
        part = tensor[start : start + step].to(torch.float32)
        part.mul_(0.9).add_(3).clamp_(0, 255).to(torch.uint8)


def floors(tensor: torch.Tensor, repeats: int) -> dict[str, float]:
    """What the hardware allows: images a second of one pass, and of one with random bits."""
    step = max(1, 2**18 // tensor[0].numel())
    bits = np.random.Generator(np.random.SFC64(0))

    def with_bits() -> None:
        for start in range(0, len(tensor), step):
            bits.bytes(2 * tensor[start : start + step].numel())
        one_pass(tensor)

    work = {"memory": lambda: one_pass(tensor), "random": with_bits}
    return {key: per_second(value, len(tensor), repeats) for key, value in work.items()}


def row_of(
    name: str,
    images: Images,
    planar: torch.Tensor,
    peers: Mapping[str, Mapping[str, Any]],
    repeats: int,
) -> Row:
    """One corruption at one size: ours beside every reference there is.

    Ours is given what a study gives it, [N, C, H, W], and the others [H, W, C] images.
    """
    ours = per_second(lambda: corrupt(planar, name, SEVERITY, threads=1), len(images), repeats)
    plain = by_plain_code(name, images, SEVERITY, repeats)
    row: Row = {"ours": ours, "plain": plain.per_s}
    changes = {"plain": plain.change}
    for peer, report in peers.items():
        row[peer] = report.get(name, {}).get("per_s")
        changes[peer] = report.get(name, {}).get("change", [])
    row["over_best"] = ours / max(row[key] for key in ("plain", *peers) if row[key])
    row["change"] = changed(name, images, changes)
    return row


def changed(name: str, images: Images, others: Mapping[str, list[float]]) -> Row:
    """Mean |difference| to the clean image, 0 to 255, and z of ours less theirs, by image."""
    most = max(len(values) for values in others.values())
    shown = corrupt(images[:most], name, SEVERITY, threads=1)
    ours = np.abs(shown.astype(int) - images[:most]).mean(axis=(1, 2, 3))
    result: Row = {"ours": float(ours.mean())}
    for peer, values in others.items():
        if len(values) > 2:
            less = ours[: len(values)] - np.array(values)
            spread = less.std(ddof=1) / math.sqrt(len(values))
            result[peer] = float(np.mean(values))
            result[f"z_{peer}"] = float(less.mean() / spread) if spread > 1e-6 else None
    return result


def measure(side: int, count: int, repeats: int, python: Path | None, head: Path | None) -> Row:
    """Everything about one size."""
    distinct = photographs(side, 56)
    images = np.concatenate([distinct] * -(-count // len(distinct)))[:count]
    planar = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    with tempfile.TemporaryDirectory() as scratch:
        peers = {"released": times(python, distinct, SEVERITY, repeats, Path(scratch))}
        if head is not None:
            peers["head"] = times(python, distinct, SEVERITY, repeats, Path(scratch), head)
    peers = {key: value for key, value in peers.items() if value}
    floor = floors(planar, repeats)
    rows = {}
    for name in (*BENCHMARK, *EXTRA):
        row = rows[name] = row_of(name, images, planar, peers, repeats)
        row["floor_over_ours"] = floor["random" if name in RANDOM else "memory"] / row["ours"]
        needed = memory_needed(lambda name=name: corrupt(planar, name, SEVERITY, threads=1))
        row["memory_over_batch"] = None if needed is None else needed / images.nbytes
        print(sentence(side, name, row), flush=True)
    return {
        "side": side,
        "images": count,
        "preset": preset_for(images.shape).name,
        "floors": floor,
        "corruptions": rows,
        "over_best_geometric_mean": mean_ratio(row["over_best"] for row in rows.values()),
        "fifteen": fifteen(rows, tuple(peers)),
        "two_threads": two_threads(planar),
    }


def mean_ratio(ratios: Any) -> float:
    return float(np.exp(np.mean(np.log(list(ratios)))))


def fifteen(rows: Mapping[str, Row], peers: tuple[str, ...]) -> Row:
    """Core-seconds an image of one pass over the benchmark's fifteen, and theirs over ours."""
    spent = {
        who: sum(1 / rows[name][who] for name in BENCHMARK)
        for who in ("ours", "plain", *peers)
        if all(rows[name][who] for name in BENCHMARK)
    }
    return {
        "core_seconds_per_image": spent,
        "over_ours": {who: value / spent["ours"] for who, value in spent.items() if who != "ours"},
    }


def two_threads(images: torch.Tensor) -> Row:
    """Wall-clock time of one thread over that of two; and of a bare pass, for what is possible."""

    def gain(work: Callable[[int], object]) -> float:
        one = seconds(lambda: work(1), 2, time.perf_counter)
        return one / seconds(lambda: work(2), 2, time.perf_counter)

    ratios = {
        name: gain(lambda count, name=name: corrupt(images, name, SEVERITY, threads=count))
        for name in (*BENCHMARK, *EXTRA)
    }
    halves = images.chunk(2)

    def bare(count: int) -> None:
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(one_pass, halves))

    return {
        "bare_pass": gain(bare),
        "geometric_mean": mean_ratio(ratios.values()),
        "corruptions": ratios,
    }


def on_gpu(repeats: int) -> Row | None:
    """The fifteen at 224 pixels, 256 at a time, on a GPU; None where there is none."""
    if not torch.cuda.is_available():
        return None
    images = torch.from_numpy(photographs(224, 56)).permute(0, 3, 1, 2).repeat(5, 1, 1, 1)[:256]
    images = images.contiguous().cuda()

    def timed(work: Any) -> float:
        def synchronised() -> None:
            work()
            torch.cuda.synchronize()

        return len(images) / seconds(synchronised, repeats, time.perf_counter)

    floats = lambda: images.to(torch.float32).mul_(0.9).clamp_(0, 255).to(torch.uint8)  # noqa: E731
    rows = {name: timed(lambda name=name: corrupt(images, name, SEVERITY)) for name in BENCHMARK}
    return {
        "device": torch.cuda.get_device_name(),
        "floor": timed(floats),
        "corruptions": rows,
        "geometric_mean": mean_ratio(rows.values()),
    }


def sentence(side: int, name: str, row: Row) -> str:
    memory = row["memory_over_batch"]
    return (
        f"{side:4} px {name:18} {row['ours']:10,.0f} images/s = {row['over_best']:6.1f} x the best "
        f"reference; the floor is {row['floor_over_ours']:5.1f} x"
        + ("" if memory is None else f"; memory {memory:.1f} x the batch")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--head", type=Path, help="a checkout of imagecorruptions")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--environment", type=Path, default=Path(".peers"), help="the peer's")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    python = None if asked.no_peer else environment(asked.environment)
    report = {
        "machine": {"processor": platform.machine(), "torch": torch.__version__, "threads": 1},
        "severity": SEVERITY,
        "released": "imagecorruptions 1.1.2" if python else "absent",
        "head": "given" if python and asked.head else "absent",
        "sizes": [measure(*size, asked.repeats, python, asked.head) for size in SIZES],
        "gpu": on_gpu(asked.repeats),
    }
    for size in report["sizes"]:
        print(
            f"{size['side']} px: geometric mean {size['over_best_geometric_mean']:.1f} x the best"
        )
        print(f"  the fifteen: {size['fifteen']['over_ours']}")
        print(f"  two threads: {size['two_threads']['geometric_mean']:.2f} x")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(rounded(report), indent=1) + "\n")
    write(report)


def rounded(value: Any) -> Any:
    """Three digits say all that such figures hold."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list):
        return [rounded(one) for one in value]
    return float(f"{value:.3g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
