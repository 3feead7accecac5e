"""A small folder of images, and a copy of it as a call."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from audit.study.progress import Silent
from audit.study.writing import Request, Written, write_copies
from audit.study.writing.source import Wanted
from audit.study.writing.what import Changes
from tests.audit.study.writing.made import Copy, picture


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Seven colour images of 32×32 in two class folders, one of them a level further down."""
    root = tmp_path / "images"
    for number in range(7):
        place = root / ("cat" if number < 4 else "dog") / ("far" if number == 6 else "")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(number)).save(place / f"p{number}.png")
    return root


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Copy:
    """write_copies with few corruptions at few severities; keywords change the request."""

    def made(out: str = "copy", source: object = folder, **other: object) -> Written:
        parts: dict[type, dict[str, object]] = {Wanted: {}, Changes: {}, Request: {}}
        for key, value in other.items():
            kind = next(kind for kind in parts if key in kind.__dataclass_fields__)
            parts[kind][key] = value
        few = {"corruptions": ("fog", "contrast"), "severities": (1.0, 3.0)}
        request = Request(
            Wanted(str(source), **parts[Wanted]),
            Changes(**(few | parts[Changes])),
            tmp_path / out,
            here=tmp_path,
            **parts[Request],
        )
        return write_copies(request, Silent())

    return made
