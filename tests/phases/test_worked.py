"""
The work alone, in the cases that ``tests/properties/test_ledger.py`` seldom makes up.

Mutants, each tried: ``until`` does not look at what is asked; a released finalizer is its holder's alone; what came
after everything comes after nothing; of what was done at one instant the last comes first; a life is looked for twice
where two of them ended at one instant.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from engine.plan import Plan
from journal import entries as e
from journal.entries import AnyEntry, Fact
from phases.hindsight import LOST, Course
from phases.ledger import booked, ledger_of
from phases.vertices import Vertex
from tests.phases.making import START, facts, opened, plan
from tests.phases.test_ledger import intended
from tests.phases.test_path import finished

LONGER = "statefulset/apps/db"
APPS = "kustomization/flux-system/apps"
OF = plan()
WELL = finished(OF)
BUILDS = Fact("Progressing", "Building")


def begun(bad: dict[str, Fact], of: Plan = OF) -> list[AnyEntry]:
    """Something that nobody works on takes 60 s: whatever else there is is beside the path."""
    waits = {LONGER: Fact("Failed", "no")}
    return [opened(of), e.Observed(at=START, changed={**finished(of), **bad, **waits})]


def ready(second: float, *subjects: str) -> e.Observed:
    return e.Observed(at=START + second, changed={s: WELL[s] for s in subjects})


def settled(second: float, verb: str, target: str) -> e.ActionSettled:
    return e.ActionSettled(
        at=START + second, action="a1", verb=verb, target=target, outcome=e.Outcome.DONE
    )


def worked(entries: list[AnyEntry], vertex: Vertex, of: Plan = OF) -> float:
    """How long a vertex was worked on, in all its lives."""
    course = Course(of.target)
    for entry in entries:
        course.see(entry)
    _, found = booked(of, course, lambda: iter(entries), START, entries[-1].at)
    return sum(span for (v, _), span in found.seconds.items() if v == vertex)


def test_work_beside_the_path_ends_when_a_person_is_asked_about_it() -> None:
    entries = begun({APPS: BUILDS})
    entries += [
        e.Decided(at=START + 20, state="flux-synced", answers={APPS: {"answer": "stuck"}}),
        ready(60, APPS, LONGER),
    ]

    assert worked(entries, f"{APPS}#applied") == 20.0


def test_a_release_works_on_the_namespace_beside_the_path() -> None:
    entries = begun(facts({"namespace/apps": "Terminating", "holder/u9": "Holding"}))
    entries += [
        replace(intended("finalizer.release", "holder/u9"), at=START + 10),
        settled(30, "finalizer.release", "holder/u9"),
        ready(60, "namespace/apps", LONGER),
    ]

    assert worked(entries, "namespace/apps#gone") == 20.0


def test_an_absent_namespace_beside_the_path_rests_on_who_brings_it() -> None:
    of = plan(
        {
            "inventory": {
                "kustomizations": [
                    {"key": "flux-system/cluster"},
                    {"key": "flux-system/apps"},
                    {"key": "apps/web", "parent": "flux-system/apps"},
                ],
            }
        }
    )
    entries = begun({"namespace/apps": Fact("Absent"), APPS: BUILDS}, of)
    entries += [
        e.Observed(at=START + 20, changed={APPS: Fact("Failed", "no")}),
        ready(60, APPS, LONGER, "namespace/apps"),
    ]

    assert worked(entries, "namespace/apps", of) == 20.0


OWNED = plan(
    {
        "inventory": {
            "workloads": [
                {"kind": "Deployment", "key": "apps/web", "pods": 2, "owner": APPS},
                {"kind": "StatefulSet", "key": "apps/db", "pods": 1, "owner": APPS},
            ],
        }
    }
)
WEB = "deployment/apps/web"
FAILS = Fact("Failed", "no")


@pytest.mark.parametrize(
    ("turns", "seconds"),
    [
        pytest.param([FAILS, BUILDS, WELL[WEB]], 20.0, id="taken up"),
        pytest.param([BUILDS, FAILS, WELL[WEB]], 20.0, id="given up"),
        pytest.param([FAILS, Fact("Blocked", "no"), WELL[WEB]], 0.0, id="never"),
        pytest.param([Fact("Absent"), FAILS, WELL[WEB]], 20.0, id="there at last"),
        pytest.param([FAILS, Fact("Absent"), WELL[WEB]], 20.0, id="gone"),
        pytest.param([None, FAILS, WELL[WEB]], 20.0, id="seen at last"),
        pytest.param(
            [BUILDS, Fact("Progressing", "not reconciled yet"), WELL[WEB]], 20.0, id="left"
        ),
    ],
)
def test_a_verdict_is_asked_for_again_when_a_fact_may_tell_another(
    turns: list[Fact | None], seconds: float
) -> None:
    """
    A workload turns twice, 20 s each; while it is absent it is its Kustomization that is waited for, and at work.

    Mutants of ``may_tell``: look at the new code alone, at the old one alone, or not at absence; say no where both are
    at work, or where nothing was known.
    """
    entries = begun({APPS: BUILDS}, OWNED)
    for second, fact in zip((0, 20, 40), turns, strict=True):
        at = START + second
        entries += [
            e.Observed(at=at, changed={WEB: fact}) if fact else e.Observed(at=at, removed=(WEB,))
        ]
    entries += [ready(60, APPS, LONGER)]

    assert worked(entries, WEB, OWNED) == seconds


def test_a_machine_beside_the_path_is_on_its_way_for_so_long() -> None:
    """It is out of sight for 800 s; 600 are believed, as told by the entry after them."""
    entries = begun({"node/cp-1": Fact("rebooting")})
    entries += [e.Observed(at=START, changed={"node/cp-1": Fact("unseen", since=START)})]
    entries += [e.Note(at=START + 100.0 * n, text="", actor="") for n in range(1, 8)]
    entries += [ready(800, "node/cp-1"), ready(900, LONGER)]

    assert worked(entries, "node/cp-1") == 700.0


def test_who_waits_for_etcd_beside_the_path_waits_for_a_machine_that_is_on_its_way() -> None:
    """
    Long after the beginning: another machine's stage changes the verdict about one that stands.

    Mutants: ask about machines again only while one is given time, or only when itself changed.
    """
    lost = {"etcd": Fact("lost"), "node/cp-1": Fact("waits-for-etcd")}
    entries = begun({**lost, "node/cp-2": Fact("maintenance")})
    entries += [
        e.Observed(at=START + 5000, changed={"node/cp-2": Fact("rebooting")}),
        e.Observed(at=START + 5060, changed={"node/cp-2": Fact("maintenance")}),
        ready(5100, "etcd", "node/cp-1", "node/cp-2"),
        ready(6000, LONGER),
    ]

    assert worked(entries, "node/cp-1") == 60.0


def test_what_is_done_after_everything_comes_after_the_longest_chain() -> None:
    """The path has the one that nobody worked on; 30 s of another's work, and 10 s after all."""
    entries = begun({APPS: BUILDS})
    entries += [
        ready(30, APPS),
        ready(60, LONGER),
        replace(intended("flux.nudge", APPS), at=START + 60),
        settled(70, "flux.nudge", APPS),
    ]
    seen = ledger_of(OF, lambda: iter(entries))

    assert seen.classes == {"unknown": 60.0, "useful": 10.0}
    assert seen.critical_path == 40.0


