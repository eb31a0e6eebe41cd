"""A file that is there as a whole or not at all: who reads it meanwhile sees the old one or the new one."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from rekindle.output import OutputFailed

MODE = 0o644  # others read it: a reviewer, node_exporter


def write(path: Path, content: str) -> None:
    """Write as a whole or not at all, mode 0644. Raises ``OutputFailed``."""
    target = path.resolve()
    temporary = ""
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(content)
            stream.flush()
            os.fchmod(stream.fileno(), MODE)
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
