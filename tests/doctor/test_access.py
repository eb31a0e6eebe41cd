"""
Credentials: each row in order and not.

Mutants: take ``machine.ca`` for the kubeconfig's CA; warn under 30 days with the sign turned; block ``talos.apply`` for
a certificate that ended (a node in maintenance needs none).
"""

from __future__ import annotations

import base64
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from phases.lives import RESET
from phases.verbs import APPLY, BOOTSTRAP, KUBECONFIG, ROOT
from rekindle.adapters.authorities import Client, NoContext, of_talosconfig
from rekindle.doctor import access
from rekindle.doctor.access import RENEW_KUBE, RENEW_TALOS
from rekindle.doctor.certificates import NotUnderstood, parse
from rekindle.doctor.needs import API, ETCD
from tests.doctor.making import (
    CLIENT_KEY,
    CLUSTER_CA,
    CLUSTER_CLIENT,
    DAY,
    KEY,
    NOW,
    OTHER_CA,
    SECRET,
    TALOS_CA,
    Change,
    Key,
    Machine,
    certificate,
    encoded,
    kubeconfig,
    row,
    section,
    talosconfig,
    verdicts,
)


def client(begin: float = NOW - DAY, end: float = NOW + 365 * DAY, *who: str) -> Client:
    return Client(
        ssl.PEM_cert_to_DER_cert(certificate(begin, end, who or ("os:admin",)).decode()), key=True
    )


def test_a_certificate_says_when_it_is_good_and_for_whom() -> None:
    found = parse(client(NOW - DAY, NOW + DAY, "os:admin", "os:reader").certificate)

    assert (NOW - DAY, NOW + DAY) == (found.not_before, found.not_after)
    assert ("os:admin", "os:reader") == found.organisations


def test_a_certificate_of_after_2050_is_read() -> None:
    far = NOW + 40 * 365 * DAY

    assert far == parse(client(NOW, far).certificate).not_after


@pytest.mark.parametrize("cut", [0, 1, 3, 40, 200])
def test_what_is_no_certificate_is_said_to_be_none(cut: int) -> None:
    with pytest.raises(NotUnderstood):
        parse(client().certificate[:cut])


@pytest.mark.parametrize(
    ("end", "verdict"),
    [
        (NOW + 365 * DAY, "ok"),
        (NOW + 31 * DAY, "ok"),
        (NOW + 29 * DAY, "warning"),
        (NOW + 60, "warning"),
        (NOW - 60, "red"),
    ],
)
def test_a_certificate_that_ends_soon_is_a_warning_and_one_that_ended_is_red(
    end: float, verdict: str
) -> None:
    (found,) = access.certificate(
        "x.y", "talosconfig", client(NOW - 100 * DAY, end), NOW, RENEW_TALOS
    )

    assert verdict == str(found.verdict)
    assert (verdict == "red") == (found.blocks == {BOOTSTRAP, KUBECONFIG, RESET, *ETCD})


def test_a_certificate_of_tomorrow_accuses_the_clock() -> None:
    (found,) = access.certificate(
        "x.y", "kubeconfig", client(NOW + DAY, NOW + 9 * DAY), NOW, RENEW_KUBE
    )

    assert ("red", True) == (str(found.verdict), ROOT in found.blocks)
    assert "clock" in found.said
    assert "clock" in found.todo


def test_a_certificate_that_cannot_be_read_is_unknown() -> None:
    assert ["unknown"] == [
        str(found.verdict)
        for found in access.certificate("x.y", "f", Client(b"no"), NOW, RENEW_KUBE)
    ]
    assert [] == access.certificate("x.y", "f", Client(other="token"), NOW, RENEW_KUBE)


