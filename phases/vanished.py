"""
What a Kustomization applied and somebody deleted or scaled to zero since: it is Ready, and looks at its interval only.

So it goes with what was still being deleted when its parent applied it: the API server takes the apply, the deletion
ends a moment later, and for an hour nobody misses what is gone. One nudge of the parent brings it back.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from engine.answer import Act, Answer, Stuck, Subject, Wait
from engine.memory import Memory
from engine.recipe import Facts
from journal.entries import Fact
from phases import codes
from phases.homes import home_goes
from phases.kinds import EXTERNAL_SECRETS_CRD, KEDA
from phases.needs import STORES_CRD
from phases.nudges import brief, nudge
from phases.section import Section

# A look tells kinds one after the other: what was applied a moment ago may not be in it yet.
GRACE_SECONDS = 10.0
# What somebody deletes each time it comes back is brought back so often within so long; then a person looks who does.
AGAIN_TIMES, AGAIN_SECONDS = 6, 3600.0
KINDS = {"externalsecret": EXTERNAL_SECRETS_CRD, "store": STORES_CRD}
RELEASE = codes.subject("HelmRelease", "")


def vanished(section: Section, facts: Facts, memory: Memory) -> dict[Subject, Answer]:
    """Answer for what should have been there since its parent was Ready, and for the parent that brings it."""
    answers: dict[Subject, Answer] = {}
    gone: dict[Subject, list[Subject]] = {}
    for subject, fact, parent in _open(section, facts):
        if fact is None or fact.since is None or not _is_missing(section, fact):
            continue
        if home_goes(subject, facts):
            continue  # an attempt of its parent would wait for the namespace, and hold a worker
        if not _is_served(subject, facts):
            continue  # an attempt of its parent would fail: nothing serves the kind
        applied = facts.get(parent)
        if applied is None or applied.code != codes.READY or applied.since is None:
            continue
        if "uid" not in applied.detail:
            continue  # Git itself suspends it: it brings nothing, whoever asks it to
        if parent.startswith(RELEASE) and not applied.detail.get("compares"):
            continue  # Helm would find nothing to do: diagnosis says so, and what a person can do (X2)
        due = max(fact.since, applied.since) + GRACE_SECONDS
        if memory.passed(due):
            gone.setdefault(parent, []).append(subject)
        else:
            answers[subject] = Wait("not applied yet by its parent", due, can_clear="unknown")
    for parent, children in gone.items():
        answers.update(_again(section, parent, children, facts, memory))
    return answers


def _open(section: Section, facts: Facts) -> Iterator[tuple[Subject, Fact | None, Subject]]:
    """Return what is not Ready, with who brings it."""
    for subject, fact in section.standing_synced.open_in(facts):
        yield subject, fact, section.parents.get(subject, "")
    for subject, fact in section.standing_workloads.open_in(facts):
        yield subject, fact, section.owners.get(subject, "")
    for subject, provider in section.bringers.items():
        if not provider.startswith(RELEASE):
            yield subject, facts.get(subject), provider


def _is_missing(section: Section, fact: Fact) -> bool:
    """Say whether something is gone, or was scaled to zero, which its parent did not ask for, nor KEDA."""
    if fact.code == codes.ABSENT:
        return True
    return bool(fact.detail.get("zero")) and not any(n.endswith(KEDA) for n in section.crd_names)


def _is_served(subject: Subject, facts: Facts) -> bool:
    """Say whether nothing tells that an object's kind is not there."""
    crd = facts.get(codes.subject("crd", KINDS.get(subject.partition("/")[0], "")))
    return crd is None or crd.code == codes.READY


def _again(
    section: Section, parent: Subject, children: list[Subject], facts: Facts, memory: Memory
) -> dict[Subject, Answer]:
    """Once for all that went by the same moment: one attempt of the parent applies everything."""
    latest = max(facts[child].since or 0.0 for child in children)
    names = brief(",".join(sorted(children)))
    uid = facts[parent].detail["uid"]
    told_at = memory.resumed.at if memory.resumed is not None else 0.0
    recent = max(told_at, memory.now - AGAIN_SECONDS)
    ours = (key for key in memory.keys if key.startswith(f"{uid}/") and f"/gone:{names}@" in key)
    again = [key for key in ours if _went_at(key) > recent]
    cause = f"gone:{names}@{latest:.0f}"
    if len(again) >= AGAIN_TIMES and not again[-1].endswith(f"/{cause}"):
        return {
            parent: Stuck(
                reference="attempts-exhausted",
                message=f"{parent} was woken {len(again)} times for {names}, which somebody deletes each time",
                hint="look who deletes it (the API server's audit log); then `rekindle resume`",
            )
        }
    woken = nudge(section, parent, facts[parent], cause, memory)
    if isinstance(woken, Act):
        scaled = any(facts[child].code != codes.ABSENT for child in children)
        now = "is scaled to zero by now" if scaled else "is not there any more"
        why = f"it is Ready, and {', '.join(sorted(children))} that it applied {now}"
        return {parent: replace(woken, reason=why)}
    told = f"{parent} is Ready and was asked to apply it again; it is not there"
    until = woken.until if isinstance(woken, Wait) else None
    return {child: Wait(told, until, can_clear="unknown") for child in children}


def _went_at(key: str) -> float:
    """Return when that went for which *key* was written: it is the last part of the cause that the key ends with."""
    return float(key.rpartition("@")[2])
