"""
Whose journal goes first when a watch that had no plan is to act on a cluster.

Mutant: let a run that was closed with an action in doubt count as none.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import UsageWrong
from journal import entries as e
from journal.entries import Outcome, RunOutcome
from journal.store import Journal
from rekindle import handover
from rekindle.rehearsal import load
from tests.journal.making import ALICE, QUICK, note, opened

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
