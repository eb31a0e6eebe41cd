"""
One turn, pure: look → facts → moves → answers → intents.

A turn is computed, not performed. What it returns are commits to write, in order, and the actions that may start once
all of them are durable.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec.structs import replace

from engine.answer import Act, Answer, Ask, Subject, Wait
from engine.judging import (
    MACHINE,
    Rules,
    answer_to,
    answers_of,
    asked,
    flapping,
    judge,
    lowest_broken,
    spelled,
)
from engine.machine import REGRESS
from engine.memory import Attempt, Memory, fold
from engine.patience import backoff
from engine.plan import DONE
from engine.recipe import Effect, Facts, Findings, Happened, Judgement, Verdict
from engine.world import NO_ANSWER, Intent
from journal import entries as e
from journal.entries import AnyEntry, Fact, Instant, Outcome
from journal.redactor import redact

MARGIN_SECONDS = 30.0
ENTRY_BYTES = 16 * 1024
# A look may be older than the action in doubt: only after this long does "not there" mean "not happened".
PROBE_SETTLE_SECONDS = 30.0
Dice = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Commit:
    """Entries that become durable together. *checkpoint*: the memory after them, stored in the same commit."""

    entries: tuple[AnyEntry, ...]
    checkpoint: Memory | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What a turn came to."""

    commits: tuple[Commit, ...]
    memory: Memory
    answers: dict[Subject, Answer]
    judgements: dict[str, Judgement]
    intents: tuple[Intent, ...]

    @property
    def wake_at(self) -> Instant | None:
        """The nearest instant at which something is due."""
        return min((timer.due for timer in self.memory.timers.values()), default=None)


@dataclass(slots=True)
class _Draft:
    """The turn as it grows: each entry is folded as it is written, so that what follows knows it."""

    rules: Rules
    memory: Memory
    now: Instant
    entries: list[AnyEntry] = field(default_factory=list)
    commits: list[Commit] = field(default_factory=list)

    def add(self, entry: AnyEntry) -> None:
        self.entries.append(entry)
        self.memory = fold(self.memory, entry)

    def commit(self, *, checkpoint: bool) -> None:
        if self.entries:
            body = self.memory if checkpoint else None
            self.commits.append(Commit(tuple(self.entries), body))
            self.entries = []

    def arm(self, name: str, due: Instant, span: float, policy: str = "wall") -> None:
        known = self.memory.timers.get(name)
        if known is None or known.due != due:
            self.add(e.TimerSet(at=self.now, name=name, due=due, span=span, policy=policy))

    def disarm(self, name: str) -> None:
        if name in self.memory.timers or name in self.memory.fired:
            self.add(e.TimerCancelled(at=self.now, name=name))


def take(
    rules: Rules,
    memory: Memory,
    snapshot: Any,  # noqa: ANN401  the domain's own look
    now: Instant,
    dice: Dice,
    *,
    draining: bool = False,
) -> Turn:
    """Compute one turn. *draining*: decide and write, but begin nothing new."""
    draft = _Draft(rules, memory, now)
    facts, findings = rules.recipe.reduce(rules.plan, snapshot)
    _observe(draft, facts, findings)
    _fire(draft)
    _settle_overdue(draft)
    _settle_by_probe(draft)
    _schedule_retries(draft, dice)
    _move(draft)
    answers = answers_of(rules, draft.memory)
    _decide(draft, answers)
    _arm(draft, answers)
    _ask(draft, answers)
    intents = () if draining else _intend(draft, answers)
    draft.commit(checkpoint=False)
    judged = judge(rules, draft.memory)
    return Turn(tuple(draft.commits), draft.memory, answers, judged, intents)


