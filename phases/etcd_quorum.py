"""
Whether etcd has a quorum, as far as the planned control planes show it.

A verdict needs positive evidence: a member list told by somebody is a quorum (Talos asks with a required leader), and
a lost one takes every control plane seen, each with a reason why it cannot vote. What was not seen is never lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from journal.entries import Fact, Instant
from phases.codes import FOREIGN, HEALTHY, LOST, NONE, PARTED, UNKNOWN, UNSEEN

DEGRADED = "degraded"
LEARNER = "learner"
STARTING = "starting"
RUNS = "Running"
PARTED_PATIENCE_SECONDS = 60.0  # while members come and go, lists and leaders differ for moments
# States of the service in which nothing of it will vote, however long one waits. A node that joins stays at Preparing
# (talos v1.12 internal/app/machined/pkg/system/services/etcd.go, buildInitialCluster), and so does an empty one.
IDLE = frozenset({"Preparing", "Failed", "Finished", "Skipped"})


@dataclass(frozen=True, slots=True)
class Member:
    """A member that somebody tells: its id (empty: not told) and its host name (empty: it never started)."""

    ident: str
    name: str


@dataclass(frozen=True, slots=True)
class Quorum:
    """
    The verdict, in a word and in a sentence, and the way out where one is needed.

    *voters* and *answering* count members that may vote and those of them seen healthy; *leaderless* are control planes
    whose etcd runs and has no leader; *strangers* are members that are no planned control plane. *apart* are two that
    are not known to be of one cluster: whoever adds up what they tell may add up two.
    """

    verdict: str
    said: str
    way_out: str = ""
    voters: int = 0
    answering: int = 0
    leaderless: tuple[str, ...] = ()
    strangers: tuple[Member, ...] = ()
    apart: tuple[str, ...] = ()

    @property
    def stands(self) -> bool:
        """Say whether a quorum was seen: somebody with a leader told the members."""
        return self.verdict in {HEALTHY, DEGRADED, LEARNER, STARTING} and self.voters > 0


def quorum(control_planes: Mapping[str, Fact]) -> Quorum:
    """Judge the facts of all planned control planes, by name."""
    lists = {name: told for name, fact in control_planes.items() if (told := _told(fact))}
    return _listed(control_planes, lists) if lists else _unlisted(control_planes)


def lasting(found: Quorum, etcd: Fact | None, now: Instant) -> Quorum:
    """Return the verdict, with the time in which *etcd*'s fact says the same: what is parted for long is foreign."""
    due = parted_until(etcd)
    is_over = found.verdict == PARTED and due is not None and now >= due
    return replace(found, verdict=FOREIGN) if is_over else found


def parted_until(etcd: Fact | None) -> Instant | None:
    """Return when two that are apart count as two clusters; None: they are not, or nobody knows since when."""
    if etcd is None or etcd.code != PARTED or etcd.since is None:
        return None
    return etcd.since + PARTED_PATIENCE_SECONDS


def is_healthy(control_plane: Fact) -> bool:
    """A service on its way out may still call itself healthy."""
    detail = control_plane.detail
    return bool(detail.get("etcd_healthy")) and detail.get("etcd") == RUNS


def is_silent(control_plane: Fact) -> bool:
    """Say whether a question about etcd got no answer: what it did not tell is unknown, not contrary evidence."""
    if control_plane.detail.get("etcd") is None:
        return True
    return is_healthy(control_plane) and control_plane.detail.get("members") is None


def has_no_leader(control_plane: Fact) -> bool:
    """Both were asked and both said so: its health is bad, and it knows no leader."""
    return bool(control_plane.detail.get("failing")) and control_plane.detail.get("leader") == ""


def members_of(control_planes: Mapping[str, Fact]) -> tuple[Member, ...]:
    """Return every member that a control plane tells, once each, by name."""
    found = {member for fact in control_planes.values() for member in _told(fact)}
    return tuple(sorted(found, key=lambda member: (member.name, member.ident)))


