"""
One operator at a time: while another has the lease in the cluster, nothing is begun here, and nobody is asked.

The lease keeps journals apart that know nothing of each other. Without an API it cannot be asked for, and holds nobody
up: then the guards at the target have the last word. Whoever waits goes on by itself once the other has ended, or has
not renewed the lease for as long as it lasts.
"""

from __future__ import annotations

from engine.answer import Act, Answer, Ask, Subject, Wait
from engine.memory import Memory
from engine.plan import Plan
from engine.recipe import Facts
from journal.entries import Fact
from phases import codes, half_gone
from phases.snapshot import Snapshot, Unseen

NOT_ASKED = "not-asked"
REACHED = {codes.UP, codes.PARTIAL}


def fact_of(snapshot: Snapshot) -> dict[Subject, Fact]:
    """Say who acts on this cluster; nothing where nobody asks (a rehearsal, a watch)."""
    look = snapshot.operator
    if look is None:
        return {}
    if isinstance(look, Unseen):
        return {codes.OPERATOR: Fact(codes.UNOBSERVABLE, look.code)}
    if look.value.ours:
        return {codes.OPERATOR: Fact(codes.OURS)}
    return {codes.OPERATOR: Fact(codes.FOREIGN, look.value.holder)}


def held(
    plan: Plan, facts: Facts, memory: Memory, answers: dict[Subject, Answer]
) -> dict[Subject, Answer]:
    """Hold whatever would begin while somebody else acts, or while that is being asked; then what nodes say."""
    answers = half_gone.held(plan, facts, memory, answers)
    why = "" if memory.watches else _why(facts)
    if not why:
        return answers
    return {subject: _instead(answer, why) for subject, answer in answers.items()}


def _why(facts: Facts) -> str:
    fact = facts.get(codes.OPERATOR)
    if fact is None:
        return ""
    if fact.code == codes.FOREIGN:
        return f"{fact.reason or 'somebody else'} acts on this cluster"
    api = facts.get(codes.API)
    asks = fact.code == codes.UNOBSERVABLE and fact.reason == NOT_ASKED
    return "asks who else acts" if asks and api is not None and api.code in REACHED else ""


def _instead(answer: Answer, why: str) -> Answer:
    if isinstance(answer, Act):
        return Wait(f"{why}; held: {answer.verb} {answer.target}")
    if isinstance(answer, Ask):
        return Wait(f"{why}; held: {answer.question}")
    return answer
