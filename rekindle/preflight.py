"""
What a session looks at before it acts: red forbids exactly the verbs that need what is missing, a warning is said once.

What was found is journaled, so that a replay decides as the session did. While something is forbidden it is looked at
again now and then: whoever mends it need not begin anew. A rehearsal asks nothing of this machine but its own packages.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from engine.folding import fold_all
from engine.ports import Requests
from journal import entries as e
from journal.entries import AnyEntry, Instant, Objection
from phases.probing import askers
from rekindle.adapters.background import outliving
from rekindle.doctor import packages
from rekindle.doctor.check import Check, Verdict, lines
from rekindle.doctor.examine import failed, family_of
from rekindle.doctor.examine import preflight as look
from rekindle.doctor.host import Host

if TYPE_CHECKING:
    from engine.memory import Memory
    from engine.plan import Plan
    from journal.store import Journal

TEXT_LIMIT = 300
OBJECTIONS_LIMIT = 40
AGAIN_SECONDS = 20.0
_ORDER = (Verdict.RED, Verdict.WARNING, Verdict.UNKNOWN)

Say = Callable[[str], None]


def of_plan(
    plan: Plan, journal: Path, *, simulated: bool, only: Collection[str] | None = None
) -> tuple[Check, ...]:
    """Look, *only* at these families if some are named; a rehearsal needs nothing but what runs it."""
    if simulated:
        return tuple(packages.rows())
    return look(Host(), plan.target, journal, only, plan.allowed, askers(plan))


def entry_of(checks: Sequence[Check], at: Instant) -> e.Preflighted:
    """Write what is not in order, red first; of what does not fit, all that it forbids stays forbidden."""
    told = [check for verdict in _ORDER for check in checks if check.verdict is verdict]
    kept, over = told[:OBJECTIONS_LIMIT], told[OBJECTIONS_LIMIT:]
    objections = [_objection(check) for check in kept]
    blocks = sorted({verb for check in over for verb in check.blocks})
    if blocks:
        said = f"{len(over)} more rows are not in order"
        objections.append(
            Objection("preflight.more", "red", "preflight", said, "`rekindle doctor`", (*blocks,))
        )
    return e.Preflighted(at=at, checked=len(checks), objections=tuple(objections))


def _objection(check: Check) -> Objection:
    return Objection(
        check=check.id,
        verdict=str(check.verdict),
        subject=check.subject[:TEXT_LIMIT],
        said=check.said[:TEXT_LIMIT],
        todo=check.todo[:TEXT_LIMIT],
        blocks=tuple(sorted(check.blocks)),
        target=check.target,
    )


def is_worth_writing(checks: Sequence[Check], *, simulated: bool) -> bool:
    """A rehearsal's journal says only what forbids something: its decisions are those of any machine."""
    return not simulated or any(check.blocks for check in checks)


def tell(checks: Sequence[Check], say: Say) -> None:
    """Say what is not in order; silence is in order."""
    if any(check.verdict is not Verdict.OK for check in checks):
        for line in lines(checks):
            say(line)


def written(
    journal: Journal, memory: Memory, plan: Plan, checks: Sequence[Check] | None, say: Say
) -> tuple[Memory, Callable[[Requests], Requests]]:
    """
    Look at what a session will need, and write that down; return what is known then, and how it is looked at again.

    *checks* were told already (None: nobody has looked). A run that only watches needs nothing. It is written at the
    instant of the last entry: nobody's clock moves, and no time counts as idle.
    """
    if memory.watches:
        return memory, lambda requests: requests
    simulated = memory.identity.get("kind") == "simulated"

    def looking(only: Collection[str] | None = None) -> tuple[Check, ...]:
        return of_plan(plan, journal.path, simulated=simulated, only=only)

    if checks is None:
        checks = looking()
        tell(checks, say)
    entry = entry_of(checks, memory.now)
    if not memory.objections and not is_worth_writing(checks, simulated=simulated):
        return memory, lambda requests: requests
    rows = journal.append([entry])
    known = fold_all(memory, tuple(row.entry for row in rows if row.entry is not None))
    return known, Again(looking, tuple(checks)).beside


@dataclass(slots=True)
class Again:
    """
    Looks again while something is forbidden, in a thread of its own: whoever decides never waits for a program.

    *looking* gets the families to look at: those that forbid something, for the others may ask people for a touch or
    a passphrase. *known*: the rows as they were found last.
    """

    looking: Callable[[Collection[str]], Sequence[Check]]
    known: tuple[Check, ...]
    clock: Callable[[], float] = time.monotonic
    _due: float | None = None
    _found: list[Sequence[Check] | None] = field(default_factory=list)
    _thread: threading.Thread | None = None

    def beside(self, requests: Requests) -> Requests:
        """Give out what was found as requests are: as entries to write."""

        def take(memory: Memory, now: Instant) -> list[tuple[AnyEntry, Callable[[], None]]]:
            taken = requests.take(memory, now)
            found = self._news(now)
            return [*taken, (found, lambda: None)] if found is not None else taken

        return Requests(take)

    def _news(self, now: Instant) -> e.Preflighted | None:
        red = frozenset(family_of(check.id) for check in self.known if check.blocks)
        if not red:
            return None
        if self._due is None:
            self._due = self.clock() + AGAIN_SECONDS
        if self._thread is None and self.clock() >= self._due:
            self._thread = threading.Thread(
                target=self._look, args=(red,), name="preflight", daemon=True
            )
            self._thread.start()
        if not self._found:
            return None
        before, fresh = self.known, self._found.pop()
        self._thread, self._due = None, None
        if fresh is None:
            return None  # a mistake of ours: what was found before still stands, and is looked at again
        # Of a family that failed nothing new is known: what it forbade stays forbidden.
        lost = failed(fresh)
        kept = [check for check in before if family_of(check.id) not in red - lost]
        self.known = (*kept, *(check for check in fresh if family_of(check.id) not in lost))
        if _verdicts(self.known) == _verdicts(before):
            return None  # that some figure in a text is another one is no news
        return entry_of(self.known, now)

    def _look(self, red: frozenset[str]) -> None:
        with outliving(lambda _why: self._found.append(None)):
            self._found.append(self.looking(red))


def _verdicts(checks: Sequence[Check]) -> set[tuple[object, ...]]:
    return {
        (check.id, check.verdict, check.subject, check.blocks, check.target) for check in checks
    }
