"""Puts the page of a comparison together: the one place that knows what stands on it, where."""

from __future__ import annotations

from audit.judgement.comparing.comparison import Comparison, Pair
from audit.judgement.comparing.moves import Move
from audit.judgement.comparing.shared import Shared
from reports.comparison.answers import answers, trained_otherwise
from reports.comparison.moved import moves_table
from reports.comparison.page import ComparisonPage
from reports.comparison.said import sentences
from reports.comparison.tables import checks, grid, overlaps, practices, recipes
from reports.names import in_prose
from reports.page import Section, Table
from reports.quantities import count
from reports.wording import capital, listing, say, say_count


def compose(comparison: Comparison) -> ComparisonPage:
    """The whole page as values."""
    names = [in_prose(side.name) for side in comparison.sides]
    pairs = [_pair(comparison, place, pair) for place, pair in enumerate(comparison.pairs)]
    return ComparisonPage(
        title=say("comparison.title", names=listing(names)),
        name=listing(names),
        compared=_compared(comparison),
        answers=answers(comparison),
        sentences=sentences(comparison),
        sections=(
            _section("sides", tables=[grid(comparison)]),
            *pairs,
            _section("recipes", tables=[recipes(comparison)], empty=not comparison.recipes),
            _section("practices", tables=[practices(comparison)]),
        ),
        method=_method(comparison),
    )


def _compared(comparison: Comparison) -> str:
    told = [
        say(
            "comparison.side",
            name=in_prose(side.name),
            folder=in_prose(side.folder, 80),
            examples=count(side.examples),
            parents=say_count("audited.parents", side.parents or 0),
        )
        for side in comparison.sides
    ]
    return say("grammar.sentence", text="; ".join(told))


def _section(key: str, *, tables: list[Table | None], empty: bool = False) -> Section:
    lead = "empty" if empty else "lead"
    return Section(
        key=key,
        heading=say(f"comparison.section.{key}.heading"),
        lead=(say(f"comparison.section.{key}.{lead}"),),
        tables=tuple(table for table in tables if table is not None),
    )


def _pair(comparison: Comparison, place: int, pair: Pair) -> Section:
    before = in_prose(comparison.sides[pair.before].name)
    after = in_prose(comparison.sides[pair.after].name)
    lead = [_examples(pair.shared), *map(capital, pair.parents), *pair.notes]
    if pair.moves:
        lead.append(say("comparison.how_to_read", before=before, after=after))
        if trained_otherwise(comparison, pair.before, pair.after):
            lead.append(say("comparison.trained_otherwise"))
    of_predictions = [m for m in pair.moves if m.family != "measures"]
    others = [m for m in pair.moves if m.family == "measures"]

    def table(name: str, moves: list[Move]) -> Table | None:
        caption = say(f"comparison.table.{name}", before=before, after=after)
        return moves_table(
            f"pair-{place}-{name}", caption, place, moves, pair.moves, comparison.alpha
        )

    return Section(
        key=f"pair-{place}",
        heading=say("comparison.section.pair.heading", before=before, after=after),
        lead=tuple(each if each.endswith(".") else f"{each}." for each in lead),
        tables=tuple(
            each
            for each in (
                table("moves", of_predictions),
                table("measures", others),
                overlaps(f"pair-{place}-overlaps", pair),
                checks(f"pair-{place}-checks", pair),
            )
            if each is not None
        ),
    )


def _examples(both: Shared | None) -> str:
    if both is None:
        return say("comparison.examples.findings")
    if both.reason:
        return say("comparison.examples.none", reason=both.reason)
    if not both.n:
        return say("comparison.examples.nothing")
    if both.whole:
        return say("comparison.examples.whole", n=count(both.n))
    return say(
        "comparison.examples.some",
        n=count(both.n),
        before=count(both.only_before),
        after=count(both.only_after),
        relabelled=count(both.relabelled),
    )


def _method(comparison: Comparison) -> tuple[str, ...]:
    values = {"coverage": f"{100 * (1 - comparison.alpha):g}", "alpha": f"{comparison.alpha:g}"}
    keys = ("difference", "parents", "findings", "correction", "ranking", "exemplars")
    return tuple(say(f"comparison.method.{key}", **values) for key in keys)
