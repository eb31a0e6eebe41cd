"""
A remark or a correction, in the journal for good: of a run that goes on, of one that nobody holds, of one that is over.

Mutants that turn one of these red: give a note the host's time; let a note on an older run move the newest one's
heartbeat; drop the run from the request; take the first entry of an instant where several have it; take no note in
``log._corrected``; read a time of day as ``log --at`` does, or leave ``NEAR_SECONDS`` out of ``corrected_of``.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from engine.memory import Memory
from journal import entries as e
from journal import inbox
from journal.entries import Fact, Finding
from journal.reader import Reader
from journal.row import Row
from rekindle.asked import requests_of
from rekindle.moments import corrected_of
from rekindle.report.gather import gather
from tests.cli.conftest import Program
from tests.report.nights import AT, written

pytestmark = pytest.mark.program


@pytest.fixture
def closed(journal_of_a_night: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(journal_of_a_night, tmp_path / "j.db"))


def rows(journal: Path) -> list[Row]:
    with Reader(journal) as reader:
        reader.verify()
        return list(reader.rows())


def notes(journal: Path) -> list[e.Note]:
    return [row.entry for row in rows(journal) if isinstance(row.entry, e.Note)]


def first(journal: Path, kind: str) -> Row:
    return next(row for row in rows(journal) if row.kind == kind)


def told(rekindle: Program, journal: Path) -> list[Any]:
    """What the reading commands say of a run, but for who held the file last."""
    at = ("--journal", str(journal))
    status = rekindle("status", "--json", *at).document
    history = rekindle("history", "--json", *at).document["runs"]
    for run in history:
        run.pop("entries")
    return [status, history]


def test_a_closed_run_takes_a_note_and_stays_as_it_was(rekindle: Program, closed: Path) -> None:
    at = ("--journal", str(closed))
    before = told(rekindle, closed)

    answer = rekindle("note", "the switch was rebooted at two", *at)

    assert (answer.code, "written to run" in answer.err) == (0, True)
    (note,) = notes(closed)
    assert (note.text, note.corrects, note.time) == ("the switch was rebooted at two", 0, None)
    assert told(rekindle, closed) == before
    assert rekindle("resume", *at).code == 0
    assert rekindle("log", "--verify", *at).code == 0
    assert rekindle("replay", *at).code == 0
    assert "the switch was rebooted at two" in rekindle("log", *at).out
    assert rekindle("rehearse", "node-lost", *at).code == 0, "the next run begins as ever"


def test_a_time_is_corrected_by_number_and_by_instant(rekindle: Program, closed: Path) -> None:
    at = ("--journal", str(closed))
    opened, moved = first(closed, "run.opened"), first(closed, "moved")

    by_number = rekindle("note", *at, "--time", f"{moved.seq}=+5")
    by_entry = rekindle("note", "earlier", *at, "--entry", str(moved.seq), "--time", "+7.5")
    end = first(closed, "run.closed")
    shown = rekindle("log", "--json", *at)

    assert (by_number.code, by_entry.code, shown.code) == (0, 0, 0)
    one, two = notes(closed)
    assert (one.corrects, one.said, one.time) == (moved.seq, moved.at, opened.at + 5)
    assert one.text.startswith(f"entry {moved.seq} (moved) happened at ")
    assert (two.corrects, two.time, two.text) == (moved.seq, opened.at + 7.5, "earlier")
    assert end.at >= moved.at
    lines = rekindle("log", *at).out.splitlines()
    place = next(n for n, line in enumerate(lines) if line.split()[0] == str(moved.seq))
    assert [line.split()[:3] for line in lines[place + 1 : place + 3]] == 2 * [
        ["↳", "corrected", "by"]
    ]
    document = next(one for one in map(json.loads, shown.out.splitlines()) if "corrections" in one)
    assert document["seq"] == moved.seq
    assert [note["time"] for note in document["corrections"]] == [opened.at + 5, opened.at + 7.5]
    page = rekindle("report", *at).out.splitlines()
    below = [line for line in page if line.startswith("| ↳ **corrected** | it was ")]
    assert len(below) >= 2


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("08:16:40", 40.0),
        ("08:16:40.5Z", 40.5),
        ("8:17", 60.0),
        ("08:15:50", -10.0),  # before the run: not the next day
        ("10:16:40+02:00", 40.0),
        ("06:16-0200", 0.0),
        ("+1m", 60.0),
        ("+1.5h", 5400.0),
        ("02:17", 60.0 - 6 * 3600),
        ("14:17:00", 60.0 + 6 * 3600),
        ("+90", 90.0),
        ("2025-06-11 20:30", -(11 * 3600 + 46 * 60.0)),
    ],
)
def test_a_time_of_day_is_the_one_nearest_to_what_it_corrects(text: str, time: float) -> None:
    assert corrected_of(text, AT, AT + 60.0) == AT + time


def test_a_time_of_day_goes_over_midnight() -> None:
    midnight = AT - AT % 86_400

    assert corrected_of("00:01", midnight - 600.0, midnight - 120.0) == midnight + 60.0
    assert corrected_of("23:59", midnight - 600.0, midnight + 30.0) == midnight - 60.0
    assert corrected_of("01:01+02:00", midnight - 600.0, midnight - 120.0) == midnight - 3540.0


def test_a_time_of_day_that_may_be_of_two_days_is_refused_and_both_are_said(
    rekindle: Program, closed: Path
) -> None:
    moved = first(closed, "moved")
    far = datetime.fromtimestamp(moved.at + 12 * 3600, UTC)

    answer = rekindle("note", "--journal", str(closed), "--time", f"{moved.seq}={far:%H:%M}")

    assert (answer.code, "error (moment-unreadable)" in answer.err) == (64, True)
    for day in (far, far - timedelta(days=1)):
        assert f"{day:%Y-%m-%d %H:%M}:00Z" in answer.err
    assert notes(closed) == []


def test_a_time_of_day_corrects_an_entry(rekindle: Program, closed: Path) -> None:
    moved = first(closed, "moved")
    earlier = datetime.fromtimestamp(int(moved.at) - 5, UTC)
    correction = f"{moved.seq}={earlier:%H:%M:%S}"

    assert rekindle("note", "--journal", str(closed), "--time", correction).code == 0

    assert notes(closed)[0].time == int(moved.at) - 5


def test_an_instant_that_several_entries_have_is_refused_with_their_numbers(
    rekindle: Program, closed: Path
) -> None:
    answer = rekindle("note", "--journal", str(closed), "--time", "+0=+5")

    assert (answer.code, "note-about-what" in answer.err) == (64, True)
    assert "1 (run.opened)" in answer.err
    assert notes(closed) == []


def test_an_instant_that_one_entry_has_names_it(rekindle: Program, closed: Path) -> None:
    opened = first(closed, "run.opened")
    quiet = {"observed", "decided", "timer.set", "timer.cancelled", "timer.fired", "lease.taken"}
    instants = [int(row.at) for row in rows(closed) if row.kind not in quiet]
    alone = next(
        row for row in rows(closed) if row.kind not in quiet and instants.count(int(row.at)) == 1
    )
    since = int(alone.at) - int(opened.at)

    assert rekindle("note", "--journal", str(closed), "--time", f"+{since}=+1").code == 0

    assert notes(closed)[0].corrects == alone.seq


def test_a_cause_is_corrected_in_the_place_of_a_finding(rekindle: Program, tmp_path: Path) -> None:
    journal = tmp_path / "june.db"
    rekindle("rehearse", "june-12", "--journal", str(journal))
    row = first(journal, "findings.changed")
    assert isinstance(row.entry, e.FindingsChanged)
    key, finding = next(one for one in row.entry.changed.items() if one[1].root)

    for name in (key, finding.subject):
        words = ("note", "--journal", str(journal), "--cause", f"{name}=somebody=drunk")
        assert rekindle(*words).code == 0
    closed = first(journal, "run.closed")
    about = ("--entry", str(closed.seq), "--cause", "a = b")
    assert rekindle("note", "--journal", str(journal), *about).code == 0

    one, two, three = notes(journal)
    assert (one.corrects, one.finding, one.cause) == (row.seq, key, "somebody=drunk")
    assert one.text == f"the cause of {key} was: somebody=drunk"
    assert two.corrects >= 1
    assert (three.corrects, three.finding, three.cause) == (closed.seq, "", "a = b")


def test_the_time_of_one_of_two_findings_is_corrected(rekindle: Program, tmp_path: Path) -> None:
    """Mutants: read an entry's number or instant only; take a time for a cause."""
    found = {
        f"R:{name}": Finding(subject=name, cause="x", message="m", root=True, rule="R")
        for name in ("crd/a", "crd/b")
    }
    journal = written(tmp_path / "j.db", [e.FindingsChanged(at=AT + 5, changed=found)])

    assert rekindle("note", "--journal", str(journal), "--time", "crd/a=+1").code == 0

    two = ("--time", "crd/a=+1", "--cause", "crd/b=bob")
    assert "write two notes" in rekindle("note", "--journal", str(journal), *two).err
    (note,) = notes(journal)
    assert (note.finding, note.said, note.time) == ("R:crd/a", AT + 5, AT + 1)
    causes = {cause.subject: cause for cause in gather(journal).causes}
    assert causes["crd/a"].true == {"since": AT + 1}, "what is found was so before"
    assert (causes["crd/a"].corrected, causes["crd/b"].true) == ("", {})


