"""Talos nodes for tests: small servers for the port, and a talosctl that says what was recorded."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import ssl
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from tests.adapters.conftest import write_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SETTINGS = b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"
BOOT_ID = "0d0a8a52-6d37-4f0c-8d9a-2d6c0f3c8c11"
UUID = "f3b8f0a2-27a0-4f77-9b3e-1f0d3a9a1b11"

FAKE = """#!/bin/sh
dir=$(dirname "$0")
echo "$*" >> "$dir/calls"
key= skip= path=
for word in "$@"; do
  if [ -n "$skip" ]; then skip=; continue; fi
  case "$word" in
    --talosconfig|-e|-n|--file|--mode) skip=yes ;;
    */kubeconfig) path=$word; key="$key PATH" ;;
    *) key="$key $word" ;;
  esac
done
key=$(echo $key | tr ' /' '__')
[ -e "$dir/$key.hang" ] && exec sleep 30
[ -e "$dir/$key.err" ] && cat "$dir/$key.err" >&2 && exit 1
[ -n "$path" ] && cat "$dir/fetched" > "$path"
[ -e "$dir/$key.out" ] && cat "$dir/$key.out" && exit 0
echo "error: nothing recorded for $key: rpc error: code = Unimplemented desc = x" >&2
exit 1
"""

SERVICE = """NODE     10.5.0.2
ID       etcd
STATE    {state}
HEALTH   {health}
EVENTS   [{state}]: Health check successful (1m2s ago)
         [Preparing]: Running pre state (1m22s ago)
"""

MEMBERS = """NODE       ID                 HOSTNAME   PEER URLS               CLIENT URLS             LEARNER
10.5.0.2   4b7c1a2f4e6c1d2a   cp-1       https://10.5.0.2:2380   https://10.5.0.2:2379   false
10.5.0.2   5b7c1a2f4e6c1d2a              https://10.5.0.3:2380                           true
10.5.0.2   6b7c1a2f4e6c1d2a   cp-3       https://10.5.0.4:2380   https://10.5.0.4:2379   false
"""


# As talosctl 1.12.0 prints them; without an alarm it prints nothing at all.
STATUS = """NODE       MEMBER             DB SIZE   IN USE            LEADER             RAFT INDEX   \
RAFT TERM   RAFT APPLIED INDEX   LEARNER   PROTOCOL   STORAGE   ERRORS
10.5.0.2   4b7c1a2f4e6c1d2a   4.2 MB    2.1 MB (50.00%)   {leader}   100          \
2           100                  false     3.6.5      3.6.0     {errors}
"""
LEADER, NOBODY = "6b7c1a2f4e6c1d2a", "0000000000000000"
ALARMS = """NODE       MEMBER             ALARM
10.5.0.2   4b7c1a2f4e6c1d2a   NOSPACE
10.5.0.2   6b7c1a2f4e6c1d2a   NOSPACE
"""


def refusal(code: str, text: str = "because") -> str:
    node = "1 error occurred:\n\t* 10.5.0.2: rpc error"
    return f"error executing: {node}: code = {code} desc = {text}\n"


class FakeTalosctl:
    """A program that answers from files beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = write_program(folder / "talosctl", FAKE)

    def says(self, key: str, text: str) -> None:
        (self.folder / f"{key}.err").unlink(missing_ok=True)
        (self.folder / f"{key}.out").write_text(text)

    def refuses(self, key: str, text: str) -> None:
        (self.folder / f"{key}.err").write_text(text)

    def hangs(self, key: str) -> None:
        (self.folder / f"{key}.hang").touch()

    def resource(self, name: str, spec: object, suffix: str = "") -> None:
        body = {"metadata": {"id": name}, "node": "10.5.0.2", "spec": spec}
        self.says(f"get_{name}_-o_json{suffix}", json.dumps(body, indent=4) + "\n")

    def running(self, stage: str = "running", *unmet: str, etcd: str = "Running") -> None:
        conditions = [{"name": name, "reason": "x"} for name in unmet]
        status = {"ready": not unmet, "unmetConditions": conditions}
        self.resource("machinestatus", {"stage": stage, "status": status})
        self.resource("systeminformation", {"uuid": UUID, "manufacturer": "m"})
        self.resource("version", {"version": "v1.12.0"})
        self.says("read__proc_sys_kernel_random_boot_id", f"{BOOT_ID}\n")
        self.says(
            "service_etcd", SERVICE.format(state=etcd, health="OK" if etcd == "Running" else "?")
        )
        self.says("etcd_members", MEMBERS)
        self.says("etcd_status", STATUS.format(leader=LEADER, errors=""))
        self.says("etcd_alarm_list", "")

    @property
    def calls(self) -> list[str]:
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / "calls").read_text().splitlines()
        return []


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path

    @property
    def subject(self) -> x509.Name:
        return x509.load_pem_x509_certificate(self.certificate.read_bytes()).subject

    @property
    def private(self) -> ec.EllipticCurvePrivateKey:
        key = load_pem_private_key(self.key.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key

    @property
    def base64(self) -> str:
        return base64.b64encode(self.certificate.read_bytes()).decode()

    def context(self, *, ask: bool = False) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        context.set_alpn_protocols(["h2", "http/1.1"])
        if ask:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.certificate)
        return context


def make_certificate(
    folder: Path,
    name: str = "node",
    address: str = "127.0.0.1",
    days: tuple[int, int] = (-1, 2),
    organization: str = "",
    issuer: Certificate | None = None,
) -> Certificate:
    """Make a certificate of its own, or one of *issuer*'s."""
    made = Certificate(folder / f"{name}.crt", folder / f"{name}.key")
    key = ec.generate_private_key(ec.SECP256R1())
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if organization:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization))
    subject = x509.Name(attributes)
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False
        )
        .sign(issuer.private if issuer else key, hashes.SHA256())
    )
    made.certificate.write_bytes(signed.public_bytes(Encoding.PEM))
    made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return made


@contextlib.contextmanager
def server(
    serve: Callable[[socket.socket], None], at: tuple[str, int] = ("127.0.0.1", 0)
) -> Iterator[int]:
    """Serve each connection by *serve*, one after the other."""
    with socket.create_server(at) as listening:
        listening.settimeout(0.05)
        ending = threading.Event()

        def run() -> None:
            while not ending.is_set():
                try:
                    accepted, _ = listening.accept()
                except TimeoutError:
                    continue
                accepted.settimeout(5)
                with accepted, contextlib.suppress(OSError):
                    serve(accepted)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            ending.set()
            thread.join()


def maintenance(
    certificate: Certificate, *, listens_first: bool = False
) -> Callable[[socket.socket], None]:
    return _speaking(certificate.context(), listens_first=listens_first)


def configured(certificate: Certificate) -> Callable[[socket.socket], None]:
    return _speaking(certificate.context(ask=True))


def _speaking(
    context: ssl.SSLContext, *, listens_first: bool = False
) -> Callable[[socket.socket], None]:
    def serve(accepted: socket.socket) -> None:
        with context.wrap_socket(accepted, server_side=True) as tls:
            if listens_first:
                tls.recv(64)
            tls.sendall(SETTINGS)
            tls.recv(64)

    return serve
