"""What a reviewer sees and sends: an item with its questions, its picture, a break, the way out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from audit.evidence.errors import InputError
from reports.review import forms, pictures
from reports.review.answering import record, skip, withdraw
from reports.review.drafts import drop_draft, keep_draft, kept_of, look
from reports.review.forms import Form
from reports.review.items import item_at, item_named, next_place, source_of
from reports.review.pace import progress
from reports.review.rendering import Refused, page
from reports.review.sessions import Session
from reports.review.study import study_of
from reports.review.values import SCORE, Shown, Study
from reports.wording import say

if TYPE_CHECKING:
    from reports.review.app import Desk

_LONGEST_PLACE = 9  # digits


def current(desk: Desk, session: Session, request: Request, form: Form) -> Response:
    """To the item that is next, or to a page that says that none is."""
    if session.resting:
        return _to("/break")
    with desk.records.reading():
        place = next_place(desk.records, session.reviewer)
        if place is not None:
            return _to(f"/item/{place + 1}")
        context = {
            "study": study_of(desk.records),
            "progress": progress(desk.records, session.reviewer),
            "notice": session.pop_notice(),
        }
    return _page(desk, request, "finished.html.j2", context)


def item(desk: Desk, session: Session, request: Request, form: Form) -> Response:
    """An item with its questions."""
    if session.resting:
        return _to("/break")
    with desk.records.reading():
        context = _item(desk, session, _shown(desk, session, request))
    return _page(desk, request, "item.html.j2", context)


def picture(desk: Desk, session: Session, request: Request, form: Form) -> Response:
    """The picture of the item at a place of the reviewer's own order."""
    with desk.records.reading():
        source = source_of(desk.records, _shown(desk, session, request).item)
    found = pictures.find(source, desk.roots)
    if not found.content:
        raise Refused(say("desk.no_picture"), 404)
    content, media_type = pictures.encoded(found)
    return Response(content, media_type=media_type)


def answer(desk: Desk, session: Session, request: Request, form: Form) -> Response:
    """Record what was sent; or show the predictions, skip, or rest, and keep what was typed."""
    who = session.reviewer
    with desk.records.reading():
        shown = _shown(desk, session, request)
        study, kept = study_of(desk.records), kept_of(desk.records, who, shown.item)
    action = forms.first(form, "do")
    here = f"/item/{shown.position + 1}"
    if action in ("models", "break"):
        keep_draft(desk.records, who, shown.item, _typed(form))
        if action == "break":
            return rest(desk, session, request, form)
        look(desk.records, who, shown.item)
        return _to(f"{here}#models")
    try:
        if action == "skip":
            skip(desk.records, who, shown.item)
            session.notice = say("desk.skipped", place=shown.position + 1)
        else:
            answers = forms.answers_in(form, forms.to_ask(study, shown))
            _record(desk, session, shown, answers, form, kept.looked)
    except InputError as error:
        keep_draft(desk.records, who, shown.item, _typed(form))
        context = _item(desk, session, shown, error)
        return _page(desk, request, "item.html.j2", context, 422)
    if action == "skip" and _any(form):
        keep_draft(desk.records, who, shown.item, _typed(form))
    elif kept.form is not None:
        drop_draft(desk.records, who, shown.item)
    if shown.label_hidden and action != "skip":
        return _to(f"{here}#answers")
    place = next_place(desk.records, who)
    return _to("/" if place is None else f"/item/{place + 1}")


def undo(desk: Desk, session: Session, request: Request, form: Form) -> Response:
    """Take the last answer back, and go where it was given."""
    unsaved = forms.first(form, "item")
    if unsaved and _any(form):  # of the item that was on the page
        keep_draft(desk.records, session.reviewer, _known(desk, session, unsaved), _typed(form))
    item = withdraw(desk.records, session.reviewer)
    if item is None:
        session.notice = say("desk.nothing_to_undo")
        return _to("/")
    shown = item_named(desk.records, session.reviewer, item)
    session.notice = say("desk.undone", place=shown.position + 1)
    if item != unsaved:
        drop_draft(desk.records, session.reviewer, item)
    return _to(f"/item/{shown.position + 1}")


def rest(desk: Desk, session: Session, request: Request, form: Form) -> Response:
    """Begin a break, or end it."""
    if forms.first(form, "do") == "go on":
        session.resting = False
        return _to("/")
    session.resting = True
    session.clock.pause()
    return _to("/break")


def at_rest(desk: Desk, session: Session, request: Request, form: Form) -> Response:
    """The page of a break: nothing to look at."""
    if not session.resting:
        return _to("/")
    context = {
        "study": study_of(desk.records),
        "progress": progress(desk.records, session.reviewer),
    }
    return _page(desk, request, "rest.html.j2", context)


def keys(desk: Desk, session: Session, request: Request, form: Form) -> Response:
    """Every key there is, for browsers without script."""
    return _page(desk, request, "keys.html.j2", {"study": study_of(desk.records)})


