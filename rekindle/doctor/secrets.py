"""
Whether the age key that is held really opens the secrets of the repository: one file for each set of recipients.

What is decrypted goes nowhere: only the exit code of ``sops`` (or of ``age``) is looked at. A file may be opened by
any one of its recipients, so what has to be tried is each set, with one file of it.

Where nobody could try, nothing is forbidden but to wipe a node: what a wipe takes is made again from these secrets. Who
makes it again is a command of the plan, so that a key which only the command has counts, tried as it would have it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from rekindle.doctor import callers, needs, sealed
from rekindle.doctor.callers import NO_DATA_KEY, THREADS
from rekindle.doctor.check import Check, Verdict, ok, unknown, warning
from rekindle.doctor.identities import Held, Key, held_by

if TYPE_CHECKING:
    from phases.section import Command
    from rekindle.doctor.host import Host
    from rekindle.doctor.sealed import Encrypted, Found

_MISSING = 127
_LOCKED = 256  # beyond all exit codes: what would open it has a passphrase
RECIPIENT_LIMIT = 100


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
    keys = held_by(host.environment, host.home)
    with_sops, with_age = host.which("sops") is not None, host.which("age") is not None
    trying = partial(_tried, host, keys, with_sops=with_sops, with_age=with_age)
    with ThreadPoolExecutor(THREADS) as pool:
        codes = list(pool.map(trying, sets))
    lying = _lying(repository)
    key = key_row(keys, codes, lying)
    tries = [(*_decrypt(one), str(one.sample.absolute())) for one in sets]
    is_enough = all(code == 0 for code in codes)
    owners = callers.owners(host, commands, lying, tries, only_given=is_enough)
    # Whoever applies the secrets after a wipe is a command: what it was seen to read is no less readable than ours.
    readers = [[one.name for one in owners if one.codes[at] == 0] for at in range(len(sets))]
    proven = [0 if by else code for by, code in zip(readers, codes, strict=True)]
    return [
        *limit,
        callers.key_row(key, readers) if key.verdict is Verdict.RED and any(readers) else key,
        *callers.kept(commands, owners, key),
        *(
            opened(one, code, repository, whole=with_sops, by=() if code == 0 else by)
            for one, code, by in zip(sets, codes, readers, strict=True)
        ),
        *(unproven(found, proven, repository) if may_wipe else ()),
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


def _tried(
    host: Host, keys: Held, one: Encrypted, *, with_sops: bool, with_age: bool
) -> int | None:
    """Return how the opening of a file ended: 0, an exit code of sops, or None where nothing could try."""
    if with_sops:
        # From here, as the key was looked for: a relative SOPS_AGE_KEY_FILE means another file from elsewhere.
        code = host.code(*_decrypt(one), str(one.sample))
    else:
        code = _by_age(host, keys, one) if with_age else _unable(keys, one)
    return _LOCKED if code == NO_DATA_KEY and keys.locked(one.recipients) else code


def _unable(keys: Held, one: Encrypted) -> int:
    """Say without any program whether there is something that it could try."""
    return _MISSING if keys.elsewhere or keys.for_age(one.recipients) else NO_DATA_KEY


def _by_age(host: Host, keys: Held, one: Encrypted) -> int | None:
    """
    Give age each key that is in a file and may be the one, with each envelope; one of them is enough.

    Of dotenv and INI files, and of groups of keys, only sops knows where the envelopes stand.
    """
    files, envelopes = keys.for_age(one.recipients), _envelopes(one.sample)
    if files and not envelopes:
        return _MISSING
    codes = (
        host.code("age", "--decrypt", "--identity", str(file), given=given)
        for file in files
        for given in envelopes
    )
    seen = set()
    for code in codes:
        if code == 0:
            return 0
        seen.add(code)
    return _MISSING if keys.elsewhere else None if None in seen else NO_DATA_KEY


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


def key_row(held: Held, codes: Sequence[int | None], lying: str) -> Check:
    """Judge the key itself. One that opens nothing at all is not this repository's."""
    name, key = "secrets.key", held.key
    bring = (
        f"export SOPS_AGE_KEY_FILE={lying}"
        if lying
        else "bring the age key, or set SOPS_AGE_KEY_FILE to it"
    )
    if not key.there and _MISSING in codes:
        said = (
            "there is no age key, and whether an SSH key opens what it is to open nobody could try"
        )
        return unknown(name, key.place, said, "install sops or age, then look again")
    shut = bool(codes) and all(code in {NO_DATA_KEY, _LOCKED} for code in codes)
    if 0 in codes or (key.there and not shut):
        return _in_order(key)
    said = (
        "opens no file of the repository: it is another key than the one they are encrypted for"
        if key.there
        else "there is no age key, and without it none of the secrets can be read"
    )
    if _LOCKED in codes:
        locked = next(one.file for one in held.ssh if one.locked)
        nobody = (
            f"{locked} has a passphrase, which nobody can be asked for, here or in a run's commands"
        )
        said = f"{said}; {nobody}" if key.there else f"there is no age key, and {nobody}"
    return Check(name, key.place, Verdict.RED, said, bring, needs.WIPES)


def _in_order(key: Key) -> Check:
    """Judge a key that opens something, or of which nobody could tell."""
    name = "secrets.key"
    if key.shared:
        todo = f"chmod 600 {key.file}"
        return warning(name, key.place, "others on this machine may read it", todo)
    if key.file is not None and not key.file.is_absolute():
        said = "its path is relative, and commands that run in another folder do not find it there"
        return warning(name, key.place, said, f"export {key.place}={key.file.absolute()}")
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
    open_ = [one for one, code in tried if code in {None, _MISSING, _LOCKED}]
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


def opened(
    one: Encrypted,
    code: int | None,
    repository: Path,
    *,
    whole: bool = True,
    by: Collection[str] = (),
) -> Check:
    """
    Judge one set of recipients by the file that was tried; *whole*: by sops, and not its data key alone by age.

    *by*: the commands that alone have a key which opens it.
    """
    first = _shown(min(one.recipients))
    others = f" and {len(one.recipients) - 1} more" if len(one.recipients) > 1 else ""
    row, who = (
        f"secrets.age/{_told_apart(first)}",
        f"{one.count} {'file' if one.count == 1 else 'files'} for {first}{others}",
    )
    sample = _named(one.sample, repository)
    update = f"sops updatekeys --input-type {one.form}" if one.form else "sops updatekeys"
    decrypt = f"{' '.join(_decrypt(one))} {sample}"
    if by:
        return ok(row, who, f"{sample} was decrypted, with the key of {callers.named(by)} alone")
    match code:
        case 0:
            by_age = f"the data key of {sample} was opened (by age alone; install sops to be sure)"
            return ok(row, who, f"{sample} was decrypted" if whole else by_age)
        case None:
            todo = f"try it: `{decrypt} >/dev/null`"
            return unknown(row, who, f"{sample}: no answer in time", todo)
        case 256:
            todo = (
                f"try it: `{decrypt} >/dev/null`; for the night bring an age key, or one of SSH without a passphrase "
                "(SOPS_AGE_SSH_PRIVATE_KEY_FILE)"
            )
            said = f"{sample} was not tried: its SSH key has a passphrase, which nobody can be asked for here"
            return unknown(row, who, said, todo)
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
