"""
What a wait for a machine is called, for a person elsewhere on the way, and before something was lost again.

Mutants, each tried: who went out of sight while it ran is on its way, or for ever; a node that stands waits for
nothing; etcd is well and is waited for; a question about etcd is nobody's; the patience of the run is nobody's; a
finding names no question; what is needed names none, or what is there does; it is
a person's whoever is at work; a namespace is brought by whoever checks its health; a loss is
like everything done; one question among other things is all that the run waits for.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from journal import entries as e
from journal.entries import AnyEntry, Fact
from phases.ledger import ledger_of
from tests.phases.making import START, facts, opened, plan
from tests.phases.test_ledger import APPS, CHECKED, SPAN, decided, found, intended, ledger, run
from tests.phases.test_path import finished

BUILDS = {"code": "Progressing", "reason": "Building"}
NODE, ETCD = "node/cp-1", "etcd"
STANDS = {"code": "waits-for-etcd", "reason": "etcd is preparing"}
NO_ETCD = facts({ETCD: "none"})
LOST_ETCD = facts({ETCD: "lost"})
TIMER = e.TimerSet(at=START, name="wait/etcd", due=START + 600, span=600.0)
PATIENCE = 600.0  # of a machine out of sight


def etcd_is(code: str) -> dict[str, Fact]:
    return facts({ETCD: code})


def bootstrapped(ago: float = 0.0) -> list[AnyEntry]:
    begun = replace(intended("etcd.bootstrap", NODE), at=START - ago)
    done = e.ActionSettled(
        at=START - ago, action="a1", verb="etcd.bootstrap", target=NODE, outcome=e.Outcome.DONE
    )
    return [begun, done]


def gone(code: str, span: float = SPAN) -> list[AnyEntry]:
    """A node is in a stage for no time at all, and then out of sight."""
    of = plan()
    well = finished(of)
    unseen = facts({NODE: {"code": "unseen", "since": START}})
    return [
        opened(of),
        e.Observed(at=START, changed={**well, **facts({NODE: code})}),
        e.Observed(at=START, changed=unseen),
        *(e.Note(at=START + at, text="", actor="") for at in range(10, int(span), 10)),
        e.Observed(at=START + span, changed={NODE: well[NODE]}),
    ]


@pytest.mark.parametrize(
    ("stage", "wanted"),
    [
        ("installing", "useful"),
        ("rebooting", "useful"),
        ("resetting", "useful"),
        ("upgrading", "useful"),
        ("running", "unknown"),
        ("maintenance", "unknown"),
    ],
)
def test_who_goes_out_of_sight_to_reboot_is_on_its_way(stage: str, wanted: str) -> None:
    assert ledger(gone(stage)).classes == {wanted: SPAN}


def test_a_reboot_is_believed_for_as_long_as_the_run_itself_waits_for_one() -> None:
    assert ledger(gone("rebooting", 700.0)).classes == {
        "useful": pytest.approx(PATIENCE + 10.0),  # told by the entry after it
        "unknown": pytest.approx(90.0),
    }


MACHINES: list[tuple[str, str, list[AnyEntry]]] = [
    ("it resets itself", "useful", run({NODE: "resetting"})),
    ("it stands, and nothing is known", "unknown", run({NODE: STANDS}, more=NO_ETCD)),
    ("it stands, and etcd is well", "unknown", run({NODE: STANDS}, TIMER)),
    ("etcd forms", "useful", run({NODE: STANDS}, more=etcd_is("forming"))),
    (
        "it is unhealthy without etcd, which forms",
        "useful",
        run({NODE: "unhealthy"}, more=etcd_is("forming")),
    ),
    ("it is not seen, and etcd forms", "unknown", run({NODE: "unseen"}, more=etcd_is("forming"))),
    (
        "another control plane boots",
        "useful",
        run({NODE: "booting", "node/cp-2": STANDS}, more=NO_ETCD),
    ),
    (
        "another control plane is not seen",
        "unknown",
        run({NODE: "unseen", "node/cp-2": STANDS}, more=NO_ETCD),
    ),
    ("the run has patience with etcd itself", "DW15", run({ETCD: "lost"}, TIMER)),
    (
        "etcd was bootstrapped just now",
        "useful",
        run({NODE: STANDS}, *bootstrapped(), more=NO_ETCD),
    ),
    (
        "etcd was bootstrapped long ago",
        "unknown",
        run({NODE: STANDS}, *bootstrapped(301.0), more=NO_ETCD),
    ),
    (
        "etcd is copied",
        "useful",
        run({NODE: STANDS}, intended("etcd.snapshot", ETCD), more=LOST_ETCD),
    ),
    (
        "a person is asked about etcd",
        "DW18",
        run({NODE: STANDS}, decided(ETCD, "ask"), more=LOST_ETCD),
    ),
    ("etcd is a dead end", "DW18", run({NODE: STANDS}, decided(ETCD, "stuck"), more=LOST_ETCD)),
    ("the run has patience with etcd", "DW15", run({NODE: STANDS}, TIMER, more=LOST_ETCD)),
    (
        "a person is asked about what blocks a namespace",
        "DW18",
        run(
            {"namespace/apps": "Terminating"},
            found("AP1", "apiservice/v1.x", "namespace/apps"),
            decided("apiservice/v1.x", "ask"),
        ),
    ),
    (
        "a person is asked about what blocks another",
        "DW14",
        run(
            {"namespace/apps": "Terminating"},
            found("AP1", "apiservice/v1.x", "namespace/home"),
            decided("apiservice/v1.x", "ask"),
        ),
    ),
    (
        "a person is asked about what blocks it, and it is worked on",
        "useful",
        run(
            {APPS: BUILDS}, found("AP1", "apiservice/v1.x", APPS), decided("apiservice/v1.x", "ask")
        ),
    ),
    (
        "a person is asked about what it needs and has",
        "unknown",
        run({"namespace/apps": "Failed"}, decided("gitrepository/flux-system/flux-system", "ask")),
    ),
    (
        "a person is asked about what blocks a machine",
        "DW18",
        run({NODE: "unseen"}, found("T9", "switch", NODE), decided("switch", "ask")),
    ),
]


@pytest.mark.parametrize(
    ("wanted", "entries"), [case[1:] for case in MACHINES], ids=[case[0] for case in MACHINES]
)
def test_what_a_wait_for_a_machine_is_called(wanted: str, entries: list[AnyEntry]) -> None:
    assert ledger(entries).classes == {wanted: SPAN}


CILIUM = "daemonset/kube-system/cilium"
OTHER = "node/cp-2"


def short(
    ready: int = 2,
    expected: int = 3,
    *said: AnyEntry,
    stage: str = "running",
    why: str = "no answer",
    subject: str = CILIUM,
) -> list[AnyEntry]:
    """A machine is in a stage, then out of sight for 60 s; a second after it is back, what lacked it is well."""
    of = plan()
    well = finished(of)
    unseen = {"code": "unseen", "reason": why, "since": START}
    lacks = {"code": "Progressing", "detail": {"ready": ready, "expected": expected}}
    return [
        opened(of),
        e.Observed(at=START, changed={**well, **facts({NODE: stage})}),
        e.Observed(at=START, changed=facts({NODE: unseen, subject: lacks})),
        *said,
        e.Observed(at=START + SPAN, changed={NODE: well[NODE]}),
        e.Observed(at=START + SPAN + 1, changed={subject: well[subject]}),
        e.RunClosed(at=START + SPAN + 1, outcome=e.RunOutcome.DONE, state="done"),
    ]


LACKING: list[tuple[str, str, list[AnyEntry]]] = [
    ("all that it lacks is on a machine that is off", "DW13", short()),
    ("it lacks more pods than machines are off", "useful", short(1)),
    ("it lacks no pod, and rolls out", "useful", short(3)),
    ("it is of fewer nodes, and may lack another's pod", "useful", short(1, 2)),
    ("the machine reboots", "useful", short(stage="rebooting")),
    ("nobody has asked the machine yet", "useful", short(why="not-asked")),
    ("it is no DaemonSet", "useful", short(subject="deployment/apps/web")),
    ("a person is asked about the machine", "DW18", short(2, 3, decided(NODE, "ask"))),
    ("a person is asked about another machine", "DW13", short(2, 3, decided(OTHER, "ask"))),
]


@pytest.mark.parametrize(
    ("wanted", "entries"), [case[1:] for case in LACKING], ids=[case[0] for case in LACKING]
)
def test_what_lacks_nothing_but_a_lost_machine_is_worked_on_by_nobody(
    wanted: str, entries: list[AnyEntry]
) -> None:
    """
    Nine minutes of a machine that was off were useful once, as its pod of a DaemonSet "progressed" all the while.

    Mutants: leave ``lacks_lost`` out of ``_at_work``; count no pods, or none of all nodes; believe no reboot; ask
    nobody's opinion of a machine that was not asked.
    """
    classes = ledger(entries).classes

    assert classes == ({wanted: SPAN, "useful": 1.0} if wanted != "useful" else {"useful": 61.0})


def test_a_reboot_that_never_ends_is_no_work_beside_the_path_either() -> None:
    """The longest chain of work ends with the patience. Mutant: ask of a DaemonSet only when its own fact changes."""
    of = plan()
    well = finished(of)
    lacks = {"code": "Progressing", "detail": {"ready": 2, "expected": 3}}
    unseen = {"code": "unseen", "reason": "no answer", "since": START}
    path = "namespace/apps"
    entries: list[AnyEntry] = [
        opened(of),
        e.Observed(at=START, changed={**well, **facts({NODE: "rebooting", path: "Failed"})}),
        e.Observed(at=START, changed=facts({NODE: unseen, CILIUM: lacks})),
        *(e.Note(at=START + at, text="", actor="") for at in range(10, 900, 10)),
        e.Observed(at=START + 900, changed={NODE: well[NODE], CILIUM: well[CILIUM]}),
        e.Observed(at=START + 901, changed={path: well[path]}),
    ]

    assert ledger(entries).critical_path == pytest.approx(PATIENCE + 10.0)


def test_a_person_who_is_asked_about_what_it_needs_is_who_it_waits_for() -> None:
    """The API is lost after the namespace's turn began, and etcd with it: the question is about etcd."""
    entries = run({"namespace/apps": "Failed"})
    entries[2:2] = [
        e.Observed(at=START + 20, changed=facts({"api": "down", ETCD: "lost"})),
        e.Decided(at=START + 20, state="talos-ready", answers={ETCD: {"answer": "ask"}}),
        e.Observed(at=START + 50, changed=facts({"api": "up", ETCD: "healthy"})),
        e.Decided(at=START + 50, state="talos-ready", answers={ETCD: {"answer": "done"}}),
    ]
    seen = ledger(entries)

    assert seen.classes["DW18"] == 30.0


