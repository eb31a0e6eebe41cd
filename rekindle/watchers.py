"""
Who shows a run while it runs: plain lines for pipes and logs, a live panel for a terminal.

Both write to stderr, and both have a thread that only shows: a run in which nothing happens must not look like one that
hangs. A watcher may not fail: what it cannot show, it leaves out.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol, TextIO

import structlog

from engine.judging import Rules
from engine.memory import Memory
from engine.plan import Plan
from engine.turn import Turn
from journal import entries as e
from journal.redactor import redact_text
from journal.row import Row
from rekindle.eta import Forecast
from rekindle.lines import describe
from rekindle.panel import RECENT, panel
from rekindle.retold import memory_of
from rekindle.spans import clock
from rekindle.view import ENDING, View, ending, headline, view

LOUD = (
    e.RunOpened,
    e.RunResumed,
    e.RunInterrupted,
    e.RunClosed,
    e.Preflighted,
    e.CancelRequested,
    e.Moved,
    e.ActionIntended,
    e.ActionSettled,
    e.RetryScheduled,
    e.ApprovalAsked,
    e.ApprovalGiven,
    e.ApprovalRefused,
    e.ByHand,
    e.TakenOver,
    e.GoalMoved,
    e.ClockJumped,
    e.Note,
)


def _is_loud(entry: e.AnyEntry | None) -> bool:
    """What only explained causes do is no news for people."""
    if isinstance(entry, e.FindingsChanged):
        return bool(entry.cleared) or any(found.root for found in entry.changed.values())
    return isinstance(entry, LOUD)


HEADLINE_SECONDS = 60.0
REFRESHES_PER_SECOND = 8
JOIN_SECONDS = 1.0


def _no_clock() -> float:
    """Know no time of the world yet."""
    return float("-inf")


class Show(Protocol):
    """A watcher that has a beginning and an end. *clock* tells the world's time between turns."""

    clock: Callable[[], float]

    def turned(self, rules: Rules, turn: Turn) -> None:
        """After each turn that changed something."""

    def wrote(self, rows: Sequence[Row]) -> None:
        """After each commit."""

    def say(self, text: str) -> None:
        """Tell the operator something that is in no entry."""

    def ending(self) -> None:
        """Show that the end was asked for; called from a signal handler, so it takes no lock."""

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

    def __init__(
        self,
        stream: TextIO | None = None,
        journal: str = "",
        *,
        every_seconds: float = HEADLINE_SECONDS,
    ) -> None:
        self.clock: Callable[[], float] = _no_clock
        self._stream = stream or sys.stderr
        self._journal = journal
        self._as_json = os.environ.get("REKINDLE_LOG") == "json"
        renderer: Any = structlog.processors.JSONRenderer() if self._as_json else _text
        self._log = structlog.wrap_logger(
            structlog.PrintLogger(self._stream),
            processors=[structlog.processors.add_log_level, renderer],
        )
        self._state = ""
        self._forecast = Forecast()
        self._latest: tuple[Plan, Memory] | None = None
        self._every = every_seconds
        self._shown_at = self._said_at = float("-inf")
        self._closed = threading.Event()
        self._ticking = threading.Thread(target=self._tick, name="standing", daemon=True)

    def turned(self, rules: Rules, turn: Turn) -> None:
        """Say the three sentences once a minute of world time, and when the state changed."""
        memory = turn.memory
        self._latest = (rules.plan, memory)
        due = memory.now - self._shown_at >= HEADLINE_SECONDS
        if due or memory.state != self._state:
            self._stand(self._view(rules.plan, memory))
        if self._ticking.ident is None:
            self._ticking.start()

    def _view(self, plan: Plan, memory: Memory) -> View:
        """Work out what is said; not on every turn, for it goes through everything."""
        return _viewed(plan, memory, self._journal, self._forecast.say(plan, memory))

    def _stand(self, seen: View) -> None:
        self._shown_at, self._state = seen.now, seen.state
        self._said_at = time.monotonic()
        self._line(seen.now, "standing", headline(seen), seen.run_id)

    def _tick(self) -> None:
        """Say them also when no turn comes: then it is the host's minute that counts."""
        while not self._closed.wait(max(self._said_at + self._every - time.monotonic(), 0.0)):
            if self._latest is not None and time.monotonic() - self._said_at >= self._every:
                seen = self._view(*self._latest)
                self._stand(replace(seen, now=max(seen.now, self.clock())))

    def wrote(self, rows: Sequence[Row]) -> None:
        """Print the entries that people follow."""
        self._forecast.wrote(rows)
        for row in rows:
            if _is_loud(row.entry):
                self._line(row.at, row.kind, describe(row.entry), row.run_id, seq=row.seq)

    def say(self, text: str) -> None:
        """Print a line of our own."""
        with suppress(OSError, ValueError):
            self._log.info(redact_text(text))

    def ending(self) -> None:
        """Print a line of our own, past the logger and its lock."""
        text = ENDING if self._latest is None else ending(self._view(*self._latest))
        line = json.dumps({"event": text, "level": "info"}) if self._as_json else text
        with suppress(OSError, ValueError):
            os.write(self._stream.fileno(), f"{line}\n".encode())

    def close(self) -> None:
        """End the thread: one that writes while the interpreter ends would take it down."""
        self._closed.set()
        if self._ticking.ident is not None:
            self._ticking.join(JOIN_SECONDS)

    def _line(self, at: float, kind: str, text: str, run_id: str, **more: object) -> None:
        # A terminal that was closed must not end a recovery.
        with suppress(OSError, ValueError):
            self._log.info(
                redact_text(text),
                time=clock(at),
                kind=kind,
                run_id=run_id,
                state=self._state,
                **more,
            )


