"""
The live panel: the states, the three sentences, the figures and the last entries, on a screen of any size.

What does not fit gives way by its weight: entries and causes first, then all else but what a person must do and what a
yes means; those two have the whole screen at last. ``rekindle status`` and ``rekindle log`` have all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from engine.patience import spoken
from journal.redactor import redact_text
from rekindle.causes import SHOWN, because
from rekindle.spans import between, clock
from rekindle.view import View, ending, yes_means

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions
    from rich.segment import Segment
    from rich.text import Text

RECENT = 8


@dataclass(frozen=True, slots=True)
class Room:
    """
    How much is shown: entries and causes; *cut*: each of them on one line; *short*: what else is told as well.

    *gone*: which of ``_GIVES_WAY`` are not shown at all.
    """

    recent: int = RECENT
    causes: int = SHOWN
    cut: bool = True
    short: bool = False
    gone: frozenset[str] = frozenset()


# Of a screen too low for the least of all, in the order in which it goes.
_GIVES_WAY = (
    *("there are", "because", "eta", "running", "other states", "state"),
    *("waits for", "can succeed", "names beside them"),
)
_LEAST = Room(0, 0, short=True)
# From all to the least, each lower than the one before it, or as low.
ROOMS = (
    Room(cut=False),
    Room(),
    Room(5),
    Room(3),
    Room(3, 2),
    Room(3, 1),
    Room(2, 1),
    Room(1, 1),
    Room(1, 0),
    Room(1, 0, short=True),
    _LEAST,
    *(replace(_LEAST, gone=frozenset(_GIVES_WAY[: index + 1])) for index in range(len(_GIVES_WAY))),
)


def panel(seen: View, recent: Sequence[str], *, ends: bool = False, fits: bool = False) -> Panel:
    """Draw a view; readable without colour. *fits*: no higher than the screen, as far as that can be."""
    return Panel(seen, tuple(recent), ends, fits)


@dataclass(frozen=True, slots=True)
class Panel:
    """What rich draws."""

    seen: View
    recent: tuple[str, ...]
    ends: bool
    fits: bool

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        """Draw the most that fits; the search halves: a picture takes milliseconds, and comes eight times a second."""
        from rich.segment import Segment

        def drawn(index: int) -> list[list[Segment]]:
            return console.render_lines(self.drawn(ROOMS[index]), options, pad=False)

        height, low, high = options.max_height, 0, len(ROOMS) - 1
        lines = drawn(low)
        if self.fits and len(lines) > height:
            lines, low = drawn(high), 1
            while low < high:
                middle = (low + high) // 2
                tried = drawn(middle)
                if len(tried) <= height:
                    lines, high = tried, middle
                else:
                    low = middle + 1
        for line in lines:
            yield from line
            yield Segment.line()

    def drawn(self, room: Room) -> Any:  # noqa: ANN401  a rich renderable
        """Draw it with that much room."""
        from rich.console import Group
        from rich.text import Text

        parts: list[Any] = []
        if "state" not in room.gone:
            parts.append(_states(self.seen, others="other states" not in room.gone))
        if self.ends:
            ends = _line(ending(self.seen), cut=bool(room.gone))
            ends.style = "bold"
            parts.append(ends)
        told = [row for row in self._rows(room) if row[0] not in room.gone]
        parts.append(_beside([*self._state(room), *told], apart="names beside them" in room.gone))
        entries = [_line(text, cut=room.cut) for text in self.recent[-room.recent :]]
        last = Text("\n", style="dim").join(entries) if room.recent else Text()
        last.style = "dim"
        if room.cut:
            last.no_wrap, last.overflow = True, "ellipsis"
        return Group(*parts, *([last] if room.recent else []))

    def _state(self, room: Room) -> Iterator[tuple[str, Text]]:
        """How long the cluster is in its state."""
        if "state" in room.gone:
            return
        seen = self.seen
        since = f"{seen.age} in this state"
        time_of = " cluster time" if seen.simulated else ""
        until = f", until {clock(seen.deadline)} at the latest" if seen.deadline is not None else ""
        yield redact_text(seen.cluster), _line(f"{clock(seen.now)}{time_of}  {since}{until}")

    def _rows(self, room: Room) -> Iterator[tuple[str, Text]]:
        """What stands beside each name."""
        seen, short = self.seen, room.short
        for attempt, what in zip(seen.running, seen.doing, strict=True):
            age = spoken(between(attempt.intended_at, seen.now))
            limit = clock(attempt.intended_at + attempt.deadline_seconds)
            yield "running", _line(f"{what} for {age}, until {limit} at the latest", cut=short)
        yield "waits for", _line(seen.waits_for, cut=short)
        yield "can succeed", _line(seen.can_succeed, cut=short)
        yield "eta", _line(seen.eta or "not known yet", cut=short)
        yield "you must", _line(seen.must_do)
        if meant := yes_means(seen):
            yield "a yes means", _line(meant)
        for number, line in enumerate(because(seen.causes, seen.now, room.causes)):
            yield "" if number else "because", _line(line, cut=room.cut)
        figures = "   ".join(
            f"{name} {good}/{total}" for name, (good, total) in seen.counts.items()
        )
        yield "there are", _line(figures or "no figures yet", cut=short)


def _beside(rows: Sequence[tuple[str, Text]], *, apart: bool) -> Any:  # noqa: ANN401  a rich renderable
    """Set texts beside their names; *apart*: each across the whole screen instead, its name before it."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    if apart:
        whole = [Text.assemble((f"{name}: ", "bold"), text) for name, text in rows]
        for text in whole:
            text.overflow = "fold"
        return Group(*whole)
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows:
        table.add_row(name, text)
    return table


def _states(seen: View, *, others: bool) -> Text:
    """Say where it is; *others*: of all states."""
    from rich.text import Text

    states = Text()
    passed = seen.states.index(seen.state) if seen.state in seen.states else 0
    for index, name in enumerate(seen.states):
        if not others and index != passed:
            continue
        mark, style = (
            ("✓", "green") if index < passed else ("▶", "bold") if index == passed else ("·", "dim")
        )
        states.append(f"{mark} {name}  ", style=style)
    return states


def _line(text: str, *, cut: bool = False) -> Text:
    """An older program may have left in a journal what this one would not: nothing is drawn unredacted."""
    from rich.text import Text

    shown = redact_text(text)
    return Text(shown, no_wrap=True, overflow="ellipsis") if cut else Text(shown)
