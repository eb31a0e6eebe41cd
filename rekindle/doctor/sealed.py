"""
Which files of the repository are encrypted, and for whom: what sops writes beside them stands in clear.

Every file is looked into, whatever it is called: sops encrypts any (``secrets.sops``, ``kubeconfig.enc``). Where its
name does not say so, a file counts that is as a whole what sops could have written, and no page that quotes some.

Whatever stands under sops' ``age:`` counts: age's own keys, a plugin's, those of SSH. What could not be read, or not
understood, is named. It may be encrypted for anybody, so that nobody may take the rest for all.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import yaml

FILES_LIMIT = 20_000
BYTES_LIMIT = 1024**3  # of all files together
SETS_LIMIT = 16
# sops writes what it says of a file at its end (stores/*/store.go of v3), so that of a larger one the end is enough.
READ_LIMIT_BYTES = 16 * 1024 * 1024
# By which sops knows the format of a file; any other it takes for binary (stores/stores.go).
_KNOWN = (".yaml", ".yml", ".json", ".env", ".ini")
_HEAD_BYTES = 8192
_DESCRIPTORS = 4096  # the lowest that is free is given out first, and a session has some dozens
_LEFT_OUT = frozenset({".git", ".venv", "node_modules", ".direnv", "__pycache__"})
_MARK = re.compile(rb"(?:^|\n)\"?sops[\"_.:\]]|\[sops\]|\"sops\"\s*:")
# A list of age recipients that is not empty: in YAML and JSON, and flattened as dotenv and INI have it.
_AGE = re.compile(
    rb"(?<![A-Za-z0-9])age(?:[\"']?\s*:\s*(?:#[^\n]*\n\s*)*(?:-\s|\[\s*[^\]\s])|__list_\d)"
)
_INI, _DOTENV = re.compile(rb"(?m)^\[sops\]"), re.compile(rb"(?m)^sops_\w+\s*=")
_ENVELOPE = b"-----BEGIN AGE ENCRYPTED FILE-----"  # one for each entry
_RECIPIENT = re.compile(
    rb"(?<![A-Za-z0-9])recipient[\"']?[ \t]*[:=][ \t]*"
    rb"(?:\"([^\"\n]*)\"|'([^'\n]*)'|`([^`\n]*)`|([^\n,}]*))"
)
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+/=@_-]*")

Recipients = frozenset[str]
Inode = tuple[int, int]  # a device, and what the file is on it


@dataclass(frozen=True, slots=True)
class Encrypted:
    """
    Files that the same recipients can open; *sample* is the one that is tried.

    *form*: what sops has to be told of its format; empty where the name says it.
    """

    recipients: Recipients
    sample: Path
    count: int
    form: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """
    What is encrypted. *cut*: there is more than was looked through; *unread*: what could not be looked into.

    A link to a folder elsewhere is not followed, and so unread: whatever lies there, be it the whole machine.
    """

    sets: tuple[Encrypted, ...]
    cut: bool = False
    unread: tuple[Path, ...] = ()

    @property
    def whole(self) -> bool:
        """Say whether that is all."""
        return not self.cut and not self.unread


class _Read(NamedTuple):
    """A file's content, or the end of it where the beginning was too much. *form*: as of ``Encrypted``."""

    content: bytes
    left_out: bool = False
    form: str = ""


def encrypted_in(repository: Path) -> Found:
    """Find what is encrypted, by its recipients; the same tree gives the same list."""
    found: dict[Recipients, list[tuple[Path, str]]] = {}
    unread: list[Path] = []
    paths = list(islice(_files(repository, unread), FILES_LIMIT + 1))
    left, ours = BYTES_LIMIT, _open_here()
    for path in paths[:FILES_LIMIT]:
        read = _read(path, ours)
        left -= len(read.content) if read is not None else 0
        if left < 0:
            break
        recipients = _recipients(read) if read is not None else None
        if recipients is None:
            unread.append(path)
        elif recipients and read is not None:
            found.setdefault(recipients, []).append((path, read.form))
    sets = [Encrypted(who, *_sample(files)) for who, files in found.items()]
    sets.sort(key=lambda one: (len(one.recipients), str(one.sample)))
    cut = left < 0 or len(paths) > FILES_LIMIT or len(sets) > SETS_LIMIT
    return Found(tuple(sets[:SETS_LIMIT]), cut, tuple(sorted(unread)))


def _sample(files: list[tuple[Path, str]]) -> tuple[Path, int, str]:
    path, form = min(files)
    return path, len(files), form