def _observe(draft: _Draft, facts: Facts, findings: Findings) -> None:
    known = draft.memory.facts
    changed: dict[str, Fact] = {}
    for subject, fresh in facts.items():
        old = known.get(subject)
        if old is not None and old.code == fresh.code and fresh.since is None:
            dated = replace(fresh, since=old.since)
        else:
            dated = fresh if fresh.since is not None else replace(fresh, since=draft.now)
        if dated != old and (clean := _redacted(dated)) != old:
            changed[subject] = clean
    removed = tuple(sorted(known.keys() - facts.keys()))
    parts = _in_parts(changed)
    for number, part in enumerate(parts, start=1):
        gone = removed if number == 1 else ()
        draft.add(
            e.Observed(at=draft.now, changed=part, removed=gone, part=number, parts=len(parts))
        )
    if not parts and removed:
        draft.add(e.Observed(at=draft.now, removed=removed))
    before = draft.memory.findings
    news = {key: value for key, value in findings.items() if before.get(key) != value}
    cleared = tuple(sorted(before.keys() - findings.keys()))
    if news or cleared:
        draft.add(e.FindingsChanged(at=draft.now, changed=news, cleared=cleared))
    goal = draft.rules.recipe.goal(draft.memory.facts)
    if goal and goal != draft.memory.goal:
        draft.add(e.GoalMoved(at=draft.now, revision=goal, previous=draft.memory.goal))


def _redacted(fact: Fact) -> Fact:
    """What the journal will hold is what decisions know: a redacted text must not look new on every turn."""
    reason, detail = redact(fact.reason), redact(fact.detail)
    if reason == fact.reason and detail == fact.detail:
        return fact
    return replace(fact, reason=reason, detail=detail)


def _in_parts(changed: dict[str, Fact]) -> list[dict[str, Fact]]:
    """Split what is too large for one entry; nothing is cut, replay needs all that decisions had."""
    parts: list[dict[str, Fact]] = []
    size = ENTRY_BYTES
    for subject, fact in changed.items():
        weight = len(msgspec.json.encode(fact)) + len(subject) + 8
        if size + weight > ENTRY_BYTES:
            parts.append({})
            size = 0
        parts[-1][subject] = fact
        size += weight
    return parts


def _fire(draft: _Draft) -> None:
    due = [(timer.due, name) for name, timer in draft.memory.timers.items()]
    for instant, name in sorted(due):
        if instant <= draft.now:
            draft.add(e.TimerFired(at=draft.now, name=name, due=instant))


def _settle_overdue(draft: _Draft) -> None:
    """Doubt, not failure: an action that did not report in time may have happened."""
    for name, attempt in draft.memory.open.items():
        if f"action/{name}" in draft.memory.fired:
            draft.add(
                e.ActionSettled(
                    at=draft.now,
                    action=name,
                    verb=attempt.verb,
                    target=attempt.target,
                    outcome=Outcome.UNSETTLED,
                    code=NO_ANSWER,
                    by="deadline",
                )
            )


def _settle_by_probe(draft: _Draft) -> None:
    for attempt in list(draft.memory.last.values()):
        verb = draft.rules.plan.verbs.get(attempt.verb)
        if verb is None or verb.probe is None or attempt.outcome is not Outcome.UNSETTLED:
            continue
        intent = intent_of(attempt)
        said = verb.probe(draft.rules.plan, draft.memory.facts, intent)
        trusted = (attempt.settled_at or draft.now) + PROBE_SETTLE_SECONDS
        if said is Happened.NO and draft.now < trusted:
            draft.arm(f"probe/{attempt.action}", trusted, PROBE_SETTLE_SECONDS)
            continue
        if said is Happened.UNKNOWN:
            continue
        draft.add(
            e.ActionSettled(
                at=draft.now,
                action=attempt.action,
                verb=attempt.verb,
                target=attempt.target,
                outcome=Outcome.DONE if said is Happened.YES else Outcome.FAILED,
                code=said.value,
                by="probe",
            )
        )


def _schedule_retries(draft: _Draft, dice: Dice) -> None:
    for key, last in draft.memory.last.items():
        verb = draft.rules.plan.verbs.get(last.verb)
        count = draft.memory.attempts.get(key, 0)
        if verb is None or key in draft.memory.retrials or count == 0:
            continue
        again = last.outcome is Outcome.FAILED and last.code in (*verb.retry.on, "not-happened")
        doubt = last.outcome is Outcome.UNSETTLED and verb.effect is not Effect.ONCE
        if (again or doubt) and count < verb.retry.attempts:
            delay = round(backoff(verb.retry, count, dice()), 3)
            draft.add(
                e.RetryScheduled(
                    at=draft.now,
                    verb=last.verb,
                    target=last.target,
                    attempt=count + 1,
                    delay=delay,
                    due=draft.now + delay,
                    code=last.code,
                )
            )


