"""A short run that has a little of everything, as rows."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import Any

from journal import codec
from journal import entries as e
from journal.entries import AnyEntry, Fact, Finding
from journal.row import Lease, Row

PLAN: dict[str, Any] = {
    "machine": {
        "initial": "ground",
        "states": {"ground": {"next": "roof"}, "roof": {"next": "done"}},
    }
}
QUESTION = {"answer": "ask", "question": "off?"}
LEDGER: dict[str, Any] = {
    "seconds": 200.0,
    "critical_path_seconds": 80.0,
    "ratio": 2.5,
    "dead": {"DW18": 60.0, "nobody": 20.0},
    "useful": 80.0,
    "unknown": 40.0,
    "beside": {},
}
LEASE = Lease(
    epoch=1,
    holder="alice",
    host="desk",
    pid=1,
    boot_id="b",
    since=1.0,
    expires=2.0,
    heartbeat_wall=1_700_000_007.25,
    heartbeat_world=1_230.0,
)
FOUND = Finding(
    subject="namespace/storage",
    cause="held",
    message="held by a finalizer",
    clears_itself="no",
    rule="N1",
    root=True,
    victims=("a", "b"),
)
RETURNED = Finding(subject="pod/x", cause="waits", message="waits", clears_itself="yes", rule="P1")


def opened(**changes: Any) -> e.RunOpened:  # noqa: ANN401  fields of every type
    values: dict[str, Any] = {
        "at": 1_000.0,
        "run_id": "run-1",
        "purpose": "run",
        "cluster": "lab",
        "identity": {"cluster": "lab"},
        "plan": PLAN,
        "plan_digest": "d1",
        "version": "0.1.0",
        "initial": "ground",
        **changes,
    }
    return e.RunOpened(**values)


def pods(at: float, ready: int) -> e.Observed:
    seen = {"pods": Fact("counted", detail={"ready": ready, "expected": 3}), "node/a": Fact("up")}
    return e.Observed(at=at, changed=seen)


def act(name: str, at: float, verb: str = "command.run") -> e.ActionIntended:
    return e.ActionIntended(
        at=at, action=name, verb=verb, target="cni", attempt=1, epoch=1, deadline_seconds=60.0
    )


def settle(
    name: str, at: float, outcome: e.Outcome, code: str = "", by: str = "action"
) -> e.ActionSettled:
    return e.ActionSettled(
        at=at, action=name, verb="command.run", target="cni", outcome=outcome, code=code, by=by
    )


def asked(name: str, at: float) -> e.ApprovalAsked:
    return e.ApprovalAsked(
        at=at, approval=name, digest="d", subject="hold/1", question="off?", consequence="gone"
    )


def moved(at: float, source: str, target: str) -> e.Moved:
    return e.Moved(at=at, source=source, target=target, why=f"{target} holds")


STORY: tuple[AnyEntry, ...] = (
    opened(),
    e.LeaseTaken(at=1_000.0, epoch=1, holder="alice@desk"),
    pods(1_001.0, 1),
    e.FindingsChanged(at=1_004.5, changed={"f1": FOUND, "f2": RETURNED}),
    asked("ap1", 1_010.0),
    e.Decided(at=1_010.0, state="ground", answers={"hold/1": QUESTION}),
    act("a1", 1_020.0),
    settle("a1", 1_050.0, e.Outcome.UNSETTLED, code="timeout"),
    settle("a1", 1_060.0, e.Outcome.DONE, by="probe"),
    e.ApprovalGiven(at=1_070.0, approval="ap1", digest="d", actor="bob"),
    e.Decided(at=1_070.0, state="ground", removed=("hold/1",)),
    moved(1_100.0, "ground", "roof"),
    e.FindingsChanged(at=1_110.0, cleared=("f2",)),
    e.FindingsChanged(at=1_120.0, changed={"f2": RETURNED}),
    moved(1_130.0, "roof", "ground"),
    act("a2", 1_132.0),
    settle("a2", 1_134.0, e.Outcome.FAILED, code="refused"),
    e.RunInterrupted(at=1_135.0, why="signal"),
    e.RunResumed(at=1_140.0, holder="bob@sofa", idle_seconds=5.0),
    moved(1_150.0, "ground", "roof"),
    e.ByHand(at=1_151.0, verb="flux.nudge", target="kustomization/x"),
    act("a3", 1_152.0, "flux.nudge"),
    e.FindingsChanged(at=1_155.0, cleared=("f1", "f2")),
    pods(1_156.0, 3),
    e.Note(at=1_160.0, text="tea", actor="bob"),
    moved(1_200.0, "roof", "done"),
    e.RunClosed(at=1_200.0, outcome=e.RunOutcome.DONE, state="done", summary={"ledger": LEDGER}),
)


def rows(entries: Iterable[AnyEntry | None] = STORY, run_id: str = "run-1") -> list[Row]:
    """Give entries their places; None is one whose payload was withdrawn."""
    at, made = 0.0, []
    for seq, entry in zip(count(1), entries, strict=False):
        at = entry.at if entry is not None else at
        made.append(
            Row(
                id=seq,
                run_id=run_id,
                seq=seq,
                kind=codec.kind_of(entry) if entry is not None else "note",
                at=at,
                wall_ns=seq,
                epoch=1,
                entry=entry,
            )
        )
    return made
