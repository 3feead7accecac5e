"""Executors: the same outcomes here and in workers, whatever fails, and no process left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import psutil
import pytest

from audit.evidence.errors import AuditError, StoreError, TableError
from audit.evidence.execute import EXECUTORS, Executor, Job, Outcome, in_process, processes
from audit.evidence.workers import ONE_THREAD, sentence

# Workers import the work by name, so it is a module of its own.
WORK = dedent(
    """
    import os, signal, time
    from pathlib import Path
    from audit.evidence.errors import MissingExtra, StoreError, TableError

    STARTED = []

    def start(): STARTED.append(os.getpid())
    def started(): return len(STARTED)
    def square(x): return x * x
    def environment(names): return [os.environ.get(name) for name in names]
    def process(): return os.getpid()
    def end(): os.kill(os.getpid(), signal.SIGKILL)
    def leave(): raise SystemExit(3)
    def unsendable(): return lambda: 1
    def fail(kind, text): raise kind(text)
    def extra(): raise MissingExtra("torch", "torch", "Training")
    def end_once(path):
        if not Path(path).exists():
            Path(path).touch()
            end()
        return "done"
    def wait(path, seconds=60):
        Path(path).write_text(str(os.getpid()))
        time.sleep(seconds)
        Path(path + ".done").touch()
    class Unreadable:
        def __reduce__(self): return (fail, (ValueError, "cannot be read."))
    def unreadable(): return Unreadable()
    """
)


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    (tmp_path / "executor_work.py").write_text(WORK)
    monkeypatch.syspath_prepend(tmp_path)
    import executor_work  # type: ignore[import-not-found]

    yield executor_work
    del sys.modules["executor_work"]


def test_the_catalogue():
    assert list(EXECUTORS) == ["in_process", "processes"]
    for make in EXECUTORS.values():
        with make(1) as executor:
            assert executor.run([]) == []


@pytest.mark.parametrize("name", EXECUTORS)
def test_failures_are_sentences_and_the_others_go_on(work: ModuleType, name: str):
    square = work.square
    jobs = [
        Job("2", square, (2,)),
        Job("type", square, ("x",)),
        Job("value", work.fail, (ValueError, "no seed")),
        Job("spoken", work.fail, (ValueError, "The seed is -1: give 0 or more.")),
        Job("table", work.fail, (TableError, "Row 3 is empty: fill it in.")),
        Job("lines", work.fail, (RuntimeError, "one\n  two")),
        Job("silent", work.fail, (RuntimeError, "")),
        Job("extra", work.extra),
        Job("leave", work.leave),
        Job("store", work.fail, (StoreError, "The disk is full: free some space.")),
        Job("3", square, (3,)),
    ]
    seen: list[Outcome] = []
    with EXECUTORS[name](1) as executor:
        outcomes = executor.run(jobs, seen.append)
    assert [outcome.job for outcome in outcomes] == jobs
    assert [(o.value, o.error) for o in outcomes] == [
        (4, None),
        (None, "TypeError: can't multiply sequence by non-int of type 'str'."),
        (None, "ValueError: no seed."),
        (None, "The seed is -1: give 0 or more."),
        (None, "Row 3 is empty: fill it in."),
        (None, "RuntimeError: one two."),
        (None, "RuntimeError."),
        (
            None,
            "Training needs torch, which is not installed: run `pip install 'prune-audit[torch]'`.",
        ),
        (None, "SystemExit: 3."),
        (None, "The disk is full: free some space."),
        (9, None),
    ]
    assert [o.fatal for o in outcomes] == [o.job.name == "store" for o in outcomes]
    assert all((o.trace is None) == (o.error is None) for o in outcomes)
    assert "in fail" in str(outcomes[4].trace)
    assert sorted(o.job.name for o in seen) == sorted(o.job.name for o in outcomes)


def test_a_sentence_is_on_one_line_and_ends():
    assert sentence(ValueError("a\nb")) == "ValueError: a b."
    assert sentence(AuditError("a b")) == "a b."
    assert sentence(KeyError("a")) == "KeyError: 'a'."


def test_outcomes_come_in_job_order_and_finished_as_they_come(work: ModuleType, tmp_path: Path):
    jobs = [Job("slow", work.wait, (str(tmp_path / "slow"), 0.5))]
    jobs += [Job(str(n), work.square, (n,)) for n in range(20)]
    seen: list[str] = []
    with processes(2) as executor:
        outcomes = executor.run(jobs, lambda outcome: seen.append(outcome.job.name))
        assert [outcome.job for outcome in outcomes] == jobs
        assert [outcome.value for outcome in outcomes[1:]] == [n * n for n in range(20)]
        assert seen[-1] == "slow"
        again = executor.run(list(reversed(jobs[1:])))
        assert [outcome.value for outcome in again] == [n * n for n in reversed(range(20))]


def test_one_pool_serves_several_stages(work: ModuleType):
    with processes(1) as executor:
        first, second = (executor.run([Job("pid", work.process)])[0].value for _ in range(2))
        assert first == second != os.getpid()
        assert psutil.pid_exists(first)
    assert not psutil.pid_exists(first)


def test_without_a_with_statement_no_worker_is_left(work: ModuleType):
    pid = processes(1).run([Job("pid", work.process)])[0].value
    assert pid != os.getpid()
    assert not psutil.pid_exists(pid)


def test_workers_start_when_they_are_needed():
    before = psutil.Process().children()
    with processes(4):
        assert psutil.Process().children() == before


def test_workers_have_one_thread_and_leave_ours_alone(
    work: ModuleType, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with processes(1) as executor:
        outcome = executor.run([Job("environment", work.environment, (ONE_THREAD,))])[0]
    assert outcome.value == ["1"] * len(ONE_THREAD)
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


def test_only_the_parent_answers_to_an_interrupt():
    outcome = processes(1).run([Job("handler", signal.getsignal, (signal.SIGINT,))])[0]
    assert outcome.value == signal.SIG_IGN


@pytest.mark.parametrize("make", [in_process, processes])
def test_the_initializer_runs_once_per_process(work: ModuleType, make: Callable[..., Executor]):
    with make(1, work.start) as executor:
        for _ in range(2):
            assert executor.run([Job("started", work.started)] * 2)[1].value == 1


def test_numbers_of_workers_that_make_no_sense():
    with pytest.raises(ValueError, match=r"^workers is 0: give at least 1\.$"):
        processes(0)
    with pytest.raises(ValueError, match=r"one job at a time, not 2: set workers to 1 or use"):
        in_process(2)


def test_a_job_that_cannot_be_sent(work: ModuleType):
    jobs = [
        Job("lambda", lambda: 1),
        Job("4", work.square, (2,)),
        Job("open", work.square, (open,)),
    ]
    with processes(1) as executor:
        outcomes = executor.run([*jobs, Job("generator", work.square, ((n for n in ()),))])
    assert outcomes[1].value == 4
    for outcome in (outcomes[0], outcomes[3]):
        assert outcome.error is not None
        assert outcome.error.startswith("The job cannot be sent to a worker process (")
        assert outcome.error.endswith("a function of a module and its arguments plain data.")


def test_a_value_that_cannot_be_sent_back(work: ModuleType):
    jobs = [Job("lambda", work.unsendable), Job("unreadable", work.unreadable)]
    with processes(1) as executor:
        outcomes = executor.run([*jobs, Job("4", work.square, (2,))])
    assert str(outcomes[0].error).startswith("What the job returned cannot be sent back (")
    assert outcomes[1].error == "cannot be read."
    assert outcomes[2].value == 4


@pytest.mark.parametrize("workers", [1, 3])
def test_a_killed_worker_costs_only_its_own_job(work: ModuleType, tmp_path: Path, workers: int):
    jobs = [Job(str(n), work.square, (n,)) for n in range(12)]
    jobs[3] = Job("end", work.end)
    jobs[7] = Job("end once", work.end_once, (str(tmp_path / "once"),))
    seen: list[str] = []
    with processes(workers) as executor:
        outcomes = executor.run(jobs, lambda outcome: seen.append(outcome.job.name))
    assert [o.value for o in outcomes] == [0, 1, 4, None, 16, 25, 36, "done", 64, 81, 100, 121]
    assert [o.job.name for o in outcomes if o.error] == ["end"]
    assert str(outcomes[3].error).startswith("Its worker process ended before the job did, twice")
    assert sorted(seen) == sorted(job.name for job in jobs)


def test_a_callback_that_fails_stops_the_run(work: ModuleType, tmp_path: Path):
    def finished(outcome: Outcome) -> None:
        raise StoreError("The disk is full: free some space.")

    jobs = [Job("1", work.square, (1,)), Job("wait", work.wait, (str(tmp_path / "pid"), 20))]
    with pytest.raises(StoreError), processes(2) as executor:
        executor.run(jobs, finished)
    assert not (tmp_path / "pid.done").exists()
    left = [" ".join(child.cmdline()) for child in psutil.Process().children()]
    assert not any("spawn_main" in line for line in left)


SCRIPT = dedent(
    """
    import sys
    from audit.evidence.execute import Job, processes
    import executor_work as work

    def main():
        with processes(2) as executor:
            jobs = [Job(str(n), work.wait, (sys.argv[1] + str(n),)) for n in range(6)]
            print("running", flush=True)
            executor.run(jobs)

    {guard}main()
    """
)


def script(tmp_path: Path, guard: str = 'if __name__ == "__main__": ') -> list[str]:
    (tmp_path / "executor_work.py").write_text(WORK)
    path = tmp_path / "script.py"
    path.write_text(SCRIPT.format(guard=guard))
    return [sys.executable, str(path), str(tmp_path / "pid-")]


def worker_pids(tmp_path: Path) -> list[int]:
    """Waits until both workers are at work."""
    deadline = time.monotonic() + 30
    paths = [tmp_path / "pid-0", tmp_path / "pid-1"]
    while time.monotonic() < deadline:
        words = [path.read_text() if path.exists() else "" for path in paths]
        if all(words):
            return [int(word) for word in words]
        time.sleep(0.02)
    raise AssertionError("no worker started")


def gone(pids: list[int]) -> bool:
    """Waits for processes to end."""
    deadline = time.monotonic() + 15
    while any(psutil.pid_exists(pid) and _runs(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_workers_die_with_a_parent_that_is_killed(tmp_path: Path):
    with subprocess.Popen(script(tmp_path), stdout=subprocess.PIPE) as process:
        pids = worker_pids(tmp_path)
        assert all(map(_runs, pids))
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert gone(pids)


def test_an_interrupt_ends_the_run_and_its_workers(tmp_path: Path):
    command = script(tmp_path)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        pids = worker_pids(tmp_path)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: everybody gets it
        _, errors = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGINT
    assert errors.count("KeyboardInterrupt") == 1
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert gone(pids)
    assert not (tmp_path / "pid-2").exists()


def test_a_script_without_a_guard_is_told_so(tmp_path: Path):
    result = subprocess.run(
        script(tmp_path, guard=""), capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 1
    assert "put the call under `if __name__ == '__main__':`" in result.stderr
