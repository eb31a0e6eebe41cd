"""Whether talosconfig and kubeconfig can be used, of which cluster they are, and until when."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rekindle.adapters import authorities
from rekindle.adapters.authorities import Client, NoContext, Unreadable
from rekindle.doctor import needs
from rekindle.doctor.certificates import NotUnderstood, day, parse
from rekindle.doctor.check import Check, Verdict, ok, unknown, warning
from rekindle.there import may_be_there

if TYPE_CHECKING:
    from phases.section import Section
    from rekindle.doctor.host import Host

SOON_SECONDS = 30 * 24 * 3600.0
SKEW_SECONDS = 60.0
DAY_SECONDS = 24 * 3600.0
ADMIN = "os:admin"
NOBODY = Client()
APART = "its client key is not the one of its client certificate: no server takes the two"
UNPAIRED = "whether its client key is the one of its client certificate cannot be told"


@dataclass(frozen=True, slots=True)
class Credentials:
    """
    What a file of credentials was found to be; *trouble*: why it cannot be used (empty: it can).

    *contexts*: those of which one has to be chosen, where that is the trouble.
    """

    ca: str = ""
    client: Client = NOBODY
    trouble: str = ""
    contexts: tuple[str, ...] = ()


def rows(host: Host, section: Section) -> list[Check]:
    """Look at the two files that the plan names."""
    talosconfig, kubeconfig = Path(section.talos.talosconfig), Path(section.kubernetes.kubeconfig)
    talos = gathered(talosconfig, authorities.of_talosconfig, authorities.client_of_talosconfig)
    found = [
        of_talosconfig(str(talosconfig), talos),
        *certificate(
            "access.talos-certificate", str(talosconfig), talos.client, host.now(), RENEW_TALOS
        ),
        *role(str(talosconfig), talos.client),
    ]
    if not may_be_there(kubeconfig):
        said = "not there; a run fetches it from Talos"
        return [*found, ok("access.kubeconfig", str(kubeconfig), said)]
    kube = gathered(kubeconfig, authorities.of_kubeconfig, authorities.client_of_kubeconfig)
    return [
        *found,
        of_kubeconfig(str(kubeconfig), kube, host.which),
        *certificate(
            "access.kube-certificate", str(kubeconfig), kube.client, host.now(), RENEW_KUBE
        ),
        same_cluster(str(kubeconfig), kube, _cluster_cas(section)),
    ]


def gathered(
    path: Path, ca: Callable[[Path], str], client: Callable[[Path], Client]
) -> Credentials:
    """Read a file; its CA and its client's certificate, and nothing else of it, stay."""
    try:
        return Credentials(ca(path), client(path))
    except NoContext as error:
        return Credentials(trouble=str(error), contexts=error.those)
    except Unreadable as error:
        return Credentials(trouble=str(error))


def of_talosconfig(path: str, found: Credentials) -> Check:
    """Judge whether Talos can be spoken to with it; a node in maintenance is, without a client."""
    name = "access.talosconfig"
    todo = "make it again from the cluster's secrets (`talhelper genconfig`, `topf talosconfig`, "
    todo += "`talosctl gen config --with-secrets`); never generate new secrets for it"
    lacks = [
        what
        for what, there in (
            ("a CA", found.ca),
            ("a client certificate", found.client.certificate),
            ("a client key in PEM", found.client.key),
        )
        if not there
    ]
    if found.trouble or lacks:
        said = found.trouble.removeprefix(f"{path}: ") or f"its context has not {', '.join(lacks)}"
        blocks = needs.TALOS_CLIENT if found.ca else needs.TALOSCONFIG
        if found.contexts:
            said = f"{said}, and talosctl takes no other"
            choose = f"`talosctl --talosconfig {path} config context NAME`"
            todo = f"choose the one that is meant: {choose} ({', '.join(found.contexts)})"
        return Check(name, path, Verdict.RED, said, todo, blocks)
    if _is_of_another_ca(found.client):
        said = "its client certificate is not of its CA: they are of two clusters"
        return Check(name, path, Verdict.RED, said, todo, needs.TALOS_CLIENT)
    if found.client.fits is False:
        return Check(name, path, Verdict.RED, APART, todo, needs.TALOS_CLIENT)
    if found.client.fits is None:
        return unknown(name, path, UNPAIRED, f"if Talos refuses it, {todo}")
    return ok(name, path, f"usable, CA {found.ca[:16]}")


def _is_of_another_ca(client: Client) -> bool:
    """What cannot be read accuses nobody."""
    try:
        mine, cas = parse(client.certificate), [parse(ca) for ca in client.cas]
    except NotUnderstood:
        return False
    return bool(cas) and not any(mine.is_of(ca) for ca in cas)


