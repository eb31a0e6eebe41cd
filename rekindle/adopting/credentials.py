"""
talosconfig and kubeconfig: which context they speak of, and where to. Keys and certificates are never taken out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from rekindle.adopting.found import Found
from rekindle.adopting.machines import Machines
from rekindle.adopting.reading import Document, SourceUnreadable, document_of


@dataclass(slots=True)
class Credentials:
    """
    *talosconfig* is from the repository; *there* says whether it is on the disk, *why* where it is from.

    *choices* say what was taken of several, *notes* what is not known.
    """

    talosconfig: str
    there: bool
    why: str
    choices: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read(found: Found, machines: Machines) -> Credentials:
    """
    Take the talosconfig that the nodes' tool writes; another one only where that is missing and there is one.

    :raises SourceUnreadable: when the one that is taken is no YAML: no plan would be of use with it.
    """
    usual = f"what `{machines.render}` writes beside the nodes' configurations"
    if machines.tool != "talhelper":
        usual = "what `topf talosconfig > talosconfig` writes"
    taken = Credentials(machines.talosconfig, found.has(machines.talosconfig), usual)
    others = [file for file in found.talosconfigs if file != machines.talosconfig]
    if not taken.there and len(others) == 1:
        taken = Credentials(others[0], there=True, why="the only one that is here")
    elif taken.there and others:
        taken.choices.append(f"{taken.talosconfig} rather than {', '.join(others)}: it is {usual}")
    elif others:
        taken.notes.append(f"which talosconfig is the cluster's: {', '.join(others)} are there")
    if taken.there:
        _contexts(taken, document_of(found.root, taken.talosconfig), machines)
    for file in found.kubeconfigs:
        _server(taken, found, file, machines)
    return taken


def _contexts(taken: Credentials, document: Document, machines: Machines) -> None:
    """Say which context talosctl would use, and whether it speaks of these nodes."""
    contexts = document.mapping("contexts")
    current = document.said("context")
    if not contexts:
        taken.notes.append(f"whose cluster {document.file} is of: it has no contexts")
        return
    if not current.known or current.value not in contexts:
        taken.notes.append(f"which context of {document.file} is meant: it names no current one")
        return
    if len(contexts) > 1:
        others = ", ".join(sorted(name for name in contexts if name != current.value))
        taken.choices.append(
            f"context {current.value} of {document.file} rather than {others}: it is the current one, "
            "and talosctl uses that"
        )
    here = ("contexts", current.value)
    spoken = {
        str(document.get(*here, key, number))
        for key in ("endpoints", "nodes")
        for number in range(document.items(*here, key))
    }
    known = {node.address.value for node in machines.nodes if node.address.known}
    if spoken and known and not spoken & {*known, machines.host}:
        taken.notes.append(
            f"whether {document.file} is of this cluster: its context {current.value} speaks of none of "
            f"the nodes of {machines.file}"
        )


def _server(taken: Credentials, found: Found, file: str, machines: Machines) -> None:
    """Say when a kubeconfig that lies here speaks to another address than the nodes' source."""
    try:
        document = document_of(found.root, file)
    except SourceUnreadable as error:
        taken.notes.append(f"whether {file} is of this cluster: {error.message}")
        return
    name = document.get("current-context")
    contexts = [document.mapping("contexts", n) for n in range(document.items("contexts"))]
    context = next((item for item in contexts if item.get("name") == name), {})
    wanted = context.get("context", {})
    cluster = wanted.get("cluster") if isinstance(wanted, dict) else None
    for number in range(document.items("clusters")):
        if document.get("clusters", number, "name") != cluster:
            continue
        server = document.said("clusters", number, "cluster", "server")
        ours = {machines.host, *(node.address.value for node in machines.nodes)} - {""}
        host = _host(server.value)
        if host and ours and host not in ours:
            taken.notes.append(
                f"whether {file} is of this cluster: {server.origin} speaks to {host}"
            )
    if len(contexts) > 1:
        taken.choices.append(
            f"nothing of the {len(contexts)} contexts of {file}: rekindle has its own"
        )


def _host(server: str) -> str:
    try:
        return urlsplit(server).hostname or ""
    except ValueError:
        return ""
