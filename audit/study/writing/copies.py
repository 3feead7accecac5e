"""Writes a corrupted copy of a data set: unit by unit, going on where it was stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audit.evidence.errors import InputError
from audit.study.fingerprint import fingerprint
from audit.study.progress import Watcher
from audit.study.writing.encoding import file_names
from audit.study.writing.examples import Examples, examples_of
from audit.study.writing.layouts import Content, Unit, layouts
from audit.study.writing.making import changer, make_units
from audit.study.writing.provenance import (
    REQUANTISED,
    found_in,
    made_by,
    survey_of,
    write_record,
)
from audit.study.writing.source import Wanted, settings_of
from audit.study.writing.survey import Gallery, Survey, preset_picked, survey
from audit.study.writing.what import Changes, check_changes, names_made


@dataclass(frozen=True)
class Request:
    """What a person asks for.

    Attributes:
        wanted: Which examples of which source.
        changes: What is done to them.
        out: Folder of the copy.
        layout: `imagenet-c`, `cifar-c` or `parquet`.
        requantise: Whether images go through a JPEG file of quality 85, as the published sets did.
        threads: How many images are worked on at a time.
        here: The folder that relative paths start from.
    """

    wanted: Wanted
    changes: Changes
    out: Path
    layout: str = "imagenet-c"
    requantise: bool = False
    threads: int = 1
    here: Path = field(default_factory=Path.cwd)


@dataclass(frozen=True)
class Written:
    """What was done.

    Attributes:
        folder: Where the copy is.
        preset: Whose constants were used.
        images: How many a unit holds.
        made: Units that were made now.
        there: Units that were there already.
        not_made: Corruptions of the set that cannot be made, and why.
        seconds: What making them took.
        notes: What else to say of the images.
    """

    folder: Path
    preset: str
    images: int
    made: int
    there: int
    not_made: Mapping[str, str]
    seconds: float
    notes: tuple[str, ...] = ()


def write_copies(request: Request, watch: Watcher) -> Written:
    """Writes what of a corrupted copy is not there yet.

    Args:
        request: What is asked for.
        watch: Told of the progress, in images.

    Returns:
        What was done.

    Raises:
        InputError: The request, the source or an image is at fault.
        StoreError: The folder cannot be written.
    """
    check_changes(request.changes)
    settings, base = settings_of(request.wanted, request.here)
    _refuse_inside(request, settings.path, base)
    asked = _settings(request, fingerprint(settings, base))
    record = found_in(request.out, asked)  # refused before any image is read
    with examples_of(settings, base) as examples:
        found = survey_of(record) if record else _looked(request, examples, watch)
        made_of = _decided(request, found) if record is None else Decided.of(record)
        gallery = Gallery(examples, found)
        content = _content(request, examples, gallery, made_of.names)
        layout = layouts()[request.layout](content)
        layout.check()
        if record is None:
            write_record(request.out, _record(request, asked, content, found, made_of))
        layout.begin()
        change = changer(request.changes, made_of.preset)
        made, seconds = make_units(content.units, change, layout, gallery, request.threads, watch)
    return Written(
        request.out,
        made_of.preset,
        len(content),
        made,
        len(content.units) - made,
        made_of.not_made,
        seconds,
        (*examples.notes, *_left_out(found)),
    )


def _looked(request: Request, examples: Examples, watch: Watcher) -> Survey:
    return survey(examples, request.wanted.unreadable or examples.settings.unreadable, watch)


@dataclass(frozen=True)
class Decided:
    """What follows from the request and the images; a copy that is gone on with keeps it."""

    preset: str
    names: tuple[str, ...]
    not_made: Mapping[str, str]

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Decided:
        """What a copy's record says."""
        return cls(record["preset"], tuple(record["corruptions"]), record["not_made"])


def _decided(request: Request, found: Survey) -> Decided:
    preset = request.changes.preset
    preset = preset_picked(found) if preset == "auto" else preset
    return Decided(preset, *names_made(request.changes, preset, found.channels == 3))


def _refuse_inside(request: Request, path: str | None, base: Path) -> None:
    if request.layout not in layouts():
        raise InputError(
            f"There is no layout {request.layout!r}: choose one of {', '.join(layouts())}."
        )
    source = (base / path).resolve() if path is not None else None
    if source is not None and source.is_dir() and request.out.resolve().is_relative_to(source):
        raise InputError(
            f"{request.out} is inside {source}, whose images would then be its own copies: name "
            "another folder as --out."
        )


def _settings(request: Request, source: str) -> dict[str, Any]:
    """What must agree for a copy to be gone on with."""
    wanted, changes = request.wanted, request.changes
    return {
        "made_by": made_by(),
        "layout": request.layout,
        "set": "" if changes.corruptions else changes.which,
        "corruptions": changes.corruptions,
        "severities": changes.severities,
        "preset_asked": changes.preset,
        "seed": changes.seed,
        "requantised": request.requantise,
        "frost": "procedural" if changes.frost is None else changes.bank.digest,
        "split": wanted.split,
        "limit": wanted.limit,
        "label": wanted.label,
        "image_size": wanted.image_size,
        "unreadable": wanted.unreadable,
        "source": source,
    }


def _record(
    request: Request,
    asked: Mapping[str, Any],
    content: Content,
    found: Survey,
    made_of: Decided,
) -> dict[str, Any]:
    frost = request.changes.bank if "frost" in content.corruptions else None
    return {
        "settings": asked,
        "made_by": asked["made_by"],
        "layout": asked["layout"],
        "preset": made_of.preset,
        "seed": asked["seed"],
        "requantised": REQUANTISED if content.requantised else "no",
        "frost": frost.name if frost is not None else "none",
        "frost_digest": frost.digest if frost is not None else None,
        "source": asked["source"],
        "set": asked["set"],
        "corruptions": content.corruptions,
        "not_made": made_of.not_made,
        "severities": content.severities(content.corruptions[0]),
        "classes": content.classes,
        "images": found.to_dict(),
    }


def _content(
    request: Request, examples: Examples, gallery: Gallery, names: tuple[str, ...]
) -> Content:
    found, severities = gallery.found, request.changes.severities
    return Content(
        request.out,
        tuple(Unit(name, severity) for name in names for severity in severities),
        (found.height[0], found.width[0], found.channels) if found.one_size else None,
        file_names(examples, gallery.ids, gallery.labels, request.requantise),
        gallery.ids,
        gallery.labels,
        examples.classes,
        request.requantise,
    )


def _left_out(found: Survey) -> tuple[str, ...]:
    names = [name for _, name, _ in found.left_out]
    if not names:
        return ()
    more = f" and {len(names) - 5:,} more" if names[5:] else ""
    count = "1 image was" if len(names) == 1 else f"{len(names):,} images were"
    return (f"{count} unreadable and left out: {', '.join(names[:5])}{more}.",)
