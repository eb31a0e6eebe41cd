"""
The hash chain: each entry's hash covers the one before it.

It covers the digests of payloads, not the payloads, so that one can be withdrawn and everything still verifies. A
chain alone does not show a tail that was cut off: the file ``PATH.head`` remembers where it ended when it was closed.
"""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import astuple

from journal import codec
from journal.entries import Redacted
from journal.learned import convert
from journal.row import Head, Record
from journal.schema import ENTRY_COLUMNS, RECORD_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NEVER_WITHDRAWN: Final = frozenset({"run.opened", "redacted"})
_TYPES: Final = (int, str, int, str, float, int, int, str, int, int, bytes, bytes, bytes)
_AS_WRITTEN: Final = {(*_TYPES, bytes), (*_TYPES, type(None))}
COVERED: Final = ENTRY_COLUMNS[:-2]  # the first that a record has; after them come both hashes

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


def digest(body: bytes) -> bytes:
    """Digest a payload."""
    return hashlib.sha256(body).digest()


def genesis(journal_id: str) -> Head:
    """Give the place before the first entry; it binds the chain to this one journal."""
    return Head(id=0, hash=hashlib.sha256(f"rekindle journal {journal_id}".encode()).digest())


def link(previous: bytes, columns: Mapping[str, object]) -> bytes:
    """Compute an entry's hash from its predecessor's and its own columns."""
    return _linked(previous, tuple(columns[name] for name in COVERED))


def _linked(previous: bytes, covered: tuple[object, ...]) -> bytes:
    return hashlib.sha256(previous + _ENCODER.encode(covered)).digest()


def checkpoint_digest(anchor: bytes, body: bytes) -> bytes:
    """Digest a checkpoint together with the hash of the entry that it follows."""
    return hashlib.sha256(anchor + body).digest()


def read_record(columns: dict[str, object], *, expected_id: int) -> Record:
    """Take a stored row at its word about types only. Raises ``ChainBroken`` for a column of another type."""
    try:
        record = convert(columns, Record)
    except msgspec.ValidationError as error:
        raise codec.broken(expected_id, f"a column is damaged: {error}") from error
    if not math.isfinite(record.at):
        raise codec.broken(expected_id, "its instant is not a number")
    return record


def record_of(columns: tuple[Any, ...], *, expected_id: int) -> Record:
    """Take a stored row, nearly always of the very types that were written. Raises as ``read_record``."""
    if tuple(map(type, columns)) in _AS_WRITTEN:
        record = Record(*columns)
        if math.isfinite(record.at):
            return record
    return read_record(dict(zip(RECORD_COLUMNS, columns, strict=True)), expected_id=expected_id)


class Verification:
    """
    A walk along the chain, record by record, from *start* on.

    Raises ``ChainBroken`` with the first bad entry; ``finish`` returns the head.
    """

    def __init__(self, start: Head) -> None:
        self._id, self._hash = start.id, start.hash
        self._seqs: dict[str, int] = {}
        self._missing: dict[tuple[str, int], int] = {}
        self._withdrawn: set[tuple[str, int]] = set()
        self._whole = start.id == 0

    @property
    def expected(self) -> int:
        """The id of the next record."""
        return self._id + 1

    def step(self, columns: dict[str, object]) -> Record:
        """Check the next record by its columns."""
        return self.follow(read_record(columns, expected_id=self.expected))

    def follow(self, record: Record) -> Record:
        """Check the next record."""
        expected = self._id + 1
        if record.id != expected:
            raise codec.broken(expected, f"it is missing; the next one is {record.id}")
        last = self._seqs.get(record.run_id, 0 if self._whole else record.seq - 1)
        if record.seq != last + 1:
            raise codec.broken(expected, f"it is number {record.seq} of its run, not {last + 1}")
        if record.previous != self._hash:
            raise codec.broken(expected, "it does not follow the entry before it")
        if record.hash != _linked(record.previous, astuple(record)[: len(COVERED)]):
            raise codec.broken(expected, "its hash is not that of its columns")
        self._check_payload(record)
        self._seqs[record.run_id] = record.seq
        self._id, self._hash = expected, record.hash
        return record

    def _check_payload(self, record: Record) -> None:
        if record.body is None:
            if record.kind in NEVER_WITHDRAWN:
                raise codec.broken(record.id, "its payload is missing")
            self._missing[record.run_id, record.seq] = record.id
            return
        if digest(record.body) != record.payload_digest:
            raise codec.broken(record.id, "its payload is not the one that was written")
        if record.kind == "redacted":
            entry = codec.decode(
                record.body, kind=record.kind, version=record.version, entry_id=record.id
            )
            if isinstance(entry, Redacted):
                self._withdrawn.add((record.run_id, entry.seq))

    def finish(self) -> Head:
        """Check what only the end can tell: a payload is missing only where an entry withdrew it."""
        lost = [where for key, where in self._missing.items() if key not in self._withdrawn]
        if lost:
            raise codec.broken(min(lost), "its payload is missing, and no entry withdrew it")
        return Head(id=self._id, hash=self._hash)


def verify(records: Iterable[dict[str, object]], start: Head) -> Head:
    """Check a whole sequence of rows. Raises ``ChainBroken``."""
    walk = Verification(start)
    for record in records:
        walk.step(record)
    return walk.finish()
