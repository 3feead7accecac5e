"""Runs a user's own training or pruning, and takes over the weights that it leaves behind."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from audit.evidence.errors import InputError, JobError
from audit.study.own_programs import filled, names_a_function
from audit.study.recipes import Program

if TYPE_CHECKING:
    from torch import nn

OUT, LOG, RECORD = "out", "log.txt", "record.json"
WRITTEN = ("weights.safetensors", "weights.pt")  # what a program may leave, the first one counts
TAIL = 400  # characters of the log that an error shows
GRACE = 5.0  # seconds between asking a process to end and ending it


def run_program(program: Program, purpose: str, told: Mapping[str, object], base: Path) -> Path:
    """Runs it in the config's folder, its output in a log beside what it writes.

    Args:
        program: What to run.
        purpose: `train` or `prune`.
        told: What it is told, `out` among it: a folder that exists and is empty.
        base: The config's folder.

    Returns:
        The folder `out`.

    Raises:
        JobError: It cannot be started, ends with another status than 0, or is not done in time.
    """
    out = Path(str(told["out"]))
    log = out.parent / LOG
    with log.open("wb") as stream:
        process = _start(program, purpose, _arguments(program, told, base), base, stream)
        try:
            status = process.wait(program.timeout)
        except subprocess.TimeoutExpired:
            raise JobError(
                f"population.{purpose} was not done after {program.timeout:g} seconds and was "
                f"ended{_last(log)}: raise population.timeout, or find out what it waits for."
            ) from None
        finally:
            _end(process)
    if status != 0:
        raise JobError(
            f"population.{purpose} ended with status {status}{_last(log)}: mend "
            f"{shlex.join(program.words)!r} and run again."
        )
    return out


def _start(
    program: Program, purpose: str, arguments: list[str], base: Path, log: IO[bytes]
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            arguments,
            cwd=base,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that what it starts can be ended with it
        )
    except OSError as error:
        raise JobError(
            f"The command {shlex.join(program.words)!r} of population.{purpose} cannot be started "
            f"({error.strerror or error}): mend its name or its rights."
        ) from error


def take_over(out: Path, module: nn.Module, purpose: str) -> dict[str, Any]:
    """Loads what a program wrote into the module, and returns what it recorded.

    Args:
        out: Where it wrote `weights.safetensors` or `weights.pt`, perhaps `record.json`.
        module: Of the study's architecture; changed in place.
        purpose: `train` or `prune`.

    Raises:
        InputError: There are no weights, they are not the module's (the first names and shapes
            are listed) or of its kind, a weight is not finite, or the record is no JSON object.
    """
    from audit.study.weights import fit, read_tensors

    if not out.is_dir():
        raise InputError(
            f"population.{purpose} ended well and its folder {{out}} is gone: write into it, and "
            f"leave it there."
        )
    file = next((out / name for name in WRITTEN if (out / name).is_file()), None)
    if file is None:
        there = ", ".join(sorted(path.name for path in out.iterdir())) or "nothing"
        raise InputError(
            f"population.{purpose} ended well and left no {' or '.join(WRITTEN)} in {{out}} "
            f"(there is {there}): write the state dict there."
        )
    fitted = fit(read_tensors(file), module, Path(file.name))
    wanted = module.state_dict()
    for name, value in fitted.state.items():
        # Rounded weights would load without a word.
        if wanted[name].is_floating_point() and not value.is_floating_point():
            raise InputError(
                f"population.{purpose} wrote {file.name} in which {name} is of {value.dtype}, and "
                f"the model has {wanted[name].dtype}: write it as that."
            )
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise InputError(
                f"population.{purpose} wrote {file.name} in which {name} is not finite: look at "
                "its training."
            )
    module.load_state_dict(dict(fitted.state), strict=False)
    return _recorded(out / RECORD, purpose)


def _recorded(path: Path, purpose: str) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except ValueError as error:
        raise InputError(
            f"population.{purpose} wrote a {RECORD} that is no JSON ({error}): mend it or leave "
            "it out."
        ) from error
    if not isinstance(found, dict):
        raise InputError(
            f"population.{purpose} wrote a {RECORD} that holds a {type(found).__name__}: write a "
            "JSON object of what is to be recorded."
        )
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number that JSON has")


def clear(out: Path) -> None:
    """Removes what a program wrote, once it is taken over."""
    shutil.rmtree(out)


def _arguments(program: Program, told: Mapping[str, object], base: Path) -> list[str]:
    if not names_a_function(program.words):
        words = filled(program.words, {k: "" if v is None else v for k, v in told.items()})
        beside = base / words[0]
        # Not resolved: a link to an interpreter finds its packages by where the link is.
        return [os.path.abspath(beside), *words[1:]] if _may_run(beside) else words
    plain = {k: str(v) if isinstance(v, Path) else v for k, v in told.items()}
    call = ["-m", "audit.study.own_call", program.words[0], str(base.resolve()), json.dumps(plain)]
    return [sys.executable, *call]


def _may_run(file: Path) -> bool:
    return file.is_file() and os.access(file, os.X_OK)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the process and all that it started, where it has not ended by itself."""
    if process.poll() is not None:
        return
    for how in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
            break
    with suppress(ProcessLookupError):  # the first to end may leave others of its group
        os.killpg(process.pid, signal.SIGKILL)


def _last(log: Path) -> str:
    text = " ".join(log.read_text(encoding="utf-8", errors="replace").split())
    if not text:
        return ", having printed nothing"
    return f"; it last printed {('…' if len(text) > TAIL else '') + text[-TAIL:]!r}"