@pytest.mark.parametrize(
    ("who", "verdict"),
    [(("os:admin",), "ok"), (("os:reader", "os:admin"), "ok"), (("os:reader",), "red")],
)
def test_a_recovery_needs_an_admin(who: tuple[str, ...], verdict: str) -> None:
    (found,) = access.role("talosconfig", client(NOW, NOW + DAY, *who))

    assert verdict == str(found.verdict)
    assert APPLY not in found.blocks


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda folder: talosconfig(folder / "talosconfig", ca="ENC[x]"), "has not a CA"),
        (lambda folder: (folder / "talosconfig").write_text("["), "is no YAML"),
        (lambda folder: (folder / "talosconfig").write_text("{}"), "has not a CA, a client"),
    ],
)
def test_a_talosconfig_that_cannot_be_used_forbids_talos(
    tmp_path: Path, change: Change, said: str
) -> None:
    change(tmp_path)
    found = row(access.rows(Machine().host, section(tmp_path)), "access.talosconfig")

    assert ("red", {APPLY, BOOTSTRAP, KUBECONFIG, RESET, *ETCD}) == (
        str(found.verdict),
        set(found.blocks),
    )
    assert said in found.said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("context: gone\n", "its context gone is not in it"),
        ("context: ''\n", "it names no current context"),
        ("context:\n", "it names no current context"),
        ("", "it names no current context"),
    ],
)
def test_a_talosconfig_without_its_context_is_of_no_use_to_talosctl(
    tmp_path: Path, content: str, said: str
) -> None:
    """
    It was said to be usable, and a take-over compared the CA of whichever context came first.

    Mutant: take the first context where the current one is not there.
    """
    file = talosconfig(tmp_path / "talosconfig")
    file.write_text(file.read_text().replace("context: home\n", content, 1))
    found = row(access.rows(Machine().host, section(tmp_path)), "access.talosconfig")

    assert ("red", {APPLY, BOOTSTRAP, KUBECONFIG, RESET, *ETCD}) == (
        str(found.verdict),
        set(found.blocks),
    )
    assert f"{said}, and talosctl takes no other" == found.said
    assert found.todo.endswith(f"`talosctl --talosconfig {file} config context NAME` (home)")
    with pytest.raises(NoContext):
        of_talosconfig(file)


def test_a_context_s_name_may_look_like_a_number(tmp_path: Path) -> None:
    """Mutant: compare what YAML makes of the two names."""
    file = talosconfig(tmp_path / "talosconfig")
    file.write_text(file.read_text().replace("context: home", "context: '1'").replace("home", "1"))

    assert of_talosconfig(file)


def a_key(kind: str, body: str = "") -> str:
    text = body or base64.b64encode(b"\x30\x03" + SECRET.encode()).decode()
    return encoded(f"-----BEGIN {kind}-----\n{text}\n-----END {kind}-----\n".encode())


NO_KEYS = [
    "",
    SECRET,
    "not a key at all",
    encoded(SECRET.encode()),
    TALOS_CA,
    a_key("PUBLIC KEY"),
    a_key("ENCRYPTED PRIVATE KEY"),
    a_key("PRIVATE KEY", SECRET),
    a_key("RSA PRIVATE KEY", f"Proc-Type: 4,ENCRYPTED\n\n{base64.b64encode(b'0').decode()}"),
    a_key("PRIVATE KEY", base64.b64encode(SECRET.encode()).decode()),
    a_key("PRIVATE KEY", f"!{base64.b64encode(b'0' + SECRET.encode()).decode()}"),
    encoded(base64.b64decode(CLIENT_KEY)[:60]),
]


@pytest.mark.parametrize("key", NO_KEYS, ids=range(len(NO_KEYS)))  # keys are made anew
def test_what_is_no_private_key_is_none_and_is_not_told(tmp_path: Path, key: str) -> None:
    """
    ``key: "not a key at all"`` was said to be usable. A node in maintenance is given its file without.

    Mutants: ask only whether something is there; take any PEM; take one with a passphrase; block ``talos.apply``.
    """
    kubeconfig(
        tmp_path / "kubeconfig",
        **{"client-certificate-data": CLUSTER_CLIENT, "client-key-data": key},
    )
    talosconfig(tmp_path / "talosconfig", key=key)
    rows = access.rows(Machine().host, section(tmp_path))
    talos, kube = row(rows, "access.talosconfig"), row(rows, "access.kubeconfig")

    assert ("red", {BOOTSTRAP, KUBECONFIG, RESET, *ETCD}) == (str(talos.verdict), set(talos.blocks))
    assert ("red", API) == (str(kube.verdict), kube.blocks)
    assert "its context has not a client key in PEM" == talos.said
    assert "no key in PEM" in kube.said
    assert SECRET not in f"{rows}"


OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
TALOS_KEY, ANOTHERS = (ed25519.Ed25519PrivateKey.generate() for _ in range(2))
RSA_KEY = rsa.generate_private_key(65537, 2048)
PKCS8, TRADITIONAL = PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL


def pem(key: Key, form: PrivateFormat = PKCS8, called: str = "") -> str:
    text = key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()
    return encoded((text.replace("PRIVATE KEY", called) if called else text).encode())


TALOS_KINDS = [
    (KEY, pem(KEY)),
    (KEY, pem(KEY, TRADITIONAL)),
    (RSA_KEY, pem(RSA_KEY, TRADITIONAL)),
    (TALOS_KEY, pem(TALOS_KEY, called="ED25519 PRIVATE KEY")),
]


