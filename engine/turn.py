"""
One turn, pure: look → facts → moves → answers → intents.

A turn is computed, not performed. What it returns are commits to write, in order, and the actions that may start once
all of them are durable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from engine.allowing import asked
from engine.answer import Act, Answer, Ask, Subject, Wait
from engine.draft import Commit, Draft
from engine.judging import Rules, answers_of, judge, lowest_broken, move_of, news_in
from engine.machine import REGRESS
from engine.memory import Memory
from engine.observing import (
    Dice,
    fire,
    in_parts,
    intent_of,
    note_findings,
    observe,
    schedule_retries,
    settle_by_probe,
    settle_overdue,
)
from engine.plan import DONE
from engine.recipe import Judgement, Verdict
from engine.wishes import wishes_of
from engine.world import Intent
from journal import entries as e
from journal.entries import Instant, Outcome

MARGIN_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn came to."""

    commits: tuple[Commit, ...]
    memory: Memory
    answers: dict[Subject, Answer]
    judgements: dict[str, Judgement]
    intents: tuple[Intent, ...]
    diagnosed: bool

    @property
    def wake_at(self) -> Instant | None:
        """The nearest instant at which something is due."""
        return min((timer.due for timer in self.memory.timers.values()), default=None)


def take(
    rules: Rules,
    memory: Memory,
    snapshot: Any,  # noqa: ANN401  the domain's own look
    now: Instant,
    dice: Dice,
    *,
    draining: bool = False,
    diagnosing: bool = True,
    tied: bool = False,
) -> Turn:
    """
    Compute one turn. *draining*: decide and write, but begin nothing new; *diagnosing*: look for causes too.

    What changed may be reason enough to look for causes: the turn says whether it did.
    *tied*: begin nothing, ask nobody and set no deadline: whoever works by hand has the time that it takes.
    """
    draft = Draft(rules, memory, now)
    observe(draft, rules.recipe.reduce(rules.plan, snapshot))
    diagnosed = diagnosing or _is_alarming(draft, memory)
    if diagnosed:
        note_findings(draft, rules.recipe.diagnose(rules.plan, snapshot))
    fire(draft)
    settle_overdue(draft)
    settle_by_probe(draft)
    schedule_retries(draft, dice)
    _move(draft)
    answers = answers_of(rules, draft.memory)
    _note_deeds(draft, memory, answers)
    _decide(draft, answers)
    _arm(draft, answers)
    if not tied:
        _limit(draft)
        _ask(draft, answers)
    intents = () if draining or tied else _intend(draft, answers)
    draft.commit(checkpoint=False)
    judged = judge(rules, draft.memory)
    return Turn(tuple(draft.commits), draft.memory, answers, judged, intents, diagnosed)


def _is_alarming(draft: Draft, before: Memory) -> bool:
    facts = draft.memory.facts
    return facts is not before.facts and draft.rules.recipe.alarming(before.facts, facts)


def _move(draft: Draft) -> None:
    """Move as far as the facts allow; each move is a commit of its own, with a checkpoint."""
    judged = judge(draft.rules, draft.memory)
    for _ in range(len(draft.rules.machine.order) + 1):
        if draft.memory.state == DONE:
            return
        damp(draft, judged)
        steady(draft, judged)
        move = move_of(draft.rules, draft.memory, judged)
        if move is None:
            return
        draft.add(e.Moved(at=draft.now, source=move.source, target=move.target, why=move.why))
        draft.commit(checkpoint=True)
        if move.trigger == REGRESS:
            return


def damp(draft: Draft, judged: dict[str, Judgement]) -> None:
    """A state is left backwards only after it was broken for the damping: a VIP that moves is no regression."""
    span = draft.rules.plan.machine.regress.damping
    lowest = lowest_broken(draft.rules, draft.memory, judged)
    for name in judged:
        timer = f"damping/{name}"
        if name != lowest:
            draft.disarm(timer)
        elif timer not in draft.memory.timers and timer not in draft.memory.fired:
            draft.arm(timer, draft.now + span, span)


