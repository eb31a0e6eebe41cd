"""
Reading a journal while somebody writes it, or long after: standard library only, so that ``status`` starts fast.

Reading never takes, or needs, the right to act.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final, Self, TypeVar

import msgspec

from journal import chain, codec, files, lease, opening, schema
from journal.codec import kind_of
from journal.entries import Note, RunClosed, RunOpened, RunOutcome
from journal.learned import convert, decoder
from journal.row import Head, Lease, Record, Row, RunSummary

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path
    from types import TracebackType

    from journal.entries import AnyEntry

    See = Callable[[Record], None]

WHOLE_CHAIN_ENTRIES: Final = 20_000  # below this (a quarter of a second) an anchor saves nothing

_Struct = TypeVar("_Struct", bound=msgspec.Struct)


class KnownHead(msgspec.Struct, frozen=True):
    """The content of ``PATH.head``: where the chain of which journal ended when it was last closed."""

    journal_id: str
    id: int
    hash: str


def unseen(_record: Record) -> None:
    """Have nobody look on."""


def row_of(record: Record) -> Row:
    """Read a record's payload. Raises ``ChainBroken``, ``JournalTooNew``."""
    entry = None
    if record.body is not None:
        entry = codec.decode(
            record.body, kind=record.kind, version=record.version, entry_id=record.id
        )
    return Row(
        id=record.id,
        run_id=record.run_id,
        seq=record.seq,
        kind=record.kind,
        at=record.at,
        wall_ns=record.wall_ns,
        epoch=record.epoch,
        entry=entry,
    )


