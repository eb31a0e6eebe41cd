"""
Half of the nodes gone at once: stop everything, and say so.

A switch, the power or a virtual address takes nodes away together; nodes do not die together. Whatever would be done
now would be done to a cluster of which half is not there to be asked. What is in flight goes on; nothing new begins,
nobody is asked anything, and all goes on by itself once they are back.

Half of them never seen at all may be a cluster that comes up, machine by machine: what brings it up goes on, and only
what destroys is held.
"""

from __future__ import annotations

from datetime import UTC, datetime

from engine.answer import Act, Answer, Ask, Stuck, Subject, Wait
from engine.memory import Memory
from engine.plan import Plan
from engine.recipe import Facts
from journal.entries import Instant, Outcome
from phases import codes
from phases.lives import RESET, STANDING
from phases.section import Section
from phases.verbs import APPLY, BOOTSTRAP

TOGETHER_SECONDS = 120.0
# One of two is one node: that it went tells nothing of what they share, and to hold everything for the most common
# accident of a small cluster would forbid its repair.
SEVERAL = 2
RESET_SECONDS = 600.0  # one that was told to wipe itself is away for so long
LOST_TOGETHER = "T17:k8s-nodes"  # what diagnosis finds where Node objects are lost within minutes


def held(
    plan: Plan, facts: Facts, memory: Memory, answers: dict[Subject, Answer]
) -> dict[Subject, Answer]:
    """Hold what a state, of whatever kind, would begin while half of the nodes are gone."""
    if memory.watches:
        return answers
    section: Section = plan.target
    gone = gone_together(section, facts, memory)
    if gone:
        away = {codes.node(name): f"{name} does not answer any more" for name in gone}
        return _held(answers, _out_of_sight(section, gone, facts, memory), away)
    lost = lost_together(section, facts, memory)
    if lost:
        away = {codes.k8s_node(name): f"Node {name} is not Ready" for name in lost}
        return _held(answers, _not_ready(section, lost), away)
    return _kept_whole(plan, facts, memory, answers)


