"""
What the engine lets a phase do: patience, approvals, and the doubt in steps that cannot be undone.

Whatever a phase wishes passes here; nothing else does.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import assert_never

import msgspec

from engine.answer import Act, Answer, Ask, Done, Stuck, Subject, Wait
from engine.memory import Attempt, Memory
from engine.plan import Plan
from engine.recipe import Effect, Verb
from journal.entries import ApprovalAsked, Outcome

ACTIONS_IN_FLIGHT = 8

TOLD = 200  # characters of what an action answered
_ENDED = {"timeout": "did not end in its time and was ended"}


def asked(memory: Memory, subject: Subject, ask: Ask) -> ApprovalAsked:
    """Make the entry for a question; its digest covers everything that the answer is bound to."""
    bound = {
        "cluster": memory.cluster,
        "subject": subject,
        "typed": ask.typed,
        "consequence": ask.consequence,
        "evidence": ask.evidence,
    }
    digest = hashlib.sha256(msgspec.json.encode(bound, order="deterministic")).hexdigest()
    return ApprovalAsked(
        at=memory.now,
        approval=digest[:8],
        digest=digest,
        subject=subject,
        question=ask.question,
        consequence=ask.consequence,
        typed=ask.typed,
        evidence=ask.evidence,
    )


def answer_to(memory: Memory, subject: Subject, ask: Ask) -> str:
    """Return what a person said to exactly this question: ``given``, ``refused`` or nothing yet."""
    entry = asked(memory, subject, ask)
    known = memory.approvals.get(entry.approval)
    return known.answer if known is not None and known.digest == entry.digest else ""


def allowed(
    plan: Plan, memory: Memory, subject: Subject, answer: Answer, begun: list[Act]
) -> Answer:
    """Return what becomes of a phase's answer; *begun* are the acts that this turn begins already."""
    match answer:
        case Act():
            return _allowed_act(plan, memory, subject, answer, begun)
        case Ask():
            if answer_to(memory, subject, answer) == "refused":
                return _refused(answer)
            return answer
        case Done() | Wait() | Stuck():
            return answer
        case _:
            assert_never(answer)


def _refused(ask: Ask) -> Stuck:
    return Stuck(
        reference="approval-refused",
        message=f"a person said no: {ask.question}",
        hint="do it by hand or change what the question rests on; a changed question is asked anew",
    )


def _allowed_act(
    plan: Plan, memory: Memory, subject: Subject, act: Act, begun: list[Act]
) -> Answer:
    verb = plan.verbs[act.verb]
    running = memory.busy(act.target) or _same_cluster_verb(verb, memory)
    if running is not None:
        return Wait(f"{running.verb} {running.target} is running")
    if not verb.enabled:
        return Stuck(
            reference="verb-disabled",
            message=f"{verb.name} {act.target} is needed and the plan does not allow it",
            hint=f"set machine.verbs.{verb.name}.enabled in the plan, or do it by hand",
        )
    refusal = _objected(verb, memory, act) or _exhausted(plan, verb, memory, act)
    if refusal is not None:
        return refusal
    question = _question(plan, verb, memory, subject, act)
    if question is not None:
        said = answer_to(memory, subject, question)
        if said == "refused":
            return _refused(question)
        if said != "given":
            return question
    if _takes_turns(verb, act, begun) or len(memory.open) + len(begun) >= ACTIONS_IN_FLIGHT:
        return Wait(f"{verb.name} {act.target} waits for its turn")
    return act if question is None else replace(act, approval=question)


def _objected(verb: Verb, memory: Memory, act: Act) -> Stuck | None:
    """A red row of the preflight forbids the verbs that need what is missing, and no others."""
    found = memory.forbidden(verb.name, act.target)
    if found is None:
        return None
    return Stuck(
        reference="preflight-failed",
        message=f"{verb.name} {act.target} is needed, and {found.check} forbids it: {found.subject}: {found.said}",
        hint=f"{found.todo}; `rekindle resume` looks again",
    )


def _takes_turns(verb: Verb, act: Act, begun: list[Act]) -> bool:
    """One action a target, and one a cluster of a verb of that scope: also within one turn."""
    if verb.scope == "cluster" and any(other.verb == verb.name for other in begun):
        return True
    return any(other.target == act.target for other in begun)


def _question(plan: Plan, verb: Verb, memory: Memory, subject: Subject, act: Act) -> Ask | None:
    """What a person has to say yes to before this action: the phase's question, the plan's, or the backstop's."""
    question = act.approval
    if verb.typed_approval and (question is None or not question.typed):
        question = _typed(verb, act, question)
    doubtful = _doubtful(plan, verb, memory, act)
    if question is None or _older_than_doubt(memory, subject, question, doubtful):
        # An answer from before the attempt in doubt is no answer to it: asked anew, with that attempt's name.
        return _doubt(verb, act, doubtful) or question
    return question


