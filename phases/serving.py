"""
Who takes a finalizer off: the controller that its rule names, or what the release that brings its kind installs.

A controller that is to come is waited for, whoever brings it. Which of a release's workloads serves a finalizer nobody
tells (Longhorn's is a DaemonSet): it runs for certain when all of them do, and the finalizer bears its kind's group.
Who only came near it (``phases.bringers``) is given time, and never taken for certain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from engine.answer import Subject
from engine.recipe import Facts
from journal.entries import Fact
from phases import codes
from phases.bringers import Brought, brought_by, provider_of
from phases.homes import home_goes
from phases.inventory import WorkloadItem
from phases.leaks import SERVED_BY
from phases.section import Section

COMING = frozenset({codes.PROGRESSING, codes.BLOCKED, codes.FAILED})
UNSETTLED = COMING | {codes.UNOBSERVABLE}  # what nobody lists may be there
GONE = frozenset({codes.ABSENT, codes.TERMINATING})
NOBODY = Fact(codes.UNOBSERVABLE)


@dataclass(frozen=True, slots=True)
class Serving:
    """
    Who runs, and who is to come; empty: nobody.

    *certain*: it is known to serve the finalizer (of one to come: to be brought by who brings the kind), and no guess.
    *by*: what a person types to have it back, where it does not come without; empty: it comes by itself.
    """

    lives: Subject = ""
    comes: Subject = ""
    certain: bool = True
    by: str = ""


def serving(section: Section, detail: dict[str, Any], rule: str, facts: Facts) -> Serving:
    """Say who serves the finalizers of a holder (its *detail*), and whether that lives or is to come."""
    pattern = SERVED_BY.get(rule)
    named = [
        item
        for item in section.inventory.workloads
        if pattern and item.kind == "Deployment" and re.search(pattern, item.key)
    ]
    held = str(detail["namespace"])
    if named:
        return _of(section, named, held, facts)
    provider = provider_of(section, detail)
    brought = brought_by(section, provider) if provider else Brought()
    if provider and not brought.items:  # what serves it may come with anything that does
        return Serving(comes=_anybody(section, held, facts), certain=False)
    found = _of(section, brought.items, held, facts)
    if found.comes:  # it may be this one, whatever else of the release runs by now
        return Serving(comes=found.comes, certain=brought.is_known, by=found.by)
    all_run = all(
        _code(facts, codes.subject(item.kind, item.key)) == codes.READY for item in brought.items
    )
    return Serving(
        lives=found.lives, certain=brought.is_known and all_run and _is_its_groups(detail)
    )


def _of(section: Section, items: Iterable[WorkloadItem], held: str, facts: Facts) -> Serving:
    """One whose namespace goes as well neither lives nor comes: it is not there for long, or not yet."""
    lives = comes = by = ""
    for item in items:
        subject = codes.subject(item.kind, item.key)
        if home_goes(subject, facts):
            continue
        code = _code(facts, subject)
        if code == codes.READY:
            lives = subject
        elif code in UNSETTLED or _is_to_come(section, item.owner, held, facts):
            comes, by = subject, ""
        elif not comes and (typed := _by_hand(section, item.owner, facts)):
            comes, by = subject, typed
    return Serving(lives, comes, by=by)


def _anybody(section: Section, held: str, facts: Facts) -> Subject:
    """Name one of what is expected that is at work; empty: nothing is."""
    for subject, _ in (*section.kustomizations, *section.releases):
        found = facts.get(subject, NOBODY)
        if found.code not in COMING or home_goes(subject, facts):
            continue
        if _is_at_work(subject, found, held):
            return subject
    return ""


def _is_its_groups(detail: dict[str, Any]) -> bool:
    """Say whether all finalizers bear the group's name: what a stranger put there its own controller may not know."""
    group = f".{detail['group']}"
    hosts = [f".{name.partition('/')[0]}" for name in detail["finalizers"]]
    return all(host.endswith(group) or group.endswith(host) for host in hosts)


# --- to come -------------------------------------------------------------------------------------


def _is_to_come(section: Section, subject: Subject, held: str, facts: Facts) -> bool:
    """
    Say whether *subject* (a HelmRelease, a Kustomization) brings again what of it is gone.

    It is at work; or it is Ready and compares what runs (``phases.vanished`` wakes it); or it is gone itself, and who
    applies it will. What cannot begin before the *held* namespace is gone does not come before that.
    """
    seen: set[Subject] = set()
    while subject not in seen:
        seen.add(subject)
        found = facts.get(subject)
        if found is None:  # nobody, or nothing of the inventory
            return False
        if found.code not in GONE:
            return _is_at_work(subject, found, held)
        if home_goes(subject, facts):
            return False
        parent = section.parents.get(subject, "")
        if not parent:
            return subject in section.roots and not _any_goes(section, facts)
        subject = parent
    return False


def _by_hand(section: Section, subject: Subject, facts: Facts) -> str:
    """
    Say what a person types to have back what is gone of *subject*, which does not bring it again by itself.

    Somebody suspended it in the cluster, or who applies it, if it is gone as well; or it is a release that does not
    look at what runs.
    """
    seen: set[Subject] = set()
    while subject and subject not in seen and not home_goes(subject, facts):
        seen.add(subject)
        found = facts.get(subject, NOBODY)
        kind, _, key = subject.partition("/")
        namespace, _, name = key.rpartition("/")
        if found.code == codes.SUSPENDED:
            return f"`flux resume {kind} {name} -n {namespace}`"
        if found.code == codes.READY and kind == "helmrelease" and "uid" in found.detail:
            return f"`flux reconcile helmrelease {name} -n {namespace} --force`"
        if found.code not in GONE:
            return ""
        subject = section.parents.get(subject, "")
    return ""


def _is_at_work(subject: Subject, found: Fact, held: str) -> bool:
    if found.code == codes.READY:
        compares = subject.startswith("kustomization/") or found.detail.get("compares")
        return bool(compares) and "uid" in found.detail  # without: Git itself suspends it
    # What nobody lists may be at work.
    return found.code in UNSETTLED and found.detail.get("cause") != f"namespace:{held}"


def _any_goes(section: Section, facts: Facts) -> bool:
    """Say whether the roots wait: they are applied once no namespace is on its way out."""
    spaces = (codes.subject("namespace", name) for name in section.inventory.namespaces)
    return any(_code(facts, space) == codes.TERMINATING for space in spaces)


def _code(facts: Facts, subject: Subject) -> str:
    return facts.get(subject, NOBODY).code
