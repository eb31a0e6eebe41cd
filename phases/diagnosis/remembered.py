"""
What blocks what by its nature, by what a journal holds: for whoever tells of a run and has no look at its cluster.

A journal has the findings, what is behind each root, and a verdict on each object; it has not the look of which they
were made. What ``structure`` reads of objects is read here of what should exist and of the causes that verdicts name.
That may be less: so it only puts in order what the diagnosis counted behind a root, and adds nothing to that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.answer import Subject
from engine.recipe import Facts
from journal.entries import Finding
from phases import codes
from phases.diagnosis.graph import Blocking, Root, onward
from phases.outline import Outline

Edge = tuple[Subject, Subject]  # the blocker, the blocked
Findings = Mapping[str, Finding]
# Nothing serves a kind, and what brings it may still come; in a deadlock (C4) neither explains the other.
UNSERVED = "C3"


def blocking(outline: Outline, facts: Facts, findings: Findings) -> Blocking:
    """Return the edges between what is not known to be well."""
    edges: dict[Subject, dict[Subject, None]] = {}
    for blocker, blocked in (
        *_expected(outline, facts),
        *_unserved(outline, findings),
        *_named(facts),
    ):
        if blocker != blocked and not _is_well(facts, blocker) and not _is_well(facts, blocked):
            edges.setdefault(blocker, {})[blocked] = None
    return {blocker: tuple(blocked) for blocker, blocked in edges.items()}


def behind(root: Root, findings: Findings, edges: Blocking) -> Blocking:
    """
    Return the edges that stay within what is behind a root, so that they lead to all of it.

    What they do not lead to (by a dependency that no inventory has) hangs on the root itself: it is behind it.
    """
    inside = {root.finding.subject, *root.victims}
    kept = {
        blocker: tuple(subject for subject in blocked if subject in inside)
        for blocker, blocked in edges.items()
        if blocker in inside
    }
    known = _with_findings(kept, findings)
    left = set(root.victims) - onward(root.finding.subject, known)
    held = {blocked for blocker in left for blocked in known.get(blocker, ())}
    alone: list[Subject] = []
    for subject in sorted(left, key=lambda one: (one in held, one)):
        if subject in left:
            alone.append(subject)
            left -= {subject, *onward(subject, known)}
    if alone:
        kept[root.finding.subject] = (*kept.get(root.finding.subject, ()), *alone)
    return {blocker: blocked for blocker, blocked in kept.items() if blocked}


def _with_findings(edges: Blocking, findings: Findings) -> Blocking:
    every = {blocker: list(blocked) for blocker, blocked in edges.items()}
    for finding in findings.values():
        every.setdefault(finding.subject, []).extend(finding.blocks)
    return {blocker: tuple(blocked) for blocker, blocked in every.items()}


def _is_well(facts: Facts, subject: Subject) -> bool:
    return subject in facts and facts[subject].code == codes.READY


def _expected(outline: Outline, facts: Facts) -> Iterator[Edge]:
    """A parent holds up what it has to apply, a dependency its dependents, the source who is there to follow it."""
    elsewhere = {codes.subject("kustomization", key) for key in outline.inventory.unknown}
    for subject, item in (*outline.kustomizations, *outline.releases):
        if item.parent:
            yield codes.subject("kustomization", item.parent), subject
        for dependency in outline.dependencies[subject]:
            yield dependency, subject
    for subject, _ in outline.kustomizations:
        fact = facts.get(subject)
        if subject not in elsewhere and fact is not None and fact.code != codes.ABSENT:
            yield outline.source, subject


def _unserved(outline: Outline, findings: Findings) -> Iterator[Edge]:
    """What brings a CRD explains why a kind is missing."""
    asked = {finding.subject for finding in findings.values() if finding.rule == UNSERVED}
    for crd in outline.inventory.crds:
        if crd.provider and codes.subject("crd", crd.name) in asked:
            yield crd.provider, codes.subject("crd", crd.name)


def _named(facts: Facts) -> Iterator[Edge]:
    """Return what an object that is not well says itself that it waits for (``readiness.flux.cause_of``)."""
    for subject, fact in facts.items():
        cause, _, name = str(fact.detail.get("cause") or "").partition(":")
        if cause == "dependency":
            yield f"{subject.partition('/')[0]}/{name}", subject
        elif cause == "source" and fact.detail.get("source"):
            yield str(fact.detail["source"]), subject
        elif cause == "health":
            for item in filter(None, name.split(",")):
                kind, _, key = item.partition("/")
                yield codes.subject(kind, key), subject
