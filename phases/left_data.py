"""
Where etcd's own data is in the way of etcd: the wipe of exactly that is offered, in the place of being stuck on it.

Only where the plan allows resets, only EPHEMERAL of one control plane, after the typed yes that every reset takes, and
while all the others show that they wait for etcd and have no member.
"""

from __future__ import annotations

from dataclasses import replace

from engine.allowing import answer_to, is_undone
from engine.answer import Answer, Stuck
from engine.memory import Memory
from engine.plan import Plan
from engine.recipe import Facts
from engine.world import ALREADY_EXISTS
from journal.entries import Outcome
from phases import codes
from phases.etcd_quorum import quorum
from phases.etcd_snapshot import control_planes, snapshot_of
from phases.lives import EPHEMERAL, RESET
from phases.verbs import BOOTSTRAP, RECOVER
from phases.wiping import act, course, hidden, is_under_way, last_of, question

SCOPE = (EPHEMERAL,)


def or_wipe(plan: Plan, facts: Facts, memory: Memory, answer: Answer) -> Answer:
    """Return the wipe that would clear what *answer* is stuck on, else *answer* itself."""
    if not isinstance(answer, Stuck) or not plan.verbs[RESET].enabled:
        return answer
    if answer.reference == "etcd-data-left":
        return _of_refusing(plan, facts, memory, answer)
    if answer.reference == "etcd-quorum-lost":
        return _of_survivor(plan, facts, memory, answer)
    return answer


def _of_refusing(plan: Plan, facts: Facts, memory: Memory, stuck: Stuck) -> Answer:
    """Offer to wipe the node whose data refused the latest beginning, a bootstrap or a recovery."""
    refusals = [
        attempt
        for attempt in (*memory.attempts_at(BOOTSTRAP), *memory.attempts_at(RECOVER))
        if attempt.code == ALREADY_EXISTS and not is_undone(plan, memory, attempt)
    ]
    if not refusals:
        return stuck
    refused = max(refusals, key=lambda attempt: attempt.intended_at)
    name = str(refused.arguments["node"])
    last = last_of(name, memory)
    if last is not None and is_under_way(name, memory):
        return course(plan, name, last, facts, memory)
    if _not_waiting(plan, facts) or hidden(name, facts) is not None:
        return stuck
    ask = question(plan.target, name, facts[codes.node(name)], SCOPE, (name,))
    why = "etcd's data is left on it, no etcd came up from it, and no control plane has a member"
    return act(plan, name, facts, memory, SCOPE, graceful=False, why=why, ask=ask)


def _of_survivor(plan: Plan, facts: Facts, memory: Memory, stuck: Stuck) -> Answer:
    """
    Offer to wipe the one control plane that is left of a lost etcd, where a recovery can follow.

    Before that it is copied, this very node and since the loss was seen: a quorum may have stood since an older copy.
    Of two that are left either may have more than the other; there a person has to choose.
    """
    names = quorum(control_planes(plan.target, facts)).leaderless
    if len(names) != 1 or not plan.verbs[RECOVER].enabled:
        return stuck
    (name,) = names
    last = last_of(name, memory)
    if last is not None and is_under_way(name, memory):
        return course(plan, name, last, facts, memory)
    known = facts.get(codes.ETCD)
    since = known.since if known is not None else None
    if since is None or _not_waiting(plan, facts) != [name] or hidden(name, facts) is not None:
        return stuck
    if _may_still_begin(plan, facts, memory, name):
        return stuck
    ask = question(plan.target, name, facts[codes.node(name)], SCOPE, (name,))
    ask = replace(
        ask,
        consequence=f"{ask.consequence}; {stuck.message}; what is left is copied before, and recovering from a "
        "snapshot takes another yes. Rather bring back a lost machine with its old disk, if one can come back",
    )
    if answer_to(memory, codes.ETCD, ask) == "given":
        first = snapshot_of(plan, facts, memory, name, since)
        if first is not None:
            return first
    why = "it is all that is left of an etcd without a quorum, and a recovery needs it empty"
    return act(plan, name, facts, memory, SCOPE, graceful=False, why=why, ask=ask)


def _may_still_begin(plan: Plan, facts: Facts, memory: Memory, name: str) -> bool:
    """Say whether another control plane was told to begin an etcd in its present boot: that one may just be late."""
    begun = (*memory.attempts_at(BOOTSTRAP), *memory.attempts_at(RECOVER))
    planes = control_planes(plan.target, facts)
    return any(
        attempt.outcome is not Outcome.FAILED
        and attempt.arguments["node"] in planes.keys() - {name}
        and planes[str(attempt.arguments["node"])].detail.get("boot_id")
        in {"", None, attempt.arguments.get("boot_id")}
        for attempt in begun
    )


def _not_waiting(plan: Plan, facts: Facts) -> list[str]:
    """Name the control planes that do not show that they wait for etcd."""
    planes = control_planes(plan.target, facts)
    return [name for name, fact in planes.items() if fact.code != codes.WAITS_FOR_ETCD]
