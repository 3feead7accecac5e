"""How long a reviewer waits: 100,000 items, 20 reviewers at once, an answer every few seconds.

Run it from the repository root:

    python benchmarks/review_load.py [--items 100000] [--reviewers 20] [--seconds 30] [--think 1]
    python benchmarks/review_load.py --url postgresql+psycopg://user@host/empty_database

It prints milliseconds of each step, and writes `benchmarks/results/review.json`. A step is what a
page does on the server: `next` (token checked, next item, progress) and `record` (token checked,
four answers on the disk). `--think 0` is a storm: every reviewer asks again at once, which no
person does; it tells how many answers a second the database takes. `http` is the same through a
running desk: `next` is a page, `record` a form that was sent, `picture` what the page shows.
`start` is the first round of a desk that has just printed its links, when everyone opens theirs in
the same second, link and page together; it is stated apart from what comes after it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from reports.review import (
    Item,
    Records,
    Settings,
    add_reviewer,
    authenticate,
    create_study,
    disputed,
    next_item,
    open_records,
    progress,
    record,
    verify_chain,
)

TARGET = {"p95_milliseconds": 150, "items": 100_000, "reviewers": 20}
RESULTS = Path(__file__).parent / "results" / "review.json"
ANSWERS = {"label_right": "agree", "hard_because": ["atypical"], "quality": 4, "difficulty": 2}
PREFIX = "q_"
_FROM_PAGE = {"Sec-Fetch-Site": "same-origin"}
_SERVER = """
import socket, sys
from reports.review.app import desk_app
from reports.review.records import open_records
from reports.review.serving import serve
url, number, port = sys.argv[1:]
serve(desk_app(open_records(url), port=int(port)), socket.socket(fileno=int(number)))
"""
Times = dict[str, list[float]]


def main() -> None:
    asked = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        records = open_records(asked.url or Path(folder) / "review.db")
        start = time.perf_counter()
        settings = Settings(classes=tuple(f"class {k}" for k in range(1000)), seed=1)
        create_study(records, made_items(asked.items), name="load", settings=settings)
        tokens = [add_reviewer(records, f"reviewer {k}") for k in range(asked.reviewers)]
        made = round(time.perf_counter() - start, 2)
        print(f"{asked.items:,} items put into {records.engine.dialect.name}: {made} s", flush=True)
        jump(records, asked.answered, tokens)
        result: dict[str, Any] = {"seconds_to_create": made}
        for name, think in (("paced", asked.think), ("storm", 0.0)):
            times, seconds = load(records, tokens, asked.seconds, think)
            result[name] = {"think_seconds": think, **summary(times, seconds)}
            show(name, result[name])
        if not asked.no_http:
            result["http"] = over_http(records, tokens, asked.seconds, asked.think)
            result["http"]["think_seconds"] = asked.think
            show("http", result["http"])
        result["whole"] = timed_reads(records)
        assert verify_chain(records) == ()
        _keep(asked, records.engine.dialect.name, result)
        records.close()


def made_items(n: int) -> tuple[Item, ...]:
    """A queue of which half are exemplars, of fifty small pictures."""
    small = [_picture(k) for k in range(50)]
    return tuple(
        Item(
            item=sha256(f"item {k}".encode()).hexdigest()[:16],
            example=k,
            content_sha256=sha256(small[k % len(small)]).hexdigest(),
            kind="pie" if k % 2 else "decoy",
            stratum={"class": k % 1000},
            probability=0.5,
            label=f"class {k % 1000}",
            predicted={"parent": "class 1", "pruned": "class 2"},
            thumbnail=small[k % len(small)],
        )
        for k in range(n)
    )


def _picture(k: int) -> bytes:
    import io

    from PIL import Image

    made = Image.frombytes("L", (64, 64), random.Random(k).randbytes(64 * 64))
    out = io.BytesIO()
    made.save(out, "PNG")
    return out.getvalue()


def jump(records: Records, answered: int, tokens: list[str]) -> None:
    """Let every reviewer have answered that many items already, as late in a study."""
    if not answered:
        return
    from sqlalchemy import insert, update

    from reports.review import schema

    with records.writing() as connection:
        for token_number in range(len(tokens)):
            name = f"reviewer {token_number}"
            connection.execute(
                insert(schema.turns),
                [
                    {"reviewer": name, "position": k, "state": "done", "touched": k, "seconds": 3.0}
                    for k in range(answered)
                ],
            )
        connection.execute(update(schema.reviewers).values(frontier=answered))


def load(records: Records, tokens: list[str], seconds: float, think: float) -> tuple[Times, float]:
    """Let everyone work for that long; milliseconds of each step."""

    def reviewer(token: str, note: Callable[[str, float], None], stop: Callable[[], bool]) -> None:
        pause = random.Random(token)
        time.sleep(pause.random() * think)
        while not stop():
            start = time.perf_counter()
            who = authenticate(records, token)
            assert who is not None
            shown = next_item(records, who)
            progress(records, who)
            note("next", start)
            if shown is None:
                return
            time.sleep(pause.uniform(0.5, 1.5) * think)
            start = time.perf_counter()
            who = authenticate(records, token)
            assert who is not None
            record(records, who, shown.item, ANSWERS, seconds=think)
            note("record", start)

    return together(tokens, seconds, reviewer)


def load_over_http(
    base_url: str, tokens: list[str], seconds: float, think: float
) -> tuple[Times, float]:
    """The same through a running desk, pages and all.

    Args:
        base_url: Such as `http://127.0.0.1:8420`.
        tokens: One per reviewer.
        seconds: How long.
        think: Seconds between seeing an item and sending its answers.
    """
    import httpx2

    # Made before the clock runs: a client takes longer to make than a page, and on the same cores.
    context = httpx2.create_ssl_context(verify=False)
    clients = {
        token: httpx2.Client(base_url=base_url, timeout=60, verify=context) for token in tokens
    }

    def reviewer(token: str, note: Callable[[str, float], None], stop: Callable[[], bool]) -> None:
        pause, client, first = random.Random(token), clients[token], "start "
        time.sleep(pause.random() * think)
        start = time.perf_counter()
        place = client.get("/enter", params={"token": token}).headers["location"]
        while not stop():
            shown = client.get(place, follow_redirects=True)
            note(f"{first}next", start)
            start = time.perf_counter()
            client.get(_picture_of(shown.text)).raise_for_status()
            note(f"{first}picture", start)
            time.sleep(pause.uniform(0.5, 1.5) * think)
            start = time.perf_counter()
            sent = client.post(_action(shown.text), data=_form(shown.text), headers=_FROM_PAGE)
            note("record", start)
            assert sent.status_code == 303, sent.text
            place, first = sent.headers["location"], ""
            start = time.perf_counter()

    try:
        return together(tokens, seconds, reviewer)
    finally:
        for each in clients.values():
            each.close()


def _picture_of(page: str) -> str:
    """Where the picture on a page is."""
    found = re.search(r'<img src="(/picture/\d+)"', page)
    assert found is not None, page
    return found[1]


def _action(page: str) -> str:
    """Where the form of the item on a page is sent."""
    found = re.search(r'action="(/item/\d+)"', page)
    assert found is not None, page
    return found[1]


def _form(page: str) -> dict[str, Any]:
    """Every hidden field of a page, and answers."""
    hidden = re.findall(r'<input type="hidden" name="(csrf|content|item)" value="([^"]*)"', page)
    return {**dict(hidden), "do": "save", **{f"{PREFIX}{key}": ANSWERS[key] for key in ANSWERS}}


def over_http(records: Records, tokens: list[str], seconds: float, think: float) -> Any:
    """Serve these records from a process of its own, as `prune-audit review` does, and load it."""
    import httpx2

    from reports.review.serving import listen

    with listen(0) as listening:
        port = listening.getsockname()[1]
        url = records.engine.url.render_as_string(hide_password=False)
        command = [sys.executable, "-c", _SERVER, url, str(listening.fileno()), str(port)]
        server = subprocess.Popen(command, pass_fds=[listening.fileno()])
        place = f"http://127.0.0.1:{port}"
        try:
            # A desk prints its links once it answers; nobody waits for Python's own start.
            assert (
                httpx2.get(f"{place}/enter", params={"token": "nobody"}, timeout=60).status_code
                == 401
            )
            times, took = load_over_http(place, tokens, seconds, think)
        finally:
            server.terminate()
            server.wait()
    return summary(times, took)


def together(
    tokens: list[str],
    seconds: float,
    reviewer: Callable[[str, Callable[[str, float], None], Callable[[], bool]], None],
) -> tuple[Times, float]:
    """One thread per reviewer until the time is up; what each step took, in milliseconds."""
    times: Times = defaultdict(list)
    failures: list[BaseException] = []
    begin = time.perf_counter()

    def note(name: str, start: float) -> None:
        times[name].append((time.perf_counter() - start) * 1000)

    def stop() -> bool:
        return time.perf_counter() - begin > seconds or bool(failures)

    def run(token: str) -> None:
        try:
            reviewer(token, note, stop)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(token,)) for token in tokens]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    if failures:
        raise failures[0]
    return times, time.perf_counter() - begin


def summary(times: Times, seconds: float) -> dict[str, Any]:
    steps = {
        name: {
            "n": len(each),
            "p50_milliseconds": round(statistics.median(each), 1),
            "p95_milliseconds": round(statistics.quantiles(each, n=20)[-1], 1),
            "slowest_milliseconds": round(max(each), 1),
        }
        for name, each in times.items()
    }
    answers = len(times.get("record", ()))
    return {"seconds": round(seconds, 1), "items_per_second": round(answers / seconds, 1), **steps}


def show(name: str, found: Mapping[str, Any]) -> None:
    for step, each in found.items():
        if isinstance(each, dict):
            print(f"{name:<6} {step:<13} {each}", flush=True)
    print(f"{name:<6} {found['items_per_second']} items answered a second", flush=True)


def timed_reads(records: Records) -> dict[str, float]:
    """Seconds of what is done now and then, over everything that was answered."""
    seconds = {}
    for name, act in (("disputed", disputed), ("verify_chain", verify_chain)):
        start = time.perf_counter()
        act(records)
        seconds[f"seconds_to_{name}"] = round(time.perf_counter() - start, 2)
        print(f"{name:<15} {seconds[f'seconds_to_{name}']} s", flush=True)
    return seconds


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--reviewers", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--think", type=float, default=1, help="seconds between two steps")
    parser.add_argument("--answered", type=int, default=20_000, help="items each has done before")
    parser.add_argument("--url", help="an empty database; a new file of SQLite by default")
    parser.add_argument("--no-http", action="store_true", help="the database layer alone")
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


def _keep(asked: argparse.Namespace, database: str, result: Mapping[str, Any]) -> None:
    """Write the results beside those of the other database."""
    kept = json.loads(asked.out.read_text()) if asked.out.exists() else {}
    kept |= {
        "target": TARGET,
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        database: {
            "items": asked.items,
            "reviewers": asked.reviewers,
            "answered_before": asked.answered,
            "load_average": round(os.getloadavg()[0], 1),
            **result,
        },
    }
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    main()
