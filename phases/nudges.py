"""
Waking exactly the objects whose recorded cause cleared: once per UID, generation and end of the cause.

The protocol is Flux's own annotation; a blanket reconcile would only queue behind itself.
"""

from __future__ import annotations

from datetime import UTC, datetime

from engine.answer import Act, Answer, Subject, Wait
from engine.memory import Memory
from engine.recipe import Facts
from journal.entries import Fact, Outcome
from phases import codes
from phases.blockers import is_called, is_served
from phases.knots import crd_of
from phases.section import Section
from phases.verbs import NUDGE

CONFIRM_SECONDS = 60.0  # twice the time after which Flux looks at a dependency again
CONFIRMED = {"gitrepository", "helmrelease", "kustomization"}  # they tell which token they handled
NUDGES_IN_FLIGHT = 4  # Flux's own default for how many it reconciles at once
NUDGES_PER_SECOND = 5
NOT_YET = "its cause has cleared; waits for its turn to be woken"
NUDGED = {
    "externalsecret": "ExternalSecret",
    "gitrepository": "GitRepository",
    "helmrelease": "HelmRelease",
    "kustomization": "Kustomization",
}


def is_clear(section: Section, subject: Subject, cause: str, facts: Facts) -> bool:
    """Say whether the recorded cause that blocks *subject* has provably cleared."""
    family, _, name = cause.partition(":")
    match family:
        case "dependency":
            family = subject.partition("/")[0]
            named = codes.subject(family, name)
            return _is_ready(named, facts) and all(
                _is_ready(other, facts) for other in section.dependencies.get(subject, ())
            )
        case "kind":
            kind, _, group = name.partition(".")
            return crd_of(section, facts, kind, group) is not None
        case "namespace" | "namespace-gone":
            fact = facts.get(codes.subject("namespace", name))
            # Gone is as good as active: the next attempt creates it anew.
            return fact is not None and fact.code in {codes.READY, codes.ABSENT}
        case "namespace-missing":
            return _is_ready(codes.subject("namespace", name), facts)
        case "source":
            return _is_ready(section.source, facts)
        case "store":
            fact = facts.get(codes.subject("store", name))
            return fact is not None and fact.code == codes.READY and not fact.reason
        case "webhook":
            return is_called(section, name, facts)
        case "api":
            return is_served(name, facts)
        case "health":
            return all(_is_ready(_of_health_check(item), facts) for item in name.split(","))
        case "RetriesExceeded":
            # Whatever it was: the nodes and the network are up again by the time this state is pursued.
            return True
        case _:
            return False


def _is_ready(subject: Subject, facts: Facts) -> bool:
    fact = facts.get(subject)
    return fact is not None and fact.code == codes.READY


def _of_health_check(item: str) -> Subject:
    """``Deployment/ns/name``, as a health check names it, to the subject of the same object."""
    kind, _, key = item.partition("/")
    return codes.subject(kind, key)


def nudge(subject: Subject, fact: Fact, cause: str, memory: Memory) -> Answer:
    """Once per UID, generation and cause; a nudge that did not help is not repeated."""
    uid, generation = str(fact.detail["uid"]), fact.detail["generation"]
    key = f"{uid}/{generation}/{cause}{_occurrence(cause, memory.facts)}"
    if key in memory.keys and not _may_repeat(subject, key, memory):
        return _woken(subject, fact, cause, key, memory)
    kind, _, name = subject.partition("/")
    namespace, _, bare = name.partition("/")
    # What nobody sends needs no token of its own: a wish that stays the same is written once.
    at = memory.opened_at if memory.watches else memory.now
    stamp = datetime.fromtimestamp(at, UTC).isoformat()
    arguments = {
        "kind": NUDGED[kind],
        "namespace": namespace,
        "name": bare,
        "uid": uid,
        "generation": generation,
        "requested_at": f"{stamp}#{memory.run_id}#{cause}",
        "reset": kind == "helmrelease",
        "cause": cause,
        "once": key,
    }
    return Act(NUDGE, subject, arguments, f"{cause} has cleared")


def _occurrence(cause: str, facts: Facts) -> str:
    """
    Tell one end of a cause from the next: a store that fails again after a reboot clears again.

    Of a store alone: what Ready says of it is not made anew by every attempt of its own, as a Kustomization's is.
    """
    family, _, name = cause.partition(":")
    found = facts.get(codes.subject("store", name)) if family == "store" else None
    return f"@{found.since:.0f}" if found is not None and found.since is not None else ""


def _woken(subject: Subject, fact: Fact, cause: str, key: str, memory: Memory) -> Wait:
    """Only the controller's own token shows that a whole attempt began after the nudge; silence is a finding."""
    last = memory.last_of(NUDGE, subject)
    helpless = Wait(f"woken after {cause} cleared; {fact.reason}", can_clear="unknown")
    if last is None or last.arguments.get("once") != key or last.settled_at is None:
        return helpless
    told = subject.partition("/")[0] in CONFIRMED
    if not told or fact.detail.get("handled_at") == last.arguments["requested_at"]:
        return helpless
    due = last.settled_at + CONFIRM_SECONDS
    if not memory.passed(due):
        return Wait(f"woken after {cause} cleared; no controller has taken it up yet", due)
    return Wait(
        f"woken after {cause} cleared, and no controller took it up: its workers are all busy, or it is down",
        can_clear="unknown",
    )


def paced(
    section: Section, answers: dict[Subject, Answer], memory: Memory
) -> dict[Subject, Answer]:
    """Wake few at a time and what others wait for first: a herd would only queue in front of itself."""
    wished = [s for s, a in answers.items() if isinstance(a, Act) and a.verb == NUDGE]
    begun = [a for a in memory.last.values() if a.verb == NUDGE]
    recent = [a.intended_at for a in begun if a.intended_at > memory.now - 1.0]
    in_flight = sum(a.verb == NUDGE for a in memory.open.values())
    free = max(0, min(NUDGES_IN_FLIGHT - in_flight, NUDGES_PER_SECOND - len(recent)))
    if len(wished) <= free:
        return answers
    told = dict(answers)
    later = sorted(wished, key=section.rank)[free:]
    for subject in later:
        told[subject] = Wait(NOT_YET)
    if recent:  # one alarm is enough for all of them
        told[later[0]] = Wait(NOT_YET, min(recent) + 1.0)
    return told


def _may_repeat(subject: Subject, key: str, memory: Memory) -> bool:
    """A nudge that certainly never arrived is no nudge."""
    last = memory.last_of(NUDGE, subject)
    return last is not None and last.arguments.get("once") == key and last.outcome is Outcome.FAILED
