# ruff: noqa: SLF001  the class methods set up an instance of their own
"""
The journal of a run, held by the one process that may append to it.

A journal error stops the process: this object refuses every further append. Use it from one thread. PostgreSQL will
come in beside ``creation`` and ``commits``; what is written (``writer``) and how it is chained stays the same.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

import msgspec

from journal import chain, creation, files, lease, troubles, writer
from journal.commits import DATABASE_ERRORS, Commits
from journal.entries import ActionIntended, LeaseTaken
from journal.errors import Diagnosed
from journal.filesystem import refuse_shared
from journal.options import DEFAULTS, Options
from journal.reader import KnownHead, Reader
from journal.row import Lease

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    from sqlalchemy.engine import Connection

    from journal.entries import Entry, Instant, LeaseLost, RunOpened
    from journal.lease import Holder, Lock
    from journal.row import Row

LEASE_SECONDS: Final = 60.0

_NANOSECONDS: Final = 1_000_000_000


class Journal:
    """
    The right to append to a run, and the appending.

    Errors: ``LeaseHeld`` (76) if somebody else may append, ``ChainBroken`` (77) for a damaged file,
    ``JournalTooNew`` (78), ``JournalFailed`` (74) for everything that the disk or SQLite refuses.
    """

    def __init__(self, path: Path, holder: Holder, lock: Lock, options: Options) -> None:
        """Not for callers: use ``open_run`` or ``resume``."""
        self.path = path
        self.run_id = ""
        self.epoch = 0
        self.previous_lease: Lease | None = None  # as found; its heartbeat bounds the idle time
        self._holder = holder
        self._lock = lock
        self._options = options
        self._journal_id = ""
        self._tail = writer.Tail(chain.genesis(""), 0)
        self._commits: Commits | None = None
        self._reader: Reader | None = None

    # --- opening and closing -----------------------------------------------------------------

    @classmethod
    def open_run(
        cls, path: Path, opened: RunOpened, *, holder: Holder, options: Options = DEFAULTS
    ) -> Self:
        """Begin a new run, in a new file or in an existing one; its first entries are RunOpened and LeaseTaken."""
        journal = cls._locked(path, holder, options)
        with troubles.closing_on_error(journal.close):
            journal.run_id = opened.run_id
            if path.exists():
                journal._attach()
                previous = journal._tail.head.hash.hex()
                opened = msgspec.structs.replace(opened, previous_head=previous)
                journal._take([opened], opened.at)
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
        run_id: str = "",
        options: Options = DEFAULTS,
    ) -> Self:
        """
        Take the lease of the newest run, or of *run_id* (for a note on an older one); its next entry is LeaseTaken.

        *at* is the world's time, if it is known already; else the last instant that the journal knows counts.
        """
        troubles.demand_journal(path)
        journal = cls._locked(path, holder, options)
        with troubles.closing_on_error(journal.close):
            journal._attach()
            with Reader(path) as reader:
                runs, found = reader.runs(), reader.lease()
            run = next((one for one in reversed(runs) if run_id in {"", one.run_id}), None)
            if run is None:
                raise troubles.without_run(path)
            journal.run_id = run.run_id
            journal._tail = writer.Tail(journal._tail.head, run.last_seq)
            known = max(runs[-1].last_at, found.heartbeat_world) if found else run.last_at
            # Until when the newest run was alive, a note on an older one must not change.
            lived = found.heartbeat_world if found and run is not runs[-1] else None
            journal._take([], known if at is None else at, lived)
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
        synchronous = self._options.synchronous
        try:
            with (
                creation.building(self.path, synchronous=synchronous) as database,
                database.begin(),
            ):
                creation.create_schema(
                    database, journal_id=self._journal_id, rekindle=opened.version
                )
                taken = self._take_in(database, [opened], opened.at)
        except (*DATABASE_ERRORS, OSError) as error:
            raise troubles.failed(self.path, error) from error
        self._commits = self._connect()
        self._hold(*taken)

    def _attach(self) -> None:
        with Reader(self.path) as reader:
            head = reader.verify(from_checkpoint=True)
            self._journal_id = reader.journal_id()
        self._tail = writer.Tail(head, 0)
        self._commits = self._connect()

    def _connect(self) -> Commits:
        files.lay_ballast(self.path)
        return Commits(self.path, synchronous=self._options.synchronous)

    def _take(self, first: list[Entry], at: Instant, lived: Instant | None = None) -> None:
        taken = self._working().commit(lambda base: self._take_in(base, first, at, lived))
        self._hold(*taken)

    def _take_in(
        self, database: Connection, first: list[Entry], at: Instant, lived: Instant | None = None
    ) -> tuple[writer.Batch, Lease]:
        """
        Take the lease, whoever had it here: the OS lock is ours, so that nobody of this machine who has it lives.

        Of another machine our lock says nothing; there its lease counts until it has run out.
        """
        found = self.previous_lease = writer.read_lease(database)
        now = self._wall()
        if found is not None and _is_held_elsewhere(found, self._holder, now):
            raise troubles.held_elsewhere(self.path, found)
        held = Lease(
            epoch=(found.epoch if found is not None else 0) + 1,
            holder=str(self._holder),
            host=self._holder.host,
            pid=self._holder.pid,
            boot_id=self._holder.boot_id,
            since=now,
            expires=now + LEASE_SECONDS,
            heartbeat_wall=now,
            heartbeat_world=at if lived is None else lived,
        )
        before = found.holder if found is not None else ""
        self.epoch = held.epoch
        taken = LeaseTaken(at=at, epoch=held.epoch, holder=held.holder, took_over_from=before)
        batch = self._prepare([*first, taken])
        writer.write(database, batch)
        writer.write_lease(database, held)
        return batch, held

    def _hold(self, batch: writer.Batch, held: Lease) -> None:
        self._working().mine = (held.epoch, held.holder)
        self._tail = batch.tail

    def close(self, lost: LeaseLost | None = None) -> None:
        """
        Give up the right to append, with a last entry if one is given; the OS lock goes whatever happens.

        ``PATH.head`` remembers where the chain ends.
        """
        try:
            if self._commits is not None and self._commits.mine is not None:
                if lost is not None:
                    self.append([lost])
                self._let_go(self._commits)
        finally:
            if self._reader is not None:
                self._reader.close()
            if self._commits is not None:
                self._commits.close()
            self._reader = self._commits = None
            self._lock.release()

    def _let_go(self, commits: Commits) -> None:
        with suppress(
            Diagnosed, OSError
        ):  # what matters is written; the next holder finds a dead one
            commits.commit(lambda database: writer.renew_lease(database, holder=""))
            head = self._tail.head
            known = KnownHead(journal_id=self._journal_id, id=head.id, hash=head.hash.hex())
            files.replace_private(files.beside(self.path, ".head"), msgspec.json.encode(known))

    def __enter__(self) -> Self:
        """Use as a context manager to close it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    # --- appending ---------------------------------------------------------------------------

    @property
    def last_seq(self) -> int:
        """The seq of this run's last entry."""
        return self._tail.seq

    def append(
        self,
        entries: Sequence[Entry],
        *,
        checkpoint: bytes | None = None,
        lease_seconds: float | None = None,
    ) -> tuple[Row, ...]:
        """
        Write entries in one durable commit, together with a checkpoint that stands for the last of them.

        *lease_seconds* extends the lease to so long from now, in the same commit. The rows come back as every reader
        will see them: redacted. Raises ``LeaseHeld`` (nothing was written) or ``JournalFailed``; after either this
        journal appends nothing any more. A withdrawal that is not allowed is refused without that consequence.
        """
        commits = self._working()
        batch = self._prepare(entries)
        expires = None if lease_seconds is None else self._wall() + lease_seconds

        def work(database: Connection) -> None:
            writer.write(database, batch)
            if checkpoint is not None:
                writer.write_checkpoint(database, batch, self.run_id, checkpoint)
            if expires is not None:
                writer.extend_lease(database, expires)

        if any(isinstance(row.entry, ActionIntended) for row in batch.rows):
            commits.commit(work)  # no last words: an action would start from them
        else:
            commits.commit_last_words(work)
        self._tail = batch.tail
        if batch.withdrawn:
            commits.fold_log()
        return batch.rows

    def extend_lease(self, seconds: float) -> None:
        """Let the lease expire not before so many seconds from now; outside the chain."""
        expires = self._wall() + seconds
        self._working().commit(lambda database: writer.extend_lease(database, expires))

    def heartbeat(self, now: Instant) -> None:
        """Remember that we are alive at this instant of the world; outside the chain."""
        wall = self._wall()

        def work(database: Connection) -> None:
            writer.renew_lease(database, heartbeat_wall=wall, heartbeat_world=now)
            writer.extend_lease(database, wall + LEASE_SECONDS)

        self._working().commit(work)

    def _prepare(self, entries: Sequence[Entry]) -> writer.Batch:
        return writer.prepare(
            entries,
            run_id=self.run_id,
            epoch=self.epoch,
            tail=self._tail,
            stamp=self._options.stamp,
        )

    def _working(self) -> Commits:
        if self._commits is None:
            raise troubles.closed(self.path)
        return self._commits

    def _wall(self) -> float:
        return self._options.stamp().wall_ns / _NANOSECONDS

    # --- reading -----------------------------------------------------------------------------

    def rows(self, run_id: str | None = None, after: int = 0) -> Iterator[Row]:
        """Read committed entries, as ``Reader.rows``."""
        return self._read().rows(run_id, after)

    def latest_checkpoint(self, run_id: str) -> tuple[int, bytes] | None:
        """Return the newest checkpoint of a run and the seq that it stands for."""
        return self._read().latest_checkpoint(run_id)

    def _read(self) -> Reader:
        self._working()
        if self._reader is None:
            self._reader = Reader(self.path)
        return self._reader


def _is_held_elsewhere(found: Lease, holder: Holder, now: float) -> bool:
    """Say whether the lease is of another machine, where the holder may live: a copy has no lock of the original."""
    boots = {found.boot_id, holder.boot_id}
    elsewhere = found.host != holder.host and len(boots) > 1 and "" not in boots
    return bool(found.holder) and elsewhere and now < found.expires