def steady(draft: Draft, judged: dict[str, Judgement]) -> None:
    """A state is left forwards only after its goal held for its window, undisturbed."""
    name = draft.memory.state
    span = draft.rules.plan.machine.states[name].stable
    timer = f"stable/{name}"
    if not span:
        return
    armed = draft.memory.timers.get(timer)
    due = armed.due if armed is not None else draft.memory.fired.get(timer)
    if judged[name].verdict is not Verdict.HOLDS:
        draft.disarm(timer)
    elif due is None or due - span < judged[name].disturbed:
        draft.arm(timer, draft.now + span, span)


def _note_deeds(draft: Draft, before: Memory, answers: dict[Subject, Answer]) -> None:
    """Write what others did since the turn before; the answers are there already, and stay what they are."""
    if draft.memory.facts is before.facts:
        return
    rules = draft.rules
    for deed in rules.recipe.deeds(rules.plan, before, draft.memory, wishes_of(answers)):
        shown = {"subject": deed.subject, "old": deed.old, "new": deed.new}
        draft.add(e.ByHand(at=draft.now, verb=deed.verb, target=deed.target, evidence=shown))


def _decide(draft: Draft, answers: dict[Subject, Answer]) -> None:
    known = draft.memory.answers
    changed = news_in(draft.rules, answers, known)
    removed = tuple(sorted(known.keys() - answers.keys()))
    if not changed and not removed:
        return
    state = draft.memory.state
    parts: list[dict[str, Any]] = in_parts(changed) or [{}]
    for number, part in enumerate(parts, start=1):
        gone = removed if number == 1 else ()
        draft.add(
            e.Decided(
                at=draft.now,
                state=state,
                answers=part,
                removed=gone,
                part=number,
                parts=len(parts),
            )
        )


def _arm(draft: Draft, answers: dict[Subject, Answer]) -> None:
    wanted: dict[str, Instant] = {}
    for subject, answer in answers.items():
        if isinstance(answer, Wait) and answer.until is not None and answer.until > draft.now:
            wanted[f"wait/{subject}"] = answer.until
    for name in [*draft.memory.timers, *draft.memory.fired]:
        if name.startswith("wait/") and name not in wanted:
            draft.disarm(name)
        if name.startswith("action/") and name.removeprefix("action/") not in draft.memory.open:
            draft.disarm(name)
    doubtful = {a.action for a in draft.memory.last.values() if a.outcome is Outcome.UNSETTLED}
    for name in [*draft.memory.timers, *draft.memory.fired]:
        if name.startswith("probe/") and name.removeprefix("probe/") not in doubtful:
            draft.disarm(name)
    for name, due in wanted.items():
        draft.arm(name, due, due - draft.now, "active")


def _limit(draft: Draft) -> None:
    state = draft.memory.state
    timer = f"deadline/{state}"
    if state != DONE and timer not in draft.memory.timers and timer not in draft.memory.fired:
        deadline = draft.rules.plan.machine.states[state].deadline
        draft.arm(timer, draft.now + deadline.after, deadline.after, deadline.policy)


def _ask(draft: Draft, answers: dict[Subject, Answer]) -> None:
    for subject, answer in answers.items():
        if isinstance(answer, Ask):
            entry = replace(asked(draft.memory, subject, answer), at=draft.now)
            if entry.approval not in draft.memory.approvals:
                draft.add(entry)


def _intend(draft: Draft, answers: dict[Subject, Answer]) -> tuple[Intent, ...]:
    intents: list[Intent] = []
    for subject, answer in answers.items():
        if not isinstance(answer, Act):
            continue
        deadline = answer.deadline_seconds or draft.rules.plan.verbs[answer.verb].deadline_seconds
        arguments = dict(answer.arguments)
        if answer.approval is not None:
            arguments["approval"] = asked(draft.memory, subject, answer.approval).approval
        entry = e.ActionIntended(
            at=draft.now,
            action=f"a{draft.memory.actions + 1}",
            verb=answer.verb,
            target=answer.target,
            attempt=draft.memory.tries(answer.verb, answer.target, answer.arguments) + 1,
            epoch=draft.memory.epoch,
            deadline_seconds=deadline,
            arguments=arguments,
        )
        draft.add(entry)
        span = deadline + MARGIN_SECONDS
        draft.arm(f"action/{entry.action}", draft.now + span, span)
        intents.append(intent_of(draft.memory.open[entry.action]))
    return tuple(intents)