def _typed(verb: Verb, act: Act, question: Ask | None) -> Ask:
    """The plan wants a typed approval for this verb, whatever its phase thinks of it."""
    if question is not None:
        return replace(question, typed=act.target)
    # What is done once per key is bound to the key: its other arguments (a token) are new each turn.
    bound = act.arguments.get("once", act.arguments)
    return Ask(
        question=f"{verb.name} {act.target}: {act.reason}; do it?",
        consequence=verb.destroys or "nothing is destroyed; the plan asks for a person here",
        evidence={"verb": verb.name, "target": act.target, "arguments": bound},
        typed=act.target,
    )


def _same_cluster_verb(verb: Verb, memory: Memory) -> Attempt | None:
    if verb.scope != "cluster":
        return None
    return next((a for a in memory.open.values() if a.verb == verb.name), None)


def is_undone(plan: Plan, memory: Memory, attempt: Attempt) -> bool:
    """Say whether nothing of what an attempt did, or ran into, is left in the world: it counts no more."""
    verb = plan.verbs.get(attempt.verb)
    return verb is not None and verb.undone is not None and verb.undone(plan, memory, attempt)


def _exhausted(plan: Plan, verb: Verb, memory: Memory, act: Act) -> Answer | None:
    """Hold the verb's own patience against the attempts of this state; each key of what is done once has its own."""
    key = f"{act.verb} {act.target}"
    last = memory.last.get(key)
    count = memory.tries(act.verb, act.target, act.arguments)
    if last is None or is_undone(plan, memory, last):
        return None
    said = f"{last.code or last.outcome}"
    retrial = memory.retrials.get(key)
    if retrial is not None and not memory.passed(retrial.due):  # also one of the state before
        how = _ENDED.get(said) or f"ended with {said} {_told(_words(last))}".rstrip()
        return Wait(f"{verb.name} {act.target} {how}; tried again soon", retrial.due)
    if count == 0:
        return None
    if count >= verb.retry.attempts:
        tried = f"{verb.name} {act.target} was tried {count} times; the last time: {said}"
        return Stuck(
            reference="attempts-exhausted",
            message=f"{tried} {_evidence(last)}".rstrip(),
            hint="the journal has each attempt; mend the cause, then `rekindle resume` tries again",
        )
    if last.outcome is Outcome.FAILED and last.code not in (*verb.retry.on, "not-happened"):
        return Stuck(
            reference="action-refused",
            message=f"{verb.name} {act.target} was refused: {said} {_evidence(last)}".rstrip(),
            hint="this does not pass by waiting: mend what it names, then `rekindle resume` tries again; "
            "`rekindle log --json` has all that was answered",
        )
    return None


def _evidence(last: Attempt) -> str:
    text = _words(last)
    if not text and last.evidence.get("output"):
        text = f"what it said is in {last.evidence['output']}"
    return _told(text)


def _words(last: Attempt) -> str:
    told = (last.evidence.get(key) for key in ("message", "why", "error"))
    return next((str(found) for found in told if found), "")


def _told(text: str) -> str:
    return f"({text[:TOLD]})" if text else ""


def _doubtful(plan: Plan, verb: Verb, memory: Memory, act: Act) -> list[Attempt]:
    """Return earlier attempts at a once verb that happened, or may have, and whose effect may still be there."""
    if verb.effect is not Effect.ONCE:
        return []
    known = memory.attempts_at(verb.name)
    if verb.scope != "cluster":
        known = tuple(attempt for attempt in known if attempt.target == act.target)
    return [
        attempt
        for attempt in known
        if attempt.outcome in {Outcome.UNSETTLED, Outcome.DONE}
        and not is_undone(plan, memory, attempt)
    ]


def _doubt(verb: Verb, act: Act, doubtful: list[Attempt]) -> Ask | None:
    """The backstop: whatever a phase wishes, a once verb is never repeated without a person."""
    if not doubtful:
        return None
    last = doubtful[-1]
    return Ask(
        question=f"{verb.name} {last.target} was done before ({last.outcome}); do it again to {act.target}?",
        consequence=verb.destroys or "it cannot be taken back",
        evidence={"action": last.action, "target": act.target, "arguments": act.arguments},
        typed=act.target,
    )


def _older_than_doubt(
    memory: Memory, subject: Subject, question: Ask, doubtful: list[Attempt]
) -> bool:
    """Say whether the answer was given before the attempt whose outcome is in doubt: then it is no answer to it."""
    known = memory.approvals.get(asked(memory, subject, question).approval)
    if known is None or known.answered_at is None:
        return False
    given = known.answered_at
    return any(attempt.intended_at >= given for attempt in doubtful)
