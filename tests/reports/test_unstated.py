"""Pruned models that state no sparsity: they are reported like any others, and nothing says 0."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from audit import Plan, compare_predictions
from reports import largest_within_line, terminal_table, write_html, write_markdown
from reports.document import read
from reports.gallery import chosen
from reports.sections.compression import _arms
from reports.verdict import verdicts
from tests.reports import sample

LIMITS = {"max_accuracy_drop": 0.2, "max_group_accuracy_drop": 0.02}


def pair(policy=None):
    """A parent and a pruned model that calls one example in ten a dog."""
    draw = np.random.default_rng(0)
    y = draw.choice(["cat", "dog", "fox"], 300)
    pruned = np.where(np.arange(300) % 10 == 0, "dog", y)
    groups = pd.DataFrame({"sex": draw.choice(["f", "m"], 300)})
    return compare_predictions(y, y, pruned, groups, plan=Plan(resamples=100), policy=policy)


def mixed():
    """The sample's study, whose models at the largest sparsity state none."""
    made = sample.made()
    verdicts = [v for v in made.policy["verdicts"] if v["sparsity"] is not None]
    exemplars = made.exemplars.assign(sparsity=lambda t: t["sparsity"].where(t["sparsity"] < 0.95))
    return replace(
        made,
        findings=tuple(
            replace(f, sparsity=None) if f.sparsity == 0.95 else f
            for f in made.findings
            if f.measure != "prune_potential"
        ),
        policy={
            **made.policy,
            "verdicts": [{**v, "sparsity": None} if v["sparsity"] == 0.95 else v for v in verdicts],
        },
        exemplars=exemplars,
    )


def printed(findings):
    out = io.StringIO()
    Console(file=out, width=100, color_system=None).print(terminal_table(findings))
    return out.getvalue()


def test_the_terminal_has_its_row():
    text = printed(pair())
    (row,) = [line for line in text.splitlines() if "not stated" in line]
    cells = [cell.strip() for cell in row.strip("│").split("│")]
    assert cells[0] == "not stated"
    assert cells[1] == "−6.7"
    assert cells[-1] == "no limit"
    assert "nan" not in text
    assert "no limits were stated" in largest_within_line(pair())


def test_the_documents_say_it_and_never_zero(tmp_path):
    found = pair(LIMITS)
    page = write_html(found, tmp_path / "r.html").read_text()
    text = write_markdown(found, tmp_path / "r.md").read_text()
    assert "nan" not in re.sub(r"(?s)<(style|script).*?</\1>", "", page).lower().split()
    assert "sparsity 0" not in text + page
    assert "Accuracy over all examples fell by 6.7 points at an unstated sparsity" in text
    assert "| pruned | not stated | −6.7 |" in text
    assert "| limit | not stated |" in text
    assert "## Classes" in text
    assert "faint dots" in page  # classes are drawn, though nothing has a place on an axis
    assert "nothing could be tested" not in text.lower()


@pytest.mark.parametrize(
    ("limits", "outcome", "answer"),
    [
        ({"max_accuracy_drop": 0.2}, "within", "Within every limit, at an unstated sparsity"),
        ({"max_accuracy_drop": 0.01}, "over", "Over a limit, at an unstated sparsity"),
        ({"max_accuracy_drop": 0.07}, "cannot_tell", "These data cannot tell whether the pruned"),
    ],
)
def test_the_verdict(limits, outcome, answer):
    (verdict,) = verdicts(read(pair(limits)))
    assert verdict.outcome == outcome
    assert verdict.answer.startswith(answer)
    assert "add a column `sparsity`" in verdict.why
    assert [c.heading for c in verdict.ladder.columns] == ["limit", "not stated"]
    assert [row.cells[1].outcome for row in verdict.ladder.rows[:2]] == [outcome] * 2


def test_beside_models_that_state_one(tmp_path):
    document = read(mixed())
    assert document.sparsities == (0.3, 0.5, 0.7, 0.8, 0.9, None)
    assert [row.sparsity for row in document.rows] == list(document.sparsities)
    (verdict,) = verdicts(document)
    assert [c.heading for c in verdict.ladder.columns][-2:] == ["0.9", "not stated"]
    page = write_html(mixed(), tmp_path / "r.html").read_text()
    assert 'data-at="0.9 an\u00a0unstated\u00a0sparsity"' in page
    assert printed(mixed()).count("not stated") == 1


def test_the_gallery_puts_them_last():
    rows = chosen(
        pd.DataFrame(
            {
                "example": ["a", "a", "b"],
                "method": "m",
                "sparsity": [np.nan, 0.5, np.nan],
                "score": [2.0, 1.0, 0.5],
            }
        )
    )
    assert rows["example"].tolist() == ["a", "b"]
    assert rows["sparsity"].iloc[0] == 0.5
    assert rows["all_sparsities"].tolist() == [(0.5, None), (None,)]


def test_sizes_are_told_apart_by_what_was_measured():
    models = pd.DataFrame(
        {
            "model": ["d", "p", "q"],
            "role": ["dense", "pruned", "compressed"],
            "sparsity_all": [np.nan, 0.25, np.nan],
        }
    )
    assert [arm for arm, _ in _arms(models)] == [
        ("dense", "", 0.0),
        ("pruned", "", 0.25),
        ("compressed", "", None),
    ]


def test_models_of_which_nothing_could_be_asked_are_still_counted():
    left = tuple(replace(f, outcome="not_asked", reason="none") for f in pair().findings)
    (row,) = read(replace(pair(), findings=left)).rows
    assert (row.method, row.sparsity, row.accuracy) == ("pruned", None, None)
    left = tuple(replace(f, method=None) for f in left)
    (row,) = read(replace(pair(), findings=left)).rows
    assert (row.method, row.sparsity, row.accuracy) == ("", None, None)
