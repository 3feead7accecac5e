"""The built wheel, alone in an environment without torch, audits a table."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    # No isolation: the build backend is installed with the other development tools.
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT],
        check=True,
        capture_output=True,
    )
    return next(out.glob("*.whl"))


def test_holds_the_four_packages_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0] for name in names if not name.startswith("prune_audit-")} == {
        "audit",
        "corruptions",
        "pruners",
        "reports",
    }
    assert {n for n in names if n.endswith("py.typed")} == {
        f"{package}/py.typed" for package in ("audit", "corruptions", "pruners", "reports")
    }
    assert any(n.startswith("reports/templates/") for n in names)
    assert "audit/study/configs/digits-demo.yaml" in names


def table(path: Path) -> Path:
    """Two dense parents, their pruned models, a group column; labels are words."""
    draw = np.random.default_rng(0)
    classes = np.array(["cat", "dog", "owl"])
    label = draw.integers(0, 3, 400)
    rows = []
    for seed in (0, 1):
        for model, parent, sparsity, error in (
            (f"d{seed}", None, 0.0, 0.05),
            (f"p{seed}", f"d{seed}", 0.9, 0.2),
        ):
            wrong = draw.random(400) < error
            rows.append(
                pd.DataFrame(
                    {
                        "model": model,
                        "parent": parent,
                        "sparsity": sparsity,
                        "seed": seed,
                        "example": np.arange(400),
                        "label": classes[label],
                        "predicted": classes[np.where(wrong, (label + 1) % 3, label)],
                        "group_den": np.where(np.arange(400) % 4, "north", "south"),
                    }
                )
            )
    pd.concat(rows).to_parquet(path)
    return path


def test_audits_a_table_where_torch_is_not_installed(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=True)
    python = environment / "bin" / "python"
    installed = subprocess.run(
        [python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", wheel],
        capture_output=True,
        text=True,
    )
    if installed.returncode and "connection" in installed.stderr.lower():
        pytest.skip("no package index answers, so the wheel's dependencies cannot be installed")
    assert installed.returncode == 0, installed.stderr
    assert subprocess.run([python, "-c", "import torch"], capture_output=True).returncode != 0
    command = environment / "bin" / "prune-audit"
    result = subprocess.run(
        [command, "audit", table(tmp_path / "t.parquet"), "--out", tmp_path / "out", "--json"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stderr
    findings = json.loads((tmp_path / "out" / "findings.json").read_text())["findings"]
    accuracy = next(f for f in findings if f["measure"] == "accuracy" and f["sparsity"] == 0.9)
    assert accuracy["change"] == pytest.approx(-0.15, abs=0.06)
    assert (tmp_path / "out" / "report.html").stat().st_size > 10_000
    refused = subprocess.run([command, "demo"], capture_output=True, text=True, cwd=tmp_path)
    assert refused.returncode == 2
    assert "pip install 'prune-audit[torch]'" in refused.stderr
