"""
What etcd is left with when a node goes.

Arithmetic on what ``phases.etcd_quorum`` makes of what the control planes themselves tell; a list of members that
nobody tells is no list.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from engine.answer import Stuck, Wait
from engine.recipe import Facts
from journal.entries import Fact, Instant
from phases import codes
from phases.etcd_quorum import (
    Quorum,
    agreeing,
    differing,
    is_healthy,
    is_silent,
    lasting,
    parted_until,
    quorum,
    voters_of,
)
from phases.etcd_snapshot import control_planes
from phases.lives import EPHEMERAL
from phases.section import Section
from phases.verbs import RECOVER


def without(
    section: Section,
    facts: Facts,
    name: str,
    going: Collection[str],
    scope: Collection[str],
    now: Instant,
) -> bool | Stuck | Wait:
    """
    Say how a node may be reset: gracefully (it leaves the living cluster), or not (there is none to leave).

    *going* are all nodes that are to be reset; *now* tells what has lasted. Stuck: what would be left
    has no quorum; Wait: that cannot be told yet.
    """
    planes = section.talos.control_planes
    shown = control_planes(section, facts)
    if EPHEMERAL in scope and all(
        plane in going or fact.code == codes.MAINTENANCE for plane, fact in shown.items()
    ):
        return False  # etcd is given up as a whole: there is nobody to leave it to
    if name not in planes:
        return facts.get(codes.API, Fact(codes.UNKNOWN)).code == codes.UP
    silent = [plane for plane, fact in shown.items() if _says_nothing(fact)]
    if silent:
        return Wait(
            f"{name} is not reset before {', '.join(silent)} tells about etcd", can_clear="unknown"
        )
    if all(fact.code in {codes.WAITS_FOR_ETCD, codes.MAINTENANCE} for fact in shown.values()):
        return False
    etcd = facts.get(codes.ETCD)
    found = lasting(quorum(shown), etcd, now)
    if found.verdict == codes.LOST:
        return _lost(name, found, planes)
    if found.verdict == codes.FOREIGN:
        return Stuck(reference="etcd-foreign", message=found.said, hint=found.way_out)
    if found.apart:
        due = parted_until(etcd) if found.verdict == codes.PARTED else None
        return Wait(f"{name} is not reset meanwhile: {found.said}", due, can_clear="unknown")
    return _left(name, shown, leaves=EPHEMERAL in scope)


def _left(name: str, shown: dict[str, Fact], *, leaves: bool) -> bool | Stuck | Wait:
    """Count those alone that tell the same members: of its own list, or, if it tells none, of the one told by most."""
    by = (
        name if agreeing(shown, name) else max(shown, key=lambda plane: len(agreeing(shown, plane)))
    )
    well = set(agreeing(shown, by))
    voters = {member.name for member in voters_of({plane: shown[plane] for plane in well})}
    graceful = leaves and is_healthy(shown[name])
    after = voters - {name} if graceful else voters
    others = (well & voters) - {name}
    if after and 2 * len(others) > len(after):
        return graceful
    if differing(shown, by):
        why = "the control planes do not all tell the same members of etcd yet"
        return Wait(f"{name} is not reset meanwhile: {why}")
    named = ", ".join(sorted(others)) or "none"
    return Stuck(
        reference="reset-breaks-quorum",
        message=f"without {name} etcd has no quorum: of its members, these are healthy besides it: {named}",
        hint="bring the other control planes back first; or, if etcd is to be given up, ask for all control planes: "
        "`rekindle cancel`, then `rekindle run PLAN --reset all`",
    )


def _lost(name: str, found: Quorum, planes: Sequence[str]) -> Stuck:
    """There is no quorum left to break, and what there is of etcd lies on one disk, or on a few."""
    return Stuck(
        reference="reset-breaks-quorum",
        message=f"{name} is not reset alone: {found.said}; what these have on their disks may be the only copy",
        hint=f"{found.way_out}: enable {RECOVER} in the plan and ask for all control planes, whose etcd is copied "
        "first: `rekindle cancel`, then "
        f"`rekindle run PLAN --reset {','.join(planes)} --reset-scope EPHEMERAL`",
    )


def _says_nothing(fact: Fact) -> bool:
    """One that does not answer, or does not tell about its etcd; in maintenance there is none to tell about."""
    if fact.code in {codes.UNSEEN, codes.FOREIGN}:
        return True
    return fact.code != codes.MAINTENANCE and is_silent(fact)
