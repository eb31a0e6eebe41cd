"""Reading: while somebody writes, long after, and where we may not write a byte."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from journal import codec, files
from journal import entries as e
from journal.errors import JournalFailed, JournalTooNew
from journal.reader import Reader
from journal.row import Head, Record
from journal.store import Journal

from .making import BOB, ROOT, begin, modes, note, rich_journal, tamper

READ = """
import os, sys
from pathlib import Path
from journal.reader import Reader
from journal.row import Head
from journal.store import Journal
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
with Reader(Path(sys.argv[1])) as reader:
    reader.verify()
    print(len(list(reader.rows())), reader.newest_run().run_id, reader.holder_alive())
"""


def test_runs_are_listed_with_their_outcomes(tmp_path: Path) -> None:
    with Reader(rich_journal(tmp_path / "j.db")) as reader:
        first, second = reader.runs()
        assert reader.newest_run() == second
        assert reader.holder_alive() is False
    assert (first.run_id, first.outcome, first.last_seq) == ("run-1", e.RunOutcome.CANCELLED, 8)
    assert (second.run_id, second.outcome, second.last_seq) == ("run-2", None, 3)
    assert (second.first_id, second.last_id, second.last_kind) == (9, 11, "observed")
    assert first.ended_at == first.closed_at == 105.0
    assert second.closed_at is None
    assert second.ended_at == second.last_at
    assert first.lease is None
    assert second.lease is not None
    assert second.lease.epoch == 2


def test_rows_are_read_from_where_one_left_off(tmp_path: Path) -> None:
    with Reader(rich_journal(tmp_path / "j.db")) as reader:
        assert [row.seq for row in reader.rows("run-1", after=6)] == [7, 8]
        assert [row.id for row in reader.rows(after=9)] == [10, 11]
        assert list(reader.rows("run-9")) == []
        assert reader.latest_checkpoint("run-1") == (7, b'{"state":"talos-ready"}')
        assert reader.latest_checkpoint("run-9") is None


def test_entries_of_one_kind_are_those_of_one_run_in_their_order(tmp_path: Path) -> None:
    """Mutants: of every kind; of every run. One of those notes was withdrawn, and keeps its place."""
    with Reader(rich_journal(tmp_path / "j.db")) as reader:
        notes = list(reader.of_kind("run-1", "note"))

        assert [(row.seq, row.entry) for row in notes] == [
            (3, note("one")),
            (4, note("two", 102.5)),
            (5, None),
        ]
        assert list(reader.notes("run-1")) == notes
        assert list(reader.of_kind("run-2", "note")) == []
        assert list(reader.of_kind("run-1", "observed")) == []
        assert [row.seq for row in reader.of_kind("run-2", "observed")] == [3]


def test_what_entries_say_is_read_without_their_places(tmp_path: Path) -> None:
    """Mutants: of every run; forget where to begin, where to end, or the kind; take a withdrawn one for something."""
    with Reader(rich_journal(tmp_path / "j.db")) as reader:
        rows = {row.seq: row.entry for row in reader.rows("run-1") if row.entry is not None}

        assert list(reader.entries("run-1")) == list(rows.values())
        assert list(reader.entries("run-1", 3, until=7)) == [rows[4], rows[6], rows[7]]
        assert list(reader.entries("run-1", kind="note")) == [rows[3], rows[4]]
        assert list(reader.entries("run-1", 3, kind="note")) == [rows[4]]
        assert list(reader.entries("run-2", kind="note")) == []


def test_kinds_that_nobody_wants_are_not_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutants: decode all and leave them out then; leave out what was withdrawn, or what is not known here."""
    path = rich_journal(tmp_path / "j.db")
    looked: list[str] = []
    real = codec.decode

    def decode(body: bytes, *, kind: str, version: int, entry_id: int) -> e.AnyEntry:
        looked.append(kind)
        return real(body, kind=kind, version=version, entry_id=entry_id)

    monkeypatch.setattr(codec, "decode", decode)
    with Reader(path) as reader:
        wanted = [row for row in reader.rows("run-1") if not isinstance(row.entry, e.Note)]
        looked.clear()

        assert list(reader.rows_but("run-1", ("note",))) == wanted

    assert [row.seq for row in wanted] == [1, 2, 5, 6, 7, 8]
    assert "note" not in looked
    tamper(path, "UPDATE entries SET version = 2 WHERE seq = 3")
    with Reader(path) as reader, pytest.raises(JournalTooNew):
        list(reader.rows_but("run-1", ("note",)))


def test_a_reader_follows_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with begin(path) as journal, Reader(path) as reader:
        assert reader.holder_alive() is True
        journal.append([note("fresh")])
        assert [row.entry for row in reader.rows(after=2)] == [note("fresh")]
        reader.verify()