BROUGHT: dict[str, Any] = {
    "inventory": {
        "kustomizations": [
            {"key": "flux-system/cluster"},
            {"key": "flux-system/apps"},
            {"key": "apps/web", "parent": "flux-system/apps"},
        ],
    }
}


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (BUILDS, "useful"),
        (CHECKED, "unknown"),
        ("Failed", "unknown"),
    ],
)
def test_an_absent_namespace_comes_with_what_is_brought_into_it(said: Any, wanted: str) -> None:  # noqa: ANN401
    of = plan(BROUGHT)
    well = finished(of)
    bad = facts({"namespace/apps": "Absent", APPS: said})
    entries: list[AnyEntry] = [
        opened(of),
        e.Observed(at=START, changed={**well, **bad}),
        e.Observed(at=START + SPAN, changed={s: well[s] for s in bad}),
    ]

    assert ledger_of(of, lambda: iter(entries)).classes == {wanted: SPAN}


def before_a_loss(*said: AnyEntry, more: dict[str, Fact] | None = None) -> list[AnyEntry]:
    """Everything is well for 60 s; then something is lost for 5 s, and no path leads to what was before."""
    of = plan()
    well = finished(of)
    return [
        opened(of),
        e.Observed(at=START, changed={**well, **(more or {})}),
        *said,
        e.Observed(at=START + SPAN, changed=facts({APPS: BUILDS})),
        e.Observed(at=START + SPAN + 4, changed={subject: well[subject] for subject in more or {}}),
        e.Observed(at=START + SPAN + 5, changed={APPS: well[APPS]}),
    ]


