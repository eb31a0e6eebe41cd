"""A finding as people read it: its evidence beside what the facts say of each object, its victims, its ways out."""

from __future__ import annotations

import re

from msgspec.structs import replace

from engine.memory import Memory
from journal.entries import Fact, Finding, Instant, Remedy
from phases import codes
from phases.hands import verb_for
from rekindle.report.cleaning import clean
from rekindle.report.reasons import Cause
from rekindle.sentences import name_of

REASON = 120
VICTIMS, EVIDENCE = 50, 20
PATH = " ."  # what follows is a path into the object; without one the evidence is words of its own
_OBJECT = re.compile(r"^([A-Z]\w+)/(\S+)")  # Kind/namespace/name, then a path into it
_HOLDER = re.compile(r"^holders\[[^]]*\] \S+ (\S+)$")


def cause_of(name: str, finding: Finding, found_at: Instant, known: Memory) -> Cause:
    """Take from a finding what people read of it."""
    return Cause(
        id=clean(name),
        rule=clean(finding.rule),
        subject=clean(finding.subject),
        name=clean(name_of(finding.subject, known)),
        message=clean(finding.message),
        uid=clean(finding.uid),
        evidence=tuple(clean(proof(one, known)) for one in finding.evidence[:EVIDENCE]),
        victims=tuple(clean(one) for one in finding.victims[:VICTIMS]),
        victim_count=len(finding.victims),
        clears_itself=clean(finding.clears_itself),
        clears_when=clean(finding.clears_when),
        since=finding.since,
        found=found_at,
        remedies=tuple(Remedy(clean(one.text), clean(one.danger)) for one in finding.remedies),
        next_after=tuple(clean(one) for one in finding.next_after),
        circle=finding.circle,
        verb=verb_for(finding),
    )


def as_found(cause: Cause, first: Finding, at: Instant, seq: int) -> Cause:
    """
    Tell a cause by the words with which it was found; those that it has at *at*, by entry *seq*, are its worst.

    An instant of the cluster that came after it was found is of what it became.
    """
    since, message = first.since, clean(first.message)
    if since is None and cause.since is not None and cause.since <= cause.found:
        since = cause.since
    if message == cause.message:
        return replace(cause, since=since)
    of = {**cause.of, "worst_at": seq}
    return replace(cause, since=since, message=message, worst=cause.message, worst_at=at, of=of)


def proof(path: str, known: Memory) -> str:
    """
    Put what the facts say of an object beside the path into it; its own words where they have none.

    Each part is cleaned by itself: a line that would be redacted is none any more in the middle of a sentence.
    """
    path = clean(path)
    found = _OBJECT.match(path) if PATH in path else None
    held = _HOLDER.match(path)
    if held is not None:
        fact = known.facts.get(codes.subject("holder", held[1]))
        return path if fact is None else f"{path} ({_holds(fact)})"
    if found is None:
        return path
    name = codes.k8s_node(found[2]) if found[1] == "Node" else codes.subject(found[1], found[2])
    fact = known.facts.get(name)
    if fact is None:
        return path
    return f"{path} ({clean(fact.code)}{f': {clean(fact.reason, REASON)}' if fact.reason else ''})"


def _holds(fact: Fact) -> str:
    """Say by which finalizers an object is held."""
    names = fact.detail.get("finalizers")
    if not isinstance(names, list | tuple) or not names:
        return clean(fact.code)
    return f"finalizers {', '.join(clean(name) for name in names)}"
