"""The store: what was appended is there, in order, all or nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from journal import entries as e
from journal import files
from journal.errors import JournalFailed, LeaseHeld
from journal.reader import Reader
from journal.store import Journal

from .making import ALICE, BOB, QUICK, begin, note, opened, rich_journal, tamper, ticking


def test_what_was_appended_is_read_back(tmp_path: Path) -> None:
    with begin(tmp_path / "j.db") as journal:
        written = journal.append([note("one"), note("two")])
        assert [row.entry for row in written] == [note("one"), note("two")]
        read = list(journal.rows())
    assert read[2:] == list(written)
    assert [row.kind for row in read] == ["run.opened", "lease.taken", "note", "note"]


def test_ids_and_seqs_have_no_gaps_over_two_runs(tmp_path: Path) -> None:
    with Reader(rich_journal(tmp_path / "j.db")) as reader:
        rows = list(reader.rows())
    assert [row.id for row in rows] == list(range(1, len(rows) + 1))
    for run in ("run-1", "run-2"):
        seqs = [row.seq for row in rows if row.run_id == run]
        assert seqs == list(range(1, len(seqs) + 1))


def test_a_second_run_names_the_head_before_it(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    begin(path).close()
    with Reader(path) as reader:
        head = reader.head().hash.hex()
    with Journal.open_run(path, opened("run-2"), holder=BOB, options=QUICK) as journal:
        first = next(journal.rows("run-2"))
    assert isinstance(first.entry, e.RunOpened)
    assert first.entry.previous_head == head


def test_equal_histories_give_equal_entries(tmp_path: Path) -> None:
    """A float that was given as a whole number, a tuple that JSON makes a list: one canonical form."""
    path = tmp_path / "j.db"
    fact = e.Fact("Current", detail={"b": (1, 2), "a": -0.0})
    with begin(path) as journal:
        row = journal.append([e.Observed(at=5, changed={"x": fact})])[0]
        assert list(journal.rows())[-1] == row
    with Reader(path) as reader:
        reader.verify()


@pytest.mark.parametrize("at", [-0.0, 0.1 + 0.2, 1e18, 1e-7, 1763850000.123456])
def test_every_instant_survives_the_database(tmp_path: Path, at: float) -> None:
    path = tmp_path / "j.db"
    with begin(path) as journal:
        journal.append([note(at=at)])
    with Reader(path) as reader:
        reader.verify()


def test_an_entry_of_the_wrong_types_is_a_bug_and_writes_nothing(tmp_path: Path) -> None:
    with begin(tmp_path / "j.db") as journal:
        with pytest.raises(msgspec.ValidationError):
            journal.append([e.Note(at=float("nan"), text="x", actor="alice")])
        journal.append([note()])
        assert len(list(journal.rows())) == 3


def test_resume_goes_on_under_the_next_epoch(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    begin(path).close()
    with Journal.resume(path, holder=BOB, options=QUICK, at=150.0) as journal:
        assert (journal.run_id, journal.epoch) == ("run-1", 2)
        taken = list(journal.rows())[-1].entry
    assert taken == e.LeaseTaken(at=150.0, epoch=2, holder="bob@sofa (pid 202)")


def test_resume_after_a_death_says_from_whom_it_took_over(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    journal = begin(path)
    journal.heartbeat(133.0)
    die(journal)
    with Journal.resume(path, holder=BOB, options=QUICK) as resumed:
        taken = list(resumed.rows())[-1].entry
        assert resumed.previous_lease is not None
        assert resumed.previous_lease.heartbeat_world == 133.0
    assert taken == e.LeaseTaken(
        at=133.0, epoch=2, holder="bob@sofa (pid 202)", took_over_from="alice@desk (pid 101)"
    )


def test_the_last_entry_can_give_the_lease_up(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    journal = begin(path)
    journal.close(e.LeaseLost(at=120.0, epoch=1))
    journal.close()
    with Reader(path) as reader:
        last, lease = reader.last_row(), reader.lease()
    assert last is not None
    assert last.entry == e.LeaseLost(at=120.0, epoch=1)
    assert lease is not None
    assert lease.holder == ""


def test_a_stale_epoch_cannot_append(tmp_path: Path) -> None:
    """Mutant: drop the condition on the lease in ``Commits._transact``; Alice writes over Bob."""
    path = tmp_path / "j.db"
    alice = begin(path)
    files.beside(path, ".lock").unlink()  # somebody "cleans up"
    with Journal.resume(path, holder=BOB, options=QUICK) as bob:
        with pytest.raises(LeaseHeld, match=r"bob@sofa \(pid 202\) under epoch 2"):
            alice.append([note()])
        with pytest.raises(JournalFailed, match="earlier error"):
            alice.append([note()])
        bob.append([note("mine")])
        assert [row.seq for row in bob.rows()][-1] == 4
        alice.close()
        assert Reader(path).lease().holder == "bob@sofa (pid 202)"  # type: ignore[union-attr]


def test_a_checkpoint_shares_the_commit_of_its_entries(tmp_path: Path) -> None:
    """Mutant: write the checkpoint in a transaction of its own; the entry would be there without it."""
    path = tmp_path / "j.db"
    with begin(path) as journal:
        journal.append([note("one")], checkpoint=b"first")
        assert journal.latest_checkpoint("run-1") == (3, b"first")
        journal.append([], checkpoint=b"of what is there")
        assert journal.latest_checkpoint("run-1") == (3, b"of what is there")
        refuse(path, "BEFORE UPDATE ON checkpoints")
        with pytest.raises(JournalFailed):
            journal.append([note("two")], checkpoint=b"second")
    with Reader(path) as reader:
        assert reader.latest_checkpoint("run-1") == (3, b"of what is there")
        assert [row.seq for row in reader.rows()] == [1, 2, 3]


def test_after_an_error_nothing_more_is_appended(tmp_path: Path) -> None:
    """Mutant: drop ``demand_working`` in ``Commits``; the second append would succeed."""
    path = tmp_path / "j.db"
    with begin(path) as journal:
        refuse(path, "BEFORE INSERT ON payloads")
        with pytest.raises(JournalFailed, match="broken on purpose"):
            journal.append([note("lost")])
        with closing(sqlite3.connect(path)) as database:
            database.execute("DROP TRIGGER refusal")
        for attempt in (
            lambda: journal.append([note("again")]),
            lambda: journal.heartbeat(1.0),
            lambda: journal.extend_lease(1.0),
        ):
            with pytest.raises(JournalFailed, match="earlier error") as caught:
                attempt()
            assert caught.value.reference == "journal-stopped"
    with Reader(path) as reader:
        assert len(list(reader.rows())) == 2


def test_a_withdrawn_payload_is_gone_from_the_disk_and_the_chain_still_verifies(
    tmp_path: Path,
) -> None:
    """Mutants: drop ``fold_log``; or ``secure_delete``, where SQLite is not built with it as its default."""
    path = tmp_path / "j.db"
    with begin(path) as journal:
        journal.append([note("kingfisher-at-dawn" * 3)])
        journal.append([note("harmless")])
        assert b"kingfisher" in on_disk(path)
        journal.append([e.Redacted(at=103.0, seq=3, why="private")])
        assert b"kingfisher" not in on_disk(path)
        assert next(row.entry for row in journal.rows(after=2)) is None
    with Reader(path) as reader:
        reader.verify()


@pytest.mark.parametrize("seq", [1, 4, 99])
def test_what_must_stay_cannot_be_withdrawn(tmp_path: Path, seq: int) -> None:
    path = tmp_path / "j.db"
    with begin(path) as journal:
        journal.append([note()])
        journal.append([e.Redacted(at=103.0, seq=3, why="private")])
        with pytest.raises(JournalFailed) as caught:
            journal.append([e.Redacted(at=104.0, seq=seq, why="no")])
        assert caught.value.reference == "journal-not-withdrawable"
        journal.append([note("goes on")])
        assert [row.seq for row in journal.rows()] == [1, 2, 3, 4, 5]


def test_secrets_never_reach_the_file(tmp_path: Path) -> None:
    """Mutant: drop ``redact_payload`` in ``writer.prepare``."""
    path = tmp_path / "j.db"
    plan = {"commands": [{"argv": ["x", "--token=glpat-AbCdEfGhIjKlMnOpQrSt"]}]}
    journal = Journal.open_run(path, opened(plan=plan), holder=ALICE, options=QUICK)
    row = journal.append([note("password: hunter2hunter2")])[0]
    assert row.entry == note("password: [redacted:password]")
    assert b"hunter2" not in on_disk(path)
    assert b"glpat-" not in on_disk(path)
    journal.close()


def test_a_full_disk_still_takes_the_last_settlement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutant: drop the second attempt in ``commit_last_words``; the settlement would be lost."""
    path = tmp_path / "j.db"
    journal = begin(path)
    limit(journal, pages=1)
    monkeypatch.setattr(files, "drop_ballast", lambda _path: limit(journal, pages=10_000))
    with pytest.raises(JournalFailed, match="still written") as caught:
        journal.append([settled()])
    assert caught.value.reference == "journal-disk-full"
    with pytest.raises(JournalFailed, match="earlier error"):
        journal.append([note()])
    journal.close()
    with Reader(path) as reader:
        reader.verify()
        assert [row.entry for row in reader.rows(after=2)] == [settled()]


