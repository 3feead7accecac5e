"""A pool of fresh worker processes with one compute thread each, which end when we do."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for
from typing import Any

from audit.evidence.errors import AuditError, JobError, StoreError

Work = Callable[..., Any]

# Libraries read these once, when they are imported, so they are set before a worker starts.
ONE_THREAD = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


@dataclass(frozen=True)
class Result:
    """What one call came to: a value, or an error in one sentence with its traceback.

    `fatal` says that the store is to blame, so that the next call would fail in the same way.
    """

    value: Any = None
    error: str | None = None
    trace: str | None = None
    fatal: bool = False


def attempt(work: Work, arguments: tuple[Any, ...]) -> Result:
    """Calls `work` and turns whatever it raises, but for an interrupt, into a Result."""
    try:
        return Result(work(*arguments))
    except (Exception, SystemExit) as error:
        fatal = isinstance(error, StoreError)
        return Result(None, sentence(error), traceback.format_exc(), fatal)


def sentence(error: BaseException) -> str:
    """An exception as one sentence, on one line.

    Ours and a ValueError that already is a sentence speak for themselves; the message of any other
    often means nothing without the name of its class.
    """
    text = " ".join(str(error).split())
    spoken = isinstance(error, AuditError) or (isinstance(error, ValueError) and text.endswith("."))
    if not text:
        text = type(error).__name__
    elif not spoken:
        text = f"{type(error).__name__}: {text}"
    return text if text.endswith((".", "!", "?")) else f"{text}."


class Pool:
    """Worker processes, started when first needed and again after one of them was lost.

    Attributes:
        workers: How many.
    """

    def __init__(self, workers: int, initializer: Callable[[], None] | None) -> None:
        self.workers = workers
        self._initializer = initializer
        self._executor: ProcessPoolExecutor | None = None
        self._stop: tuple[Connection, Connection] | None = None

    def submit(self, work: Work, arguments: tuple[Any, ...]) -> Future[bytes]:
        """Hands one call to a worker; `received` reads what the future brings.

        Raises:
            JobError: The call cannot be sent to another process.
            BrokenProcessPool: A worker was lost.
            AuditError: No worker can start.
        """
        try:
            sent = pickle.dumps((work, arguments))
        except Exception as error:
            raise JobError(
                f"The job cannot be sent to a worker process ({sentence(error).rstrip('.')}): make "
                "its work a function of a module and its arguments plain data."
            ) from error
        executor = self._executor or self._start()
        with one_thread():
            return executor.submit(_work, sent)

    def close(self) -> None:
        """Lets the workers finish what they have, then ends them."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)
        self._forget()

    def kill(self) -> None:
        """Ends the workers at once, whatever they are doing."""
        if self._stop is not None:
            self._stop[1].close()
        self.close()

    def _start(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        self._stop = context.Pipe(duplex=False)
        self._executor = executor = ProcessPoolExecutor(
            self.workers, context, _begin, (self._stop[0], self._initializer)
        )
        with one_thread():
            probes = [executor.submit(_ready) for _ in range(self.workers)]
        # Without this a worker that cannot even start would look like a job that kills its worker.
        first = wait(probes, return_when=FIRST_COMPLETED).done.pop()
        if first.exception() is not None:
            self.kill()
            raise AuditError(
                "Worker processes end as soon as they start: in a script, put the call under "
                "`if __name__ == '__main__':`, or use the in_process executor."
            ) from first.exception()
        return executor

    def _forget(self) -> None:
        for end in self._stop or ():
            end.close()
        self._executor = self._stop = None


def received(future: Future[bytes]) -> Result:
    """Reads the result of a call that is done.

    Raises:
        BrokenProcessPool: A worker was lost before the call was done.
    """
    try:
        result = pickle.loads(future.result())
    except BrokenProcessPool:
        raise
    except Exception as error:
        return Result(None, sentence(error), traceback.format_exc())
    return result if isinstance(result, Result) else Result(result)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Sets the variables that workers inherit, and puts this process's own back."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _work(sent: bytes) -> bytes:
    # Pickled here and read by `received`: what cannot be read back must not break the whole pool.
    result = attempt(_call, (sent,))
    try:
        return pickle.dumps(result)
    except Exception as error:
        text = f"What the job returned cannot be sent back ({sentence(error).rstrip('.')})."
        return pickle.dumps(Result(None, text, traceback.format_exc()))


def _call(sent: bytes) -> Any:
    work, arguments = pickle.loads(sent)
    return work(*arguments)


def _ready() -> None:
    return None


def _begin(stop: Connection, initializer: Callable[[], None] | None) -> None:
    # Ctrl-C reaches the whole group: the parent alone decides what it means, and stops us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(stop,), daemon=True).start()
    if initializer is not None:
        initializer()


def _end_with_parent(stop: Connection) -> None:
    parent = multiprocessing.parent_process()
    wait_for([stop] if parent is None else [stop, parent.sentinel])
    os._exit(1)
