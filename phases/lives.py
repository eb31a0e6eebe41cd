"""
What is left of a node after a wipe, and so of a cluster.

An etcd lives on the disks of its control planes. Once each of them was wiped by this journal's own approved reset, and
was seen to be, nothing of that etcd is left: whatever was begun in it is over, and what comes next is another life.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.memory import Attempt, Memory
from engine.recipe import Facts, Happened
from engine.world import Intent
from journal.entries import Instant, Outcome
from phases import codes

if TYPE_CHECKING:
    from engine.plan import Plan

RESET = "node.reset"
STATE = "STATE"  # the machine configuration
EPHEMERAL = "EPHEMERAL"  # /var: etcd, images, logs, local volumes
LABELS = (STATE, EPHEMERAL)
# Stages in which a node runs from its configuration; one that resets itself, or goes down, has not shown yet what for.
STANDING = {"booting", codes.RUNNING, codes.UNHEALTHY, codes.WAITS_FOR_ETCD}


def reset_happened(plan: Plan, facts: Facts, intent: Intent) -> Happened:
    """
    Say what the node itself shows of a reset: nothing that a client was told counts.

    In maintenance without its configuration: it happened. Still in the same boot and running: it did not. One that
    does not answer, has another machine's UUID, or runs from a configuration in another boot tells neither.
    """
    del plan
    fact = facts.get(intent.target)
    if fact is None or fact.code == codes.UNSEEN:
        return Happened.UNKNOWN
    uuid, boot = fact.detail.get("uuid"), fact.detail.get("boot_id")
    if uuid and uuid != intent.arguments.get("machine_uuid"):
        return Happened.UNKNOWN
    if STATE in intent.arguments["scope"] and fact.code == codes.MAINTENANCE:
        return Happened.YES
    if fact.code not in STANDING or not boot:
        return Happened.UNKNOWN
    if boot == intent.arguments["boot_id"]:
        return Happened.NO
    # Without STATE nothing but the boot tells: a node keeps its configuration.
    return Happened.UNKNOWN if STATE in intent.arguments["scope"] else Happened.YES


def is_seen_done(attempt: Attempt) -> bool:
    """Say whether a reset was seen to have happened: only the probe's word counts, no settlement's."""
    return attempt.outcome is Outcome.DONE and attempt.by == "probe"


def wiped_at(memory: Memory, name: str) -> Instant | None:
    """Return when the latest reset of a node was begun that is known to have wiped etcd's data there."""
    done = (
        attempt.intended_at
        for attempt in memory.attempts_at(RESET)
        if attempt.target == codes.node(name)
        and is_seen_done(attempt)
        and EPHEMERAL in attempt.arguments.get("scope", ())
    )
    return max(done, default=None)


def bootstrap_undone(plan: Plan, memory: Memory, attempt: Attempt) -> bool:
    """
    Say whether nothing of a bootstrap is left: every planned control plane was wiped since.

    A certain refusal left nothing anywhere; what it met (etcd's data) is gone with its own node's.
    """
    if attempt.outcome is None:
        return False
    since = attempt.settled_at if attempt.settled_at is not None else attempt.intended_at
    names = plan.target.talos.control_planes
    if attempt.outcome is Outcome.FAILED:
        names = (str(attempt.arguments["node"]),)
    wiped = [wiped_at(memory, name) for name in names]
    return all(at is not None and at > since for at in wiped)
