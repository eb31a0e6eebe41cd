"""A machine, a cluster's files and a repository to look at, all made up; the certificates are real."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from phases.section import Section
from rekindle.adapters.programs import EXPIRED, MISSING, Answer, ProgramFailed
from rekindle.doctor.check import Check
from rekindle.doctor.host import Free, Host

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC).timestamp()
DAY = 24 * 3600.0
SECRET = "pLaNtEd-sEcReT-0123456789"
Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
KEY = ec.generate_private_key(ec.SECP256R1())
ALL_TOOLS = ("talosctl", "kubectl", "git", "sops", "age", "helmfile", "helm")
ALICE = "age1" + "q" * 58
BOB = "age1" + "z" * 58


def certificate(
    begin: float = NOW - DAY,
    end: float = NOW + 365 * DAY,
    who: Sequence[str] = ("os:admin",),
    issuer: Sequence[str] = (),
    extensions: Sequence[x509.ExtensionType] = (),
    key: Key = KEY,
) -> bytes:
    """A certificate in PEM of a *key*; instants in seconds since the epoch; without an *issuer* its own."""
    build = (
        x509.CertificateBuilder()
        .subject_name(_named(who))
        .issuer_name(_named(issuer or who))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.fromtimestamp(begin, UTC))
        .not_valid_after(datetime.fromtimestamp(end, UTC))
    )
    for one in extensions:
        build = build.add_extension(one, critical=False)
    return build.sign(KEY, hashes.SHA256()).public_bytes(Encoding.PEM)


def _named(who: Sequence[str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, one) for one in who])


def encoded(pem: bytes) -> str:
    return base64.b64encode(pem).decode()


TALOS_CA, CLUSTER_CA, OTHER_CA = (encoded(certificate(who=(name,))) for name in ("t", "c", "o"))
TALOS_CLIENT, CLUSTER_CLIENT = (encoded(certificate(issuer=(name,))) for name in ("t", "c"))
CLIENT_KEY = encoded(
    KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
)


def talosconfig(path: Path, **changes: str) -> Path:
    context = {"ca": TALOS_CA, "crt": TALOS_CLIENT, "key": CLIENT_KEY, **changes}
    path.write_text(yaml.safe_dump({"context": "home", "contexts": {"home": context}}))
    return path


def kubeconfig(path: Path, ca: str = CLUSTER_CA, **user: Any) -> Path:  # noqa: ANN401
    who = user or {"client-certificate-data": CLUSTER_CLIENT, "client-key-data": CLIENT_KEY}
    content = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [
            {"name": "c", "cluster": {"server": "https://x", "certificate-authority-data": ca}}
        ],
        "users": [{"name": "u", "user": who}],
    }
    path.write_text(yaml.safe_dump(content))
    return path


def machine(
    path: Path,
    kind: str = "controlplane",
    ca: str = TALOS_CA,
    image: str = "ghcr.io/siderolabs/installer:v1.12.0",
    **more: Any,  # noqa: ANN401
) -> Path:
    content = {
        "machine": {"type": kind, "token": SECRET, "ca": {"crt": ca}, "install": {"image": image}},
        "cluster": {"ca": {"crt": CLUSTER_CA, "key": SECRET}, "secret": SECRET},
        **more,
    }
    path.write_text(yaml.safe_dump(content))
    return path


def section(folder: Path, **changes: Any) -> Section:  # noqa: ANN401
    """The plan's section for one node, whose files lie in *folder*; made as far as they are not there."""
    if not (folder / "talosconfig").exists():
        talosconfig(folder / "talosconfig")
    if not (folder / "cp.yaml").exists():
        machine(folder / "cp.yaml")
    return Section.model_validate(
        {
            "talos": {
                "talosconfig": str(folder / "talosconfig"),
                "nodes": {"cp": {"address": "192.0.2.1", "config": str(folder / "cp.yaml")}},
            },
            "kubernetes": {"kubeconfig": str(folder / "kubeconfig")},
            "cni": {"daemonset": "kube-system/cilium", "command": "apps"},
            "flux": {"roots": str(folder / "roots.yaml")},
            "commands": {"apps": {"argv": ["helmfile", "sync"], "directory": str(folder)}},
            "inventory": {"schema": "rekindle.inventory/1"},
            "repository": str(folder),
            **changes,
        }
    )


@dataclass
class Machine:
    """
    A host that answers as told. *says*: by the beginning of the command line, what it prints (None: exit 1).

    *codes*: by the beginning of the command line, how it ends (None: no answer in time).
    """

    tools: Sequence[str] = ALL_TOOLS
    says: Mapping[str, str | None] = field(default_factory=dict)
    codes: Mapping[str, int | None] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    home: Path = Path("/nonexistent")
    free: Free = field(default_factory=lambda: Free(1 << 40))
    kind: str = "ext4"
    now: float = NOW
    asked: list[str] = field(default_factory=list)

    def which(self, name: str) -> str | None:
        return f"/bin/{name}" if Path(name).name in self.tools else None

    def ask(self, argv: Sequence[str], **_: Any) -> Answer:  # noqa: ANN401
        told = self._told(argv, self.says)
        if argv[0] not in self.tools:
            raise ProgramFailed(MISSING, "none")
        return Answer(1 if told is None else 0, str(told or "").encode(), "")

    def tried(self, argv: Sequence[str], **_: Any) -> int:  # noqa: ANN401
        if argv[0] not in self.tools:
            raise ProgramFailed(MISSING, "none")
        told = self._told(argv, self.codes)
        if told is None:
            raise ProgramFailed(EXPIRED, "late")
        return int(told)

    def _told(self, argv: Sequence[str], known: Mapping[str, Any]) -> Any:  # noqa: ANN401
        line = " ".join(argv)
        self.asked.append(line)
        return next((value for begin, value in known.items() if line.startswith(begin)), None)

    @property
    def host(self) -> Host:
        return Host(
            which=self.which,
            ask=self.ask,
            tried=self.tried,
            environment=self.environment,
            home=self.home,
            now=lambda: self.now,
            free=lambda _folder: self.free,
            filesystem=lambda _folder: self.kind,
        )


def encrypted(path: Path, *recipients: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    entries = [{"recipient": one, "enc": f"envelope for {one}"} for one in recipients]
    body = {"data": "ENC[AES256_GCM,data:eA==]", "sops": {"age": entries}}
    path.write_text(yaml.safe_dump(body, width=1000))
    return path


def verdicts(checks: Sequence[Check]) -> dict[str, str]:
    return {check.id: str(check.verdict) for check in checks}


def row(checks: Sequence[Check], name: str) -> Check:
    return next(check for check in checks if check.id == name)


Change = Callable[[Path], object]
