"""Processor seconds, and the most memory that a piece of work needed."""

from __future__ import annotations

import ctypes
import math
import time
from collections.abc import Callable
from pathlib import Path

_STATUS = Path("/proc/self/status")
_RESET = Path("/proc/self/clear_refs")


def seconds(work: Callable[[], object], repeats: int, clock: Callable[[], float]) -> float:
    """The least time of some calls, after one that fills the tables."""
    work()
    best = math.inf
    for _ in range(repeats):
        start = clock()
        work()
        best = min(best, clock() - start)
    return best


def per_second(work: Callable[[], object], count: int, repeats: int) -> float:
    """Images a second of processor time, so that what else the machine does hardly matters."""
    return count / seconds(work, repeats, time.process_time)


def memory_needed(work: Callable[[], object]) -> int | None:
    """Bytes by which the resident memory rose at most; None where Linux does not say."""
    if not _RESET.exists():
        return None
    work()
    # What earlier work has freed and the allocator keeps would be used again, unseen.
    ctypes.CDLL(None).malloc_trim(0)
    before = _resident("VmRSS")
    _RESET.write_text("5")  # forgets the highest so far
    work()
    return _resident("VmHWM") - before


def _resident(key: str) -> int:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(key))
    return int(line.split()[1]) * 1024