def _viewed(plan: Plan, memory: Memory, journal: str, eta: str) -> View:
    """A resumed run knows what an older program left in its journal: this shows none of it that is secret."""
    return replace(view(memory_of(memory), (*plan.states, "done"), journal), eta=eta)


class LivePanel:
    """The five states, the three sentences, the figures and the last entries, redrawn in place."""

    def __init__(self, journal: str) -> None:
        from rich.console import Console
        from rich.live import Live

        self.clock: Callable[[], float] = _no_clock
        self._journal = journal
        self._forecast = Forecast()
        self._latest: tuple[Plan, Memory, str] | None = None
        self._ending = False
        self._recent: list[str] = []
        self._console = Console(stderr=True)
        self._live = Live(
            console=self._console,
            refresh_per_second=REFRESHES_PER_SECOND,
            transient=False,
            get_renderable=self._picture,
        )
        self._live.start()

    def _picture(self) -> Any:  # noqa: ANN401  a rich renderable
        """Draw the run as it is at this instant; called by the thread that refreshes."""
        from rich.text import Text

        if self._latest is None:
            return Text(ENDING if self._ending else "the first look")
        plan, memory, eta = self._latest
        seen = _viewed(plan, memory, self._journal, eta)
        seen = replace(seen, now=max(seen.now, self.clock()))
        return panel(seen, self._recent, ends=self._ending, fits=True)

    def turned(self, rules: Rules, turn: Turn) -> None:
        """Take the new picture; it is worked out and drawn at the next refresh, not by the thread that decides."""
        self._latest = (rules.plan, turn.memory, self._forecast.say(rules.plan, turn.memory))

    def wrote(self, rows: Sequence[Row]) -> None:
        """Remember the last entries that people follow."""
        self._forecast.wrote(rows)
        lines = [f"{clock(row.at)}  {describe(row.entry)}" for row in rows if _is_loud(row.entry)]
        self._recent = [*self._recent, *lines][-RECENT:]

    def say(self, text: str) -> None:
        """Print above the panel."""
        with suppress(OSError, ValueError):
            self._console.print(redact_text(text), markup=False, highlight=False)

    def ending(self) -> None:
        """Let the next refresh show it."""
        self._ending = True

    def close(self) -> None:
        """Leave the last picture on the screen."""
        with suppress(OSError, ValueError):
            self._live.stop()


def watcher_for(stream: TextIO, journal: str) -> Show:
    """Choose: a panel where somebody looks at a terminal that can be redrawn, and wants it so; else lines."""
    redrawn = os.environ.get("TERM", "dumb") != "dumb" and not os.environ.get("NO_COLOR")
    return LivePanel(journal) if redrawn and stream.isatty() else PlainLines(stream, journal)