def test_of_what_an_object_has_the_root_is_corrected(rekindle: Program, tmp_path: Path) -> None:
    """Mutant: take what was found first of it, which no report tells."""
    found = {
        f"{rule}:crd/a": Finding(
            subject="crd/a", cause="x", message="m", root=rule == "R", rule=rule
        )
        for rule in ("Q", "R")
    }
    journal = written(tmp_path / "j.db", [e.FindingsChanged(at=AT + 5, changed=found)])

    assert rekindle("note", "--journal", str(journal), "--cause", "crd/a=bob").code == 0
    assert [note.finding for note in notes(journal)] == ["R:crd/a"]


def test_a_cause_without_a_text_is_refused(rekindle: Program, tmp_path: Path) -> None:
    """A note stays for good, and would tell nothing. Mutant: take the finding alone."""
    found = {"R:crd/a": Finding(subject="crd/a", cause="x", message="m", root=True, rule="R")}
    journal = written(tmp_path / "j.db", [e.FindingsChanged(at=AT + 5, changed=found)])

    answer = rekindle("note", "--journal", str(journal), "words", "--cause", "R:crd/a= ")

    assert (answer.code, notes(journal)) == (64, [])
    assert "error (note-empty): --cause R:crd/a= says no cause" in answer.err


NAME = "kustomization/flux-system/apps"
SINCE = AT - 10 * 3600.0  # 22:16 of the day before
NIGHT: tuple[e.AnyEntry, ...] = (
    e.Observed(at=AT, changed={NAME: Fact("Absent"), "node/k8s-1": Fact("Running")}),
    e.Observed(at=AT, changed={"crd/b": Fact("Failed", since=SINCE)}),
    e.FindingsChanged(
        at=AT + 5,
        changed={
            "R:crd/a": Finding(
                subject="crd/a", cause="x", message="m", root=True, rule="R", since=SINCE
            )
        },
    ),
)
ROOTS = {"section": {"inventory": {"roots": ["flux-system/apps"]}}}


