"""
Opening a journal file to read it, wherever it lies, without leaving a trace in a folder that is not ours to write.

A write-ahead log beside a read-only file is the trap: ``immutable`` would ignore it, and with it the newest entries.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from journal import files, schema
from journal.errors import ChainBroken, Diagnosed, JournalFailed, JournalTooNew

if TYPE_CHECKING:
    import tempfile

# SQLite's own messages quote the file, so that damage can make even an error unreadable for Python.
SQLITE_ERRORS: Final = (sqlite3.Error, UnicodeDecodeError, OverflowError)
_NOT_DAMAGE: Final = {
    None,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}
# Without the one the newest entries are missing, without the other there are some that were never committed.
_BESIDE: Final = ("-wal", "-journal")
_COPIES: Final = 5  # attempts at a copy during which nobody wrote


class Opened:
    """A read-only connection, and the temporary folder that it may need."""

    def __init__(self, path: Path, *, folder_writable: bool | None = None) -> None:
        """Raise a ``Diagnosed`` where there is no readable journal of ours. *folder_writable* is for tests."""
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        if not files.is_there(path):
            raise missing(path)
        writable = os.access(path.parent, os.W_OK) if folder_writable is None else folder_writable
        try:
            self.connection = self._connect(path, writable=writable)
        except (OSError, *SQLITE_ERRORS) as error:
            self._drop_copy()
            raise unreadable(path, error) from error
        try:
            check_identity(self.connection, path)
        except Diagnosed:
            self.close()
            raise

    def close(self) -> None:
        """Leave nothing behind."""
        self.connection.close()
        self._drop_copy()

    def _drop_copy(self) -> None:
        if self._copy is not None:
            self._copy.cleanup()
            self._copy = None

    def _connect(self, path: Path, *, writable: bool) -> sqlite3.Connection:
        if writable:
            return _open_mended(path)
        if not _is_accompanied(path):
            connection = _open(path, "mode=ro&immutable=1")
            if not _is_accompanied(path):
                return connection
            connection.close()  # a writer came in between
        return _open(self._copied(path), "mode=rw")

    def _copied(self, path: Path) -> Path:
        import shutil  # here alone: it is rare, and together with the other takes as long to import as SQLite
        import tempfile

        self._copy = tempfile.TemporaryDirectory(prefix="rekindle-journal-")
        target = Path(self._copy.name) / "journal.db"
        for _ in range(_COPIES):
            before = _marks(path)
            for suffix in ("", *_BESIDE):
                with suppress(FileNotFoundError):
                    shutil.copyfile(files.beside(path, suffix), files.beside(target, suffix))
            if _marks(path) == before:
                break
        return target


def _marks(path: Path) -> list[tuple[int, int]]:
    marks = []
    for suffix in ("", *_BESIDE):
        with suppress(FileNotFoundError):
            status = files.beside(path, suffix).stat()
            marks.append((status.st_size, status.st_mtime_ns))
    return marks


def _is_accompanied(path: Path) -> bool:
    return any(files.beside(path, suffix).exists() for suffix in _BESIDE)


def _open_mended(path: Path) -> sqlite3.Connection:
    """
    Open read-only; roll back first what a killed writer left half-written.

    A journal has a write-ahead log from its first instant. Where it got that a moment later, as it once did, whoever
    was killed in that moment left a rollback journal, and SQLite knows whether somebody still writes.
    """
    try:
        return _open(path, "mode=ro")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_READONLY_ROLLBACK:
            raise
    _open(path, "mode=rw").close()
    return _open(path, "mode=ro")


def _open(path: Path, query: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{query}", uri=True, isolation_level=None
    )
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("PRAGMA busy_timeout = 2000")
        connection.execute("PRAGMA query_only = on")
        connection.execute("PRAGMA trusted_schema = off")
        connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
    except SQLITE_ERRORS:
        connection.close()
        raise
    return connection


def check_identity(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse what is no journal, or one of a later rekindle."""
    try:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        names = {str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master")}
    except SQLITE_ERRORS as error:
        raise unreadable(path, error) from error
    if application != schema.APPLICATION_ID:
        raise JournalFailed(
            f"{path} is not a journal of rekindle",
            reference="journal-foreign-file",
            hint="Give the path of a journal, or of a file that does not exist yet: --journal PATH.",
        )
    if version > schema.SCHEMA_VERSION:
        raise JournalTooNew(
            f"{path} has layout {version}; this rekindle reads up to {schema.SCHEMA_VERSION}",
            reference="journal-too-new",
            hint="Use the rekindle that wrote it, or a later one.",
        )
    if version < 1 or not names >= schema.OBJECTS:
        lost = ", ".join(sorted(schema.OBJECTS - names)) or "its version"
        raise damaged(path, f"the database has lost {lost}")


def damaged(path: Path, what: str) -> ChainBroken:
    """Say that the file as such is damaged, where no single entry is to blame."""
    return ChainBroken(
        f"{path} is damaged: {what}",
        reference="journal-chain-broken",
        hint="Keep the file as it is, copy it, and go on in a new journal: --journal PATH.",
    )


def unreadable(path: Path, error: Exception) -> Diagnosed:
    """Translate what SQLite or the system says into one of ours."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if isinstance(code, int) else None
    if primary == sqlite3.SQLITE_NOTADB:
        return JournalFailed(
            f"{path} is not a journal of rekindle",
            reference="journal-foreign-file",
            hint="Give the path of a journal, or of a file that does not exist yet: --journal PATH.",
        )
    if primary in _NOT_DAMAGE:
        if not isinstance(error, OSError) and primary is None:
            return damaged(
                path, str(error)
            )  # a value that Python cannot take, such as text that is no UTF-8
        return files.unreadable(path, error)
    return damaged(path, str(error))


def missing(path: Path) -> JournalFailed:
    """Say that there is no journal."""
    return JournalFailed(
        f"there is no journal at {path}",
        reference="journal-missing",
        hint="Start a run or a rehearsal first, or name an existing journal with --journal PATH.",
    )
