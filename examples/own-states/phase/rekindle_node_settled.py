"""
A node is settled when its machine runs, its etcd member is healthy, and its Node is Ready, of this boot.

It does nothing: it looks at facts that rekindle has anyway, and says what the walk still waits for.
``options: {cordoned: true}`` also accepts a node that is cordoned and else well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.answer import Answer, Subject, Wait
from engine.recipe import Facts, Findings, Judgement, Verdict
from journal.entries import Fact
from phases import codes

if TYPE_CHECKING:
    from engine.memory import Memory
    from engine.plan import Plan

VERSION = "1"
RUNNING = "Running"


def check(plan: Plan, state: str) -> Sequence[str]:
    """Refuse options that nobody here reads, and a state that is about no node."""
    found = plan.machine.states[state]
    problems = [f"unknown option {name!r}" for name in sorted(found.options.keys() - {"cordoned"})]
    if found.walked is None or found.walked.over != codes.NODES:
        problems.append("node-settled is about one node: use it in a walk over the nodes")
    return problems


def guard(plan: Plan, state: str, facts: Facts) -> Judgement:
    """Hold when nothing is open; what was not seen is not known, and never broken."""
    named = plan.machine.states[state]
    name = named.walked.item if named.walked is not None else ""
    machine, node = facts.get(codes.node(name)), facts.get(codes.k8s_node(name))
    for what, fact in ((f"the machine {name}", machine), (f"the Node {name}", node)):
        if fact is None or fact.code in {codes.UNSEEN, codes.UNOBSERVABLE}:
            return Judgement(Verdict.UNKNOWN, f"{what} is not seen", 0, 1)
    if machine is None or node is None:
        return Judgement(Verdict.UNKNOWN, f"{name} is not seen", 0, 1)
    why = _open(name, machine, node, cordoned=bool(named.options.get("cordoned")))
    if why:
        return Judgement(Verdict.BROKEN, why, 0, 1)
    return Judgement(Verdict.HOLDS, f"{name} is back", 1, 1)


def _open(name: str, machine: Fact, node: Fact, *, cordoned: bool) -> str:
    """Say what is not back yet (empty: nothing)."""
    if machine.code != codes.RUNNING:
        return f"the machine {name} is {machine.code}"
    member = machine.detail.get("etcd") == RUNNING and machine.detail.get("etcd_healthy")
    if machine.detail.get("role") == "controlplane" and not member:
        return f"etcd on {name} is not healthy"
    if node.code == codes.READY or (cordoned and node.reason == "cordoned"):
        return ""
    return f"the Node {name}: {node.reason or node.code}"


def decide(
    plan: Plan, state: str, facts: Facts, findings: Findings, memory: Memory
) -> dict[Subject, Answer]:
    """Wait: nothing can be done here but to look."""
    del findings, memory
    judged = guard(plan, state, facts)
    clears = "unknown" if judged.verdict is Verdict.UNKNOWN else "yes"
    return {} if judged.verdict is Verdict.HOLDS else {state: Wait(judged.why, can_clear=clears)}
