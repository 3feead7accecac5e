"""What `audit.evidence` offers is what it lists, and nothing of it needs torch."""

from __future__ import annotations

import subprocess
import sys

import pytest

import audit.evidence as window


def test_all_is_sorted_and_complete():
    constants = [name for name in window.__all__ if name.isupper()]
    classes = [name for name in window.__all__ if name[0].isupper() and name not in constants]
    functions = [name for name in window.__all__ if name[0].islower()]
    assert window.__all__ == [*sorted(constants), *sorted(classes), *sorted(functions)]
    assert set(window.__all__) == set(window._HOMES)
    assert set(window.__all__) <= set(dir(window))
    for name in window.__all__:
        assert getattr(window, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        window.nothing  # noqa: B018


def test_the_light_parts_import_no_tables():
    program = (
        "import sys, audit.evidence.address, audit.evidence.store, audit.evidence.execute\n"
        "heavy = {'numpy', 'pandas', 'pyarrow', 'torch'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_nothing_imports_torch():
    program = (
        "import importlib, pkgutil, sys, audit.evidence as e\n"
        "sys.modules['torch'] = None\n"
        "for module in pkgutil.iter_modules(e.__path__):\n"
        "    importlib.import_module('audit.evidence.' + module.name)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
