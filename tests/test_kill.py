"""A run that is killed again and again ends with the bytes of one that was left in peace."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CONFIG = """
name: small
data: {source: digits, limit: {train: 200, test: 200}}
population:
  seeds: 3
  training: {epochs: 4, optimizer: adam, lr: 0.003, batch_size: 32}
  methods: [{saliency: magnitude}]
  sparsities: [0.5, 0.9]
shifts:
  corruptions: [gaussian_noise, contrast, rotate]
  severities: [1, 2, 3, 4, 5]
  noise: {levels: [0.05]}
  attacks: {steps: 2, examples: 50}
policy: {max_accuracy_drop: 0.02}
execute: {workers: 2}
"""


def start(folder: Path, config: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "reports.cli", "run", str(config), "--quiet"],
        cwd=folder,
        start_new_session=True,
        stderr=subprocess.PIPE,
    )


def artefacts(store: Path) -> int:
    return len(list(store.glob("*/manifest.json"))) if store.exists() else 0


def kill_after(process: subprocess.Popen[bytes], store: Path, more: int, delay: float) -> bool:
    """Kills the run (and only its main process) once `more` artefacts have been added."""
    target = artefacts(store) + more
    while process.poll() is None:
        if artefacts(store) >= target:
            time.sleep(delay)
            break
        time.sleep(0.005)
    alive = process.poll() is None
    if alive:
        os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    return alive


def run_to_the_end(folder: Path, config: Path) -> dict[str, bytes]:
    process = start(folder, config)
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors.decode()
    output = folder / "runs" / "small"
    names = ["findings.json", "exemplars.parquet", "report.html", "report.md", "evidence"]
    files = [p for n in names for p in sorted([output / n, *(output / n).rglob("*")])]
    return {
        # run.json tells the time, and the report shows it; all else follows from the config
        str(path.relative_to(output)): path.read_bytes()
        for path in files
        if path.is_file() and path.name not in ("report.html", "report.md")
    }


def test_killed_at_ten_moments_and_asked_again(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    config = tmp_path / "small.yaml"
    config.write_text(CONFIG)
    undisturbed = run_to_the_end(tmp_path / "a", config)
    draw = random.Random(20)
    store = tmp_path / "b" / "runs" / ".store"
    killed = 0
    for _ in range(10):
        process = start(tmp_path / "b", config)
        killed += kill_after(process, store, draw.randint(0, 6), draw.uniform(0, 0.15))
    assert killed >= 8, "the run finished before it could be killed: nothing was tested"
    resumed = run_to_the_end(tmp_path / "b", config)
    assert resumed.keys() == undisturbed.keys()
    assert [name for name in resumed if resumed[name] != undisturbed[name]] == []
    leftovers = [p.name for p in store.iterdir() if not (p / "manifest.json").exists()]
    assert leftovers == ["ledger"]
    assert len(list((store / "ledger").iterdir())) == 1  # ten kills and an end are one audit


def test_same_findings_whatever_the_executor(tmp_path: Path) -> None:
    config = tmp_path / "small.yaml"
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    config.write_text(CONFIG)
    pooled = run_to_the_end(tmp_path / "a", config)
    config.write_text(CONFIG.replace("workers: 2", "backend: in_process"))
    alone = run_to_the_end(tmp_path / "b", config)
    assert [name for name in pooled if pooled[name] != alone[name]] == []
