"""
Requests from other terminals: files renamed into ``PATH.inbox/``, for the holder of the lease to take in as entries.

The holder appends the entry first and removes the file afterwards; a crash in between hands the same request, with the
same id, out again. Answers and cancellations mean the same the second time; a note may be there twice.
"""

from __future__ import annotations

import os
import secrets
import stat
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec

from journal import files
from journal.errors import JournalFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REQUEST_BYTES: Final = 64 * 1024
REQUESTS_AT_ONCE: Final = 100

_SUFFIX: Final = ".json"


def _new_id() -> str:
    return secrets.token_hex(8)


class Asked(msgspec.Struct, frozen=True, kw_only=True, tag_field="request"):
    """What somebody asked for. *id* is the request's own, so that the same one can be told from an equal one."""

    actor: str
    id: str = msgspec.field(default_factory=_new_id)


class Approve(Asked, frozen=True, kw_only=True, tag="approve"):
    """Yes. *digest* is a prefix of what the person saw, empty if not given; *typed* what the person typed."""

    approval: str
    digest: str = ""
    typed: str = ""


class Refuse(Asked, frozen=True, kw_only=True, tag="refuse"):
    """No."""

    approval: str
    digest: str = ""


class Cancel(Asked, frozen=True, kw_only=True, tag="cancel"):
    """Stop for good at the next safe point."""


class Note(Asked, frozen=True, kw_only=True, tag="note"):
    """A remark or a correction for the journal: the fields of ``entries.Note``. *run* is the run that it is about."""

    text: str
    run: str = ""
    corrects: int = 0
    said: float | None = None
    time: float | None = None
    finding: str = ""
    cause: str = ""


Request = Approve | Refuse | Cancel | Note

_DECODER: Final[msgspec.json.Decoder[Request]] = msgspec.json.Decoder(Request)


def folder(journal_path: Path) -> Path:
    """Name the inbox of a journal."""
    return files.beside(journal_path, ".inbox")


def encoded(request: Request) -> bytes:
    """Write a request as it is left in the inbox. Raises ``JournalFailed`` for one that is too long."""
    text = msgspec.json.encode(request)
    if len(text) > REQUEST_BYTES:
        raise JournalFailed(
            f"the request has {len(text)} bytes, more than the {REQUEST_BYTES} that an inbox takes",
            reference="inbox-request-too-long",
            hint="Write a shorter note, and point to the long one.",
        )
    return text


def submit(journal_path: Path, request: Request) -> Path:
    """Put a request into the inbox, complete or not at all. Raises ``JournalFailed``."""
    text = encoded(request)
    inbox = folder(journal_path)
    target = inbox / f"{time.time_ns():020d}-{request.id}{_SUFFIX}"
    try:
        with suppress(FileExistsError):
            inbox.mkdir(mode=files.PRIVATE_FOLDER)
            inbox.chmod(files.PRIVATE_FOLDER)
        files.replace_private(target, text)
    except OSError as error:
        raise JournalFailed(
            f"cannot leave the request in {inbox}: {error.strerror}",
            reference="inbox-not-writable",
            hint="Only the journal's owner can send requests to its run.",
        ) from error
    return target


def take(
    journal_path: Path, *, report: Callable[[Path, str], None] = lambda _file, _why: None
) -> list[tuple[Path, Request]]:
    """
    List the waiting requests, oldest first, at most ``REQUESTS_AT_ONCE``.

    A file that is no request is renamed to ``.rejected`` and told to *report* with the reason. Call ``done`` for each
    request once its entry is durable.
    """
    found: list[tuple[Path, Request]] = []
    for file in _waiting(folder(journal_path)):
        try:
            request = _DECODER.decode(_read(file))
        except FileNotFoundError:
            continue
        except (OSError, ValueError, msgspec.MsgspecError, RecursionError) as error:
            with suppress(OSError):
                file.rename(file.with_name(file.name + ".rejected"))
            report(file, str(error))
            continue
        found.append((file, request))
        if len(found) == REQUESTS_AT_ONCE:
            break
    return found


def waiting(journal_path: Path) -> list[Request]:
    """List the waiting requests, oldest first, for whoever only reads: what is none is left out, and left alone."""
    found: list[Request] = []
    for file in _waiting(folder(journal_path)):
        with suppress(OSError, ValueError, msgspec.MsgspecError, RecursionError):
            found.append(_DECODER.decode(_read(file)))
    return found


def done(file: Path) -> None:
    """Remove a request whose entry is durable."""
    file.unlink(missing_ok=True)


def _waiting(inbox: Path) -> list[Path]:
    try:
        found = sorted(inbox.iterdir())
    except OSError:
        return []
    return [file for file in found if file.suffix == _SUFFIX and not file.name.startswith(".")]


def _read(file: Path) -> bytes:
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("not an ordinary file")
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            text = stream.read(REQUEST_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(text) > REQUEST_BYTES:
        raise ValueError(f"longer than {REQUEST_BYTES} bytes")
    return text
