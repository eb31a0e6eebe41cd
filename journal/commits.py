"""
One commit after the other on a kept connection, each conditional on the lease, none after an error.

After a failed commit nobody can say what the disk has, so it is never repeated. The one exception is a full disk: then
SQLite has been refused the space before anything was in doubt.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Final, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from journal import connection, files, troubles, writer
from journal.options import Synchronous

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy.engine import Connection

    from journal.errors import Diagnosed

DATABASE_ERRORS: Final = (SQLAlchemyError, sqlite3.Error)

_Result = TypeVar("_Result")


class Commits:
    """A writing connection. *mine* is the lease (epoch, holder) under which it may commit, None while taking it."""

    def __init__(self, path: Path, *, synchronous: Synchronous) -> None:
        """Raise ``JournalFailed``."""
        self.path = path
        self.mine: tuple[int, str] | None = None
        self.failure: Diagnosed | None = None
        try:
            self._connection = connection.connect(path, synchronous=synchronous)
        except DATABASE_ERRORS as error:
            raise troubles.failed(path, error) from error

    def close(self) -> None:
        """Close the connection."""
        connection.disconnect(self._connection)

    def commit(self, work: Callable[[Connection], _Result]) -> _Result:
        """Do *work* in one durable transaction. Raises ``LeaseHeld``, ``JournalFailed``."""
        troubles.demand_working(self.failure)
        try:
            return self._transact(work)
        except DATABASE_ERRORS as error:
            self.failure = troubles.failed(self.path, error)
            raise self.failure from error

    def commit_last_words(self, work: Callable[[Connection], object]) -> None:
        """As ``commit``, but on a full disk write into the space kept back; that is the last commit then."""
        troubles.demand_working(self.failure)
        try:
            self._transact(work)
        except DATABASE_ERRORS as error:
            self.failure = troubles.failed(self.path, error)
            if troubles.is_full(error):
                self.failure = troubles.full(self.path, written=self._written_after_all(work))
            raise self.failure from error

    def _written_after_all(self, work: Callable[[Connection], object]) -> bool:
        files.drop_ballast(self.path)
        try:
            self._transact(work)
        except DATABASE_ERRORS:
            return False
        return True

    def _transact(self, work: Callable[[Connection], _Result]) -> _Result:
        with self._connection.begin():
            if self.mine is not None and not writer.holds_lease(self._connection, *self.mine):
                found = writer.read_lease(self._connection)
                self.failure = troubles.stale(self.path, self.mine[0], found)
                raise self.failure
            return work(self._connection)

    def fold_log(self) -> None:
        """Empty the write-ahead log into the file, so that nothing withdrawn is left in it."""
        raw = self._connection.connection.driver_connection
        try:
            if isinstance(raw, sqlite3.Connection):
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.Error as error:
            self.failure = troubles.failed(self.path, error)
            raise self.failure from error
