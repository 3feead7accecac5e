"""Finds what a config calls `module:function`, also in modules next to the config file."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from audit.evidence.errors import InputError
from audit.evidence.nearest import hint

_content: dict[str, str] = {}  # module name -> SHA-256 of the file it was loaded from


def resolve(reference: str, base: Path) -> Any:
    """The object that `package.module:name` names.

    Args:
        reference: A dotted module, a colon, and a dotted name inside it.
        base: Folder of the config file; modules in it are found first, as with a script.

    Returns:
        Something callable.

    Raises:
        InputError: The reference is malformed, the module is not there or fails to import, it has
            no such name, or what it names cannot be called.
    """
    module_name, names = _parse(reference)
    with _found_first(base):
        _refuse_twin(module_name, base)
        found: Any = _import(module_name, reference, base)
    _refuse_stale(found, reference)
    for name in names:
        if not hasattr(found, name):
            public = [one for one in vars(found) if not one.startswith("_")]
            raise InputError(f"{module_name} has no {name!r} ({reference}): {hint(name, public)}")
        found = getattr(found, name)
    if not callable(found):
        raise InputError(
            f"{reference} is of type {type(found).__name__} and cannot be called: name a function."
        )
    return found


def source_file(reference: str, base: Path) -> Path:
    """The file that defines the module of a reference; the module itself is not run.

    Raises:
        InputError: The reference is malformed, or there is no such module with a file.
    """
    module_name, _ = _parse(reference)
    with _found_first(base):
        try:
            spec = importlib.util.find_spec(module_name)
        except (ImportError, ValueError):
            spec = None
    if spec is None:
        raise InputError(_no_module(module_name, reference, base))
    if not spec.has_location or spec.origin is None:
        raise InputError(
            f"{reference} has no source file to name its results by: put the function in a file "
            f"next to the config, in {base}."
        )
    return Path(spec.origin)


def _parse(reference: str) -> tuple[str, list[str]]:
    module_name, colon, name = reference.partition(":")
    parts = [*module_name.split("."), *name.split(".")]
    if not colon or not all(part.isidentifier() for part in parts):
        raise InputError(
            f"{reference!r} is no reference to a function: write it as package.module:function."
        )
    return module_name, name.split(".")


@contextmanager
def _found_first(base: Path) -> Iterator[None]:
    folder = str(base.resolve())
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        if folder in sys.path:  # the module may have taken it out itself
            sys.path.remove(folder)


def _refuse_twin(module_name: str, base: Path) -> None:
    """Python keeps one module per name, and would hand out the wrong one without a word."""
    loaded = sys.modules.get(top := module_name.partition(".")[0])
    origin = getattr(loaded, "__file__", None)
    beside = [base / f"{top}.py", base / top / "__init__.py"]
    there = [path.resolve() for path in beside if path.is_file()]
    if origin is not None and there and Path(origin).resolve() not in there:
        raise InputError(
            f"The module {top!r} is loaded already from {origin}, and another one is in {base}: "
            "rename that one."
        )


def _refuse_stale(module: Any, reference: str) -> None:
    """Results are named by the file's content, so running its older text would misname them."""
    file = getattr(module, "__file__", None)
    if file is None or not Path(file).is_file():
        return
    content = hashlib.sha256(Path(file).read_bytes()).hexdigest()
    if _content.setdefault(module.__name__, content) != content:
        raise InputError(
            f"{file} has changed since Python loaded it for {reference}: start Python again."
        )


def _import(module_name: str, reference: str, base: Path) -> Any:
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if module_name == missing or module_name.startswith(missing + "."):
            raise InputError(_no_module(module_name, reference, base)) from error
        raise InputError(
            f"{reference} cannot be imported, because {module_name} imports {missing!r}, which is "
            "not installed: install it."
        ) from error
    except Exception as error:
        raise InputError(
            f"{reference} cannot be imported ({type(error).__name__}: {error}): mend that module."
        ) from error


def _no_module(module_name: str, reference: str, base: Path) -> str:
    beside = sorted(path.stem for path in base.glob("*.py")) if base.is_dir() else []
    return (
        f"There is no module {module_name!r} ({reference}), neither installed nor in {base}: "
        f"{hint(module_name, beside)}"
    )
