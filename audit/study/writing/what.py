"""Which corruptions a person asks for, which of them can be made of these images, and why not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import corruptions
from audit.evidence.errors import InputError
from corruptions.frost import Bank, frost_bank

SEVERITIES = (1.0, 2.0, 3.0, 4.0, 5.0)


@dataclass(frozen=True)
class Changes:
    """What is done to images.

    Attributes:
        which: A set's name; what cannot be made of it is left out.
        corruptions: Names that are taken instead of a set; what cannot be made is an error.
        severities: From 1 to 5.
        preset: Severity constants; `auto` picks by size.
        seed: Of the draws.
        frost: A folder of photographs for frost; None for the procedural bank.
    """

    which: str = "imagenet-c"
    corruptions: tuple[str, ...] = ()
    severities: tuple[float, ...] = SEVERITIES
    preset: str = "auto"
    seed: int = 0
    frost: Path | None = None

    @property
    def bank(self) -> Bank:
        """The bank of frosted windows.

        Raises:
            InputError: There are no photographs in the folder, or one cannot be read.
        """
        try:
            return frost_bank(self.frost)
        except (OSError, TypeError, ValueError) as error:
            raise InputError(f"--frost: {error}") from error


def check_changes(changes: Changes) -> None:
    """Refuses names that nobody knows, before anything is read.

    Raises:
        InputError: One of them; the nearest name is offered.
    """
    try:
        for name in changes.corruptions:
            corruptions.find(name)
        corruptions.members(changes.which)
        if changes.preset != "auto" and changes.preset not in corruptions.PRESETS:
            raise InputError(
                f"there is no preset {changes.preset!r}: choose one of auto, "
                f"{', '.join(corruptions.PRESETS)}."
            )
    except ValueError as error:
        raise InputError(str(error)) from error
    for name in changes.corruptions:
        if changes.corruptions.count(name) > 1:
            raise InputError(f"the corruption {name} is asked for twice: name it once.")
    for severity in changes.severities:
        if not 1 <= severity <= 5:
            raise InputError(f"severity {severity:g} does not exist: give 1 to 5.")
        try:
            if changes.preset != "auto":
                corruptions.PRESETS[changes.preset].refuse(severity)
        except ValueError as error:
            raise InputError(f"severity {severity:g}: {error}") from error


def severities_of(preset: str) -> tuple[float, ...]:
    """All the whole severities that a preset has; five where nobody knows it, or for `auto`."""
    known = corruptions.PRESETS.get(preset)
    return SEVERITIES if known is None else tuple(map(float, known.severities))


def names_made(
    changes: Changes, preset: str, colour: bool
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The corruptions that are made, in order, and of a set those that are not, with the reason.

    Raises:
        InputError: One that is asked for by name cannot be made, or nothing of the set can.
    """
    asked = changes.corruptions or changes.which
    try:
        names = corruptions.names(asked, preset, colour=colour)
    except ValueError as error:
        raise InputError(str(error)) from error
    if changes.frost is not None and "frost" not in names:
        raise InputError("--frost has no use, as frost is not among the corruptions: leave it out.")
    if changes.corruptions:
        return names, {}
    missing = corruptions.missing(changes.which, preset, colour=colour)
    if not names:
        raise InputError(
            f"Nothing of the set {changes.which} can be made of these images with the preset "
            f"{preset}: choose another set or preset."
        )
    return names, {name: _why(name, preset, colour) for name in missing}


def _why(name: str, preset: str, colour: bool) -> str:
    row = corruptions.CORRUPTIONS.get(name)
    if row is None:
        return "there is no recipe for it here"
    if row.colour_only and not colour:
        return "it changes colours, and these images are grey"
    return f"the preset {preset} has no constants for it"
