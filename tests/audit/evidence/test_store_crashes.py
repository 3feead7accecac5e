"""The store survives processes that are really killed, and processes that race."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from audit.evidence.store import Store

PROGRAM = dedent(
    """
    import sys, time
    from dataclasses import dataclass
    from pathlib import Path
    from audit.evidence import store
    from audit.evidence.store import Store

    @dataclass(frozen=True)
    class Slow:
        name: str

    stop, root, words = sys.argv[1], Path(sys.argv[2]), sys.argv[3]

    def wait_if(stage):
        if stage == stop:
            print("waiting", flush=True)
            time.sleep(60)

    def build(folder):
        wait_if("empty")
        (folder / "a.txt").write_text(words)
        wait_if("half")
        (folder / "b.txt").write_text(words)
        wait_if("built")

    def flushed(file, real=store.flush):
        real(file)
        wait_if("manifest")

    def publish(scratch, target, real=store.publish):
        wait_if("sealed")
        published = real(scratch, target)
        wait_if("published")
        return published

    store.publish, store.flush = publish, flushed
    if stop == "race":
        print("ready", flush=True)
        sys.stdin.readline()
    Store(root).make(Slow("x"), build)
    """
)


@dataclass(frozen=True)
class Slow:
    name: str


def start(stop: str, root: Path, words: str = "whole") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, stop, str(root), words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("stage", ["empty", "half", "built", "manifest", "sealed", "published"])
def test_a_killed_process_leaves_the_result_whole_or_absent(tmp_path: Path, stage: str):
    here, recipe = Store(tmp_path), Slow("x")
    with start(stage, tmp_path, "killed") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert here.done(recipe) == (stage == "published")
    left = [path for path in tmp_path.iterdir() if path != here.folder(recipe)]
    assert len(left) == (0 if stage == "published" else 1)

    def build(folder: Path) -> None:
        for name in ("a.txt", "b.txt"):
            (folder / name).write_text("again")

    folder = here.make(recipe, build)
    here.verify(recipe, contents=True)
    words = {(folder / name).read_text() for name in ("a.txt", "b.txt")}
    assert words == ({"killed"} if stage == "published" else {"again"})
    assert list(tmp_path.iterdir()) == [folder]


def test_processes_that_race_leave_one_whole_result(tmp_path: Path):
    here, recipe = Store(tmp_path), Slow("x")
    racers = [start("race", tmp_path, word) for word in ("first", "second", "third")]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("\n")
        racer.stdin.flush()
    for racer in racers:
        with racer:
            assert racer.wait() == 0
    here.verify(recipe, contents=True)
    folder = here.folder(recipe)
    assert (folder / "a.txt").read_text() == (folder / "b.txt").read_text()
    assert list(tmp_path.iterdir()) == [folder]