class Reader:
    """
    A journal, read only.

    Every error is a ``Diagnosed``: ``JournalFailed`` for a file that is missing, foreign or unreadable,
    ``JournalTooNew``, ``ChainBroken`` for a damaged one.
    """

    def __init__(self, path: Path, *, folder_writable: bool | None = None) -> None:
        self.path = path
        self._opened = opening.Opened(path, folder_writable=folder_writable)
        self._connection = self._opened.connection

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

    def close(self) -> None:
        """Leave nothing behind."""
        self._opened.close()

    # --- entries -----------------------------------------------------------------------------

    def rows(self, run_id: str | None = None, after: int = 0) -> Iterator[Row]:
        """
        Read entries in order, at one instant of the file: those of one run after seq *after*, or all after id *after*.

        Does not check the chain; ``verify`` does.
        """
        if run_id is None:
            found = self._select(
                f"{schema.SELECT_RECORDS} WHERE entries.id > ? ORDER BY entries.id", after
            )
        else:
            found = self._select(
                f"{schema.SELECT_RECORDS} WHERE run_id = ? AND seq > ? ORDER BY seq", run_id, after
            )
        for columns in found:
            yield row_of(self._record(columns))

    def entries(
        self, run_id: str, after: int = 0, *, until: int | None = None, kind: str = ""
    ) -> Iterator[AnyEntry]:
        """
        Read what a run's entries say, in their order and without their places, as a fold asks for it.

        Those after seq *after* and up to seq *until*, of one *kind* or of all; what was withdrawn is left out. Does not
        check the chain.
        """
        condition, values = "run_id = ? AND seq > ?", [run_id, after]
        if until is not None:
            condition, values = f"{condition} AND seq <= ?", [*values, until]
        if kind:
            condition, values = f"{condition} AND kind = ?", [*values, kind]
        found = self._select(f"{schema.SELECT_SAID} WHERE {condition} ORDER BY seq", *values)
        for entry_id, told, version, body in found:
            if body is None:
                continue
            if type(told) is not str or type(version) is not int or type(body) is not bytes:
                raise codec.broken(entry_id, "a column is damaged")
            yield codec.decode(body, kind=told, version=version, entry_id=entry_id)

    def rows_but(self, run_id: str, kinds: Collection[str]) -> Iterator[Row]:
        """
        Read a run's entries in their order but for those of some *kinds*, which are not even looked into.

        What was withdrawn is among them whatever it was, and what a later rekindle wrote is refused.
        """
        marks = ", ".join("?" for _ in kinds)
        condition = f"run_id = ? AND (kind NOT IN ({marks}) OR version > ? OR body IS NULL)"
        for columns in self._select(
            f"{schema.SELECT_RECORDS} WHERE {condition} ORDER BY seq",
            *(run_id, *kinds, codec.PAYLOAD_VERSION),
        ):
            yield row_of(self._record(columns))

    def notes(self, run_id: str) -> Iterator[Row]:
        """Read the notes of a run in their order: what people corrected of entries that come before them."""
        return self.of_kind(run_id, kind_of(Note))

    def of_kind(self, run_id: str, kind: str) -> Iterator[Row]:
        """Read a run's entries of one kind in their order; a withdrawn one is among them."""
        if kind in schema.MILESTONE_KINDS:  # they have an index, the others are looked for
            yield from self._milestones(kind, run_id)
            return
        condition = "run_id = ? AND kind = ? ORDER BY seq"
        for columns in self._select(f"{schema.SELECT_RECORDS} WHERE {condition}", run_id, kind):
            yield row_of(self._record(columns))

    def last_row(self) -> Row | None:
        """Read the newest entry of the file."""
        found = self._select(f"{schema.SELECT_RECORDS} ORDER BY entries.id DESC LIMIT 1")
        return next((row_of(self._record(columns)) for columns in found), None)

    def head(self) -> Head:
        """Tell where the chain ends, unverified."""
        found = self._select("SELECT id, hash FROM entries ORDER BY id DESC LIMIT 1")
        for columns in found:
            return self._convert(columns, Head)
        return chain.genesis(self.journal_id())

    def journal_id(self) -> str:
        """Tell the random name that this file was given at its creation."""
        for columns in self._select("SELECT value FROM meta WHERE key = 'journal_id'"):
            return str(columns["value"])
        raise opening.damaged(self.path, "it has lost its journal id")

    def latest_checkpoint(self, run_id: str) -> tuple[int, bytes] | None:
        """Return the newest checkpoint of a run and the seq that it stands for. Raises ``ChainBroken``."""
        found = self._select(
            "SELECT checkpoints.entry_id, checkpoints.seq, anchor, digest, body, entries.hash "
            "FROM checkpoints LEFT JOIN entries ON entries.id = entry_id "
            "AND entries.run_id = checkpoints.run_id AND entries.seq = checkpoints.seq "
            "WHERE checkpoints.run_id = ?",
            run_id,
        )
        for columns in found:
            anchor, body = columns["anchor"], columns["body"]
            sound = isinstance(anchor, bytes) and isinstance(body, bytes)
            if (
                not sound
                or anchor != columns["hash"]
                or chain.checkpoint_digest(anchor, body) != columns["digest"]
            ):
                raise opening.damaged(
                    self.path, f"the checkpoint of run {run_id} is not as written"
                )
            return int(columns["seq"]), body
        return None

    # --- runs and the lease ------------------------------------------------------------------

    def runs(self) -> list[RunSummary]:
        """List the runs, oldest first."""
        opened = list(self._milestones("run.opened"))
        held = self.lease()
        return [self._summary(row, held if row is opened[-1] else None) for row in opened]

    def newest_run(self) -> RunSummary | None:
        """Return the run that was opened last."""
        opened = list(self._milestones("run.opened"))
        return self._summary(opened[-1], self.lease()) if opened else None

    def lease(self) -> Lease | None:
        """Return the lease row; None before the first one was taken."""
        for columns in self._select("SELECT * FROM lease"):
            return self._convert(columns, Lease)
        return None

    def holder_alive(self) -> bool | None:
        """Tell whether a process holds the right to append just now; None if we may not look."""
        return lease.is_held(self.path)

    def _summary(self, row: Row, held: Lease | None) -> RunSummary:
        if not isinstance(row.entry, RunOpened):
            raise codec.broken(row.id, "a run's first entry has lost its payload")
        last = row
        condition = "run_id = ? ORDER BY seq DESC LIMIT 1"
        for columns in self._select(f"{schema.SELECT_RECORDS} WHERE {condition}", row.run_id):
            last = row_of(self._record(columns))
        outcome: RunOutcome | None = None
        closed_at: float | None = None
        for closed in self._milestones("run.closed", row.run_id):
            if isinstance(closed.entry, RunClosed):
                outcome, closed_at = closed.entry.outcome, closed.entry.at
        return RunSummary(
            run_id=row.run_id,
            opened=row.entry,
            first_id=row.id,
            last_id=last.id,
            last_seq=last.seq,
            last_at=last.at,
            last_kind=last.kind,
            outcome=outcome,
            lease=held,
            closed_at=closed_at,
        )

    def _milestones(self, kind: str, run_id: str | None = None) -> Iterator[Row]:
        statement = f"{schema.SELECT_RECORDS} WHERE {schema.MILESTONES} AND kind = ?"
        if run_id is None:
            found = self._select(f"{statement} ORDER BY entries.id", kind)
        else:
            found = self._select(f"{statement} AND run_id = ? ORDER BY entries.id", kind, run_id)
        for columns in found:
            yield row_of(self._record(columns))

    # --- verification ------------------------------------------------------------------------

    def verify(self, *, from_checkpoint: bool = False, see: See = unseen) -> Head:
        """
        Check the database, the chain, the checkpoints and ``PATH.head``; return where the chain ends.

        *from_checkpoint* allows a long journal to be checked from its newest checkpoint on. *see* is shown each record
        that follows the one before it; what it was shown is proven only once this returns. Raises ``ChainBroken``.
        """
        known = (
            self.known_head()
        )  # before the file is looked at: whoever closes it meanwhile makes it longer
        with self._one_instant():
            for columns in self._select("PRAGMA integrity_check(1)"):
                if columns[0] != "ok":
                    # It names the entry, if it can.
                    self._verify_chain(chain.genesis(self.journal_id()), unseen)
                    raise opening.damaged(self.path, str(columns[0]))
            return self._verify(known, see, from_checkpoint=from_checkpoint)

    @contextmanager
    def _one_instant(self) -> Iterator[None]:
        """Read the file as it is now, whatever a living run writes meanwhile."""
        try:
            self._connection.execute("BEGIN")
            yield
        finally:
            with suppress(*opening.SQLITE_ERRORS):
                self._connection.execute("ROLLBACK")

    def _verify(self, known: KnownHead | None, see: See, *, from_checkpoint: bool) -> Head:
        start = chain.genesis(self.journal_id())
        if from_checkpoint and self.head().id > WHOLE_CHAIN_ENTRIES:
            start = self._newest_anchor() or start
        head = self._verify_chain(start, see)
        for columns in self._select("SELECT COALESCE(MAX(id), 0) AS id FROM payloads"):
            if columns["id"] > head.id:
                raise codec.broken(head.id + 1, "it is missing, its payload is still there")
        for columns in list(self._select("SELECT run_id FROM checkpoints")):
            self.latest_checkpoint(str(columns["run_id"]))
        if known is not None:
            self._verify_known_head(head, known)
        return head

    def _verify_chain(self, start: Head, see: See) -> Head:
        walk = chain.Verification(start)
        statement = f"{schema.SELECT_RECORDS} WHERE entries.id > ? ORDER BY entries.id"
        cursor = self._connection.cursor()
        cursor.row_factory = None  # plain tuples
        try:
            for columns in cursor.execute(statement, (start.id,)):
                see(walk.follow(chain.record_of(columns, expected_id=walk.expected)))
        except opening.SQLITE_ERRORS as error:
            raise codec.broken(walk.expected, f"it cannot be read: {error}") from error
        return walk.finish()

    def _newest_anchor(self) -> Head | None:
        statement = (
            "SELECT entry_id AS id, anchor AS hash FROM checkpoints ORDER BY entry_id DESC LIMIT 1"
        )
        return next((self._convert(columns, Head) for columns in self._select(statement)), None)

    def _verify_known_head(self, head: Head, known: KnownHead) -> None:
        if known.journal_id != self.journal_id():
            raise opening.damaged(self.path, "its .head file is of another journal")
        if known.id > head.id:
            raise codec.broken(
                head.id + 1, f"it is missing: when last closed, the journal had {known.id} entries"
            )
        for columns in self._select("SELECT hash FROM entries WHERE id = ?", known.id):
            if columns["hash"].hex() != known.hash:
                raise codec.broken(known.id, "it is another one than when the journal was closed")

    def known_head(self) -> KnownHead | None:
        """Read ``PATH.head``; None if the journal was never closed properly."""
        try:
            text = files.beside(self.path, ".head").read_bytes()
            return decoder(KnownHead).decode(text)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.MsgspecError, ValueError) as error:
            raise opening.damaged(self.path, f"its .head file cannot be read: {error}") from error

    # --- SQL ---------------------------------------------------------------------------------

    def _select(self, statement: str, *values: object) -> Iterator[sqlite3.Row]:
        try:
            for columns in self._connection.execute(statement, values):  # noqa: UP028  a delegate would be closed late
                yield columns
        except opening.SQLITE_ERRORS as error:
            raise opening.unreadable(self.path, error) from error

    def _record(self, columns: sqlite3.Row) -> Record:
        expected = columns["id"] if isinstance(columns["id"], int) else 0
        return chain.record_of(tuple(columns), expected_id=expected)

    def _convert(self, columns: sqlite3.Row, kind: type[_Struct]) -> _Struct:
        try:
            return convert(dict(columns), kind)
        except msgspec.ValidationError as error:
            raise opening.damaged(self.path, f"{kind.__name__.lower()}: {error}") from error
