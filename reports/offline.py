"""Templates, and the policy under which a page loads nothing and runs no script but its own."""

from __future__ import annotations

import base64
import hashlib
import re

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from reports.wording import say, say_count, word_for

_BACKTICKS = re.compile(r"`([^`]+)`")


def environment() -> Environment:
    """The templates, which escape everything but our own drawings."""
    made = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals.update(say=say, say_count=say_count, word_for=word_for)
    made.filters["code"] = _code
    # Only our own drawings go in unescaped, and they were serialised as XML.
    made.filters["markup"] = Markup
    return made


def asset(templates: Environment, name: str) -> str:
    """The text of a file beside the templates."""
    return templates.loader.get_source(templates, name)[0] if templates.loader else ""


def content_policy(style: str, script: str) -> str:
    """A content security policy under which nothing is loaded and only this script runs."""
    return (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _code(text: str) -> Markup:
    """Escaped text in which what stands between backticks is set as code."""
    return Markup(_BACKTICKS.sub(r"<code>\1</code>", str(escape(text))))


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"