def test_reading_starts_without_sqlalchemy() -> None:
    code = "import sys, journal.reader; print('sqlalchemy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    with Reader(rich_journal(tmp_path / "j.db")) as reader, pytest.raises(sqlite3.OperationalError):
        reader._connection.execute("DELETE FROM lease")


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that another user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="journal-test-"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.parametrize("with_wal", [False, True])
def test_a_read_only_folder_is_read_and_left_alone(shared: Path, *, with_wal: bool) -> None:
    """Mutant: always ``immutable=1``; the newest entry, which is in the -wal file only, would be missing."""
    path = shared / "j.db"
    journal = begin(path)
    journal.append([note("newest")])
    if with_wal:
        for suffix in ("", "-wal", ".lock"):  # as a killed process leaves them, or a backup
            source = files.beside(path, suffix)
            shutil.copyfile(source, files.beside(shared / "k.db", suffix))
    journal.close()
    if not with_wal:
        for suffix in ("", ".lock", ".head"):
            shutil.copyfile(files.beside(path, suffix), files.beside(shared / "k.db", suffix))
    for file in shared.glob("k.db*"):
        file.chmod(0o644)
    shared.chmod(0o555)
    before = modes(shared)
    done = subprocess.run(
        [sys.executable, "-c", READ, shared / "k.db"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("3 run-1 False\n", "")
    assert modes(shared) == before


@pytest.mark.parametrize("with_wal", [False, True])
def test_a_read_only_folder_is_read_without_a_trace(tmp_path: Path, *, with_wal: bool) -> None:
    path = tmp_path / "j.db"
    with begin(path) as journal:
        journal.append([note("newest")])
        if not with_wal:
            journal.close()
        before = modes(tmp_path)
        with Reader(path, folder_writable=False) as reader:
            assert len(list(reader.rows())) == 3
            copy = reader._opened._copy
            assert (copy is not None) is with_wal
        assert modes(tmp_path) == before
        assert copy is None or not Path(copy.name).exists()


def test_a_missing_journal_says_so(tmp_path: Path) -> None:
    with pytest.raises(JournalFailed) as caught:
        Reader(tmp_path / "j.db")
    assert (caught.value.reference, caught.value.exit_code) == ("journal-missing", 74)


@pytest.mark.parametrize("content", [b"", b"hello", b"hello" * 500])
def test_what_is_no_journal_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "j.db"
    path.write_bytes(content)
    with pytest.raises(JournalFailed) as caught:
        Reader(path)
    assert caught.value.reference == "journal-foreign-file"


def test_another_programs_database_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE entries (id)")
    with pytest.raises(JournalFailed) as caught:
        Reader(path)
    assert caught.value.reference == "journal-foreign-file"


def test_a_folder_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(JournalFailed) as caught:
        Reader(tmp_path)
    assert caught.value.reference == "journal-unreadable"


def test_a_newer_layout_says_so_to_reader_and_writer(tmp_path: Path) -> None:
    """Mutant: drop the comparison in ``check_identity``."""
    path = rich_journal(tmp_path / "j.db")
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 2")
    with pytest.raises(JournalTooNew) as caught:
        Reader(path)
    assert caught.value.exit_code == 78
    with pytest.raises(JournalTooNew):
        begin(path, BOB)


class Interrupted(Reader):
    """Somebody writes between two questions of one verification."""

    def writes(self, journal: Journal) -> Interrupted:
        self.journal = journal
        return self

    def _verify_chain(self, start: Head, see: Callable[[Record], None]) -> Head:
        head = super()._verify_chain(start, see)
        self.journal.append([note("meanwhile")])
        return head


def test_a_living_journal_is_verified_as_of_one_instant(tmp_path: Path) -> None:
    """Mutant: leave out the transaction; the payload of an entry that came meanwhile looks like a lost entry."""
    path = tmp_path / "j.db"
    with begin(path) as journal, Interrupted(path) as reader:
        assert reader.writes(journal).verify().id == 2
        assert reader.verify().id == 3


@pytest.fixture
def half_written(tmp_path: Path) -> Path:
    """A journal with a rollback journal beside it, whose writer was killed between its last page and its commit."""
    path = tmp_path / "whole" / "j.db"
    path.parent.mkdir()
    begin(path).close()
    target = tmp_path / "killed" / "j.db"
    target.parent.mkdir()
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = delete")
        writer.execute("PRAGMA cache_size = 1")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DROP TRIGGER payloads_belong")
        writer.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) "
            "INSERT INTO payloads (id, body) SELECT i, randomblob(3000) FROM n"
        )
        shutil.copyfile(files.beside(path, "-journal"), files.beside(target, "-journal"))
        writer.execute("COMMIT")
        shutil.copyfile(path, target)
    return target


def payloads(reader: Reader) -> int:
    return int(next(iter(reader._connection.execute("SELECT COUNT(*) FROM payloads")))[0])


def test_what_a_killed_writer_left_half_written_is_rolled_back_first(half_written: Path) -> None:
    """Mutant: open read-only and nothing else: a reader may not roll back, and says the file is damaged."""
    with Reader(half_written) as reader:
        reader.verify()
        assert payloads(reader) == 2  # run.opened, lease.taken
    assert not files.beside(half_written, "-journal").exists()


def test_where_nothing_may_be_written_a_copy_is_rolled_back(half_written: Path) -> None:
    """Mutant: copy the file without its rollback journal, or open it as it is."""
    before = {path.name: path.read_bytes() for path in half_written.parent.iterdir()}

    with Reader(half_written, folder_writable=False) as reader:
        reader.verify()
        assert payloads(reader) == 2  # run.opened, lease.taken

    assert {path.name: path.read_bytes() for path in half_written.parent.iterdir()} == before
