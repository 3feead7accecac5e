"""Matplotlib's SVG made fit to stand inside a page: no styles of its own, no clashing names, small.

The page's content security policy forbids style attributes and foreign style sheets; matplotlib's
own `*{…}` rule would also reach out of the drawing and restyle the page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree

_SVG = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"
_DROPPED = {"metadata", "style"}
_FONT_SIZE = re.compile(r"(\d+(?:\.\d+)?)px")
_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_SPACES = re.compile(r"\s+")
_NO_TURN = re.compile(r"rotate\(-?0 ")


def themed(markup: str, key: str, variables: Mapping[str, str]) -> str:
    """The drawing as one `<svg>` element.

    Args:
        markup: What matplotlib wrote.
        key: Prefix of the identifiers inside.
        variables: What replaces each colour, by its six-digit hex.
    """
    root = ElementTree.fromstring(markup)
    referenced = _references(root)
    for element in root.iter():
        for child in [c for c in element if c.tag.removeprefix(_SVG) in _DROPPED]:
            element.remove(child)
        _clean(element, key, referenced, variables)
    _unwrap(root)
    _shell(root)
    return _serialise(root)


def _references(root: ElementTree.Element) -> set[str]:
    found: set[str] = set()
    for element in root.iter():
        for value in element.attrib.values():
            found.update(_REFERENCE.findall(value))
        if _LINK in element.attrib:
            found.add(element.attrib[_LINK].removeprefix("#"))
    return found


def _clean(
    element: ElementTree.Element, key: str, referenced: set[str], variables: Mapping[str, str]
) -> None:
    attributes: dict[str, str] = {}
    for name, value in element.attrib.items():
        if name == "id":
            if value in referenced:
                attributes["id"] = f"{key}-{value}"
        elif name == _LINK:
            attributes["href"] = f"#{key}-{value.removeprefix('#')}"
        elif name == "style":
            attributes.update(_presentation(value))
        elif name != "transform" or not _NO_TURN.match(value):
            attributes[name] = value
    element.attrib.clear()
    for name, value in attributes.items():
        value = _REFERENCE.sub(lambda match: f"url(#{key}-{match[1]})", value)
        if name not in {"id", "href", "clip-path"}:
            value = _NUMBER.sub(
                lambda match: f"{float(match[0]):.2f}".rstrip("0").rstrip("."), value
            )
            value = _SPACES.sub(" ", value.strip())
        element.set(name, variables.get(value, value))


def _presentation(style: str) -> dict[str, str]:
    """A style attribute as attributes of its own, which the content security policy allows."""
    attributes: dict[str, str] = {}
    for declaration in style.split(";"):
        name, _, value = declaration.partition(":")
        name, value = name.strip(), value.strip()
        if name == "font" and (size := _FONT_SIZE.search(value)):
            attributes["font-size"] = size[1]
            if "bold" in value:
                attributes["font-weight"] = "bold"
        elif name and name not in {"font", "font-family"}:
            attributes[name] = value
    return attributes


def _unwrap(element: ElementTree.Element) -> None:
    """Removes groups that group nothing, or that say nothing of what they group."""
    kept: list[ElementTree.Element] = []
    for child in list(element):
        _unwrap(child)
        bare = child.tag in {f"{_SVG}g", f"{_SVG}defs"} and not len(child)
        wrapper = child.tag == f"{_SVG}g" and not child.attrib
        kept += [] if bare else list(child) if wrapper else [child]
    element[:] = kept


def _shell(root: ElementTree.Element) -> None:
    """Keeps the view box: the page's style sheet sets the size."""
    for name in ("height", "version"):
        root.attrib.pop(name, None)
    width = float(root.get("viewBox", "0 0 1 1").split()[2])
    root.set("width", f"{width:.0f}")
    root.set("stroke-linejoin", "round")
    root.set("stroke-linecap", "butt")
    root.set("aria-hidden", "true")
    root.set("focusable", "false")


def _serialise(root: ElementTree.Element) -> str:
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        if element.text is not None and not element.text.strip():
            element.text = None
        element.tail = None
    return ElementTree.tostring(root, encoding="unicode")
