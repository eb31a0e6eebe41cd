"""
Resets: nodes that a person wants wiped, one after the other, and each only after a typed yes to exactly that machine.

Nothing here begins by itself on a healthy node. A reset is asked for when a run is opened and stands in its first
entry; each named node is wiped at most once for it. Workers come first, control planes last and one by one, and all of
them before anything is configured again: a node that is given back too early would carry the old etcd into the new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.allowing import answer_to
from engine.answer import Answer, Stuck, Subject, Wait
from engine.memory import Attempt, Memory
from engine.plan import Plan
from engine.recipe import Facts
from journal.entries import Fact, Outcome
from phases import codes, quorum
from phases.etcd_quorum import RUNS
from phases.etcd_snapshot import control_planes, is_of_another, snapshot_of, snapshot_wanted, taken
from phases.lives import LABELS, RESET, is_seen_done
from phases.section import Section
from phases.verbs import APPLY
from phases.wiping import act, course, hidden, is_under_way, last_of, question

GUARD = "node-maintenance"


@dataclass(frozen=True, slots=True)
class Request:
    """Which nodes a person wants wiped, and which labels of them."""

    nodes: tuple[str, ...]
    scope: tuple[str, ...] = LABELS


def request_of(section: Section, memory: Memory) -> Request | None:
    """Return what was asked of this run, as far as it is about planned nodes; workers first."""
    raw = memory.request.get(RESET)
    if not isinstance(raw, Mapping):
        return None
    wanted = set(raw.get("nodes", ()))
    names = [name for name in section.talos.nodes if name in wanted]
    names.sort(key=lambda name: section.talos.nodes[name].role == "controlplane")
    scope = tuple(label for label in LABELS if label in raw.get("scope", LABELS))
    return Request(tuple(names), scope) if names and scope else None


def owed(plan: Plan, memory: Memory) -> dict[str, str]:
    """Say which states' goals do not hold yet because of resets that were asked for."""
    if RESET not in memory.request or memory.state not in plan.states:
        return {}
    names = left(plan.target, memory)
    if not names:
        return {}
    states = plan.states[plan.states.index(memory.state) :]
    why = f"asked for and not done: reset {', '.join(names)}"
    return {s: why for s in states if (plan.machine.states[s].guard or s) == GUARD}


def left(section: Section, memory: Memory) -> list[str]:
    """Name the nodes whose reset was asked for and is not done: in maintenance there is nothing to wipe any more."""
    request = request_of(section, memory)
    return [name for name in request.nodes if not _is_over(name, memory)] if request else []


def _is_over(name: str, memory: Memory) -> bool:
    """Wiped, or in maintenance anyway; what was given its configuration since is a new life that nobody asked about."""
    target = codes.node(name)
    last = last_of(name, memory)
    if last is not None and is_seen_done(last):
        return True
    applied = memory.last_of(APPLY, target)
    if applied is not None and applied.outcome is not Outcome.FAILED:
        return True
    if any(deed.verb == APPLY and deed.target == target for deed in memory.deeds):
        return True
    fact = memory.facts.get(target)
    bare = fact is not None and fact.code == codes.MAINTENANCE
    in_doubt = last is not None and last.outcome in {None, Outcome.UNSETTLED}
    return bare and not in_doubt


def answers(plan: Plan, facts: Facts, memory: Memory) -> dict[Subject, Answer]:
    """Answer for each node that is still to be reset."""
    section: Section = plan.target
    request = request_of(section, memory)
    if request is None:
        return {}
    names = left(section, memory)
    return {codes.node(name): _answer(plan, request, names, name, facts, memory) for name in names}


def _answer(
    plan: Plan, request: Request, names: list[str], name: str, facts: Facts, memory: Memory
) -> Answer:
    section: Section = plan.target
    last = last_of(name, memory)
    if last is not None and is_under_way(name, memory):
        return course(plan, name, last, facts, memory)
    nobody = hidden(name, facts)
    if nobody is not None:
        return nobody
    scope = request.scope
    verdict = quorum.without(section, facts, name, request.nodes, scope, memory.now)
    if isinstance(verdict, Stuck | Wait):
        return verdict
    ask = question(section, name, facts[codes.node(name)], scope, request.nodes)
    reason = _turn(section, names, name, facts, memory)
    given = answer_to(memory, codes.node(name), ask) == "given"
    if reason and plan.verbs[RESET].enabled:
        # Asked at once, so that a person can say yes to all and go; done when its turn has come.
        moving = any(is_under_way(other, memory) for other in names)
        return Wait(reason, can_clear="yes" if moving else "no") if given else ask
    first = snapshot_first(plan, facts, memory, name) if given else None
    if first is not None:
        return first
    why = "its reset was asked for when the run was opened"
    return act(plan, name, facts, memory, scope, graceful=verdict, why=why, ask=ask)


def snapshot_first(plan: Plan, facts: Facts, memory: Memory, name: str) -> Answer | None:
    """
    While etcd answers, no node is wiped without a snapshot of it.

    Whatever the labels: with its configuration alone a control plane's member goes too, and its data is in the way of
    the next. A worker has none, but what is wiped first is often not what is wiped last.
    """
    if name not in plan.target.talos.control_planes:
        return snapshot_wanted(plan, facts, memory)
    own = taken(memory)
    if own is not None and _is_as_large(own, control_planes(plan.target, facts)[name], name):
        return snapshot_of(plan, facts, memory, name, memory.opened_at)
    return snapshot_wanted(plan, facts, memory)


def _is_as_large(own: Attempt, known: Fact, name: str) -> bool:
    """Say whether a node runs another etcd than the one that was copied, and no smaller: nobody knows which counts."""
    runs = known.detail.get("etcd") == RUNS and is_of_another(own, name)
    members = known.detail.get("members") or ()
    return runs and len(members) >= len(own.arguments.get("members") or ())


def _turn(section: Section, names: list[str], name: str, facts: Facts, memory: Memory) -> str:
    """Say what has to come before a node's reset; empty: it is its turn. Of *names*, workers come first."""
    if name not in section.talos.control_planes:
        return ""
    under_way = [n for n in names if is_under_way(n, memory)]
    if under_way:
        return f"{name} is reset after {', '.join(under_way)}: control planes go one by one"
    unseen = [n for n in names if facts.get(codes.node(n), Fact(codes.UNSEEN)).code == codes.UNSEEN]
    if unseen:
        return (
            f"{name} is not reset while {', '.join(unseen)}, to be reset as well, does not answer"
        )
    earlier = names[: names.index(name)]
    return f"{name} is reset after {', '.join(earlier)}" if earlier else ""
