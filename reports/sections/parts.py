"""The sections made of findings: what each draws; words and tables come from a shared frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from audit.judgement.findings import EXEMPLARS_FILE, Finding
from reports import gallery
from reports.figures import people
from reports.figures import robustness as shifts
from reports.figures import tradeoff as curves
from reports.figures.reliability import reliability_diagram
from reports.figures.saved import saved_curve
from reports.names import method_name, sparsity_name
from reports.overview import Overview, overview_cells
from reports.page import Cell, Column, Figure, Row, Section, Table
from reports.sections.bins import bins_table, chosen
from reports.sections.context import Context, section
from reports.sections.severities import severities_table
from reports.select import CLEAN, MEANS, SCREEN, Who, family_of, pick, whom
from reports.wording import capital, known, listing, say, word_for

# Each of these that was asked is drawn; of the shifts, the first.
_CLASS_MEASURES = ("normalised_recall_shift", "recall")
_GROUP_MEASURES = ("group_accuracy", "group_fnr", "group_fpr")
_CURVE_MEASURES = ("corruption_error", "excess_error")
_SHIFT_MEASURES = ("excess_error", "corruption_error", "accuracy")


def tradeoff(context: Context) -> Section:
    """Accuracy, worst class, worst group, corrupted accuracy and exemplars against sparsity."""

    def draw(method: str) -> Sequence[Figure | None]:
        rows = _rows(context, method)
        return [
            curves.accuracy(context.key("accuracy", method), method, rows),
            curves.levels(
                context.key("loss", method),
                pick(context.asked.get("calibration", ()), "nll", method=method),
                heading=say("figure.loss.heading"),
                caption=say("figure.loss.caption", method=method_name(method)),
                axis=word_for("axis", "nll"),
            ),
            curves.losses(context.key("losses", method), method, rows),
            curves.exemplars(context.key("exemplars", method), method, rows),
            *_saved(context, method, rows),
        ]

    return section(
        context, "tradeoff", figures=context.figures(draw), tables=[_overview_table(context)]
    )


def _saved(context: Context, method: str, rows: Sequence[Overview]) -> list[Figure | None]:
    """Accuracy against what papers on compression report."""
    right = [row.accuracy for row in rows if row.accuracy is not None]
    asked = context.asked.get("compression", ())
    return [
        saved_curve(
            context.key(measure.replace("_", "-"), method),
            method,
            measure,
            right,
            pick(asked, measure, method=method, condition=None),
        )
        for measure in ("compression_ratio", "theoretical_speedup")
    ]


def exemplars(context: Context) -> Section:
    """Examples whose modal label changed, against what churn alone makes."""
    made = section(context, "exemplars", gallery=gallery.of(context.document))
    folder = context.document.folder
    if folder is None or (folder / EXEMPLARS_FILE).is_file():
        return made
    return replace(made, lead=(*made.lead, say("exemplars.no_file")))


def classes(context: Context) -> Section:
    """Who among the classes lost more than the rest."""
    return section(
        context, "classes", figures=_people(context, "classes", _CLASS_MEASURES, "class")
    )


def subgroups(context: Context) -> Section:
    """Who among the groups lost more than the rest."""
    return section(
        context, "subgroups", figures=_people(context, "subgroups", _GROUP_MEASURES, "group")
    )


def robustness(context: Context) -> Section:
    """What corruptions and natural shifts add."""
    asked = context.asked.get("robustness", ())

    def draw(method: str) -> Sequence[Figure | None]:
        some = [f for f in asked if (f.method or "") == method and whom(f) == "everybody"]
        single = [f for f in some if f.condition not in {CLEAN, *MEANS}]
        means = [f for f in single if f.severity is None]
        tiles = _first_asked(means, _SHIFT_MEASURES) or _first_asked(single, _SHIFT_MEASURES)
        errors = _first_asked([f for f in single if f.severity is not None], _CURVE_MEASURES)
        potentials = [f for f in some if f.measure == "prune_potential"]
        return [
            shifts.corruption_tiles(context.key("tiles", method), tiles, method),
            shifts.severity_curves(context.key("severity", method), errors, method),
            shifts.potential_bars(context.key("potential", method), potentials, method),
        ]

    return section(
        context, "robustness", figures=context.figures(draw), tables=[severities_table(context)]
    )


def agreement(context: Context) -> Section:
    """How often pruned models say what their parents say, beside what two trainings agree on."""
    return section(
        context,
        "agreement",
        figures=_levels(context, "agreement", ("agreement", "kappa", "net_harm_rate")),
    )


def calibration(context: Context) -> Section:
    """Whether confidence still means what it says."""
    bins = context.figures(
        lambda method: [
            reliability_diagram(
                context.key("reliability", method),
                chosen(context, method),
                method,
                context.focus[method],
            )
        ]
    )
    return section(
        context,
        "calibration",
        figures=(*_levels(context, "calibration", ("ece", "nll", "brier")), *bins),
        tables=[bins_table(context)],
    )


def omnibus(context: Context) -> Section:
    """Whether anything in a family moved at all: the questions named before the run."""
    asked = [f for f in context.asked.get("omnibus", ()) if f.p_adjusted is not None]
    moved = [f for f in asked if (f.p_adjusted or 0.0) <= context.alpha]
    still = [f for f in asked if f not in moved]
    lead = [
        say(f"section.omnibus.{key}", families=listing(sorted(map(_family, some))))
        for key, some in (("moved", moved), ("still", still))
        if some
    ]
    return section(context, "omnibus", lead=lead)


def _family(finding: Finding) -> str:
    return word_for("family", family_of(finding))


def other(context: Context) -> Section:
    """Findings of measures that no other section knows: shown, so that nothing is lost."""
    return section(context, "other")


def _rows(context: Context, method: str) -> list[Overview]:
    return [row for row in context.document.rows if row.method == method]


def _first_asked(findings: Sequence[Finding], measures: Sequence[str]) -> list[Finding]:
    for measure in measures:
        if found := [f for f in findings if f.measure == measure]:
            return found
    return []


def _people(context: Context, key: str, measures: Sequence[str], who: Who) -> tuple[Figure, ...]:
    def draw(method: str) -> Sequence[Figure | None]:
        some = pick(context.asked.get(key, ()), measures, who=who, method=method)
        figures = []
        for measure in measures:
            every = [f for f in some if f.measure == measure]
            found = [f for f in every if f.tier != SCREEN] or every
            figures.append(
                people.dot_plot(
                    context.key(measure, method),
                    found,
                    lambda f: (f.class_ if who == "class" else f.groups) or "",
                    focus=context.focus[method],
                    heading=say(f"figure.{key}.heading", measure=word_for("measure", measure)),
                    caption=say(
                        f"figure.{key}.caption",
                        method=method_name(method),
                        sparsity=sparsity_name(context.focus[method]),
                    ),
                )
            )
        return figures

    return context.figures(draw)


def _levels(context: Context, key: str, measures: Sequence[str]) -> tuple[Figure, ...]:
    def draw(method: str) -> Sequence[Figure | None]:
        return [
            curves.levels(
                context.key(measure, method),
                pick(context.asked.get(key, ()), measure, method=method),
                heading=capital(say(f"figure.{key}.heading", measure=word_for("measure", measure))),
                caption=say(f"figure.{key}.caption", method=method_name(method)),
                axis=word_for("axis", measure)
                if known(f"axis.{measure}")
                else word_for("measure", measure),
                expected=pick(context.asked.get(key, ()), f"{measure}_expected", method=method),
            )
            for measure in measures
        ]

    return context.figures(draw)


def _overview_table(context: Context) -> Table | None:
    """The first table's numbers, so that the figures' data stand beside them."""
    rows = context.document.rows
    if not rows:
        return None
    names = ("method", "sparsity", "accuracy", "worst_class", "worst_group", "corrupted", "pies")
    kinds = ("text", "number", "number", "text", "text", "number", "number")
    return Table(
        key="tradeoff-overview",
        caption=say("table.overview"),
        columns=tuple(
            Column(say(f"overview.{n}"), k)  # type: ignore[arg-type]
            for n, k in zip(names, kinds, strict=True)
        ),
        rows=tuple(
            Row(tuple(Cell(text) for text in (method_name(row.method), *overview_cells(row))))
            for row in rows
        ),
    )
