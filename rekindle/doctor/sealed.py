"""
Which files of the repository are encrypted, and for whom: what sops writes beside them stands in clear.

Whatever stands under sops' ``age:`` counts: age's own keys, a plugin's, those of SSH. What could not be read, or not
understood, is named. It may be encrypted for anybody, so that nobody may take the rest for all.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

FILES_LIMIT = 10_000
SETS_LIMIT = 16
# sops writes what it says of a file at its end (stores/*/store.go of v3), so that of a larger one the end is enough.
READ_LIMIT_BYTES = 16 * 1024 * 1024
_SUFFIXES = (".yaml", ".yml", ".json", ".env", ".ini", ".toml")
_LEFT_OUT = frozenset({".git", ".venv", "node_modules", ".direnv", "__pycache__"})
_MARK = re.compile(rb"(?:^|\n)\"?sops[\"_.:\]]|\[sops\]|\"sops\"\s*:")
# A list of age recipients that is not empty: in YAML and JSON, and flattened as dotenv and INI have it.
_AGE = re.compile(
    rb"(?<![A-Za-z0-9])age(?:[\"']?\s*:\s*(?:#[^\n]*\n\s*)*(?:-\s|\[\s*[^\]\s])|__list_\d)"
)
_ENVELOPE = b"-----BEGIN AGE ENCRYPTED FILE-----"  # one for each entry
_RECIPIENT = re.compile(
    rb"(?<![A-Za-z0-9])recipient[\"']?[ \t]*[:=][ \t]*"
    rb"(?:\"([^\"\n]*)\"|'([^'\n]*)'|`([^`\n]*)`|([^\n,}]*))"
)
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+/=@_-]*")

Recipients = frozenset[str]


@dataclass(frozen=True, slots=True)
class Encrypted:
    """Files that the same recipients can open; *sample* is the one that is tried."""

    recipients: Recipients
    sample: Path
    count: int


@dataclass(frozen=True, slots=True)
class Found:
    """What is encrypted. *cut*: there is more than was looked through; *unread*: what could not be looked into."""

    sets: tuple[Encrypted, ...]
    cut: bool = False
    unread: tuple[Path, ...] = ()

    @property
    def whole(self) -> bool:
        """Say whether that is all."""
        return not self.cut and not self.unread


def encrypted_in(repository: Path) -> Found:
    """Find what is encrypted, by its recipients; the same tree gives the same list."""
    found: dict[Recipients, list[Path]] = {}
    unread: list[Path] = []
    paths = list(islice(_files(repository, unread), FILES_LIMIT + 1))
    for path in paths[:FILES_LIMIT]:
        recipients = _recipients(path)
        if recipients is None:
            unread.append(path)
        elif recipients:
            found.setdefault(recipients, []).append(path)
    sets = [Encrypted(who, min(files), len(files)) for who, files in found.items()]
    sets.sort(key=lambda one: (len(one.recipients), str(one.sample)))
    cut = len(paths) > FILES_LIMIT or len(sets) > SETS_LIMIT
    return Found(tuple(sets[:SETS_LIMIT]), cut, tuple(sorted(unread)))


def _files(repository: Path, unread: list[Path]) -> Iterator[Path]:
    """Walk what may be encrypted; folders that cannot be listed go to *unread*."""

    def closed(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):
            unread.append(Path(error.filename or repository))

    for folder, folders, names in os.walk(repository, onerror=closed):
        folders[:] = sorted(name for name in folders if name not in _LEFT_OUT)
        for name in sorted(names):
            if name != ".sops.yaml" and (name.endswith(_SUFFIXES) or ".sops." in name):
                yield Path(folder) / name


def _recipients(path: Path) -> Recipients | None:
    """Read who can open a file, whatever its format; None where that cannot be told."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return frozenset()
        with path.open("rb") as file:
            left_out = max(0, file.seek(0, os.SEEK_END) - READ_LIMIT_BYTES)
            file.seek(left_out)
            content = file.read(READ_LIMIT_BYTES)
    except FileNotFoundError:  # a link to nowhere, as editors make them
        return frozenset()
    except OSError:
        return None
    if b"ENC[" not in content:
        return frozenset()
    mark = _MARK.search(content)
    if mark is None:
        return None if left_out else frozenset()
    return _under_age(content[mark.start() :])


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
