"""
Whether the age key that is held really opens the secrets of the repository: one file for each set of recipients.

What is decrypted goes nowhere: only the exit code of ``sops`` (or of ``age``) is looked at. A file may be opened by
any one of its recipients, so what has to be tried is each set, with one file of it.

Where nobody could try, nothing is forbidden but to wipe a node: what a wipe takes is made again from these secrets.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from rekindle.doctor import callers, needs
from rekindle.doctor.check import Check, Verdict, ok, unknown, warning

if TYPE_CHECKING:
    from phases.section import Command
    from rekindle.doctor.host import Host

FILES_LIMIT = 10_000
SETS_LIMIT = 16
THREADS = 4
_SUFFIXES = (".yaml", ".yml", ".json", ".env", ".ini", ".toml")
_LEFT_OUT = frozenset({".git", ".venv", "node_modules", ".direnv", "__pycache__"})
_RECIPIENT = re.compile(rb"\bage1[02-9ac-hj-np-z]{58}\b")
_MARK = re.compile(rb"(?:^|\n)\"?sops[\"_.:\]]|\[sops\]|\"sops\"\s*:")
# github.com/getsops/sops v3, cmd/sops/codes/codes.go
_MAC_MISMATCH, _NO_DATA_KEY, _MISSING = 51, 128, 127
_VARIABLES = (
    "SOPS_AGE_KEY",
    "SOPS_AGE_KEY_FILE",
    "SOPS_AGE_KEY_CMD",
    "SOPS_AGE_SSH_PRIVATE_KEY_FILE",
)
_OTHERS = 0o077

Recipients = frozenset[str]


@dataclass(frozen=True, slots=True)
class Encrypted:
    """Files that the same recipients can open; *sample* is the one that is tried."""

    recipients: Recipients
    sample: Path
    count: int


@dataclass(frozen=True, slots=True)
class Key:
    """Where the key is looked for. *file*: None where it is not in a file; *there*: what it takes is at hand."""

    place: str
    there: bool
    file: Path | None = None
    shared: bool = False


def rows(
    host: Host,
    repository: Path,
    commands: Mapping[str, Command],
    allowed: Collection[str] = (),
) -> list[Check]:
    """Look through the repository, and try the key; *commands* and the verbs that are *allowed* are the plan's."""
    sets, whole = encrypted_in(repository)
    limit = [] if whole else [_cut(repository)]
    may_wipe = bool(needs.WIPES & set(allowed))
    if not sets and whole:
        return [ok("secrets.files", str(repository), "no file is encrypted for an age key")]
    if not sets:
        return [*limit, *(unproven([], [], repository, whole=False) if may_wipe else ())]
    key = key_of(host.environment, host.home)
    with_sops, with_age = host.which("sops") is not None, host.which("age") is not None
    trying = partial(_tried, host, key, with_sops=with_sops, with_age=with_age)
    with ThreadPoolExecutor(THREADS) as pool:
        codes = list(pool.map(trying, sets))
    found = key_row(key, codes, _lying(repository))
    is_red = found.verdict is Verdict.RED
    return [
        *limit,
        found,
        *(kept_from(name, found) for name in (callers.calling_sops(commands) if is_red else ())),
        *(opened(one, code, repository) for one, code in zip(sets, codes, strict=True)),
        *(unproven(sets, codes, repository, whole=whole) if may_wipe else ()),
    ]


def _lying(repository: Path) -> str:
    """The key of a cluster-template repository lies in its root, and no tool looks for it there."""
    found = repository / "age.key"
    return str(found) if found.exists() else ""


def _cut(repository: Path) -> Check:
    said = f"too large to be looked through: only the first {FILES_LIMIT} files, or {SETS_LIMIT} sets of recipients"
    todo = "try the others by hand: `sops --decrypt FILE >/dev/null`; or name the cluster's own folder as repository"
    return unknown("secrets.files", str(repository), said, todo)


