"""Draws a run's progress: bars on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Plain:
    """One line a stage on standard error, for logs and pipes."""

    def __enter__(self) -> Plain:
        self.name, self.done, self.total, self.start = "", 0, 0, time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def stage(self, name: str, done: int, total: int) -> None:
        """Ends the stage before and begins one."""
        self._end()
        self.name, self.done, self.total, self.start = name, done, total, time.monotonic()
        if done < total:
            there = f", {done} of {total} there already" if done else ""
            typer.echo(f"{name}: {total - done} to make{there}", err=True)

    def advance(self, units: int = 1) -> None:
        """Counts units of the stage."""
        self.done += units

    def warn(self, sentence: str) -> None:
        """Writes what went wrong."""
        typer.echo(f"warning: {sentence}", err=True)

    def _end(self) -> None:
        if self.name:
            seconds = time.monotonic() - self.start
            typer.echo(
                f"{self.name}: {self.done}/{self.total} in {seconds:.1f} s",
                err=True,
            )
            self.name = ""


class Bars:
    """Live bars with units done and time left."""

    def __enter__(self) -> Bars:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self.progress: Progress = Progress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description:<14}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self.task: TaskID | None = None
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def stage(self, name: str, done: int, total: int) -> None:
        """Adds a bar."""
        self.task = self.progress.add_task(name, total=total, completed=done)

    def advance(self, units: int = 1) -> None:
        """Moves the newest bar."""
        if self.task is not None:
            self.progress.advance(self.task, units)

    def warn(self, sentence: str) -> None:
        """Writes above the bars."""
        self.progress.console.print(f"[yellow]warning[/yellow] {sentence}", highlight=False)


class Quiet:
    """Only warnings."""

    def __enter__(self) -> Quiet:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def stage(self, name: str, done: int, total: int) -> None:
        """Says nothing."""

    def advance(self, units: int = 1) -> None:
        """Says nothing."""

    def warn(self, sentence: str) -> None:
        """Writes what went wrong."""
        typer.echo(f"warning: {sentence}", err=True)


def watcher(quiet: bool) -> Plain | Bars | Quiet:
    """The way of drawing that suits where standard error goes."""
    if quiet:
        return Quiet()
    return Bars() if sys.stderr.isatty() else Plain()
