"""
What ``status`` and ``log`` read of a long journal: what they show, and what has to be folded, once.

Mutants of ``folding.newest``: look for the end, for who asked for it, or for a changed plan, in all entries; name who
asked for the end of a run that reached its goal. Of ``log``: read what it leaves out.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec
import pytest

from journal import codec
from journal import entries as e
from journal.entries import Fact, RunOutcome
from journal.store import Journal
from rekindle.cli.log import command
from rekindle.folding import newest
from tests.journal.making import QUICK
from tests.phases.making import plan
from tests.phases.test_path import TREE
from tests.report.nights import ALICE, AT, written

LOOKS = 40


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many entries of which kind were looked into."""
    found: Counter[str] = Counter()
    real = codec.decode

    def decode(body: bytes, *, kind: str, version: int, entry_id: int) -> e.AnyEntry:
        found[kind] += 1
        return real(body, kind=kind, version=version, entry_id=entry_id)

    monkeypatch.setattr(codec, "decode", decode)
    return found


def closed_run(path: Path, outcome: RunOutcome, *asked: e.AnyEntry) -> Path:
    compiled = plan(TREE).compiled()
    looks = [
        e.Observed(at=AT + number, changed={"node/cp-1": Fact("running", f"{number}")})
        for number in range(LOOKS)
    ]
    changed = e.PlanChanged(
        at=AT + LOOKS,
        plan={**compiled, "cluster": "other"},
        plan_digest="d2",
        previous_digest="d1",
        verdict="compatible",
    )
    end = e.RunClosed(at=AT + LOOKS + 1, outcome=outcome, state="cni-up")
    return written(path, [*looks, changed, *asked, end], plan=compiled)


def test_a_closed_run_is_read_once_and_its_end_is_found(
    tmp_path: Path, read: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rekindle.folding.VERIFIED_ENTRIES", 0)
    asked = e.CancelRequested(at=AT + LOOKS, actor="alice")
    path = closed_run(tmp_path / "j.db", RunOutcome.CANCELLED, asked)

    found = newest(path)

    assert found is not None
    assert found.closed is not None
    assert (found.closed.outcome, found.closed.by) == ("cancelled", "alice")
    assert found.plan["cluster"] == "other"
    assert read["observed"] == LOOKS


@pytest.mark.parametrize("before", [True, False])
def test_whoever_asked_before_the_last_checkpoint_is_named_where_it_came_to_that(
    tmp_path: Path, *, before: bool
) -> None:
    """A run that reached its goal all the same was not ended by them; what came after its last move is told."""
    path = closed_run(tmp_path / "j.db", RunOutcome.DONE)
    asked = e.CancelRequested(at=AT + 1, actor="alice")
    opened = e.RunOpened(
        at=AT,
        run_id="run-2",
        purpose="run",
        cluster="lab",
        identity={},
        plan=plan(TREE).compiled(),
        plan_digest="d1",
        version="0",
        initial="cni-up",
    )
    with Journal.open_run(path, opened, holder=ALICE, options=QUICK) as journal:
        journal.append([asked])
        if before:
            found = newest(path)
            assert found is not None
            journal.append([], checkpoint=msgspec.json.encode(found.memory))
        journal.append([e.RunClosed(at=AT + 2, outcome=RunOutcome.DONE, state="done")])

    found = newest(path)

    assert found is not None
    assert found.closed is not None
    assert found.closed.by == ("" if before else "alice")


def test_what_the_log_leaves_out_is_not_looked_into(
    tmp_path: Path, read: Counter[str], capsys: pytest.CaptureFixture[str]
) -> None:
    path = closed_run(tmp_path / "j.db", RunOutcome.DONE)
    command.main(["--journal", str(path)], standalone_mode=False)
    said = capsys.readouterr()
    looked = dict(read)
    command.main(["--journal", str(path), "--all"], standalone_mode=False)
    whole = capsys.readouterr().out.splitlines()

    assert said.out.splitlines() == [line for line in whole if " observed " not in line]
    assert f"{LOOKS} entries of detail are left out" in said.err
    assert "observed" not in looked
    assert looked["plan.changed"] == 1