def _move(draft: _Draft) -> None:
    """Move as far as the facts allow; each move is a commit of its own, with a checkpoint."""
    judged = judge(draft.rules, draft.memory)
    for _ in range(len(draft.rules.plan.states) + 1):
        if draft.memory.state == DONE:
            return
        _damp(draft, judged)
        _steady(draft, judged)
        fired = draft.memory.fired
        stop = flapping(draft.rules, draft.memory, judged)
        if stop is not None and answer_to(draft.memory, MACHINE, stop) != "given":
            return
        move = draft.rules.machine.next_move(
            draft.memory.state,
            judged,
            held=frozenset(
                name
                for name, state in draft.rules.plan.machine.states.items()
                if not state.stable or f"stable/{name}" in fired
            ),
            broken_long=frozenset(name for name in judged if f"damping/{name}" in fired),
        )
        if move is None:
            return
        draft.add(e.Moved(at=draft.now, source=move.source, target=move.target, why=move.why))
        draft.commit(checkpoint=True)
        if move.trigger == REGRESS:
            return


def _damp(draft: _Draft, judged: dict[str, Judgement]) -> None:
    """A state is left backwards only after it was broken for the damping: a VIP that moves is no regression."""
    span = draft.rules.plan.machine.regress.damping
    lowest = lowest_broken(draft.rules, draft.memory, judged)
    for name in judged:
        timer = f"damping/{name}"
        if name != lowest:
            draft.disarm(timer)
        elif timer not in draft.memory.timers and timer not in draft.memory.fired:
            draft.arm(timer, draft.now + span, span)


def _steady(draft: _Draft, judged: dict[str, Judgement]) -> None:
    name = draft.memory.state
    span = draft.rules.plan.machine.states[name].stable
    timer = f"stable/{name}"
    if not span:
        return
    if judged[name].verdict is not Verdict.HOLDS:
        draft.disarm(timer)
    elif timer not in draft.memory.timers and timer not in draft.memory.fired:
        draft.arm(timer, draft.now + span, span)


def _decide(draft: _Draft, answers: dict[Subject, Answer]) -> None:
    fresh = {subject: spelled(answer) for subject, answer in answers.items()}
    known = draft.memory.answers
    changed = {subject: body for subject, body in fresh.items() if known.get(subject) != body}
    removed = tuple(sorted(known.keys() - fresh.keys()))
    if changed or removed:
        state = draft.memory.state
        draft.add(e.Decided(at=draft.now, state=state, answers=changed, removed=removed))


def _arm(draft: _Draft, answers: dict[Subject, Answer]) -> None:
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
    state = draft.memory.state
    timer = f"deadline/{state}"
    if state != DONE and timer not in draft.memory.timers and timer not in draft.memory.fired:
        deadline = draft.rules.plan.machine.states[state].deadline
        draft.arm(timer, draft.now + deadline.after, deadline.after, deadline.policy)


def _ask(draft: _Draft, answers: dict[Subject, Answer]) -> None:
    for subject, answer in answers.items():
        if isinstance(answer, Ask):
            entry = replace(asked(draft.memory, subject, answer), at=draft.now)
            if entry.approval not in draft.memory.approvals:
                draft.add(entry)


def _intend(draft: _Draft, answers: dict[Subject, Answer]) -> tuple[Intent, ...]:
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
            attempt=draft.memory.attempts.get(f"{answer.verb} {answer.target}", 0) + 1,
            epoch=draft.memory.epoch,
            deadline_seconds=deadline,
            arguments=arguments,
        )
        draft.add(entry)
        span = deadline + MARGIN_SECONDS
        draft.arm(f"action/{entry.action}", draft.now + span, span)
        intents.append(intent_of(draft.memory.open[entry.action]))
    return tuple(intents)


def intent_of(attempt: Attempt) -> Intent:
    """Make the world's intent from the memory's attempt."""
    return Intent(
        action=attempt.action,
        verb=attempt.verb,
        target=attempt.target,
        attempt=attempt.attempt,
        epoch=attempt.epoch,
        deadline_seconds=attempt.deadline_seconds,
        intended_at=attempt.intended_at,
        arguments=attempt.arguments,
    )
