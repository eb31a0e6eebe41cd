"""
The file of a run's looks: ``JOURNAL.RUN.looks``, of its owner alone.

After a first line come blocks: a letter, a length of four bytes (big endian), and so many bytes of zlib. ``N`` begins
a stream, ``M`` goes on with it, so that each block costs only what is new in it; a block that is not whole (a kill, a
full disk) ends the reading, and is cut off before the next session writes on. Not synced: a power cut loses looks, no
truth.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from journal import files
from rekindle.looks.frames import End, Record

MAGIC: Final = b"rekindle.looks/1\n"
FILM_BYTES: Final = (
    64 * 1024 * 1024
)  # of a run, as written; what is over it is dropped, and that is said
RECORD_BYTES: Final = 512 * 1024 * 1024  # of one look, unpacked: a file may be anybody's
KEPT_FREE: Final = 512  # for the word that it is full
_HEADER: Final = struct.Struct(">cI")
_NEW, _MORE = b"N", b"M"
_DECODER: Final[msgspec.json.Decoder[Record]] = msgspec.json.Decoder(Record)


class FilmFull(Exception):  # noqa: N818  a state, no mistake
    """The file has reached its limit; it has said so itself."""


class FilmTorn(Exception):  # noqa: N818  as above
    """The file is not whole from here on."""


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
        self._size = _sound_bytes(path)
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
        return _HEADER.pack(letter, len(body)) + body

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


def _sound_bytes(path: Path) -> int:
    """Say how much of the file is whole blocks; OSError for one that is not ours."""
    sound = 0
    with path.open("rb") as file:
        if file.readline(len(MAGIC)) != MAGIC:
            raise OSError(0, "it is there already, and is no recording of ours")
        size = os.fstat(file.fileno()).st_size
        sound = file.tell()
        while len(header := file.read(_HEADER.size)) == _HEADER.size:
            _, length = _HEADER.unpack(header)
            if sound + _HEADER.size + length > size:
                break
            sound += _HEADER.size + length
            file.seek(sound)
    return sound


def records(path: Path) -> Iterator[Record]:
    """
    Read a film.

    :raises FilmTorn: where it is not whole any more.
    """
    unpacker = zlib.decompressobj()
    with path.open("rb") as file:
        if file.readline(len(MAGIC)) != MAGIC:
            raise FilmTorn("it is no recording of looks")
        while header := file.read(_HEADER.size):
            if len(header) < _HEADER.size:
                raise FilmTorn("its end is missing")
            letter, length = _HEADER.unpack(header)
            body = file.read(min(length, FILM_BYTES))
            if len(body) < length:
                raise FilmTorn("its end is missing")
            if letter == _NEW:
                unpacker = zlib.decompressobj()
            try:
                text = unpacker.decompress(body, RECORD_BYTES)
                if unpacker.unconsumed_tail:
                    raise FilmTorn("a look in it is larger than any look is")
                yield _DECODER.decode(text)
            except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError) as error:
                raise FilmTorn(f"it cannot be read: {error}") from error
