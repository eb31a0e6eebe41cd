"""
``log --at`` shows a moment as ``status`` showed it then, and more.

Mutants that turn one of these red: fold one entry too many, or too few; learn durations from what came later; call a
run held while nobody was there; read an instant without a zone in the host's own.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import UsageWrong
from journal import entries as e
from journal.options import Options
from journal.reader import Reader
from journal.store import Journal
from rekindle.moments import Moment, instant_of, moment_of
from rekindle.past import past
from tests.cli.conftest import Program
from tests.journal.making import ALICE, BOB, opened

pytestmark = pytest.mark.program

# Who holds a file, and what waits beside it, is known of the present only.
KNOWN_LATER = {"held", "notes_waiting"}
QUICK = Options(synchronous="off")


def test_a_moment_is_shown_as_status_showed_it_then(rekindle: Program, waiting: Path) -> None:
    at = ("--journal", str(waiting))
    then = rekindle("status", "--json", *at).document
    lines = rekindle("status", *at).out.splitlines()
    with Reader(waiting) as reader:
        last = list(reader.rows())[-1]
    assert rekindle("cancel", *at).code == 0
    assert rekindle("status", "--json", *at).document["closed"]

    shown = rekindle("log", "--at", str(last.seq), "--json", *at).document
    told = rekindle("log", "--at", str(last.seq), *at).out.splitlines()

    assert {k: v for k, v in shown.items() if k in then and k not in KNOWN_LATER | {"schema"}} == {
        k: v for k, v in then.items() if k not in KNOWN_LATER | {"schema"}
    }
    assert then.keys() - {"notes_waiting"} <= shown.keys()
    assert shown["schema"] == "rekindle.moment/1"
    assert told[1 : len(lines) + 1] == lines
    assert [line.split()[0] for line in told if line[:1].strip()][-5:] == [
        "nodes", "findings", "open", "deadlines", "questions",
    ]  # fmt: skip


def test_a_moment_in_the_middle_is_named_by_its_entry_or_its_instant(
    rekindle: Program, waiting: Path
) -> None:
    with Reader(waiting) as reader:
        rows = list(reader.rows())
    moved = next(row for row in rows if row.kind == "moved")
    seconds = f"+{moved.at - rows[0].at}"

    by_seq = rekindle("log", "--at", str(moved.seq), "--json", "--journal", str(waiting)).document
    by_time = rekindle("log", "--at", seconds, "--json", "--journal", str(waiting)).document

    assert by_seq["seq"] == moved.seq
    assert by_seq["state"] == moved.entry.target  # type: ignore[union-attr]
    assert by_seq["nodes"]["k8s-1"]["node"] == "running"
    last_of_it = max(row.seq for row in rows if row.at == moved.at)
    assert by_time["seq"] == last_of_it >= moved.seq


def test_in_the_middle_of_a_turn_it_is_said_where_the_turn_ends(
    rekindle: Program, waiting: Path
) -> None:
    """What was seen is decided upon in the same turn: before that there is no verdict to show."""
    with Reader(waiting) as reader:
        rows = list(reader.rows())
    decided = next(row for row in rows if row.kind == "decided")
    seen = next(row for row in rows if row.kind == "observed" and row.at == decided.at)
    at = ("--journal", str(waiting))

    middle = rekindle("log", "--at", str(seen.seq), "--json", *at).document
    end = rekindle("log", "--at", str(middle["turn_ends"]), "--json", *at).document

    assert middle["turn_ends"] >= decided.seq
    assert end["turn_ends"] is None
    told = rekindle("log", "--at", str(seen.seq), *at).out
    assert f"is decided upon by entry {middle['turn_ends']}; " in told


def test_nobody_held_a_run_between_a_kill_and_its_resumption(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    first = Journal.open_run(path, opened(), holder=ALICE, options=QUICK)
    first.append([e.Note(at=110.0, text="alive", actor="a")])
    first._commits.close()  # type: ignore[union-attr]
    first._lock.release()
    second = Journal.resume(path, holder=BOB, options=QUICK)
    second.append([e.RunResumed(at=500.0, holder="bob", idle_seconds=385.0)])
    second.close(e.LeaseLost(at=600.0, epoch=2))

    held = {
        moment: past(path, None, moment).found.alive
        for moment in ("+10", "+14", "+16", "+399", "+400", "+499", "+500", "3")
    }

    assert held == {
        "+10": True, "+14": True, "+16": False, "+399": False, "+400": True, "+499": True,
        "+500": False, "3": True,
    }  # fmt: skip


def test_what_was_withdrawn_is_missed(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with Journal.open_run(path, opened(), holder=ALICE, options=QUICK) as journal:
        journal.append([e.Observed(at=101.0, changed={"node/a": e.Fact("running")})])
        journal.append([e.Redacted(at=102.0, seq=3, why="private")])

    found = past(path, None, "4")

    assert (found.withdrawn, found.found.memory.facts) == (1, {})


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("7", Moment(seq=7)),
        ("+90", Moment(at=1090.0)),
        ("+1.5s", Moment(at=1001.5)),
        ("1970-01-01T00:20:00Z", Moment(at=1200.0)),
        ("1970-01-01 00:20:00", Moment(at=1200.0)),
        ("1970-01-01T01:20:00+01:00", Moment(at=1200.0)),
        (" 1970-01-01 00:20:00Z ", Moment(at=1200.0)),
        ("00:20:00", Moment(at=1200.0)),
        ("0:20", Moment(at=1200.0)),
        ("00:16:40.5Z", Moment(at=1000.5)),
        ("00:16:39", Moment(at=999.0 + 86_400)),
    ],
)
def test_moments_are_read(text: str, moment: Moment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")

    assert moment_of(text, 1000.0) == moment


def test_a_second_that_is_shown_is_all_of_it() -> None:
    """Of an instant the fraction is cut off: who copies it from a table means the entry that stands there."""
    second = moment_of("1970-01-01 00:16:40Z", 1000.4)

    assert not second.is_before(1, 1000.4)
    assert not second.is_before(9, 1000.999)
    assert second.is_before(10, 1001.0)
    assert moment_of("00:16:40", 1000.4) == second
    assert Moment(at=1000.5).is_before(9, 1000.6)


FAR = "+99999999999999999999"  # it was called a bug of ours, and so was what only UTC does not have
LAST, FIRST = "9999-12-31T23:59:59-01:00", "0001-01-01T00:00:00+01:00"


@pytest.mark.parametrize(
    "text", ["", "x", "-5", "+", "+x", "+1e9", "25:00", "1e5", "2025-13-01", FAR, LAST, FIRST]
)
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(UsageWrong, match="is no moment"):
        moment_of(text, 0.0)
    with pytest.raises(UsageWrong):
        instant_of(text, 0.0)


@pytest.mark.parametrize("text", ["0", "99999", "1999-01-01"])
def test_a_moment_outside_of_the_run_is_refused(
    rekindle: Program, waiting: Path, text: str
) -> None:
    answer = rekindle("log", "--at", text, "--journal", str(waiting))

    assert (answer.code, answer.out) == (64, "")
    assert "error (moment-outside)" in answer.err
