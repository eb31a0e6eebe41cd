"""
The file of a run's looks: ``JOURNAL.RUN.looks``, of its owner alone.

After a first line come blocks: a letter, a length and a checksum of four bytes each (big endian), and so many bytes of
zlib. ``N`` begins a stream, ``M`` goes on with it, so that each block costs only what is new in it; a block that is not
whole (a kill, a full disk) ends the reading, and is cut off before the next session writes on. Not synced: a power cut
loses looks, no truth.

The checksum is the CRC-32 of letter, length and body, begun with that of the block before in its stream: a byte that
flipped is damage, and never a look in which the cluster was another. Files of the first format have none.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from journal import files
from journal.errors import Diagnosed
from rekindle.looks.frames import End, Record
from rekindle.there import is_special

MAGIC: Final = b"rekindle.looks/2\n"
WITHOUT_CHECKSUMS: Final = b"rekindle.looks/1\n"  # of an older rekindle: read, and gone on with
FILM_BYTES: Final = (
    64 * 1024 * 1024
)  # of a run, as written; what is over it is dropped, and that is said
RECORD_BYTES: Final = 512 * 1024 * 1024  # of one look, unpacked: a file may be anybody's
KEPT_FREE: Final = 512  # for the word that it is full
_HEADER: Final = struct.Struct(">cI")
_CHECKSUM: Final = struct.Struct(">I")
_NEW, _MORE = b"N", b"M"
_DECODER: Final[msgspec.json.Decoder[Record]] = msgspec.json.Decoder(Record)


class FilmFull(Exception):  # noqa: N818  a state, no mistake
    """The file has reached its limit; it has said so itself."""


class FilmTorn(Exception):  # noqa: N818  as above
    """The file is not whole from here on."""


class FilmCutOff(FilmTorn):
    """Its last block is not whole; while a session records, it is being written."""


class RecordingDamaged(Diagnosed):
    """A recording, or a part of it, could not be read."""

    exit_code = 74


def film_of(journal: Path, run_id: str) -> Path:
    """Name the file of a run's looks."""
    return files.beside(journal, f".{run_id}.looks")


class Film:
    """The file, being written by one session. Every error of the disk is an OSError."""

    def __init__(self, path: Path, *, limit: int = FILM_BYTES) -> None:
        """Go on where the last session ended; what it did not write whole is cut off."""
        self.path = path
        self._limit = limit
        if not path.exists():
            files.create_private(path, MAGIC)
        self._checked, self._size = _sound_bytes(path)
        self._sum = 0
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags)
        os.fchmod(self._descriptor, files.PRIVATE_FILE)
        os.ftruncate(self._descriptor, self._size)
        self._packer = zlib.compressobj()
        self._letter = _NEW

    def write(self, record: Record) -> None:
        """Write a record. Raises ``FilmFull`` instead of writing more than the limit."""
        block = self._packed(msgspec.json.encode(record))
        if self._size + len(block) > self._limit - KEPT_FREE:
            raise FilmFull
        self._write(block)

    def end(self, why: str, after: int) -> None:
        """Write the last word, in a stream of its own: what came before it may be missing."""
        self._packer, self._letter = zlib.compressobj(), _NEW
        self._write(self._packed(msgspec.json.encode(End(after, why))))

    def _packed(self, text: bytes) -> bytes:
        body = self._packer.compress(text) + self._packer.flush(zlib.Z_SYNC_FLUSH)
        letter, self._letter = self._letter, _MORE
        header = _HEADER.pack(letter, len(body))
        if not self._checked:
            return header + body
        self._sum = _sum_of(header, body, self._sum)
        return header + _CHECKSUM.pack(self._sum) + body

    def _write(self, block: bytes) -> None:
        left = memoryview(block)
        while left:
            left = left[os.write(self._descriptor, left) :]
        self._size += len(block)

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _sum_of(header: bytes, body: bytes, before: int) -> int:
    """Return a block's checksum; *before* is that of the block before, which a new stream does not go on with."""
    begun = 0 if header.startswith(_NEW) else before
    return zlib.crc32(body, zlib.crc32(header, begun))


def is_checked(path: Path) -> bool:
    """Say whether a film has checksums. Raises ``FilmTorn`` for what is no film, and OSError."""
    if is_special(path):  # to open a pipe is to wait for whoever writes into it
        raise FilmTorn("it is no file")
    with path.open("rb") as file:
        return _begun(file)


def _begun(file: BinaryIO) -> bool:
    """Read the first line, and say whether the blocks after it have checksums."""
    match file.readline(len(MAGIC)):
        case b"":
            raise FilmTorn("it is empty")
        case line if line not in {MAGIC, WITHOUT_CHECKSUMS}:
            raise FilmTorn("it is no recording of looks")
        case line:
            return line == MAGIC


def _sound_bytes(path: Path) -> tuple[bool, int]:
    """Say whether a film has checksums, and how much of it is whole blocks; OSError for one that is not ours."""
    with path.open("rb") as file:
        try:
            checked = _begun(file)
        except FilmTorn as error:
            raise OSError(0, "it is there already, and is no recording of ours") from error
        size = os.fstat(file.fileno()).st_size
        sound = file.tell()
        head = _HEADER.size + (_CHECKSUM.size if checked else 0)
        while len(header := file.read(head)) == head:
            _, length = _HEADER.unpack_from(header)
            if sound + head + length > size:
                break
            sound += head + length
            file.seek(sound)
    return checked, sound


def records(path: Path) -> Iterator[Record]:
    """
    Read a film.

    :raises FilmTorn: where it is not whole any more.
    """
    unpacker = zlib.decompressobj()
    with path.open("rb") as file:
        for letter, body, place in _blocks(file):
            if letter == _NEW:
                unpacker = zlib.decompressobj()
            try:
                text = unpacker.decompress(body, RECORD_BYTES)
                if unpacker.unconsumed_tail:
                    raise FilmTorn("a look in it is larger than any look is")
                yield _DECODER.decode(text)
            except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise FilmTorn(f"it cannot be read from byte {place} on: {error}") from error


def _blocks(file: BinaryIO) -> Iterator[tuple[bytes, bytes, int]]:
    """Yield each block's letter and body, and the byte that it begins with."""
    checked = _begun(file)
    head = _HEADER.size + (_CHECKSUM.size if checked else 0)
    place, known = file.tell(), 0
    while header := file.read(head):
        if len(header) < head:
            raise FilmCutOff(f"its end is missing from byte {place} on")
        letter, length = _HEADER.unpack_from(header)
        body = file.read(min(length, FILM_BYTES))
        if len(body) < length:
            raise FilmCutOff(f"its end is missing from byte {place} on")
        if checked:
            known = _sum_of(header[: _HEADER.size], body, known)
            if header[_HEADER.size :] != _CHECKSUM.pack(known):
                raise FilmTorn(f"it is damaged at byte {place}: a checksum does not fit")
        yield letter, body, place
        place += head + length
