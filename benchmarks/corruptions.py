"""Images a second of every corruption at severity 3, beside what memory alone would allow.

Run: python benchmarks/corruptions.py [--repeats 3]; writes benchmarks/results/corruptions.json.
On one thread, in seconds of processor time, so that what else the machine does hardly matters. The
floor is one pass uint8 -> float32, multiply, add, clip -> uint8 over the same images; compare the
ratios, which travel between machines, rather than images a second, which do not.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

# Run as a script this folder comes first on the path, and this file would hide the package.
sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != Path(__file__).parent]

from corruptions import corrupt, preset_for  # noqa: E402

RESULTS = Path(__file__).parent / "results" / "corruptions.json"
# (side, channels, images): enough images that one call takes some milliseconds.
CASES = ((8, 1, 4000), (32, 3, 1000), (224, 3, 32))
SEVERITY = 3


def seconds(work: Callable[[], object], repeats: int) -> float:
    """The least processor time of some calls, after one that fills the tables."""
    work()
    best = math.inf
    for _ in range(repeats):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def one_pass(images: Tensor) -> None:
    """The floor, over pieces that stay in the cache."""
    step = max(1, 2**18 // images[0].numel())
    for start in range(0, len(images), step):
        part = images[start : start + step].to(torch.float32)
        part.mul_(0.9).add_(3).clamp_(0, 255).to(torch.uint8)


def pictures(side: int, channels: int, count: int) -> Tensor:
    """Smooth random images (JPEG and tables take other paths on pure noise): [N, C, H, W]."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(count, channels, max(2, side // 4), max(2, side // 4), generator=generator)
    fine = torch.nn.functional.interpolate(coarse, size=side, mode="bilinear")
    return (fine * 255).round().to(torch.uint8)


def measure(side: int, channels: int, count: int, repeats: int) -> dict[str, Any]:
    images = pictures(side, channels, count)
    preset = preset_for(images.shape)
    floor = count / seconds(lambda: one_pass(images), repeats)
    rows = {}
    for name in preset.rows:
        speed = count / seconds(lambda name=name: corrupt(images, name, SEVERITY), repeats)
        rows[name] = {"images_per_s": round(speed), "floor_over_this": round(floor / speed, 1)}
    ratios = [floor / row["images_per_s"] for row in rows.values()]
    return {
        "side": side,
        "channels": channels,
        "images": count,
        "preset": preset.name,
        "floor_images_per_s": round(floor),
        "geometric_mean_floor_over_this": round(float(np.exp(np.mean(np.log(ratios)))), 1),
        "corruptions": rows,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    report = {
        "machine": {"processor": platform.machine(), "torch": torch.__version__, "threads": 1},
        "severity": SEVERITY,
        "sizes": [measure(*case, repeats) for case in CASES],
    }
    for size in report["sizes"]:
        print(f"\n{size['side']} px, preset {size['preset']}, floor", end=" ")
        print(f"{size['floor_images_per_s']:,} images/s")
        for name, row in size["corruptions"].items():
            speed, ratio = row["images_per_s"], row["floor_over_this"]
            print(f"  {name:18}{speed:12,} images/s   floor is {ratio:5.1f} times faster")
        print(f"  geometric mean: floor is {size['geometric_mean_floor_over_this']} times faster")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
