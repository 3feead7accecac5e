"""Draws a contact sheet of corruption × severity on somebody's own images."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

import corruptions
from audit.evidence.errors import InputError
from audit.evidence.files import write_file
from audit.study.writing.examples import Examples, Pixels, Unreadable, examples_of
from audit.study.writing.source import Wanted, settings_of
from audit.study.writing.survey import refused
from audit.study.writing.what import Changes, check_changes, names_made

# How many images are looked at for some of one size, and how many of them are drawn.
LOOKED_AT, DRAWN = 64, 8
_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}


def write_preview(file: Path, wanted: Wanted, changes: Changes, here: Path) -> str:
    """Writes a picture: a row for each corruption, a column for each severity and for the original.

    Only the first images are read. Where they differ in size, those as large as the first are
    drawn.

    Args:
        file: Where to; its ending says the format.
        wanted: Which images.
        changes: What is done to them.
        here: The folder that relative paths start from.

    Returns:
        The preset that was used.

    Raises:
        InputError: The request, the source or an image is at fault.
        StoreError: The file cannot be written.
    """
    form = _FORMATS.get(file.suffix.lower())
    if form is None:
        raise InputError(f"{file} is no picture by its name: end it in .png, .jpg or .webp.")
    check_changes(changes)
    settings, base = settings_of(wanted, here)
    with examples_of(settings, base) as examples:
        images = _some(examples, wanted.unreadable or settings.unreadable)
    preset = changes.preset
    if preset == "auto":
        preset = corruptions.preset_for(images.shape).name
    write_file(file, _drawn(images, changes, preset, form))
    return preset


def _drawn(images: Pixels, changes: Changes, preset: str, form: str) -> bytes:
    """The sheet as a file of a format."""
    names, _ = names_made(changes, preset, images.shape[3] == 3)
    try:
        sheet = corruptions.contact_sheet(
            images,
            names,
            (0, *changes.severities),
            seed=changes.seed,
            preset=preset,
            frost=changes.frost,
        )
    except (TypeError, ValueError) as error:
        raise InputError(str(error)) from error
    picture = io.BytesIO()
    sheet.save(picture, form)
    return picture.getvalue()


def _some(examples: Examples, unreadable: str) -> Pixels:
    """The first images of one size: uint8 [n, H, W, C]."""
    found: list[Pixels] = []
    for image in examples.images(np.arange(min(LOOKED_AT, len(examples)), dtype=np.int64)):
        if isinstance(image, Unreadable):
            if unreadable == "fail":
                raise refused(image)
            continue
        found.append(image if image.ndim == 3 else image[..., None])
    if not found:
        raise InputError("Not one of the first images can be read: give another source.")
    alike = [image for image in found if image.shape == found[0].shape]
    return np.stack(alike[:DRAWN])