def encrypted_in(repository: Path) -> tuple[list[Encrypted], bool]:
    """Find what is encrypted, by its recipients, and say whether that is all; the same tree gives the same list."""
    found: dict[Recipients, list[Path]] = {}
    paths = list(islice(_files(repository), FILES_LIMIT + 1))
    for path in paths[:FILES_LIMIT]:
        recipients = _recipients(path)
        if recipients:
            found.setdefault(recipients, []).append(path)
    sets = [Encrypted(who, min(files), len(files)) for who, files in found.items()]
    sets.sort(key=lambda one: (len(one.recipients), str(one.sample)))
    return sets[:SETS_LIMIT], len(paths) <= FILES_LIMIT and len(sets) <= SETS_LIMIT


def _files(repository: Path) -> Iterator[Path]:
    """Walk what may be encrypted."""
    for folder, folders, names in os.walk(repository):
        folders[:] = sorted(name for name in folders if name not in _LEFT_OUT)
        for name in sorted(names):
            if name != ".sops.yaml" and (name.endswith(_SUFFIXES) or ".sops." in name):
                yield Path(folder) / name


def _recipients(path: Path) -> Recipients:
    """Read who can open a file: its metadata stands in clear, whatever its format."""
    try:
        if path.stat().st_size > callers.FILE_LIMIT_BYTES:
            return frozenset()
        content = path.read_bytes()
    except OSError:
        return frozenset()
    if b"ENC[" not in content or not _MARK.search(content):
        return frozenset()
    return frozenset(found.decode() for found in _RECIPIENT.findall(content))


def key_of(environment: Mapping[str, str], home: Path) -> Key:
    """Find the key where sops looks for it."""
    for name in _VARIABLES:
        if environment.get(name):
            file = _expanded(environment[name]) if name.endswith("_FILE") else None
            return Key(name, file is None or _is_there(file), file, _is_shared(file))
    config = environment.get("XDG_CONFIG_HOME")
    places = [
        Path(config) if config else home / ".config",
        home / "Library" / "Application Support",
    ]
    files = [place / "sops" / "age" / "keys.txt" for place in places]
    file = next((one for one in files if _is_there(one)), files[0])
    return Key(str(file), _is_there(file), file, _is_shared(file))


def _expanded(name: str) -> Path:
    """Say whose home a path means, where that can be said: a user may be nobody's."""
    with suppress(RuntimeError):
        return Path(name).expanduser()
    return Path(name)


def _is_there(file: Path) -> bool:
    """What may not be looked at, or has no possible name, is not there for us."""
    try:
        return file.is_file()
    except OSError:
        return False


def _is_shared(file: Path | None) -> bool:
    try:
        return file is not None and bool(file.stat().st_mode & _OTHERS)
    except OSError:
        return False


def _tried(host: Host, key: Key, one: Encrypted, *, with_sops: bool, with_age: bool) -> int | None:
    """Return how the opening of a file ended: 0, an exit code of sops, or None where nothing could try."""
    if with_sops:
        return host.code("sops", "--decrypt", str(one.sample), directory=one.sample.parent)
    if not with_age or key.file is None or not key.there:
        return _NO_DATA_KEY if not key.there else _MISSING
    envelopes = _envelopes(one.sample)
    if not envelopes:
        return None
    argv = ("age", "--decrypt", "--identity", str(key.file))
    codes = [host.code(*argv, given=given) for given in envelopes]
    return 0 if 0 in codes else None if None in codes else _NO_DATA_KEY


def _envelopes(path: Path) -> list[bytes]:
    """Return the data key of a file as each recipient gets it, still encrypted."""
    try:
        content = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
        return [str(entry["enc"]).encode() for entry in content["sops"]["age"]]
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError):  # 2024-02-30 is no day
        return []


