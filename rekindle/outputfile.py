"""A file that a command writes for people: as a whole or not at all, and never over another by the way."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from engine.errors import UsageWrong
from rekindle.output import OutputFailed
from rekindle.there import is_folder, is_special, is_there


def must_be_free(path: Path, *, force: bool) -> None:
    """:raises UsageWrong: when something is there and may not be replaced; of a device or a pipe nothing is lost."""
    if is_folder(path):
        said = "is a folder"
        hint = "name a file in it; a folder is never replaced"
    elif is_there(path) and not is_special(path) and not force:
        said = "is there already"
        hint = "name another file, or replace it with --force; it may have been reviewed"
    else:
        return
    raise UsageWrong(f"{path} {said}", reference="output-exists", hint=hint)


PUBLIC = 0o644  # others read it: a reviewer, node_exporter


def write(path: Path, content: str, mode: int = PUBLIC) -> None:
    """
    Write as a whole or not at all: who reads meanwhile sees the old or the new one. Raises ``OutputFailed``.

    Into a device or a pipe it is written as it comes: whoever may replace /dev/null would have a file in its place.
    """
    target = Path(os.path.realpath(path))  # ``resolve`` raises for a loop of links
    temporary = ""
    try:
        if is_special(path):
            with path.open("w", encoding="utf-8") as stream:
                stream.write(content)
            return
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(content)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        Path(temporary).replace(target)
    except OSError as error:
        with suppress(OSError):
            Path(temporary).unlink()
        raise OutputFailed(
            f"cannot write {path}: {error.strerror or error}",
            reference="output-unwritable",
            hint="make room, or name another file; what was there before is unchanged",
        ) from error
