"""
Certificates of the control plane, signed with openssl by the CA that is in the machine configs.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import yaml

from tests.testbed.api import Identity

if TYPE_CHECKING:
    from pathlib import Path


class Authority:
    """
    The cluster's CA, taken from a machine config, with the certificates that it signed in a folder.
    """

    def __init__(self, folder: Path, machine_config: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        documents = yaml.safe_load_all(machine_config.read_text())
        ca: dict[str, Any] = next(d["cluster"]["ca"] for d in documents if "cluster" in d)
        self.certificate = folder / "ca.crt"
        self._key = folder / "ca.key"
        self.certificate.write_bytes(base64.b64decode(ca["crt"]))
        self._key.write_bytes(base64.b64decode(ca["key"]))

    def issue(self, name: str, subject: str, addresses: list[str] | None = None) -> Identity:
        """
        A certificate for a client, or with addresses for a server too.
        """
        key, request = self._folder / f"{name}.key", self._folder / f"{name}.csr"
        certificate, extensions = self._folder / f"{name}.crt", self._folder / f"{name}.ext"
        usage = "serverAuth, clientAuth" if addresses else "clientAuth"
        lines = [f"extendedKeyUsage = {usage}", "keyUsage = digitalSignature"]
        if addresses:
            names = [*(f"IP:{address}" for address in addresses), "DNS:localhost"]
            lines.append(f"subjectAltName = {', '.join(names)}")
        extensions.write_text("\n".join(lines) + "\n")
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        openssl("req", "-new", *new_key, "-keyout", key, "-subj", subject, "-out", request)
        signer: list[str | Path] = [
            "-CA",
            self.certificate,
            "-CAkey",
            self._key,
            "-CAcreateserial",
            "-days",
            "30",
        ]
        more: list[str | Path] = ["-extfile", extensions, "-out", certificate]
        openssl("x509", "-req", "-in", request, *signer, *more)
        return Identity(self.certificate, certificate, key)


def new_rsa_key(path: Path) -> None:
    """
    A key to sign service account tokens with.
    """
    openssl("genrsa", "-out", path, "2048")


def kubeconfig(name: str, server: str, identity: Identity) -> str:
    """
    A kubeconfig as Talos would write it.
    """

    def embedded(path: Path) -> str:
        return base64.b64encode(path.read_bytes()).decode()

    cluster = {"server": server, "certificate-authority-data": embedded(identity.ca)}
    user = {
        "client-certificate-data": embedded(identity.certificate),
        "client-key-data": embedded(identity.key),
    }
    context = {"cluster": name, "namespace": "default", "user": f"admin@{name}"}
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": cluster}],
            "users": [{"name": f"admin@{name}", "user": user}],
            "contexts": [{"name": f"admin@{name}", "context": context}],
            "current-context": f"admin@{name}",
        },
        sort_keys=False,
    )


def openssl(*arguments: str | Path) -> None:
    """
    Run openssl; its own words are the error.
    """
    program = shutil.which("openssl") or "openssl"
    completed = subprocess.run(
        [program, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    if completed.returncode:
        raise RuntimeError(f"openssl {arguments[0]}: {completed.stderr}")