def agreeing(control_planes: Mapping[str, Fact], name: str) -> list[str]:
    """Return the healthy control planes that tell the same members as this one, itself among them; else nobody."""
    mine = _told(control_planes[name])
    return [
        other for other, told in _healthy(control_planes).items() if mine and _agree(mine, told)
    ]


def differing(control_planes: Mapping[str, Fact], name: str) -> list[str]:
    """Return the healthy control planes that tell other members than this one tells."""
    same, mine = agreeing(control_planes, name), _told(control_planes[name])
    return [other for other in _healthy(control_planes) if mine and other not in same]


def _healthy(control_planes: Mapping[str, Fact]) -> dict[str, frozenset[Member]]:
    """Return what those tell whose word is of now."""
    return {
        name: told
        for name, fact in control_planes.items()
        if is_healthy(fact) and (told := _told(fact))
    }


def voters_of(control_planes: Mapping[str, Fact]) -> tuple[Member, ...]:
    """Return those of them that vote: a learner does not."""
    learners = _learners(control_planes)
    return tuple(m for m in members_of(control_planes) if m.name not in learners)


def _learners(control_planes: Mapping[str, Fact]) -> set[str]:
    return {
        str(name) for fact in control_planes.values() for name in fact.detail.get("learners") or ()
    }


def _told(fact: Fact) -> frozenset[Member]:
    """Return the members that a control plane tells; an old word says nothing."""
    names = fact.detail.get("members")
    if fact.code == UNSEEN or not names:
        return frozenset()
    ids: Mapping[str, Any] = fact.detail.get("ids") or {}
    if ids:
        return frozenset(Member(str(ident), str(name)) for ident, name in ids.items())
    return frozenset(Member("", str(name)) for name in names)


# --- somebody tells a list ------------------------------------------------------------------------


def _listed(planes: Mapping[str, Fact], lists: Mapping[str, frozenset[Member]]) -> Quorum:
    divided = _divided(planes, lists)
    if divided is not None:
        return divided
    told, voters, learners = members_of(planes), voters_of(planes), _learners(planes)
    well = [name for name, fact in planes.items() if is_healthy(fact)]
    answering = sum(member.name in well for member in voters)
    strangers = tuple(m for m in told if m.name and m.name not in planes)
    shape: dict[str, Any] = {"voters": len(voters), "answering": answering, "strangers": strangers}
    if learners:
        return Quorum(
            LEARNER,
            f"etcd has a quorum; still learning, without a vote: {_names(learners)}",
            **shape,
        )
    silent = sorted({member.name for member in voters} - set(well))
    if silent:
        return _degraded(len(voters), answering, silent, shape)
    if {member.name for member in told} != set(planes):
        missing = sorted(set(planes) - {member.name for member in told})
        return Quorum(STARTING, f"etcd has a quorum; not joined yet: {_names(missing)}", **shape)
    return Quorum(HEALTHY, f"all {len(voters)} members of etcd answer", **shape)


