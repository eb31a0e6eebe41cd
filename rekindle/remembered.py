"""
The causes of a run as ``diagnose -v`` says them, from its journal alone: open or closed, acting or only watching.

What the journal holds is the latest diagnosis of the run, so nothing is looked at, and nothing new is found. Only
``-v`` imports this: the rules take longer to import than all else that ``status`` does.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

from msgspec import to_builtins

from engine.answer import Subject
from engine.memory import Memory
from phases import codes
from phases.diagnosis.graph import Blocking, Root
from phases.diagnosis.remembered import behind, blocking
from phases.journaled import outline_of
from phases.outline import Outline
from rekindle.causes import weight
from rekindle.folding import Found
from rekindle.rooted import drawn, headed, paragraph, proof, proven
from rekindle.view import nothing_seen


def lines(found: Found) -> Iterator[str]:
    """Say all that stands, a root a paragraph, with the tree of what it blocks."""
    memory = found.memory
    roots = roots_of(memory)
    closed = " (as it was when the run was closed)" if memory.outcome else ""
    if roots:
        yield f"{headed(len(memory.findings), roots)}{closed}"
    elif nothing_seen(memory):
        yield f"nothing was seen, so nothing can be said{closed}"
    else:
        yield f"nothing is wrong in what was seen{closed}"
    yield from told(memory, outline_of(found.plan["section"]))
    unseen = unseen_of(memory)
    if unseen:
        yield ""
        yield f"not seen: {', '.join(unseen)}"
        yield from (f"  {kind}: {why}" for kind, why in unseen.items())


def told(memory: Memory, outline: Outline, only: Container[str] | None = None) -> Iterator[str]:
    """Say the roots with their trees, each after an empty line; *only*: those of these ids."""
    edges = blocking(outline, memory.facts, memory.findings)
    for root in roots_of(memory):
        if only is None or root.id in only:
            yield ""
            yield from paragraph(root, root.finding.through, memory.now)
            yield from proven(root, memory.findings, behind(root, memory.findings, edges))


def document(found: Found) -> dict[str, Any]:
    """Return what ``status --json`` does not have without ``-v``: the graph, and what each finding rests on."""
    memory = found.memory
    edges = blocking(outline_of(found.plan["section"]), memory.facts, memory.findings)
    every: dict[Subject, dict[Subject, None]] = {}
    for root in roots_of(memory):
        for blocker, blocked in behind(root, memory.findings, edges).items():
            every.setdefault(blocker, {}).update(dict.fromkeys(blocked))
    graph: Blocking = {blocker: tuple(blocked) for blocker, blocked in every.items()}
    return {
        "findings": {
            name: {"proof": proof(one), **to_builtins(one)} for name, one in memory.findings.items()
        },
        "blocking": drawn(graph, memory.findings),
        "unseen": unseen_of(memory),
    }


def roots_of(memory: Memory) -> tuple[Root, ...]:
    """Return the roots as the diagnosis left them, in the order in which people read them."""
    found = [(name, one) for name, one in memory.findings.items() if one.root]
    found.sort(key=lambda item: weight(item[1]))
    return tuple(Root(name, one, one.victims, one.circle) for name, one in found)


def unseen_of(memory: Memory) -> dict[str, str]:
    """Return the kinds that could not be listed, and why: of these nothing was found, which says nothing."""
    family = codes.kind("")
    found = {
        subject.removeprefix(family): fact.reason or fact.code
        for subject, fact in memory.facts.items()
        if subject.startswith(family) and fact.code == codes.UNOBSERVABLE
    }
    return dict(sorted(found.items()))
