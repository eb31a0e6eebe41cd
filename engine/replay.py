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

from msgspec.structs import replace

from engine.draft import Draft
from engine.folding import fold
from engine.judging import Rules, judge, move_of
from engine.memory import Memory
from engine.observing import note_findings, observe
from engine.parted import (
    Counted,
    Difference,
    Said,
    What,
    Why,
    code_of,
    named,
    parted_answers,
    paths,
    plain,
)
from engine.plan import DONE, Plan, from_compiled
from engine.recipe import Facts, Findings, Recipe
from journal import entries as e
from journal.entries import AnyEntry, Instant

SEEN = (e.Observed, e.GoalMoved)
FOUND = (*SEEN, e.FindingsChanged)


@dataclass(slots=True)
class _Look:
    """A recorded look that is being compared; *facts* and *findings* are those of today that differ (None: none do)."""

    position: int
    at: Instant
    today_facts: Facts
    today_findings: Findings | None
    compared: int = 0  # 1: the facts, 2: the findings as well
    facts: Facts | None = None
    findings: Findings | None = None
    because: tuple[str, ...] = ()


@dataclass(slots=True)
class Replayer:
    """Walks one run. *plan*: what the operator's plan of today would have decided is asked, too."""

    recipe: Recipe
    plan: Plan | None = None
    counted: Counted = field(default_factory=Counted)
    memory: Memory = field(default_factory=Memory)
    _rules: Rules | None = None
    _others: Rules | None = None
    _parted: tuple[str, ...] = ()
    _look: _Look | None = None
    _regressed_at: Instant | None = None
    _standing: dict[tuple[str, str], tuple[Any, Any]] = field(default_factory=dict)

    @property
    def compiled(self) -> Plan | None:
        """The journal's plan, as far as it was read."""
        return self._rules.plan if self._rules is not None else None

    def see(self, position: int, entry: AnyEntry | None) -> list[Difference]:
        """Take in the next entry of the run; return what is new among the differences."""
        if entry is None:
            self.counted.withdrawn += 1
            return []
        found = self._compare_look(entry) if self._look is not None else []
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
        return found

    def looked(self, position: int, snapshot: Any, at: Instant, *, diagnosed: bool) -> None:  # noqa: ANN401
        """Take in a recorded look, which came after entry *position* and before the next."""
        if self._rules is None:
            return
        plan, recipe = self._rules.plan, self.recipe
        findings = recipe.diagnose(plan, snapshot) if diagnosed else None
        self._look = _Look(position, at, recipe.reduce(plan, snapshot), findings)

    def looked_away(self) -> list[Difference]:
        """Compare what is left of the last look: no more entries of its turn will come."""
        return self._compare_look(None) if self._look is not None else []

    def _adopt(self, compiled: Mapping[str, Any]) -> None:
        journaled = from_compiled(compiled, self.recipe)
        self._rules = Rules.of(self.recipe, journaled)
        if self.plan is not None and self.plan.digest() != journaled.digest():
            self._others = Rules.of(self.recipe, self.plan)
            self._parted = named(paths(journaled.compiled(), self.plan.compiled()))
        else:
            self._others = None

    # --- decisions -------------------------------------------------------------------------------

    def _decided(
        self, position: int, entry: e.Decided, journaled: Mapping[str, Any]
    ) -> list[Difference]:
        """Compare what is answered now with what the journal says after this entry."""
        if self._rules is None:
            return []
        self.counted.decisions += 1
        found = self._stayed(position, entry)
        said = parted_answers(self._rules, self.memory, journaled)
        why, because = self._code()
        if not said and self._look is not None and self._look.because:
            said = parted_answers(self._rules, self._as_seen_today(self._look), journaled)
            why, because = Why.FACTS, self._look.because
        if not said and self._others is not None:
            said = self._by_another_plan(self._others, journaled)
            why, because = Why.PLAN, self._parted
        fresh = self._news(What.DECISION, said)
        if fresh:
            found.append(self._difference(position, entry.at, fresh, What.DECISION, why, because))
        return found

    def _by_another_plan(self, rules: Rules, journaled: Mapping[str, Any]) -> Said:
        state = self.memory.state
        if state != DONE and state not in rules.plan.states:
            return {"machine": ({"state": state}, None)}
        return parted_answers(rules, self.memory, journaled)

    def _as_seen_today(self, look: _Look) -> Memory:
        """Return what would be known, had today's code reduced and diagnosed the look."""
        seen = self.memory
        if look.facts is not None:
            seen = replace(seen, facts=dict(look.facts))
        return seen if look.findings is None else replace(seen, findings=dict(look.findings))

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
        order = self._rules.plan.states
        back = entry.target in order and order.index(entry.target) < order.index(entry.source)
        self._regressed_at = entry.at if back else self._regressed_at
        then = {"source": entry.source, "target": entry.target, "why": entry.why}
        return self._move(position, entry.at, then)

    def _stayed(self, position: int, entry: e.Decided) -> list[Difference]:
        """A turn that decides has moved as far as it may; after a step back it moves no more."""
        if entry.at == self._regressed_at:
            return []
        return self._move(position, entry.at, None)

    def _move(self, position: int, at: Instant, then: dict[str, str] | None) -> list[Difference]:
        if self._rules is None:
            return []
        move = move_of(self._rules, self.memory, judge(self._rules, self.memory))
        today = (
            {"source": move.source, "target": move.target, "why": move.why}
            if move is not None
            else None
        )
        fresh = self._news(What.MOVE, {"machine": (then, today)} if then != today else {})
        if not fresh:
            return []
        why, because = self._code()
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
            found += self._compare_facts(look, rules)
        if look.compared == 1 and not isinstance(following, FOUND):
            look.compared = 2
            found += self._compare_findings(look, rules)
        if following is None:
            self._look = None
        return found

    def _compare_facts(self, look: _Look, rules: Rules) -> list[Difference]:
        self.counted.looks += 1
        draft = Draft(rules, self.memory, look.at)
        observe(draft, look.today_facts)
        then = self.memory.facts
        said: Said = {}
        for entry in draft.entries:
            if isinstance(entry, e.Observed):
                said.update({s: (plain(then.get(s)), plain(f)) for s, f in entry.changed.items()})
                said.update({s: (plain(then.get(s)), None) for s in entry.removed})
        # A journal that has none of the figures was written before they were made: nothing has changed.
        figures = self.recipe.figures
        said = {s: pair for s, pair in said.items() if s not in figures or pair[0] is not None}
        if said:
            look.facts = draft.memory.facts
            look.because = named(
                f"{s}: {code_of(a)} then, {code_of(b)} today" for s, (a, b) in said.items()
            )
        return self._looked(look, What.FACTS, said)

    def _compare_findings(self, look: _Look, rules: Rules) -> list[Difference]:
        if look.today_findings is None:
            return []
        self.counted.diagnoses += 1
        draft = Draft(rules, self.memory, look.at)
        note_findings(draft, look.today_findings)
        then = self.memory.findings
        said: Said = {}
        for entry in draft.entries:
            if isinstance(entry, e.FindingsChanged):
                said.update({k: (plain(then.get(k)), plain(f)) for k, f in entry.changed.items()})
                said.update({k: (plain(then.get(k)), None) for k in entry.cleared})
        if said:
            look.findings = draft.memory.findings
            look.because = (*look.because, *named(f"finding {key}" for key in said))
        return self._looked(look, What.FINDINGS, said)

    def _looked(self, look: _Look, what: What, said: Said) -> list[Difference]:
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


def replay(recipe: Recipe, entries: Iterable[AnyEntry]) -> tuple[int, tuple[Difference, ...]]:
    """Walk one run; return how many decisions were compared, and what differs."""
    replayer = Replayer(recipe)
    found = [d for n, entry in enumerate(entries, start=1) for d in replayer.see(n, entry)]
    return replayer.counted.decisions, tuple(found)
