from __future__ import annotations

import itertools
import math
import sys

import pytest

from audit.evidence.errors import InputError
from audit.evidence.imports import resolve, source_file

_numbers = itertools.count()


@pytest.fixture
def module(tmp_path):
    def write(text, folder=tmp_path):
        name = f"imports_module_{next(_numbers)}"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text(text)
        return name

    return write


def test_installed_modules_and_dotted_names(tmp_path):
    assert resolve("math:sqrt", tmp_path) is math.sqrt
    assert resolve("collections:OrderedDict.fromkeys", tmp_path)("a") == {"a": None}


def test_a_module_next_to_the_config(module, tmp_path):
    name = module("def load():\n    return 7\n")
    before = list(sys.path)
    assert resolve(f"{name}:load", tmp_path)() == 7
    assert sys.path == before
    assert source_file(f"{name}:load", tmp_path) == tmp_path / f"{name}.py"


def test_a_package_next_to_the_config_may_import_its_neighbour(module, tmp_path):
    neighbour = module("VALUE = 5\n")
    name = f"imports_package_{next(_numbers)}"
    inner = module(f"from {neighbour} import VALUE\ndef f():\n    return VALUE\n", tmp_path / name)
    assert resolve(f"{name}.{inner}:f", tmp_path)() == 5
    assert source_file(f"{name}.{inner}:f", tmp_path).name == f"{inner}.py"


def test_finding_a_file_does_not_run_it(module, tmp_path):
    name = module("raise RuntimeError('ran')\n")
    assert source_file(f"{name}:f", tmp_path).is_file()


@pytest.mark.parametrize("reference", ["nothing", "a:", ":b", "a-b:c", "a:b:c", "a..b:c", ""])
def test_malformed_references(reference, tmp_path):
    with pytest.raises(InputError, match=r"is no reference to a function: write it as package.mod"):
        resolve(reference, tmp_path)


def test_a_module_that_is_not_there(module, tmp_path):
    name = module("")
    with pytest.raises(InputError, match=rf"There is no module '{name}x' .*did you mean '{name}'"):
        resolve(f"{name}x:f", tmp_path)
    with pytest.raises(InputError, match=r"There is no module 'math.inner'"):
        resolve("math.inner:f", tmp_path)
    for reference in (f"{name}x:f", "nowhere.inner:f"):
        with pytest.raises(InputError, match=r"There is no module"):
            source_file(reference, tmp_path)
    with pytest.raises(InputError, match=r"sys:exit has no source file to name its results by"):
        source_file("sys:exit", tmp_path)


def test_a_module_that_imports_what_is_not_installed(module, tmp_path):
    name = module("import not_installed_anywhere\n")
    with pytest.raises(
        InputError, match=r"imports 'not_installed_anywhere', which is not installed"
    ):
        resolve(f"{name}:f", tmp_path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1 / 0\n", "cannot be imported .ZeroDivisionError: division by zero."),
        ("def f(:\n", "cannot be imported .SyntaxError"),
        ("def fetch():\n    pass\n", "has no 'fetsh' .*did you mean 'fetch'"),
        ("fetsh = 3\n", "is of type int and cannot be called"),
    ],
)
def test_modules_that_do_not_serve(module, tmp_path, text, problem):
    with pytest.raises(InputError, match=problem):
        resolve(f"{module(text)}:fetsh", tmp_path)


def test_a_second_module_of_one_name_is_refused(module, tmp_path):
    name = module("def f():\n    return 1\n")
    resolve(f"{name}:f", tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / f"{name}.py").write_text("def f():\n    return 2\n")
    with pytest.raises(
        InputError, match=r"is loaded already from .*, and another one is in .*other"
    ):
        resolve(f"{name}:f", tmp_path / "other")
    assert resolve(f"{name}:f", tmp_path)() == 1


def test_a_module_that_changed_since_it_was_loaded_is_refused(module, tmp_path):
    name = module("def f():\n    return 1\n")
    resolve(f"{name}:f", tmp_path)
    (tmp_path / f"{name}.py").write_text("def f():\n    return 2\n")
    with pytest.raises(InputError, match=r"has changed since Python loaded it"):
        resolve(f"{name}:f", tmp_path)
