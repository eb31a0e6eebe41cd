"""
Members of etcd that nobody stands behind: removed only while a quorum stands, by a person's word, one at a time.

Talos itself removes a member whose node of the same name joins with an empty data directory (talos v1.12
internal/app/machined/pkg/system/services/etcd.go, addMember); what is left to do here is what it does not see.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.answer import Act, Answer, Ask, Stuck, Wait
from engine.memory import Memory
from engine.plan import Plan
from engine.recipe import Facts
from journal.entries import Fact
from phases import codes
from phases.etcd_quorum import Member, Quorum, is_healthy, members_of
from phases.etcd_snapshot import control_planes
from phases.section import Section
from phases.verbs import REMOVE_MEMBER

REJOIN_PATIENCE_SECONDS = 300.0  # Talos retries to join every few seconds, each try for up to 30


def decide(plan: Plan, facts: Facts, found: Quorum, memory: Memory) -> Answer | None:
    """Answer for the first member that has to go; None: there is none."""
    section: Section = plan.target
    stale = _stale(section, facts, found, memory)
    if stale is None or not found.stands:
        return None
    member, why = stale
    planes = control_planes(section, facts)
    tellers = [name for name, fact in planes.items() if is_healthy(fact)]
    if not tellers or not _keeps_quorum(found):
        return Wait(
            f"etcd still counts {member.name}, {why}; without all of its others it cannot be removed: {found.said}",
            can_clear="unknown",
        )
    if not member.ident:
        return Wait(
            f"etcd still counts {member.name}, {why}; its id was not told", can_clear="unknown"
        )
    if not plan.verbs[REMOVE_MEMBER].enabled:
        return Stuck(
            reference="etcd-member-stale",
            message=f"etcd still counts member {member.ident} ({member.name}), {why}",
            hint=f"make sure that its machine is gone for good, and set machine.verbs.{REMOVE_MEMBER}.enabled in the "
            f"plan, or remove it by hand: `talosctl -n {tellers[0]} etcd remove-member {member.ident}`",
        )
    arguments = {
        "node": tellers[0],
        "address": section.talos.nodes[tellers[0]].address,
        "member": member.ident,
        "name": member.name,
    }
    approval = Ask(
        question=f"remove member {member.ident} ({member.name}) from etcd: {why}?",
        consequence=f"{member.name} leaves etcd; if it comes back it must not be with the data that it has",
        evidence={"member": member.ident, "name": member.name},
        typed=f"{member.name} {member.ident}",
    )
    return Act(REMOVE_MEMBER, f"etcd-member/{member.ident}", arguments, why, approval)


def _keeps_quorum(found: Quorum) -> bool:
    """Tell whether those that answer are a majority of what is left; one that goes is not among them."""
    return found.answering > (found.voters - 1) // 2


def _is_joining(member: Member, planes: Mapping[str, Fact]) -> bool:
    """A learner is on its way in, not left behind."""
    return any(member.name in (fact.detail.get("learners") or ()) for fact in planes.values())


def _stale(
    section: Section, facts: Facts, found: Quorum, memory: Memory
) -> tuple[Member, str] | None:
    if found.strangers:
        return found.strangers[0], "which is no planned control plane"
    planes = control_planes(section, facts)
    for member in members_of(planes):
        fact = planes.get(member.name)
        if fact is None or fact.code != codes.WAITS_FOR_ETCD or _is_joining(member, planes):
            continue
        if memory.passed((fact.since or memory.now) + REJOIN_PATIENCE_SECONDS):
            return member, "whose machine waits to join with an empty data directory"
    return None