def gone_together(section: Section, facts: Facts, memory: Memory) -> list[str]:
    """
    Name the nodes that went out of sight together, if they are half or more of those that this run has seen.

    Only nodes that ran from their configuration count: one that takes its configuration, or wipes itself by our own
    order, goes away by nature.
    """
    gone: list[tuple[Instant, str]] = []
    seen = 0
    for name in section.talos.nodes:
        subject = codes.node(name)
        fact = facts.get(subject)
        if fact is None or _never_seen(subject, facts, memory):
            continue
        seen += 1
        ran = memory.codes.get(subject) in STANDING
        if fact.code != codes.UNSEEN or not ran or fact.since is None:
            continue
        if not _is_ours(memory, subject, fact.since):
            gone.append((fact.since, name))
    together = _window(sorted(gone))
    return together if len(together) >= max(SEVERAL, -(-seen // 2)) else []


def _never_seen(subject: Subject, facts: Facts, memory: Memory) -> bool:
    """Say whether this run has not had a single answer of a node."""
    fact = facts.get(subject)
    return fact is None or (fact.code == codes.UNSEEN and subject not in memory.codes)


def lost_together(section: Section, facts: Facts, memory: Memory) -> list[str]:
    """
    Name the nodes whose objects were lost within minutes while Talos runs on them, if they are half or more of all.

    A node that this run wipes or configures is lost by nature; one that is Ready by now is back, whatever was found.
    """
    found = memory.findings.get(LOST_TOGETHER)
    blocked = frozenset(found.blocks if found is not None else ())
    lost = [
        name
        for name in section.talos.nodes
        if codes.k8s_node(name) in blocked
        and _code(facts, codes.k8s_node(name)) == codes.PROGRESSING
        and _code(facts, codes.node(name)) in STANDING
        and not _is_new(facts, memory, name)
    ]
    return lost if len(lost) >= max(SEVERAL, -(-len(section.talos.nodes) // 2)) else []


def _code(facts: Facts, subject: Subject) -> str:
    fact = facts.get(subject)
    return fact.code if fact is not None else ""


def _is_new(facts: Facts, memory: Memory, name: str) -> bool:
    """Say whether a node was lost because this run wiped it or gave it its configuration, and not some time after."""
    since = facts[codes.k8s_node(name)].since or 0.0
    told = (_told_at(memory, verb, codes.node(name)) for verb in (RESET, APPLY))
    return any(at is not None and since <= at + RESET_SECONDS for at in told)


def _is_ours(memory: Memory, subject: Subject, since: Instant) -> bool:
    at = _told_at(memory, RESET, subject)
    return at is not None and abs(since - at) <= RESET_SECONDS


def _told_at(memory: Memory, verb: str, subject: Subject) -> Instant | None:
    """Return when this run last told a node something that it may have done."""
    last = memory.last_of(verb, subject)
    return None if last is None or last.outcome is Outcome.FAILED else last.intended_at


def _window(gone: list[tuple[Instant, str]]) -> list[str]:
    best: list[str] = []
    for start, (first, _) in enumerate(gone):
        run = [name for at, name in gone[start:] if at - first <= TOGETHER_SECONDS]
        best = max(best, run, key=len)
    return best


def _out_of_sight(section: Section, gone: list[str], facts: Facts, memory: Memory) -> Stuck:
    told = ", ".join(
        f"{name} ({memory.codes[codes.node(name)]} until {_clock(facts[codes.node(name)].since)})"
        for name in gone
    )
    return Stuck(
        reference="half-gone",
        message=f"{len(gone)} of {len(section.talos.nodes)} nodes went out of sight together: {told}; "
        "nothing is begun until they are back",
        hint="look at what they share: the switch, the power, the way to their addresses; reset and wipe none of "
        "them. The run goes on by itself once they answer",
    )


def _not_ready(section: Section, lost: list[str]) -> Stuck:
    return Stuck(
        reference="half-gone",
        message=f"{len(lost)} of {len(section.talos.nodes)} nodes were lost within minutes, although Talos runs on "
        f"them: {', '.join(lost)}; nothing is begun until they are Ready",
        hint="look at what they share: the switch, the virtual address of the API, its certificates; reset and wipe "
        "none of them. The run goes on by itself once they are Ready",
    )


def _held(
    answers: dict[Subject, Answer], why: Stuck, waited: dict[Subject, str]
) -> dict[Subject, Answer]:
    """Put the reason in the place of what would begin; *waited* keeps the session, which goes on by itself."""
    kept: dict[Subject, Answer] = {codes.NODES: why}
    for subject, answer in answers.items():
        if subject == codes.NODES:
            continue  # a phase of others may answer for them too: this is said all the same
        if isinstance(answer, Act | Ask):
            kept[subject] = Wait(f"held while nodes are gone: {_said(answer)}", can_clear="unknown")
        else:
            kept[subject] = answer
    for subject, reason in waited.items():
        kept.setdefault(subject, Wait(reason, can_clear="unknown"))
    return kept


def _kept_whole(
    plan: Plan, facts: Facts, memory: Memory, answers: dict[Subject, Answer]
) -> dict[Subject, Answer]:
    """Hold what destroys while half of the nodes were never seen: what would go may be all that there is."""
    names = tuple(plan.target.talos.nodes)
    unmet = [name for name in names if _never_seen(codes.node(name), facts, memory)]
    if 2 * len(unmet) < len(names):
        return answers
    why = f"held while {len(unmet)} of {len(names)} nodes were never seen ({', '.join(unmet)})"
    return {
        subject: Wait(f"{why}: {_said(answer)}", can_clear="unknown")
        if isinstance(answer, Act | Ask) and _destroys(plan, answer)
        else answer
        for subject, answer in answers.items()
    }


def _destroys(plan: Plan, answer: Act | Ask) -> bool:
    """A bootstrap destroys nothing by itself, and has a question of its own that names who is not seen."""
    name = answer.verb if isinstance(answer, Act) else str(answer.evidence.get("verb", ""))
    return name != BOOTSTRAP and name in plan.verbs and bool(plan.verbs[name].destroys)


def _said(answer: Act | Ask) -> str:
    return f"{answer.verb} {answer.target}" if isinstance(answer, Act) else answer.question


def _clock(at: Instant | None) -> str:
    return f"{datetime.fromtimestamp(at or 0.0, UTC):%H:%M:%S} UTC"
