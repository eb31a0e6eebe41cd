"""
What holds a namespace or a CRD by a finalizer, and what may be done about it: diagnosis chooses.

First the controller: one that lives is given its time, one that comes back is waited for. Only what nobody will take
off is asked about, and a person decides. What diagnosis has not found is not acted on.
"""

from __future__ import annotations

from typing import Any

from engine.answer import Act, Answer, Ask, Subject, Wait
from engine.memory import Memory
from engine.recipe import Facts, Findings
from journal.entries import Fact, Finding
from phases import codes
from phases.homes import home_goes
from phases.leaks import FLUX_FINALIZER, leak_of
from phases.section import Section
from phases.serving import GONE, Serving, serving
from phases.verbs import RELEASE, settled

RELEASE_SETTLE_SECONDS = 60.0  # what holds a namespace is listed now and then, not watched
HOLDER_GRACE_SECONDS = 60.0  # a controller that lives takes its finalizer off within this time
CONTROLLER_SECONDS = 900.0  # one that comes back at all is back by then
# What kube-controller-manager takes off itself, wherever there is an API: kubernetes v1.36, pkg/controller/volume/
# {pvcprotection,pvprotection}, pkg/controller/garbagecollector, pkg/controller/job.
BUILT_IN = frozenset(
    {
        "kubernetes.io/pvc-protection",
        "kubernetes.io/pv-protection",
        "foregroundDeletion",
        "orphan",
        "batch.kubernetes.io/job-tracking",
    }
)
WANTED = ("group", "version", "resource", "kind", "namespace", "name", "uid", "finalizers")


def holders_of(facts: Facts) -> list[Fact]:
    """Return everything that is known to hold something."""
    return [found for key, found in facts.items() if key.startswith("holder/")]


def release(
    section: Section, holder: Fact, held: str, facts: Facts, findings: Findings, memory: Memory
) -> Answer:
    """Answer for an object that holds *held*; see above."""
    detail = holder.detail
    name = f"{detail['kind']} {_key(detail)}"
    since = holder.since or memory.opened_at
    found = _cause_of(findings, str(detail["uid"]))
    if _is_at_work(section, detail, found, facts):
        return Wait(f"{name} is being finalized by its controller")
    if not memory.passed(since + HOLDER_GRACE_SECONDS):
        return Wait(f"{name} is being deleted", since + HOLDER_GRACE_SECONDS)
    if found is None:
        return Wait(
            f"{name} is being deleted; no diagnosis says yet why it stays", can_clear="unknown"
        )
    who = serving(section, detail, found.rule, facts)
    waits = _used(detail, name) or _served(who, holder, name, memory)
    return waits or _asked(detail, name, who, held, memory)


def _used(detail: dict[str, Any], name: str) -> Wait | None:
    """Wait for the pods that still use a claim: nobody lets go of it before, and a pod has its time to end."""
    users = detail.get("used_by", ())
    if users is None:
        return Wait(f"pods are not listed: one may still use {name}", can_clear="unknown")
    if users:
        return Wait(f"{name} is still used by pod {', '.join(users[:3])}", can_clear="unknown")
    return None


def _served(who: Serving, holder: Fact, name: str, memory: Memory) -> Wait | None:
    """Wait for who serves its finalizers: for good where that is known to run, else for as long as it may take."""
    if who.lives and who.certain:
        text = f"{who.lives} runs and has not let go of {name}: it may refuse while something depends on it"
        return Wait(text, can_clear="unknown")
    # What is brought back only here has its time from here on, however long ago somebody deleted the object.
    due = max(holder.since or 0.0, memory.entered_at) + CONTROLLER_SECONDS
    if memory.passed(due):
        return None
    if who.by:
        text = f"{name} waits for its controller: {who.comes} comes back by {who.by}"
        return Wait(text, due, can_clear="unknown")
    if who.comes:
        if who.certain:
            return Wait(f"{name} waits for its controller: {who.comes} comes back", due)
        text = f"{name} waits for its controller: it may come with {who.comes}"
        return Wait(text, due, can_clear="unknown")
    if who.lives:
        text = f"{name} may be served by {who.lives}, which came with its kind or near it, and runs"
        return Wait(text, due, can_clear="unknown")
    if BUILT_IN.issuperset(holder.detail["finalizers"]):
        return Wait(f"{name} is let go by Kubernetes itself", due, can_clear="unknown")
    return None


def _asked(detail: dict[str, Any], name: str, who: Serving, held: str, memory: Memory) -> Answer:
    finalizers = ", ".join(detail["finalizers"])
    ask = Ask(
        # Who may serve it is no part of what an approval is bound to: it changes while a person thinks.
        question=f"take {finalizers} off {name}, which holds {held}?{_waited_for(who)}",
        consequence=leak_of(str(detail["group"])),
        evidence={"uid": detail["uid"], "finalizers": detail["finalizers"], "verb": RELEASE},
        typed=_key(detail),
    )
    target = codes.subject("holder", str(detail["uid"]))
    shown = settled(memory.last_of(RELEASE, target), RELEASE_SETTLE_SECONDS)
    if shown is not None and not memory.passed(shown):
        return Wait(f"{name} was released and is still listed", shown)
    arguments = {key: detail[key] for key in WANTED}
    return Act(RELEASE, target, arguments, f"{name} holds {held}", ask)


def _key(detail: dict[str, Any]) -> str:
    return f"{detail['namespace']}/{detail['name']}" if detail["namespace"] else str(detail["name"])


def _waited_for(who: Serving) -> str:
    """Say whom a person might still give time, instead of a yes."""
    minutes = int(CONTROLLER_SECONDS // 60)
    if who.comes:
        by = f" ({who.by} brings it back)" if who.by else ""
        return f" {who.comes}, which may serve it, did not come back in {minutes} minutes{by}"
    if who.lives:
        return (
            f" {who.lives}, which may serve it, runs and did not let go of it in {minutes} minutes"
        )
    return ""


def _cause_of(findings: Findings, uid: str) -> Finding | None:
    """Return the finding that has this very object as its evidence."""
    for found in findings.values():
        if any(line.endswith(f" {uid}") for line in found.evidence):
            return found
    return None


def _is_at_work(
    section: Section, detail: dict[str, Any], found: Finding | None, facts: Facts
) -> bool:
    """Say whether whoever serves its finalizers lives, and takes them off."""
    if detail.get("owner_alive") or (found is not None and found.clears_itself == "yes"):
        return True
    if set(detail["finalizers"]) != {FLUX_FINALIZER}:
        return False
    # Flux would take these off: its controllers are there, or are being brought back first; but in a namespace that is
    # going nobody brings them back, and what goes with it is not there for long.
    controllers = [codes.subject("deployment", key) for key in section.flux.controllers]
    return all(name in facts and not _is_lost(name, facts) for name in controllers)


def _is_lost(controller: Subject, facts: Facts) -> bool:
    return facts[controller].code in GONE and home_goes(controller, facts)
