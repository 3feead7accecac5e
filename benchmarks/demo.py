"""Wall time and peak memory of `prune-audit demo`: from nothing, and with everything done."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import psutil

RESULTS = Path(__file__).parent / "results" / "demo.json"


def measure(out: Path) -> dict[str, float]:
    """Runs the demo once; peak memory is the sum over its processes, sampled 20 times a second."""
    start = time.perf_counter()
    process = psutil.Popen(
        [sys.executable, "-m", "reports.cli", "demo", "--out", str(out), "--quiet"]
    )
    peak = 0
    while process.poll() is None:
        peak = max(peak, _memory(process))
        time.sleep(0.05)
    if process.returncode != 0:
        raise SystemExit(f"the demo ended with status {process.returncode}")
    return {"wall_s": round(time.perf_counter() - start, 2), "peak_mb": round(peak / 2**20)}


def _memory(process: psutil.Process) -> int:
    # Proportional shares, so that pages which workers share count once.
    total = 0
    try:
        for one in [process, *process.children(recursive=True)]:
            total += one.memory_full_info().pss
    except psutil.Error:
        pass
    return total


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        first = measure(Path(folder))
        stages = json.loads((Path(folder) / "digits-demo" / "run.json").read_text())["stages"]
        second = measure(Path(folder))
    report = {
        "machine": {"cores": os.cpu_count(), "processor": platform.machine()},
        "first": first | {"target_wall_s": 120, "target_peak_mb": 1536},
        "again": second | {"target_wall_s": 5},
        "again_over_first": round(second["wall_s"] / first["wall_s"], 3),
        "stages_s": stages["seconds"],
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