def _degraded(voters: int, answering: int, silent: list[str], shape: dict[str, Any]) -> Quorum:
    """Tell how many more may go. A stranger's health nobody asks, so it counts as not answering."""
    spare = answering - (voters // 2 + 1)
    more = f"{spare} more may be lost" if spare > 0 else "one more lost and it stops"
    return Quorum(
        DEGRADED,
        f"etcd has a quorum: {answering} of {voters} members answer (not: {_names(silent)}); {more}",
        f"bring back {_names(silent)} before anything is done to another control plane",
        **shape,
    )


def _divided(planes: Mapping[str, Fact], lists: Mapping[str, frozenset[Member]]) -> Quorum | None:
    """
    Say so where two control planes are in two clusters, or may be; None: all are in one.

    Nothing in common: they are. Members in common prove nothing: a first member's id is made of its address and of no
    time (etcd v3.6 server/etcdserver/api/membership/cluster.go, NewClusterFromURLsMap), so one that was wiped and
    bootstrapped again has its old id. Those that tell other members are of one cluster only if they follow one leader.
    """
    way_out = (
        "find out which of them has the data that counts; wipe EPHEMERAL of the others by hand and let them join; "
        "never bootstrap a third"
    )
    for one, other in combinations(sorted(lists), 2):
        if not _keys(lists[one]) & _keys(lists[other]) and _comparable(lists[one], lists[other]):
            said = f"{one} and {other} are in different clusters of etcd: neither counts a member of the other"
            return Quorum(FOREIGN, said, way_out, apart=(one, other))
    untold = None
    for one, other in combinations(sorted(_healthy(planes)), 2):
        ours, theirs = (planes[name].detail.get("leader") for name in (one, other))
        if _agree(lists[one], lists[other]) or (ours and ours == theirs):
            continue
        if ours and theirs:
            said = f"{one} and {other} tell different members of etcd, and each of them follows another leader"
            return Quorum(PARTED, said, way_out, apart=(one, other))
        said = f"{one} and {other} tell different members of etcd, and not both of them whom they follow"
        untold = untold or Quorum(UNKNOWN, said, apart=(one, other))
    return untold


def _keys(members: frozenset[Member]) -> frozenset[str]:
    """Return what tells members from others; the name of one comes later than its id."""
    return frozenset(member.ident or member.name for member in members)


def _agree(one: frozenset[Member], other: frozenset[Member]) -> bool:
    """Tell whether both lists have the same members; by name if only one of them has ids."""
    if _comparable(one, other):
        return _keys(one) == _keys(other)
    return {member.name for member in one} == {member.name for member in other}


def _comparable(one: frozenset[Member], other: frozenset[Member]) -> bool:
    """Tell whether both lists have ids, or neither: else they differ only in what was asked."""
    return bool(next(iter(one)).ident) == bool(next(iter(other)).ident)


# --- nobody does -----------------------------------------------------------------------------------


def _unlisted(planes: Mapping[str, Fact]) -> Quorum:
    unseen = sorted(name for name, fact in planes.items() if fact.code == UNSEEN)
    seen = {name: fact for name, fact in planes.items() if fact.code != UNSEEN}
    runs = [name for name, fact in sorted(seen.items()) if fact.detail.get("etcd") == RUNS]
    leaderless = tuple(name for name in runs if has_no_leader(seen[name]))
    untold = sorted(name for name, fact in seen.items() if fact.detail.get("etcd") is None)
    hidden = [*unseen, *untold]
    if not runs:
        if hidden:
            return Quorum(UNKNOWN, f"no etcd is seen; nothing is told by {_names(hidden)}")
        return Quorum(NONE, "no control plane has an etcd that runs")
    if hidden:
        return Quorum(
            UNKNOWN,
            f"etcd on {_names(runs)} tells no members; the quorum may be with what is not seen: {_names(hidden)}",
            f"bring back {_names(hidden)}, or replace what is gone for good: one may be enough for a quorum",
            leaderless=leaderless,
        )
    late = [name for name in seen if name not in runs and not _is_idle(seen[name])]
    if late or len(leaderless) < len(runs) or len(runs) > len(planes) // 2:
        return Quorum(STARTING, f"etcd runs on {_names(runs)} and tells no members yet")
    return _lost(planes, runs, leaderless)


def _lost(planes: Mapping[str, Fact], runs: list[str], leaderless: tuple[str, ...]) -> Quorum:
    rest = sorted(set(planes) - set(runs))
    states = ", ".join(f"{name} is {str(planes[name].detail['etcd']).lower()}" for name in rest)
    need = len(planes) // 2 + 1
    return Quorum(
        LOST,
        f"etcd has lost its quorum: it runs on {len(runs)} of {len(planes)} control planes ({_names(runs)}), "
        f"needs {need}, and has no leader ({states})",
        f"if a machine of {_names(rest)} can come back with its old disk, bring it back: {need} members are enough; "
        "else recover from a snapshot",
        len(planes),
        len(runs),
        leaderless,
    )


def _is_idle(fact: Fact) -> bool:
    """Tell whether this control plane is up and configured, and its etcd still does not come."""
    return fact.detail.get("etcd") in IDLE and fact.code != "maintenance"


def _names(names: Iterable[str]) -> str:
    """List names; a member that never started has none."""
    return ", ".join(sorted(name or "a new member" for name in names))
