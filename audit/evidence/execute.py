"""Runs jobs, here or in worker processes, and hands back what became of each, in job order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol, Self

from audit.evidence.errors import JobError
from audit.evidence.workers import Pool, Result, attempt, received

LOST = (
    "Its worker process ended before the job did, twice (out of memory, or killed): "
    "use fewer workers, or more memory."
)

Initializer = Callable[[], None]


@dataclass(frozen=True)
class Job:
    """One unit of work, which depends on its arguments alone.

    Attributes:
        name: What to call it in messages.
        work: A function of a module, so that a worker process can find it.
        arguments: What to call it with, positionally; plain data, frozen dataclasses, paths.
    """

    name: str
    work: Callable[..., Any]
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What became of a job.

    Attributes:
        job: The job.
        value: What its work returned; None where it failed.
        error: None, or one sentence that says how it failed.
        trace: The traceback of the failure, for whoever mends it.
        fatal: Whether the store is to blame, so that other jobs would fail in the same way.
    """

    job: Job
    value: Any = None
    error: str | None = None
    trace: str | None = None
    fatal: bool = False


Finished = Callable[[Outcome], None]


class Executor(Protocol):
    """Runs jobs. As a context manager, one executor serves several stages and closes at the end."""

    def run(self, jobs: Sequence[Job], finished: Finished | None = None) -> list[Outcome]:
        """Runs every job, whatever becomes of the others.

        Args:
            jobs: Jobs that do not depend on each other.
            finished: Called in this process with each outcome as it comes.

        Returns:
            One outcome per job, in job order.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def in_process(workers: int = 1, initializer: Initializer | None = None) -> Executor:
    """An executor that runs one job after the other in this process.

    Args:
        workers: 1; there is one process.
        initializer: Called once, before the first job.

    Raises:
        ValueError: `workers` is not 1.
    """
    if workers != 1:
        raise ValueError(
            f"in_process runs one job at a time, not {workers}: set workers to 1 or use processes."
        )
    return _InProcess(initializer)


def processes(workers: int, initializer: Initializer | None = None) -> Executor:
    """An executor that runs jobs in `workers` fresh processes, each with one compute thread.

    Workers start when the first jobs come, and die with this process whatever kills it. A job whose
    worker dies (out of memory, say) is tried once more on its own before it counts as failed.

    Args:
        workers: How many processes, at least 1.
        initializer: A function of a module; called once in each worker before its first job.

    Raises:
        ValueError: `workers` is less than 1.
    """
    if workers < 1:
        raise ValueError(f"workers is {workers}: give at least 1.")
    return _Processes(workers, initializer)


EXECUTORS: Mapping[str, Callable[..., Executor]] = {
    "in_process": in_process,
    "processes": processes,
}


class _InProcess:
    def __init__(self, initializer: Initializer | None) -> None:
        self._initializer = initializer

    def run(self, jobs: Sequence[Job], finished: Finished | None = None) -> list[Outcome]:
        if self._initializer is not None:
            self._initializer()
            self._initializer = None
        outcomes = []
        for job in jobs:
            outcomes.append(_outcome(job, attempt(job.work, job.arguments)))
            if finished is not None:
                finished(outcomes[-1])
        return outcomes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None


class _Processes:
    def __init__(self, workers: int, initializer: Initializer | None) -> None:
        self._pool = Pool(workers, initializer)
        self._entered = 0

    def run(self, jobs: Sequence[Job], finished: Finished | None = None) -> list[Outcome]:
        settled = _Settled(jobs, finished)
        waiting = deque(range(len(jobs)))
        with self:
            while waiting:
                # Those in flight when a worker was lost are suspects. Each is tried again alone, so
                # that no job is blamed for another's end.
                for suspect in self._run_until_lost(waiting, settled):
                    if self._run_until_lost(deque([suspect]), settled):
                        settled.add(suspect, Result(None, LOST))
        return [settled.outcomes[index] for index in range(len(jobs))]

    def _run_until_lost(self, waiting: deque[int], settled: _Settled) -> list[int]:
        """Runs what is waiting; stops when a worker is lost and returns what was in flight then."""
        in_flight: dict[Future[bytes], int] = {}
        lost: list[int] = []
        while in_flight or (waiting and not lost):
            while waiting and not lost and len(in_flight) < self._pool.workers:
                index = waiting.popleft()
                job = settled.jobs[index]
                try:
                    in_flight[self._pool.submit(job.work, job.arguments)] = index
                except JobError as error:
                    settled.add(index, Result(None, str(error)))
                except BrokenProcessPool:
                    lost.append(index)
            for future in wait(in_flight, return_when=FIRST_COMPLETED).done:
                index = in_flight.pop(future)
                try:
                    settled.add(index, received(future))
                except BrokenProcessPool:
                    lost.append(index)
        if lost:
            self._pool.close()
        return sorted(lost)

    def __enter__(self) -> Self:
        self._entered += 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._entered -= 1
        if kind is not None:
            self._pool.kill()
        elif self._entered == 0:
            self._pool.close()


class _Settled:
    def __init__(self, jobs: Sequence[Job], finished: Finished | None) -> None:
        self.jobs = jobs
        self.outcomes: dict[int, Outcome] = {}
        self._finished = finished

    def add(self, index: int, result: Result) -> None:
        self.outcomes[index] = outcome = _outcome(self.jobs[index], result)
        if self._finished is not None:
            self._finished(outcome)


def _outcome(job: Job, result: Result) -> Outcome:
    return Outcome(job, result.value, result.error, result.trace, result.fatal)
