"""A process that is killed while people answer loses no answer that it had acknowledged."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from reports.review import (
    add_reviewer,
    authenticate,
    create_study,
    latest_answers,
    next_item,
    open_records,
    progress,
    record,
    verify_chain,
)
from tests.reports.review.queue import made_items, made_settings

ROOT = Path(__file__).parents[3]
PEOPLE = 6
WRITER = """
import os, sys, threading
from reports.review import authenticate, next_item, open_records, record
url, tokens = sys.argv[1], sys.argv[2:]
records = open_records(url, create=False)
def work(token):
    who = authenticate(records, token)
    while True:
        shown = next_item(records, who)
        record(records, who, shown.item, {"label_right": "agree", "note": "n" * 500}, seconds=1)
        os.write(1, f"{who.name} {shown.item}\\n".encode())  # acknowledged
for token in tokens:
    threading.Thread(target=work, args=(token,)).start()
"""


def test_every_acknowledged_answer_outlives_a_kill(url: str, tmp_path: Path) -> None:
    enough = 40
    records = open_records(url)
    create_study(records, made_items(500), name="x", settings=made_settings())
    tokens = [add_reviewer(records, f"r{k}") for k in range(PEOPLE)]
    records.close()
    said = tmp_path / "acknowledged"
    with open(said, "wb") as out:
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, url, *tokens], stdout=out, cwd=ROOT
        )
        deadline = time.monotonic() + 60
        while said.read_bytes().count(b"\n") < enough and time.monotonic() < deadline:
            assert writer.poll() is None
            time.sleep(0.01)
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
    acknowledged = {tuple(line.split()) for line in said.read_text().splitlines()}
    assert len(acknowledged) >= enough
    again = open_records(url, create=False)
    rows = latest_answers(again)
    kept = {(each.reviewer, each.item) for each in rows}
    assert acknowledged <= kept
    # What was not acknowledged yet is there whole or not at all: one item each at most.
    assert len(kept - acknowledged) <= PEOPLE
    assert len(rows) == 2 * len(kept)
    assert verify_chain(again) == ()
    for token in tokens:
        who = authenticate(again, token)
        assert who is not None
        assert progress(again, who).done == sum(name == who.name for name, _ in kept)
        shown = next_item(again, who)
        assert shown is not None
        assert (who.name, shown.item) not in kept
        record(again, who, shown.item, {"label_right": "agree"})
    assert verify_chain(again) == ()
    again.close()
