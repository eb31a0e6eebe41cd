"""
``notify:`` of a plan: a command that is told what a person must hear of, and that may fail without any harm.

It is told of three things: a question that waits for a person, something that no waiting ends, and the goal. It runs
beside the run and changes nothing of it: what it says is thrown away, and that it failed is said once.
"""

from __future__ import annotations

import json
import os
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.answer import Act, Stuck
from engine.judging import Rules
from engine.ports import Watcher
from engine.turn import Turn
from journal import entries as e
from journal.row import Row
from phases.section import Notify
from rekindle.adapters.programs import EXPIRED, ProgramFailed, tried
from rekindle.typed import command

SCHEMA: Final = "rekindle.notice/1"
APPROVAL, BLOCKED, DONE = "approval", "blocked", "done"
WAITING_AT_MOST = 100  # notices; a command that hangs must not fill the memory


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to be heard: *next* is what a person would type now."""

    event: str
    cluster: str
    run: str
    state: str
    message: str
    next: str
    journal: str

    def as_json(self) -> str:
        """Write what the command reads on its stdin: one line."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps({"schema": SCHEMA, **fields})

    def as_environment(self) -> dict[str, str]:
        """Write the same as REKINDLE_EVENT, REKINDLE_MESSAGE and so on."""
        return {f"REKINDLE_{name.upper()}": getattr(self, name) for name in self.__slots__}


class Notifier:
    """A watcher before another one; a thread of its own runs the command, one notice after another."""

    def __init__(
        self,
        notify: Notify,
        before: Watcher,
        journal: str,
        say: Callable[[str], None],
        standing: tuple[str, str] = ("", ""),
    ) -> None:
        """
        Tell *notify* of what *before* is shown; *say* tells the operator of a command that failed.

        *standing*: the run's cluster, and the state that it is in when this session begins.
        """
        self._notify = notify
        self._before = before
        self._journal = journal
        self._say = say
        self._cluster, self._state = standing
        self._stuck: frozenset[tuple[str, str]] = frozenset()
        self._failed = False
        self._waiting: queue.Queue[Notice | None] = queue.Queue(WAITING_AT_MOST)
        self._thread = threading.Thread(target=self._run, name="notify", daemon=True)
        self._thread.start()

    def turned(self, rules: Rules, turn: Turn) -> None:
        """Hear of what can no longer be reached; while something is still done about anything, not yet."""
        self._before.turned(rules, turn)
        stuck = {(s, a.reference): a for s, a in turn.answers.items() if isinstance(a, Stuck)}
        acts = any(isinstance(answer, Act) for answer in turn.answers.values())
        if acts:
            return
        news = [answer for key, answer in stuck.items() if key not in self._stuck]
        self._stuck = frozenset(stuck)
        if news:
            more = f" (and {len(news) - 1} more)" if len(news) > 1 else ""
            said = f"{news[0].message}{more}; {news[0].hint}"
            self._tell(BLOCKED, turn.memory.run_id, said, "status")

    def wrote(self, rows: Sequence[Row]) -> None:
        """Hear of questions and of the goal, once they are durable."""
        self._before.wrote(rows)
        for row in rows:
            entry = row.entry
            if isinstance(entry, e.Moved):
                self._state = entry.target
            elif isinstance(entry, e.ApprovalAsked):
                self._tell(
                    APPROVAL, row.run_id, f"{entry.question}: {entry.consequence}", "approve"
                )
            elif isinstance(entry, e.RunClosed) and entry.outcome == DONE:
                self._state = DONE
                self._reached(row.run_id)
            elif isinstance(entry, e.Decided) and _says_done(entry):
                self._reached(row.run_id)

    def finish(self) -> None:
        """Let what is waiting be told, for as long as one notice may take; the run is over."""
        self._put(None)
        self._thread.join(self._notify.deadline_seconds)

    def _reached(self, run: str) -> None:
        self._tell(DONE, run, "everything that should run, runs", "report")

    def _tell(self, event: str, run: str, message: str, verb: str) -> None:
        if event in self._notify.on:
            typed = command(verb, journal=self._journal)
            self._put(Notice(event, self._cluster, run, self._state, message, typed, self._journal))

    def _put(self, notice: Notice | None) -> None:
        try:
            self._waiting.put_nowait(notice)
        except queue.Full:
            self._fail(f"too many notices wait for {self._notify.argv[0]}; one is left out")

    def _run(self) -> None:
        while (notice := self._waiting.get()) is not None:
            self._call(notice)

    def _call(self, notice: Notice) -> None:
        try:
            code = tried(
                self._notify.argv,
                seconds=self._notify.deadline_seconds,
                given=f"{notice.as_json()}\n".encode(),
                directory=Path(self._notify.directory),
                environment={**os.environ, **self._notify.environment, **notice.as_environment()},
            )
        except ProgramFailed as error:
            late = f"{self._notify.argv[0]} did not end within {self._notify.deadline}"
            self._fail(late if error.reason == EXPIRED else str(error))
            return
        if code:
            self._fail(f"{self._notify.argv[0]} ended with {code}")

    def _fail(self, why: str) -> None:
        if not self._failed:
            self._failed = True
            self._say(f"notify: {why}; nobody may have heard of this")


def _says_done(entry: e.Decided) -> bool:
    """Say whether a run that its goal does not end has just reached it."""
    return any(body.get("answer") == DONE for body in entry.answers.values())