def test_a_full_disk_takes_no_intent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: commit everything with last words; an action would be intended that never starts."""
    path = tmp_path / "j.db"
    journal = begin(path)
    limit(journal, pages=1)
    monkeypatch.setattr(files, "drop_ballast", lambda _path: limit(journal, pages=10_000))
    intent = e.ActionIntended(
        at=1.0,
        action="a1",
        verb="node.reset",
        target="cp-1",
        attempt=1,
        epoch=1,
        deadline_seconds=60.0,
        arguments={"padding": "x" * 9000},
    )
    with pytest.raises(JournalFailed, match="no space is left"):
        journal.append([intent])
    journal.close()
    with Reader(path) as reader:
        assert len(list(reader.rows())) == 2


def test_the_ballast_is_there_and_can_be_dropped(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    begin(path).close()
    ballast = files.beside(path, ".ballast")
    assert ballast.stat().st_blocks * 512 >= files.BALLAST_BYTES
    files.drop_ballast(path)
    assert not ballast.exists()


def test_the_lease_is_extended_with_a_commit_and_never_shortened(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with begin(path, options=ticking()) as journal, Reader(path) as reader:
        journal.append([note()], lease_seconds=900.0)
        far = reader.lease()
        journal.heartbeat(123.0)
        journal.extend_lease(1.0)
        near = reader.lease()
        journal.extend_lease(5000.0)
        farther = reader.lease()
    assert far is not None
    assert near is not None
    assert farther is not None
    assert 900.0 < far.expires < 910.0
    assert near.expires == far.expires
    assert near.heartbeat_world == 123.0
    assert farther.expires > 5000.0


def settled() -> e.ActionSettled:
    return e.ActionSettled(
        at=110.0,
        action="a1",
        verb="talos.apply",
        target="cp-1",
        outcome=e.Outcome.DONE,
        evidence={"padding": "y" * 9000},
    )


def limit(journal: Journal, *, pages: int) -> None:
    """Let SQLite find the disk full once the file has so many pages."""
    commits = journal._commits
    assert commits is not None
    raw = commits._connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    raw.execute(f"PRAGMA max_page_count = {pages}")


def refuse(path: Path, when: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute(
            f"CREATE TRIGGER refusal {when} BEGIN SELECT RAISE(ABORT, 'broken on purpose'); END"
        )


def die(journal: Journal) -> None:
    """Let go of a journal as a killed process does: the lock is free, the lease row still names us."""
    assert journal._commits is not None
    journal._commits.mine = None
    journal.close()


def on_disk(path: Path) -> bytes:
    found = [path, files.beside(path, "-wal")]
    return b"".join(file.read_bytes() for file in found if file.exists())


def test_tampering_helper_leaves_the_triggers_in_place(tmp_path: Path) -> None:
    path = rich_journal(tmp_path / "j.db")
    tamper(path, "UPDATE lease SET pid = pid")
    with Reader(path) as reader:
        reader.verify()
