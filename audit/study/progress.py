"""How a run tells whoever watches what it is doing; the command line draws it."""

from __future__ import annotations

from typing import Protocol


class Watcher(Protocol):
    """Told of each stage's start, of each unit of work done, and of the stage's end."""

    def stage(self, name: str, done: int, total: int) -> None:
        """A stage begins: `done` of `total` units are there already."""
        ...

    def advance(self, units: int = 1) -> None:
        """Some units of the current stage are done."""
        ...

    def warn(self, sentence: str) -> None:
        """Something failed or was left out, and the run goes on."""
        ...


class Silent:
    """Watches nothing."""

    def stage(self, name: str, done: int, total: int) -> None:
        """Says nothing."""

    def advance(self, units: int = 1) -> None:
        """Says nothing."""

    def warn(self, sentence: str) -> None:
        """Says nothing."""