ASKS = e.Decided(
    at=START,
    state="node-maintenance",
    answers={NODE: {"answer": "ask"}, "node/cp-2": {"answer": "done"}},
)
WAITS = e.Decided(at=START, state="node-maintenance", answers={"node/cp-2": {"answer": "wait"}})
WINDOW = e.TimerSet(at=START, name="stable/pods-healthy", due=START + 60, span=60.0)
DAMPING = e.TimerSet(at=START, name="damping/talos-ready", due=START + 60, span=60.0)


@pytest.mark.parametrize(
    ("wanted", "entries"),
    [
        ("unknown", before_a_loss()),
        ("DW18", before_a_loss(ASKS)),
        ("unknown", before_a_loss(ASKS, WAITS)),
        ("DW15", before_a_loss(WINDOW)),
        ("unknown", before_a_loss(DAMPING)),
        ("useful", before_a_loss(ASKS, intended("node.reset", "node/cp-3"))),
        ("unknown", before_a_loss(intended("flux.nudge", "kustomization/flux-system/cluster"))),
    ],
    ids=["nothing", "asked", "asked among others", "window", "damping", "reset", "nudge"],
)
def test_what_the_run_waited_for_before_a_loss(wanted: str, entries: list[AnyEntry]) -> None:
    seen = ledger(entries).classes

    assert seen == ({"useful": SPAN + 5} if wanted == "useful" else {wanted: SPAN, "useful": 5.0})


def test_a_machine_that_the_run_wipes_is_what_it_waits_for_before_a_loss() -> None:
    """Only where the run has an answer about it: who else reboots is beside."""
    resets = facts({"node/cp-2": "resetting"})

    assert ledger(before_a_loss(WAITS, more=resets)).classes == {"useful": SPAN + 5}
    assert ledger(before_a_loss(ASKS, more=resets)).classes == {"DW18": SPAN, "useful": 5.0}
