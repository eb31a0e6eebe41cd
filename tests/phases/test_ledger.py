"""
The dead-wait ledger: what each kind of wait is called, and what is never guessed.

In every case one thing is not well for 60 s while the rest is: what the run waited for is known. Mutants, each tried:
``_concerns`` says yes to all; ``is_asked`` says yes to any question; ``_holds_worker`` says no; the time before a
resume is not cut to its idle seconds; ``interrupted`` is not looked at; a first window begins later than the run;
``is_checked_in_vain`` asks for no check, for no finding, not whether it clears itself, or not whose finding it is; the
causes of a health check are not looked at.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from journal import entries as e
from journal.entries import AnyEntry, Fact, Finding
from phases.ledger import Ledger, closing, ledger_of
from rekindle.ledger import NAMES
from tests.phases.making import START, facts, opened, plan
from tests.phases.test_path import finished

SPAN = 60.0
QUEUED = "not reconciled yet"
DEAD_WAITS = Path(__file__).parents[2] / "docs" / "explanation" / "dead-wait.md"
CHECKED = {"code": "Progressing", "reason": "Running health checks for revision main@sha1:0"}
CLAIM = "persistentvolumeclaim/apps/data"
APPS = "kustomization/flux-system/apps"
WEB = "helmrelease/apps/web"
HOLDER = facts({"holder/u9": {"code": "Holding", "detail": {"uid": "u9", "namespace": "apps"}}})
ELSEWHERE = facts({"holder/u9": {"code": "Holding", "detail": {"uid": "u9", "namespace": "home"}}})


def blocked(cause: str, code: str = "Blocked") -> dict[str, Any]:
    return {"code": code, "reason": "said so", "detail": {"cause": cause, "parked": True}}


def found(rule: str, subject: str, *blocks: str, clears: str = "unknown") -> e.FindingsChanged:
    finding = Finding(
        subject=subject, cause="c", message="m", rule=rule, blocks=blocks, clears_itself=clears
    )
    return e.FindingsChanged(at=START, changed={f"{rule}:{subject}": finding})


def decided(subject: str, kind: str) -> e.Decided:
    return e.Decided(at=START, state="flux-synced", answers={subject: {"answer": kind}})


def intended(verb: str, target: str) -> e.ActionIntended:
    return e.ActionIntended(
        at=START,
        action="a1",
        verb=verb,
        target=target,
        attempt=1,
        epoch=1,
        deadline_seconds=60.0,
    )


def run(
    changes: dict[str, Any], *said: AnyEntry, more: dict[str, Fact] | None = None
) -> list[AnyEntry]:
    """A run in which *changes* are so for 60 s, and everything is well before the end."""
    of = plan()
    well = finished(of)
    bad = {subject: facts({subject: body})[subject] for subject, body in changes.items()}
    return [
        opened(of),
        e.Observed(at=START, changed={**well, **bad, **(more or {})}),
        *said,
        e.Observed(at=START + SPAN, changed={subject: well[subject] for subject in bad}),
        e.RunClosed(at=START + SPAN, outcome=e.RunOutcome.DONE, state="done"),
    ]


def ledger(entries: list[AnyEntry]) -> Ledger:
    return ledger_of(plan(), lambda: iter(entries))


GAVE_UP = blocked("health:Deployment/apps/hidden", "Failed")
CLASSES: list[tuple[str, str, list[AnyEntry]]] = [
    ("a workload rolls out", "useful", run({"deployment/apps/web": "Progressing"})),
    (
        "its pods back off",
        "DW11",
        run({"deployment/apps/web": "Progressing"}, found("L8", "deployment/apps/web")),
    ),
    (
        "its pods hang on a lost node",
        "DW13",
        run({"statefulset/apps/db": "Progressing"}, found("L20", "pods", "statefulset/apps/db")),
    ),
    (
        "its volume is still attached to a lost node",
        "DW12",
        run(
            {"statefulset/apps/db": "Progressing"},
            found("L13", "persistentvolume/pv", "statefulset/apps/db"),
        ),
    ),
    (
        "another's volume is",
        "useful",
        run(
            {"statefulset/apps/db": "Progressing"},
            found("L13", "persistentvolume/pv", "statefulset/apps/other"),
        ),
    ),
    (
        "another's pods back off",
        "useful",
        run({"deployment/apps/web": "Progressing"}, found("L8", "deployment/apps/api")),
    ),
    (
        "a registry's limit",
        "DW16",
        run({"deployment/apps/web": "Progressing"}, found("L6", "x", "deployment/apps/web")),
    ),
    ("a worker has it", "useful", run({APPS: {"code": "Progressing", "reason": "Building"}})),
    (
        "a secret waits for its next turn",
        "unknown",
        run({"externalsecret/apps/login": {"code": "Progressing", "reason": "not synced since x"}}),
    ),
    ("no worker has it", "unknown", run({APPS: {"code": "Progressing", "reason": QUEUED}})),
    (
        "no worker has it, for all are busy",
        "DW4",
        run({APPS: {"code": "Progressing", "reason": QUEUED}}, found("K16", "deployment/c", APPS)),
    ),
    (
        "it has one of the busy workers",
        "useful",
        run(
            {APPS: {"code": "Progressing", "reason": "Building"}},
            found("K16", "deployment/c", APPS),
        ),
    ),
    (
        "its dependency is ready",
        "DW5",
        run({APPS: blocked("dependency:flux-system/cluster")}),
    ),
    (
        "its dependency is not, and nobody knows of it",
        "unknown",
        run({APPS: blocked("dependency:home/nothing")}),
    ),
    ("a kind that nothing serves", "DW10", run({APPS: blocked("kind:Widget.example.com")})),
    ("parked after its cause was over", "DW1", run({APPS: blocked("source")})),
    ("nobody knows why", "unknown", run({APPS: blocked("reason:BuildFailed")})),
    ("nudged just now", "useful", run({APPS: blocked("source")}, intended("flux.nudge", APPS))),
    (
        "out of retries while its objects come up",
        "DW8",
        run({WEB: {**GAVE_UP, "detail": {**GAVE_UP["detail"], "given_up": "RetriesExceeded"}}}),
    ),
    ("failed, and its objects come up", "unknown", run({WEB: GAVE_UP})),
    ("out of retries", "DW8", run({WEB: blocked("RetriesExceeded", "Failed")})),
    ("a secret backs off", "DW9", run({"externalsecret/apps/login": blocked("store:vault")})),
    (
        "a source waits for its interval",
        "DW7",
        run({"gitrepository/flux-system/flux-system": "Blocked"}),
    ),
    ("somebody paused it", "DW18", run({APPS: "Suspended"}, found("K18", APPS))),
    ("its deletion does not end", "DW20", run({APPS: "Terminating"})),
    ("a namespace is held", "DW14", run({"namespace/apps": "Terminating"})),
    (
        "a person is asked about it",
        "DW18",
        run({"namespace/apps": "Terminating"}, decided("holder/u9", "ask"), more=HOLDER),
    ),
    (
        "a person is asked about another",
        "DW14",
        run({"namespace/apps": "Terminating"}, decided("holder/u9", "ask"), more=ELSEWHERE),
    ),
    (
        "it is being released",
        "useful",
        run(
            {"namespace/apps": "Terminating"},
            decided("holder/u9", "ask"),
            intended("finalizer.release", "holder/u9"),
            more=HOLDER,
        ),
    ),
    ("a dead end", "DW18", run({APPS: blocked("reason:X")}, decided(APPS, "stuck"))),
    ("a health check, and nothing ails", "useful", run({APPS: CHECKED})),
    (
        "a health check of something that does not come",
        "DW3",
        run({APPS: CHECKED}, found("L9", CLAIM, APPS)),
    ),
    (
        "a health check of something that comes by itself",
        "useful",
        run({APPS: CHECKED}, found("L9", CLAIM, APPS, clears="yes")),
    ),
    (
        "a health check, and what ails is another's",
        "useful",
        run({APPS: CHECKED}, found("L9", CLAIM, WEB)),
    ),
    (
        "a health check, after one that failed",
        "useful",
        run({APPS: CHECKED}, found("K13", APPS)),
    ),
    (
        "a worker applies, and something ails",
        "useful",
        run({APPS: {"code": "Progressing", "reason": "Building"}}, found("L9", CLAIM, APPS)),
    ),
    (
        "a health check of pods that back off",
        "DW11",
        run({APPS: CHECKED}, found("L8", "deployment/apps/other", APPS)),
    ),
    (
        "a certificate that does not come",
        "DW17",
        run({APPS: blocked("health:Certificate/apps/web")}),
    ),
    (
        "something else that did not become healthy",
        "unknown",
        run({APPS: blocked("health:Widget/apps/web")}),
    ),
    ("a machine boots", "useful", run({"node/cp-1": "booting"})),
    ("a machine is not seen", "unknown", run({"node/cp-1": "unseen"})),
]


@pytest.mark.parametrize(
    ("wanted", "entries"), [case[1:] for case in CLASSES], ids=[case[0] for case in CLASSES]
)
def test_what_a_wait_is_called(wanted: str, entries: list[AnyEntry]) -> None:
    assert ledger(entries).classes == {wanted: SPAN}


def first_stage() -> list[AnyEntry]:
    said = {"code": "Progressing", "reason": "Namespace/apps status: 'Terminating'"}
    entries = run({APPS: said, "namespace/apps": "Terminating"})
    entries[-2:-2] = [e.Observed(at=START + 40, changed={"namespace/apps": Fact("Ready")})]
    return entries


def test_a_first_stage_behind_a_namespace_that_goes() -> None:
    assert ledger(first_stage()).classes == {"DW6": 40.0, "unknown": 20.0}


CLUSTER = "kustomization/flux-system/cluster"
CONTROLLER = "deployment/flux-system/kustomize-controller"


def queued(reason: str, workers: int, of: str = CONTROLLER) -> list[AnyEntry]:
    """Nobody has begun with one, while another is looked at for 40 s, and says *reason*."""
    told = facts({of: {"code": "Ready", "detail": {"workers": workers}}})
    apps, cluster = ({"code": "Progressing", "reason": why} for why in (QUEUED, reason))
    entries = run({APPS: apps}, more={**told, **facts({CLUSTER: cluster})})
    entries[-2:-2] = [e.Observed(at=START + 40, changed={CLUSTER: Fact("Ready")})]
    return entries


@pytest.mark.parametrize(
    ("entries", "classes"),
    [
        (queued("Building", 1), {"DW4": 40.0, "unknown": 20.0}),
        (queued("Running health checks", 1), {"DW4": 40.0, "unknown": 20.0}),
        (queued("Building", 2), {"unknown": 60.0}),
        (queued(QUEUED, 1), {"unknown": 60.0}),
        (queued("Building", 1, of="deployment/flux-system/helm-controller"), {"unknown": 60.0}),
    ],
    ids=["its one worker", "its worker checks", "another is free", "none works", "of others"],
)
def test_what_no_worker_has_waits_for_those_that_are_busy(
    entries: list[AnyEntry], classes: dict[str, float]
) -> None:
    assert ledger(entries).classes == classes


def own_window() -> list[AnyEntry]:
    entries = run({})
    entries[2:2] = [e.TimerSet(at=START, name="stable/pods-healthy", due=START + 60, span=60.0)]
    return entries


def test_our_own_window_of_stability_is_told_apart() -> None:
    assert ledger(own_window()).classes == {"DW15": SPAN}


@pytest.mark.parametrize(
    ("wanted", "clears"), [("DW3", "unknown"), ("DW3", "no"), ("useful", "yes")]
)
def test_a_health_check_of_what_it_brought_itself(wanted: str, clears: str) -> None:
    """The child is the vertex, and its parent has the worker; mutant: ``_upwards`` ends at the first."""
    inventory = {
        "workloads": [{"kind": "Deployment", "key": "apps/web", "pods": 2, "owner": APPS}],
        "kustomizations": [
            {"key": "flux-system/cluster"},
            {"key": "flux-system/apps", "wait": True},
        ],
    }
    of = plan({"inventory": inventory})
    well = finished(of)
    bad = facts({"deployment/apps/web": "Progressing", APPS: CHECKED})
    entries: list[AnyEntry] = [
        opened(of),
        e.Observed(at=START, changed={**well, **bad}),
        found("L5", "deployment/apps/web", APPS, clears=clears),
        e.Observed(
            at=START + SPAN, changed={subject: well[subject] for subject in bad if subject in well}
        ),
    ]

    assert ledger_of(of, lambda: iter(entries)).classes == {wanted: SPAN}


def test_every_class_is_said_or_it_is_written_why_not() -> None:
    """A class of the catalogue has a case here and a name for people, or a line in the list of those never said."""
    cases = (*(entries for _, _, entries in CLASSES), first_stage(), own_window())
    said = {name for entries in cases for name in ledger(entries).classes if name.startswith("DW")}
    text = DEAD_WAITS.read_text("utf-8")
    table, _, rest = text.partition("## Never said")
    listed = set(re.findall(r"^\| (DW\d+) ", table, re.MULTILINE))
    never = set(re.findall(r"^\| (DW\d+) ", rest, re.MULTILINE))

    assert listed == said
    assert said | never == {f"DW{number}" for number in range(1, 21)}
    assert not said & never
    assert said <= NAMES.keys()


def test_before_the_first_look_nothing_is_known() -> None:
    entries: list[AnyEntry] = [opened(plan()), e.Note(at=START + 5, text="", actor="")]

    assert ledger(entries).classes == {"unknown": 5.0}


def test_a_chain_is_cut_where_the_last_need_was_done() -> None:
    """The release can only begin when its workload is up: the first 20 s are the workload's."""
    inventory = {
        "workloads": [{"kind": "Deployment", "key": "apps/web", "pods": 2, "owner": WEB}],
    }
    of = plan({"inventory": inventory})
    well = finished(of)
    bad = {
        "deployment/apps/web": Fact("Progressing"),
        WEB: Fact("Blocked", "x", None, blocked("RetriesExceeded")["detail"]),
    }
    entries: list[AnyEntry] = [
        opened(of),
        e.Observed(at=START, changed={**well, **bad}),
        e.Observed(at=START + 20, changed={"deployment/apps/web": Fact("Ready")}),
        e.Observed(at=START + 50, changed={WEB: Fact("Ready")}),
    ]

    seen = ledger_of(of, lambda: iter(entries))

    assert seen.classes == {"useful": 20.0, "DW8": 30.0}
    assert seen.critical_path == 20.0
    assert seen.as_json()["ratio"] == 2.5


