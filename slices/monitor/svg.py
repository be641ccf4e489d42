"""SVG and its text: the few primitives every chart is drawn with.

`Svg` is markup that is safe to insert; everything a person supplied goes through `escaped`.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import NewType

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Svg = NewType("Svg", str)

NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
WIDE_LETTERS = frozenset("mwMW@%—")
NARROW_LETTERS = frozenset("iljtfrI.,:;|'!()[] ")
DASHES = ("none", "7 3", "2 2.5", "10 3 2 3")
SERIES_COLOURS = 8


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A chart's markup, with the size it was laid out for."""

    width: float
    height: float
    body: Svg


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """The room a chart is laid out for, in pixels."""

    width: float
    height: float
    font: float
    narrow: bool


WIDE = Canvas(width=880, height=400, font=13, narrow=False)
NARROW = Canvas(width=340, height=290, font=12, narrow=True)


def escaped(text: str) -> Svg:
    """Escape text for markup and drop characters XML cannot hold."""
    return Svg(html.escape(NOT_XML.sub("", text), quote=True))


def tag(name: str, *children: Svg, **attributes: str | float) -> Svg:
    """Write one element; a trailing underscore is dropped and others become hyphens.

    >>> tag("text", escaped("a<b"), x=1.0, class_="muted")
    '<text x="1" class="muted">a&lt;b</text>'
    """
    written = "".join(f' {_name(key)}="{_value(value)}"' for key, value in attributes.items())
    inside = "".join(children)
    return Svg(f"<{name}{written}>{inside}</{name}>" if inside else f"<{name}{written}/>")


def _name(key: str) -> str:
    return key.removesuffix("_").replace("_", "-")


def _value(value: str | float) -> str:
    return escaped(value) if isinstance(value, str) else short(value)


def joined(*parts: Svg) -> Svg:
    """Put pieces of markup after one another."""
    return Svg("".join(parts))


def short(number: float) -> str:
    """Write a coordinate to a tenth of a pixel.

    >>> short(12.0), short(0.25), short(-0.5)
    ('12', '.2', '-.5')
    """
    return _tenths(round(float(number) * 10))


def _tenths(tenths: int) -> str:
    whole, tenth = divmod(abs(tenths), 10)
    sign = "-" if tenths < 0 else ""
    if not tenth:
        return f"{sign}{whole}" if whole else "0"
    return f"{sign}{whole or ''}.{tenth}"


def path_data(x: Floats, y: Floats) -> str:
    """Write a line through points as relative moves, which is a third the length of absolute."""
    at = np.column_stack([np.rint(x * 10), np.rint(y * 10)]).astype(int)
    moves = np.diff(at, axis=0).tolist()
    start = f"M{_pair(*at[0].tolist())}"
    return start + ("l" + " ".join(_pair(*each) for each in moves) if moves else "")


def _pair(across: int, down: int) -> str:
    second = _tenths(down)
    return _tenths(across) + (second if second.startswith("-") else f" {second}")


def text(content: str, x: float, y: float, **attributes: str | float) -> Svg:
    """Write a text at a point."""
    return tag("text", escaped(content), x=x, y=y, **attributes)


def line(x1: float, y1: float, x2: float, y2: float, **attributes: str | float) -> Svg:
    """Draw a straight line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, **attributes)


def hint(content: str) -> Svg:
    """Name an element; browsers show the name while the pointer rests on it."""
    return tag("title", escaped(content))


def text_width(content: str, font: float) -> float:
    """Estimate how wide a text is, rather too wide than too narrow."""
    return sum(_letter_width(letter) for letter in content) * font


def _letter_width(letter: str) -> float:
    if ord(letter) >= 0x2E80:
        return 1.05
    if letter in NARROW_LETTERS:
        return 0.38
    if letter in WIDE_LETTERS:
        return 0.95
    return 0.7 if letter.isupper() else 0.61


def shortened(content: str, *, font: float, width: float) -> str:
    """Cut a text that is wider than its room, and say so with an ellipsis."""
    if text_width(content, font) <= width:
        return content
    kept = content
    while kept and text_width(kept + "…", font) > width:
        kept = kept[:-1]
    return kept + "…"


def series_class(index: int) -> str:
    """Name the class that colours the series of an index."""
    return f"s{index % SERIES_COLOURS}"


def series_dash(index: int) -> str:
    """Choose dashes that tell apart series of the same colour and symbol."""
    return DASHES[index // SERIES_COLOURS % len(DASHES)]


def marker(index: int, x: float, y: float, *, size: float, name: str = "") -> Svg:
    """Draw the point symbol of a series: one of circle, square, triangle, diamond, and hollow."""
    kind = ("mark", "mark hollow")[(index // 4) % 2]
    title = (hint(name),) if name else ()
    half = size * 0.9
    corners: tuple[tuple[float, float], ...]
    match index % 4:
        case 0:
            return tag("circle", *title, cx=x, cy=y, r=size, class_=kind)
        case 1:
            corners = ((-half, -half), (half, -half), (half, half), (-half, half))
        case 2:
            corners = ((0.0, -size * 1.2), (size * 1.1, half), (-size * 1.1, half))
        case _:
            reach = size * 1.3
            corners = ((0.0, -reach), (reach, 0.0), (0.0, reach), (-reach, 0.0))
    points = " ".join(f"{short(x + dx)},{short(y + dy)}" for dx, dy in corners)
    return tag("polygon", *title, points=points, class_=kind)
