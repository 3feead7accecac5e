"""Attacks on a shared dossier: everything that it publishes, solved for every small count."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from audit.judgement.findings import Finding, Findings, no_exemplars
from reports.document import read
from reports.dossier.composition import compositions
from reports.dossier.impact import Category, Impact
from reports.dossier.overlap import Overlap, Pair
from reports.dossier.release import released, shown_impact, shown_overlap, vague
from reports.dossier.subject import Sharing, Subject
from tests.reports.sample import run_folder

K = 5
CLASSES, SEX, SITE = ("no", "yes"), ("F", "M", "X"), ("north", "south")
CELLS = list(product(range(2), range(3), range(2)))
COUNTS = st.lists(st.integers(0, 4) | st.integers(0, 25), min_size=12, max_size=12)


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    return read(run_folder(tmp_path_factory.mktemp("telling") / "run", pictures=False))


def examples(counts):
    rows = [
        (CLASSES.index(CLASSES[c]), SEX[s], SITE[t])
        for (c, s, t), n in zip(CELLS, counts, strict=True)
        for _ in range(n)
    ]
    frame = pd.DataFrame(rows, columns=["label", "group_sex", "group_site"])
    return frame.assign(example=[f"p{i}" for i in range(len(frame))], split="test")


def mask(class_=None, groups=None):
    """Which joint cells are of a class and of these groups."""
    wanted = dict(part.split("=") for part in groups.split(" & ")) if groups else {}
    return np.array(
        [
            (class_ is None or CLASSES[c] == class_)
            and wanted.get("sex", SEX[s]) == SEX[s]
            and wanted.get("site", SITE[t]) == SITE[t]
            for c, s, t in CELLS
        ]
    )


def everything(counts):
    """Findings as judging gives them: each size that it publishes of everybody, class or group."""
    size = lambda *who: int(np.array(counts)[mask(*who)].sum())  # noqa: E731
    made = []

    def add(measure, n, class_=None, groups=None, parent=0.5, subject=None):
        made.append(
            Finding(
                id=f"{len(made)}", measure=measure, unit="fraction", method="magnitude",
                sparsity=0.5, condition="clean", severity=0.0, n=n, class_=class_, groups=groups,
                subject=subject, parent=parent, pruned=parent, change=0.0, outcome="no_limit",
            )
        )  # fmt: skip

    add("accuracy", size())
    add("accuracy_off_suspects", size() - 2)
    for class_ in CLASSES:
        add("recall", size(class_), class_)
        add("class_fpr", size() - size(class_), class_)
    groups = [f"sex={s}" for s in SEX] + [f"site={t}" for t in SITE]
    groups += [f"sex={s} & site={t}" for s in SEX for t in SITE]
    for group in groups:
        n = size(None, group)
        add("group_accuracy", n, None, group)
        for class_ in CLASSES:
            own = size(class_, group)
            add("group_fnr", own, class_, group)
            add("group_fpr", n - own, class_, group)
            add("group_base_rate", n, class_, group, parent=own / n if n else None)
    for division in ("sex", "site", "sex & site"):
        add("accuracy_group_min", size(), subject=division, parent=0.123)
    return made


def shared(document, counts, positive, findings=None):
    plan = {"positive": "yes"} if positive else {}
    found = Findings(
        {"plan": plan, "classes": list(CLASSES)}, {}, tuple(findings or everything(counts)),
        no_exemplars(),
    )  # fmt: skip
    subject = Subject(
        replace(document, findings=found, classes=CLASSES), document.folder, examples(counts),
        sharing=Sharing(True, K),
    )  # fmt: skip
    tables = compositions(subject)
    return subject, tables, released(subject, tables, bytes(32))


def published(tables, findings):
    """Every sum of joint cells that a reader has: (which cells, their number)."""
    for table in tables:
        column = table.column
        for i, class_ in enumerate(table.classes):
            for j, value in enumerate(table.values):
                yield mask(class_, f"{column}={value}"), table.cell(i, j)
            yield mask(class_), table.row_total(i)
        for j, value in enumerate(table.values):
            yield mask(None, f"{column}={value}"), table.column_total(j)
        yield mask(), table.shown_total()
    for f in findings:
        who = mask(f.class_, f.groups)
        if f.measure in ("accuracy", "recall", "group_accuracy", "group_fnr"):
            yield who, f.n
        elif f.measure in ("class_fpr", "group_fpr"):
            yield mask(None, f.groups) & ~who, f.n
        elif f.measure == "group_base_rate" and f.n is not None:
            yield mask(None, f.groups), f.n
            yield who, None if f.parent is None else round(f.parent * f.n)


def span(known, who):
    """Smallest and largest number of people in these cells that agrees with all that is known."""
    given_ = LinearConstraint(
        np.array([each for each, _ in known], dtype=float),
        [n for _, n in known],
        [n for _, n in known],
    )
    ends = []
    for sign in (1, -1):
        found = milp(
            sign * who.astype(float), constraints=given_, integrality=np.ones(12),
            bounds=Bounds(0, 200),
        )  # fmt: skip
        assert found.status == 0, found.message
        ends.append(round(sign * found.fun))
    return ends


@pytest.mark.parametrize("positive", [False, True])
@given(counts=COUNTS)
@settings(max_examples=25, deadline=None)
def test_no_small_count_is_determined_by_all_that_is_published(document, positive, counts):
    array = np.array(counts)
    assume(array.sum() >= K)
    _, tables, subject = shared(document, counts, positive)
    findings = subject.document.findings.findings
    known = {who.tobytes(): (who, n) for who, n in published(tables, findings) if n is not None}
    assert not any(0 < n < K for _, n in known.values())
    groups = [None, *(f"sex={s}" for s in SEX), *(f"site={t}" for t in SITE)]
    groups += [f"sex={s} & site={t}" for s in SEX for t in SITE]
    for group in groups:
        for class_ in (None, *CLASSES):
            who = mask(class_, group)
            if 0 < (n := int(array[who].sum())) < K:
                low, high = span(list(known.values()), who)
                assert low <= n <= high
                assert low < high, (class_, group, n)


def of(released_, measure, **where):
    return next(
        f
        for f in released_.document.findings.findings
        if f.measure == measure and all(getattr(f, k) == v for k, v in where.items())
    )


FEW = [20, 20, 30, 30, 2, 1, 20, 20, 30, 30, 0, 0]  # three of sex=X


def test_an_extreme_over_groups_is_hidden_where_any_group_is(document):
    _, _, subject = shared(document, FEW, positive=False)
    assert of(subject, "accuracy_group_min", subject="sex").parent is None
    assert of(subject, "accuracy_group_min", subject="sex & site").parent is None
    assert of(subject, "accuracy_group_min", subject="site").parent == 0.123
    assert of(subject, "group_accuracy", groups="site=north").n == 102


def test_all_but_a_few_are_not_shown_beside_all(document):
    _, _, subject = shared(document, FEW, positive=False)
    assert of(subject, "accuracy").n == sum(FEW)
    assert of(subject, "accuracy_off_suspects").n is None


def test_a_size_that_no_composition_has_is_not_shown(document):
    """Shown to a part of the group alone: what is left of it is few."""
    odd = replace(everything(FEW)[0], measure="group_accuracy", groups="site=north", n=120)
    _, _, subject = shared(document, FEW, False, [odd])
    assert subject.document.findings.findings[0].n is None


def test_a_group_that_is_small_in_one_split_alone_hides_the_crossing(document):
    counts = [10] * 12
    found = Findings({"plan": {}}, {}, tuple(everything(counts)), no_exemplars())
    frame = examples(counts)
    few = frame[(frame["group_sex"] == "X") & (frame["group_site"] == "north")].head(2)
    frame = pd.concat([frame, few.assign(split="other"), frame.assign(split="other").head(40)])
    subject = Subject(replace(document, findings=found, classes=CLASSES), document.folder, frame,
                      sharing=Sharing(True, K))  # fmt: skip
    shown = released(subject, compositions(subject), bytes(32))
    assert of(shown, "group_accuracy", groups="sex=F & site=north").n is None


def test_reasons_and_notes_name_no_small_count():
    said = "its smallest group has 3 examples, of the 30 that a claim needs; only 1 example differs"
    assert vague(said, 10) == (
        "its smallest group has fewer than 10 examples, of the 30 that a claim needs; "
        "only fewer than 10 example differs"
    )
    assert vague("keeps 15 % of sex=F (37 of 248 examples), so", 10) == "keeps 15 % of sex=F, so"
    assert vague("Of 1,200 examples 12 people", 10) == "Of 1,200 examples 12 people"


def category(name, n, rate, ratio, low=None, high=None):
    return Category("parents", "sex", name, n, 0.1, rate, 0.0, 1.0, ratio, low, high, False, False)


def test_ratios_beside_a_hidden_category_are_hidden_with_it(document):
    """A ratio tells the rate of the category it is beside, and its interval how many are in it."""
    subject, tables, _ = shared(document, FEW, positive=False)
    rows = (
        category("F", 80, 0.3, 0.3, 0.2, 0.4),
        category("M", 120, 0.5, 0.5, 0.4, 0.6),
        category("X", 3, 1.0, 1.0),
    )
    shown = shown_impact(subject, Impact(rows, "yes"), tables).rows
    assert {c.name for c in shown} < {"F", "M"}
    assert [(c.ratio, c.ratio_low, c.ratio_high) for c in shown] == [(None, None, None)]
    assert all(c.rate is not None for c in shown)


def test_impact_over_other_people_than_the_composition_is_hidden(document):
    counts = [10] * 12
    subject, tables, _ = shared(document, counts, positive=False)
    rows = (category("F", 40, 0.5, 1.0), category("M", 38, 0.3, 0.6, 0.5, 0.7))
    assert [c.name for c in shown_impact(subject, Impact(rows, "yes"), tables).rows] == ["F"]


def test_small_overlaps_and_splits_are_hidden(document):
    subject, _, _ = shared(document, FEW, positive=False)
    sizes = {"train": (100, 98), "validation": (4, 4), "test": (60, 50)}
    pairs = (Pair("train", "test", 3, 12), Pair("train", "validation", 2, 2))
    found = shown_overlap(subject, Overlap(sizes, pairs))
    assert found.sizes == {"train": (100, None), "validation": (None, None), "test": (60, 50)}
    assert [(p.shared, p.examples) for p in found.pairs] == [(None, 12), (None, None)]
