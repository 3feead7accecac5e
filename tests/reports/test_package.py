"""The shop window: what is exported, and how little is loaded to look at it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import reports


def test_the_window_shows_what_it_has():
    assert reports.__all__ == sorted(reports.__all__)
    assert set(reports.__all__) == set(reports._HOMES)
    for name in reports.__all__:
        assert getattr(reports, name).__module__ == reports._HOMES[name]


def test_what_is_not_there_is_named():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = reports.nonsense


def test_importing_it_loads_nothing_heavy():
    heavy = ["pandas", "numpy", "matplotlib", "seaborn", "jinja2", "pyarrow", "torch", "rich"]
    code = f"import reports, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


BLOCK = """
import sys, importlib.abc
class Block(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "pruners", "corruptions"}:
            raise ModuleNotFoundError(f"No module named {name!r} (blocked)", name=name)
sys.meta_path.insert(0, Block())
import reports.html
print(reports.write_markdown(sys.argv[1], sys.argv[2]))
"""


def test_rendering_needs_no_torch(run_folder, tmp_path):
    arguments = [sys.executable, "-c", BLOCK, str(run_folder), str(tmp_path / "r.md")]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(tmp_path / "r.md")
    assert "No module" not in done.stderr
