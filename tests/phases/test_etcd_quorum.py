"""
What the control planes show of etcd's quorum: a verdict for each, and none without evidence.

Mutants, killed here: an unseen control plane counted as lost; a health that was not asked for taken for a bad one; a
leader that was not told taken for none; a node on its way up counted as one that stays away; ids not compared; members
in common taken for one cluster; what grows taken for two.
"""

from __future__ import annotations

from typing import Any

import pytest

from journal.entries import Fact
from phases.etcd_quorum import Member, agreeing, differing, lasting, quorum
from phases.readiness.nodes import etcd, talos_node
from phases.snapshot import NodeLook, Seen, Unseen

NOW = 1000.0
ALL = ("cp-1", "cp-2", "cp-3")
IDS = ("11", "12", "13")
OFF = Unseen(900.0, "refused")


def member(names: tuple[str, ...] = ALL, ids: tuple[str, ...] = IDS, **more: Any) -> NodeLook:  # noqa: ANN401
    body = {"etcd_healthy": True, "leader": "11", **more}
    return NodeLook("running", etcd="Running", members=names, member_ids=ids, **body)


def alone(**more: Any) -> NodeLook:  # noqa: ANN401
    """It runs, was asked for its health, which is bad, and knows no leader."""
    return NodeLook("running", etcd="Running", **{"etcd_failing": True, "leader": "", **more})


def idle(state: str = "Preparing", stage: str = "booting") -> NodeLook:
    return NodeLook(stage, etcd=state)


def facts(*looks: NodeLook | Unseen) -> dict[str, Fact]:
    return {
        name: talos_node(look if isinstance(look, Unseen) else Seen(look, NOW), "controlplane", NOW)
        for name, look in zip(ALL, looks, strict=True)
    }


