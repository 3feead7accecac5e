"""The answer at the top of a comparison: in which order, or why in none."""

from __future__ import annotations

from audit.judgement.comparing.comparison import Comparison, Pair
from audit.judgement.comparing.order import Ranking, Step
from audit.judgement.comparing.summary import SideSummary
from reports.comparison.page import Answer
from reports.names import in_prose, method_name, short, title
from reports.page import Cell, Column, Row, Table
from reports.quantities import (
    UNDEFINED,
    bare_change,
    change,
    interval,
    probability,
    sparsity,
)
from reports.wording import listing, say, word_for

COLUMNS = ("place", "side", "verdict", "by", "beside_next", "interval", "p")
NUMBERS = frozenset({"place", "beside_next", "interval", "p"})


def answers(comparison: Comparison) -> tuple[Answer, ...]:
    """One answer for each ranking, then one for each pair that may not be ranked."""
    ranked = [_ranked(comparison, i, each) for i, each in enumerate(comparison.rankings)]
    left = [_unranked(comparison, pair) for pair in comparison.pairs if not _is_ranked(pair)]
    return (*ranked, *left)


def verdict_of(side: SideSummary) -> str:
    """A side's verdict: the outcome of one arm, or the largest sparsity within every limit."""
    if not side.has_limits:
        return word_for("outcome", "no_limit")
    if len(side.arms) == 1:
        return word_for("outcome", side.arms[0].outcome)
    told = [
        say(
            "comparison.largest_of",
            method=method_name(method),
            sparsity=say("comparison.none_within") if at is None else sparsity(at),
        )
        for method, at in sorted(side.largest_within.items())
    ]
    if len(side.largest_within) == 1:
        at = next(iter(side.largest_within.values()))
        where = say("comparison.none_within") if at is None else sparsity(at)
        return say("comparison.largest", sparsity=where)
    return listing(told) or UNDEFINED


def trained_otherwise(comparison: Comparison, one: int, other: int) -> bool:
    """Whether two sides were trained otherwise, so that a difference is not pruning's alone."""
    return any(
        each.values[one] != each.values[other]
        for each in comparison.recipes
        if each.topic == "training"
    )


def _is_ranked(pair: Pair) -> bool:
    return pair.congruent and bool(pair.moves)


def _ranked(comparison: Comparison, place: int, ranking: Ranking) -> Answer:
    first = ranking.steps[0]
    names = {
        "ahead": in_prose(comparison.sides[first.ahead].name),
        "behind": in_prose(comparison.sides[first.behind].name),
    }
    if len(ranking.sides) > 2:
        text = say("comparison.rank.several", n=len(ranking.sides))
        outcome = "cannot_tell" if {s.by for s in ranking.steps} == {"cannot_tell"} else "no_limit"
        why: tuple[str, ...] = (say("comparison.rank.how"),)
        return Answer(text, outcome, why, _order(comparison, place, ranking))  # type: ignore[arg-type]
    verdicts = [verdict_of(comparison.sides[i]) for i in (first.ahead, first.behind)]
    why = (
        say("comparison.rank.verdicts", ahead_verdict=verdicts[0], behind_verdict=verdicts[1])
        if first.by == "verdict"
        else say("comparison.rank.same_verdict", verdict=verdicts[0]),
        _beside(comparison, first),
        say("comparison.trained_otherwise")
        if trained_otherwise(comparison, first.ahead, first.behind)
        else "",
        *_unknown(comparison, ranking),
    )
    return Answer(
        say(f"comparison.rank.by_{first.by}", **names),
        "cannot_tell" if first.by == "cannot_tell" else "no_limit",
        tuple(each for each in why if each),
    )


def _beside(comparison: Comparison, step: Step) -> str:
    """The difference in accuracy between two neighbours, in a sentence."""
    move = step.move
    if move is None or move.p is None:
        return say("comparison.rank.no_interval")
    told = move.p_adjusted is not None and move.p_adjusted <= comparison.alpha
    return say(
        "comparison.rank.interval_told" if told else "comparison.rank.interval_untold",
        where=""
        if move.sparsity_before != move.sparsity_after
        else say("where.sparsity", sparsity=sparsity(move.sparsity_before)),
        difference=change(move.difference, move.unit),
        coverage=f"{100 * (1 - comparison.alpha):g}",
        interval=interval(move.low, move.high, move.unit),
        p=probability(move.p_adjusted),
    )


def _unknown(comparison: Comparison, ranking: Ranking) -> list[str]:
    """What was not recorded, so that its agreement is taken on trust."""
    facets = {
        check.facet
        for pair in comparison.pairs
        if {pair.before, pair.after} <= set(ranking.sides)
        for check in pair.checks
        if check.agrees is None
    }
    if not facets:
        return []
    words = listing(sorted(say(f"comparison.facet.{facet}") for facet in facets))
    return [say("comparison.rank.unknown", facets=words)]


def _order(comparison: Comparison, place: int, ranking: Ranking) -> Table:
    rows = []
    for i, side in enumerate(ranking.sides):
        step = ranking.steps[i] if i < len(ranking.steps) else None
        move = step.move if step else None
        name = comparison.sides[side].name
        rows.append(
            Row(
                (
                    Cell(str(ranking.places[i])),
                    Cell(short(name), title(name)),
                    Cell(verdict_of(comparison.sides[side])),
                    Cell(say(f"comparison.by.{step.by}") if step else UNDEFINED),
                    Cell(bare_change(move.difference, move.unit) if move else UNDEFINED),
                    Cell(interval(move.low, move.high, move.unit) if move else UNDEFINED),
                    Cell(probability(move.p_adjusted) if move else UNDEFINED),
                )
            )
        )
    return Table(
        key=f"order-{place}",
        caption=say("comparison.table.order"),
        columns=tuple(
            Column(say(f"comparison.order.{name}"), "number" if name in NUMBERS else "text")
            for name in COLUMNS
        ),
        rows=tuple(rows),
    )


def _unranked(comparison: Comparison, pair: Pair) -> Answer:
    names = {
        "before": in_prose(comparison.sides[pair.before].name),
        "after": in_prose(comparison.sides[pair.after].name),
    }
    differ = [check for check in pair.checks if check.agrees is False]
    if not differ:
        facets = [say(f"comparison.facet.{c.facet}") for c in pair.checks if c.agrees is None]
        why = (say("comparison.rank.not_known", facets=listing(facets)),)
        return Answer(say("comparison.rank.not_ranked", **names), "not_asked", why)
    words = listing(say(f"comparison.facet.{check.facet}") for check in differ)
    return Answer(
        say("comparison.rank.differ", facets=words, **names),
        "not_asked",
        (
            say("comparison.rank.side_by_side")
            if not pair.comparable
            else say("comparison.rank.still_compared"),
        ),
    )