@pytest.mark.parametrize(
    ("name", "finding", "seq", "time", "instant"),
    [
        (NAME, NAME, 3, "06:00:00", AT - 8160.0),
        ("crd/a", "R:crd/a", 5, "22:00", SINCE - 960.0),
        ("R:crd/a", "R:crd/a", 5, "08:00", AT - 960.0),
        ("crd/b", "crd/b", 4, "22:00", SINCE - 960.0),
    ],
)
def test_since_when_something_was_so_is_corrected_by_its_object(
    rekindle: Program, tmp_path: Path, name: str, finding: str, seq: int, time: str, instant: float
) -> None:
    """Mutants: find only findings and what is gone; read a time of day as near to its entry alone, or not so."""
    at = ("--journal", str(written(tmp_path / "j.db", NIGHT, plan=ROOTS)))

    assert rekindle("note", *at, "--time", f"{name}={time}").code == 0

    (note,) = notes(tmp_path / "j.db")
    assert (note.finding, note.corrects, note.time) == (finding, seq, instant)
    assert note.text.startswith(f"{finding} was so since 2025-06-1")
    below = [
        line for line in rekindle("log", "--all", *at).out.splitlines() if "↳  corrected by" in line
    ]
    assert [f": {finding} was so since 2025-06-1" in line for line in below] == [True]
    assert "; the cluster told " in rekindle("report", *at).out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([f"{NAME}=08:20"], "no cause and no first sign in the report would tell"),
        (["node/k8s-1=06:00"], "no cause and no first sign in the report would tell"),
        (["node/k8s-9=06:00"], "'node/k8s-9' is no entry, no instant, and nothing that this run"),
        (["06:10:00=06:00:00"], "0 entries have the instant 2025-06-12 06:10:00Z"),
        (["06:00", "--entry", "3", "--cause", "crd/a=bob"], "entry 3 and entry 5 are named"),
    ],
)
def test_a_time_that_no_report_would_tell_is_refused(
    rekindle: Program, tmp_path: Path, words: list[str], said: str
) -> None:
    """What was written is believed to count. Mutants: leave ``_honoured`` out; the next day's instant."""
    journal = written(tmp_path / "j.db", NIGHT, plan=ROOTS)

    answer = rekindle("note", "--journal", str(journal), "--time", *words)

    assert (answer.code, "error (note-about-what)" in answer.err) == (64, True)
    assert said in answer.err
    assert notes(journal) == []


