"""The house rules that a machine can check: who imports whom, what the shop windows hold."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("audit", "corruptions", "pruners", "reports")
BLOCK = """
import sys, importlib, importlib.abc
class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "torchvision", "safetensors", "datasets", "sklearn"}:
            raise ModuleNotFoundError(f"No module named {name!r} (blocked)", name=name)
sys.meta_path.insert(0, Block())
for name in sys.argv[1:]:
    importlib.import_module(name)
"""
# Config, its file, recipes and their layout are read where no model ever runs: `status`, `schema`.
TORCH_FREE_STUDY = {
    "audit.study",
    "audit.study.config",
    "audit.study.config_file",
    "audit.study.data_settings",
    "audit.study.layout",
    "audit.study.model_settings",
    "audit.study.named_conditions",
    "audit.study.named_models",
    "audit.study.recipes",
    "audit.study.status",
}


def modules(*packages: str) -> list[str]:
    found = []
    for package in packages:
        path = ROOT / Path(*package.split("."))
        found.append(package)
        found += [
            name for _, name, _ in pkgutil.walk_packages([str(path)], f"{package}.", lambda _: None)
        ]
    return [name for name in found if not name.endswith("__main__")]


def as_ruff_sorts(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def blocked(*names: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", BLOCK, *names], capture_output=True, text=True, cwd=ROOT
    )


def test_without_torch_everything_that_judges_and_shows_imports() -> None:
    names = [n for n in modules("audit", "reports") if not n.startswith("audit.study")]
    result = blocked(*names, *TORCH_FREE_STUDY)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", ["pruners", "corruptions", "audit.study.predict"])
def test_without_torch_what_generates_does_not_import(name: str) -> None:
    result = blocked(name)
    assert result.returncode != 0
    assert "torch" in result.stderr


def test_import_rules() -> None:
    result = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], capture_output=True, text=True, cwd=ROOT
    )
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("package", [*PACKAGES, "audit.evidence", "audit.judgement"])
def test_shop_windows_hold_what_they_say(package: str) -> None:
    module = importlib.import_module(package)
    window = getattr(module, "__all__", None)
    if window is None:
        pytest.skip(f"{package} has no window: its modules are imported by name")
    assert window == sorted(window, key=as_ruff_sorts)
    for name in window:
        assert getattr(module, name) is not None
    public = {n for n in vars(module) if not n.startswith("_") and n not in window}
    shown_by_accident = {
        n
        for n in public
        if getattr(vars(module)[n], "__module__", "").partition(".")[0] in PACKAGES
    }
    assert not shown_by_accident


def test_file_lengths() -> None:
    """A file is one idea: 300 lines at most."""
    long = {
        str(path.relative_to(ROOT)): lines
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if (lines := len(path.read_text().splitlines())) > 300
    }
    assert not long
