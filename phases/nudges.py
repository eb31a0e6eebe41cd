"""
Waking exactly the objects whose recorded cause has cleared: once per UID, generation and cause.

The protocol is Flux's own annotation; a blanket reconcile would only queue behind itself.
"""

from __future__ import annotations

from datetime import UTC, datetime

from engine.answer import Act, Answer, Subject, Wait
from engine.memory import Memory
from engine.recipe import Facts
from journal.entries import Fact, Outcome
from phases import codes
from phases.knots import crd_of
from phases.section import Section
from phases.verbs import NUDGE

FAMILIES = {"CustomResourceDefinition": "crd", "ClusterSecretStore": "store"}
NUDGED = {
    "externalsecret": "ExternalSecret",
    "gitrepository": "GitRepository",
    "helmrelease": "HelmRelease",
    "kustomization": "Kustomization",
}


def is_clear(section: Section, cause: str, facts: Facts) -> bool:
    """Say whether a recorded cause has provably cleared."""
    family, _, name = cause.partition(":")
    match family:
        case "kind":
            kind, _, group = name.partition(".")
            return crd_of(section, facts, kind, group) is not None
        case "namespace" | "namespace-gone":
            fact = facts.get(codes.subject("namespace", name))
            # Gone is as good as active: the next attempt creates it anew.
            return fact is not None and fact.code in {codes.READY, codes.ABSENT}
        case "namespace-missing":
            fact = facts.get(codes.subject("namespace", name))
            return fact is not None and fact.code == codes.READY
        case "source":
            fact = facts.get(codes.subject("gitrepository", section.flux.source))
            return fact is not None and fact.code == codes.READY
        case "store":
            fact = facts.get(codes.subject("store", name))
            return fact is not None and fact.code == codes.READY and not fact.reason
        case "health":
            subjects = [_of_health_check(item) for item in name.split(",")]
            found = [facts.get(subject) for subject in subjects]
            return all(fact is not None and fact.code == codes.READY for fact in found)
        case "RetriesExceeded":
            # Whatever it was: the nodes and the network are up again by the time this state is pursued.
            return True
        case _:
            return False


def _of_health_check(item: str) -> Subject:
    """``Deployment/ns/name``, as a health check names it, to the subject of the same object."""
    kind, _, key = item.partition("/")
    return codes.subject(FAMILIES.get(kind, kind), key)


def nudge(subject: Subject, fact: Fact, cause: str, memory: Memory) -> Answer:
    """Once per UID, generation and cause; a nudge that did not help is not repeated."""
    uid, generation = str(fact.detail["uid"]), fact.detail["generation"]
    key = f"{uid}/{generation}/{cause}"
    if key in memory.keys and not _may_repeat(subject, key, memory):
        return Wait(f"woken after {cause} cleared; {fact.reason}", can_clear="unknown")
    kind, _, name = subject.partition("/")
    namespace, _, bare = name.partition("/")
    stamp = datetime.fromtimestamp(memory.now, UTC).isoformat()
    arguments = {
        "kind": NUDGED[kind],
        "namespace": namespace,
        "name": bare,
        "uid": uid,
        "generation": generation,
        "requested_at": f"{stamp}#{memory.run_id}#{cause}",
        "reset": kind == "helmrelease",
        "cause": cause,
        "once": key,
    }
    return Act(NUDGE, subject, arguments, f"{cause} has cleared")


def _may_repeat(subject: Subject, key: str, memory: Memory) -> bool:
    """A nudge that certainly never arrived is no nudge."""
    last = memory.last_of(NUDGE, subject)
    return last is not None and last.arguments.get("once") == key and last.outcome is Outcome.FAILED