def leave(desk: Desk, session: Session, request: Request, form: Form) -> Response:
    """End the session."""
    name = request.cookies.get(desk.cookie)
    if name:
        desk.sessions.end(name)
    request.state.session = None
    response = _page(desk, request, "told.html.j2", {"sentence": say("desk.left")})
    response.delete_cookie(desk.cookie, path="/", httponly=True, samesite="strict")
    return response


def _record(
    desk: Desk, session: Session, shown: Shown, answers: dict[str, Any], form: Form, looked: bool
) -> None:
    record(
        desk.records,
        session.reviewer,
        shown.item,
        answers,
        seconds=session.clock.seconds(shown.item),
        content_sha256=forms.first(form, "content") or None,
        predictions_shown=looked,
        whole=not shown.label_hidden,
    )
    session.clock.forget()


def _shown(desk: Desk, session: Session, request: Request) -> Shown:
    place = int(request.path_params["place"])
    if len(str(place)) > _LONGEST_PLACE or not 1 <= place <= study_of(desk.records).items:
        raise Refused(say("desk.no_page"), 404)
    return item_at(desk.records, session.reviewer, place - 1)


def warm(desk: Desk, session: Session) -> None:
    """Make a page for nobody, so that what a first page sets up is there before twenty ask."""
    with desk.records.reading():
        shown = item_at(desk.records, session.reviewer, 0)
        context = _item(desk, session, shown)
        next_place(desk.records, session.reviewer)
    desk.templates.get_template("item.html.j2").render(
        {"nonce": "", "session": session, "again": False, **context}
    )


def _item(
    desk: Desk, session: Session, shown: Shown, problem: InputError | None = None
) -> dict[str, Any]:
    """What the page of an item says; it is rendered once the database is let go."""
    who = session.reviewer
    with desk.records.reading():
        study = study_of(desk.records)
        asked = forms.to_ask(study, shown)
        kept = kept_of(desk.records, who, shown.item)
        draft = forms.answers_in(kept.form or {}, asked)
        answers = {**shown.answers, **draft}
        context = {
            "study": study,
            "shown": shown,
            "progress": progress(desk.records, who),
            "asked": forms.as_asked(asked, study, answers, shown.label),
            "models": shown.predicted if kept.looked else None,
            "look": _look(desk, shown),
        }
    note = next((q.key for q in study.questions if q.kind == "text"), "")
    session.clock.show(shown.item)
    return context | {
        "own_label": shown.answers.get("own_label"),
        "pieces": forms.spans_of(shown.text or "", str(answers.get(note) or "")),
        "blurred": desk.blur or study.settings.blur,
        "by_score": study.settings.order == SCORE,
        "problem": _sentence(desk, study, problem),
        "amiss": getattr(problem, "question", None),
        "stamp": _stamp(shown, draft),
        "notice": session.pop_notice(),
    }


def _sentence(desk: Desk, study: Study, problem: InputError | None) -> str:
    if problem is None:
        return ""
    said = str(problem).replace(desk.records.place, say("desk.database"))
    return forms.for_people(said, study)


def _stamp(shown: Shown, draft: Mapping[str, Any]) -> str:
    """What the server knew of the answers when it made the page.

    What a browser kept for a page with another stamp is older than what the page shows.
    """
    known = [shown.state, shown.label_hidden, dict(shown.answers), dict(draft)]
    return blake2b(json.dumps(known, sort_keys=True).encode(), digest_size=8).hexdigest()


def _typed(form: Form) -> Form:
    return {key: values for key, values in form.items() if key.startswith(forms.PREFIX)}


def _any(form: Form) -> bool:
    return any(any(values) for values in _typed(form).values())


def _known(desk: Desk, session: Session, item: str) -> str:
    """The id of an item of this study, given one that a browser sent."""
    return item_named(desk.records, session.reviewer, item).item


def _look(desk: Desk, shown: Shown) -> dict[str, Any]:
    """What the page knows of the picture: whether there is one, how large, what is amiss."""
    if not shown.has_picture:
        return {"standing": "none", "size": None, "sentence": ""}
    found = pictures.find(source_of(desk.records, shown.item), desk.roots)
    size = pictures.size(found) if found.content else None
    standing = "broken" if found.content and size is None else found.standing
    sentences = {
        "small": say("desk.picture_small_only") if found.wanted else "",
        "gone": say("desk.picture_gone"),
        "changed": say("desk.picture_changed"),
        "broken": say("desk.picture_broken"),
    }
    return {"standing": standing, "size": size, "sentence": sentences.get(standing, "")}


def _page(
    desk: Desk, request: Request, name: str, context: dict[str, Any], status: int = 200
) -> HTMLResponse:
    return HTMLResponse(page(desk.templates, request, name, **context), status)


def _to(place: str) -> Response:
    return RedirectResponse(place, 303)