@pytest.mark.parametrize(
    "name", ["node/k8s-1", "crd/b", "R:crd/c", "kustomization/flux-system/web"]
)
def test_a_cause_that_no_report_would_tell_is_refused(
    rekindle: Program, tmp_path: Path, name: str
) -> None:
    """What was written is believed to count. Mutants: ask for times alone; take a finding that is no root."""
    follows = Finding(subject="crd/c", cause="x", message="m", rule="R")
    night = [
        *NIGHT,
        e.FindingsChanged(at=AT + 5, changed={"R:crd/c": follows}),
        e.Observed(at=AT + 6, changed={"kustomization/flux-system/web": Fact("Absent")}),
    ]
    journal = written(tmp_path / "j.db", night, plan=ROOTS)

    answer = rekindle("note", "--journal", str(journal), "--cause", f"{name}=bob")

    if name in {"node/k8s-1", "crd/b"}:
        assert "a correction has to say which entry it corrects" in answer.err
    else:
        assert f"no row of the report would tell the cause of {name}: it is no root" in answer.err
        assert "`rekindle note --entry SEQ --cause TEXT" in answer.err
    assert (answer.code, "error (note-about-what)" in answer.err) == (64, True)
    assert notes(journal) == []


def test_what_was_seen_to_be_gone_is_named_by_itself(rekindle: Program, tmp_path: Path) -> None:
    """The cluster may tell no cause of it. Mutants: find only findings; refuse what somebody corrected before."""
    at = ("--journal", str(written(tmp_path / "j.db", NIGHT, plan=ROOTS)))

    for who in ("bob", "eve"):
        assert rekindle("note", *at, "--cause", f"{NAME}={who}").code == 0

    note = notes(tmp_path / "j.db")[-1]
    assert (note.corrects, note.finding, note.cause) == (3, NAME, "eve")
    assert "corrected: eve" in rekindle("report", *at).out


