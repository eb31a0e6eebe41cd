"""
States and actions over time, a row each: what ran beside what, and what everybody waited for.

A bar is pale with a pattern of its own and dark text, so that paper and every kind of eye can tell them apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rekindle.report.drawing.axes import Scale, time_axis
from rekindle.report.drawing.shapes import SAID, WORST_FIRST, Bar, Look, Row
from rekindle.report.drawing.svg import (
    NOTHING,
    Markup,
    element,
    group,
    joined,
    one_line,
    picture,
    rect,
)
from rekindle.report.drawing.writing import SMALL, fitted, label, width
from rekindle.spans import between, clock, exact

WIDTH = 960.0
NAMES = 196.0  # of the column of names
LEFT, RIGHT = NAMES + 12.0, 28.0
LANE, BAR = 20.0, 16.0
GAP = 6.0  # between rows
TOP = 8.0
MOST_LANES = 5
MOST_BARS = 80  # of a row; more are joined where they touch
SMALLEST = 3.0
LEGIBLE = 14  # letters; a shorter stump tells nothing
PATTERNS = {
    Look.FAILED: "M0 8L8 0M-2 2L2 -2M6 10L10 6",
    Look.DOUBT: "M2 2h1.5v1.5h-1.5zM6 6h1.5v1.5h-1.5z",
    Look.OPEN: "M0 4h4",
    Look.PERSON: "M0 0L8 8M8 0L0 8",
    Look.NOBODY: "M0 0v8",
}


@dataclass(frozen=True, slots=True)
class _Placed:
    """A bar with its place; *limit* is where the next one in its lane begins."""

    bar: Bar
    lane: int
    left: float
    right: float
    limit: float


def gantt(
    rows: Sequence[Row], begun: float, ended: float, *, name: str = "gantt", note: str = ""
) -> Markup:
    """Draw rows of bars between two instants; *note* is said in words beside what the picture shows."""
    scale = Scale(begun, ended, LEFT, WIDTH - RIGHT)
    shades: list[Markup] = []
    made: list[Markup] = []
    y = TOP
    for index, row in enumerate(rows):
        placed, lanes = _placed(scale, row.bars)
        height = lanes * LANE + GAP
        if index % 2 == 0:
            shades.append(rect(0, y, WIDTH, height, class_="row"))
        made.append(_row(row, placed, y, name))
        y += height
    legend, bottom = _legend(rows, y + 40, name)
    return picture(
        name,
        "States and actions over time",
        told(rows, begun, ended, note),
        (WIDTH, bottom),
        _patterns(name),
        *shades,
        time_axis(scale, TOP, y),
        *made,
        legend,
    )


def told(rows: Sequence[Row], begun: float, ended: float, note: str = "") -> str:
    """Say in words what the picture shows."""
    took = f"{exact(between(begun, ended))} from {clock(begun)} to {clock(ended)} UTC"
    bad = [
        f"{sum(bar.look is look for row in rows for bar in row.bars)} {SAID[look]}"
        for look in (Look.FAILED, Look.DOUBT, Look.OPEN)
        if any(bar.look is look for row in rows for bar in row.bars)
    ]
    names = ", ".join(f"{row.label} ({len(row.bars)})" for row in rows)
    said = f"{took}. Rows with their numbers of bars: {names or 'none'}."
    return said + (f" Of these {', '.join(bad)}." if bad else "") + note


def _placed(scale: Scale, bars: Iterable[Bar]) -> tuple[list[_Placed], int]:
    """Give each bar the first lane that is free; what finds none shares the last, which then has no labels."""
    ends: list[float] = []
    lanes: list[list[_Placed]] = []
    crowded = False
    for bar in _joined_bars(scale, bars):
        left = scale.x(bar.begun)
        right = max(left + SMALLEST, scale.x(bar.ended))
        lane = next((i for i, end in enumerate(ends) if end + 1 < left), len(ends))
        if lane == MOST_LANES:
            lane, crowded = MOST_LANES - 1, True
        elif lane == len(ends):
            ends.append(0.0)
            lanes.append([])
        ends[lane] = max(ends[lane], right)
        lanes[lane].append(_Placed(bar, lane, left, right, WIDTH - RIGHT))
    if crowded:
        lanes[-1] = [replace(one, bar=replace(one.bar, label="")) for one in lanes[-1]]
    return [
        replace(one, limit=after.left) if after is not None else one
        for lane in lanes
        for one, after in zip(lane, [*lane[1:], None], strict=True)
    ], max(1, len(ends))


def _joined_bars(scale: Scale, bars: Iterable[Bar]) -> list[Bar]:
    """Order bars; where there are very many, those that touch become one with their number."""
    ordered = sorted(bars, key=lambda bar: (bar.begun, bar.ended, bar.label, bar.hint))
    if len(ordered) <= MOST_BARS:
        return ordered
    bundles: list[list[Bar]] = []
    reach = 0.0
    for bar in ordered:
        if bundles and scale.x(bar.begun) < reach + SMALLEST:
            bundles[-1].append(bar)
        else:
            bundles.append([bar])
            reach = 0.0
        reach = max(reach, scale.x(bar.ended))
    return [_one(bundle) for bundle in bundles]


def _one(bundle: Sequence[Bar]) -> Bar:
    if len(bundle) == 1:
        return bundle[0]
    looks = {bar.look for bar in bundle}
    worst = next(look for look in WORST_FIRST if look in looks)
    counts = ", ".join(
        f"{sum(bar.look is look for bar in bundle)} {SAID[look]}"
        for look in WORST_FIRST
        if look in looks
    )
    ended = max(bar.ended for bar in bundle)
    said = f"\N{MULTIPLICATION SIGN}{len(bundle)}"
    return Bar(bundle[0].begun, ended, said, f"{len(bundle)} together: {counts}", worst)


def _row(row: Row, placed: Sequence[_Placed], y: float, name: str) -> Markup:
    counted = len(row.bars)
    said = f"{row.label} \N{MULTIPLICATION SIGN}{counted}" if counted > 1 else row.label
    head = label(said, (NAMES, y + GAP / 2 + LANE - 6), NAMES - 6, anchor="end")
    return group(head, *(_bar(one, y + GAP / 2, name) for one in placed))


def _bar(one: _Placed, top: float, name: str) -> Markup:
    y = top + one.lane * LANE + (LANE - BAR) / 2
    box = rect(one.left, y, one.right - one.left, BAR, rx=2.0, **_filled(one.bar.look, name))
    hint = f"{one.bar.hint} ({clock(one.bar.begun)} to {clock(one.bar.ended)} UTC)"
    return group(box, _beside(one, y + BAR - 4), hint=hint)


def _filled(look: Look, name: str) -> dict[str, str]:
    fill = f"url(#{name}-{look})" if look in PATTERNS else ""
    return {"class_": f"bar {look}", "fill": fill}


def _beside(one: _Placed, y: float) -> Markup:
    """Write a bar's label inside it, or else behind it; nothing where it would be cut to a stump."""
    wanted = width(one.bar.label, SMALL)
    inside = one.right - one.left - 8
    if wanted <= inside and one.bar.look in {
        Look.STATE,
        Look.DONE,
    }:  # patterns are no ground for text
        return label(one.bar.label, (one.left + 4, y), inside, size=SMALL)
    room = one.limit - one.right - 8
    shown = fitted(one.bar.label, room, SMALL)
    if shown != one_line(one.bar.label) and len(shown) < LEGIBLE:
        return NOTHING
    return label(one.bar.label, (one.right + 4, y), room, size=SMALL)


def _patterns(name: str) -> Markup:
    """Define what fills the bars, under names of this picture's own: a page may hold several."""
    return element("defs", *(_pattern(look, path, name) for look, path in PATTERNS.items()))


def _pattern(look: Look, path: str, name: str) -> Markup:
    return element(
        "pattern",
        rect(0, 0, 8, 8, class_=f"ground {look}"),
        element("path", d=path, class_=f"stroke {look}"),
        id=f"{name}-{look}",
        patternUnits="userSpaceOnUse",
        width=8.0,
        height=8.0,
    )


def _legend(rows: Sequence[Row], y: float, name: str) -> tuple[Markup, float]:
    """Say what each pattern that occurs means."""
    looks = {bar.look for row in rows for bar in row.bars}
    made = []
    x = LEFT
    for look in Look:
        if look in looks:
            made.append(rect(x, y - 11, 22, 13, rx=2.0, **_filled(look, name)))
            room = width(SAID[look], SMALL)
            made.append(label(SAID[look], (x + 28, y), room, class_="muted", size=SMALL))
            x += 28 + room + 20
    return joined(*made), y + 12
