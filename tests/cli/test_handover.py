"""
Whose journal goes first when a run is to act on a cluster: its own one's, or that of a watch that was given hands.

Mutants: let a run that was closed with an action in doubt count as none; let a watch that only watches count as a run
that acts, or a drill; go by the cluster's name alone, by one of its two CAs, or by none that is known; read the journal
in hand as another one; let one that cannot be read end the command, or pass in silence; leave ``refuse_beside`` out of
``take_over``, or ask a drill; put a path into a hint without quotes.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.errors import UsageWrong
from engine.memory import Attempt
from engine.observing import doubts_left
from engine.plan import Plan
from journal import entries as e
from journal.entries import Outcome, RunOutcome
from journal.store import Journal
from rekindle import handover, worlds
from rekindle.folding import newest
from rekindle.rehearsal import load
from rekindle.session import Options
from tests.journal.making import ALICE, QUICK, note, opened, tamper

BEGUN = e.ActionIntended(
    at=101.0,
    action="a1",
    verb="etcd.bootstrap",
    target="node/k8s-1",
    attempt=1,
    epoch=1,
    deadline_seconds=60.0,
)
SETTLED = e.ActionSettled(
    at=102.0, action="a1", verb="etcd.bootstrap", target="node/k8s-1", outcome=Outcome.UNSETTLED
)
CLOSED = e.RunClosed(at=103.0, outcome=RunOutcome.CANCELLED, state="node-maintenance")
TALOS, KUBERNETES = "7a" * 32, "c0" * 32


@pytest.mark.parametrize(
    ("acted", "alone"), [((BEGUN, SETTLED, CLOSED), False), ((CLOSED,), True), ((), False)]
)
def test_a_doubt_or_an_open_run_of_the_cluster_goes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, acted: tuple[e.AnyEntry, ...], *, alone: bool
) -> None:
    plan = load("node-lost")[2]
    usual = tmp_path / "anton.db"
    first = opened(cluster=plan.cluster, plan=plan.compiled(), plan_digest=plan.digest())
    journal = Journal.open_run(usual, first, holder=ALICE, options=QUICK)
    journal.append([*acted, note()])
    journal.close(e.LeaseLost(at=104.0, epoch=1))
    monkeypatch.setattr(handover, "place_for_cluster", lambda _: usual)

    if alone:
        handover._must_be_alone(plan, tmp_path / "w.db")
        return
    with pytest.raises(UsageWrong, match="in doubt" if acted else "which is open") as raised:
        handover._must_be_alone(plan, tmp_path / "w.db")
    assert raised.value.reference == "run-open"


@pytest.mark.parametrize("purpose", ["run", "watch"])
def test_the_hint_is_what_goes_on_with_that_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, purpose: str
) -> None:
    plan = load("node-lost")[2]
    usual = tmp_path / "anton.db"
    first = opened(purpose=purpose, plan=plan.compiled(), plan_digest=plan.digest())
    with Journal.open_run(usual, first, holder=ALICE, options=QUICK) as journal:
        journal.append([note()])
    monkeypatch.setattr(handover, "place_for_cluster", lambda _: usual)
    with pytest.raises(UsageWrong, match="which is open") as raised:
        handover._must_be_alone(plan, tmp_path / "w.db")

    hands = ["--take-over"] if purpose == "watch" else []
    way = raised.value.hint.split("`")[3]
    assert shlex.split(way) == ["rekindle", "resume", *hands, "--journal", str(usual)]


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """A plan of which all files but one have the two CAs, and a state folder of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "night shift"))
    known = (TALOS, {(TALOS, KUBERNETES), ("", "")})
    monkeypatch.setattr(handover, "_authorities", lambda _: known)
    return load("node-lost")[2]


def without_nodes(plan: Plan) -> dict[str, Any]:
    """What is compiled of a watch that has no plan."""
    compiled = plan.compiled()
    section = compiled["section"]
    return {**compiled, "section": {**section, "talos": {**section["talos"], "nodes": {}}}}


def watched(
    folder: Path,
    plan: Plan,
    *then: e.AnyEntry,
    cluster: str = "c",
    ca: str = KUBERNETES,
    taken: dict[str, str] | None = None,
    name: str = "c.db",
    doubts: tuple[Attempt, ...] = (),
    world: dict[str, Any] | None = None,
) -> Path:
    """Write a watch without a plan, which was *taken* over as that identity (None: it was not)."""
    path = folder / "night shift" / "rekindle" / "watches" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    first = opened(
        "run-2" if doubts else "run-1",
        purpose="watch",
        cluster=cluster,
        identity={"cluster": cluster, "ca": ca},
        plan=without_nodes(plan),
        plan_digest="seen",
        doubts=tuple(msgspec.to_builtins(doubt) for doubt in doubts),
        world=world or {},
    )
    journal = Journal.open_run(path, first, holder=ALICE, options=QUICK)
    if taken is not None:
        changed = e.PlanChanged(
            at=100.5,
            plan=plan.compiled(),
            plan_digest=plan.digest(),
            previous_digest="seen",
            verdict="compatible",
        )
        journal.append([changed, e.TakenOver(at=100.5, actor="alice", identity=taken)])
    journal.append([*then, note()])
    journal.close(e.LeaseLost(at=104.0, epoch=1))
    return path


def hinted(plan: Plan, journal: Path) -> tuple[str, list[str]]:
    """What is refused, and the command that goes on."""
    with pytest.raises(UsageWrong) as raised:
        handover.refuse_beside(plan, journal)
    assert raised.value.reference == "run-open"
    _, status, _, way, _ = raised.value.hint.split("`")
    assert shlex.split(status)[:2] == ["rekindle", "status"]
    return raised.value.message, shlex.split(way)


