"""
States, guards and moves: the only file that knows ``transitions``.

The machine is a table. It holds no effects and no history: where a run stands comes from the fold, whether a goal
holds comes from judgements, and whether it held or was broken long enough comes from timers that fired. A move is
returned, never performed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from transitions import EventData
from transitions import Machine as Table

from engine.plan import DONE, Plan
from engine.recipe import Judgement, Verdict

ADVANCE = "advance"
REGRESS = "regress"


@dataclass(frozen=True, slots=True)
class Move:
    """One step of the machine, and why."""

    source: str
    target: str
    why: str
    trigger: str


@dataclass
class Cursor:
    """
    What ``transitions`` calls a model: where we are, and what the table's conditions may ask.

    *held* names the states whose goal held for their stability window; *broken_long* those broken for the damping.
    """

    state: str
    judgements: Mapping[str, Judgement]
    held: frozenset[str]
    broken_long: frozenset[str]
    order: tuple[str, ...]

    def goal_holds(self, event: EventData) -> bool:
        """Forward only when the pursued goal holds and nothing before it is known to be broken."""
        source, target = _ends(event)
        if source not in self.held or self.judgements[source].verdict is not Verdict.HOLDS:
            return False
        before = self.order[: self.order.index(source)]
        if any(self.judgements[name].verdict is Verdict.BROKEN for name in before):
            return False
        if target != DONE:
            return True
        # Done is a claim about everything: a goal that cannot be seen just now is not known to hold.
        return all(self.judgements[name].verdict is Verdict.HOLDS for name in before)


NOWHERE = Cursor("", {}, frozenset(), frozenset(), ())


class Machine:
    """The compiled table of one plan; what it returns depends on its arguments alone."""

    def __init__(self, plan: Plan) -> None:
        """Build the table once; every name in it was resolved by the loader."""
        self.order = plan.states
        self._table = Table(
            model=None,
            states=[*self.order, DONE],
            initial=self.order[0],
            auto_transitions=False,
            send_event=True,
        )
        for index, name in enumerate(self.order):
            following = self.order[index + 1] if index + 1 < len(self.order) else DONE
            self._table.add_transition(ADVANCE, name, following, conditions="goal_holds")
            for lower in self.order[:index]:
                # Declared lowest first: transitions takes the first whose condition is met.
                condition = partial(_is_broken_long, lower)
                self._table.add_transition(REGRESS, name, lower, conditions=[condition])
        # One model for all questions, and each question asked once: the table costs more than a turn's guards.
        self._cursor = replace(NOWHERE)
        self._table.add_model(self._cursor)
        self._answered: dict[object, tuple[str, str] | None] = {}

    def next_move(
        self,
        state: str,
        judgements: Mapping[str, Judgement],
        *,
        held: frozenset[str],
        broken_long: frozenset[str],
    ) -> Move | None:
        """Return the one move that the table allows from *state*, backwards before forwards."""
        if state == DONE:
            return None
        verdicts = tuple((name, judgement.verdict) for name, judgement in judgements.items())
        question = (state, verdicts, held, broken_long)
        if question not in self._answered:
            self._answered[question] = self._ask(state, judgements, held, broken_long)
        found = self._answered[question]
        if found is None:
            return None
        trigger, target = found
        decisive = target if trigger == REGRESS else state
        return Move(state, target, judgements[decisive].why, trigger)

    def _ask(
        self,
        state: str,
        judgements: Mapping[str, Judgement],
        held: frozenset[str],
        broken_long: frozenset[str],
    ) -> tuple[str, str] | None:
        for trigger in (REGRESS, ADVANCE):
            if trigger == REGRESS and (state == self.order[0] or not broken_long):
                continue  # nothing to go back to
            cursor = self._cursor
            cursor.judgements, cursor.order = judgements, self.order
            cursor.held, cursor.broken_long = held, broken_long
            self._table.set_state(state, cursor)
            model: Any = cursor  # transitions adds its methods at run time
            if model.trigger(trigger):
                return trigger, cursor.state
        return None


def _ends(event: EventData) -> tuple[str, str]:
    if event.transition is None:
        message = "a condition was asked without a transition"
        raise AssertionError(message)
    return str(event.transition.source), str(event.transition.dest)


def _is_broken_long(lower: str, event: EventData) -> bool:
    cursor: Any = event.model
    return lower in cursor.broken_long and cursor.judgements[lower].verdict is Verdict.BROKEN


def _drawn(name: str) -> str:
    """Name a state as Mermaid takes it; a node's name may have dots."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)


def mermaid(plan: Plan) -> str:
    """Draw the machine for documents, as a Mermaid state diagram."""
    order = [_drawn(name) for name in plan.states]
    lines = ["stateDiagram-v2"]
    lines += [
        f'    state "{name}" as {drawn}'
        for name, drawn in zip(plan.states, order, strict=True)
        if name != drawn
    ]
    lines.append(f"    [*] --> {order[0]}")
    for index, name in enumerate(order):
        following = order[index + 1] if index + 1 < len(order) else DONE
        lines.append(f"    {name} --> {following}: goal holds")
        if index:
            lines.append(f"    {name} --> {order[0]}: lowest broken goal")
    lines.append(f"    {DONE} --> [*]")
    return "\n".join(lines)
