"""The axis of time: where an instant stands, and which instants are written under it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from rekindle.report.drawing.svg import Markup, joined, line
from rekindle.report.drawing.writing import SMALL, label, width

DAY = 86_400.0
STEPS = (1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0)
LONG_STEPS = (7200.0, 10_800.0, 21_600.0, 43_200.0, DAY)
GAP = 18.0  # between two labels


@dataclass(frozen=True, slots=True)
class Scale:
    """World time from *begun* to *ended* between two places of a picture."""

    begun: float
    ended: float
    left: float
    right: float

    @property
    def span(self) -> float:
        """Return the seconds shown; a run of one instant still has a place."""
        return max(1.0, self.ended - self.begun)

    def x(self, instant: float) -> float:
        """Return the place of an instant; what lies outside stands at the edge."""
        share = (instant - self.begun) / self.span
        return self.left + min(1.0, max(0.0, share)) * (self.right - self.left)


def _step(span: float, most: int) -> float:
    """Return the smallest round step that writes at most *most* instants."""
    for step in (*STEPS, *LONG_STEPS):
        if span / step <= most:
            return step
    return DAY * math.ceil(span / DAY / most)


def _pattern(step: float, span: float) -> str:
    if step >= DAY:
        return "%Y-%m-%d"
    if span >= DAY:
        return "%m-%d %H:%M"
    return "%H:%M:%S" if step < 60.0 else "%H:%M"  # noqa: PLR2004  seconds of a minute


def ticks(scale: Scale) -> list[tuple[float, str]]:
    """Return the instants that are written, each with its text; round ones of the clock in UTC."""
    widest = width("00-00 00:00", SMALL) + GAP
    most = max(1, int((scale.right - scale.left) / widest))
    step = _step(scale.span, most)
    pattern = _pattern(step, scale.span)
    first = math.ceil(scale.begun / step)
    count = math.floor((scale.begun + scale.span) / step) - first + 1
    found = ((first + index) * step for index in range(count))
    return [(at, datetime.fromtimestamp(at, UTC).strftime(pattern)) for at in found]


def time_axis(scale: Scale, top: float, bottom: float, *, below: float = 0.0) -> Markup:
    """Draw a hair line for each written instant, and the text under the axis, *below* what stands between."""
    lines, texts = [], []
    for at, said in ticks(scale):
        x = scale.x(at)
        half = width(said, SMALL) / 2
        lines.append(line(x, top, x, bottom, "hair"))
        if scale.left + half <= x <= scale.right - half + GAP:
            texts.append(
                label(said, (x, bottom + below + 15), half * 2, anchor="middle", size=SMALL)
            )
    base = line(scale.left, bottom, scale.right, bottom, "axis")
    return joined(*lines, base, *texts)
