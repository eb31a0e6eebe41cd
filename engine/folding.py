"""
The fold: entries → what the next decision may know.

Nothing but the fold may say what state a run is in. A memory is a value: folding returns a new one, and the fold of
any prefix of a journal succeeds.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from typing import Any

from msgspec.structs import replace

from engine.memory import (
    TOO_LATE,
    WATCH,
    Approval,
    Attempt,
    Deed,
    Memory,
    Resumed,
    Retrial,
    Sentence,
    Timer,
    counted_as,
)
from engine.wishes import key_of, wishes_in
from journal import entries as e
from journal.entries import Fact, Finding, Instant, Outcome
from journal.learned import convert

VERDICT_SECONDS = 10.0  # after the first look, in which causes are added to the verdict
EARLIER = 64  # attempts of a verb that were followed by others, kept for the doubt in them
DEEDS = 64  # of others; the journal has all


def fold(memory: Memory, entry: e.AnyEntry) -> Memory:
    """Return what is known after *entry*."""
    memory = replace(memory, now=max(memory.now, entry.at))
    match entry:
        case e.Observed() | e.FindingsChanged():
            return _seen(memory, entry)
        case e.Moved():
            return _moved(memory, entry)
        case e.Decided():
            return _decided(memory, entry)
        case e.TimerSet() | e.TimerCancelled() | e.TimerFired():
            return _clocked(memory, entry)
        case e.RetryScheduled() | e.ActionIntended() | e.ActionSettled():
            return _acted(memory, entry)
        case e.ApprovalAsked() | e.ApprovalGiven() | e.ApprovalRefused():
            return _asked(memory, entry)
        case e.ByHand() | e.TakenOver():
            return _others(memory, entry)
        case e.LeaseTaken():
            return replace(memory, epoch=entry.epoch)
        case e.GoalMoved():
            return replace(memory, goal=entry.revision)
        case e.PlanChanged():
            return replace(memory, plan_digest=entry.plan_digest)
        case e.Preflighted():
            return replace(memory, objections=entry.objections)
        case _:
            return _run(memory, entry)


def fold_all(memory: Memory, entries: list[e.AnyEntry] | tuple[e.AnyEntry, ...]) -> Memory:
    """Fold several entries."""
    return reduce(fold, entries, memory)


def _run(memory: Memory, entry: e.AnyEntry) -> Memory:
    match entry:
        case e.RunOpened():
            return Memory(
                run_id=entry.run_id,
                purpose=entry.purpose,
                cluster=entry.cluster,
                identity=entry.identity,
                world=entry.world,
                state=entry.initial,
                entered_at=entry.at,
                opened_at=entry.at,
                now=entry.at,
                plan_digest=entry.plan_digest,
                request=entry.request,
                lasting=entry.lasting,
                took_earlier=entry.took,
                earlier=tuple(convert(doubt, Attempt) for doubt in entry.doubts),
            )
        case e.RunResumed():
            return _resumed(memory, entry)
        case e.RunInterrupted():
            return replace(memory, interrupted=entry.why)
        case e.CancelRequested():
            return replace(memory, cancel_requested=True)
        case e.ClockJumped():
            return _jumped(memory, entry)
        case e.RunClosed():
            return replace(memory, outcome=entry.outcome.value, summary=entry.summary)
        case _:
            return memory


def _resumed(memory: Memory, entry: e.RunResumed) -> Memory:
    """Deadlines that count only active time are moved by the idle time; asked to, all begin afresh."""
    timers: dict[str, Timer] = {}
    fired = dict(memory.fired)
    for name, timer in memory.timers.items():
        fresh = entry.fresh_deadlines and timer.policy == "active"
        if fresh or timer.policy == "restart":
            timers[name] = replace(timer, due=entry.at + timer.span)
        elif timer.policy == "active":
            timers[name] = replace(timer, due=timer.due + entry.idle_seconds)
        else:
            timers[name] = timer
    if entry.fresh_deadlines:
        fired = {name: due for name, due in fired.items() if not name.startswith("deadline/")}
    return replace(
        memory,
        timers=timers,
        fired=fired,
        interrupted="",
        begun={},  # nobody saw what became of it meanwhile
        resumed=_stuck(memory, entry.at) or memory.resumed,
        acts_since=memory.acts_since if memory.actions else memory.acts_since and entry.at,
        attempts={} if entry.fresh_deadlines else memory.attempts,
    )


def _stuck(memory: Memory, at: Instant) -> Resumed | None:
    """
    Say what a session that ended was stuck for; None: nothing, or nobody was told so.

    A process that died told nobody to mend anything: who goes on after it brings no news. Nor does who goes on after a
    deadline: it names all that was waited for, and asks for none of it to be mended.
    """
    stuck = {
        subject
        for subject, body in memory.answers.items()
        if body.get("answer") == "stuck" and body.get("reference") != TOO_LATE
    }
    if not stuck or not memory.interrupted:
        return None
    blocked = (found.blocks for found in memory.findings.values() if found.subject in stuck)
    return Resumed(at, tuple(sorted(stuck.union(*blocked))))


def _jumped(memory: Memory, entry: e.ClockJumped) -> Memory:
    """Time that the machine slept or the clock was set over is not time in which anything could be done."""
    timers = {
        name: replace(timer, due=timer.due + entry.seconds) if timer.policy == "active" else timer
        for name, timer in memory.timers.items()
    }
    # While a machine slept nobody saw what was worked on.
    memory = replace(memory, begun={})
    if entry.seconds >= 0:
        return replace(memory, timers=timers)
    # All that happened moves as one, so that the latest of it is now and what came first stays first: an answer must
    # not become younger than an attempt that it does not speak of, nor a wipe than what was begun after it.
    back = partial(_moved_by, seconds=entry.at - memory.now)
    return replace(
        memory,
        timers=timers,
        set_back=memory.set_back - entry.seconds,
        now=entry.at,
        entered_at=back(memory.entered_at),
        found_at={key: back(since) for key, since in memory.found_at.items()},
        facts={
            subject: _seen_before(fact, back, entry.at) for subject, fact in memory.facts.items()
        },
        earlier=tuple(_attempted(attempt, back) for attempt in memory.earlier),
        last={key: _attempted(attempt, back) for key, attempt in memory.last.items()},
        open={key: _attempted(attempt, back) for key, attempt in memory.open.items()},
        approvals={key: _answered(approval, back) for key, approval in memory.approvals.items()},
        resumed=memory.resumed and replace(memory.resumed, at=back(memory.resumed.at)),
        acts_since=memory.acts_since and back(memory.acts_since),
        regressions=tuple(map(back, memory.regressions)),
        retrials={
            key: replace(retrial, due=retrial.due + entry.seconds)
            for key, retrial in memory.retrials.items()
        },
    )


def _moved_by(at: Instant, *, seconds: float) -> Instant:
    return at + seconds


def _seen_before(fact: Fact, back: Callable[[Instant], Instant], now: Instant) -> Fact:
    """Move what our own clock dated; what is not later than now may be dated by the cluster's."""
    late = fact.since is not None and fact.since > now
    return replace(fact, since=back(fact.since)) if late and fact.since is not None else fact


