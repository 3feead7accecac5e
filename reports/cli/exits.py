"""Exit statuses, and the one place where an exception becomes one.

0 within, or done · 1 over a limit · 2 usage or input · 3 cannot tell · 4 finished, but some jobs
failed · 70 a crash of ours (Python's own 1 would read as *over*) · 130 interrupted.
"""

from __future__ import annotations

import functools
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, ParamSpec, TypeVar

import typer

OVER = 1
INPUT = 2
CANNOT_TELL = 3
FAILED_JOBS = 4
CRASH = 70
INTERRUPTED = 130

# Which extra brings a module that an install without it lacks.
EXTRAS = {
    "PIL": "torch",
    "datasets": "torch",
    "onnxruntime": "onnx",
    "safetensors": "torch",
    "sklearn": "torch",
    "torch": "torch",
    "torchvision": "torch",
}

P = ParamSpec("P")
T = TypeVar("T")


def guarded(command: Callable[P, T]) -> Callable[P, T]:
    """Wraps a command so that whatever it raises becomes one sentence and an exit status."""

    @functools.wraps(command)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        from audit.evidence.errors import AuditError, MissingExtra

        try:
            return command(*args, **kwargs)
        except typer.Exit:
            raise
        except AuditError as error:
            say_error(str(error))
            raise typer.Exit(INPUT) from error
        except KeyboardInterrupt:
            say_error("Interrupted. What was finished is kept: the same command goes on from here.")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:  # the reader of our output went away, as `| head` does
            sys.stderr.close()
            raise typer.Exit(0) from None
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package not in EXTRAS:
                _crash(error)
            say_error(str(MissingExtra(package, EXTRAS[package], "This command")))
            raise typer.Exit(INPUT) from error
        except OSError as error:
            from audit.evidence.files import ADVICE, store_error

            if error.filename is None or error.errno not in ADVICE:
                _crash(error)
            say_error(str(store_error(Path(str(error.filename)), error)))
            raise typer.Exit(INPUT) from error
        except Exception as error:
            _crash(error)

    return call


def _crash(error: Exception) -> NoReturn:
    traceback.print_exception(error)
    say_error(
        f"prune-audit crashed ({type(error).__name__}: {error}). "
        "This is a defect of ours: please report it with the lines above."
    )
    raise typer.Exit(CRASH) from error


def say_error(sentence: str) -> None:
    """Writes one sentence to standard error."""
    typer.echo(f"prune-audit: {sentence}", err=True)
