"""Work on parts of a batch on several threads, torch's own inside each of them at one."""

from __future__ import annotations

import numbers
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

import torch

_Item = TypeVar("_Item")
_STARTING = threading.Lock()
_HERE = threading.local()


def check_threads(threads: object) -> int:
    """How many threads to use: what torch would, unless told; one inside one of our own threads.

    Raises:
        TypeError: Not an integer.
        ValueError: Less than 1.
    """
    given = torch.get_num_threads() if threads is None else threads
    if isinstance(given, bool) or not isinstance(given, numbers.Integral):
        raise TypeError(f"threads must be an integer or None, not {threads!r}.")
    if given < 1:
        raise ValueError(f"threads is {threads}: use at least 1, or None for as many as torch.")
    return 1 if getattr(_HERE, "alone", False) else int(given)


def for_each(function: Callable[[_Item], None], items: Iterable[_Item], threads: int) -> None:
    """Call the function on every item; the first error in the order of the items is raised.

    The calls must not depend on one another. With one thread and torch set to one they run in the
    caller's, otherwise in threads of their own in which torch uses one: nothing is nested, and the
    caller's setting stays.
    """
    if threads == 1 and torch.get_num_threads() == 1:
        for item in items:
            function(item)
        return
    # A process forked from one that had threads has none of them, so its pool is a new one.
    calls = [_pool(os.getpid(), threads).submit(function, item) for item in items]
    try:
        for call in calls:
            call.result()
    finally:
        # After an error, nobody needs the rest; what has started would still write its result.
        for call in calls:
            call.cancel()
        for call in calls:
            if not call.cancelled():
                call.exception()


@lru_cache(maxsize=8)
def _pool(process: int, threads: int) -> ThreadPoolExecutor:
    pool = ThreadPoolExecutor(threads, "corruptions", initializer=_alone)
    # All start now, rather than when there is work for one: none may change torch's settings later,
    # behind the back of somebody whose call has returned.
    all_here = threading.Barrier(threads)
    for started in [pool.submit(all_here.wait) for _ in range(threads)]:
        started.result()
    return pool


def _alone() -> None:
    """Set torch to one thread here, and leave what other threads will start with.

    `torch.set_num_threads` changes the thread that calls it and the number with which threads to
    come start. A second, short-lived thread puts the latter back.
    """
    with _STARTING:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        helper = threading.Thread(target=torch.set_num_threads, args=(before,))
        helper.start()
        helper.join()
    _HERE.alone = True
