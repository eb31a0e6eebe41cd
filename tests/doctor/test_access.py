"""
Credentials: each row in order and not.

Mutants: take ``machine.ca`` for the kubeconfig's CA; warn under 30 days with the sign turned; block ``talos.apply`` for
a certificate that ended (a node in maintenance needs none).
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from phases.lives import RESET
from phases.verbs import APPLY, BOOTSTRAP, KUBECONFIG, ROOT
from rekindle.adapters.authorities import Client
from rekindle.doctor import access
from rekindle.doctor.access import RENEW_KUBE, RENEW_TALOS
from rekindle.doctor.certificates import NotUnderstood, parse
from rekindle.doctor.needs import ETCD
from tests.doctor.making import (
    CLUSTER_CA,
    DAY,
    NOW,
    OTHER_CA,
    TALOS_CA,
    Change,
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
        (lambda folder: talosconfig(folder / "talosconfig", key=""), "has not a client key"),
        (
            lambda folder: talosconfig(folder / "talosconfig", crt="x"),
            "has not a client certificate",
        ),
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
