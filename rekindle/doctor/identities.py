"""
Which keys are held: where sops looks for age's own and for those of SSH. Nothing private of them is read.

sops tries them all (github.com/getsops/sops v3, age/keysource.go ``loadIdentities``); age alone is given the files.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

KEY_FILE = "SOPS_AGE_KEY_FILE"
_SSH_FILE = "SOPS_AGE_SSH_PRIVATE_KEY_FILE"
# A key itself, or what prints one: of these only sops can ask.
_VALUES = ("SOPS_AGE_KEY", "SOPS_AGE_KEY_CMD", "SOPS_AGE_SSH_PRIVATE_KEY_CMD")
VARIABLES = ("SOPS_AGE_KEY", KEY_FILE, "SOPS_AGE_KEY_CMD", _SSH_FILE, _VALUES[-1])
_OTHERS = 0o077
_SSH = "ssh-"
_SSH_KEYS = ("id_ed25519", "id_rsa")
_LIMIT_BYTES = 64 * 1024
# https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key
_BEGIN, _END = b"-----BEGIN OPENSSH PRIVATE KEY-----", b"-----END"
_MAGIC = b"openssh-key-v1\0"
_PLAIN = b"none"


@dataclass(frozen=True, slots=True)
class Key:
    """Where the key is looked for. *file*: None where it is not in a file; *there*: what it takes is at hand."""

    place: str
    there: bool
    file: Path | None = None
    shared: bool = False


@dataclass(frozen=True, slots=True)
class SshKey:
    """A private key of SSH. *public*: as a recipient names it, empty where the file does not say."""

    file: Path
    public: str = ""
    locked: bool = False

    def may_open(self, recipients: frozenset[str]) -> bool:
        """Say whether it may be the key of one of them."""
        if self.public:
            return self.public in recipients
        return any(one.startswith(_SSH) for one in recipients)


@dataclass(frozen=True, slots=True)
class Held:
    """
    All that sops would try: *files* of age's own keys, those of *ssh*, and the *key* that a row is about.

    *elsewhere*: there are some in a variable, or a command tells them, which only sops can ask.
    """

    key: Key
    files: tuple[Path, ...] = ()
    ssh: tuple[SshKey, ...] = ()
    elsewhere: bool = False

    def for_age(self, recipients: frozenset[str]) -> tuple[Path, ...]:
        """Return what age alone can be given. A passphrase it would have to ask for, and nobody is there."""
        keys = [one.file for one in self.ssh if one.may_open(recipients) and not one.locked]
        return tuple(dict.fromkeys((*self.files, *keys)))

    def locked(self, recipients: frozenset[str]) -> SshKey | None:
        """Return a key of one of them that has a passphrase."""
        return next((one for one in self.ssh if one.locked and one.may_open(recipients)), None)


def held_by(environment: Mapping[str, str], home: Path) -> Held:
    """Find every key that sops would try."""
    named = environment.get(KEY_FILE)
    files = [*([_expanded(named)] if named else ()), *_of_the_user(environment, home)]
    ssh = environment.get(_SSH_FILE)
    keys = [*([_expanded(ssh)] if ssh else ()), *(home / ".ssh" / name for name in _SSH_KEYS)]
    return Held(
        key_of(environment, home),
        tuple(file for file in files if _is_there(file)),
        tuple(_ssh_key(file) for file in keys if _is_there(file)),
        any(environment.get(name) for name in _VALUES),
    )


def key_of(environment: Mapping[str, str], home: Path) -> Key:
    """Find the key where sops looks for it."""
    for name in VARIABLES:
        if environment.get(name):
            file = _expanded(environment[name]) if name.endswith("_FILE") else None
            return Key(name, file is None or _is_there(file), file, _is_shared(file))
    files = _of_the_user(environment, home)
    file = next((one for one in files if _is_there(one)), files[0])
    return Key(str(file), _is_there(file), file, _is_shared(file))


def _of_the_user(environment: Mapping[str, str], home: Path) -> list[Path]:
    config = environment.get("XDG_CONFIG_HOME")
    places = [
        Path(config) if config else home / ".config",
        home / "Library" / "Application Support",
    ]
    return [place / "sops" / "age" / "keys.txt" for place in places]


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


def _ssh_key(file: Path) -> SshKey:
    """Read what stands in clear before a private key: whose it is, and whether it has a passphrase."""
    content = b""
    try:
        with file.open("rb") as opened:
            content = opened.read(_LIMIT_BYTES)
        text = content.partition(_BEGIN)[2].partition(_END)[0]
        told = base64.b64decode(b"".join(text.split())).partition(_MAGIC)[2]
        cipher, told = _string(told)
        _, told = _string(told)  # how the key of that cipher is made, and of what
        _, told = _string(told)
        public, _ = _string(told[4:])  # after their number
        kind, _ = _string(public)
    except (
        OSError,
        binascii.Error,
        struct.error,
    ):  # of an older form, which sops and age read as well
        return SshKey(file, locked=b"ENCRYPTED" in content)
    named = f"{kind.decode(errors='replace')} {base64.b64encode(public).decode()}"
    return SshKey(file, named, cipher != _PLAIN)


def _string(told: bytes) -> tuple[bytes, bytes]:
    """Read one string of SSH's; (it, what comes after). Raises struct.error."""
    (length,) = struct.unpack_from(">I", told)
    return told[4 : 4 + length], told[4 + length :]