def _files(repository: Path, unread: list[Path]) -> Iterator[Path]:
    """Walk what may be encrypted; folders that cannot be listed, and links to others, go to *unread*."""
    root = _resolved(repository)

    def closed(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            unread.append(Path(error.filename or repository))

    for folder, folders, names in os.walk(repository, onerror=closed):
        folders[:] = sorted(name for name in folders if name not in _LEFT_OUT)
        paths = [Path(folder) / name for name in folders]
        unread.extend(path for path in paths if path.is_symlink() and _is_elsewhere(path, root))
        yield from (Path(folder) / name for name in sorted(names) if name != ".sops.yaml")


def _resolved(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _is_elsewhere(link: Path, root: Path) -> bool:
    """Say whether a link leads to where the walk does not come by itself."""
    target = _resolved(link)
    return not target.is_relative_to(root) or bool(
        _LEFT_OUT.intersection(target.relative_to(root).parts)
    )


def _open_here() -> frozenset[Inode]:
    """
    Return which files this process has open: its journal, and what SQLite keeps beside it.

    Whoever closes such a file loses every lock that the process has on it (fcntl(2); "How To Corrupt An SQLite Database
    File", 2.2): another process then takes the journal for nobody's, and cuts off what is mapped here.
    """
    found = set()
    for descriptor in range(_DESCRIPTORS):  # /dev/fd would tell them, where there is one
        with suppress(OSError):
            told = os.fstat(descriptor)
            found.add((told.st_dev, told.st_ino))
    return frozenset(found)


def _read(path: Path, ours: frozenset[Inode]) -> _Read | None:
    """Read as much of a file as may tell who can open it; None where it cannot be read. *ours* are left alone."""
    nothing = _Read(b"")
    try:
        told = path.stat()
        if (told.st_dev, told.st_ino) in ours:
            return nothing
        # The kernel's own files have no size, and some of them answer never.
        if not stat.S_ISREG(told.st_mode) or not told.st_size:
            return nothing
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
            if not _says_so(path.name) and b"\0" in head:
                return nothing  # sops writes text
            left_out = max(0, file.seek(0, os.SEEK_END) - READ_LIMIT_BYTES)
            file.seek(left_out)
            content = file.read(READ_LIMIT_BYTES)
    except FileNotFoundError:  # a link to nowhere, as editors make them
        return nothing
    except OSError:
        return None
    if b"ENC[" not in content or _is_known(path.name):
        return _Read(content, bool(left_out))
    form = _form(head, content, whole=not left_out)
    return _Read(content if form or _says_so(path.name) else b"", bool(left_out), form)


def _is_known(name: str) -> bool:
    return name.endswith(_KNOWN)


def _says_so(name: str) -> bool:
    """Say whether a name is one of encrypted files, or of such as often are."""
    return _is_known(name) or ".sops." in name or name.endswith(".sops")


def _form(head: bytes, content: bytes, *, whole: bool) -> str:
    """Say which format of sops a file has; empty where it has none, as a page that shows an encrypted file."""
    if head.lstrip().startswith(b"{"):
        return "json"
    if _INI.search(content):
        return "ini"
    if _DOTENV.search(content):
        return "dotenv"
    return "yaml" if not whole or _is_yaml(content) else ""


def _is_yaml(content: bytes) -> bool:
    """Say whether it is YAML with what sops adds; tags and values are left as they are."""
    if _MARK.search(content) is None:
        return False
    try:
        roots = list(yaml.compose_all(content, Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError):
        return False
    keys = [
        key.value for root in roots if isinstance(root, yaml.MappingNode) for key, _ in root.value
    ]
    return "sops" in keys


def _recipients(read: _Read) -> Recipients | None:
    """Say who can open a file, whatever its format; None where that cannot be told."""
    if b"ENC[" not in read.content:
        return frozenset()
    mark = _MARK.search(read.content)
    if mark is None:
        return None if read.left_out else frozenset()
    return _under_age(read.content[mark.start() :])


def _under_age(content: bytes) -> Recipients | None:
    """Read whose keys stand under ``age:``; None where any entry is not understood."""
    envelopes = content.count(_ENVELOPE)
    if not envelopes and not _AGE.search(content):
        return frozenset()
    entries = [
        _recipient(b"".join(entry).decode(errors="replace"))
        for entry in _RECIPIENT.findall(content)
    ]
    known = frozenset(filter(None, entries))
    return known if known and len(entries) >= envelopes and all(entries) else None


def _recipient(said: str) -> str:
    """Return a recipient as sops and age name it, without an SSH key's comment; empty where it is none."""
    words = said.split()[:2]
    is_ssh = said.startswith("ssh-")
    if not words or len(words) < 1 + is_ssh:
        return ""
    named = words[: 1 + is_ssh]
    return " ".join(named) if all(map(_WORD.fullmatch, named)) else ""
