"""
What the database itself refuses, whoever asks.

Mutants: each trigger in ``tables.SQLITE_TRIGGERS`` replaced by one ``WHEN 0``; each turns one case here red.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from .making import rich_journal

COPY = "SELECT {id}, run_id, {seq}, kind, at, wall_ns, monotonic_ns, boot_id, epoch, version, payload_digest"

REFUSED = {
    "an entry is changed": "UPDATE entries SET at = 0 WHERE id = 3",
    "an entry is deleted": "DELETE FROM entries WHERE id = 10",
    "a payload is changed": "UPDATE payloads SET body = x'00' WHERE id = 3",
    "a payload is deleted": "DELETE FROM payloads WHERE id = 3",
    "the run's opening is deleted": "DELETE FROM payloads WHERE id = 1",
    "a withdrawal is deleted": "DELETE FROM payloads WHERE id = 6",
    "a payload is replaced": "INSERT OR REPLACE INTO payloads VALUES (3, x'00')",
    "a payload without an entry": "INSERT INTO payloads VALUES (99, x'00')",
    "an id is left out": f"INSERT INTO entries {COPY.format(id=13, seq=4)}, hash, hash FROM entries WHERE id = 11",
    "a seq is left out": f"INSERT INTO entries {COPY.format(id=12, seq=5)}, hash, hash FROM entries WHERE id = 11",
    "an entry is replaced": f"INSERT OR REPLACE INTO entries {COPY.format(id=11, seq=3)}, hash, hash "
    "FROM entries WHERE id = 11",
    "an entry follows another one": f"INSERT INTO entries {COPY.format(id=12, seq=4)}, previous, hash "
    "FROM entries WHERE id = 11",
    "the journal's name is changed": "UPDATE meta SET value = 'x' WHERE key = 'journal_id'",
    "the journal's name is deleted": "DELETE FROM meta WHERE key = 'journal_id'",
}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(rich_journal(tmp_path / "j.db"))) as connection:
        assert connection.execute("SELECT MAX(id) FROM entries").fetchone() == (11,)
        yield connection


@pytest.mark.parametrize("case", REFUSED)
def test_the_database_refuses(database: sqlite3.Connection, case: str) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        database.execute(REFUSED[case])


def test_the_database_takes_the_next_entry(database: sqlite3.Connection) -> None:
    """The refusals above are refused for their own reason."""
    copy = COPY.format(id=12, seq=4)
    database.execute(f"INSERT INTO entries {copy}, hash, hash FROM entries WHERE id = 11")
