"""What every test shares: one thread a process, where real data are, and one small finished run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from audit.study.run import Result

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# How long an example takes says how busy the machine is.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

SMALL = """
name: small
data: {source: digits, limit: {train: 200, test: 300}}
population:
  seeds: 3
  training: {epochs: 4, optimizer: adam, lr: 0.003, batch_size: 32}
  methods: [{saliency: magnitude}]
  sparsities: [0.5, 0.95]
shifts: {corruptions: [gaussian_noise, contrast], severities: [1, 5]}
policy:
  max_accuracy_drop: 0.02
  max_class_recall_drop: {limit: 0.05, class: any}
execute: {backend: in_process}
"""


@pytest.fixture
def real_data() -> Path:
    """The folder of real data sets; the test skips where there is none."""
    folder = os.environ.get("PRUNE_AUDIT_DATA")
    if not folder:
        pytest.skip("PRUNE_AUDIT_DATA names no folder of real data sets")
    return Path(folder)


@pytest.fixture(scope="session")
def small_config() -> str:
    """The YAML of a study of three parents that takes a few seconds."""
    return SMALL


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A finished study with its report; tests only read it."""
    from audit.study.config_file import load_config
    from audit.study.run import run
    from reports.cli.progress import Quiet
    from reports.cli.rendering import render

    folder = tmp_path_factory.mktemp("small")
    path = folder / "small.yaml"
    path.write_text(SMALL)
    config = load_config(path).model_copy(update={"store": str(folder / "runs")})
    result = run(config, base=folder)
    render(result, Quiet())
    return result
