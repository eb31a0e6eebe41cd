"""
Whether the age key that is held really opens the secrets of the repository: one file for each set of recipients.

What is decrypted goes nowhere: only the exit code of ``sops`` (or of ``age``) is looked at. A file may be opened by
any one of its recipients, so what has to be tried is each set, with one file of it.

Where nobody could try, nothing is forbidden but to wipe a node: what a wipe takes is made again from these secrets.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from rekindle.doctor import callers, needs, sealed
from rekindle.doctor.check import Check, Verdict, ok, unknown, warning

if TYPE_CHECKING:
    from phases.section import Command
    from rekindle.doctor.host import Host
    from rekindle.doctor.sealed import Encrypted, Found

THREADS = 4
# github.com/getsops/sops v3, cmd/sops/codes/codes.go
_MAC_MISMATCH, _NO_DATA_KEY, _MISSING = 51, 128, 127
_VARIABLES = (
    "SOPS_AGE_KEY",
    "SOPS_AGE_KEY_FILE",
    "SOPS_AGE_KEY_CMD",
    "SOPS_AGE_SSH_PRIVATE_KEY_FILE",
)
_OTHERS = 0o077
RECIPIENT_LIMIT = 100


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
    found = sealed.encrypted_in(repository)
    sets = found.sets
    limit = [] if found.whole else [_left_out(found, repository)]
    may_wipe = bool(needs.WIPES & set(allowed))
    if not sets and found.whole:
        return [ok("secrets.files", str(repository), "no file is encrypted for an age key")]
    if not sets:
        return [*limit, *(unproven(found, [], repository) if may_wipe else ())]
    key = key_of(host.environment, host.home)
    with_sops, with_age = host.which("sops") is not None, host.which("age") is not None
    trying = partial(_tried, host, key, with_sops=with_sops, with_age=with_age)
    with ThreadPoolExecutor(THREADS) as pool:
        codes = list(pool.map(trying, sets))
    held = key_row(key, codes, _lying(repository))
    is_red = held.verdict is Verdict.RED
    return [
        *limit,
        held,
        *(kept_from(name, held) for name in (callers.calling_sops(commands) if is_red else ())),
        *(opened(one, code, repository) for one, code in zip(sets, codes, strict=True)),
        *(unproven(found, codes, repository) if may_wipe else ()),
    ]


def _lying(repository: Path) -> str:
    """The key of a cluster-template repository lies in its root, and no tool looks for it there."""
    found = repository / "age.key"
    return str(found) if found.exists() else ""


def _left_out(found: Found, repository: Path) -> Check:
    said, todo = [], []
    if found.cut:
        said.append(
            f"too large to be looked through: only the first {sealed.FILES_LIMIT} files or "
            f"{sealed.BYTES_LIMIT >> 20} MiB, or {sealed.SETS_LIMIT} sets of recipients"
        )
        todo.append("name the cluster's own folder as repository")
    if found.unread:
        said.append(
            "not to be read, a link to a folder elsewhere, or with age recipients that are not understood, and so "
            f"perhaps encrypted for a key that nobody has: {_unread(found, repository)}"
        )
        todo.append(f"let it be read, or remove it: `ls -ld {_named(found.unread[0], repository)}`")
    by_hand = f"try the others by hand: `sops --decrypt FILE >/dev/null`; or {', and '.join(todo)}"
    return unknown("secrets.files", str(repository), "; ".join(said), by_hand)


def _unread(found: Found, repository: Path) -> str:
    first, more = _named(found.unread[0], repository), len(found.unread) - 1
    return f"{first} and {more} more" if more else first


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
        return host.code(*_decrypt(one), str(one.sample), directory=one.sample.parent)
    if not with_age or key.file is None or not key.there:
        return _NO_DATA_KEY if not key.there else _MISSING
    envelopes = _envelopes(one.sample)
    if not envelopes:
        return None
    argv = ("age", "--decrypt", "--identity", str(key.file))
    codes = [host.code(*argv, given=given) for given in envelopes]
    return 0 if 0 in codes else None if None in codes else _NO_DATA_KEY


def _decrypt(one: Encrypted) -> tuple[str, ...]:
    """Say how sops opens a file: what it cannot tell by the name it has to be told."""
    form = ("--input-type", one.form, "--output-type", one.form) if one.form else ()
    return ("sops", "--decrypt", *form)


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


def unproven(found: Found, codes: Sequence[int | None], repository: Path) -> list[Check]:
    """
    Forbid to wipe a node before somebody has shown that its secrets can be read: afterwards it is too late.

    What was left out was not tried either.
    """
    tried = zip(found.sets, codes, strict=True)
    open_ = [one for one, code in tried if code in {None, _MISSING}]
    if not open_ and found.whole:
        return []
    files, todo = [], []
    if open_:
        count, first = sum(one.count for one in open_), _named(open_[0].sample, repository)
        files.append(f"{first} and {count - 1} more" if count > 1 else first)
        todo.append(
            "install sops (or age), give it the key (SOPS_AGE_KEY_FILE), and try "
            f"`{' '.join(_decrypt(open_[0]))} {first} >/dev/null`"
        )
    if found.cut:
        files.append("what was too much to be looked through (secrets.files)")
        todo.append("name the cluster's own folder as repository")
    if found.unread:
        files.append(f"what could not be read: {_unread(found, repository)}")
        first = _named(found.unread[0], repository)
        todo.append(f"let {first} be read (`sops updatekeys {first}` writes it anew), or remove it")
    said = f"nobody could prove that they can be decrypted: {', and '.join(files)}"
    do = f"prove it before anything is wiped: {'; and '.join(todo)}"
    return [Check("secrets.proof", "a wipe", Verdict.RED, said, do, needs.WIPES)]


def _named(path: Path, repository: Path) -> str:
    return str(path.relative_to(repository) if path.is_relative_to(repository) else path)


def kept_from(name: str, key: Check) -> Check:
    """Forbid a command that would decrypt, and could not."""
    said = f"it calls sops, and the age key does not open anything: {key.said}"
    row, target = f"secrets.command/{name}", f"command/{name}"
    return Check(row, name, Verdict.RED, said, key.todo, needs.COMMANDS, target)


def opened(one: Encrypted, code: int | None, repository: Path) -> Check:
    """Judge one set of recipients by the file that was tried."""
    first = _shown(min(one.recipients))
    others = f" and {len(one.recipients) - 1} more" if len(one.recipients) > 1 else ""
    row, who = (
        f"secrets.age/{_told_apart(first)}",
        f"{one.count} {'file' if one.count == 1 else 'files'} for {first}{others}",
    )
    sample = _named(one.sample, repository)
    update = f"sops updatekeys --input-type {one.form}" if one.form else "sops updatekeys"
    decrypt = f"{' '.join(_decrypt(one))} {sample}"
    match code:
        case 0:
            return ok(row, who, f"{sample} was decrypted")
        case None:
            todo = f"try it: `{decrypt} >/dev/null`"
            return unknown(row, who, f"{sample}: no answer in time", todo)
        case 127:
            todo = "install sops (or age, for a key in a file), then look again"
            return unknown(row, who, f"{sample} was not tried: sops is not on PATH", todo)
        case 128:
            said = f"no key that is held decrypts {sample}"
            todo = f"bring the key of {first}{others}, or let who has one of them run `{update} {sample}`"
        case 51:
            said = f"{sample} was changed after it was encrypted (its MAC does not fit)"
            todo = f"bring it back from Git: `git log -- {sample}`, or encrypt it anew"
        case _:
            said = f"sops does not decrypt {sample} (exit {code})"
            todo = f"`{decrypt} >/dev/null` says why"
    return Check(row, who, Verdict.RED, said, todo, needs.WIPES)


def _shown(recipient: str) -> str:
    """Those of SSH's RSA and of age's post-quantum keys have hundreds of letters, and begin alike."""
    if len(recipient) <= RECIPIENT_LIMIT:
        return recipient
    return f"{recipient[: RECIPIENT_LIMIT // 2]}...{recipient[-RECIPIENT_LIMIT // 2 :]}"


def _told_apart(recipient: str) -> str:
    """All SSH keys of a kind begin alike: what is their own stands at the end."""
    kind, _, key = recipient.partition(" ")
    return f"{kind}-{key[-8:]}" if key else kind[:16]
