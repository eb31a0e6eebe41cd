"""
The first half of a turn: what was seen, what is due, what doubtful actions came to, what is tried again.

Nothing here decides; it brings the memory up to the instant of the look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import compress
from operator import is_not, or_
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from engine.allowing import is_undone
from engine.draft import Draft
from engine.memory import Attempt, Memory
from engine.patience import backoff
from engine.plan import Plan
from engine.recipe import OWED, Effect, Facts, Findings, Happened
from engine.world import NO_ANSWER, Intent
from journal import entries as e
from journal.entries import Fact, Finding, Outcome, RunOutcome
from journal.redactor import redact, redact_text

ENTRY_BYTES = 16 * 1024
# A look may be older than the action in doubt: only after this long does "not there" mean "not happened".
PROBE_SETTLE_SECONDS = 30.0
Dice = Callable[[], float]
T = TypeVar("T")


def observe(draft: Draft, facts: Facts) -> None:
    """Write what changed since the last look, and nothing else."""
    known = draft.memory.facts
    changed = _changed(draft, facts)
    removed = () if known.keys() <= facts.keys() else tuple(sorted(known.keys() - facts.keys()))
    parts = in_parts(changed)
    for number, part in enumerate(parts, start=1):
        gone = removed if number == 1 else ()
        seen = e.Observed(at=draft.now, changed=part, removed=gone, part=number, parts=len(parts))
        draft.add(draft.rules.recipe.timed(draft.memory, seen))
    if not parts and removed:
        draft.add(e.Observed(at=draft.now, removed=removed))
    goal = draft.rules.recipe.goal(draft.rules.plan, draft.memory)
    if goal and goal != draft.memory.goal:
        draft.add(e.GoalMoved(at=draft.now, revision=goal, previous=draft.memory.goal))


def note_findings(draft: Draft, findings: Findings) -> None:
    """Write which causes are new, changed or gone."""
    before = draft.memory.findings
    news: dict[str, Finding] = {}
    for key, value in findings.items():
        if before.get(key) != value:
            clean = replace(value, message=redact_text(value.message))
            if before.get(key) != clean:
                news[key] = clean
    cleared = tuple(sorted(before.keys() - findings.keys()))
    if not news and not cleared:
        return
    parts = in_parts(news) or [{}]
    for number, part in enumerate(parts, start=1):
        gone = cleared if number == 1 else ()
        draft.add(
            e.FindingsChanged(
                at=draft.now, changed=part, cleared=gone, part=number, parts=len(parts)
            )
        )


def _changed(draft: Draft, facts: Facts) -> dict[str, Fact]:
    """Say what of the facts is not remembered so."""
    known = draft.memory.facts
    equal, remembered = draft.rules.compared[0] if draft.rules.compared else ({}, {})
    # What was equal and is the same pair of objects is equal: nearly every fact of nearly every turn ends here.
    reduced = map(is_not, map(equal.get, facts), facts.values())
    recalled = map(is_not, map(known.get, facts), map(remembered.get, facts))
    changed: dict[str, Fact] = {}
    for subject in compress(facts, map(or_, reduced, recalled)):
        fresh, old = facts[subject], known.get(subject)
        if old is not None and _is_known(fresh, old):
            continue
        if old is not None and old.code == fresh.code and fresh.since is None:
            dated = replace(fresh, since=old.since)
        else:
            dated = fresh if fresh.since is not None else replace(fresh, since=draft.now)
        if dated != old and (clean := _redacted(dated)) != old:
            changed[subject] = clean
    unchanged = dict(facts)
    for subject in changed:
        del unchanged[subject]
    draft.rules.compared[:] = [(unchanged, known)]
    return changed


def _is_known(fresh: Fact, old: Fact) -> bool:
    """Compare without making anything."""
    return (
        old.code == fresh.code
        and old.reason == fresh.reason
        and (fresh.since is None or fresh.since == old.since)
        and old.detail == fresh.detail
    )


def _redacted(fact: Fact) -> Fact:
    """What the journal will hold is what decisions know: a redacted text must not look new on every turn."""
    reason, detail = redact(fact.reason), redact(fact.detail)
    if reason == fact.reason and detail == fact.detail:
        return fact
    return replace(fact, reason=reason, detail=detail)


def in_parts(changed: dict[str, T]) -> list[dict[str, T]]:
    """Split what is too large for one entry; nothing is cut, replay needs all that decisions had."""
    parts: list[dict[str, T]] = []
    size = ENTRY_BYTES
    for subject, body in changed.items():
        weight = len(msgspec.json.encode(body)) + len(subject) + 8
        if size + weight > ENTRY_BYTES:
            parts.append({})
            size = 0
        parts[-1][subject] = body
        size += weight
    return parts


def fire(draft: Draft) -> None:
    """Write each timer whose instant has come."""
    due = [(timer.due, name) for name, timer in draft.memory.timers.items()]
    for instant, name in sorted(due):
        if instant <= draft.now:
            draft.add(e.TimerFired(at=draft.now, name=name, due=instant))


def settle_overdue(draft: Draft) -> None:
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


def settle_by_probe(draft: Draft) -> None:
    """Ask each doubtful action's probe what the facts show of it."""
    for attempt in list(draft.memory.last.values()):
        verb = draft.rules.plan.verbs.get(attempt.verb)
        if verb is None or verb.probe is None or attempt.outcome is not Outcome.UNSETTLED:
            continue
        if is_undone(draft.rules.plan, draft.memory, attempt):
            continue  # what shows now is of a later life
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


