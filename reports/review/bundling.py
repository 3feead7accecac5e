"""One HTML file with a reviewer's part of the queue, to send to where no server can be reached."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from markupsafe import Markup

from audit.evidence.errors import InputError
from audit.evidence.store import write_file
from reports.offline import asset, content_policy, environment
from reports.review.importing import FORMAT, VERSION, study_key
from reports.review.items import item_at, label_of, source_of
from reports.review.questions import questions_to_json
from reports.review.records import Records
from reports.review.study import study_of
from reports.review.turns import DONE
from reports.review.values import Reviewer, Shown, Source, Study
from reports.wording import catalogue, say

MOST_ITEMS = 500
_LONGEST_SIDE = 1024  # pixels; a file that can be sent matters more here than the last detail
_WORDS = (
    "bundle.choose",
    "bundle.contradicts",
    "bundle.finished",
    "bundle.label",
    "bundle.label_hidden",
    "bundle.no_hash",
    "bundle.not_kept",
    "bundle.nothing",
    "bundle.picture",
    "bundle.predicted",
    "bundle.progress",
    "bundle.required",
    "bundle.saved",
    "bundle.unblur",
    "bundle.where",
)


def bundle(
    records: Records,
    reviewer: Reviewer,
    path: str | Path,
    *,
    picture: Callable[[Source], bytes | None] | None = None,
    most: int = MOST_ITEMS,
) -> Path:
    """Write what a reviewer has still to answer as one file that needs no network and no server.

    It keeps answers in the browser and saves them as `answers.json`, for `import_answers`. Pictures
    are drawn anew, so that nothing a camera wrote beside them (place, device, name) goes along.
    Neither the kind of an item nor how it was drawn is in the file; labels are, so whoever reads
    its source may see one before their first answer.

    Args:
        records: Open records.
        reviewer: Whose part, in their own order.
        path: The file; `.html`.
        picture: Bytes of an item's picture, or None; its thumbnail or file by default.
        most: Items at most; answer and import these, then write the next file.

    Returns:
        The path.

    Raises:
        InputError: Nothing is left to answer, the study is closed, or a picture cannot be read.
        StoreError: The file cannot be written.
    """
    study = study_of(records)
    if study.closed:
        raise InputError("This review is closed: ask its lead to open it again.")
    shown = tuple(islice(_left(records, reviewer, study), most))
    if not shown:
        raise InputError(f"Nothing is left for {reviewer.name!r} to answer: no file is needed.")
    items = [_entry(records, each, picture or stored_picture) for each in shown]
    return write_file(Path(path), _page(study, reviewer, items).encode("utf-8", "replace"))


def stored_picture(source: Source) -> bytes | None:
    """The bytes of an item's file, or of its thumbnail where there is no file.

    Raises:
        InputError: The file is gone.
    """
    if source.path is None:
        return source.thumbnail
    try:
        return Path(source.path).read_bytes()
    except OSError as error:
        if source.thumbnail is not None:
            return source.thumbnail
        raise InputError(
            f"The picture {source.path} cannot be read ({error.strerror}): put it back."
        ) from error


def _left(records: Records, reviewer: Reviewer, study: Study) -> Iterator[Shown]:
    for position in range(study.items):
        shown = item_at(records, reviewer, position)
        if shown.state != DONE:
            yield shown


def _entry(
    records: Records, shown: Shown, picture: Callable[[Source], bytes | None]
) -> dict[str, Any]:
    drawn = picture(source_of(records, shown.item))
    label, predicted = label_of(records, shown.item)
    return {
        "item": shown.item,
        "content_sha256": shown.content_sha256,
        "label": label,
        "predicted": predicted,
        "text": shown.text,
        "facts": dict(shown.facts),
        "picture": None if drawn is None else _embedded(drawn, shown.item),
        "hidden": shown.label_hidden,
    }


def _embedded(picture: bytes, item: str) -> str:
    """The picture drawn anew, small enough to send, as a data URL."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(picture)) as opened:
            drawn = ImageOps.exif_transpose(opened)
            drawn = drawn.convert("RGBA" if "A" in drawn.getbands() else "RGB")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(
            f"The picture of item {item[:80]!r} cannot be read ({type(error).__name__}): give PNG "
            "or JPEG."
        ) from error
    drawn.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    small = max(drawn.size) <= 256 or drawn.mode == "RGBA"
    kind = "PNG" if small else "JPEG"
    sink = io.BytesIO()
    drawn.info.clear()
    drawn.save(sink, kind, **({} if small else {"quality": 90}))
    encoded = base64.b64encode(sink.getvalue()).decode("ascii")
    return f"data:image/{kind.lower()};base64,{encoded}"


def _page(study: Study, reviewer: Reviewer, items: list[dict[str, Any]]) -> str:
    templates = environment()
    style, script = asset(templates, "bundle.css"), asset(templates, "bundle.js")
    data = {
        "format": FORMAT,
        "version": VERSION,
        "study": study_key(study),
        "reviewer": reviewer.name,
        "classes": study.settings.classes,
        "questions": questions_to_json(study.questions),
        "items": items,
        "words": {key.partition(".")[2]: catalogue()[key] for key in _WORDS},
        "blur": study.settings.blur,
    }
    return templates.get_template("bundle.html.j2").render(
        policy=content_policy(style, script),
        style=Markup(style),
        script=Markup(script),
        data=Markup(in_script(data)),
        title=say("bundle.title", name=study.name),
        who=say("bundle.who", reviewer=reviewer.name, n=len(items)),
    )


def in_script(data: Any) -> str:
    """JSON that cannot end the script element it stands in, nor open a comment there."""
    text = json.dumps(data, ensure_ascii=True, default=list)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