def _attempted(attempt: Attempt, back: Callable[[Instant], Instant]) -> Attempt:
    settled = attempt.settled_at
    return replace(
        attempt,
        intended_at=back(attempt.intended_at),
        settled_at=None if settled is None else back(settled),
    )


def _answered(approval: Approval, back: Callable[[Instant], Instant]) -> Approval:
    answered = approval.answered_at
    return replace(
        approval,
        asked_at=back(approval.asked_at),
        answered_at=None if answered is None else back(answered),
    )


def _decided(memory: Memory, entry: e.Decided) -> Memory:
    answers = {**memory.answers, **entry.answers}
    for subject in entry.removed:
        answers.pop(subject, None)
    news = {key: entry.at for key in wishes_in(entry.answers) if key not in memory.wished}
    wished = {**memory.wished, **news} if news else memory.wished
    return replace(memory, answers=answers, wished=wished)


def _others(memory: Memory, entry: e.ByHand | e.TakenOver) -> Memory:
    """What others did; and the one thing that they do to a run that watches: give it hands."""
    if isinstance(entry, e.TakenOver):
        purpose = "rehearse" if memory.world else "run"
        purpose = purpose if memory.purpose == WATCH else memory.purpose
        known = entry.identity or memory.identity
        cluster = str(entry.identity.get("cluster", memory.cluster))
        freed = replace(memory, purpose=purpose, lasting=False, acts_since=entry.at)
        return replace(freed, identity=known, cluster=cluster)
    shown = {name: str(entry.evidence.get(name, "")) for name in ("subject", "old", "new")}
    deed = Deed(verb=entry.verb, target=entry.target, at=entry.at, **shown)
    wished = _without(memory.wished, key_of(entry.verb, entry.target))
    return replace(memory, wished=wished, deeds=(*memory.deeds, deed)[-DEEDS:])


