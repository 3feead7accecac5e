"""Writes what was measured into docs/replications.md, between the two marks of each study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.replications.published import PUBLISHED

DOCUMENT = Path(__file__).parents[2] / "docs" / "replications.md"
Rows = Sequence[Mapping[str, Any]]

# Studies of many methods: a line for each, the sparsities side by side; kinds of them by name.
WIDE = {"digits-methods": ("weight ", "filter ", "", "wrong ")}


def write(study: str, rows: Rows) -> None:
    """Replaces the table of one study; its marks are `<!-- study -->` and `<!-- /study -->`."""
    start, stop = f"<!-- {study} -->\n", f"<!-- /{study} -->"
    before, rest = DOCUMENT.read_text().split(start)
    after = rest.split(stop)[1]
    DOCUMENT.write_text(before + start + "\n".join(table(study, rows)) + "\n" + stop + after)


def table(study: str, rows: Rows) -> list[str]:
    """A line per method and sparsity: what was published, and what came out here."""
    if study in WIDE:
        return _wide(rows, WIDE[study])
    published = PUBLISHED.get(study, {})
    head = ["method", "sparsity", "reached", "accuracy, %", "loss, nats", "seeds"]
    head += ["published, %"] if published else []
    cut = "macs" in rows[0]
    head += ["parameters", "multiply–adds"] if cut else []
    lines = [f"| {' | '.join(head)} |", "|---|" + "---:|" * (len(head) - 1)]
    for row in rows:
        cells = [
            str(row["method"]),
            f"{row['sparsity']:g}",
            "–" if row["reached"] is None else f"{row['reached']:.4f}",
            _spread(100.0 * row["accuracy"], row["accuracy_sd"], 100.0, 2),
            _spread(row["loss"], row["loss_sd"], 1.0, 3),
            str(row["seeds"]),
        ]
        if published:
            runs = published.get(row["method"], {}).get(row["sparsity"], ())
            cells.append(" / ".join(f"{run:.2f}" for run in runs) or "–")
        if cut:
            cells += [_share(row, rows[0], key) for key in ("parameters", "macs")]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _wide(rows: Rows, kinds: Sequence[str]) -> list[str]:
    """A line per method, kind by kind, the most accurate at the last sparsity but one first."""
    sparsities = sorted({row["sparsity"] for row in rows if row["sparsity"]})
    found = {(row["method"], row["sparsity"]): row for row in rows}

    def place(method: str) -> tuple[int, float]:
        starts = [at for at, kind in enumerate(kinds) if kind and method.startswith(kind)]
        return (*(starts or [kinds.index("")]), -found[method, sparsities[-2]]["accuracy"])

    dense = _accuracy(rows[0])
    lines = [
        f"| accuracy, %, at sparsity | {' | '.join(f'{one:g}' for one in sparsities)} |",
        "|---|" + "---:|" * len(sparsities),
        f"| {rows[0]['method']} | {' | '.join([dense] * len(sparsities))} |",
    ]
    for method in sorted({row["method"] for row in rows if row["sparsity"]}, key=place):
        cells = [_accuracy(found[method, one]) for one in sparsities]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return lines


def _accuracy(row: Mapping[str, Any]) -> str:
    return _spread(100.0 * row["accuracy"], row["accuracy_sd"], 100.0, 1)


def _share(row: Mapping[str, Any], dense: Mapping[str, Any], key: str) -> str:
    """A count, and how far it is below the dense net's."""
    change = 100.0 * (row[key] / dense[key] - 1.0)
    return f"{row[key]:,.0f}" + (f" (−{-change:.1f} %)" if change < 0.0 else "")


def _spread(mean: float, sd: float | None, scale: float, digits: int) -> str:
    """Mean ± standard deviation over seeds; the mean alone where one seed has none."""
    said = f"{mean:.{digits}f}"
    return said if sd is None else f"{said} ± {sd * scale:.{digits}f}"
