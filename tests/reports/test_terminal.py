"""The table and the line that end a run."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.text import Text

from audit.judgement.findings import Findings, no_exemplars
from reports import largest_within_line, terminal_table
from tests.reports import sample


def printed(findings: Findings) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=100, color_system=None).print(terminal_table(findings))
    return out.getvalue().splitlines()


def test_the_table_of_the_tour():
    lines = [line for line in printed(sample.made()) if line.startswith(("│", "┃"))]
    rows = [
        [cell.strip() for cell in line.strip("│┃").replace("┃", "│").split("│")] for line in lines
    ]
    head = [" ".join(filter(None, column)) for column in zip(rows[0], rows[1], strict=True)]
    assert head == [
        "sparsity", "accuracy", "worst class", "worst group", "corrupted",
        "PIEs (expected by churn)", "verdict",
    ]  # fmt: skip
    assert rows[2] == ["0.3", "−0.04", "8: −0.2", "slant=left: −0.1", "−0.08", "5 (5)", "within"]
    assert rows[-2][-1] == "cannot tell"
    assert rows[-1] == [
        "0.95", "−4.6", "8: −19.3", "slant=left: −14.3", "−9.7", "46 (5)", "over 4 of 4",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "findings",
    [
        sample.made(),
        sample.made(methods=("a" * 200, "b"), classes=sample.HOSTILE),
        sample.made(groups=tuple(f"g={name}" for name in sample.HOSTILE), limits=False),
    ],
    ids=["plain", "methods", "groups"],
)
def test_it_fits_in_a_hundred_columns_and_loses_no_column(findings):
    lines = printed(findings)
    assert max(Text(line).cell_len for line in lines) <= 100
    assert lines[-1].endswith("┘")
    assert "verdict" in "".join(lines)


def test_markup_in_a_name_is_text():
    text = "\n".join(
        printed(sample.made(classes=("[bold]", "[/red]", *sample.CLASSES[2:8], "[b]8")))
    )
    assert "[b]8" in text


def test_the_line_says_how_far_one_may_go():
    assert largest_within_line(sample.made()) == "largest sparsity within every limit: 0.8"
    assert "no limits were stated" in largest_within_line(sample.made(limits=False))
    two = largest_within_line(sample.made(methods=("a", "b"))).splitlines()
    assert two[0] == "a: largest sparsity within every limit: 0.8"
    assert two[1].startswith("b: largest")
    nothing = Findings({}, {}, (), no_exemplars())
    assert largest_within_line(nothing) == "No pruned model was audited"
    assert printed(nothing)