def test_what_became_done_at_one_instant_is_one_chain() -> None:
    """A workload, its release and the Kustomization over it are seen well in one look, beside the path."""
    of = plan(
        {
            "inventory": {
                "kustomizations": [
                    {"key": "flux-system/cluster"},
                    {"key": "flux-system/apps", "wait": True},
                    {"key": "apps/late", "depends_on": ["flux-system/apps"]},
                ],
                "helmreleases": [{"key": "apps/web", "parent": "flux-system/apps"}],
                "workloads": [
                    {
                        "kind": "Deployment",
                        "key": "apps/web",
                        "pods": 2,
                        "owner": "helmrelease/apps/web",
                    },
                    {"kind": "StatefulSet", "key": "apps/db", "pods": 1},
                ],
            }
        }
    )
    well = finished(of)
    chain = ("deployment/apps/web", "helmrelease/apps/web", APPS)
    late = "kustomization/apps/late"
    bad = dict.fromkeys([*chain, late, LONGER], Fact("Failed", "no")) | {chain[0]: BUILDS}
    entries: list[AnyEntry] = [
        opened(of),
        e.Observed(at=START, changed={**well, **bad}),
        e.Observed(at=START + 20, changed={**{s: well[s] for s in chain}, late: BUILDS}),
        e.Observed(at=START + 30, changed={late: well[late]}),
        e.Observed(at=START + 60, changed={LONGER: well[LONGER]}),
    ]

    assert ledger_of(of, lambda: iter(entries)).critical_path == pytest.approx(30.0)


def test_a_look_at_what_is_well_is_no_step_of_what_comes_after_a_loss() -> None:
    """
    Everything is well; Flux looks at one object, whose dependent waits for that; then something is lost.

    Mutants: a look counts as having become well; also one in which the object failed on the way does not.
    """
    well = finished(OF)
    waits = Fact("Blocked", "DependencyNotReady", detail={"cause": "dependency:flux-system/apps"})

    def told(*looks: tuple[float, dict[str, Fact]]) -> list[Vertex]:
        course = Course(OF.target)
        lost = (40.0, {LONGER: Fact("Failed", "no")})
        for second, changed in ((0.0, well), *looks, lost, (60.0, {LONGER: well[LONGER]})):
            course.see(e.Observed(at=START + second, changed=changed))
        return [window.vertex for window in course.windows(START, START + 60)]

    late = "kustomization/flux-system/cluster"
    back = {APPS: well[APPS], late: well[late]}
    assert told((10.0, {APPS: BUILDS, late: waits}), (20.0, back)) == [LOST, LONGER]
    failed = {APPS: Fact("Failed", "no")}
    course = told((10.0, {APPS: BUILDS}), (15.0, failed), (20.0, back))
    assert [vertex.partition("#")[0] for vertex in course] == [LOST, APPS, LOST, LONGER]


def test_what_was_lost_and_done_again_at_one_instant_is_one_life() -> None:
    entries = begun({APPS: BUILDS})
    entries += [
        ready(40, APPS),
        e.Observed(at=START + 40, changed={APPS: BUILDS}),
        ready(40, APPS),
        ready(60, LONGER),
    ]

    assert worked(entries, f"{APPS}#applied") == 40.0
