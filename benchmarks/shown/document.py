"""Writes what was measured into docs/corruptions.md, between its two marks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).parents[2] / "docs" / "corruptions.md"
START, STOP = "<!-- measured -->\n", "<!-- /measured -->"
Report = Mapping[str, Any]


def write(report: Report) -> None:
    """Replace what is between the marks."""
    text = DOCUMENT.read_text()
    before, rest = text.split(START)
    after = rest.split(STOP)[1]
    DOCUMENT.write_text(before + START + "\n".join(_lines(report)) + "\n" + STOP + after)


def _lines(report: Report) -> Iterator[str]:
    sizes = report["sizes"]
    yield (
        "Severity 3, one thread, seconds of processor time, all measured in one run: `python -m "
        "benchmarks.shown --head PATH`. *Peer* is the faster of imagecorruptions' release "
        f"({'1.1.2' if report['released'] != 'absent' else 'absent'}) and its unreleased state "
        f"({report['head']}); at 32 px it has no constants but ImageNet's. *Plain* is the recipe "
        "in NumPy, SciPy and Pillow as a careful person writes it, an image at a time. *Floor* is "
        "how many times faster one pass over the memory would be (with random bits where the "
        "corruption draws for every pixel)."
    )
    yield ""
    head = [f"{one['side']} px, images/s | × peer | × plain | floor" for one in sizes]
    yield f"| corruption | {' | '.join(head)} |"
    yield "|---|" + "---:|---:|---:|---:|" * len(sizes)
    for name in sizes[0]["corruptions"]:
        yield f"| {name} | " + " | ".join(_cells(one["corruptions"][name]) for one in sizes) + " |"
    yield ""
    for one in sizes:
        yield f"- {_summary(one)}"
    gpu = report["gpu"]
    yield (
        "- No GPU was at hand."
        if gpu is None
        else f"- {gpu['device']}, 256 images of 224 px: geometric mean over the fifteen "
        f"{gpu['geometric_mean']:,.0f} images/s; one pass over the memory {gpu['floor']:,.0f}."
    )


def _cells(row: Report) -> str:
    peer = _peer(row)
    times = f"{_digits(row['ours'] / peer)}" if peer else "–"
    plain = _digits(row["ours"] / row["plain"])
    return f"{row['ours']:,.0f} | {times} | {plain} | {_digits(row['floor_over_ours'])}"


def _peer(row: Report) -> float:
    """Images a second of the faster state of imagecorruptions; 0 where there is none."""
    return max(row.get(key) or 0.0 for key in ("released", "head"))


def _summary(size: Report) -> str:
    over = size["fifteen"]["over_ours"]
    names = {"released": "the release", "head": "its unreleased state", "plain": "plain code"}
    passes = ", ".join(f"{_digits(value)}× {names[key]}" for key, value in over.items())
    rows = size["corruptions"].values()
    needed = [one for row in rows if (one := row["memory_over_batch"]) is not None]
    memory = f"at most {max(needed):.1f}× the batch" if needed else "not measured here: how much"
    peers = [row["ours"] / peer for row in rows if (peer := _peer(row))]
    mean = math.exp(sum(map(math.log, peers)) / len(peers)) if peers else None
    beside = "" if mean is None else f"{_digits(mean)}× the peer and "
    return (
        f"{size['side']} px, geometric means over nineteen: {beside}"
        f"{_digits(size['over_best_geometric_mean'])}× the best of peer and plain code; "
        f"one pass of the fifteen, {passes}; two threads "
        f"{size['two_threads']['geometric_mean']:.2f}× (a bare pass over the memory "
        f"{size['two_threads']['bare_pass']:.2f}×); {memory} in memory, "
        f"the result included."
    )


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 20 else f"{value:.1f}"
