"""
Pods healthy: every expected workload has all its pods, N of M, held for the stability window.

What does not come up by itself is named; all that is done here is to have what was deleted applied again, and to ask
about a webhook that refuses its pods.
"""

from __future__ import annotations

from engine.answer import Answer, Subject, Wait
from engine.memory import Memory
from engine.plan import Plan
from engine.recipe import Facts, Findings, Judgement, Verdict
from phases import codes
from phases.blockers import blockers
from phases.nudges import paced
from phases.readiness.saying import unlisted
from phases.section import Section
from phases.sentence import alarmed, sentenced
from phases.vanished import vanished


def guard(plan: Plan, facts: Facts) -> Judgement:
    """Hold when each workload of the inventory has all its pods."""
    section: Section = plan.target
    for kind, items in section.workloads_of.items():
        listed = facts.get(codes.kind(kind))
        if items and (listed is None or listed.code != codes.SEEN):
            return Judgement(Verdict.UNKNOWN, unlisted(kind, listed), 0, section.inventory.pods)
    standing = section.standing_workloads
    ready, expected = standing.ready_pods_in(facts), standing.pods_wanted
    open_ = standing.open_in(facts)
    if open_:
        subject, fact = open_[0]
        reason = fact.reason or fact.code if fact is not None else codes.ABSENT
        return Judgement(Verdict.BROKEN, f"{subject}: {reason}", ready, expected)
    restarts = facts.get(codes.RESTARTS)
    if restarts is None:
        why = f"{unlisted('Pod', facts.get(codes.kind('Pod')))}: restarts?"
        return Judgement(Verdict.UNKNOWN, why, ready, expected)
    why = "every expected workload is complete"
    return Judgement(Verdict.HOLDS, why, ready, expected, restarts.since or 0.0)


def decide(plan: Plan, facts: Facts, findings: Findings, memory: Memory) -> dict[Subject, Answer]:
    """Say what each incomplete workload waits for."""
    answers: dict[Subject, Answer] = {}
    for _kind, key, subject, _pods in plan.target.workloads:
        fact = facts.get(subject)
        if fact is None or fact.code == codes.READY:
            continue
        clears = "unknown" if fact.code in {codes.FAILED, codes.ABSENT} else "yes"
        answers[subject] = Wait(f"{key}: {fact.reason or fact.code}", can_clear=clears)
    answers.update(paced(plan.target, vanished(plan.target, facts, memory), memory))
    answers.update(blockers(plan.target, facts, findings, memory, answers))
    answers = sentenced(answers, findings, memory, plan.target)
    return alarmed(answers, findings, memory, plan.target)
