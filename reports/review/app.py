"""The review desk as a web application: its routes, who may use them, what failure looks like."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from audit.evidence.errors import AuditError, InputError, StoreError
from reports.review import forms, lead, pages
from reports.review.forms import Form
from reports.review.records import Records
from reports.review.rendering import Refused, page, templates
from reports.review.reviewers import reviewers_of
from reports.review.security import Allowed, Gate, allowed, cookie_name, same
from reports.review.sessions import Session, Sessions
from reports.review.values import LEAD
from reports.wording import say

_LOG = logging.getLogger("prune_audit.review")
Handler = Callable[["Desk", Session, Request, Form], Response]


@dataclass(frozen=True)
class Desk:
    """What every page needs.

    Attributes:
        records: The open review database.
        run: The run folder, where results are read and written.
        sessions: Who is at the desk.
        where: Under which names it may be asked.
        cookie: Name of its cookie.
        roots: Folders that pictures may lie in.
        blur: Whether pictures and texts are blurred until asked for, whatever the study says.
        secure: Whether the cookie is for HTTPS alone, behind a proxy.
        templates: The pages.
    """

    records: Records
    run: Path | None
    sessions: Sessions
    where: Allowed
    cookie: str
    roots: tuple[Path, ...]
    blur: bool
    secure: bool
    templates: Environment


def desk_app(
    records: Records,
    *,
    port: int,
    run: Path | None = None,
    roots: tuple[Path, ...] = (),
    blur: bool = False,
    address: str | None = None,
) -> ASGIApp:
    """The application that serves a review.

    Args:
        records: Open records that hold a study.
        run: The run folder; None where nothing is to be read or written there.
        port: Where it will listen; the `Host` of every request must name it.
        roots: Folders that the pictures which the evidence names may lie in.
        blur: Whether to blur what is shown until asked for, even where the study does not.
        address: `https://host` under which a proxy of the user serves it.
    """
    where = allowed(port, address)
    desk = Desk(
        records=records,
        run=run,
        sessions=Sessions(records),
        where=where,
        cookie=cookie_name(port),
        roots=roots,
        blur=blur,
        secure=bool(address and address.lower().startswith("https://")),
        templates=templates(),
    )
    people = reviewers_of(records)
    if people:
        pages.warm(desk, Session(people[0], "", "", 0.0, 0.0))
    inner = Starlette(
        routes=_routes(desk),
        exception_handlers={
            HTTPException: _turned_away,
            AuditError: _failed,
            Exception: _crashed,
        },
    )
    # Outside of everything, so that an answer about a crash is marked like any other.
    return Gate(inner, where)


def _routes(desk: Desk) -> list[Route]:
    read: dict[str, Handler] = {
        "/": pages.current,
        "/item/{place:int}": pages.item,
        "/picture/{place:int}": pages.picture,
        "/keys": pages.keys,
        "/break": pages.at_rest,
        "/lead": lead.overview,
        "/lead/results": lead.results,
        "/lead/answers.{suffix}": lead.answers_file,
    }
    written: dict[str, Handler] = {
        "/item/{place:int}": pages.answer,
        "/undo": pages.undo,
        "/break": pages.rest,
        "/leave": pages.leave,
        "/lead/close": lead.close,
    }
    routes = [Route("/enter", _entering(desk), methods=["GET"])]
    routes += [Route(path, _reading(desk, to), methods=["GET"]) for path, to in read.items()]
    routes += [Route(path, _writing(desk, to), methods=["POST"]) for path, to in written.items()]
    return routes


def _entering(desk: Desk) -> Callable[[Request], Awaitable[Response]]:
    async def enter(request: Request) -> Response:
        request.state.desk = desk
        name = await run_in_threadpool(desk.sessions.begin, request.query_params.get("token", ""))
        if name is None:
            raise HTTPException(401, say("desk.wrong_token"))
        old = request.cookies.get(desk.cookie)
        if old:
            desk.sessions.end(old)
        # To an address without the token: it is not kept in the history, nor in a picture of it.
        response = Response(status_code=303, headers={"Location": "/"})
        response.set_cookie(
            desk.cookie, name, httponly=True, samesite="strict", secure=desk.secure, path="/"
        )
        return response

    return enter


def _reading(desk: Desk, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def read(request: Request) -> Response:
        request.state.desk = desk
        return await run_in_threadpool(_handled, desk, handler, request, {}, False)

    return read


def _writing(desk: Desk, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def write(request: Request) -> Response:
        request.state.desk = desk
        form = forms.parsed(await request.body(), request.headers.get("content-type", ""))
        return await run_in_threadpool(_handled, desk, handler, request, form, True)

    return write


def _handled(desk: Desk, handler: Handler, request: Request, form: Form, writes: bool) -> Response:
    session = desk.sessions.find(request.cookies.get(desk.cookie))
    if session is None:
        raise HTTPException(401, say("desk.no_session"))
    request.state.session = session
    if writes and not same(forms.first(form, "csrf"), session.csrf):
        raise HTTPException(403, say("desk.forged"))
    if request.url.path.startswith("/lead") and session.reviewer.role != LEAD:
        raise HTTPException(403, say("desk.not_lead"))
    return handler(desk, session, request, form)


def _turned_away(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = str(getattr(error, "detail", ""))
    if status in (404, 405):
        detail = say("desk.no_page")
    # A link in a letter or a chat comes from another site, and the new cookie is first sent with
    # what is clicked here.
    again = status == 401 and request.headers.get("sec-fetch-site") == "cross-site"
    return _told(request, status, detail, again=again)


def _failed(request: Request, error: Exception) -> Response:
    if isinstance(error, Refused):
        return _told(request, error.status, str(error))
    if isinstance(error, StoreError):
        _LOG.error("%s", error)
        return _told(request, 503, say("desk.no_database"))
    if isinstance(error, InputError):
        return _told(request, 422, without_places(error, request))
    return _crashed(request, error)


def _crashed(request: Request, error: Exception) -> Response:
    return _told(request, 500, say("desk.crashed"))


def without_places(error: Exception, request: Request) -> str:
    """What was wrong, without telling a browser where the database is."""
    desk: Desk | None = getattr(request.state, "desk", None)
    return str(error).replace(desk.records.place, say("desk.database")) if desk else str(error)


def _told(request: Request, status: int, sentence: str, **more: Any) -> Response:
    desk: Desk | None = getattr(request.state, "desk", None)
    if desk is None:  # no route was found, so nobody said whose page it would have been
        return HTMLResponse(page(templates(), request, "told.html.j2", sentence=sentence), status)
    context = {"sentence": sentence, "again": more.get("again", False)}
    return HTMLResponse(page(desk.templates, request, "told.html.j2", **context), status)
