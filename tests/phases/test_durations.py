"""
How long things take: one table, for the ETA, the critical path and the order of nudges.

Mutants, each tried: two of the lines of ``_known`` change places; a family counts from two on; a whole attempt is all
applying, or none of it; what lies between applying and being well is counted twice; ``paced`` orders by the usual
seconds; ``eta`` leaves out what runs before have shown, or reads a run that has written it down, or takes what is
held up for work; pods are timed; a stage of a machine begins it anew; what was held up goes on; a clock that jumped,
or a session that ended, ends nothing; ``observe`` does not ask; what left the plan is handed on, or nothing is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from engine.answer import Act
from engine.draft import Draft
from engine.folding import fold, fold_all
from engine.judging import Rules
from engine.memory import Memory
from engine.observing import observe
from journal import entries as e
from journal.entries import Fact
from phases import flux_synced, order
from phases.durations import USUAL_SECONDS, Basis, Durations, handed_on, timed
from phases.needs import needs_of
from phases.path import Learnt, critical_path
from phases.recipe import recipe
from phases.vertices import applied, gone
from rekindle import session
from rekindle.eta import Ahead, eta, told
from rekindle.folding import Found
from tests.phases.making import START, facts, memory_of, opened, plan
from tests.phases.test_pacing import READY, blocked

WEB = "deployment/apps/web"
SET, APPS, RELEASE, LATE = (
    "kustomization/flux-system/alone",
    "kustomization/flux-system/apps",
    "helmrelease/apps/web",
    "helmrelease/apps/late",
)
TREE: dict[str, Any] = {
    "kustomizations": [
        {"key": "flux-system/alone"},
        {"key": "flux-system/apps", "wait": True},
    ],
    "helmreleases": [{"key": "apps/web", "parent": "flux-system/apps"}, {"key": "apps/late"}],
    "externalsecrets": [],
    "stores": [],
    "crds": [],
    "workloads": [{"kind": "Deployment", "key": "apps/web", "pods": 1, "owner": RELEASE}],
    "pods": 1,
    "roots": ["flux-system/apps"],
}
PLAN = plan({"inventory": TREE})
NEEDS = needs_of(PLAN.target)


def reporting(subject: str, seconds: float) -> dict[str, Fact]:
    return {subject: Fact("Blocked", detail={"took": seconds})}


REPORT = reporting(LATE, 22.0)
FAMILIES = {"helmrelease": 24.0}
OLD = Durations({}, FAMILIES, {LATE: 23.0})


@pytest.mark.parametrize(
    ("known", "said", "expected"),
    [
        (Durations({LATE: 21.0}, FAMILIES, {LATE: 23.0}), REPORT, (11.0, Basis.OWN)),
        (OLD, REPORT, (12.0, Basis.REPORTED)),
        (OLD, {}, (13.0, Basis.EARLIER)),
        (Durations({}, FAMILIES), {}, (14.0, Basis.OWN)),
        (Durations(), {}, (USUAL_SECONDS["helmrelease"], Basis.USUAL)),
    ],
)
def test_what_is_known_of_an_object_goes_before_its_family_and_newer_before_older(
    known: Durations, said: dict[str, Fact], expected: tuple[float, Basis]
) -> None:
    assert known.find(LATE, NEEDS, said) == expected


def test_a_family_counts_from_three_on() -> None:
    two = {"deployment/a/a": 7.0, "deployment/a/b": 9.0}

    assert Durations.seen(two).find(WEB, NEEDS, {}) == (49.0, Basis.USUAL)
    three = Durations.seen({**two, "deployment/a/c": 8.0})
    assert three.find(WEB, NEEDS, {}) == (8.0, Basis.OWN)


@pytest.mark.parametrize(
    ("subject", "whole", "first", "rest"),
    [
        (SET, 0.7, 0.7, 0.0),
        (SET, 35.0, 5.0, 30.0),
        (LATE, 200.0, 10.0, 190.0),  # nothing that it waits for is in the inventory
        (APPS, 0.7, 0.7, 5.0),  # it waits for a release, which takes time of its own
        (APPS, 90.0, 5.0, 5.0),
        (RELEASE, 90.0, 10.0, 5.0),
    ],
)
@pytest.mark.parametrize("known_by", ["own", "reported", "earlier", "families"])
def test_what_is_known_is_of_a_whole_attempt_with_what_that_waited_for(
    subject: str, whole: float, first: float, rest: float, known_by: str
) -> None:
    said = reporting(subject, whole) if known_by == "reported" else {}
    name = subject.partition("/")[0] if known_by == "families" else subject
    known = Durations(**({} if said else {known_by: {name: whole}}))

    found = [known.find(vertex, NEEDS, said).seconds for vertex in (applied(subject), subject)]

    assert found == [first, rest]


def test_what_a_namespace_took_tells_nothing_of_its_earlier_life() -> None:
    known, space = Durations({"namespace/apps": 2.0}), "namespace/apps"

    assert known.find(space, NEEDS, {}) == (2.0, Basis.OWN)
    assert known.find(gone("apps"), NEEDS, {}) == (60.0, Basis.USUAL)


# --- who asks ------------------------------------------------------------------------------------

HERD: dict[str, Any] = {
    "kustomizations": [{"key": f"flux-system/{name}"} for name in "abcdef"],
    "helmreleases": [],
    "externalsecrets": [],
    "stores": [],
    "crds": [],
    "workloads": [],
    "pods": 0,
    "roots": ["flux-system/a"],
}
F = "kustomization/flux-system/f"


def woken(memory: Memory, known: dict[str, Fact]) -> set[str]:
    given = flux_synced.decide(plan({"inventory": HERD}), known, {}, memory)
    return {s for s, a in given.items() if isinstance(a, Act) and a.verb == "flux.nudge"}


def herd(**detail: float) -> tuple[Memory, dict[str, Fact]]:
    """Six that are the same, of which four are woken first; *detail*: what the last of them says besides."""
    said = {f"kustomization/flux-system/{name}": blocked(name) for name in "abcdef"}
    said[F]["detail"] |= detail
    known = facts({**READY, **said})
    return memory_of(plan({"inventory": HERD}), known, {}, 0), known


def test_the_order_of_nudges_goes_by_the_same_durations() -> None:
    memory, known = herd()

    assert F not in woken(memory, known), "by the usual seconds names decide"
    assert F in woken(replace(memory, took={F: 300.0}), known)
    assert F in woken(replace(memory, took_earlier={F: 300.0}), known)
    assert F in woken(*herd(took=300.0))


def left(**late: Any) -> dict[str, Fact]:  # noqa: ANN401
    """All is well but one release, which its own needs do not hold up."""
    subjects = [vertex for vertex in NEEDS if "#" not in vertex]
    known = facts(dict.fromkeys(subjects, "Ready"))
    known |= {name: Fact(code) for name, code in (("etcd", "healthy"), ("api", "up"))}
    known |= {name: Fact("running") for name in subjects if name.startswith("node/")}
    return {**known, LATE: Fact("Absent", detail=late)}


def test_the_path_says_from_where_its_durations_are() -> None:
    path = critical_path(PLAN.target, left(took=22.0), START)

    assert (path.remaining_seconds, path.reported) == (22.0, 2)
    assert path.basis == "2 of 2 durations are reported by the objects"
    durations = Durations({LATE: 17.0}, {}, {LATE: 120.0})
    path = critical_path(PLAN.target, left(), START, durations=durations)
    assert (path.remaining_seconds, path.learnt, path.earlier) == (17.0, 2, 0)


@pytest.mark.parametrize(
    ("known", "late", "seconds", "basis"),
    [
        ({}, {}, 15.0, "class defaults"),
        (
            {"took": {LATE: 7.0}, "took_earlier": {LATE: 120.0}},
            {},
            7.0,
            "class defaults and 1 duration of this run",
        ),
        (
            {"took": {WEB: 7.0, SET: 1.0}},
            {"took": 22.0},
            22.0,
            "class defaults, 2 durations of this run and 2 durations that objects report",
        ),
        (
            {"took_earlier": {LATE: 120.0}},
            {},
            120.0,
            "class defaults and 2 durations of an earlier run",
        ),
    ],
)
def test_the_eta_goes_by_the_same_table_and_says_so(
    known: dict[str, Any], late: dict[str, float], seconds: float, basis: str
) -> None:
    memory = replace(Memory(state="pods-healthy", now=START, facts=left(**late)), **known)

    found = eta(memory, PLAN, Learnt())

    assert (found.seconds, found.basis) == (seconds + 30.0, basis)


def test_a_run_that_wrote_down_its_durations_is_not_read_for_them() -> None:
    """Since when something is worked on is remembered as well."""
    late = {**left(), LATE: Fact("Ready"), WEB: Fact("Progressing", since=START - 100)}
    memory = Memory(state="pods-healthy", now=START, facts=late, took_earlier={WEB: 120.0})

    def seconds(known: Memory) -> float | None:
        return told(known, Ahead.of(PLAN), lambda: pytest.fail("it was read")).seconds

    begun = replace(memory, begun={WEB: START - 20})
    assert seconds(begun) == 100.0 + 30.0
    held_up = replace(begun, facts={**late, WEB: Fact("Failed")})
    assert seconds(held_up) == 120.0 + 30.0, "nobody works on it any more"


# --- what is written -----------------------------------------------------------------------------


def observed(at: float, **codes: str) -> e.Observed:
    named = {name.replace("__", "/"): Fact(code) for name, code in codes.items()}
    return e.Observed(at=START + at, changed=named)


QUEUED = Fact("Progressing", "not reconciled yet")


def lived(*entries: e.AnyEntry) -> Memory:
    """What is known after entries that a session wrote."""
    memory = fold(Memory(), opened(PLAN))
    for entry in entries:
        told = timed(memory, entry) if isinstance(entry, e.Observed) else entry
        memory = fold(memory, told)
    return memory


def test_a_session_tells_how_long_what_is_expected_was_worked_on() -> None:
    begins = observed(0, deployment__a="Progressing", pod__x="Progressing", node__n="booting")
    goes_on = observed(60, node__n="rebooting")
    memory = lived(begins, goes_on)

    assert memory.begun == {"deployment/a": START, "node/n": START}
    ends = timed(memory, observed(90.12, deployment__a="Ready", pod__x="Ready", node__n="running"))
    assert ends.took == {"deployment/a": 90.1, "node/n": 90.1}
    assert (fold(memory, ends).begun, fold(memory, ends).took) == ({}, ends.took)
    assert timed(memory, observed(1, deployment__b="Ready")) == observed(1, deployment__b="Ready")


@pytest.mark.parametrize(
    "between",
    [
        observed(10, deployment__a="Blocked"),
        e.Observed(at=START + 10, removed=("deployment/a",)),
        e.Observed(at=START + 10, changed={"deployment/a": QUEUED}),
    ],
)
def test_what_was_held_up_begins_anew(between: e.Observed) -> None:
    begins, again = (
        observed(0, deployment__a="Progressing"),
        observed(50, deployment__a="Progressing"),
    )

    assert lived(begins, between, again, observed(57, deployment__a="Ready")).took == {
        "deployment/a": 7.0
    }
    assert lived(begins, between, observed(57, deployment__a="Ready")).took == {}


@pytest.mark.parametrize(
    "between",
    [
        e.ClockJumped(at=START + 3600, seconds=3600.0),
        e.ClockJumped(at=START - 3600, seconds=-3600.0),
        e.RunResumed(at=START + 3600, holder="h", idle_seconds=3600.0),
    ],
)
def test_what_nobody_saw_go_on_has_no_duration(between: e.AnyEntry) -> None:
    begins, ends = observed(0, deployment__a="Progressing"), observed(3601, deployment__a="Ready")

    assert lived(begins, between, ends).took == {}
    assert lived(begins, ends).took == {"deployment/a": 3601.0}


def test_what_was_written_down_goes_before_what_is_learnt_in_reading() -> None:
    """A session that was killed did not time what went on without it."""
    learnt = Learnt()
    for at in (0, 100, 200):
        learnt.see(observed(at, **{f"deployment__{at}": "Progressing"}))
        learnt.see(observed(at + 10, **{f"deployment__{at}": "Ready"}))

    assert learnt.durations() == Durations(families={"deployment": 10.0})
    learnt.see(replace(observed(300), took={"deployment/0": 4.0}))
    assert learnt.durations() == Durations.seen({"deployment/0": 4.0})


def test_a_run_knows_its_own_durations_and_those_of_the_runs_before() -> None:
    first = replace(opened(PLAN), took={WEB: 90.0, SET: 2.0})
    memory = fold_all(Memory(), [first, replace(observed(1), took={WEB: 30.0, "node/gone": 1.0})])

    assert Durations.of(memory) == Durations(
        {WEB: 30.0, "node/gone": 1.0}, {}, {WEB: 90.0, SET: 2.0}
    )
    assert handed_on(PLAN.target, memory) == {WEB: 30.0, SET: 2.0}
    assert fold(memory, replace(observed(2), took={WEB: 20.0})).took[WEB] == 20.0


@pytest.mark.parametrize(
    ("purpose", "world", "told"), [("run", {}, {WEB: 30.0}), ("rehearse", {"scenario": "x"}, {})]
)
def test_a_run_is_opened_with_what_the_run_before_has_shown(
    purpose: str, world: dict[str, Any], told: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the same cluster: a scenario's is always a new one."""
    first = opened(PLAN)
    memory = fold_all(Memory(), [first, replace(observed(1), took={WEB: 30.0, "node/gone": 1.0})])
    before = Found(memory, first, {}, None, alive=False, last_seq=2)
    wrote: list[e.RunOpened] = []

    def stop(_path: Path, entry: e.RunOpened, **_options: Any) -> None:  # noqa: ANN401
        wrote.append(entry)
        raise KeyboardInterrupt

    monkeypatch.setattr("rekindle.session.Journal.open_run", stop)
    opening = session.Opening(purpose, PLAN, START, {}, world)
    with pytest.raises(KeyboardInterrupt):
        session.open_run(
            opening,
            session.Options(Path("j.db")),
            lambda _found, _plan: pytest.fail("no world"),
            before=before,
        )

    assert [entry.took for entry in wrote] == [told]


def test_what_a_turn_writes_is_timed() -> None:
    rules = Rules.of(recipe(), PLAN)
    draft = Draft(rules, fold(Memory(), opened(PLAN)), START)
    observe(draft, {WEB: Fact("Progressing")})
    draft.now = START + 20
    observe(draft, {WEB: Fact("Ready")})

    assert draft.memory.took == {WEB: 20.0}


def test_the_order_without_durations_is_that_of_the_usual_ones() -> None:
    """Journals of before have none, and replay as they were decided."""
    memory, known = herd()
    section, subjects = plan({"inventory": HERD}).target, [s for s in known if s.startswith("kust")]

    assert Durations.of(memory) == Durations()
    assert order.urgency(section, known, subjects) == order.urgency(
        section, known, subjects, Durations.of(memory)
    )
