"""The exemplars that are shown: the highest scores first, each example once, with its picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from reports.names import in_prose, method_name, short
from reports.page import Card, Gallery, Picture
from reports.pictures import Pictures, pictures_of, value
from reports.quantities import count, number
from reports.quantities import sparsity as show_sparsity
from reports.select import ordered
from reports.wording import say, word_for

if TYPE_CHECKING:
    from reports.document import Document

CARDS = 120  # examples shown

NO_BREAK_SPACE = "\u00a0"
_KINDS = ("harmed", "mended", "moved", "undecided", "unlabelled")
_UNLABELLED = "unlabelled"  # nobody knows the true label, so nobody knows the kind


def chosen(exemplars: pd.DataFrame, cards: int = CARDS) -> pd.DataFrame:
    """One row per example, at the largest sparsity at which it is an exemplar, best score first.

    Args:
        exemplars: `example, method, sparsity, kind, score` and the labels.
        cards: Rows to return at most.

    Returns:
        The rows, with `all_sparsities` (a tuple, ascending, last None if not stated) added.
    """
    if exemplars.empty:
        return exemplars.assign(all_sparsities=pd.Series(dtype=object))
    ordered = exemplars.assign(_name=exemplars["example"].astype(str)).sort_values(
        ["sparsity", "score", "method", "_name"], ascending=[False, False, True, True]
    )
    once = ordered.drop_duplicates("_name").sort_values(
        ["score", "sparsity", "_name"], ascending=[False, False, True]
    )
    once = once.head(cards)
    every = (
        ordered[ordered["_name"].isin(once["_name"])].groupby("_name")["sparsity"].apply(_levels)
    )
    return once.assign(all_sparsities=once["_name"].map(every)).drop(columns="_name")


def of(document: Document) -> Gallery | None:
    """The gallery of a document; None when there is no exemplar."""
    exemplars = document.findings.exemplars
    if exemplars.empty:
        return None
    rows = chosen(exemplars)
    pictures = pictures_of(document, rows["example"])
    cards = tuple(
        _card(document, row, picture)
        for (_, row), picture in zip(rows.iterrows(), pictures.found, strict=True)
    )
    total = int(exemplars["example"].nunique())
    kinds = {card.kind for card in cards}
    return Gallery(
        cards=cards,
        kinds=tuple((kind, word_for("kind", kind)) for kind in _KINDS if kind in kinds),
        sparsities=tuple(map(_level_name, ordered(s for r in rows["all_sparsities"] for s in r))),
        truncated=say("exemplars.truncated", shown=count(len(cards)), total=count(total))
        if len(cards) < total
        else None,
        pictures_left_out=_owned_up(document, pictures),
        classes=tuple(dict.fromkeys(sorted(card.label for card in cards))),
    )


def _owned_up(document: Document, pictures: Pictures) -> str | None:
    """What is not shown, and why."""
    if document.embed == "none":
        return say("exemplars.embed_none")
    counts = {
        "whole": pictures.whole,
        "small": pictures.small,
        "left_out": pictures.left_out,
        "gone": pictures.gone,
    }
    told = [say(f"exemplars.pictures_{key}", n=count(n)) for key, n in counts.items() if n]
    return " ".join(told) or None


def _card(document: Document, row: pd.Series, picture: Picture | None) -> Card:
    def name(column: str) -> str:
        found = document.class_name(row.get(column))
        nameless = "exemplars.no_label" if column == "label" else "exemplars.no_modal_label"
        return say(nameless) if found is None else short(found)

    kind = str(row["kind"]) if row["kind"] in _KINDS else _UNLABELLED
    sparsity = _level_name(_float(row["sparsity"]))
    text = None if document.embed == "none" else value(document.examples, row["example"], "text")
    labels = {
        "label": name("label"),
        "parent_label": name("parent_label"),
        "pruned_label": name("pruned_label"),
    }
    return Card(
        example=short(row["example"]),
        kind=kind,
        kind_word=word_for("kind", kind),
        score=number(_float(row["score"]), 2),
        method=method_name(row["method"]) if len(document.methods) > 1 else "",
        sparsity=sparsity,
        sparsities=tuple(map(_level_name, row["all_sparsities"])),
        groups=_groups(document, row["example"]),
        picture=picture,
        text=None if text is None else short(text, 160),
        alternative=say(
            "exemplars.alternative",
            example=in_prose(row["example"]),
            **{key: in_prose(value) for key, value in labels.items()},
        ),
        **labels,
    )


def _levels(sparsities: pd.Series) -> tuple[float | None, ...]:
    return tuple(ordered(map(_float, sparsities)))


def _level_name(sparsity: float | None) -> str:
    # Without a space: the script tells the sparsities of a card apart by them.
    unstated = say("exemplars.unstated_sparsity").replace(" ", NO_BREAK_SPACE)
    return unstated if sparsity is None else show_sparsity(sparsity)


def _groups(document: Document, example: object) -> str:
    columns = sorted(c for c in document.examples.columns if c.startswith("group_"))
    named = [(c.removeprefix("group_"), value(document.examples, example, c)) for c in columns]
    return ", ".join(f"{short(c, 24)}={short(v, 24)}" for c, v in named if v is not None)


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not pd.isna(value) else None
