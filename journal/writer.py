"""
Turning entries into rows, and rows into SQL. The transaction around it belongs to the store.

Everything that can fail without the database (redaction, encoding, hashing) happens before the transaction.
"""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite import insert as upsert

from journal import chain, codec, tables
from journal.entries import Entry, Redacted
from journal.errors import JournalFailed
from journal.redactor import redact_payload
from journal.row import Head, Lease, Record, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import ClauseElement, Insert
    from sqlalchemy.engine import Connection

    from journal.stamp import Stamp


_INSERT_ENTRIES: Final = insert(tables.entries)
_INSERT_PAYLOADS: Final = insert(tables.payloads)
_EXTEND: Final = (
    update(tables.lease)
    .where(tables.lease.c.expires < bindparam("until"))
    .values(expires=bindparam("until"))
)
_CHECKPOINT: Final = upsert(tables.checkpoints)
_REPLACE: Final = _CHECKPOINT.on_conflict_do_update(
    index_elements=["run_id"],
    set_={
        name: _CHECKPOINT.excluded[name] for name in ("entry_id", "seq", "anchor", "digest", "body")
    },
)
_FENCE: Final = select(tables.lease.c.epoch, tables.lease.c.holder)


class Tail(msgspec.Struct, frozen=True):
    """Where the next entry goes: after this head of the file, and after this seq of the run."""

    head: Head
    seq: int


class Batch(msgspec.Struct, frozen=True):
    """Rows that are ready to be written in one commit, and where the next ones will go."""

    rows: tuple[Row, ...]
    records: tuple[Record, ...]
    withdrawn: tuple[int, ...]  # seqs of this run
    tail: Tail


def prepare(
    entries: Sequence[Entry], *, run_id: str, epoch: int, tail: Tail, stamp: Callable[[], Stamp]
) -> Batch:
    """
    Redact, encode, number and chain entries.

    Raises ``msgspec.ValidationError``, TypeError or ValueError for an entry that is not what its class says, and
    ``JournalFailed`` for a withdrawal that is not allowed.
    """
    rows: list[Row] = []
    records: list[Record] = []
    head, seq = tail.head, tail.seq
    for given in entries:
        entry = codec.decode_fresh(redact_payload(codec.encode(given)))
        body = codec.encode(entry)
        seq += 1
        now = stamp()
        columns: dict[str, Any] = {
            "id": head.id + 1,
            "run_id": run_id,
            "seq": seq,
            "kind": codec.kind_of(entry),
            "at": entry.at + 0.0,  # SQLite has no negative zero
            "wall_ns": now.wall_ns,
            "monotonic_ns": now.monotonic_ns,
            "boot_id": now.boot_id,
            "epoch": epoch,
            "version": codec.PAYLOAD_VERSION,
            "payload_digest": chain.digest(body),
            "previous": head.hash,
        }
        columns["hash"] = chain.link(head.hash, columns)
        record = Record(**columns, body=body)
        head = Head(id=record.id, hash=record.hash)
        records.append(record)
        rows.append(
            Row(
                id=record.id,
                run_id=run_id,
                seq=seq,
                kind=record.kind,
                at=record.at,
                wall_ns=record.wall_ns,
                epoch=epoch,
                entry=entry,
            )
        )
    withdrawn = tuple(row.entry.seq for row in rows if isinstance(row.entry, Redacted))
    return Batch(tuple(rows), tuple(records), withdrawn, Tail(head, seq))


@lru_cache(maxsize=8)
def _compiled(statement: ClauseElement) -> tuple[str, tuple[str, ...]]:
    """Compile what every commit says, once: going through the whole of Core each time doubles its price."""
    compiled: Any = statement.compile(dialect=sqlite.dialect())
    return str(compiled), tuple(compiled.positiontup or ())


@lru_cache(maxsize=2)
def _values_for(statement: Insert) -> Callable[[Record], tuple[object, ...]]:
    """Return what takes the values of an insert out of a record, in the order that it wants them in."""
    return attrgetter(*_compiled(statement)[1])


def write(connection: Connection, batch: Batch) -> None:
    """Insert the rows of a batch and withdraw the payloads that it names."""
    if not batch.records:
        return
    for statement in (_INSERT_ENTRIES, _INSERT_PAYLOADS):
        text, _ = _compiled(statement)
        rows = list(map(_values_for(statement), batch.records))
        connection.connection.cursor().executemany(text, rows)
    for seq in batch.withdrawn:
        _withdraw(connection, batch.records[0].run_id, seq)


def _withdraw(connection: Connection, run_id: str, seq: int) -> None:
    columns = tables.entries.c
    found = connection.execute(
        select(columns.id, columns.kind).where(columns.run_id == run_id, columns.seq == seq)
    ).one_or_none()
    if found is None or found.kind in chain.NEVER_WITHDRAWN:
        what = "there is no such entry" if found is None else f"a {found.kind} entry stays"
        raise JournalFailed(
            f"the payload of entry {seq} cannot be withdrawn: {what}",
            reference="journal-not-withdrawable",
            hint="List the entries with `rekindle log`; of a run's opening delete the whole journal.",
        )
    connection.execute(delete(tables.payloads).where(tables.payloads.c.id == found.id))


def write_checkpoint(connection: Connection, batch: Batch, run_id: str, body: bytes) -> None:
    """Replace the run's checkpoint by one that stands for the batch's last entry."""
    head, seq = batch.tail.head, batch.tail.seq
    values = {
        "run_id": run_id,
        "entry_id": head.id,
        "seq": seq,
        "anchor": head.hash,
        "digest": chain.checkpoint_digest(head.hash, body),
        "body": body,
    }
    text, names = _compiled(_REPLACE)
    connection.connection.cursor().execute(text, [values[name] for name in names])


def read_lease(connection: Connection) -> Lease | None:
    """Read the lease row, inside the transaction."""
    found = connection.execute(select(tables.lease)).mappings().one_or_none()
    columns = {str(name): value for name, value in (found or {}).items()}
    return msgspec.convert(columns, Lease) if columns else None


def holds_lease(connection: Connection, epoch: int, holder: str) -> bool:
    """Tell whether the lease row still says what we think, inside the transaction."""
    text, _ = _compiled(_FENCE)
    cursor = connection.connection.cursor()
    cursor.execute(text)
    return cursor.fetchall() == [(epoch, holder)]


def write_lease(connection: Connection, lease: Lease) -> None:
    """Write the lease row, whoever had it."""
    values = msgspec.structs.asdict(lease)
    statement = upsert(tables.lease).values(id=1, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


def renew_lease(connection: Connection, **values: float | str) -> None:
    """Change columns of the lease row."""
    connection.execute(update(tables.lease).values(**values))


def extend_lease(connection: Connection, expires: float) -> None:
    """Let the lease expire not before this wall instant."""
    text, names = _compiled(_EXTEND)
    connection.connection.cursor().execute(text, [expires] * len(names))
