"""
Whether a key is a certificate's, and that it lies nowhere while that is asked.

Mutants: a file with a name; call it a pair whatever OpenSSL says; call what it cannot read another's.
"""

from __future__ import annotations

import ssl
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from rekindle.adapters import keypairs
from rekindle.adapters.keypairs import fits
from tests.doctor.making import KEY, certificate

MINE = ssl.PEM_cert_to_DER_cert(certificate().decode())
OTHER = ec.generate_private_key(ec.SECP256R1())


def der(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def test_a_pair_is_one_and_two_halves_of_two_are_none() -> None:
    assert fits(MINE, "PRIVATE KEY", der(KEY)) is True
    assert fits(MINE, "PRIVATE KEY", der(OTHER)) is False


@pytest.mark.parametrize(
    ("mine", "label", "key"),
    [
        (b"", "PRIVATE KEY", der(KEY)),
        (MINE, "", b""),
        (MINE, "PRIVATE KEY", der(KEY)[:40]),
        (MINE[:90], "PRIVATE KEY", der(KEY)),
        (MINE, "EC PRIVATE KEY", b"0"),
    ],
    ids=["no certificate", "no key", "half a key", "half a certificate", "no key at all"],
)
def test_what_cannot_be_read_tells_nothing(mine: bytes, label: str, key: bytes) -> None:
    assert fits(mine, label, key) is None


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_while_it_is_asked_the_key_is_in_no_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: str
) -> None:
    """Where the system knows no files in memory, it is one that has lost its name before it has a content."""
    found: list[list[Path]] = []
    load: Callable[..., None] = ssl.SSLContext.load_cert_chain

    def looking(context: ssl.SSLContext, *files: str, **more: Any) -> None:  # noqa: ANN401
        found.append(sorted(tmp_path.rglob("*")))
        load(context, *files, **more)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", looking)

    assert fits(MINE, "PRIVATE KEY", der(KEY)) is True
    assert found == [[]]


def test_where_no_file_can_be_made_nobody_is_accused(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_content: bytes) -> NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keypairs, "_nameless", full)

    assert fits(MINE, "PRIVATE KEY", der(OTHER)) is None
