"""The factory of run folders, which judges what it was asked for before only once."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.audit.judgement.comparing.made import write_run


@pytest.fixture(scope="session")
def made_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where run folders are; tests only read them."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture
def make_run(made_runs: Path) -> Callable[..., Path]:
    """The factory of run folders; the first argument is the folder's name."""

    def make(name: str, *arguments: Any, **options: Any) -> Path:
        asked = hashlib.sha256(pickle.dumps((arguments, sorted(options.items()))))
        folder = made_runs / asked.hexdigest()[:12] / name
        return folder if folder.exists() else write_run(folder, *arguments, **options)

    return make
