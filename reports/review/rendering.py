"""Renders the desk's pages: escaped, with style and script inside, under the answer's nonce."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request

from audit.evidence.errors import InputError
from reports.quantities import count
from reports.wording import say, say_count


class Refused(InputError):
    """Something that a page was asked for and will not give, with its HTTP status."""

    def __init__(self, sentence: str, status: int) -> None:
        super().__init__(sentence)
        self.status = status


@cache
def templates() -> Environment:
    """The pages, which escape everything."""
    made = Environment(
        loader=PackageLoader("reports.review"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        say=say, say_count=say_count, count=count, style=_own("desk.css"), script=_own("desk.js")
    )
    made.filters["duration"] = duration
    for name in made.list_templates():  # now, and not while the first reviewers wait
        made.get_template(name)
    return made


def page(made: Environment, request: Request, name: str, **context: Any) -> str:
    """A page as HTML."""
    session = getattr(request.state, "session", None)
    return made.get_template(name).render(
        {"nonce": request.state.nonce, "session": session, "again": False, **context}
    )


def duration(seconds: float | None) -> str:
    """About how long, as people say it: minutes, and hours from ninety minutes on."""
    if seconds is None:
        return ""
    minutes = round(seconds / 60)
    if minutes < 1:
        return say("desk.under_a_minute")
    if minutes < 90:
        return say_count("desk.minutes", minutes)
    return say("desk.hours", hours=f"{seconds / 3600:.1f}")


def _own(name: str) -> Markup:
    """One of our own files, which goes in unescaped."""
    return Markup(files("reports.review").joinpath("static", name).read_text(encoding="utf-8"))
