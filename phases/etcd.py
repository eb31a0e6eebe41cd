"""
What becomes of etcd: waited for, begun, recovered, or given up to a person, by what every control plane shows.

While the quorum is lost nothing is waited for in silence: a snapshot is taken where one can be had, and then it is said
what a person has to bring back, or to empty.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.answer import Answer, Done, Stuck, Wait
from engine.memory import Memory
from engine.plan import Plan
from engine.recipe import Facts
from journal.entries import Fact
from phases import codes, etcd_begin, etcd_members
from phases.etcd_quorum import (
    DEGRADED,
    PARTED_PATIENCE_SECONDS,
    Quorum,
    lasting,
    parted_until,
    quorum,
)
from phases.etcd_snapshot import control_planes, snapshot_wanted, source
from phases.lives import RESET
from phases.verbs import RECOVER

LOST_PATIENCE_SECONDS = 60.0  # nodes that boot one after the other pass through this
UNSEEN_PATIENCE_SECONDS = etcd_begin.UNSEEN_PATIENCE_SECONDS


def decide(plan: Plan, facts: Facts, memory: Memory) -> Answer:
    """Answer for etcd as a whole."""
    known = facts.get(codes.ETCD)
    if known is not None and known.code == codes.HEALTHY:
        return Done()
    planes = control_planes(plan.target, facts)
    found = lasting(quorum(planes), known, memory.now)
    if found.verdict == codes.FOREIGN:
        return Stuck(reference="etcd-foreign", message=found.said, hint=found.way_out)
    if found.verdict == codes.PARTED:
        return _parted(known, found, memory)
    if found.verdict == codes.LOST:
        return _lost(plan, facts, found, memory)
    if found.verdict == codes.UNKNOWN and found.leaderless:
        return _hidden(planes, found, memory)
    if any(fact.detail.get("members") for fact in planes.values() if fact.code != codes.UNSEEN):
        stale = etcd_members.decide(plan, facts, found, memory)
        return stale or _incomplete(known, found)
    return etcd_begin.decide(plan, facts, memory)


def _incomplete(known: Fact | None, found: Quorum) -> Wait:
    reason = known.reason if known is not None else ""
    degraded = f"; {found.said}; {found.way_out}" if found.verdict == DEGRADED else ""
    return Wait(f"etcd runs and is not complete: {reason}{degraded}")


def _parted(known: Fact | None, found: Quorum, memory: Memory) -> Wait:
    """Only what lasts makes two clusters of them; until then nothing rests on what either tells."""
    due = parted_until(known)
    return Wait(
        found.said,
        memory.now + PARTED_PATIENCE_SECONDS if due is None else due,
        can_clear="unknown",
    )


def _lost(plan: Plan, facts: Facts, found: Quorum, memory: Memory) -> Answer:
    """Only what lasts is a loss; then a snapshot of what is left comes first, and a person decides."""
    known = facts.get(codes.ETCD)
    due = (known.since if known is not None and known.since else memory.now) + LOST_PATIENCE_SECONDS
    if not memory.passed(due):
        return Wait(found.said, due, can_clear="unknown")
    first = snapshot_wanted(plan, facts, memory)
    if first is not None:
        return first
    there = source(plan, memory)
    kept = f"a snapshot is {there.path} ({there.written()})" if there else "there is no snapshot"
    planes = ",".join(plan.target.talos.control_planes)  # fewer would leave some that could go on
    empty = f"empty the EPHEMERAL partition of {', '.join(found.leaderless)}"
    then = (
        "this run then recovers from it, after your approval"
        if plan.verbs[RECOVER].enabled
        else f"then recover by hand, or set machine.verbs.{RECOVER}.enabled in the plan"
    )
    return Stuck(
        reference="etcd-quorum-lost",
        message=found.said,
        hint=f"{found.way_out}; {kept}: {empty}, and {then}; a run does both where the plan enables {RESET} and "
        f"{RECOVER}: `rekindle cancel`, then `rekindle run PLAN --reset {planes} --reset-scope EPHEMERAL`",
    )


def _hidden(planes: Mapping[str, Fact], found: Quorum, memory: Memory) -> Answer:
    """What is not seen is not lost; but for ten minutes only it is waited for without a word."""
    since = [
        fact.since or memory.opened_at for fact in planes.values() if fact.code == codes.UNSEEN
    ]
    due = max(since, default=memory.opened_at) + UNSEEN_PATIENCE_SECONDS
    if not memory.passed(due):
        return Wait(found.said, due, can_clear="unknown")
    return Stuck(reference="etcd-quorum-unseen", message=found.said, hint=found.way_out)