def role(path: str, client: Client) -> list[Check]:
    """Judge whether Talos would let this client do what a recovery does."""
    try:
        roles = parse(client.certificate).organisations
    except NotUnderstood:
        return []
    if ADMIN in roles:
        return [ok("access.talos-role", path, ADMIN)]
    said = f"its role is {', '.join(roles) or 'not said'}, and a recovery needs {ADMIN}"
    todo = "use an os:admin talosconfig; `talosctl config new --roles os:admin` or the cluster's secrets make one"
    return [Check("access.talos-role", path, Verdict.RED, said, todo, needs.TALOS_CLIENT)]


def of_kubeconfig(path: str, found: Credentials, which: Callable[[str], str | None]) -> Check:
    """Judge our own kubeconfig: a run replaces a file that is of no use, so that it forbids nothing."""
    name, client = "access.kubeconfig", found.client
    todo = f"remove {path}: a run fetches it from Talos as soon as a control plane answers"
    if found.trouble:
        return warning(name, path, found.trouble.removeprefix(f"{path}: "), todo)
    if client.program and which(client.program) is None:
        said = f"it calls {client.program}, which is not on PATH"
        return Check(
            name, path, Verdict.RED, said, f"install {client.program}, or {todo}", needs.API
        )
    if not (client.other or (client.certificate and client.key)):
        said = "it does not say who you are"
        said += ": its client certificate has no key in PEM" if client.certificate else ""
        return Check(name, path, Verdict.RED, said, todo, needs.API)
    if not client.other and _is_of_another_ca(client):  # an API may believe another CA than its own
        return warning(name, path, "its client certificate is not of the CA that it trusts", todo)
    if not client.other and client.fits is False:
        return Check(name, path, Verdict.RED, APART, todo, needs.API)
    if not client.other and client.fits is None:
        return unknown(name, path, UNPAIRED, f"if the API refuses it, {todo}")
    return ok(name, path, f"usable, CA {found.ca[:16] or 'of the system'}")


@dataclass(frozen=True, slots=True)
class Renewal:
    """What a certificate that ended takes away, and how to come by another."""

    todo: str
    blocks: frozenset[str]


RENEW_TALOS = Renewal(
    "make a new talosconfig from the cluster's secrets: `talosctl gen config --with-secrets`, `talhelper genconfig` "
    "or `topf talosconfig`; while this one is valid, `talosctl config new` does as well",
    needs.TALOS_CLIENT,
)
RENEW_KUBE = Renewal("remove the file: a run fetches a new one from Talos", needs.API)


def certificate(name: str, path: str, client: Client, now: float, renewal: Renewal) -> list[Check]:
    """Judge until when a client's certificate is good; without one there is nothing to say."""
    if not client.certificate:
        return []
    try:
        found = parse(client.certificate)
    except NotUnderstood:
        todo = "`openssl x509 -noout -dates` says when it ends"
        return [unknown(name, path, "its client certificate cannot be read", todo)]
    until = day(found.not_after)
    if found.not_before > now + SKEW_SECONDS:
        said = f"its client certificate begins only on {day(found.not_before)}: is the clock right?"
        todo = "set this machine's clock (`timedatectl`, NTP), then look again"
        return [Check(name, path, Verdict.RED, said, todo, renewal.blocks)]
    if found.not_after <= now:
        said = f"its client certificate ended on {until}"
        return [Check(name, path, Verdict.RED, said, renewal.todo, renewal.blocks)]
    if found.not_after - now < SOON_SECONDS:
        days = int((found.not_after - now) // DAY_SECONDS)
        return [
            warning(
                name, path, f"its client certificate ends on {until}, in {days} days", renewal.todo
            )
        ]
    return [ok(name, path, f"its client certificate is good until {until}")]


def _cluster_cas(section: Section) -> frozenset[str]:
    found = set()
    for node in section.talos.nodes.values():
        try:
            found.add(authorities.of_machine_config(Path(node.config)).kubernetes)
        except Unreadable:
            continue
    return frozenset(found - {""})


def same_cluster(path: str, found: Credentials, cluster_cas: Iterable[str]) -> Check:
    """
    Hold the kubeconfig's CA against ``cluster.ca`` of the machine configurations.

    Talos has a CA of its own (``machine.ca``, which the talosconfig trusts): the two are never the same.
    """
    name, wanted = "access.same-cluster", set(cluster_cas)
    if not found.ca or not wanted:
        lacks = (
            "the kubeconfig names no CA" if wanted else "no machine configuration tells cluster.ca"
        )
        return unknown(
            name, path, lacks, "compare by hand: certificate-authority-data and cluster.ca.crt"
        )
    if wanted == {found.ca}:
        return ok(name, path, f"of the machine configurations' cluster, CA {found.ca[:16]}")
    said = f"it trusts CA {found.ca[:16]}, the machine configurations have "
    said += ", ".join(sorted(ca[:16] for ca in wanted))
    todo = "if the machine configurations are the right ones, nothing by hand: a run fetches a kubeconfig of theirs"
    return warning(name, path, said, todo)
