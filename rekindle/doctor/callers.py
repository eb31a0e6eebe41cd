"""Which of the plan's commands call sops, and with which key: what they would read is looked through, and not run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from rekindle.doctor.identities import KEY_FILE, VARIABLES

if TYPE_CHECKING:
    from phases.section import Command

FILE_LIMIT_BYTES = 256 * 1024
READ_LIMIT = 200
_CALL = re.compile(rb"\b(?:sops|SOPS_[A-Z_]+)\b")
_NAMES = re.compile(rf"\b{KEY_FILE}\b".encode())
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
        if any(_contains(path, _CALL) for path in _read_by(command))
    ]


def own_key(command: Command, lying: str) -> dict[str, str]:
    """
    Return what a command runs with beside this shell's, where it has a key of its own; nothing where it has none.

    The plan names it, or the command's own files do: then it is taken for the one that is *lying* in the repository.
    """
    if any(command.environment.get(name) for name in VARIABLES):
        return dict(command.environment)
    if lying and any(_contains(path, _NAMES) for path in _read_by(command)):
        return {**command.environment, KEY_FILE: lying}
    return {}


def _read_by(command: Command) -> Iterator[Path]:
    directory, program = Path(command.directory), Path(command.argv[0]).name
    yield from (directory / word for word in command.argv if not word.startswith("-"))
    for pattern in _READ.get(program, ()):
        yield from islice(directory.glob(pattern), READ_LIMIT)


def _contains(path: Path, pattern: re.Pattern[bytes]) -> bool:
    try:
        if not path.is_file() or path.stat().st_size > FILE_LIMIT_BYTES:
            return False
        return pattern.search(path.read_bytes()) is not None
    except OSError:
        return False
