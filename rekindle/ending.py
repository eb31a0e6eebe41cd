"""What a session that has ended says: the way out, the way on, and the one document."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from engine.errors import Exit
from engine.memory import Memory
from engine.plan import Plan
from engine.runner import Ended
from journal.entries import AnyEntry, Instant, Json
from journal.row import Row
from journal.steady import steady
from phases.ledger import closing
from rekindle.document import of_run
from rekindle.folding import Found
from rekindle.output import as_line, print_json, tell
from rekindle.recipes import recipe
from rekindle.sentences import Standing, questions, to_answer
from rekindle.typed import command, with_journal
from rekindle.watching import handed_over


def tell_ended(
    ended: Ended,
    path: Path,
    counted: dict[str, Any],
    wall: float,
    *,
    as_json: bool,
    can_act: bool = True,
) -> None:
    """
    Say how a session ended; the document comes last, for its reader may be gone.

    *can_act*: a watch that has a plan can be given hands.
    """
    journal = str(path)
    if ended.outcome in {"stuck", "waiting"} and ended.turn is not None:
        _tell_way_out(ended.memory, journal)
    if ended.outcome not in {"done", "cancelled"}:
        tell(f"to go on: {command('resume', journal=journal)}")
        if ended.memory.watches and can_act:
            tell(f"to let it act: {handed_over(journal)}")
    if as_json:
        document = of_run(
            ended.memory,
            outcome=ended.outcome,
            counted=counted,
            journal=journal,
            wall_seconds=wall,
        )
        print_json(document)


KEPT_ENTRIES = 5_000


class Rows(Protocol):
    """A journal that can be read from its beginning."""

    def rows(self, run_id: str | None = None, after: int = 0) -> Iterator[Row]:
        """Yield the entries of a run, with what each was written as."""


def closing_of(journal: Rows, run_id: str, plan: Plan, now: Instant) -> dict[str, Json]:
    """Read a run back at its end, for the figures that only the whole of it tells; a mistake in them ends no run."""

    def read() -> Iterator[AnyEntry]:
        return (row.entry for row in steady(journal.rows(run_id)) if row.entry is not None)

    try:
        # The ledger reads twice; what is short is kept instead of being decoded again.
        first = list(islice(read(), KEPT_ENTRIES + 1))
        again = read if len(first) > KEPT_ENTRIES else lambda: iter(first)
        return closing(plan, again, now)
    except Exception as error:  # noqa: BLE001  a run that reached its goal is closed, whatever is said about it
        tell(f"no ledger of this run: {type(error).__name__}")
        return {}


def left_at_once(memory: Memory, plan: Plan, path: Path, begun: float) -> str:
    """Write the document of a session that closes no books, from what it knows itself: no port is asked any more."""
    document = of_run(
        memory,
        outcome="interrupted",
        counted=recipe().counts(plan, memory.facts),
        journal=str(path),
        wall_seconds=time.monotonic() - begun,
    )
    return as_line(document)


def _tell_way_out(memory: Memory, journal: str) -> None:
    for _, body in Standing(memory).answers("stuck"):
        tell(f"stuck ({body['reference']}): {body['message']}")
        tell(f"hint: {with_journal(str(body['hint']), journal)}")
    for item in questions(memory):
        tell(f"approval {item.approval}: {item.question}")
        tell(f"  consequence: {item.consequence}")
        tell(f"  {to_answer(item, journal)}")


def tell_closed(found: Found, path: Path, *, as_json: bool) -> Exit:
    """``resume`` on a closed run: print its document again and exit by its outcome."""
    memory = found.memory
    tell(f"run {memory.run_id} is closed: {memory.outcome}")
    if as_json:
        counted, journal = memory.summary, str(path)
        print_json(of_run(memory, outcome=memory.outcome, counted=counted, journal=journal))
    return Exit.DONE if memory.outcome == "done" else Exit.CANCELLED
