"""
Who shows a run while it runs: plain lines for pipes and logs, a live panel for a terminal.

Both write to stderr. A watcher may not fail: what it cannot show, it leaves out.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol, TextIO

import structlog

from engine.judging import Rules
from engine.patience import spoken
from engine.turn import Turn
from journal import entries as e
from journal.row import Row
from rekindle.lines import clock, describe
from rekindle.view import View, headline, view

LOUD = (
    e.RunOpened,
    e.RunResumed,
    e.RunInterrupted,
    e.RunClosed,
    e.CancelRequested,
    e.Moved,
    e.ActionIntended,
    e.ActionSettled,
    e.RetryScheduled,
    e.ApprovalAsked,
    e.ApprovalGiven,
    e.ApprovalRefused,
    e.FindingsChanged,
    e.GoalMoved,
    e.ClockJumped,
    e.Note,
)
RECENT = 8
HEADLINE_SECONDS = 60.0


class Show(Protocol):
    """A watcher that has a beginning and an end."""

    def turned(self, rules: Rules, turn: Turn) -> None:
        """After each turn that changed something."""

    def wrote(self, rows: Sequence[Row]) -> None:
        """After each commit."""

    def say(self, text: str) -> None:
        """Tell the operator something that is in no entry."""

    def close(self) -> None:
        """Give the terminal back."""


def _text(_logger: object, _name: str, event: Any) -> str:  # noqa: ANN401  structlog's own type
    """Render a line for people: time, kind, text; a line of our own stands alone."""
    if "kind" not in event:
        return str(event["event"])
    kind = str(event.get("kind", ""))
    return f"{event.get('time', ''):8}  {kind:16}  {event['event']}".rstrip()


class PlainLines:
    """One line an entry that matters, through structlog; ``REKINDLE_LOG=json`` makes them JSON."""

    def __init__(self, stream: TextIO | None = None) -> None:
        as_json = os.environ.get("REKINDLE_LOG") == "json"
        renderer: Any = structlog.processors.JSONRenderer() if as_json else _text
        self._log = structlog.wrap_logger(
            structlog.PrintLogger(stream or sys.stderr),
            processors=[structlog.processors.add_log_level, renderer],
        )
        self._state = ""
        self._shown_at = float("-inf")

    def turned(self, rules: Rules, turn: Turn) -> None:
        """Say the three sentences once a minute of world time, and when the state changed."""
        seen = view(turn.memory, (*rules.plan.states, "done"))
        due = seen.now - self._shown_at >= HEADLINE_SECONDS
        if due or seen.state != self._state:
            self._shown_at, self._state = seen.now, seen.state
            self._line(seen.now, "standing", headline(seen), turn.memory.run_id)

    def wrote(self, rows: Sequence[Row]) -> None:
        """Print the entries that people follow."""
        for row in rows:
            if isinstance(row.entry, LOUD):
                self._line(row.at, row.kind, describe(row.entry), row.run_id, seq=row.seq)

    def say(self, text: str) -> None:
        """Print a line of our own."""
        with suppress(OSError, ValueError):
            self._log.info(text)

    def close(self) -> None:
        """Nothing to give back."""

    def _line(self, at: float, kind: str, text: str, run_id: str, **more: object) -> None:
        # A terminal that was closed must not end a recovery.
        with suppress(OSError, ValueError):
            self._log.info(
                text, time=clock(at), kind=kind, run_id=run_id, state=self._state, **more
            )


class LivePanel:
    """The five states, the three sentences, the figures and the last entries, redrawn in place."""

    def __init__(self, journal: str) -> None:
        from rich.console import Console
        from rich.live import Live

        self._journal = journal
        self._console = Console(stderr=True)
        self._live = Live(console=self._console, refresh_per_second=8, transient=False)
        self._live.start()
        self._recent: list[str] = []

    def turned(self, rules: Rules, turn: Turn) -> None:
        """Redraw."""
        seen = view(turn.memory, (*rules.plan.states, "done"), self._journal)
        with suppress(OSError, ValueError):
            self._live.update(panel(seen, self._recent))

    def wrote(self, rows: Sequence[Row]) -> None:
        """Remember the last entries that people follow."""
        lines = [
            f"{clock(row.at)}  {describe(row.entry)}" for row in rows if isinstance(row.entry, LOUD)
        ]
        self._recent = [*self._recent, *lines][-RECENT:]

    def say(self, text: str) -> None:
        """Print above the panel."""
        with suppress(OSError, ValueError):
            self._console.print(text, markup=False, highlight=False)

    def close(self) -> None:
        """Leave the last picture on the screen."""
        with suppress(OSError, ValueError):
            self._live.stop()


def panel(seen: View, recent: Sequence[str]) -> Any:  # noqa: ANN401  a rich renderable
    """Draw a view; readable without colour."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    states = Text()
    passed = seen.states.index(seen.state) if seen.state in seen.states else 0
    for index, name in enumerate(seen.states):
        mark, style = (
            ("✓", "green") if index < passed else ("▶", "bold") if index == passed else ("·", "dim")
        )
        states.append(f"{mark} {name}  ", style=style)
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    since = f"{spoken(seen.now - seen.entered_at)} in this state"
    until = f", until {clock(seen.deadline)} at the latest" if seen.deadline is not None else ""
    table.add_row(seen.cluster, Text(f"{clock(seen.now)}  {since}{until}"))
    table.add_row("waits for", Text(seen.waits_for))
    table.add_row("can succeed", Text(seen.can_succeed))
    table.add_row("you must", Text(seen.must_do))
    figures = "   ".join(f"{name} {good}/{total}" for name, (good, total) in seen.counts.items())
    table.add_row("there are", Text(figures or "no figures yet"))
    return Group(states, table, Text("\n".join(recent), style="dim"))


def watcher_for(stream: TextIO, journal: str) -> Show:
    """Choose: a panel where somebody looks at a terminal that can be redrawn, else lines."""
    if stream.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        return LivePanel(journal)
    return PlainLines(stream)
