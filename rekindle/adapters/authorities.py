"""
Whose cluster a file speaks of: the certificate authorities in talosconfig, machine configurations and kubeconfigs.

A CA is told by the SHA-256 of its certificate. Only certificates are taken out of these files, never keys or tokens;
of those it is said only that they are there, and of a key that it is one, and whether it is its certificate's.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from rekindle.adapters.keypairs import fits

if TYPE_CHECKING:
    from pathlib import Path

_FILE_LIMIT_BYTES = 4 * 1024 * 1024
# What crypto/tls of Go takes; one that a passphrase closes, or that has headers, is of no use to a program.
_KEY = re.compile(
    rb"-----BEGIN ((?:(?!ENCRYPTED )[A-Z0-9]+ )?PRIVATE KEY)-----(.*?)-----END \1-----", re.DOTALL
)
_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)
_SEQUENCE = b"\x30"  # with which all forms of a private key begin in DER


class Unreadable(Exception):  # noqa: N818  it is said of a file
    """The file is missing, no YAML, or not what its name promises."""


class NoContext(Unreadable):
    """The file does not say who we are to be: its current context is none of *those* that it has."""

    def __init__(self, said: str, those: tuple[str, ...]) -> None:
        """Say it; *those* may be chosen."""
        super().__init__(said)
        self.those = those


@dataclass(frozen=True, slots=True)
class MachineAuthorities:
    """The two CAs of a machine configuration, as fingerprints (empty: not in it)."""

    talos: str = ""
    kubernetes: str = ""


@dataclass(frozen=True, slots=True)
class Client:
    """
    How a file says who we are: *certificate* in DER (empty: none that can be read) and whether its *key* is one.

    *fits*: whether that key is the certificate's (None: it cannot be told). *cas*, in DER, are those that the same
    context trusts. *other* names another way (token, exec), *program* the one that an ``exec`` calls.
    """

    certificate: bytes = b""
    key: bool = False
    fits: bool | None = None
    cas: tuple[bytes, ...] = ()
    other: str = ""
    program: str = ""


@dataclass(frozen=True, slots=True)
class MachineConfig:
    """What a machine configuration is about; *installer* is the image that names the version of Talos."""

    authorities: MachineAuthorities
    type: str = ""
    installer: str = ""
    encrypted: bool = False


def of_talosconfig(path: Path) -> str:
    """Return the fingerprint of the CA in the current context."""
    return _fingerprint(_talos_context(path).get("ca"))


def client_of_talosconfig(path: Path) -> Client:
    """Return who the current context says we are."""
    context = _talos_context(path)
    return _client(*(_decoded(context.get(name)) for name in ("crt", "key", "ca")))


def _talos_context(path: Path) -> dict[str, Any]:
    """
    Return the current context; empty where there is none at all.

    Nobody calls talosctl with another one, and without a current one it refuses every call (client/client.go of its
    machinery v1.12): another context may be another cluster's.
    """
    content = _mapping(path)
    contexts = {str(name): context for name, context in _sub(content, "contexts").items()}
    named = content.get("context")
    name = "" if named is None else str(named)
    if contexts and name not in contexts:
        said = f"its context {name} is not in it" if name else "it names no current context"
        raise NoContext(f"{path}: {said}", tuple(sorted(contexts)))
    context = contexts.get(name)
    return context if isinstance(context, dict) else {}


def of_machine_config(path: Path) -> MachineAuthorities:
    """Return the CAs that a node with this configuration would have."""
    return machine_config(path).authorities


def machine_config(path: Path) -> MachineConfig:
    """Return what a node with this configuration would be."""
    for document in _documents(path):
        if isinstance(document, dict) and "machine" in document:
            machine, cluster = _sub(document, "machine"), _sub(document, "cluster")
            return MachineConfig(
                MachineAuthorities(
                    _fingerprint(_sub(machine, "ca").get("crt")),
                    _fingerprint(_sub(cluster, "ca").get("crt")),
                ),
                str(machine.get("type") or ""),
                str(_sub(machine, "install").get("image") or ""),
                "sops" in document,
            )
    raise Unreadable(f"{path} has no machine configuration")


def of_kubeconfig(path: Path) -> str:
    """Return the fingerprint of the CA that the current context trusts (empty: it names none)."""
    content = _mapping(path)
    context = _named(content, "contexts", "context", content.get("current-context"))
    cluster = _named(content, "clusters", "cluster", context.get("cluster"))
    if not cluster or not cluster.get("server"):
        raise Unreadable(f"{path} has no current context with a server")
    return _of_pem(_inlined(path, cluster, "certificate-authority"))


def client_of_kubeconfig(path: Path) -> Client:
    """Return who the current context says we are."""
    content = _mapping(path)
    context = _named(content, "contexts", "context", content.get("current-context"))
    user = _named(content, "users", "user", context.get("user"))
    if "exec" in user:
        return Client(other="exec", program=str(_sub(user, "exec").get("command") or ""))
    if user.get("token") or user.get("tokenFile"):
        return Client(other="token")
    cluster = _named(content, "clusters", "cluster", context.get("cluster"))
    return _client(
        _inlined(path, user, "client-certificate"),
        _inlined(path, user, "client-key"),
        _inlined(path, cluster, "certificate-authority"),
    )


def _client(certificate: bytes, key: bytes, ca: bytes) -> Client:
    """Take all out of its PEM; the key stays here."""
    mine, (label, secret) = _der_of_pem(certificate), _key_of(key)
    return Client(mine, bool(secret), fits(mine, label, secret), _ders_of_pem(ca))


def _inlined(path: Path, content: dict[str, Any], name: str) -> bytes:
    """Return the PEM that stands in a kubeconfig, else the one of the file that it names; empty for neither."""
    if content.get(f"{name}-data"):
        return _decoded(content[f"{name}-data"])
    return _bytes(path.parent / str(content[name])) if content.get(name) else b""


def _named(content: dict[str, Any], items: str, inside: str, name: object) -> dict[str, Any]:
    """Return what is inside the item of that name; empty where there is none, or the name is no text."""
    found = [item for item in _list(content, items) if item.get("name") == name]
    return _sub(found[-1], inside) if found and isinstance(name, str) else {}


def _mapping(path: Path) -> dict[str, Any]:
    """Read a file of one mapping."""
    content = next(iter(_documents(path)), None)
    if not isinstance(content, dict):
        raise Unreadable(f"{path} is not a mapping")
    return content


def _documents(path: Path) -> list[Any]:
    """Read all documents of a YAML file."""
    try:
        return list(yaml.load_all(_bytes(path), Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that there is not
        raise Unreadable(f"{path} is no YAML") from error


def _bytes(path: Path) -> bytes:
    """Read a file of a reasonable size."""
    try:
        with path.open("rb") as file:
            return file.read(_FILE_LIMIT_BYTES)
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror or error}") from error


def _sub(content: dict[str, Any], key: str) -> dict[str, Any]:
    """Return a mapping inside a mapping; anything else counts as empty."""
    value = content.get(key)
    return value if isinstance(value, dict) else {}


def _list(content: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Return the mappings of a list."""
    value = content.get(key)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _fingerprint(data: object) -> str:
    """Digest a base64 PEM; what is no certificate (encrypted, a placeholder) has none."""
    return _digest(_der(data))


