"""A story for tests of pictures and pages: small, whole, and with every free text under the test's control."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from journal.entries import Remedy
from rekindle.report import happenings as h
from rekindle.report import reasons as r
from rekindle.report import story as s

BEGUN = 1_749_686_400.0  # 2025-06-12 00:00:00Z
# Fields with a closed vocabulary: code branches on them, and no cluster writes them.
CLOSED = {"schema", "outcome", "verdict", "id", "roots", "begun_as", "clears_itself", "approval"}


def sample() -> s.Story:
    """A night with a cause, a question, a failure and a doubt."""
    run = s.Run(
        run_id="20250612-000000-abcd",
        purpose="rehearse",
        cluster="anton",
        version="0.1.0",
        journal="night.db",
        entries=420,
        opened=BEGUN,
        opened_wall=BEGUN + 86_400.0,
        last=BEGUN + 960.0,
        last_wall=BEGUN + 86_402.0,
        ended=BEGUN + 960.0,
        state="done",
        outcome="done",
        simulated=True,
        initial="node-maintenance",
        plan_digest="c0ffee" * 8,
        status="Completed",
    )
    return s.Story(
        title="Milestone: recovery of anton",
        summary=("The cluster was brought back.",),
        background=("Somebody deleted the root.",),
        run=run,
        chain=s.Chain(verdict=s.WHOLE, entries=420, head="ab" * 32),
        goals=(s.Goal("All pods healthy", reached=True, state="pods-healthy", at=BEGUN + 960.0),),
        sessions=_sessions(),
        stays=_stays(),
        pods=tuple(
            h.Pods(BEGUN + at, ready, 104)
            for at, ready in ((0, 23), (60, 11), (200, 40), (400, 78), (500, 77), (900, 104))
        ),
        actions=_actions(),
        approvals=_approvals(),
        by_hand=(
            h.HandDeed(
                at=BEGUN + 300.0,
                verb="flux.nudge",
                target="kustomization/ns/web",
                name="kustomization/ns/web",
                subject="kustomization/ns/web",
                old="failed",
                new="ready",
            ),
        ),
        first_signs=(
            r.Sign(
                subject="namespace/storage",
                name="namespace/storage",
                text="held by a finalizer",
                seen=BEGUN + 3.0,
                at=BEGUN - 7200.0,
                root=True,
            ),
        ),
        causes=_causes(),
        verdict=_verdict(),
        ledger=r.Ledger(
            seconds=960.0,
            critical_path=700.0,
            useful=700.0,
            unknown=10.0,
            ratio=1.37,
            waits=(r.Wait(code="DW18", name="a person", seconds=250.0),),
            path=(r.Step(subject="namespace/storage", begun=BEGUN, ended=BEGUN + 300.0),),
        ),
        validation=(
            s.Check(what="Node connectivity", verdict=s.PROVEN, evidence="3 of 3", at=BEGUN + 9.0),
            s.Check(what="Stores", verdict=s.NOT_PROVEN, evidence="ValidationUnknown"),
        ),
        metrics=(
            s.Metric(name="Initial pod count", value="23", number=23.0, at=BEGUN, why="seen"),
        ),
        changes=(h.Change(kind="goal", at=BEGUN + 1.0, text="main@sha1:1234"),),
        remarks=(
            s.Remark(at=BEGUN + 2.0, actor="ada", text="The age was misread.", corrects="a time"),
        ),
        went_well=("Git was whole.",),
        challenges=("The namespace was held.",),
        next_steps=("Rotate the token.",),
        unproven=("A store was never validated.",),
        references=("docs/errors/README.md",),
    )


def _sessions() -> tuple[h.Session, ...]:
    return (
        h.Session(
            holder="ada@laptop",
            begun=BEGUN,
            begun_wall=BEGUN + 86_400.0,
            begun_as="opened",
            ended=BEGUN + 100.0,
            ended_wall=BEGUN + 86_401.0,
            ended_as="killed",
        ),
        h.Session(
            holder="ada@laptop",
            begun=BEGUN + 130.0,
            begun_wall=BEGUN + 86_401.0,
            begun_as="resumed",
            ended=BEGUN + 960.0,
            ended_wall=BEGUN + 86_402.0,
            ended_as="closed",
            idle_seconds=30.0,
        ),
    )


def _stays() -> tuple[h.Stay, ...]:
    names = ("node-maintenance", "talos-ready", "cni-up", "flux-synced", "pods-healthy", "done")
    starts = (0.0, 2.0, 20.0, 180.0, 600.0, 960.0, 960.0)
    return tuple(
        h.Stay(
            state=name,
            begun=BEGUN + starts[index],
            ended=BEGUN + starts[index + 1],
            why="goal holds",
            to=names[min(index + 1, 5)],
            deadline=600.0,
        )
        for index, name in enumerate(names)
    )


def _action(number: int, verb: str, outcome: str) -> h.Action:
    target = f"kustomization/ns/app-{number}"
    begun = BEGUN + 25.0 * number
    return h.Action(
        action=f"a-{number}",
        verb=verb,
        target=target,
        name=target,
        attempt=1 + number % 3,
        effect="convergent",
        intended=begun,
        outcome=outcome,
        settled=None if outcome == "open" else begun + 12.0,
    )


def _actions() -> tuple[h.Action, ...]:
    return (
        _action(1, "command.run", "done"),
        replace(
            _action(2, "finalizer.release", "done"), approval="q-1", destroys="what the volume held"
        ),
        replace(_action(3, "root.apply", "failed"), code="conflict", by="action"),
        replace(
            _action(4, "flux.nudge", "unsettled"),
            doubtful=True,
            settled_how="its end was never learned",
        ),
        *(_action(number, "flux.nudge", "done") for number in range(5, 20)),
        _action(38, "flux.nudge", "open"),
    )


def _approvals() -> tuple[h.Approval, ...]:
    first = h.Approval(
        approval="q-1",
        subject="namespace/storage",
        name="namespace/storage",
        question="Release the namespace storage?",
        consequence="what the volume held",
        typed="storage",
        asked=BEGUN + 22.0,
        answer="given",
        actor="ada",
        answered=BEGUN + 48.0,
        actions=("a-2",),
    )
    open_one = replace(
        first, approval="q-2", asked=BEGUN + 700.0, answer="", actor="", answered=None, actions=()
    )
    return first, open_one


def _causes() -> tuple[r.Cause, ...]:
    return (
        r.Cause(
            id="N1 namespace/storage",
            rule="N1",
            subject="namespace/storage",
            name="namespace/storage",
            message="The namespace storage is held by a finalizer whose controller is gone",
            uid="1234",
            evidence=("namespaces/storage/status/conditions",),
            victims=("kustomization/ns/app-1",),
            victim_count=24,
            clears_itself="no",
            clears_when="the finalizer is gone",
            since=BEGUN - 7200.0,
            found=BEGUN + 3.0,
            cleared=BEGUN + 60.0,
            remedies=(Remedy("release the finalizer", "destructive"),),
            at_verdict=True,
        ),
        r.Cause(
            id="C1 crd/externalsecrets",
            rule="C1",
            subject="crd/externalsecrets",
            name="crd/externalsecrets",
            message="A CRD is installed only by its own consumer",
            found=BEGUN + 3.0,
        ),
    )


def _verdict() -> r.Verdict:
    edges = [r.Edge("namespace/storage", "kustomization/ns/rook", root=True)]
    edges += [r.Edge("kustomization/ns/rook", f"kustomization/ns/app-{n}") for n in range(9)]
    edges += [r.Edge("kustomization/ns/app-1", "pod/ns/late")]
    edges += [r.Edge("namespace/storage", "pod/ns/late", root=True)]
    return r.Verdict(
        looked_at=BEGUN,
        at=BEGUN + 3.0,
        seconds=3.0,
        roots=("N1 namespace/storage",),
        edges=tuple(edges),
    )


def retold(story: s.Story, change: Callable[[str], str]) -> s.Story:
    """The same story with every free text changed, whatever fields it has."""
    return msgspec.convert(_walked(msgspec.to_builtins(story), change), s.Story)


def _walked(value: object, change: Callable[[str], str]) -> object:
    if isinstance(value, dict):
        return {
            key: item if key in CLOSED and not isinstance(item, dict) else _walked(item, change)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_walked(item, change) for item in value]
    return change(value) if isinstance(value, str) else value
