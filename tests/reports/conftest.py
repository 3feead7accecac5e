"""Reports of the made-up audit, rendered once for all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports import read, write_html, write_markdown
from reports.compose import compose
from reports.page import Page
from tests.reports import sample


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sample.run_folder(tmp_path_factory.mktemp("runs") / "digits-demo")


@pytest.fixture(scope="session")
def page_file(run_folder: Path) -> Path:
    return write_html(run_folder)


@pytest.fixture(scope="session")
def composed(run_folder: Path) -> Page:
    return compose(read(run_folder))


@pytest.fixture(scope="session")
def page(page_file: Path) -> str:
    return page_file.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def short_page(run_folder: Path) -> str:
    return write_markdown(run_folder).read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def hostile_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose classes, groups and methods are named by somebody who means no good."""
    findings = sample.made(
        classes=sample.HOSTILE,
        groups=tuple(f"g={name}" for name in sample.HOSTILE),
        methods=("<img src=x onerror=alert(2)>",),
    )
    return sample.run_folder(tmp_path_factory.mktemp("runs") / "hostile", findings)


@pytest.fixture(scope="session")
def hostile_file(hostile_folder: Path) -> Path:
    return write_html(hostile_folder)
