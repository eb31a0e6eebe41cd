"""
Promise: whoever looks before a session acts leaves the journal alone that this very process has open.

A process that opens and closes a file once more loses all its locks on it, and SQLite in another one then takes the
journal for nobody's: it removes what is beside it, and whoever has that mapped dies of it (SIGBUS).
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from rekindle.doctor import examine
from rekindle.doctor.sealed import encrypted_in
from tests.doctor.making import Machine, section
from tests.journal.making import begin

ELSEWHERE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute('PRAGMA user_version').fetchall()
connection.close()
"""


@pytest.mark.parametrize("linked", [False, True], ids=["beside the secrets", "through links"])
def test_the_journal_keeps_its_locks(tmp_path: Path, linked: bool) -> None:  # noqa: FBT001
    """Mutant: read it as every other file; the other process takes itself for the last, and tidies up."""
    folder, repository = tmp_path / "state", tmp_path / "repository"
    repository.mkdir()
    folder.mkdir()
    database = (folder if linked else repository) / "home.db"
    beside = [database.with_name(f"home.db{end}") for end in ("-wal", "-shm")]
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE t (a)")
    connection.commit()
    if linked:
        for file in (database, *beside):
            (repository / file.name).symlink_to(file)

    found = encrypted_in(repository)
    subprocess.run([sys.executable, "-c", ELSEWHERE, database], check=True, timeout=60)

    assert all(file.exists() for file in beside)
    assert (found.sets, found.unread) == ((), ())
    connection.close()


def test_so_does_the_journal_of_a_session_that_looks_before_it_acts(tmp_path: Path) -> None:
    """Mutant: look at the journal's family in ``preflight``, too: it opens the file, and closes it."""
    path = tmp_path / "home.db"
    beside = [path.with_name(f"home.db{end}") for end in ("-wal", "-shm")]
    plan = section(tmp_path)
    with begin(path):
        found = examine.preflight(Machine().host, plan, path)
        subprocess.run([sys.executable, "-c", ELSEWHERE, path], check=True, timeout=60)

        assert all(file.exists() for file in beside)
    assert {"tools", "disk", "secrets"} <= {examine.family_of(row.id) for row in found}
