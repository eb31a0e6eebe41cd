"""
Entry ↔ canonical JSON.

Equal entries give equal bytes, so that a digest of the bytes is a digest of the entry. What cannot be read is one of
two things, and the difference matters to whoever reads the message: written by a later rekindle, or damaged.
"""

from __future__ import annotations

from typing import Final, get_args

import msgspec

from journal.entries import AnyEntry, Entry
from journal.errors import ChainBroken, JournalTooNew

# Raised when an older rekindle would read an entry and take it for something else. A field with a default that it
# may leave out (a correction in a note, whose text says the same) is not that: it reads on, and the digests are of the
# bytes as they were written.
PAYLOAD_VERSION: Final = 1

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_DECODER: Final[msgspec.json.Decoder[AnyEntry]] = msgspec.json.Decoder(AnyEntry)
_UNREADABLE: Final = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)


def kind_of(entry: Entry | type[Entry]) -> str:
    """Name the kind under which an entry is stored."""
    return str(entry.__struct_config__.tag)


_KIND_OF: Final = {one: kind_of(one) for one in get_args(AnyEntry)}
KINDS: Final = frozenset(_KIND_OF.values())


def encode(entry: Entry) -> bytes:
    """Write the canonical bytes of an entry. Raises TypeError or ValueError for what is not JSON."""
    return _ENCODER.encode(entry)


def decode_fresh(body: bytes) -> AnyEntry:
    """
    Read bytes that we have just written ourselves.

    What the writer hands back is thus exactly what every later reader will see. Raises ``msgspec.ValidationError``
    where an entry was built with values of the wrong types: a bug, found before anything is written.
    """
    return _DECODER.decode(body)


def decode(body: bytes, *, kind: str, version: int, entry_id: int) -> AnyEntry:
    """Read a stored payload. Raises ``JournalTooNew`` or ``ChainBroken``, never anything else."""
    if version > PAYLOAD_VERSION or kind not in KINDS:
        raise JournalTooNew(
            f"entry {entry_id} is of kind {kind!r}, payload version {version}; this rekindle reads the "
            f"{len(KINDS)} kinds of version {PAYLOAD_VERSION}",
            reference="journal-too-new",
            hint="Read this journal with the rekindle that wrote it, or a later one.",
        )
    try:
        entry = _DECODER.decode(body)
    except _UNREADABLE as error:
        raise broken(entry_id, f"its payload cannot be read: {error}") from error
    if _KIND_OF[type(entry)] != kind:
        raise broken(entry_id, f"its payload is of kind {kind_of(entry)!r}, its row says {kind!r}")
    return entry


def broken(entry_id: int, what: str) -> ChainBroken:
    """Say that the journal is not what was written, from this entry on."""
    error = ChainBroken(
        f"the journal is damaged at entry {entry_id}: {what}",
        reference="journal-chain-broken",
        hint="Everything before that entry is intact. Keep the file as it is, copy it, and go on in a new journal.",
    )
    error.entry_id = entry_id
    return error
