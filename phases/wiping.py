"""
The wipe of one machine, whoever wants it: whether it can be asked about, what is asked, and what becomes of it.

It is bound to the machine that was agreed to, by its UUID and its boot; a doubt that stays goes to a person.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from engine.answer import Act, Answer, Ask, Stuck, Wait
from engine.memory import Attempt, Memory
from engine.plan import Plan
from engine.recipe import Facts
from journal.entries import Fact, Json, Outcome
from phases import codes
from phases.etcd_snapshot import snapshot_said
from phases.lives import EPHEMERAL, RESET, STANDING, STATE, is_seen_done
from phases.section import Section

RESET_PATIENCE_SECONDS = (
    600.0  # it drains, leaves etcd, wipes, reboots, and shows itself in maintenance
)


def last_of(name: str, memory: Memory) -> Attempt | None:
    """Return this run's latest reset of a node: what an earlier run did is no answer to this one's request."""
    return memory.last_of(RESET, codes.node(name))


def is_under_way(name: str, memory: Memory) -> bool:
    """Begun, and neither seen to have happened nor proven to be without effect; that it settled as done is no proof."""
    last = last_of(name, memory)
    return last is not None and last.outcome is not Outcome.FAILED and not is_seen_done(last)


def hidden(name: str, facts: Facts) -> Answer | None:
    """Nothing is wiped that does not say who it is."""
    fact = facts.get(codes.node(name))
    if fact is None or fact.code == codes.UNSEEN:
        return Wait(f"{name} does not answer; it is reset once it does", can_clear="unknown")
    if fact.code == codes.FOREIGN:
        return foreign(name)
    if fact.code not in STANDING:
        return Wait(f"{name} is {fact.code}; it is reset once it stands")
    unread = [what for what in ("uuid", "boot_id") if not fact.detail.get(what)]
    if unread:
        why = f"the {' and '.join(unread)} of {name} cannot be read; no reset without"
        return Wait(why, can_clear="unknown")
    return None


def foreign(name: str) -> Stuck:
    """A node that is configured with other secrets than ours: ours cannot reset it either."""
    return Stuck(
        reference="node-foreign",
        message=f"{name} is configured with other secrets than those of this plan's talosconfig",
        hint="compare the talosconfig with the one the node was configured with: only that one may reset it; it is "
        "not touched",
    )


def question(
    section: Section, name: str, fact: Fact, scope: Sequence[str], going: Collection[str]
) -> Ask:
    """
    Bind the answer to this machine and to what of it goes; graceful or not, the same is lost.

    *going* are all nodes that are wiped together with it.
    """
    address, uuid = section.talos.nodes[name].address, fact.detail["uuid"]
    whole = EPHEMERAL in scope and set(section.talos.control_planes) <= set(going)
    return Ask(
        question=f"reset {name} ({address}, machine UUID {uuid}): wipe {' and '.join(scope)}?",
        consequence=_lost(section, name, scope, whole=whole),
        evidence={"uuid": uuid, "address": address, "scope": list(scope), "verb": RESET},
        typed=name,
    )


def _lost(section: Section, name: str, scope: Sequence[str], *, whole: bool) -> str:
    plane = name in section.talos.control_planes
    parts = {
        STATE: "STATE (its machine configuration)",
        EPHEMERAL: "EPHEMERAL (/var: images, logs, the data of local volumes"
        f"{', its member of etcd' if plane else ''})",
    }
    said = f"{' and '.join(parts[label] for label in scope)} of {name} are erased; user disks are not touched"
    if whole and plane:
        said += "; all control planes go: what only etcd has is lost unless there is a snapshot"
    return said


def act(
    plan: Plan,
    name: str,
    facts: Facts,
    memory: Memory,
    scope: Sequence[str],
    *,
    graceful: bool,
    why: str,
    ask: Ask,
) -> Act:
    """Wipe it, after the yes; the journal has which snapshot of etcd there is, or why there is none."""
    section: Section = plan.target
    detail = facts[codes.node(name)].detail
    arguments: dict[str, Json] = {
        "node": name,
        "address": section.talos.nodes[name].address,
        "machine_uuid": detail["uuid"],
        "boot_id": detail["boot_id"],
        "scope": list(scope),
        "graceful": graceful,
        "snapshot": snapshot_said(plan, facts, memory),
    }
    return Act(RESET, codes.node(name), arguments, why, ask)


def course(plan: Plan, name: str, last: Attempt, facts: Facts, memory: Memory) -> Answer:
    """Watch what becomes of a reset; a doubt that stays goes to a person, never to a second try by itself."""
    if last.outcome is None or last.settled_at is None:
        return Wait(f"{name} is being told to reset itself")
    fact = facts.get(codes.node(name), Fact(codes.UNSEEN))
    due = last.settled_at + RESET_PATIENCE_SECONDS
    if not memory.passed(due):
        return Wait(f"{name} was told to reset itself and is {fact.code}", due)
    if fact.code == codes.FOREIGN:
        return foreign(name)
    uuid, meant = fact.detail.get("uuid"), str(last.arguments["machine_uuid"])
    if fact.code not in STANDING or not fact.detail.get("boot_id") or uuid != meant:
        return Stuck(
            reference="node-reset-in-doubt",
            message=f"the reset of {name} (machine UUID {meant}) is in doubt: it is {fact.code}",
            hint="look at its console; nothing else is reset before this one shows itself, and the run goes on when "
            "it does",
        )
    scope, graceful = last.arguments["scope"], bool(last.arguments["graceful"])
    ask = Ask(
        question=f"{name} was told to reset itself and still has its configuration; reset it again?",
        consequence=_lost(plan.target, name, scope, whole=False),
        evidence={
            "action": last.action,
            "uuid": uuid,
            "boot_id": fact.detail["boot_id"],
            "scope": scope,
        },
        typed=name,
    )
    why = "the first reset is in doubt"
    return act(plan, name, facts, memory, scope, graceful=graceful, why=why, ask=ask)