@pytest.mark.parametrize(("entry", "found"), [((), 5), (("--entry", "7"), 7)])
def test_what_was_found_again_is_corrected_by_its_entry(
    rekindle: Program, tmp_path: Path, entry: tuple[str, ...], found: int
) -> None:
    """Mutants: take the first time whatever --entry says, or what is only told anew for found again."""
    root = Finding(subject="crd/a", cause="x", message="m", root=True, rule="R", since=SINCE)
    again = replace(root, since=AT + 60)
    night = [
        *NIGHT,
        e.FindingsChanged(at=AT + 50, cleared=("R:crd/a",)),
        e.FindingsChanged(at=AT + 100, changed={"R:crd/a": again}),
        e.FindingsChanged(at=AT + 110, changed={"R:crd/a": replace(again, message="n")}),
    ]
    at = ("--journal", str(written(tmp_path / "j.db", night, plan=ROOTS)))

    assert rekindle("note", *at, *entry, "--time", "crd/a=+1").code == 0
    (note,) = notes(tmp_path / "j.db")
    assert (note.finding, note.corrects) == ("R:crd/a", found)
    told = rekindle("note", *at, "--entry", "8", "--time", "crd/a=+1")
    assert (told.code, "entry 8 and entry 5 are named" in told.err) == (64, True)
    causes = gather(tmp_path / "j.db").causes
    assert [cause.true.get("since") for cause in causes] == [
        AT + 1 if seq == found else None for seq in (5, 7)
    ]


@pytest.mark.parametrize(
    ("words", "reference"),
    [
        ([], "note-empty"),
        (["   "], "note-empty"),
        (["x", "--entry", "99999"], "note-about-what"),
        (["--time", "99999=+1"], "note-about-what"),
        (["--time", "+1"], "note-about-what"),
        (["--cause", "because"], "note-about-what"),
        (["--entry", "1", "--time", "2=+1"], "note-about-what"),
        (["--time", "1=tomorrow"], "moment-unreadable"),
        (["--time", "1="], "moment-unreadable"),
        (["--time", "08:16:40"], "note-about-what"),
        (["x", "--run", "nobody"], "no-run"),
        (["x" * 70_000], "inbox-request-too-long"),
    ],
)
def test_what_names_nothing_is_refused_and_nothing_is_written(
    rekindle: Program, closed: Path, words: list[str], reference: str
) -> None:
    before = len(rows(closed))

    answer = rekindle("note", *words, "--journal", str(closed))

    assert answer.code == (74 if reference == "inbox-request-too-long" else 64)
    assert f"error ({reference})" in answer.err
    assert len(rows(closed)) == before


def test_a_session_takes_a_note_in(rekindle: Program, tmp_path: Path) -> None:
    journal = tmp_path / "j.db"
    session = rekindle.until_entry(journal, "action.intended", "june-12", speed=60)

    answer = rekindle("note", "seen by a person", "--journal", str(journal), "--time", "1=+1")

    assert (answer.code, "left for the running session" in answer.err) == (0, True)
    session.communicate(timeout=60)
    (note,) = notes(journal)
    assert (note.text, note.corrects) == ("seen by a person", 1)
    assert rekindle("replay", "--journal", str(journal)).code == 0


def test_a_note_that_a_killed_session_was_left_is_told_until_somebody_takes_it_in(
    rekindle: Program, tmp_path: Path
) -> None:
    """
    Nobody but who holds the journal writes into it; whoever reads says that a note waits.

    Mutants: say nothing in one of the three; let the next note, or who cancels, leave it; write it behind that note.
    """
    journal = tmp_path / "j.db"
    at = ("--journal", str(journal))
    session = rekindle.until_entry(journal, "action.intended", "june-12", speed=60)
    session.kill()
    session.communicate(timeout=60)
    run = rekindle("status", "--json", *at).document["run_id"]
    cancelled = tmp_path / "cancelled.db"
    shutil.copyfile(journal, cancelled)
    for path in (journal, cancelled):
        inbox.submit(path, inbox.Note(actor="me", text="left behind", run=run))
    waits = (
        f"1 note waits, not yet in the journal: `rekindle resume --journal {journal}` takes it in"
    )

    status, as_json = rekindle("status", *at), rekindle("status", "--json", *at)
    log, report = rekindle("log", *at), rekindle("report", *at)

    assert f"notes         {waits}" in status.out
    assert as_json.document["notes_waiting"] == 1
    assert waits in log.err
    assert waits in report.err
    assert notes(journal) == []

    assert rekindle("note", "after it", *at).code == 0
    assert [note.text for note in notes(journal)] == ["left behind", "after it"]
    after = rekindle("status", "--json", *at).document
    assert after["notes_waiting"] == 0
    assert "notes  " not in rekindle("status", *at).out
    assert rekindle("log", *at).err.count("\n") == 1

    assert rekindle("cancel", "--journal", str(cancelled)).code == 0
    assert [note.text for note in notes(cancelled)] == ["left behind"]


