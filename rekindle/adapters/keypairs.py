"""
Whether a private key is the one of a certificate, asked of the library that would use the two.

OpenSSL takes both from files alone. These have no name in any folder, and where the system can (Linux) they lie in
memory: whatever ends this program, no key is left behind.
"""

from __future__ import annotations

import base64
import os
import ssl
import sys
import tempfile
from typing import IO

# What OpenSSL says of two that it could read. Of another algorithm than the certificate's the key finds none at all.
_APART = frozenset({"KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED"})
_OWN_FORM = frozenset({"RSA PRIVATE KEY", "EC PRIVATE KEY"})  # all others are PKCS #8 inside
_PKCS8 = "PRIVATE KEY"


def fits(certificate: bytes, label: str, key: bytes) -> bool | None:
    """
    Say whether they are a pair, both in DER; *label* is what the PEM of the key called it. None: it cannot be told.

    Talos calls its keys ``ED25519 PRIVATE KEY``, which nobody else does: it is PKCS #8 (siderolabs/crypto, x509).
    """
    form = label if label in _OWN_FORM else _PKCS8
    pem = f"-----BEGIN {form}-----\n{base64.encodebytes(key).decode()}-----END {form}-----\n"
    try:
        with (
            _nameless(ssl.DER_cert_to_PEM_cert(certificate).encode()) as mine,
            _nameless(pem.encode()) as its,
        ):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            # Not None: else one behind a passphrase asks the terminal for it.
            context.load_cert_chain(_path(mine), _path(its), password="")
    except ssl.SSLError as error:
        return False if error.reason in _APART else None
    except (OSError, ValueError):
        return None
    return True


def _nameless(content: bytes) -> IO[bytes]:
    """Open a file of this content that has no name, and goes when it is closed."""
    if sys.platform == "linux":
        file: IO[bytes] = os.fdopen(os.memfd_create("rekindle"), "w+b")
    else:
        file = tempfile.TemporaryFile()  # noqa: SIM115  whoever asked for it closes it
    file.write(content)
    file.seek(0)
    return file


def _path(file: IO[bytes]) -> str:
    return f"/dev/fd/{file.fileno()}"
