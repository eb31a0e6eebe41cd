"""
Pods over time: how many were Ready and how many should have been, above the states that the run went through.

The states are bands with numbers and the actions ticks with names, so nothing has to be told by its colour.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from rekindle.report.drawing.axes import Scale, time_axis
from rekindle.report.drawing.shapes import Level, Mark, Phase
from rekindle.report.drawing.svg import (
    NOTHING,
    Markup,
    element,
    group,
    joined,
    line,
    number,
    picture,
    rect,
)
from rekindle.report.drawing.writing import SMALL, fitted, label, width
from rekindle.spans import between, clock, exact

WIDTH = 960.0
LEFT, RIGHT, TOP, PLOT = 44.0, 84.0, 28.0, 220.0
BOTTOM = TOP + PLOT
LANES, LANE = 6, 16.0
NEAR = 5.0  # marks closer than this are one tick
ALIKE = 72.0  # marks of one name that are closer than this are named once
STEPS = (1, 2, 5, 10, 20, 25, 50)


def pods_over_time(
    levels: Sequence[Level],
    phases: Sequence[Phase],
    marks: Sequence[Mark],
    *,
    name: str = "pods",
    note: str = "",
) -> Markup:
    """
    Draw the curve of a run; the time shown is that of all that is drawn together.

    *note* is said in words beside what the picture shows.
    """
    scale = _scale(levels, phases, marks)
    top = _ceiling(levels)
    marked, lanes = _marks(scale, marks)
    below = 14 + lanes * LANE if lanes else 0.0
    legend, height = _legend(phases, BOTTOM + below + 40)
    return picture(
        name,
        "Pods over time",
        told(levels, phases, note),
        (WIDTH, height),
        _bands(scale, phases),
        _heights(top),
        time_axis(scale, TOP, BOTTOM, below=below),
        _curves(scale, levels, top),
        marked,
        legend,
    )


def told(levels: Sequence[Level], phases: Sequence[Phase], note: str = "") -> str:
    """Say in words what the picture shows."""
    known = [level for level in levels if level.ready is not None]
    if not known:
        return "How many pods were Ready was never seen."
    first, last = known[0], known[-1]
    lowest = min(known, key=lambda level: (level.ready or 0, level.at))
    said = [f"{_of(first)} pods Ready at {clock(first.at)} UTC, when they were first counted"]
    if (lowest.ready or 0) < (first.ready or 0):
        said.append(f"the fewest {lowest.ready} at {clock(lowest.at)}")
    if last.at > first.at:
        said.append(f"{_of(last)} at {clock(last.at)}, which is the last change")
    states = ", ".join(
        f"{phase.name} for {exact(between(phase.begun, phase.ended))}" for phase in phases[:12]
    )
    more = f" and {len(phases) - 12} more stays" if len(phases) > 12 else ""  # noqa: PLR2004
    return "; ".join(said) + "." + (f" States: {states}{more}." if states else "") + note


def _of(level: Level) -> str:
    return f"{level.ready}" if level.expected is None else f"{level.ready} of {level.expected}"


def _scale(levels: Sequence[Level], phases: Sequence[Phase], marks: Sequence[Mark]) -> Scale:
    instants = [level.at for level in levels] + [mark.at for mark in marks]
    instants += [at for phase in phases for at in (phase.begun, phase.ended)]
    return Scale(min(instants, default=0.0), max(instants, default=0.0), LEFT, WIDTH - RIGHT)


def _ceiling(levels: Sequence[Level]) -> int:
    """Return the number at the top of the plot; never nothing."""
    counts = (count for level in levels for count in (level.ready, level.expected))
    return max((count for count in counts if count is not None), default=0) or 1


def _y(count: float, top: int) -> float:
    return BOTTOM - count / top * (PLOT - 12)


def _bands(scale: Scale, phases: Sequence[Phase]) -> Markup:
    """Shade the states in turns, each with its name or its number above, where that has room."""
    made = []
    for index, phase in enumerate(phases):
        x, end = scale.x(phase.begun), scale.x(phase.ended)
        room = end - x - 8
        said = f"{index + 1} {phase.name}"
        if width(said, SMALL) > room:  # a cut name is worth less than the number of the legend
            said = fitted(str(index + 1), room, SMALL).strip("…")
        made.append(
            group(
                rect(x, TOP - 20, end - x, PLOT + 20, class_=f"band band{index % 2}"),
                line(x, TOP - 20, x, BOTTOM, "edge"),
                label(said, (x + 4, TOP - 7), room, size=SMALL) if said else NOTHING,
                hint=f"{index + 1} {phase.name}: {clock(phase.begun)} to {clock(phase.ended)} UTC, "
                f"{exact(between(phase.begun, phase.ended))}",
            )
        )
    return joined(*made)


def _heights(top: int) -> Markup:
    """Write round numbers at the left."""
    scale = 10 ** max(0, math.floor(math.log10(top)) - 1)
    step = next((s * scale for s in STEPS if top / (s * scale) <= 5), top)  # noqa: PLR2004  lines
    made = []
    for count in range(0, top + 1, step):
        y = _y(count, top)
        made.append(line(LEFT, y, WIDTH - RIGHT, y, "hair"))
        made.append(
            label(str(count), (LEFT - 6, y + 4), LEFT - 6, anchor="end", class_="muted", size=SMALL)
        )
    return joined(*made)


def _stairs(scale: Scale, points: Sequence[tuple[float, int]], end: float, top: int) -> str:
    """Return the path of a number that stays until it changes."""
    first_at, first = points[0]
    said = [f"M{number(scale.x(first_at))} {number(_y(first, top))}"]
    for at, count in points[1:]:
        said.append(f"H{number(scale.x(at))}V{number(_y(count, top))}")
    return "".join([*said, f"H{number(scale.x(end))}"])


def _stretches(
    points: Iterable[tuple[float, int | None]], end: float
) -> list[tuple[list[tuple[float, int]], float]]:
    """Split at what was not seen: no line is drawn over it. Each stretch with the instant of its end."""
    found: list[tuple[list[tuple[float, int]], float]] = []
    going: list[tuple[float, int]] = []
    for at, count in points:
        if count is not None:
            going.append((at, count))
        elif going:
            found.append((going, at))
            going = []
    return [*found, (going, end)] if going else found


def _curves(scale: Scale, levels: Sequence[Level], top: int) -> Markup:
    made = []
    for points, end in _stretches(((level.at, level.ready) for level in levels), scale.ended):
        path = _stairs(scale, points, end, top)
        foot = f"V{number(BOTTOM)}H{number(scale.x(points[0][0]))}Z"
        made.append(element("path", d=path + foot, class_="area"))
        made.append(element("path", d=path, class_="curve"))
    for points, end in _stretches(((level.at, level.expected) for level in levels), scale.ended):
        made.append(element("path", d=_stairs(scale, points, end, top), class_="wanted"))
    return joined(*made, _ends(levels, top))


def _ends(levels: Sequence[Level], top: int) -> Markup:
    """Name both curves at their right ends, one above the other however close they come."""
    if not levels:
        return NOTHING
    x, room = WIDTH - RIGHT + 6, RIGHT - 8
    last = levels[-1]
    wanted = _y(last.expected, top) if last.expected is not None else TOP
    made = []
    if last.expected is not None:
        made.append(
            label(f"{last.expected} wanted", (x, wanted + 4), room, class_="muted", size=SMALL)
        )
    if last.ready is not None:
        y = _y(last.ready, top) + 4
        if last.expected is not None and abs(y - wanted - 4) < LANE:
            y = wanted + 4 + LANE
        made.append(label(f"{last.ready} ready", (x, y), room, class_="strong", size=SMALL))
    return joined(*made)


def _bundles(scale: Scale, marks: Sequence[Mark]) -> list[list[Mark]]:
    """Return the marks that are named together: those in one place, and those of one name that are not far apart."""
    bundles: list[list[Mark]] = []
    for mark in sorted(marks, key=lambda mark: (mark.at, mark.label, mark.hint)):
        last = bundles[-1] if bundles else []
        away = scale.x(mark.at) - scale.x(last[0].at) if last else 0.0
        alike = {one.label for one in last} == {mark.label}
        if last and away < (ALIKE if alike else NEAR):
            last.append(mark)
        else:
            bundles.append([mark])
    return bundles


def _ticks(scale: Scale, bundle: Sequence[Mark]) -> Markup:
    """Draw a small arrow for each place of a bundle."""
    made, last = [], -NEAR
    for x in (scale.x(mark.at) for mark in bundle):
        if x - last >= NEAR:
            made.append(
                element("path", d=f"M{number(x)} {number(BOTTOM + 1)}l-4 7h8z", class_="tick")
            )
            last = x
    return joined(*made)


def _names(bundle: Sequence[Mark]) -> str:
    counts: dict[str, int] = {}
    for mark in bundle:
        counts[mark.label] = counts.get(mark.label, 0) + 1
    return ", ".join(
        f"{name} \N{MULTIPLICATION SIGN}{count}" if count > 1 else name
        for name, count in counts.items()
    )


def _hints(bundle: Sequence[Mark]) -> str:
    most = 12
    more = f"; and {len(bundle) - most} more" if len(bundle) > most else ""
    return "; ".join(mark.hint for mark in bundle[:most]) + more


def _marks(scale: Scale, marks: Sequence[Mark]) -> tuple[Markup, int]:
    """
    Draw a tick an action below the axis, with its name where there is room; and the number of lanes used.

    From the right to the left, each name a lane below all that it would run under: so no leader crosses a name.
    """
    made: list[Markup] = []
    placed: list[tuple[float, int]] = []
    for bundle in reversed(_bundles(scale, marks)):
        x, name, hint = scale.x(bundle[0].at), _names(bundle), _hints(bundle)
        room = WIDTH - x - 8
        end = x + 12 + width(fitted(name, room, SMALL), SMALL)
        lane = max((taken + 1 for right, taken in placed if right < end), default=0)
        ticks = _ticks(scale, bundle)
        if lane >= LANES:
            made.append(group(ticks, hint=hint))
            continue
        placed.append((x, lane))
        y = BOTTOM + 22 + lane * LANE
        leader = line(x, BOTTOM + 8, x, y, "leader")
        made.append(group(leader, ticks, label(name, (x + 4, y), room, size=SMALL), hint=hint))
    return joined(*reversed(made)), max((lane + 1 for _, lane in placed), default=0)


def _legend(phases: Sequence[Phase], top: float) -> tuple[Markup, float]:
    """List the states by number with how long they lasted; and where the picture ends."""
    made = []
    x, y = LEFT, top
    for index, phase in enumerate(phases):
        said = f"{index + 1} {phase.name} {exact(between(phase.begun, phase.ended))}"
        taken = min(width(said, SMALL), WIDTH - LEFT - 8) + 18
        if x + taken > WIDTH and x > LEFT:
            x, y = LEFT, y + LANE
        made.append(label(said, (x, y), taken - 17, class_="muted", size=SMALL))
        x += taken
    return joined(*made), y + 10


def changes(levels: Sequence[Level], phases: Sequence[Phase]) -> list[tuple[float, str, Level]]:
    """
    Return the rows of the table behind the picture: the first and the last look, the fewest, each change of state.
    """
    known = [level for level in levels if level.ready is not None]
    if not known:
        return []
    rows = [(known[0].at, "first look", known[0])]
    rows += [(phase.begun, f"{phase.name} begins", _at(known, phase.begun)) for phase in phases]
    lowest = min(known, key=lambda level: (level.ready or 0, level.at))
    rows.append((lowest.at, "the fewest", lowest))
    rows.append((known[-1].at, "last change", known[-1]))
    return sorted(rows, key=lambda row: row[0])


def _at(levels: Sequence[Level], instant: float) -> Level:
    """Return what was known at an instant; before the first look, the first look."""
    return next((level for level in reversed(levels) if level.at <= instant), levels[0])