AFTER_THE_LAST_TURN = """
from pathlib import Path
from engine.runner import Runner
from journal import inbox
run = Runner.run
def noted(self):
    ended = run(self)
    inbox.submit(Path(JOURNAL), inbox.Note(actor="me", text="late", run=self.memory.run_id))
    return ended
Runner.run = noted
"""


def test_a_note_that_comes_after_the_last_turn_is_taken_in_at_the_end(
    rekindle: Program, tmp_path: Path
) -> None:
    """Mutant: let a session end without looking once more; of the next run it would be told that it came too late."""
    journal = tmp_path / "j.db"
    code = AFTER_THE_LAST_TURN.replace("JOURNAL", repr(str(journal)))

    answer = rekindle("rehearse", "node-lost", "--journal", str(journal), code=code)

    assert answer.code == 0
    assert [note.text for note in notes(journal)] == ["late"]
    assert [row.kind for row in rows(journal)][-3:] == ["run.closed", "note", "lease.lost"]
    assert rekindle("replay", "--journal", str(journal)).code == 0


def test_a_run_that_waits_for_somebody_takes_a_note(rekindle: Program, waiting: Path) -> None:
    at = ("--journal", str(waiting))
    before = rekindle("status", "--json", *at).document

    assert rekindle("note", "on my way", *at).code == 0

    after = rekindle("status", "--json", *at).document
    assert {k: v for k, v in after.items() if k != "at"} == {
        k: v for k, v in before.items() if k != "at"
    }
    assert after["at"] - before["at"] < 60.0


def test_an_older_run_takes_a_note_and_the_newest_is_as_it_was(
    rekindle: Program, closed: Path
) -> None:
    at = ("--journal", str(closed))
    older = rekindle("history", "--json", *at).document["runs"][0]["run_id"]
    rekindle("rehearse", "node-lost", *at)
    with Reader(closed) as reader:
        lease = reader.lease()
        newest = reader.newest_run()
    assert lease is not None

    assert rekindle("note", "it was the switch", "--run", older, *at).code == 0

    with Reader(closed) as reader:
        reader.verify()
        after = reader.lease()
        assert after is not None
        assert after.heartbeat_world == lease.heartbeat_world
        found = reader.newest_run()
        assert found is not None
        assert newest is not None
        assert (found.run_id, found.last_seq) == (newest.run_id, newest.last_seq)
        noted = [row for row in reader.rows(older) if isinstance(row.entry, e.Note)]
    assert len(noted) == 1
    assert rekindle("replay", older, *at).code == 0


def test_an_older_run_takes_no_note_while_the_newest_is_pursued(
    rekindle: Program, closed: Path
) -> None:
    older = rekindle("history", "--json", "--journal", str(closed)).document["runs"][0]["run_id"]
    session = rekindle.until(
        closed, "run.opened", "rehearse", "node-lost", "--speed", "20", times=2
    )

    answer = rekindle("note", "x", "--run", older, "--journal", str(closed))

    session.kill()
    session.communicate(timeout=60)
    assert (answer.code, "lease-held" in answer.err) == (76, True)
    assert notes(closed) == []


def test_a_note_that_was_left_for_another_run_is_told_and_not_written(tmp_path: Path) -> None:
    journal, said = tmp_path / "j.db", list[str]()
    inbox.submit(journal, inbox.Note(actor="me", text="late", run="yesterday"))
    inbox.submit(journal, inbox.Note(actor="me", text="in time", run="today", corrects=3))

    taken = requests_of(journal, said.append).take(Memory(run_id="today"), 5.0)

    assert [entry for entry, _ in taken] == [e.Note(at=5.0, text="in time", actor="me", corrects=3)]
    assert said == ["a note about run yesterday came too late for it: late"]
