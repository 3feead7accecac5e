"""The words of a page that a reader can see or unfold: a line per row, paragraph and picture."""

from __future__ import annotations

from html.parser import HTMLParser

_UNSEEN = ("style", "script", "title", "svg")
_INLINE = ("a", "b", "bdi", "code", "em", "i", "span", "td", "th", "dt", "button")


class Words(HTMLParser):
    """Collects text outside of styles, scripts and drawings."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._line: list[str] = []
        self._inside: list[str] = []

    @classmethod
    def of(cls, html: str) -> list[str]:
        """The lines of a page, in order."""
        reader = cls()
        reader.feed(html)
        reader._end_line()
        return reader.lines

    def _end_line(self) -> None:
        if self._line:
            self.lines.append(" | ".join(self._line))
        self._line = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _INLINE:
            self._end_line()
        if tag in _UNSEEN:
            self._inside.append(tag)
        told = dict(attrs)
        if tag in ("img", "div") and (words := told.get("alt") or told.get("aria-label")):
            self.lines.append(f"[{' '.join(words.split())}]")

    def handle_endtag(self, tag: str) -> None:
        if tag not in _INLINE:
            self._end_line()
        if self._inside and tag == self._inside[-1]:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if text and not self._inside:
            self._line.append(text)