def _of_pem(pem: bytes) -> str:
    """Digest the first certificate of a PEM."""
    return _digest(_der_of_pem(pem))


def _digest(der: bytes) -> str:
    return hashlib.sha256(der).hexdigest() if der else ""


def _der(data: object) -> bytes:
    """Decode a base64 PEM; empty for what is no certificate."""
    return _der_of_pem(_decoded(data))


def _decoded(data: object) -> bytes:
    """Decode base64; empty for what is none."""
    if not isinstance(data, str):
        return b""
    try:
        return base64.b64decode(data, validate=False)
    except (ValueError, binascii.Error):
        return b""


def _key_of(pem: bytes) -> tuple[str, bytes]:
    """Return the private key of a PEM that a program can use, its label and its DER; empty where there is none."""
    found = _KEY.search(pem)
    if found is None:
        return "", b""
    try:
        der = base64.b64decode(b"".join(found[2].split()), validate=True)
    except (ValueError, binascii.Error):
        return "", b""
    return (found[1].decode("ascii"), der) if der.startswith(_SEQUENCE) else ("", b"")


def _der_of_pem(pem: bytes) -> bytes:
    """Decode the first certificate of a PEM; empty where there is none."""
    return next(iter(_ders_of_pem(pem)), b"")


def _ders_of_pem(pem: bytes) -> tuple[bytes, ...]:
    """Decode the certificates of a PEM, as far as they can be."""
    found = []
    for block in _CERTIFICATE.findall(pem):
        with suppress(ValueError):
            found.append(ssl.PEM_cert_to_DER_cert(block.decode(errors="replace")))
    return tuple(found)
