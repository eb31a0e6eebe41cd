"""
Which of the plan's commands call sops, and with which key: what they would read is looked through, and not run.

A key that only a command has is tried as that command would have it, in its folder and with its environment.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from rekindle.doctor import needs
from rekindle.doctor.check import Check, Verdict, warning
from rekindle.doctor.identities import KEY_FILE, VARIABLES

if TYPE_CHECKING:
    from phases.section import Command
    from rekindle.doctor.host import Host

NO_DATA_KEY = 128  # github.com/getsops/sops v3, cmd/sops/codes/codes.go
THREADS = 4
FILE_LIMIT_BYTES = 256 * 1024
READ_LIMIT = 200
_CALL = re.compile(rb"\b(?:sops|SOPS_[A-Z_]+)\b")
_NAMES = re.compile(rf"\b{KEY_FILE}\b".encode())
_READ = {
    "task": ("[Tt]askfile.y*ml", ".taskfiles/**/*.y*ml"),
    "just": ("[Jj]ustfile", ".justfile", "**/*.just"),
    "helmfile": ("helmfile.y*ml*",),
}


@dataclass(frozen=True, slots=True)
class Owner:
    """
    A command with a key of its own. *codes*: how sops ended with it, for each file that was tried.

    *given*: by the plan, which counts for certain; else its files name the key that lies in the repository's root.
    """

    name: str
    given: bool
    codes: tuple[int | None, ...]

    @property
    def opens_nothing(self) -> bool:
        """Any other end than that one does not tell."""
        return all(code == NO_DATA_KEY for code in self.codes)


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


def owners(
    host: Host,
    commands: Mapping[str, Command],
    lying: str,
    tries: Sequence[Sequence[str]],
    *,
    only_given: bool,
) -> list[Owner]:
    """Try what each command's own key opens; *only_given*: of those alone to which the plan gives one."""
    found = []
    with ThreadPoolExecutor(THREADS) as pool:
        for name, command in commands.items():
            given = _is_given(command)
            own = own_key(command, lying) if given or not only_given else {}
            if own:
                trying = partial(_tried, host, Path(command.directory), own)
                found.append(Owner(name, given, tuple(pool.map(trying, tries))))
    return found


def _tried(host: Host, directory: Path, own: Mapping[str, str], argv: Sequence[str]) -> int | None:
    return host.code(*argv, directory=directory, added=own)


def own_key(command: Command, lying: str) -> dict[str, str]:
    """
    Return what a command runs with beside this shell's, where it has a key of its own; nothing where it has none.

    The plan names it, or the command's own files do: then it is taken for the one that is *lying* in the repository.
    """
    if _is_given(command):
        return dict(command.environment)
    if lying and any(_contains(path, _NAMES) for path in _read_by(command)):
        return {**command.environment, KEY_FILE: lying}
    return {}


def _is_given(command: Command) -> bool:
    return any(command.environment.get(name) for name in VARIABLES)


def key_row(key: Check, readers: Sequence[Collection[str]]) -> Check:
    """Say that only commands have a key: nothing is forbidden by it, and whoever decrypts by hand cannot."""
    names = sorted({name for by in readers for name in by})
    said = f"what is held here opens nothing; {named(names)} with a key of its own does"
    return warning(key.id, key.subject, said, f"for what you decrypt by hand: {key.todo}")


def named(names: Collection[str]) -> str:
    """Name them in a sentence."""
    return f"the command{'s' * (len(names) > 1)} {', '.join(names)}"


def kept(commands: Mapping[str, Command], owners: Sequence[Owner], key: Check) -> Iterator[Check]:
    """Forbid the commands that would decrypt, and could not: with their own key, or for want of any."""
    own = {one.name: one for one in owners}
    shut = key.verdict is Verdict.RED
    judged = {name: one for name, one in commands.items() if shut or name in own}
    for name in calling_sops(judged):
        if name not in own:
            yield _kept_from(name, f"the age key does not open anything: {key.said}", key.todo)
        elif own[name].opens_nothing and own[name].given:
            said = "the age key that the plan gives it opens no file of the repository"
            todo = (
                f"bring the right key to where commands.{name}.environment in the plan names it (a relative path: from "
                "the command's directory), or mend that"
            )
            yield _kept_from(name, said, todo)
        elif own[name].opens_nothing and shut:
            said = "neither the age key that is held here nor the one that its own files name opens anything"
            yield _kept_from(name, said, key.todo)


def _kept_from(name: str, said: str, todo: str) -> Check:
    """Forbid a command that would decrypt, and could not."""
    row, target = f"secrets.command/{name}", f"command/{name}"
    return Check(row, name, Verdict.RED, f"it calls sops, and {said}", todo, needs.COMMANDS, target)


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