def two_pieces() -> Ledger:
    of = plan()
    well = finished(of)
    entries: list[AnyEntry] = [
        opened(of),
        e.Observed(at=START, changed={**well, **facts({WEB: "Progressing"})}),
        e.Note(at=START + 10, text="", actor=""),
        e.Observed(at=START + 20, changed=facts({WEB: blocked("RetriesExceeded", "Failed")})),
        e.Observed(at=START + 50, changed={WEB: well[WEB]}),
    ]
    return ledger_of(of, lambda: iter(entries))


@pytest.mark.parametrize("kept", [1, 2])
def test_pieces_follow_one_another_and_are_kept_where_they_are_not_too_many(
    kept: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutants: keep them however many there are, or one too few; each entry begins another."""
    monkeypatch.setattr("phases.ledger.PIECES", kept)
    found = two_pieces()
    both = [(START, START + 20, "useful"), (START + 20, START + 50, "DW8")]

    assert [(p.start, p.end, p.name) for p in found.pieces] == (both if kept == len(both) else [])
    assert found.classes == {"useful": 20.0, "DW8": 30.0}


def test_a_wait_beside_the_path_costs_nothing_and_is_told() -> None:
    """Everything waits for the workload, which takes longer; mutant: book the question whatever is waited for."""
    entries = run({"deployment/apps/web": "Progressing"}, decided("holder/u9", "ask"), more=HOLDER)

    assert ledger(entries).classes == {"useful": SPAN}
    assert ledger(entries).beside == {"DW18": SPAN}


def test_a_question_beside_the_path_is_open_until_the_decisions_have_it_no_more() -> None:
    entries = run({"deployment/apps/web": "Progressing"}, decided("holder/u9", "ask"), more=HOLDER)
    entries[3:3] = [
        e.Decided(at=START + 20, state="flux-synced", answers={}, removed=("holder/u9",))
    ]

    assert ledger(entries).beside == {"DW18": 20.0}


@pytest.mark.parametrize("over", ["Ready", ""])
def test_a_namespace_that_goes_beside_the_path_is_told_as_long_as_it_goes(over: str) -> None:
    """Mutants: look at what it is alone, at what it was alone, or not at one that nothing is known of any more."""
    space = "namespace/apps"
    entries = run({"deployment/apps/web": "Progressing"})
    known = facts({space: over} if over else {})
    entries[2:2] = [
        e.Observed(at=START + 10, changed=facts({space: "Terminating"})),
        e.Observed(at=START + 30, changed=known, removed=() if over else (space,)),
        e.Observed(at=START + 40, changed=facts({space: "Ready"})),
    ]

    assert ledger(entries).beside == {"DW14": 20.0}


def test_a_question_is_open_until_it_is_answered_whatever_the_decisions_still_say() -> None:
    """Mutant: gather the open questions anew only when the answers change."""
    asked = e.ApprovalAsked(
        at=START, approval="p1", digest="d1", subject="holder/u9", question="?", consequence="."
    )
    given = e.ApprovalGiven(at=START + 20, approval="p1", digest="d1", actor="who")
    entries = run(
        {"namespace/apps": "Terminating"}, asked, decided("holder/u9", "ask"), given, more=HOLDER
    )

    assert ledger(entries).classes == {"DW18": 20.0, "DW14": 40.0}


def test_what_was_lost_again_counts_from_its_loss() -> None:
    entries = run({})
    entries[2:2] = [
        e.Observed(at=START + 40, changed={"deployment/apps/web": Fact("Progressing")}),
        e.Observed(at=START + 55, changed={"deployment/apps/web": Fact("Ready")}),
    ]

    assert ledger(entries).classes == {"unknown": 45.0, "useful": 15.0}


def test_nobodys_time_is_a_class_of_its_own() -> None:
    def split(*between: AnyEntry) -> dict[str, float]:
        entries = run({"deployment/apps/web": "Progressing"})
        entries[2:2] = between
        return ledger(entries).classes

    resumed = e.RunResumed(at=START + 50, holder="me", idle_seconds=30.0)
    ended = e.RunInterrupted(at=START + 10, why="signal")

    assert split(resumed) == {"useful": 30.0, "nobody": 30.0}
    assert split(ended, resumed) == {"useful": 20.0, "nobody": 40.0}


def test_a_run_that_is_not_finished_waits_for_the_head_of_its_path() -> None:
    entries = run({"namespace/apps": "Terminating"})
    del entries[-2]

    assert ledger(entries).classes == {"DW14": SPAN}


def test_the_closing_entry_has_all_of_it() -> None:
    entries = run({"deployment/apps/web": "Progressing"})[:-1]

    assert closing(plan(), lambda: iter(entries), START + SPAN) == {
        "ledger": {
            "seconds": SPAN,
            "critical_path_seconds": SPAN,
            "ratio": 1.0,
            "dead": {},
            "useful": SPAN,
            "unknown": 0.0,
            "beside": {},
        }
    }