def key_row(key: Key, codes: Sequence[int | None], lying: str) -> Check:
    """Judge the key itself. One that opens nothing at all is not this repository's."""
    name = "secrets.key"
    bring = (
        f"export SOPS_AGE_KEY_FILE={lying}"
        if lying
        else "bring the age key, or set SOPS_AGE_KEY_FILE to it"
    )
    if not key.there and 0 not in codes:
        said = "there is no age key, and without it none of the secrets can be read"
        return Check(name, key.place, Verdict.RED, said, bring, needs.WIPES)
    if codes and all(code == _NO_DATA_KEY for code in codes):
        said = (
            "opens no file of the repository: it is another key than the one they are encrypted for"
        )
        return Check(name, key.place, Verdict.RED, said, bring, needs.WIPES)
    if key.shared:
        todo = f"chmod 600 {key.file}"
        return warning(name, key.place, "others on this machine may read it", todo)
    return ok(
        name,
        key.place,
        "there" if key.there else "not there, and not needed: opened by other means",
    )


def unproven(
    sets: Sequence[Encrypted], codes: Sequence[int | None], repository: Path, *, whole: bool
) -> list[Check]:
    """
    Forbid to wipe a node before somebody has shown that its secrets can be read: afterwards it is too late.

    Not *whole*: there is more than *sets*, and what was left out was not tried either.
    """
    open_ = [one for one, code in zip(sets, codes, strict=True) if code in {None, _MISSING}]
    if not open_ and whole:
        return []
    files, todo = [], "prove it before anything is wiped: "
    if open_:
        count, first = sum(one.count for one in open_), _named(open_[0], repository)
        files = [f"{first} and {count - 1} more" if count > 1 else first]
        todo += (
            "install sops (or age), give it the key (SOPS_AGE_KEY_FILE), and try "
            f"`sops --decrypt {first} >/dev/null`"
        )
    if not whole:
        files.append("what was too much to be looked through (secrets.files)")
        todo += f"{'; and ' if open_ else ''}name the cluster's own folder as repository"
    said = f"nobody could prove that they can be decrypted: {', and '.join(files)}"
    return [Check("secrets.proof", "a wipe", Verdict.RED, said, todo, needs.WIPES)]


def _named(one: Encrypted, repository: Path) -> str:
    sample = one.sample
    return str(sample.relative_to(repository) if sample.is_relative_to(repository) else sample)


def kept_from(name: str, key: Check) -> Check:
    """Forbid a command that would decrypt, and could not."""
    said = f"it calls sops, and the age key does not open anything: {key.said}"
    row, target = f"secrets.command/{name}", f"command/{name}"
    return Check(row, name, Verdict.RED, said, key.todo, needs.COMMANDS, target)


def opened(one: Encrypted, code: int | None, repository: Path) -> Check:
    """Judge one set of recipients by the file that was tried."""
    first = min(one.recipients)
    others = f" and {len(one.recipients) - 1} more" if len(one.recipients) > 1 else ""
    row, who = (
        f"secrets.age/{first[:16]}",
        f"{one.count} {'file' if one.count == 1 else 'files'} for {first}{others}",
    )
    sample = _named(one, repository)
    match code:
        case 0:
            return ok(row, who, f"{sample} was decrypted")
        case None:
            todo = f"try it: `sops --decrypt {sample} >/dev/null`"
            return unknown(row, who, f"{sample}: no answer in time", todo)
        case 127:
            todo = "install sops (or age, for a key in a file), then look again"
            return unknown(row, who, f"{sample} was not tried: sops is not on PATH", todo)
        case 128:
            said = f"no key that is held decrypts {sample}"
            todo = f"bring the key of {first}{others}, or let who has one of them run `sops updatekeys {sample}`"
        case 51:
            said = f"{sample} was changed after it was encrypted (its MAC does not fit)"
            todo = f"bring it back from Git: `git log -- {sample}`, or encrypt it anew"
        case _:
            said = f"sops does not decrypt {sample} (exit {code})"
            todo = f"`sops --decrypt {sample} >/dev/null` says why"
    return Check(row, who, Verdict.RED, said, todo, needs.WIPES)
