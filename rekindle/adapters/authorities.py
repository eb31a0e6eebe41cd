"""
Whose cluster a file speaks of: the certificate authorities in talosconfig, machine configurations and kubeconfigs.

A CA is told by the SHA-256 of its certificate. Only certificates are taken out of these files, never keys or tokens.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from pathlib import Path

_FILE_LIMIT_BYTES = 4 * 1024 * 1024


class Unreadable(Exception):  # noqa: N818  it is said of a file
    """The file is missing, no YAML, or not what its name promises."""


@dataclass(frozen=True, slots=True)
class MachineAuthorities:
    """The two CAs of a machine configuration, as fingerprints (empty: not in it)."""

    talos: str = ""
    kubernetes: str = ""


def of_talosconfig(path: Path) -> str:
    """Return the fingerprint of the CA in the current context."""
    content = _mapping(path)
    contexts = _sub(content, "contexts")
    first: object = next(iter(contexts.values()), None)
    context = contexts.get(str(content.get("context", ""))) or first
    return _fingerprint(context.get("ca")) if isinstance(context, dict) else ""


def of_machine_config(path: Path) -> MachineAuthorities:
    """Return the CAs that a node with this configuration would have."""
    for document in _documents(path):
        if isinstance(document, dict) and "machine" in document:
            machine = _sub(_sub(document, "machine"), "ca").get("crt")
            cluster = _sub(_sub(document, "cluster"), "ca").get("crt")
            return MachineAuthorities(_fingerprint(machine), _fingerprint(cluster))
    raise Unreadable(f"{path} has no machine configuration")


def of_kubeconfig(path: Path) -> str:
    """Return the fingerprint of the CA that the current context trusts (empty: it names none)."""
    content = _mapping(path)
    contexts = {c.get("name"): _sub(c, "context") for c in _list(content, "contexts")}
    clusters = {c.get("name"): _sub(c, "cluster") for c in _list(content, "clusters")}
    context = contexts.get(content.get("current-context"))
    cluster = clusters.get(context.get("cluster")) if context else None
    if not cluster or not cluster.get("server"):
        raise Unreadable(f"{path} has no current context with a server")
    if "certificate-authority-data" in cluster:
        return _fingerprint(cluster["certificate-authority-data"])
    if "certificate-authority" in cluster:
        return _of_pem(_bytes(path.parent / str(cluster["certificate-authority"])))
    return ""


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
    except yaml.YAMLError as error:
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
    if not isinstance(data, str):
        return ""
    try:
        return _of_pem(base64.b64decode(data, validate=False))
    except (ValueError, binascii.Error):
        return ""


def _of_pem(pem: bytes) -> str:
    """Digest the first certificate of a PEM."""
    begin, end = pem.find(b"-----BEGIN CERTIFICATE-----"), pem.find(b"-----END CERTIFICATE-----")
    if begin < 0 or end < 0:
        return ""
    text = pem[begin : end + len(b"-----END CERTIFICATE-----")].decode(errors="replace")
    try:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(text)).hexdigest()
    except ValueError:
        return ""
