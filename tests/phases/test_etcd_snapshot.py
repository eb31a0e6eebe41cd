"""
Before any wipe and any recovery: a snapshot while etcd answers, and if it does not, a word in the journal.

Mutants, killed here: a snapshot of an hour ago is fresh while etcd lives; none is taken without a leader; one that is
being taken is not waited for; a full disk is passed over; a copy of another node, or of before, is this one's, or
one of another etcd.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from engine.answer import Act, Answer, Stuck, Wait
from engine.folding import fold
from engine.memory import WATCH, Memory
from journal import entries as e
from journal.entries import Fact
from phases import etcd_begin
from phases.etcd_snapshot import snapshot_of, snapshot_said, snapshot_wanted, source
from tests.phases.making import facts, memory_of, plan

WELL: dict[str, Any] = {
    "code": "running",
    "detail": {"etcd": "Running", "etcd_healthy": True, "members": ["cp-1", "cp-2", "cp-3"]},
}
ALONE = {"code": "unhealthy", "detail": {"etcd": "Running", "failing": True, "leader": ""}}
IDLE = {"code": "waits-for-etcd", "detail": {"etcd": "Preparing"}}
OFF = {"code": "unseen", "since": 1}
EVIDENCE = {"path": "/j/x.snapshot", "sha256": "abc", "bytes": 32}


def shown(*planes: dict[str, Any]) -> dict[str, Fact]:
    return facts({f"node/cp-{number}": said for number, said in enumerate(planes, start=1)})


def took(
    at: float,
    node: str = "cp-1",
    outcome: str | None = "done",
    quorum: str = "healthy",
    **more: Any,  # noqa: ANN401
) -> dict[str, Any]:
    body = {
        "verb": "etcd.snapshot",
        "target": f"node/{node}",
        "at": at,
        "evidence": EVIDENCE,
        **more,
    }
    body["arguments"] = {"node": node, "quorum": quorum}
    return {**body, "outcome": outcome} if outcome else body


def wanted(known: dict[str, Fact], *attempts: dict[str, Any], now: float = 1000.0) -> Answer | None:
    the_plan = plan()
    return snapshot_wanted(the_plan, known, memory_of(the_plan, known, {"attempts": attempts}, now))


@pytest.mark.parametrize(
    ("planes", "node"),
    [
        ((WELL, WELL, WELL), "cp-1"),
        # whoever is in a quorum has all of it
        ((ALONE, WELL, WELL), "cp-2"),
        ((OFF, WELL, WELL), "cp-2"),
        # and without one, what is left is better than nothing
        ((IDLE, ALONE, IDLE), "cp-2"),
        ((OFF, OFF, ALONE), "cp-3"),
    ],
)
def test_while_any_etcd_runs_a_snapshot_comes_first(
    planes: tuple[dict[str, Any], ...], node: str
) -> None:
    first = wanted(shown(*planes))

    assert isinstance(first, Act)
    assert (first.verb, first.target) == ("etcd.snapshot", f"node/{node}")
    assert first.arguments["file"] == f"etcd-{node}-19700101T030320Z.snapshot"


def test_what_only_watches_says_the_same_from_one_second_to_the_next() -> None:
    """Mutant: stamp with now: a watch would write its wish anew with every turn."""
    the_plan, known = plan(), shown(WELL, WELL, WELL)
    first, later = (memory_of(the_plan, known, {}, now) for now in (1000.0, 1001.0))

    def watching(memory: Memory) -> Answer | None:
        return snapshot_wanted(the_plan, known, replace(memory, purpose=WATCH))

    assert watching(first) == watching(later)
    assert snapshot_wanted(the_plan, known, first) != snapshot_wanted(the_plan, known, later)


@pytest.mark.parametrize("planes", [(IDLE, IDLE, IDLE), (OFF, OFF, IDLE)])
def test_where_no_etcd_answers_the_journal_says_that_none_could_be_taken(
    planes: tuple[dict[str, Any], ...],
) -> None:
    known, the_plan = shown(*planes), plan()
    memory = memory_of(the_plan, known, {}, 0)

    assert snapshot_wanted(the_plan, known, memory) is None
    assert "none could be taken" in snapshot_said(the_plan, known, memory)["none"]


@pytest.mark.parametrize(("age", "fresh"), [(0, True), (599, True), (600, False), (3600, False)])
def test_what_lives_writes_on_and_a_snapshot_grows_old(age: int, fresh: bool) -> None:  # noqa: FBT001
    assert (wanted(shown(WELL, WELL, WELL), took(1000 - age)) is None) is fresh


def test_without_a_quorum_nothing_is_written_and_nothing_grows_old() -> None:
    lost = shown(ALONE, IDLE, IDLE)

    assert wanted(lost, took(0, quorum="lost"), now=90_000) is None
    # a member came back, and what it brings is written on from
    assert isinstance(wanted(shown(WELL, WELL, IDLE), took(0, quorum="lost"), now=90_000), Act)
    # one of before the loss may be older than what is left
    assert isinstance(wanted(lost, took(0, quorum="healthy"), now=90_000), Act)


def test_one_that_is_being_taken_is_waited_for() -> None:
    first = wanted(shown(WELL, WELL, WELL), took(990, "cp-2", outcome=None))

    assert isinstance(first, Wait)
    assert "is taken from cp-2" in first.reason


def test_another_node_may_do_better_than_one_that_failed() -> None:
    first = wanted(shown(WELL, WELL, WELL), took(900, outcome="failed", code="transient"))

    assert isinstance(first, Act)
    assert first.target == "node/cp-2"


def test_a_full_disk_stops_whatever_would_be_wiped() -> None:
    failed = took(900, outcome="failed", code="disk-full", evidence={"why": "no room"})

    first = wanted(shown(WELL, WELL, WELL), failed)

    assert isinstance(first, Stuck)
    assert (first.reference, "no room" in first.message) == ("etcd-snapshot-no-room", True)


def test_the_journal_of_a_wipe_names_the_snapshot() -> None:
    known, the_plan = shown(WELL, WELL, WELL), plan()
    memory = memory_of(the_plan, known, {"attempts": [took(100), took(900, "cp-2")]}, 1000)

    said = snapshot_said(the_plan, known, memory)

    assert said == {**EVIDENCE, "node": "cp-2", "taken": 10_900.0}


def test_what_the_operator_brings_goes_before_what_the_run_took() -> None:
    known = shown(IDLE, IDLE, IDLE)
    brought = plan({"etcd": {"snapshot": "/home/db", "sha256": "s"}})
    said = {"attempts": [took(100)]}

    assert [
        found.path
        for the_plan in (plan(), brought)
        if (found := source(the_plan, memory_of(the_plan, known, said, 200))) is not None
    ] == ["/j/x.snapshot", "/home/db"]
    assert source(plan(), memory_of(plan(), known, {}, 200)) is None


@pytest.mark.parametrize(
    ("attempt", "first"),
    [
        (took(100, "cp-1", quorum="lost"), None),
        (took(99, "cp-1", quorum="lost"), Act),  # of before
        (took(100, "cp-2", quorum="lost"), Act),  # of another, which may have less
        (took(100, "cp-1", outcome=None), Wait),
        (took(100, "cp-1", outcome="failed", code="transient"), Act),
        (took(100, "cp-1", outcome="failed", code="disk-full"), Stuck),
    ],
)
def test_what_is_wiped_alone_is_copied_itself(attempt: dict[str, Any], first: type | None) -> None:
    known, the_plan = shown(ALONE, IDLE, IDLE), plan()
    memory = memory_of(the_plan, known, {"attempts": [attempt]}, 200)

    found = snapshot_of(the_plan, known, memory, "cp-1", 10_100.0)

    assert isinstance(found, type(None) if first is None else first)
    if isinstance(found, Act):
        assert (found.verb, found.target) == ("etcd.snapshot", "node/cp-1")


# --- another etcd, or another time ---------------------------------------------------------------

ANEW: dict[str, Any] = {
    "code": "running",
    "detail": {**WELL["detail"], "members": ["cp-1"], "ids": {"aa": "cp-1"}, "leader": "aa"},
}
LIVES: dict[str, Any] = {
    "code": "running",
    "detail": {
        **WELL["detail"],
        "ids": {"aa": "cp-1", "bb": "cp-2", "cc": "cp-3"},
        "leader": "bb",
    },
}


def test_it_is_taken_from_whoever_tells_what_most_tell() -> None:
    """Mutant: from the first that is healthy, which is an empty cluster of its own."""
    known = shown(ANEW, LIVES, LIVES)

    first = wanted(known)
    assert isinstance(first, Act)
    assert first.target == "node/cp-2"
    assert first.arguments["members"] == ["cp-1", "cp-2", "cp-3"]
    assert first.arguments["apart"] == ["cp-1"]
    failed = (took(900 + n, f"cp-{n}", outcome="failed", code="transient") for n in (2, 3))
    again = wanted(known, *failed)
    assert isinstance(again, Act)
    assert again.target == "node/cp-2", "however often the others could not give one"


def test_of_two_that_differ_the_one_with_more_members_is_copied() -> None:
    assert getattr(wanted(shown(ANEW, LIVES, OFF)), "target", "") == "node/cp-2"


@pytest.mark.parametrize(
    ("before", "since", "fresh"),
    [
        ("lost", 10_101, True),  # it never was anything else
        ("healthy", 10_050, True),  # and has been lost since before the copy
        ("healthy", 10_101, False),  # in between a quorum stood, and may have written
        ("unknown", 10_101, False),  # or may have stood
    ],
)
def test_a_copy_of_a_loss_is_good_for_that_loss_alone(
    before: str,
    since: float,
    fresh: bool,  # noqa: FBT001
) -> None:
    """Mutant: once lost, it is fresh for ever."""
    the_plan = plan()
    now = {**shown(ALONE, IDLE, IDLE), "etcd": Fact("lost", "", since)}
    first = {**now, "etcd": Fact(before, "", 10_000.0)}
    memory = memory_of(the_plan, first, {"attempts": [took(100, quorum="lost")]}, 1000)
    memory = fold(memory, e.Observed(at=11_000.0, changed={"etcd": now["etcd"]}))

    found = snapshot_wanted(the_plan, memory.facts, memory)

    assert (found is None) is fresh


@pytest.mark.parametrize(
    ("more", "another"),
    [
        ({}, False),  # an older journal does not tell
        ({"members": None, "apart": []}, False),  # without a quorum nobody tells
        ({"members": ["cp-1", "cp-2"], "apart": []}, False),
        ({"members": ["cp-2", "cp-3"], "apart": []}, True),
        ({"members": ["cp-1", "cp-2", "cp-3"], "apart": ["cp-1"]}, True),
        ({"node": "cp-1", "members": ["cp-9"], "apart": []}, False),  # it was begun there
    ],
)
def test_what_was_begun_is_in_doubt_beside_a_snapshot_of_another_etcd(
    more: dict[str, Any],
    another: bool,  # noqa: FBT001
) -> None:
    """Mutant: any later snapshot shows that it lived."""
    the_plan, known = plan(), shown(IDLE, IDLE, IDLE)
    begun = {
        "verb": "etcd.bootstrap",
        "target": "node/cp-1",
        "at": 10,
        "outcome": "done",
        "arguments": {"node": "cp-1", "machine_uuid": "uuid-cp-1", "boot_id": "old"},
    }
    copy = took(60, "cp-2")
    copy["arguments"] |= more
    memory = memory_of(the_plan, known, {"attempts": [begun, copy]}, 7000)

    found = etcd_begin.decide(the_plan, known, memory)

    assert isinstance(found, Act)
    assert found.approval is not None
    assert ("ended done and no etcd shows" in found.approval.question) is another
