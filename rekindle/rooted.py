"""
A root, said in a paragraph: what it is and blocks, whether it clears, what may be done, and by which rule and evidence.

The same words for a look at a cluster (``diagnosed``) and for what the journal of a run holds (``remembered``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from engine.answer import Subject
from engine.patience import spoken
from journal.entries import Finding, Instant
from phases.diagnosis.catalogue import BY_ID
from phases.diagnosis.graph import Blocking, Root, tree
from rekindle.behind import blocked

NAMED = 5


def headed(findings: int, roots: tuple[Root, ...]) -> str:
    """Count the causes that block now, and what they explain of all *findings*."""
    now = sum(not root.finding.next_after for root in roots)
    symptoms = findings - len(roots)
    behind = f", {symptoms} more are explained by them" if symptoms else ""
    return f"{now} {'cause' if now == 1 else 'causes'}{behind}"


def paragraph(root: Root, through: Subject, now: Instant) -> Iterator[str]:
    """Say a root; *through*: what of its victims most of the others are behind (empty: there is none)."""
    finding = root.finding
    since = f" ({spoken(max(0.0, now - finding.since))})" if finding.since is not None else ""
    when = "will block next: " if finding.next_after else ""
    yield f"{when}{finding.message}{since}"
    if root.victims:
        told = blocked(root.victims, through, named=NAMED).replace(" ", " " * 7, 1)
        yield f"  {told}"
    if root.circle:
        yield "  a deadlock   what it blocks is what blocks it: no waiting ends this"
    else:
        yield f"  by itself    {_clears(finding)}"
    for remedy in finding.remedies:
        yield f"  {remedy.danger:12} {remedy.text}"


def proven(root: Root, findings: Mapping[str, Finding], edges: Blocking) -> Iterator[str]:
    """Say what it rests on, and draw what it blocks."""
    told = proof(root.finding) or "which this version does not have"
    yield f"  rule         {root.finding.rule}, {told}"
    yield from (f"  evidence     {path}" for path in root.finding.evidence)
    for line in list(tree(root, findings, edges, _marked))[1:]:
        yield f"    {line}"


def proof(finding: Finding) -> str:
    """Say whether its rule was seen on a real controller or read in its source, and where."""
    rule = BY_ID.get(finding.rule)
    return f"{rule.proof} ({rule.source})" if rule is not None else ""


def drawn(edges: Blocking, findings: Mapping[str, Finding]) -> dict[str, list[Subject]]:
    """Return the graph: what each subject that is not well blocks, by its nature or by what was found of it."""
    every = {subject: dict.fromkeys(blocked) for subject, blocked in edges.items()}
    for one in findings.values():
        every.setdefault(one.subject, {}).update(dict.fromkeys(one.blocks))
    return {subject: list(blocked) for subject, blocked in sorted(every.items()) if blocked}


def _clears(finding: Finding) -> str:
    until = f" once {finding.clears_when}" if finding.clears_when else ""
    return {"yes": f"clears{until}", "no": "never clears", "unknown": f"may clear{until}"}[
        finding.clears_itself
    ]


def _marked(finding: Finding) -> str:
    """Say of a finding in the tree by which rule it is, and whether that was seen or read."""
    rule = BY_ID.get(finding.rule)
    return f" ({finding.rule}, {rule.proof})" if rule is not None else ""
