"""
talosconfig and kubeconfig: which context they speak of, and where to. Keys and certificates are never taken out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from rekindle import kubeconfigs
from rekindle.adopting.found import Found
from rekindle.adopting.machines import Machines
from rekindle.adopting.reading import Document, SourceUnreadable, document_of


@dataclass(slots=True)
class Credentials:
    """
    *talosconfig* is from the repository, or the operator's own, which is absolute.

    *there* says whether it is on the disk, *why* where it is from; *choices* say what was taken of several, *notes*
    what is not known.
    """

    talosconfig: str
    there: bool
    why: str
    choices: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read(found: Found, machines: Machines) -> Credentials:
    """
    Take the talosconfig that the nodes' tool writes; another one only where that is missing and there is one.

    Where the repository has none, the one that talosctl would use is taken if it speaks of these nodes; and where it
    has no kubeconfig, the one that kubectl would use is held against them.

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
    elif not taken.there:
        taken = _yours(found, machines, taken)
    if taken.there:
        _contexts(taken, document_of(found.root, taken.talosconfig), machines)
    for file in found.kubeconfigs:
        _server(taken, found, file, machines)
    if not found.kubeconfigs:
        _your_kubeconfig(taken, found, machines)
    return taken


def _yours(found: Found, machines: Machines, usual: Credentials) -> Credentials:
    """Take one from outside of the repository; one that cannot be read, or is of another cluster, is passed over."""
    for file in filter(found.has, _outside(found.root)):
        try:
            document = document_of(found.root, file)
        except SourceUnreadable as error:
            usual.notes.append(f"whether {file} is of this cluster: {error.message}")
            continue
        current = document.said("context").value
        ours = [c for c in document.mapping("contexts") if _spoken_of(document, c, machines)]
        if current in ours:
            taken = Credentials(file, there=True, why="yours: the repository has none")
            taken.choices.append(
                f"{file}, for the repository has no talosconfig: its context {current} speaks of these nodes"
            )
            return taken
        if ours:
            usual.notes.append(
                f"whether {file} is meant: its context {ours[0]} speaks of these nodes, and is not the current one"
            )
    return usual


def _outside(root: Path) -> Iterator[str]:
    """Name what talosctl looks at, in its order."""
    for named in (os.environ.get("TALOSCONFIG", ""), "~/.talos/config"):
        if named:
            yield _named(root, Path(os.path.expanduser(named)))  # noqa: PTH111  it raises where nobody has a home


def _named(root: Path, file: Path) -> str:
    """Name a file as the repository does; one from outside of it as a whole."""
    path = file.absolute()
    within = path.is_relative_to(root.resolve())
    return str(path.relative_to(root.resolve()) if within else path)


def _spoken_of(document: Document, context: str, machines: Machines) -> bool:
    return not _addresses(document, context).isdisjoint(_of(machines))


def _addresses(document: Document, context: str) -> set[str]:
    here = ("contexts", context)
    return {
        str(document.get(*here, key, number))
        for key in ("endpoints", "nodes")
        for number in range(document.items(*here, key))
    }


def _of(machines: Machines) -> set[str]:
    """Return where the nodes and their endpoint answer; empty: no node's address is known."""
    known = {node.address.value for node in machines.nodes if node.address.known}
    return {*known, machines.host} - {""} if known else set()


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
    spoken, known = _addresses(document, current.value), _of(machines)
    if spoken and known and spoken.isdisjoint(known):
        taken.notes.append(
            f"whether {document.file} is of this cluster: its context {current.value} speaks of none of "
            f"the nodes of {machines.file}"
        )


def _your_kubeconfig(taken: Credentials, found: Found, machines: Machines) -> None:
    """
    Say which kubeconfig the next commands look through, and whether it is of this cluster.

    No plan names it. What is no file is left alone: a pipe can be read once, and not by us.
    """
    named = kubeconfigs.first_named()
    file = _named(found.root, named) if named is not None else ""
    if found.has(file):
        place = len(taken.choices)
        ours = _server(taken, found, file, machines)
        said = f"{file} of $KUBECONFIG to compare, for the repository has no kubeconfig"
        taken.choices.insert(place, f"{said}: it speaks to these nodes" if ours else said)


def _server(taken: Credentials, found: Found, file: str, machines: Machines) -> bool:
    """Say when a kubeconfig speaks to another address than the nodes' source; return whether it speaks to theirs."""
    try:
        document = document_of(found.root, file)
    except SourceUnreadable as error:
        taken.notes.append(f"whether {file} is of this cluster: {error.message}")
        return False
    name, speaks = document.get("current-context"), False
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
        speaks = host in ours
        if host and ours and not speaks:
            taken.notes.append(
                f"whether {file} is of this cluster: {server.origin} speaks to {host}"
            )
    if len(contexts) > 1:
        taken.choices.append(
            f"nothing of the {len(contexts)} contexts of {file}: rekindle has its own"
        )
    return speaks


def _host(server: str) -> str:
    try:
        return urlsplit(server).hostname or ""
    except ValueError:
        return ""
