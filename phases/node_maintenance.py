"""
Node maintenance: each planned node is in maintenance, or configured with our own secrets.

Nothing is done here but the resets that a person asked for when the run was opened. A node with foreign secrets is
somebody else's, or its talosconfig is an old one; wiping it is never the way out of a doubt.
"""

from __future__ import annotations

from engine.answer import Answer, Done, Subject, Wait
from engine.memory import Memory
from engine.plan import Plan
from engine.recipe import Facts, Findings, Judgement, Verdict
from journal.entries import Fact
from phases import codes, resets
from phases.wiping import foreign


def guard(plan: Plan, facts: Facts) -> Judgement:
    """Hold when every planned node shows itself as ours, or as free to be."""
    names = tuple(plan.target.talos.nodes)
    found = {name: facts.get(codes.node(name)) for name in names}
    foreign = [n for n, fact in found.items() if fact is not None and fact.code == codes.FOREIGN]
    unseen = [n for n, fact in found.items() if fact is None or fact.code == codes.UNSEEN]
    done = len(names) - len(foreign) - len(unseen)
    if foreign:
        why = f"{', '.join(foreign)}: configured with other secrets than ours"
        return Judgement(Verdict.BROKEN, why, done, len(names))
    if unseen:
        why = f"not seen: {', '.join(unseen)}"
        return Judgement(Verdict.UNKNOWN, why, done, len(names))
    return Judgement(Verdict.HOLDS, "every planned node answers", done, len(names))


def decide(plan: Plan, facts: Facts, findings: Findings, memory: Memory) -> dict[Subject, Answer]:
    """Answer for each planned node."""
    del findings
    found = {
        codes.node(name): node_answer(name, facts.get(codes.node(name)))
        for name in plan.target.talos.nodes
    }
    return {**found, **resets.answers(plan, facts, memory)}


def node_answer(name: str, fact: Fact | None) -> Answer:
    """Answer for a node that has to show itself."""
    if fact is None or fact.code == codes.UNSEEN:
        why = fact.reason if fact is not None else "not asked yet"
        return Wait(f"{name} does not answer ({why})", can_clear="unknown")
    if fact.code == codes.FOREIGN:
        return foreign(name)
    return Done()
