"""Which of the plan's commands call sops: what they would read is looked through, and nothing is run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from phases.section import Command

FILE_LIMIT_BYTES = 256 * 1024
READ_LIMIT = 200
_CALL = re.compile(rb"\b(?:sops|SOPS_[A-Z_]+)\b")
_READ = {
    "task": ("[Tt]askfile.y*ml", ".taskfiles/**/*.y*ml"),
    "just": ("[Jj]ustfile", ".justfile", "**/*.just"),
    "helmfile": ("helmfile.y*ml*",),
}


def calling_sops(commands: Mapping[str, Command]) -> list[str]:
    """
    Name the commands whose own files call sops: scripts among their words, and what task, just and helmfile read.

    A command that nobody can look into is not held up: it fails by itself, and is judged by what it brings.
    """
    return [
        name
        for name, command in commands.items()
        if any(_calls_sops(path) for path in _read_by(command))
    ]


def _read_by(command: Command) -> Iterator[Path]:
    directory, program = Path(command.directory), Path(command.argv[0]).name
    yield from (directory / word for word in command.argv if not word.startswith("-"))
    for pattern in _READ.get(program, ()):
        yield from islice(directory.glob(pattern), READ_LIMIT)


def _calls_sops(path: Path) -> bool:
    try:
        if not path.is_file() or path.stat().st_size > FILE_LIMIT_BYTES:
            return False
        return _CALL.search(path.read_bytes()) is not None
    except OSError:
        return False
