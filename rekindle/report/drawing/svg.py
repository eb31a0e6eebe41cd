"""
SVG as text: elements, escaping, numbers.

Names in a journal come from a cluster that is broken, perhaps by somebody: they are text here and never markup.
``Markup`` is what has been escaped already, so the type checker finds a string that was not.
"""

from __future__ import annotations

import math
import re
from typing import NewType

Markup = NewType("Markup", str)

# What XML forbids, what only steers a terminal, and what turns the order of letters round (a name could lie with it).
_UNSAYABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_BLANKS = re.compile(r"\s+")
_ENTITIES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"},
)
NOTHING = Markup("")


def clean(text: str) -> str:
    """Return *text* with what no document can say replaced by a visible mark."""
    return _UNSAYABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(text: str) -> str:
    """Return *text*, cleaned, on one line."""
    return _BLANKS.sub(" ", clean(text)).strip()


def escaped(text: str) -> Markup:
    """Return *text* as markup that means exactly this text, also inside quotes."""
    return Markup(one_line(text).translate(_ENTITIES))


def number(value: float) -> str:
    """
    Write a number with two decimals at most, without exponent or ``-0``: the same on every machine.

    :raises ValueError: for what is no finite number; nothing may be drawn there.
    """
    if not math.isfinite(value):
        raise ValueError(f"not a place in a picture: {value}")
    shown = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if shown == "-0" else shown


def element(name: str, *children: Markup, **attributes: str | float) -> Markup:
    """
    Make an element; ``text_anchor="end"`` is the attribute ``text-anchor``, ``class_`` is ``class``.

    Empty strings are left out.
    """
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value != ""
    )
    inside = "".join(children)
    return Markup(f"<{name}{said}>{inside}</{name}>" if inside else f"<{name}{said}/>")


def _value(value: str | float) -> str:
    return escaped(value) if isinstance(value, str) else number(value)


def group(*children: Markup, hint: str = "", **attributes: str | float) -> Markup:
    """Join elements; *hint* is the whole text behind what had to be shortened."""
    told = (element("title", escaped(hint)),) if hint else ()
    return element("g", *told, *children, **attributes)


def joined(*parts: Markup) -> Markup:
    """Put markup after markup."""
    return Markup("".join(parts))


def line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    """Draw a straight line."""
    return element("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)


def rect(x: float, y: float, width: float, height: float, **attributes: str | float) -> Markup:
    """Draw a rectangle."""
    return element("rect", x=x, y=y, width=max(0.0, width), height=max(0.0, height), **attributes)


def picture(name: str, title: str, told: str, size: tuple[float, float], *body: Markup) -> Markup:
    """
    Frame a picture: its name is the prefix of every id in it, *told* is what it shows, in words.

    It is one image to a screen reader; the parts have hints for a pointer, and a table stands beside it in the page.
    """
    width, height = size
    return element(
        "svg",
        element("title", escaped(title), id=f"{name}-title"),
        element("desc", escaped(told), id=f"{name}-desc"),
        *body,
        xmlns="http://www.w3.org/2000/svg",
        id=name,
        class_="picture",
        role="img",
        aria_labelledby=f"{name}-title {name}-desc",
        viewBox=f"0 0 {number(width)} {number(height)}",
        width=width,
        height=height,
    )


def standing_alone(image: Markup, css: str) -> str:
    """Make a file of a picture: with the style that a page would have given it. *css* is ours, never a value."""
    end = image.index("</desc>") + len("</desc>")
    return f"{image[:end]}<style>\n{css.strip()}\n</style>{image[end:]}\n"
