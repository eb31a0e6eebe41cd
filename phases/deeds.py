"""
What people do beside a run, recognised by what the facts show and nothing else.

Two kinds: an action that the run wished and never began, whose effect is there; and what no run of ours ever does (a
node wiped, an object suspended, a root deleted). A controller may have brought the effect as well: what is known for
sure is that this run did not. Nothing here reaches a decision.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from itertools import compress
from operator import is_not

from engine.answer import Subject
from engine.memory import Deed, Memory
from engine.plan import Plan
from engine.recipe import Facts, Happened
from engine.wishes import wishes_in
from engine.world import Intent
from journal.entries import Fact, Outcome
from phases import codes
from phases.cni_up import network
from phases.lives import RESET
from phases.section import Section
from phases.verbs import (
    APPLY,
    BOOTSTRAP,
    COMMAND,
    KUBECONFIG,
    NUDGE,
    PREAPPLY,
    RECOVER,
    RELEASE,
    ROOT,
    UNHOOK,
    UNSERVE,
    release_happened,
    removed_happened,
)

WIPE = "node.wipe"
SUSPEND = "flux.suspend"
DELETE = "flux.delete"
NETWORK = "network.install"
FLUX = "flux.install"
# Stages of a node that has a machine configuration; a reboot and a shutdown are also those of one in maintenance.
CONFIGURED = {"booting", "resetting", codes.RUNNING, codes.UNHEALTHY, codes.WAITS_FOR_ETCD}
CAME_FROM_MAINTENANCE = CONFIGURED | {"installing", codes.FOREIGN}
BEGINNINGS = (BOOTSTRAP, RECOVER)  # of etcd: what shows the one shows the other
Shown = tuple[Subject, str, str]  # what shows it, its code before and now
Effect = Callable[[Plan, Subject, Memory, Memory], Shown | None]


def deeds(plan: Plan, before: Memory, after: Memory, wished: Collection[str]) -> list[Deed]:
    """
    Say what others did between two memories; *wished* is what the run wishes now.

    *after* has today's facts and still the answers of the turn before.
    """
    found = [*_lasting(plan, before, after, wished), *_passing(plan, before, after)]
    found += _unplanned(plan.target, before, after)
    return [*found, *_strange(plan.target, before, after)]


def _lasting(plan: Plan, before: Memory, after: Memory, wished: Collection[str]) -> Iterator[Deed]:
    """What shows for as long as it is there: also after a while in which nothing could be seen."""
    for key in before.wished:
        verb, _, target = key.partition(" ")
        effect = LASTING.get(verb)
        if effect is None or key in wished or not _certainly_not_ours(plan, before, verb, target):
            continue
        shown = effect(plan, target, before, after)
        if shown is not None:
            yield Deed(verb, target, *shown)


def _passing(plan: Plan, before: Memory, after: Memory) -> Iterator[Deed]:
    """What only the change itself shows; so it must have been wished until just now."""
    for key in wishes_in(before.answers):
        verb, _, target = key.partition(" ")
        effect = PASSING.get(verb)
        if effect is None:
            continue
        # A token tells whose it is; of everything else, ours may show late.
        if verb != NUDGE and not _certainly_not_ours(plan, before, verb, target):
            continue
        shown = effect(plan, target, before, after)
        if shown is not None:
            yield Deed(verb, target, *shown)


def _certainly_not_ours(plan: Plan, memory: Memory, verb: str, target: Subject) -> bool:
    """An etcd that we bootstrapped on another node is ours as well."""
    known = memory.attempts_at(verb)
    if verb in BEGINNINGS:
        known = tuple(attempt for other in BEGINNINGS for attempt in memory.attempts_at(other))
    if plan.verbs[verb].scope != "cluster":
        known = tuple(attempt for attempt in known if attempt.target == target)
    return all(attempt.outcome is Outcome.FAILED for attempt in known)


# --- effects of what was wished ------------------------------------------------------------------


def _applied(_plan: Plan, target: Subject, _before: Memory, after: Memory) -> Shown | None:
    code = _code(after.facts, target)
    return (target, codes.MAINTENANCE, code) if code in CAME_FROM_MAINTENANCE else None


def _bootstrapped(plan: Plan, _target: Subject, _before: Memory, after: Memory) -> Shown | None:
    planes = plan.target.talos.control_planes
    shown = (after.facts.get(codes.node(name)) for name in planes)
    if not any(fact is not None and fact.detail.get("members") for fact in shown):
        return None
    return codes.ETCD, codes.NONE, _code(after.facts, codes.ETCD)


def _fetched(_plan: Plan, target: Subject, before: Memory, after: Memory) -> Shown | None:
    code = _code(after.facts, target)
    return (target, _code(before.facts, target), code) if code == codes.OURS else None


def _commanded(plan: Plan, target: Subject, _before: Memory, after: Memory) -> Shown | None:
    section: Section = plan.target
    name = target.removeprefix("command/")
    brought: list[Subject] = network(section) if name == section.cni.command else []
    if name == (section.flux.command or section.cni.command):
        brought += [codes.subject("deployment", key) for key in section.flux.controllers]
    return _all_there(brought, after.facts)


def _rooted(plan: Plan, _target: Subject, _before: Memory, after: Memory) -> Shown | None:
    section: Section = plan.target
    return _all_there([*section.roots, section.source], after.facts)


def _all_there(subjects: list[Subject], facts: Facts) -> Shown | None:
    there = [_code(facts, subject) for subject in subjects]
    if not there or any(code in {"", codes.ABSENT} for code in there):
        return None
    return subjects[0], codes.ABSENT, there[0]


def _defined(_plan: Plan, target: Subject, before: Memory, after: Memory) -> Shown | None:
    code = _code(after.facts, target)
    there = code not in {"", codes.ABSENT} and _code(before.facts, target) == codes.ABSENT
    return (target, codes.ABSENT, code) if there else None


def _released(plan: Plan, target: Subject, before: Memory, after: Memory) -> Shown | None:
    """A controller that lives takes its finalizer off itself."""
    holder = before.facts.get(target)
    if holder is None or holder.detail.get("owner_alive"):
        return None
    intent = Intent("", RELEASE, target, 1, 0, 0.0, 0.0, holder.detail)
    if release_happened(plan, after.facts, intent) is not Happened.YES:
        return None
    left = _code(after.facts, target) or codes.ABSENT
    return target, holder.code, left


def _removed(plan: Plan, target: Subject, before: Memory, after: Memory) -> Shown | None:
    found = before.facts.get(target)
    if found is None:
        return None
    intent = Intent("", "", target, 1, 0, 0.0, 0.0, found.detail)
    if removed_happened(plan, after.facts, intent) is not Happened.YES:
        return None
    return target, found.code, codes.ABSENT


def _woken(_plan: Plan, target: Subject, before: Memory, after: Memory) -> Shown | None:
    was, now = before.facts.get(target), after.facts.get(target)
    if was is None or now is None:
        return None
    token = now.detail.get("handled_foreign")
    if not token or token == was.detail.get("handled_foreign"):
        return None
    return target, was.code, now.code


LASTING: dict[str, Effect] = {
    APPLY: _applied,
    BOOTSTRAP: _bootstrapped,
    RECOVER: _bootstrapped,
    COMMAND: _commanded,
    KUBECONFIG: _fetched,
    ROOT: _rooted,
}
PASSING: dict[str, Effect] = {
    NUDGE: _woken,
    PREAPPLY: _defined,
    RELEASE: _released,
    UNHOOK: _removed,
    UNSERVE: _removed,
}


def _unplanned(section: Section, before: Memory, after: Memory) -> Iterator[Deed]:
    """
    What a watch without a plan cannot wish, since nobody told it what brings a network, Flux or its roots.

    So only the change shows it: something of it was absent until just now, and all of it is there.
    """
    if section.talos.nodes:
        return
    controllers = [codes.subject("deployment", key) for key in section.flux.controllers]
    roots = section.roots
    network = section.networking if section.network else ()
    for verb, target, brought in (
        (NETWORK, section.network, list(network)),
        (FLUX, next(iter(controllers), ""), controllers),
        (ROOT, codes.ROOT, [*roots, section.source] if roots else []),
    ):
        came = [subject for subject in brought if _code(before.facts, subject) == codes.ABSENT]
        if came and _all_there(brought, after.facts):
            yield Deed(verb, target, came[0], codes.ABSENT, _code(after.facts, came[0]))


# --- what no run of ours does --------------------------------------------------------------------


def _strange(section: Section, before: Memory, after: Memory) -> Iterator[Deed]:
    for name in section.talos.nodes:
        subject = codes.node(name)
        old = _code(before.facts, subject)
        if old == codes.UNSEEN:  # a node that was wiped restarts before it shows itself
            old = before.codes.get(subject, "")
        bare = _code(after.facts, subject) == codes.MAINTENANCE
        if old in CONFIGURED and bare and not _is_our_reset(after, subject):
            yield Deed(WIPE, subject, subject, old, codes.MAINTENANCE)
    synced = section.reconciled
    same = map(before.facts.get, synced), map(after.facts.get, synced)
    for subject in compress(synced, map(is_not, *same)):
        old = _code(before.facts, subject)
        if _became(codes.SUSPENDED, subject, before.facts, after.facts):
            yield Deed(SUSPEND, subject, subject, old, codes.SUSPENDED)
    for key in section.inventory.roots:
        subject = codes.subject("kustomization", key)
        if _became(codes.TERMINATING, subject, before.facts, after.facts):
            yield Deed(DELETE, subject, subject, _code(before.facts, subject), codes.TERMINATING)


def _is_our_reset(memory: Memory, subject: Subject) -> bool:
    """Say whether this run told the node to wipe itself, and has not configured it since."""
    reset, applied = memory.last_of(RESET, subject), memory.last_of(APPLY, subject)
    if reset is None or reset.outcome is Outcome.FAILED:
        return False
    return applied is None or applied.intended_at < reset.intended_at


def _became(code: str, subject: Subject, before: Facts, after: Facts) -> bool:
    """Only what was seen before can have become something: a first look shows what is, not who did it."""
    return subject in before and before[subject].code != code and _code(after, subject) == code


def _code(facts: Facts, subject: Subject) -> str:
    fact: Fact | None = facts.get(subject)
    return fact.code if fact is not None else ""
