"""
CNI up: every planned node is a Ready Node of this boot, and the network's workloads run.

The operator's own command installs them. It counts as having worked when they are there, not when it exits 0.
"""

from __future__ import annotations

from engine.answer import Answer, Done, Subject, Wait
from engine.memory import Memory
from engine.plan import Plan
from engine.recipe import Facts, Findings, Judgement, Verdict
from journal.entries import Fact, Outcome
from phases import codes
from phases.readiness.nodes import CORDONED
from phases.readiness.saying import unlisted
from phases.section import Section
from phases.sentence import alarmed, sentenced
from phases.verbs import COMMAND, run_command

COMMAND_SETTLE_SECONDS = 120.0


def guard(plan: Plan, facts: Facts) -> Judgement:
    """Hold when all nodes are Ready and all of the network's workloads are complete."""
    section: Section = plan.target
    subjects = [*map(codes.k8s_node, section.node_names), *network(section)]
    unseen = _unlisted(facts)
    if unseen is not None:
        return Judgement(Verdict.UNKNOWN, unseen, 0, len(subjects))
    bad = [s for s in subjects if s not in facts or facts[s].code != codes.READY]
    done = len(subjects) - len(bad)
    if bad:
        known = [s for s in bad if s not in facts or facts[s].code != codes.UNOBSERVABLE]
        bad = known or bad
        fact = facts.get(bad[0], Fact(codes.ABSENT))
        why = f"{bad[0]} is {fact.code} {fact.reason}".rstrip()
        verdict = Verdict.UNKNOWN if fact.code == codes.UNOBSERVABLE else Verdict.BROKEN
        return Judgement(verdict, why, done, len(subjects))
    why = "the network is up on every node" if section.network else "every node is Ready"
    return Judgement(Verdict.HOLDS, why, done, len(subjects))


def network(section: Section) -> list[Subject]:
    """Subjects of the network's workloads."""
    return list(section.networking)


def _unlisted(facts: Facts) -> str | None:
    for kind in ("Node", "DaemonSet", "Deployment"):
        fact = facts.get(codes.kind(kind))
        if fact is None or fact.code != codes.SEEN:
            return unlisted(kind, fact)
    return None


def decide(plan: Plan, facts: Facts, findings: Findings, memory: Memory) -> dict[Subject, Answer]:
    """Answer for the network's workloads, then for each Node."""
    section: Section = plan.target
    unseen = _unlisted(facts)
    if unseen is not None:
        return {codes.API: Wait(unseen, can_clear="unknown")}
    answers: dict[Subject, Answer] = {}
    missing = [s for s in network(section) if _is_absent(facts, s)]
    if missing:
        answers |= installing(plan, section.cni.command, missing, memory)
    for subject in network(section):
        fact = facts.get(subject)
        if fact is not None and fact.code != codes.READY and subject not in missing:
            answers[subject] = Wait(f"{subject}: {fact.reason}")
    for name in section.node_names:
        fact = facts.get(codes.k8s_node(name))
        if fact is None or fact.code != codes.READY:
            reason = fact.reason if fact is not None else "not registered"
            # Who cordoned a node takes it back, or forgets to.
            clears = "unknown" if reason == CORDONED else "yes"
            answers[codes.k8s_node(name)] = Wait(f"{name}: {reason}", can_clear=clears)
    # What is wrong beyond the network is not waited for yet, and ends nobody's wait here.
    ours = {name: root for name, root in findings.items() if root.subject in answers}
    answers = sentenced(answers, ours, memory, section)
    return alarmed(answers, ours, memory, section) or {codes.API: Done()}


def _is_absent(facts: Facts, subject: Subject) -> bool:
    fact = facts.get(subject)
    return fact is None or fact.code == codes.ABSENT


def installing(
    plan: Plan, command: str, absent: list[Subject], memory: Memory
) -> dict[Subject, Answer]:
    """Answer for what is absent: by the command that installs it, if a plan says which one does."""
    reason = f"absent: {', '.join(absent)}"
    if command in plan.target.commands:
        return {f"command/{command}": installed(plan, command, reason, memory)}
    reason += "; without a plan nobody knows what installs it"
    return {absent[0]: Wait(reason, can_clear="unknown")}


def installed(plan: Plan, command: str, reason: str, memory: Memory) -> Answer:
    """Run an installing command, unless it ended well a moment ago and its objects only do not show yet."""
    last = memory.last_of(COMMAND, f"command/{command}")
    if last is not None and last.outcome is Outcome.DONE and last.settled_at is not None:
        due = last.settled_at + COMMAND_SETTLE_SECONDS
        if not memory.passed(due):
            return Wait(f"{command} has ended; {reason}", due)
    return run_command(plan, command, reason)