@pytest.mark.parametrize(("mine", "key"), TALOS_KINDS, ids=["PKCS8", "EC", "RSA", "ED25519"])
def test_keys_are_what_talos_and_kubernetes_make(tmp_path: Path, mine: Key, key: str) -> None:
    """
    Talos has a kind of its own: ``PEMTypeEd25519Private`` of github.com/siderolabs/crypto.

    Mutant: give it to OpenSSL under that name.
    """
    talosconfig(
        tmp_path / "talosconfig", crt=encoded(certificate(issuer=("t",), key=mine)), key=key
    )
    (tmp_path / "key").write_bytes(base64.b64decode(key))
    whose = encoded(certificate(issuer=("c",), key=mine))
    kubeconfig(tmp_path / "kubeconfig", **{"client-certificate-data": whose, "client-key": "key"})

    assert {"ok"} == set(verdicts(access.rows(Machine().host, section(tmp_path))).values())


STRANGERS = [pem(OTHER_KEY), pem(RSA_KEY), pem(ANOTHERS, called="ED25519 PRIVATE KEY")]


@pytest.mark.parametrize("key", STRANGERS, ids=["of its kind", "RSA", "Talos'"])
@pytest.mark.parametrize("mine", [KEY, TALOS_KEY], ids=["EC", "ED25519"])
def test_a_key_of_another_certificate_is_said_and_not_told(
    tmp_path: Path, mine: Key, key: str
) -> None:
    """
    Two halves of two files: TLS says no more of it than that somebody hung up.

    Mutants: do not compare; take ``NO_CERTIFICATE_ASSIGNED`` for what cannot be told; block ``talos.apply``.
    """
    talosconfig(
        tmp_path / "talosconfig", crt=encoded(certificate(issuer=("t",), key=mine)), key=key
    )
    whose = encoded(certificate(issuer=("c",), key=mine))
    kubeconfig(
        tmp_path / "kubeconfig", **{"client-certificate-data": whose, "client-key-data": key}
    )
    rows = access.rows(Machine().host, section(tmp_path))
    talos, kube = row(rows, "access.talosconfig"), row(rows, "access.kubeconfig")

    assert ("red", {BOOTSTRAP, KUBECONFIG, RESET, *ETCD}) == (str(talos.verdict), set(talos.blocks))
    assert ("red", API) == (str(kube.verdict), kube.blocks)
    assert "is not the one of its client certificate" in talos.said
    assert "is not the one of its client certificate" in kube.said
    inside = base64.b64decode(key).decode().splitlines()[1]
    assert inside not in f"{rows}"


@pytest.mark.parametrize("kind", ["PRIVATE KEY", "EC PRIVATE KEY", "ED25519 PRIVATE KEY"])
def test_a_key_that_cannot_be_read_is_unknown_and_accuses_nobody(tmp_path: Path, kind: str) -> None:
    """A library may know it all the same. Mutants: red; in order."""
    talosconfig(tmp_path / "talosconfig", key=a_key(kind))
    kubeconfig(
        tmp_path / "kubeconfig",
        **{"client-certificate-data": CLUSTER_CLIENT, "client-key-data": a_key(kind)},
    )
    rows = access.rows(Machine().host, section(tmp_path))

    for name in ("access.talosconfig", "access.kubeconfig"):
        found = row(rows, name)
        assert ("unknown", frozenset()) == (str(found.verdict), found.blocks)
        assert "cannot be told" in found.said
    assert SECRET not in f"{rows}"


def test_without_a_client_s_certificate_a_node_in_maintenance_is_still_given_its_file(
    tmp_path: Path,
) -> None:
    """It is not asked for there (``apply-config --insecure``). Mutant: block ``talos.apply``, too."""
    talosconfig(tmp_path / "talosconfig", crt="x")
    found = row(access.rows(Machine().host, section(tmp_path)), "access.talosconfig")

    assert "has not a client certificate" in found.said
    assert ("red", {BOOTSTRAP, KUBECONFIG, RESET, *ETCD}) == (str(found.verdict), set(found.blocks))


OURS, THEIRS = b"1" * 20, b"2" * 20


def ca(name: str, key: bytes) -> bytes:
    return certificate(who=(name,), extensions=(x509.SubjectKeyIdentifier(key),))


def issued(name: str, key: bytes) -> str:
    extensions = (x509.AuthorityKeyIdentifier(key, None, None), x509.SubjectKeyIdentifier(b"3"))
    return encoded(certificate(issuer=(name,), extensions=extensions))