def _without(wished: dict[str, float], key: str) -> dict[str, float]:
    return {name: at for name, at in wished.items() if name != key} if key in wished else wished


def _seen(memory: Memory, entry: e.Observed | e.FindingsChanged) -> Memory:
    if isinstance(entry, e.FindingsChanged):
        gone = set(entry.cleared)
        kept = {key: value for key, value in memory.findings.items() if key not in gone}
        findings = {**kept, **entry.changed}
        since = {key: memory.found_at.get(key, entry.at) for key in findings}
        sentence = _sentenced(memory, entry, findings)
        return replace(memory, findings=findings, found_at=since, sentence=sentence)
    facts = {**memory.facts, **entry.changed}
    codes = dict(memory.codes)
    for subject, fact in entry.changed.items():
        known = memory.facts.get(subject)
        if known is not None and known.code != fact.code:
            codes[subject] = known.code
    for subject in entry.removed:
        facts.pop(subject, None)
        codes.pop(subject, None)
    looked_at = entry.at if memory.looked_at is None else memory.looked_at
    met = _met(memory.met, entry.changed)
    seen = replace(memory, facts=facts, codes=codes, met=met, looked_at=looked_at)
    return _timed(seen, entry) if entry.begun or entry.took or entry.removed else seen


def _timed(memory: Memory, entry: e.Observed) -> Memory:
    """Remember since when what is worked on, and how long what is well took; a domain has told which is which."""
    over = {*entry.took, *entry.removed}
    begun = {subject: at for subject, at in memory.begun.items() if subject not in over}
    begun |= dict.fromkeys(entry.begun, entry.at)
    return replace(memory, begun=begun, took={**memory.took, **entry.took})


def _met(met: dict[str, tuple[str, ...]], changed: dict[str, Fact]) -> dict[str, tuple[str, ...]]:
    """Remember what was seen of what there is but one of, figures aside; so much is bounded by the vocabulary."""
    news = {
        subject: (*met.get(subject, ()), fact.code)
        for subject, fact in changed.items()
        if "/" not in subject
        and not fact.code.isdecimal()
        and fact.code not in met.get(subject, ())
    }
    return {**met, **news} if news else met


def _sentenced(
    memory: Memory, entry: e.FindingsChanged, findings: dict[str, Finding]
) -> Sentence | None:
    said = memory.sentence
    if entry.part < entry.parts:
        return said
    roots = {key: value for key, value in findings.items() if value.root}
    lasting = {key for key, root in roots.items() if root.clears_itself == "no"}
    if said is None:
        return Sentence(entry.at, roots) if lasting else None
    # The first looks may not have shown everything: what they add is part of the same verdict.
    early = entry.at <= (memory.looked_at or entry.at) + VERDICT_SECONDS
    if early and not lasting <= said.roots.keys():
        return Sentence(entry.at, {**said.roots, **roots})
    return said


def _moved(memory: Memory, entry: e.Moved) -> Memory:
    """Entering a state begins its own deadline and its own count of attempts."""
    mine = {"deadline/" + entry.source, "stable/" + entry.source, "damping/" + entry.target}
    back = "damping/" + entry.target in memory.fired
    return replace(
        memory,
        state=entry.target,
        entered_at=entry.at,
        attempts={},
        timers={name: timer for name, timer in memory.timers.items() if name not in mine},
        fired={name: due for name, due in memory.fired.items() if name not in mine},
        regressions=(*memory.regressions, entry.at)[-16:] if back else memory.regressions,
    )


