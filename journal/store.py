"""
The journal of a run, held by the one process that may append to it.

A journal error stops the process: after a failed commit nobody can say what the disk has, so it is never repeated, and
this object refuses every further append. Use one from one thread.
"""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from journal import chain, connection, creation, files, lease, troubles, writer
from journal.entries import ActionIntended
from journal.filesystem import filesystem_of, refuse_shared
from journal.reader import KnownHead, Reader
from journal.row import Head, Lease
from journal.stamp import Stamp, host_stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from sqlalchemy.engine import Connection

    from journal.entries import AnyEntry, Instant, LeaseLost, RunOpened
    from journal.errors import Diagnosed
    from journal.lease import Holder, Lock
    from journal.row import Row

LEASE_SECONDS: Final = 60.0
NANOSECONDS: Final = 1_000_000_000

_DATABASE: Final = (SQLAlchemyError, sqlite3.Error)


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """
    What tests set otherwise: the host's clocks, how its file systems are told apart, and ``synchronous="off"``,
    with which a power cut loses entries.
    """

    stamp: Callable[[], Stamp] = host_stamp
    filesystem: Callable[[Path], str] = filesystem_of
    synchronous: connection.Synchronous = "full"


DEFAULTS: Final = Options()


class Journal:
    """
    The right to append to a run, and the appending.

    Errors: ``LeaseHeld`` (76) if somebody else may append, ``ChainBroken`` (77) for a damaged file,
    ``JournalTooNew`` (78), ``JournalFailed`` (74) for everything the disk or SQLite refuses.
    """

    def __init__(self, path: Path, holder: Holder, lock: Lock, options: Options) -> None:
        """Not for callers: use ``open_run`` or ``resume``."""
        self.path = path
        self.run_id = ""
        self.previous_lease: Lease | None = None  # as it was found; its heartbeat bounds the idle time
        self._holder = holder
        self._lock = lock
        self._options = options
        self._failure: Diagnosed | None = None
        self._connection: Connection | None = None
        self._reader: Reader | None = None
        self._journal_id = ""
        self._lease = Lease(
            epoch=0,
            holder=str(holder),
            host=holder.host,
            pid=holder.pid,
            boot_id=holder.boot_id,
            since=0.0,
            expires=0.0,
            heartbeat_wall=0.0,
            heartbeat_world=0.0,
        )
        self._tail = writer.Tail(Head(id=0, hash=b""), 0)

    # --- opening -----------------------------------------------------------------------------

    @classmethod
    def open_run(
        cls, path: Path, opened: RunOpened, *, holder: Holder, options: Options = DEFAULTS
    ) -> Self:
        """Begin a new run, in a new file or in an existing one; its first entries are RunOpened and LeaseTaken."""
        journal = cls._locked(path, holder, options)
        with troubles.closing_on_error(journal.close):
            if path.exists():
                journal._attach()
                previous = journal._tail.head.hash.hex()
                journal._begin(msgspec.structs.replace(opened, previous_head=previous))
            else:
                journal._create(opened)
        return journal

    @classmethod
    def resume(
        cls,
        path: Path,
        *,
        holder: Holder,
        at: Instant | None = None,
        options: Options = DEFAULTS,
    ) -> Self:
        """
        Take the lease of the newest run; its next entry is LeaseTaken.

        *at* is the world's time, if it is known already; else the last instant that the journal knows counts.
        """
        troubles.demand_journal(path)
        journal = cls._locked(path, holder, options)
        with troubles.closing_on_error(journal.close):
            journal._attach()
            with Reader(path) as reader:
                run, last = reader.newest_run(), reader.last_row()
            if run is None or last is None:
                raise troubles.without_run(path)
            journal._take_over(run.run_id, run.last_seq, last.at, at)
        return journal

    @classmethod
    def _locked(cls, path: Path, holder: Holder, options: Options) -> Self:
        refuse_shared(path, options.filesystem)
        lock = lease.acquire(path, holder)
        if lock is None:
            raise troubles.held(path)
        return cls(path, holder, lock, options)

    def _create(self, opened: RunOpened) -> None:
        self._journal_id = secrets.token_hex(16)
        self._tail = writer.Tail(chain.genesis(self._journal_id), 0)
        try:
            with creation.building(self.path, synchronous=self._options.synchronous) as building:
                self._connection = building
                with building.begin():
                    creation.create_schema(
                        building, journal_id=self._journal_id, rekindle=opened.version
                    )
                    batch = self._begin_in(building, opened, None)
                self._connection = None
            self._connect()
        except (*_DATABASE, OSError) as error:
            raise troubles.failed(self.path, error) from error
        self._tail = batch.tail

    def _attach(self) -> None:
        with Reader(self.path) as reader:
            head = reader.verify(from_checkpoint=True)
            self._journal_id = reader.journal_id()
        self._tail = writer.Tail(head, 0)
        try:
            self._connect()
        except _DATABASE as error:
            raise troubles.failed(self.path, error) from error

    def _connect(self) -> None:
        files.lay_ballast(self.path)
        self._connection = connection.connect(self.path, synchronous=self._options.synchronous)

    def _begin(self, opened: RunOpened) -> None:
        def work(database: Connection) -> writer.Batch:
            self.previous_lease = writer.read_lease(database)
            return self._begin_in(database, opened, self.previous_lease)

        self._tail = self._commit(work).tail

    def _begin_in(
        self, database: Connection, opened: RunOpened, previous: Lease | None
    ) -> writer.Batch:
        self.run_id = opened.run_id
        self._take(previous, opened.at)
        entries = [opened, writer.taking(self._lease, previous, opened.at)]
        batch = self._prepare(entries)
        writer.write(database, batch)
        writer.write_lease(database, self._lease)
        return batch

    def _take_over(self, run_id: str, seq: int, last: Instant, at: Instant | None) -> None:
        self.run_id = run_id
        self._tail = writer.Tail(self._tail.head, seq)

        def work(database: Connection) -> writer.Batch:
            previous = self.previous_lease = writer.read_lease(database)
            heartbeat = previous.heartbeat_world if previous is not None else last
            instant = max(last, heartbeat) if at is None else at
            self._take(previous, instant)
            batch = self._prepare([writer.taking(self._lease, previous, instant)])
            writer.write(database, batch)
            writer.write_lease(database, self._lease)
            return batch

        self._tail = self._commit(work).tail

    def _take(self, previous: Lease | None, world: Instant) -> None:
        now = self._wall()
        self._lease = msgspec.structs.replace(
            self._lease,
            epoch=(previous.epoch if previous is not None else 0) + 1,
            since=now,
            expires=now + LEASE_SECONDS,
            heartbeat_wall=now,
            heartbeat_world=world,
        )

    # --- appending ---------------------------------------------------------------------------

    @property
    def epoch(self) -> int:
        """The epoch under which this journal appends."""
        return self._lease.epoch

    def append(
        self,
        entries: Sequence[AnyEntry],
        *,
        checkpoint: bytes | None = None,
        lease_seconds: float | None = None,
    ) -> tuple[Row, ...]:
        """
        Write entries in one durable commit, together with a checkpoint that stands for the last of them.

        *lease_seconds* extends the lease to so long from now, in the same commit. The rows come back as every reader
        will see them: redacted. Raises ``LeaseHeld`` (nothing was written) or ``JournalFailed``; after either this
        journal appends nothing any more.
        """
        troubles.demand_working(self._failure)
        batch = self._prepare(entries)
        expires = None if lease_seconds is None else self._later(lease_seconds)

        def work(database: Connection) -> None:
            writer.write(database, batch)
            if checkpoint is not None:
                writer.write_checkpoint(database, batch, self.run_id, checkpoint)
            if expires is not None:
                writer.renew_lease(database, expires=expires)

        intends = any(isinstance(row.entry, ActionIntended) for row in batch.rows)
        self._append(work, last_words=not intends)
        self._tail = batch.tail
        if batch.withdrawn:
            self._forget_withdrawn()
        return batch.rows

    def extend_lease(self, seconds: float) -> None:
        """Let the lease expire not before so many seconds from now; outside the chain."""
        expires = self._later(seconds)
        self._commit(lambda database: writer.renew_lease(database, expires=expires))

    def heartbeat(self, world_now: Instant) -> None:
        """Remember that we are alive at this instant of the world; outside the chain."""
        wall = self._wall()
        expires = self._later(LEASE_SECONDS)
        self._commit(
            lambda database: writer.renew_lease(
                database, heartbeat_wall=wall, heartbeat_world=world_now, expires=expires
            )
        )

    def _prepare(self, entries: Sequence[AnyEntry]) -> writer.Batch:
        return writer.prepare(
            entries,
            run_id=self.run_id,
            epoch=self.epoch,
            tail=self._tail,
            stamp=self._options.stamp,
        )

    def _append(self, work: Callable[[Connection], None], *, last_words: bool) -> None:
        """Commit; on a full disk, once more into the space kept back, unless an action would start from it."""
        try:
            self._transact(work)
        except _DATABASE as error:
            written = False
            if last_words and troubles.is_full(error):
                files.drop_ballast(self.path)
                with suppress(*_DATABASE):
                    self._transact(work)
                    written = True
            full = troubles.is_full(error)
            failure = troubles.full(self.path, written=written) if full else None
            self._failure = failure or troubles.failed(self.path, error)
            raise self._failure from error

    def _commit(self, work: Callable[[Connection], _Result]) -> _Result:
        troubles.demand_working(self._failure)
        try:
            return self._transact(work)
        except _DATABASE as error:
            self._failure = troubles.failed(self.path, error)
            raise self._failure from error

    def _transact(self, work: Callable[[Connection], _Result]) -> _Result:
        if self._connection is None:
            raise troubles.closed(self.path)
        with self._connection.begin():
            found = writer.read_lease(self._connection)
            if self._held and (found is None or (found.epoch, found.holder) != self._mine):
                self._failure = troubles.stale(self.path, self.epoch, found)
                raise self._failure
            return work(self._connection)
