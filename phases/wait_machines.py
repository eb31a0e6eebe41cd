"""
What a wait for a machine is: who is on its way by itself, and who stands and waits for etcd.

In the graph etcd needs its machines, and a control plane is only well when etcd runs on it: where a node stands and
waits, it is etcd that the run waits for, and what etcd waits for are the other control planes.
"""

from __future__ import annotations

from engine.answer import Subject
from engine.memory import Memory
from journal.entries import Fact, Instant, Outcome
from phases import codes
from phases.etcd_begin import BOOTSTRAP_PATIENCE_SECONDS, UNSEEN_PATIENCE_SECONDS
from phases.needs import is_at_work
from phases.section import Section
from phases.verbs import BOOTSTRAP, RECOVER

# Stages of Talos that end with a reboot: who goes out of sight after one of them is expected back.
LEAVES = {"installing", "rebooting", "resetting", "upgrading"}
ON_MACHINES = codes.subject("DaemonSet", "")
STANDS = {codes.WAITS_FOR_ETCD, codes.UNHEALTHY}


def is_moving(memory: Memory, subject: Subject, at: Instant) -> bool:
    """
    Say whether a machine is busy with itself, or gone for no longer than a reboot may take.

    *memory* has to know the code that each node had before (``codes``).
    """
    fact = memory.facts.get(subject)
    if fact is None or not subject.startswith("node/"):
        return False
    if fact.code in LEAVES or is_at_work(subject, fact):
        return True
    left = fact.code == codes.UNSEEN and memory.codes.get(subject) in LEAVES
    return left and fact.since is not None and at - fact.since <= UNSEEN_PATIENCE_SECONDS


def lost(section: Section, memory: Memory, at: Instant) -> tuple[str, ...]:
    """Name the planned machines that do not answer and are not on their way: nothing works on what waits for these."""
    found = ((name, memory.facts.get(codes.node(name))) for name in section.talos.nodes)
    return tuple(
        name
        for name, fact in found
        if fact is not None
        and fact.code == codes.UNSEEN
        and not fact.reason.startswith(codes.NOT_ASKED)
        and not is_moving(memory, codes.node(name), at)
    )


def lacks_lost(
    section: Section, memory: Memory, subject: Subject, fact: Fact, at: Instant
) -> tuple[str, ...]:
    """
    Name the lost machines that are all that a DaemonSet of every node lacks: nobody is at work on it then.

    One of fewer nodes may lack a pod elsewhere, and so may one that lacks more pods than machines are lost.
    """
    if not subject.startswith(ON_MACHINES):
        return ()
    ready, expected = fact.detail.get("ready"), fact.detail.get("expected")
    if not isinstance(ready, int) or expected != len(section.node_names):
        return ()
    names = lost(section, memory, at)
    return names if 0 < expected - ready <= len(names) else ()


def calm_after(memory: Memory) -> Instant:
    """Return the instant after which time alone changes no verdict about a machine: the last patience is over."""
    unseen = (
        fact.since + UNSEEN_PATIENCE_SECONDS
        for subject, fact in memory.facts.items()
        if fact.code == codes.UNSEEN and fact.since is not None and subject.startswith("node/")
    )
    begun = (
        attempt.settled_at + BOOTSTRAP_PATIENCE_SECONDS
        for verb in (BOOTSTRAP, RECOVER)
        for attempt in memory.attempts_at(verb)
        if attempt.settled_at is not None
    )
    return max(*unseen, *begun, memory.opened_at, memory.opened_at)


def waits_for_etcd(section: Section, memory: Memory, subject: Subject) -> bool:
    """Say whether a subject is etcd, or a control plane that stands, before etcd is well."""
    if subject != codes.ETCD and not subject.startswith("node/"):
        return False  # nearly all there is, and this is asked of everything that is waited for
    etcd, fact = memory.facts.get(codes.ETCD), memory.facts.get(subject)
    if etcd is not None and etcd.code == codes.HEALTHY:
        return False
    if subject == codes.ETCD:
        return True
    if fact is None or fact.code not in STANDS:
        return False
    return subject in {codes.node(name) for name in section.talos.control_planes}


def etcd_comes(section: Section, memory: Memory, at: Instant) -> bool:
    """Say whether etcd forms, shows itself any moment after its bootstrap, or has a control plane on its way."""
    etcd = memory.facts.get(codes.ETCD)
    if etcd is not None and is_at_work(codes.ETCD, etcd):
        return True
    if any(is_moving(memory, codes.node(name), at) for name in section.talos.control_planes):
        return True
    begun = (a for verb in (BOOTSTRAP, RECOVER) for a in memory.attempts_at(verb))
    settled = [
        a.settled_at for a in begun if a.outcome is Outcome.DONE and a.settled_at is not None
    ]
    return any(at - since <= BOOTSTRAP_PATIENCE_SECONDS for since in settled)
