"""Numbers as readers see them: changes in points, rates in percent, and a dash where undefined."""

from __future__ import annotations

import math
import re
from typing import TypeGuard

UNDEFINED = "–"
MINUS = "−"
_HYPHEN_MINUS = re.compile(r"(?<![\w.-])-(?=\d)")
NARROW_SPACE = "\u202f"

_KILO = 1000.0
_SIZES = ("B", "kB", "MB", "GB", "TB")


def defined(value: float | None) -> TypeGuard[float]:
    """Whether there is a finite number."""
    return value is not None and math.isfinite(value)


def number(value: float | None, digits: int = 1, *, signed: bool = False) -> str:
    """A decimal with a real minus sign; small ones keep one more digit rather than read 0.0."""
    if not defined(value):
        return UNDEFINED
    if value != 0 and abs(value) < 10**-digits:
        digits += 1
    text = f"{abs(value):,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        return text
    return (MINUS if value < 0 else "+" if signed else "") + text


def typeset(text: str) -> str:
    """A sentence of the findings with real minus signs."""
    return _HYPHEN_MINUS.sub(MINUS, text)


def percent(value: float | None) -> str:
    """A fraction as a percentage: 0.979 reads 97.9 %."""
    if not defined(value):
        return UNDEFINED
    return f"{number(100 * value, 1)}{NARROW_SPACE}%"


def points(value: float | None, *, signed: bool = False) -> str:
    """A difference of two fractions in percentage points: 0.012 reads 1.2 points."""
    if not defined(value):
        return UNDEFINED
    text = number(100 * value, signed=signed)
    return f"{text} point" if text.lstrip("+" + MINUS) == "1.0" else f"{text} points"


def count(value: float | None) -> str:
    """A count with thousands separated; a mean of counts keeps one decimal."""
    if not defined(value):
        return UNDEFINED
    return number(value, 0 if float(value).is_integer() else 1)


def sparsity(value: float | None) -> str:
    """A fraction removed, as short as it is exact: 0.9, 0.95."""
    return UNDEFINED if not defined(value) else f"{value:.4g}"


def severity(value: float | None) -> str:
    """A severity from 0 to 5, as short as it is exact."""
    return UNDEFINED if not defined(value) else f"{value:g}"


def probability(p: float | None) -> str:
    """A p-value: three decimals, and never zero."""
    if not defined(p):
        return UNDEFINED
    if p < 0.001:
        return f"<{NARROW_SPACE}0.001"
    return f"{p:.3f}" if p < 0.1 else f"{p:.2f}"


def level(value: float | None, unit: str) -> str:
    """How high a measure stands, by its unit: `fraction`, `sparsity`, `count`, `ratio` or other."""
    if unit == "fraction":
        return percent(value)
    if unit == "sparsity":
        return f"{value:.3g}" if defined(value) else UNDEFINED
    if unit == "count":
        return count(value)
    return number(value, 2 if unit == "ratio" else 3)


def change(value: float | None, unit: str) -> str:
    """How far a measure moved, for prose, by its unit: fractions move by points."""
    return points(value, signed=True) if unit == "fraction" else bare_change(value, unit)


def size_of_change(value: float | None, unit: str) -> str:
    """How far a measure moved, without its direction, for a sentence that says the direction."""
    if not defined(value):
        return UNDEFINED
    if unit == "fraction":
        return points(abs(value))
    return bare_change(abs(value), unit).lstrip("+")


def bare_change(value: float | None, unit: str) -> str:
    """How far a measure moved, for a table whose heading names the unit: a signed number."""
    if not defined(value):
        return UNDEFINED
    if unit == "fraction":
        return number(100 * value, signed=True)
    if unit == "count":
        return number(value, 0 if float(value).is_integer() else 1, signed=True)
    if unit in {"sparsity", "ratio"}:
        return number(value, 2, signed=True)
    return number(value, 3, signed=True)


def interval(low: float | None, high: float | None, unit: str) -> str:
    """The ends of an interval of a change, in the unit of `bare_change`."""
    if not (defined(low) and defined(high)):
        return UNDEFINED
    return f"{bare_change(low, unit)} to {bare_change(high, unit)}"


def size(value: float | None) -> str:
    """A number of bytes in powers of a thousand: 18,088 reads 18.1 kB."""
    if not defined(value):
        return UNDEFINED
    power = min(int(math.log(value, _KILO)) if value >= 1 else 0, len(_SIZES) - 1)
    digits = 0 if power == 0 else 1
    return f"{value / _KILO**power:,.{digits}f}{NARROW_SPACE}{_SIZES[power]}"


def duration(seconds: float | None) -> str:
    """A length of time: 75 reads 1 min 15 s."""
    if not defined(seconds):
        return UNDEFINED
    if seconds < 60:
        return f"{number(seconds, 1)}{NARROW_SPACE}s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}{NARROW_SPACE}min {rest}{NARROW_SPACE}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{NARROW_SPACE}h {minutes}{NARROW_SPACE}min"