def _clocked(memory: Memory, entry: e.TimerSet | e.TimerCancelled | e.TimerFired) -> Memory:
    timers = dict(memory.timers)
    fired = dict(memory.fired)
    match entry:
        case e.TimerSet():
            timers[entry.name] = Timer(entry.due, entry.span, entry.policy)
            fired.pop(entry.name, None)
        case e.TimerCancelled():
            timers.pop(entry.name, None)
            fired.pop(entry.name, None)
        case e.TimerFired():
            timers.pop(entry.name, None)
            fired[entry.name] = entry.due
    return replace(memory, timers=timers, fired=fired)


def _acted(memory: Memory, entry: e.RetryScheduled | e.ActionIntended | e.ActionSettled) -> Memory:
    key = f"{entry.verb} {entry.target}"
    match entry:
        case e.RetryScheduled():
            retrials = {**memory.retrials, key: Retrial(entry.attempt, entry.due)}
            return replace(memory, retrials=retrials)
        case e.ActionIntended():
            attempt = Attempt(
                action=entry.action,
                verb=entry.verb,
                target=entry.target,
                attempt=entry.attempt,
                epoch=entry.epoch,
                intended_at=entry.at,
                deadline_seconds=entry.deadline_seconds,
                arguments=entry.arguments,
            )
            once = entry.arguments.get("once")
            before = memory.last.get(key)
            counted = counted_as(entry.verb, entry.target, entry.arguments)
            kept = before is not None and before.outcome in {Outcome.DONE, Outcome.UNSETTLED}
            earlier = _kept(memory.earlier, before) if kept and before else memory.earlier
            return replace(
                memory,
                last={**memory.last, key: attempt},
                earlier=earlier,
                open={**memory.open, entry.action: attempt},
                attempts={**memory.attempts, counted: memory.attempts.get(counted, 0) + 1},
                retrials={name: at for name, at in memory.retrials.items() if name != key},
                keys={**memory.keys, str(once): entry.action} if once else memory.keys,
                wished=_without(memory.wished, key),
                actions=memory.actions + 1,
            )
        case e.ActionSettled():
            return _settled(memory, key, entry)


def _kept(earlier: tuple[Attempt, ...], attempt: Attempt) -> tuple[Attempt, ...]:
    """Bound each verb by itself: a hundred nudges must not push out the doubt in one bootstrap."""
    same = [known for known in earlier if known.verb == attempt.verb]
    if len(same) < EARLIER:
        return (*earlier, attempt)
    return (*(known for known in earlier if known is not same[0]), attempt)


def _settled(memory: Memory, key: str, entry: e.ActionSettled) -> Memory:
    known = memory.open.get(entry.action) or memory.last.get(key)
    if known is None or known.action != entry.action:
        return memory
    ended = replace(
        known,
        outcome=entry.outcome,
        code=entry.code,
        by=entry.by,
        evidence=entry.evidence,
        settled_at=entry.at,
    )
    return replace(
        memory,
        last={**memory.last, key: ended},
        open={name: value for name, value in memory.open.items() if name != entry.action},
    )


def _asked(memory: Memory, entry: e.ApprovalAsked | e.ApprovalGiven | e.ApprovalRefused) -> Memory:
    approvals: dict[str, Any] = dict(memory.approvals)
    if isinstance(entry, e.ApprovalAsked):
        approvals[entry.approval] = Approval(
            approval=entry.approval,
            digest=entry.digest,
            subject=entry.subject,
            question=entry.question,
            consequence=entry.consequence,
            typed=entry.typed,
            evidence=entry.evidence,
            asked_at=entry.at,
        )
        return replace(memory, approvals=approvals)
    known = memory.approvals.get(entry.approval)
    if known is None or known.digest != entry.digest:
        return memory
    answer = "given" if isinstance(entry, e.ApprovalGiven) else "refused"
    approvals[entry.approval] = replace(
        known, answer=answer, actor=entry.actor, answered_at=entry.at
    )
    return replace(memory, approvals=approvals)
