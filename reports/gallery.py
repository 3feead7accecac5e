"""The exemplars that are shown: the highest scores first, each example once, with its picture."""

from __future__ import annotations

import base64
import struct
from typing import TYPE_CHECKING

import pandas as pd

from reports.names import in_prose, method_name, short
from reports.page import Card, Gallery, Picture
from reports.quantities import count, number
from reports.quantities import sparsity as show_sparsity
from reports.select import ordered
from reports.wording import say, word_for

if TYPE_CHECKING:
    from reports.document import Document

CARDS = 120  # examples shown
PICTURE_BYTES = 400_000  # of all pictures together, before base64 adds a third
SMALL = 64  # pixels: pictures up to this size are enlarged without smoothing

NO_BREAK_SPACE = "\u00a0"
_PNG = b"\x89PNG\r\n\x1a\n"
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
    pictures, left_out = _pictures(document, rows)
    cards = tuple(
        _card(document, row, picture)
        for (_, row), picture in zip(rows.iterrows(), pictures, strict=True)
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
        pictures_left_out=say("exemplars.pictures_left_out", n=count(left_out))
        if left_out
        else None,
    )


def picture(data: object) -> Picture | None:
    """A PNG's bytes as a data URI with its size in pixels; None if they are no PNG."""
    if not isinstance(data, bytes) or not data.startswith(_PNG) or len(data) < 24:
        return None
    width, height = struct.unpack(">II", data[16:24])
    uri = "data:image/png;base64," + base64.b64encode(data).decode("ascii")
    return Picture(uri, width, height)


def _pictures(document: Document, rows: pd.DataFrame) -> tuple[list[Picture | None], int]:
    examples, spent, left_out = document.examples, 0, 0
    found: list[Picture | None] = []
    for example in rows["example"]:
        data = _value(examples, example, "thumbnail")
        shown = picture(data)
        spent += len(data) if shown is not None and isinstance(data, bytes) else 0
        if shown is not None and spent > PICTURE_BYTES:
            shown, left_out = None, left_out + 1
        found.append(shown)
    return found, left_out


def _value(examples: pd.DataFrame, example: object, column: str) -> object:
    if column not in examples or example not in examples.index:
        return None
    value = examples.at[example, column]
    return None if isinstance(value, float) else value  # a missing value reads NaN


def _card(document: Document, row: pd.Series, picture: Picture | None) -> Card:
    def name(column: str) -> str:
        found = document.class_name(row.get(column))
        nameless = "exemplars.no_label" if column == "label" else "exemplars.no_modal_label"
        return say(nameless) if found is None else short(found)

    kind = str(row["kind"]) if row["kind"] in _KINDS else _UNLABELLED
    sparsity = _level_name(_float(row["sparsity"]))
    text = _value(document.examples, row["example"], "text")
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
    values = [(c.removeprefix("group_"), _value(document.examples, example, c)) for c in columns]
    return ", ".join(f"{short(c, 24)}={short(v, 24)}" for c, v in values if v is not None)


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not pd.isna(value) else None