@pytest.mark.parametrize(
    ("cas", "client", "usable"),
    [
        (ca("talos", OURS), issued("talos", OURS), True),
        (ca("talos", OURS), issued("talos", THEIRS), False),
        (ca("talos", THEIRS) + ca("talos", OURS), issued("talos", OURS), True),
        (ca("talos", OURS), encoded(certificate(issuer=("talos",))), True),  # it does not say
        (certificate(who=("talos",)), issued("talos", OURS), True),
        (certificate(who=("talos",)), encoded(certificate(issuer=("kubernetes",))), False),
        (ca("talos", OURS), issued("kubernetes", OURS), False),
    ],
)
def test_a_client_s_certificate_is_of_its_ca(
    tmp_path: Path, cas: bytes, client: str, *, usable: bool
) -> None:
    """
    Talos calls all its CAs ``O=talos``, so that the name alone tells little.

    Mutants: compare names alone, or identifiers alone; look at the first CA of a bundle; let an identifier that is
    missing accuse.
    """
    talosconfig(tmp_path / "talosconfig", ca=encoded(cas), crt=client)
    user = {"client-certificate-data": client, "client-key-data": CLIENT_KEY}
    kubeconfig(tmp_path / "kubeconfig", encoded(cas), **user)
    rows = access.rows(Machine().host, section(tmp_path))
    talos, kube = row(rows, "access.talosconfig"), row(rows, "access.kubeconfig")

    wanted = ("ok", "ok") if usable else ("red", "warning")
    assert wanted == (str(talos.verdict), str(kube.verdict))
    assert (set() if usable else {BOOTSTRAP, KUBECONFIG, RESET, *ETCD}) == talos.blocks
    assert usable != ("not of its CA" in talos.said)


def test_credentials_of_one_cluster_are_in_order(tmp_path: Path) -> None:
    kubeconfig(tmp_path / "kubeconfig")

    assert {
        "access.talosconfig": "ok",
        "access.talos-certificate": "ok",
        "access.talos-role": "ok",
        "access.kubeconfig": "ok",
        "access.kube-certificate": "ok",
        "access.same-cluster": "ok",
    } == verdicts(access.rows(Machine().host, section(tmp_path)))


def test_a_kubeconfig_that_is_not_there_is_fetched(tmp_path: Path) -> None:
    found = access.rows(Machine().host, section(tmp_path))

    assert "ok" == str(row(found, "access.kubeconfig").verdict)
    assert "access.same-cluster" not in verdicts(found)


@pytest.mark.parametrize("ca", [OTHER_CA, TALOS_CA])
def test_a_kubeconfig_of_another_ca_is_said(tmp_path: Path, ca: str) -> None:
    kubeconfig(tmp_path / "kubeconfig", ca)
    found = row(access.rows(Machine().host, section(tmp_path)), "access.same-cluster")

    assert ("warning", frozenset()) == (str(found.verdict), found.blocks)


def test_without_a_ca_on_either_side_nothing_is_compared(tmp_path: Path) -> None:
    kubeconfig(tmp_path / "kubeconfig", "")
    found = access.rows(Machine().host, section(tmp_path))

    assert "unknown" == str(row(found, "access.same-cluster").verdict)
    assert "unknown" == str(access.same_cluster("k", access.Credentials(ca="x"), ()).verdict)


@pytest.mark.parametrize(
    ("user", "verdict"),
    [
        ({"token": "a-token"}, "ok"),
        ({"exec": {"command": "helm"}}, "ok"),
        ({"exec": {"command": "tsh"}}, "red"),
        ({"client-certificate-data": CLUSTER_CA}, "red"),  # without its key
        ({"username": "me"}, "red"),
    ],
)
def test_a_kubeconfig_says_who_we_are(tmp_path: Path, user: dict[str, Any], verdict: str) -> None:
    kubeconfig(tmp_path / "kubeconfig", **user)
    found = row(access.rows(Machine().host, section(tmp_path)), "access.kubeconfig")

    assert verdict == str(found.verdict)
    assert (verdict == "red") == (ROOT in found.blocks)
    assert KUBECONFIG not in found.blocks


def test_a_kubeconfig_that_is_none_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text("{}")
    found = row(access.rows(Machine().host, section(tmp_path)), "access.kubeconfig")

    assert "warning" == str(found.verdict)


def test_an_ended_certificate_of_the_kubeconfig_forbids_the_api_and_not_its_renewal(
    tmp_path: Path,
) -> None:
    ended = encoded(certificate(NOW - 9 * DAY, NOW - DAY))
    kubeconfig(
        tmp_path / "kubeconfig", **{"client-certificate-data": ended, "client-key-data": "x"}
    )
    found = row(access.rows(Machine().host, section(tmp_path)), "access.kube-certificate")

    assert (True, False) == (ROOT in found.blocks, KUBECONFIG in found.blocks)