WELL = member()
# Wiped and bootstrapped again: it has its old id, and follows itself.
ANEW = member(("cp-1",), ("11",))
LIVES = member(leader="12")
CASES: dict[str, tuple[tuple[NodeLook | Unseen, ...], str, str]] = {
    "three of three": ((WELL, WELL, WELL), "healthy", "all 3 members"),
    "two of three, one is off": (
        (WELL, WELL, OFF),
        "degraded",
        "2 of 3 members answer (not: cp-3)",
    ),
    "two of three, one is ill": ((WELL, WELL, alone()), "degraded", "one more lost and it stops"),
    "two of three, one was emptied": ((WELL, WELL, idle()), "degraded", "(not: cp-3)"),
    "one of three": (
        (alone(), idle(), idle()),
        "lost",
        "runs on 1 of 3 control planes (cp-1), needs 2",
    ),
    "one of three, the others fail": (
        (alone(), idle("Failed"), idle("Finished")),
        "lost",
        "(cp-2 is failed, cp-3 is finished)",
    ),
    # What is not seen may be where the quorum is.
    "one of three, one is off": ((alone(), idle(), OFF), "unknown", "not seen: cp-3"),
    "one of three, two are off": ((alone(), OFF, OFF), "unknown", "not seen: cp-2, cp-3"),
    "one of three, one does not tell": (
        (alone(), idle(), NodeLook("booting", etcd=None)),
        "unknown",
        "",
    ),
    # Evidence that is missing is no evidence.
    "its health was not asked for yet": (
        (alone(etcd_failing=False), idle(), idle()),
        "starting",
        "tells no members yet",
    ),
    "its leader was not told": ((alone(leader=None), idle(), idle()), "starting", ""),
    "it has a leader somewhere": ((alone(leader="12"), idle(), idle()), "starting", ""),
    # Whoever is on the way up may be the second vote.
    "one still waits for its runtime": ((alone(), idle(), idle("Waiting")), "starting", ""),
    "one boots": ((alone(), idle(), NodeLook("booting")), "starting", ""),
    "one is in maintenance, and its data may be there": (
        (alone(), idle(), NodeLook("maintenance")),
        "starting",
        "",
    ),
    "two that have not found each other yet": ((alone(), alone(), idle()), "starting", ""),
    "nobody ever began": ((idle(), idle(), idle()), "none", "no control plane"),
    "nobody began, as far as is seen": (
        (idle(), idle(), OFF),
        "unknown",
        "nothing is told by cp-3",
    ),
    "a learner": (
        (member(learners=("cp-3",)), member(learners=("cp-3",)), member(learners=("cp-3",))),
        "learner",
        "without a vote: cp-3",
    ),
    "a learner that never started": (
        (member(("cp-1", "cp-2", ""), learners=("",)), member(), OFF),
        "learner",
        "a new member",
    ),
    "one has not joined": (
        (member(ALL[:2], IDS[:2]), member(ALL[:2], IDS[:2]), member(ALL[:2], IDS[:2])),
        "starting",
        "not joined yet: cp-3",
    ),
    "another cluster, of other names": (
        (member(("cp-1",), ("11",)), member(("cp-2",), ("22",)), idle()),
        "foreign",
        "cp-1 and cp-2 are in different clusters",
    ),
    "another cluster, of the same names": (
        (WELL, WELL, member(ALL, ("31", "32", "33"))),
        "foreign",
        "cp-1 and cp-3",
    ),
    "another cluster, and no ids": (
        (member(("cp-1",), ()), member(("cp-2",), ()), idle()),
        "foreign",
        "",
    ),
    # Talos removes the member of an emptied node and adds another: for a moment not everybody knows.
    "a member was just exchanged": (
        (WELL, member(ALL, ("11", "12", "14")), idle()),
        "degraded",
        "",
    ),
    "ids told by one only": ((WELL, member(ALL, ()), WELL), "healthy", ""),
    "one was bootstrapped again beside the living": (
        (ANEW, LIVES, LIVES),
        "parted",
        "cp-1 and cp-2 tell different members of etcd, and each of them follows another leader",
    ),
    "a leader has just changed": ((WELL, member(leader="12"), WELL), "healthy", ""),
    "members differ, and whom one follows was not told": (
        (member(("cp-1",), ("11",), leader=None), LIVES, LIVES),
        "unknown",
        "cp-1 and cp-2 tell different members of etcd, and not both of them",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_verdict(name: str) -> None:
    looks, verdict, said = CASES[name]

    found = quorum(facts(*looks))

    assert found.verdict == verdict
    assert said in found.said


@pytest.mark.parametrize("name", CASES)
def test_the_fact_of_etcd_has_the_verdict_and_only_evidence_breaks_it(name: str) -> None:
    looks, verdict, _ = CASES[name]

    fact = etcd(facts(*looks))

    assert fact.detail["quorum"] == verdict
    assert (fact.code == "healthy") == (verdict == "healthy")
    if verdict in {"lost", "foreign", "parted"}:
        assert fact.code == verdict
    if any(isinstance(look, Unseen) for look in looks):
        assert fact.code == "unknown"


def test_a_verdict_that_needs_somebody_has_a_way_out() -> None:
    for looks, verdict, _ in CASES.values():
        found = quorum(facts(*looks))
        if verdict in {"lost", "foreign", "parted", "degraded"} or found.leaderless:
            assert found.way_out, found.said


def test_members_of_no_planned_control_plane_are_named() -> None:
    names, ids = (*ALL, "old"), (*IDS, "19")
    found = quorum(facts(*(member(names, ids) for _ in ALL)))

    assert found.verdict == "degraded"
    assert found.strangers == (Member("19", "old"),)
    assert (found.voters, found.answering) == (4, 3)


def test_nobody_knows_of_a_quorum_while_members_are_parted() -> None:
    """Mutant: add up what two clusters tell."""
    found = quorum(facts(ANEW, LIVES, LIVES))
    untold = quorum(facts(member(("cp-1",), ("11",), leader=None), LIVES, LIVES))

    assert (found.stands, untold.stands) == (False, False)
    assert found.apart == untold.apart == ("cp-1", "cp-2")


@pytest.mark.parametrize(
    ("known", "now", "verdict"),
    [
        (Fact("parted", since=NOW), NOW + 59, "parted"),
        (Fact("parted", since=NOW), NOW + 60, "foreign"),
        # what it was before says nothing of how long
        (Fact("healthy", since=NOW), NOW + 600, "parted"),
        (Fact("parted"), NOW + 600, "parted"),
        (None, NOW + 600, "parted"),
    ],
)
def test_what_is_parted_for_a_minute_is_foreign(
    known: Fact | None, now: float, verdict: str
) -> None:
    found = quorum(facts(ANEW, LIVES, LIVES))

    assert lasting(found, known, now).verdict == verdict
    assert lasting(quorum(facts(WELL, WELL, WELL)), known, now).verdict == "healthy"


@pytest.mark.parametrize(
    "grows",
    [
        (member(ALL[:2], IDS[:2]), member(), member(ALL[:2], IDS[:2])),  # not everybody knows yet
        (member(("cp-1", "cp-2", ""), leader="12"), WELL, WELL),  # not everybody has its name yet
    ],
)
def test_what_grows_is_one_cluster(grows: tuple[NodeLook, ...]) -> None:
    """Mutants: lists that differ are of two, whomever they follow; a name is part of what is compared."""
    found = quorum(facts(*grows))

    assert (found.apart, found.stands) == ((), True)


def test_parted_shows_also_while_another_is_not_seen() -> None:
    """Or it would not last."""
    assert etcd(facts(ANEW, LIVES, OFF)).code == "parted"


def test_who_agrees_with_whom() -> None:
    planes = facts(ANEW, LIVES, alone())

    assert agreeing(planes, "cp-1") == ["cp-1"]
    assert agreeing(planes, "cp-3") == [], "it tells nothing"
    assert differing(planes, "cp-2") == ["cp-1"]
    assert differing(planes, "cp-3") == []


def test_etcd_is_not_healthy_while_lists_differ_in_ids_alone() -> None:
    """Of the same names, and nobody knows whom cp-1 follows. Mutant: the verdict has no part in the fact."""
    exchanged = member(ALL, ("11", "12", "14"), leader=None)

    assert etcd(facts(exchanged, WELL, WELL)).code == "forming"