def doubts_left(plan: Plan, memory: Memory) -> tuple[Attempt, ...]:
    """
    Return what a new run must not forget of the one before it: once actions whose effect was never seen, and debts.

    A settlement is no proof. What a probe sees in the last facts, and what a run that reached its goal did, is seen.
    """
    return (*_once_left(plan, memory), *_borrowed(plan, memory))


def _borrowed(plan: Plan, memory: Memory) -> Iterator[Attempt]:
    """Return what was applied and not given back since."""
    lent = {name: verb.returned_by for name, verb in plan.verbs.items() if verb.returned_by}
    latest = {(attempt.verb, attempt.target): attempt for attempt in memory.doubts(lent)}
    for attempt in latest.values():
        back = memory.last_of(lent[attempt.verb], attempt.target)
        if (
            back is None
            or back.outcome is not Outcome.DONE
            or back.code == OWED
            or back.intended_at < attempt.intended_at
        ):
            yield attempt


def _once_left(plan: Plan, memory: Memory) -> tuple[Attempt, ...]:
    once = [name for name, verb in plan.verbs.items() if verb.effect is Effect.ONCE]
    left = tuple(a for a in memory.doubts(once) if not is_undone(plan, memory, a))
    if memory.outcome == RunOutcome.DONE:
        return tuple(a for a in left if a.outcome is Outcome.UNSETTLED)
    return tuple(a for a in left if not _shows(plan, memory, a))


def _shows(plan: Plan, memory: Memory, attempt: Attempt) -> bool:
    probe = plan.verbs[attempt.verb].probe
    return probe is not None and probe(plan, memory.facts, intent_of(attempt)) is Happened.YES


def schedule_retries(draft: Draft, dice: Dice) -> None:
    """Write when each action that may be tried again is due; chance reaches decisions only so."""
    for key, last in draft.memory.last.items():
        verb = draft.rules.plan.verbs.get(last.verb)
        if verb is None or key in draft.memory.retrials:
            continue
        again = last.outcome is Outcome.FAILED and last.code in (*verb.retry.on, "not-happened")
        doubt = last.outcome is Outcome.UNSETTLED and verb.effect is not Effect.ONCE
        if not again and not doubt:
            continue  # nearly always
        count = draft.memory.tries(last.verb, last.target, last.arguments)
        if 0 < count < verb.retry.attempts:
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