@pytest.mark.parametrize(
    ("cluster", "before", "since"),
    [("anton", "", ""), ("other", "", TALOS), ("other", KUBERNETES, "rotated")],
    ids=["its name", "its Talos", "its Kubernetes"],
)
def test_a_watch_that_acts_by_now_on_that_cluster_goes_first(
    tmp_path: Path, plan: Plan, cluster: str, before: str, since: str
) -> None:
    taken = {"cluster": cluster, "ca": since}
    path = watched(tmp_path, plan, ca=before, taken=taken)
    message, way = hinted(plan, tmp_path / "anton.db")

    assert message == f"{path} has the run run-1 of {cluster}, which is open"
    assert way == ["rekindle", "resume", "--journal", str(path)]


OTHERS = {"cluster": "other", "ca": "other"}
OURS = {"cluster": "anton", "ca": TALOS}


def test_what_is_of_another_cluster_or_over_or_only_watches_is_in_nobodys_way(
    tmp_path: Path, plan: Plan
) -> None:
    watched(tmp_path, plan, ca="other", taken=OTHERS, name="other.db")
    watched(tmp_path, plan, ca="", taken={"cluster": "other", "ca": ""}, name="unknown.db")
    watched(tmp_path, plan, CLOSED, taken=OURS, name="over.db")
    watched(tmp_path, plan, taken=OURS, name="drill.db", world={"scenario": "june-12"})
    watched(tmp_path, plan, cluster="anton", name="watches.db")
    mine = watched(tmp_path, plan, taken=OURS, name="mine.db")
    (tmp_path / "linked").symlink_to(mine.parent)

    handover.refuse_beside(plan, tmp_path / "linked" / "mine.db")


def test_the_authorities_of_a_cluster_are_not_asked_where_nothing_acts(
    tmp_path: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched(tmp_path, plan)
    monkeypatch.setattr(handover, "_authorities", None)

    handover.refuse_beside(plan, tmp_path / "anton.db")


def test_a_doubt_that_it_left_goes_first(tmp_path: Path, plan: Plan) -> None:
    """Also one that a watch was opened with, after the run that left it."""
    path = watched(tmp_path, plan, BEGUN, SETTLED, CLOSED, taken=OURS)
    message, way = hinted(plan, tmp_path / "anton.db")

    assert message.endswith("of anton, in which an action is in doubt")
    assert way == ["rekindle", "run", "PLAN", "--journal", str(path)]

    before = newest(path)
    assert before is not None
    watched(tmp_path, plan, doubts=doubts_left(plan, before.memory))
    message, way = hinted(plan, tmp_path / "anton.db")

    assert message.endswith("of c, in which an action is in doubt")
    assert way == ["rekindle", "resume", "--take-over", "PLAN", "--journal", str(path)]


def test_what_cannot_be_read_is_said_and_stops_nobody(
    tmp_path: Path, plan: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    """What can be read beside it is read all the same."""
    damaged = watched(tmp_path, plan, taken=OURS, name="a-damaged.db")
    tamper(damaged, "UPDATE entries SET at = 1.0 WHERE id = 2")
    newer = watched(tmp_path, plan, taken=OURS, name="b-newer.db")
    tamper(newer, "PRAGMA user_version = 999")
    (damaged.parent / "c-text.db").write_text("no journal")
    (damaged.parent / "d-folder.db").mkdir()
    (damaged.parent / "e-empty.db").touch()
    later = watched(tmp_path, plan, name="f-later.db")
    with Journal.resume(later, holder=ALICE, options=QUICK) as journal:
        journal.append([note()], checkpoint=b'{"facts":7}')
    (damaged.parent / "g-gone.db").symlink_to("nowhere")

    handover.refuse_beside(plan, tmp_path / "anton.db")

    told = capsys.readouterr().err.splitlines()
    names = ["a-damaged", "b-newer", "c-text", "d-folder", "e-empty", "f-later"]
    assert [line.split(" cannot be read (")[0] for line in told] == [
        f"WARNING: {damaged.parent / name}.db" for name in names
    ]
    assert all(line.endswith("acts on anton is not known") for line in told)

    watched(tmp_path, plan, taken=OURS, name="z.db")
    message, _ = hinted(plan, tmp_path / "anton.db")

    assert "z.db has the run " in message


class Reached(Exception):  # noqa: N818  it is what should be
    """Nothing stood in the way of a take-over."""


@pytest.mark.parametrize("simulated", [False, True])
def test_a_watch_with_a_plan_gets_no_hands_beside_it_but_in_a_rehearsal(
    tmp_path: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch, *, simulated: bool
) -> None:
    acts = watched(tmp_path, plan, taken=OURS)
    own = tmp_path / "anton.db"
    changes = {"purpose": "watch", "cluster": "anton", "plan_digest": plan.digest()}
    first = opened(plan=plan.compiled(), world={"at": "x"} if simulated else {}, **changes)
    with Journal.open_run(own, first, holder=ALICE, options=QUICK) as journal:
        journal.append([note()])

    def reached(*_: object) -> None:
        raise Reached

    monkeypatch.setattr(worlds, "world_of", reached)
    found = newest(own)
    assert found is not None
    with pytest.raises(Reached if simulated else UsageWrong) as raised:
        handover.take_over(found, Options(own), yes=True)

    if isinstance(raised.value, UsageWrong):
        assert raised.value.message == f"{acts} has the run run-1 of anton, which is open"
