"""
A connection to a SQLite journal, as safe as SQLite can be asked to be, and asked again whether it really is.

Loads SQLAlchemy: import it where something is written.
"""

from __future__ import annotations

import sqlite3
import sys
from typing import TYPE_CHECKING, Final

from sqlalchemy import create_engine, event
from sqlalchemy.pool import StaticPool

from journal.errors import JournalFailed
from journal.options import Synchronous

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.engine import Connection

_BUSY_MS: Final = 5000
_LEVELS: Final = {"off": 0, "normal": 1, "full": 2}


def connect(path: Path, *, synchronous: Synchronous = "full", wal: bool = True) -> Connection:
    """
    Open an existing file for writing; every transaction begins IMMEDIATE.

    Raises ``JournalFailed`` if a setting does not take, ``sqlite3.Error`` if the file cannot be opened.
    """
    raw = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
    try:
        _set(raw, path, synchronous=synchronous, wal=wal)
    except BaseException:
        raw.close()
        raise
    engine = create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool)

    @event.listens_for(engine, "begin")
    def begin(_connection: Connection) -> None:
        raw.execute("BEGIN IMMEDIATE")

    return engine.connect()


def log_ahead(connection: Connection, path: Path) -> None:
    """Give the file a write-ahead log from now on. Raises ``JournalFailed`` where that does not take."""
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA journal_mode = wal")
    _demand(path, "journal_mode", cursor.fetchone(), "wal")


def disconnect(connection: Connection) -> None:
    """Close for good: the last one to close folds the write-ahead log into the file."""
    engine = connection.engine
    connection.close()
    engine.dispose()


def _set(raw: sqlite3.Connection, path: Path, *, synchronous: Synchronous, wal: bool) -> None:
    raw.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    mode = "wal" if wal else "delete"
    _demand(path, "journal_mode", raw.execute(f"PRAGMA journal_mode = {mode}").fetchone(), mode)
    raw.execute(f"PRAGMA synchronous = {synchronous}")
    _demand(path, "synchronous", raw.execute("PRAGMA synchronous").fetchone(), _LEVELS[synchronous])
    raw.execute("PRAGMA foreign_keys = on")
    _demand(path, "foreign_keys", raw.execute("PRAGMA foreign_keys").fetchone(), 1)
    raw.execute("PRAGMA secure_delete = on")  # what is withdrawn leaves no trace in free pages
    if sys.platform == "darwin":
        raw.execute("PRAGMA fullfsync = on")  # fsync alone stops at the drive's cache
        raw.execute("PRAGMA checkpoint_fullfsync = on")


def _demand(path: Path, setting: str, got: tuple[object, ...] | None, wanted: object) -> None:
    if got is None or got[0] != wanted:
        raise JournalFailed(
            f"SQLite does not give {path} the setting {setting} = {wanted}, but {got and got[0]}",
            reference="journal-not-durable",
            hint="Put the journal on a local disk with an ordinary file system: --journal PATH.",
        )
