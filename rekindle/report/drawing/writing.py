"""
Text in a picture: how wide it will be, and what of it has room.

Nobody knows the reader's fonts, so widths are those of the widest common one (DejaVu Sans, rounded up): in any other
there is room to spare. What is not in the table is given its length in the markup, and the browser keeps to it.
"""

from __future__ import annotations

import unicodedata

from rekindle.report.drawing.svg import NOTHING, Markup, element, escaped, one_line

SIZE = 13.0  # CSS pixels of a picture's text; the style sheet says the same
SMALL = 11.0
_EMS = {
    0.30: "ijl'IJ",
    0.34: " ,./:;\\|",
    0.42: '!()[]-ftr"',
    0.56: "*?_`cszL",
    0.64: "0123456789$abdeghknopquvxy{}EFPSTY",
    0.70: "ABCKRVXZ",
    0.80: "DGHNOQU&",
    0.84: "#+<=>^~w\N{MULTIPLICATION SIGN}\N{RIGHTWARDS ARROW}",
    1.00: "%@mWM\N{HORIZONTAL ELLIPSIS}",
}
_WIDTHS = {letter: em for em, letters in _EMS.items() for letter in letters}
_WIDE = 1.1  # of East Asian scripts and pictographs
_OTHER = 0.8
_CUT = "\N{HORIZONTAL ELLIPSIS}"


def _em(letter: str) -> float:
    known = _WIDTHS.get(letter)
    if known is not None:
        return known
    if unicodedata.category(letter) in {"Mn", "Me", "Cf"}:
        return 0.0
    return _WIDE if unicodedata.east_asian_width(letter) in {"W", "F"} else _OTHER


def width(text: str, size: float = SIZE) -> float:
    """Return how wide *text* is at most, in the picture's units."""
    return sum(map(_em, text)) * size


def fitted(text: str, room: float, size: float = SIZE) -> str:
    """Return as much of *text* as has room, with an ellipsis where it was cut; empty where nothing has."""
    whole = one_line(text)
    if width(whole, size) <= room:
        return whole
    left = room - width(_CUT, size)
    taken = 0
    for letter in whole:
        left -= _em(letter) * size
        if left < 0:
            break
        taken += 1
    return f"{whole[:taken].rstrip()}{_CUT}" if taken else ""


def wrapped(text: str, room: float, lines: int, size: float = SIZE) -> list[str]:
    """Break *text* into at most *lines* lines; what is still left is cut in the last one."""
    words = one_line(text).split(" ")
    made: list[str] = []
    while words and len(made) < lines - 1:
        taken = 1
        while taken < len(words) and width(" ".join(words[: taken + 1]), size) <= room:
            taken += 1
        if width(" ".join(words[:taken]), size) > room:
            break
        made.append(" ".join(words[:taken]))
        words = words[taken:]
    rest = fitted(" ".join(words), room, size)
    return [*made, rest] if rest else made


def label(
    text: str,
    at: tuple[float, float],
    room: float,
    *,
    anchor: str = "",
    class_: str = "",
    size: float = SIZE,
) -> Markup:
    """Write what has room; where it was cut the whole text is the hint."""
    whole = one_line(text)
    shown = fitted(whole, room, size)
    if not shown:
        return NOTHING
    hint = (element("title", escaped(whole)),) if shown != whole else ()
    odd = any(letter not in _WIDTHS for letter in shown)
    forced: dict[str, str | float] = (
        {"textLength": max(1.0, width(shown, size)), "lengthAdjust": "spacingAndGlyphs"}
        if odd
        else {}
    )
    small = "small" if size < SIZE else ""
    return element(
        "text",
        *hint,
        escaped(shown),
        x=at[0],
        y=at[1],
        text_anchor=anchor,
        class_=" ".join(filter(None, (class_, small))),
        **forced,
    )
