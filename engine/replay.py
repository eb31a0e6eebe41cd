"""
Replay: today's decisions, held against the journaled ones.

A journal is a regression test: its facts, fed to ``decide``, must give the answers and the moves that it holds. Where
they do not, one of three has changed: the code, the plan (if another than the journal's is asked about), or the facts
(if the looks were recorded, and today's ``reduce`` and ``diagnose`` make something else of them).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.folding import fold
from engine.judging import Rules, judge, move_of
from engine.looked import Look
from engine.machine import Move
from engine.memory import Memory
from engine.otherwise import Otherwise
from engine.parted import Counted, Difference, Said, What, Why, named, parted_answers, paths
from engine.plan import Plan, from_compiled
from engine.recipe import Recipe
from engine.traces import Left, Step, Trace, step_of
from journal import entries as e
from journal.entries import AnyEntry, Instant

SEEN = (e.Observed, e.GoalMoved)
FOUND = (*SEEN, e.FindingsChanged)


@dataclass(slots=True)
class Replayer:
    """Walks one run. *plan*: what the operator's plan of today would have decided is asked, too."""

    recipe: Recipe
    plan: Plan | None = None
    counted: Counted = field(default_factory=Counted)
    memory: Memory = field(default_factory=Memory)
    _rules: Rules | None = None
    _other: Otherwise | None = None
    _look: Look | None = None
    _turn: Trace | None = None
    _torn: bool = False
    _standing: dict[tuple[str, str], tuple[Any, Any]] = field(default_factory=dict)

    @property
    def compiled(self) -> Plan | None:
        """The journal's plan, as far as it was read."""
        return self._rules.plan if self._rules is not None else None

    def see(self, position: int, entry: AnyEntry | None) -> list[Difference]:
        """Take in the next entry of the run; return what is new among the differences."""
        if entry is None:
            self._lose()
            return []
        if isinstance(entry, e.Note):
            return []  # anybody's, at any time: it may lie between two entries of one turn, and tells nothing of it
        found = self._compare_look(entry) if self._look is not None else []
        step = step_of(entry)
        found += self._turn_of(position, entry, step)
        after = fold(self.memory, entry)
        match entry:
            case e.RunOpened() | e.PlanChanged():
                self._adopt(entry.plan)
            case e.Observed():
                self.counted.facts += len(entry.changed) + len(entry.removed)
            case e.Moved():
                found += self._moved(position, entry)
            case e.Decided() if entry.part == entry.parts:
                found += self._decided(position, entry, after.answers)
            case _:
                pass
        self.memory = after
        if self._other is not None:
            self._other.take(entry)
        if self._turn is not None and step is not None and step < Step.BY_HAND:
            self._turn.asked, self._turn.position = after, position
        return found

    def looked(self, position: int, snapshot: Any, at: Instant, *, diagnosed: bool) -> None:  # noqa: ANN401
        """Take in a recorded look, which came after entry *position* and before the next: a turn was taken for it."""
        if self._rules is None:
            return
        plan, recipe = self._rules.plan, self.recipe
        findings = recipe.diagnose(plan, snapshot) if diagnosed else None
        self._look = Look(position, at, recipe.reduce(plan, snapshot), findings)
        self._begin(None, position)

    def looked_away(self) -> list[Difference]:
        """Compare what is left of the last look: no more entries of its turn will come."""
        if self._look is None:
            return []
        found = [*self._compare_look(None), *self._conclude(None, whole=True)]
        self._look = None
        return found

    def ended(self) -> list[Difference]:
        """Compare what is left of the last turn: no more entries will come."""
        return [*self.looked_away(), *self._conclude(None)]

    def _adopt(self, compiled: Mapping[str, Any]) -> None:
        journaled = from_compiled(compiled, self.recipe)
        self._rules = Rules.of(self.recipe, journaled)
        if self.plan is None or self.plan.digest() == journaled.digest():
            self._other = None
            return
        because = named(paths(journaled.compiled(), self.plan.compiled()))
        known = self._other.memory if self._other is not None else self.memory
        self._other = Otherwise(Rules.of(self.recipe, self.plan), because, known)

    # --- turns -----------------------------------------------------------------------------------

    def _begin(self, at: Instant | None, position: int) -> Trace:
        self._turn = Trace(at, self.memory, position, self._torn)
        self._torn = False
        return self._turn

    def _turn_of(self, position: int, entry: AnyEntry, step: Step | None) -> list[Difference]:
        """Find the turn that an entry is of; if it is the next one's, compare the one before."""
        turn, found = self._turn, []
        goes_on = turn is not None and turn.goes_on(entry, step)
        if not goes_on:
            found = self._conclude(entry)
        if not goes_on or (turn is not None and turn.at is None):
            found += self._passed(position, entry, step)
        if step is None:
            return found
        if turn is None or not goes_on:
            turn = self._begin(entry.at, position)
        else:
            self._torn = False  # what was withdrawn was of this turn
        if self._other is not None and turn.step < Step.BY_HAND <= step:
            self._other.answer(entry.at)
        turn.take(entry, step)
        return found

    def _conclude(self, following: AnyEntry | None, *, whole: bool = False) -> list[Difference]:
        """Compare a turn of which no more will come."""
        turn, self._turn = self._turn, None
        if turn is None:
            return []
        found = [] if turn.compared else self._undecided(turn, following, whole=whole)
        if self._other is not None and turn.at is not None:
            self._other.close(turn.at, self.memory)
        return found

    def _undecided(
        self, turn: Trace, following: AnyEntry | None, *, whole: bool
    ) -> list[Difference]:
        """Without a ``decided`` it had nothing new to say: all that was answered before, it answered."""
        if turn.torn or self._rules is None:
            self.counted.leave(Left.WITHDRAWN)
            return []
        if not whole and turn.may_be_cut(following):
            self.counted.leave(Left.CUT)
            return []
        seen_at = self._look.at if self._look is not None else turn.asked.now
        at = seen_at if turn.at is None else turn.at
        if self._other is not None and turn.step < Step.BY_HAND:
            self._other.answer(at)
        return self._answered(turn, turn.position, at, turn.asked.answers)

    def _lose(self) -> None:
        """What was withdrawn may be of the turn before it or of the one after it."""
        self.counted.withdrawn += 1
        self._torn = True
        if self._turn is not None:
            self._turn.torn = True

    # --- decisions -------------------------------------------------------------------------------

    def _decided(
        self, position: int, entry: e.Decided, journaled: Mapping[str, Any]
    ) -> list[Difference]:
        """Compare what is answered now with what the journal says after this entry."""
        if self._rules is None or self._turn is None:
            return []
        self.counted.decisions += 1
        return self._answered(self._turn, position, entry.at, journaled)

    def _answered(
        self, turn: Trace, position: int, at: Instant, journaled: Mapping[str, Any]
    ) -> list[Difference]:
        if self._rules is None:
            return []
        turn.compared = True
        self.counted.turns += 1
        self.counted.unlooked += self._look is None
        found = self._stayed(turn, position, at)
        said = parted_answers(self._rules, turn.asked, journaled)
        why, because = self._code()
        if not said and self._look is not None and self._look.because:
            said = parted_answers(self._rules, self._look.seen_today(turn.asked), journaled)
            why, because = Why.FACTS, self._look.because
        if not said and self._other is not None:
            said, because = self._other.parted(turn.asked, journaled)
            why = Why.PLAN
        fresh = self._news(What.DECISION, said)
        if fresh:
            found.append(self._difference(position, at, fresh, What.DECISION, why, because))
        return found

    def _passed(self, position: int, entry: AnyEntry, step: Step | None) -> list[Difference]:
        """Another plan may have had an instant of its own between two turns; it came after the entry before."""
        found: list[Difference] = []
        other = self._other
        if other is None:
            return found
        for at in other.passed(entry, step, self.memory):
            found += self._move(position - 1, at, self.memory, other.asked, None)
            if other.is_late:
                said, because = other.parted(self.memory, self.memory.answers)
                found.append(
                    self._difference(position - 1, at, said, What.DECISION, Why.PLAN, because)
                )
        return found

    def _code(self) -> tuple[Why, tuple[str, ...]]:
        """What the journal itself has not, no decision can be held against."""
        lost = self.counted.withdrawn
        if lost:
            return Why.FACTS, (f"{lost} entries before it were withdrawn",)
        return Why.CODE, ()

    # --- moves -----------------------------------------------------------------------------------

    def _moved(self, position: int, entry: e.Moved) -> list[Difference]:
        if self._rules is None:
            return []
        self.counted.moves += 1
        then = {"source": entry.source, "target": entry.target, "why": entry.why}
        if self._other is not None:
            self._other.catch_up(entry.at)
        other = self._other.memory if self._other is not None else None
        return self._move(position, entry.at, self.memory, other, then)

    def _stayed(self, turn: Trace, position: int, at: Instant) -> list[Difference]:
        """A turn has moved as far as it may before it decides; a step back leads to what is broken, and no further."""
        other = self._other.asked if self._other is not None else None
        return self._move(position, at, turn.asked, other, None)

    def _move(
        self,
        position: int,
        at: Instant,
        memory: Memory,
        other: Memory | None,
        then: dict[str, str] | None,
    ) -> list[Difference]:
        """Hold a move (None: it stayed) against today's, and against what another plan makes of *other*."""
        if self._rules is None:
            return []
        today = _told(move_of(self._rules, memory, judge(self._rules, memory)))
        why, because = self._code()
        if today == then and self._other is not None and other is not None:
            if not self._other.is_lost:
                today = _told(self._other.move(other))
            why, because = Why.PLAN, self._other.because
        fresh = self._news(What.MOVE, {"machine": (then, today)} if then != today else {})
        if not fresh:
            return []
        return [self._difference(position, at, fresh, What.MOVE, why, because)]

    # --- looks -----------------------------------------------------------------------------------

    def _compare_look(self, following: AnyEntry | None) -> list[Difference]:
        """Compare once all has been taken in that the look brought: the facts first, then the findings."""
        look, rules = self._look, self._rules
        if look is None or rules is None:
            return []
        found: list[Difference] = []
        if look.compared == 0 and not isinstance(following, SEEN):
            look.compared = 1
            self.counted.looks += 1
            found += self._looked(look, What.FACTS, look.compare_facts(rules, self.memory))
        today = look.today_findings
        if look.compared == 1 and not isinstance(following, FOUND):
            look.compared = 2
            if today is not None:
                self.counted.diagnoses += 1
                said = look.compare_findings(rules, self.memory, today)
                found += self._looked(look, What.FINDINGS, said)
        return found

    def _looked(self, look: Look, what: What, said: Said) -> list[Difference]:
        fresh = self._news(what, said)
        if not fresh:
            return []
        return [self._difference(look.position, look.at, fresh, what, Why.CODE, ())]

    # --- differences -----------------------------------------------------------------------------

    def _news(self, what: What, said: Said) -> Said:
        """Keep what was not said before: a standing difference shows in every decision after it."""
        fresh = {s: pair for s, pair in said.items() if self._standing.get((what, s)) != pair}
        for key in [key for key in self._standing if key[0] == what and key[1] not in said]:
            del self._standing[key]
        self._standing.update({(what, subject): pair for subject, pair in said.items()})
        return fresh

    def _difference(
        self,
        position: int,
        at: Instant,
        said: Said,
        what: What,
        why: Why,
        because: tuple[str, ...],
    ) -> Difference:
        then = {subject: pair[0] for subject, pair in said.items()}
        today = {subject: pair[1] for subject, pair in said.items()}
        return Difference(position, then, today, what, why, at, self.memory.state, because)


def _told(move: Move | None) -> dict[str, str] | None:
    return {"source": move.source, "target": move.target, "why": move.why} if move else None


def replay(recipe: Recipe, entries: Iterable[AnyEntry]) -> tuple[int, tuple[Difference, ...]]:
    """Walk one run; return how many decisions were compared, and what differs."""
    replayer = Replayer(recipe)
    found = [d for n, entry in enumerate(entries, start=1) for d in replayer.see(n, entry)]
    return replayer.counted.decisions, (*found, *replayer.ended())
