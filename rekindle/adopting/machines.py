"""The nodes of a cluster as one of several sources describes them: the shape that all readers of nodes return."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from rekindle.adopting.reading import Said

CONTROL_PLANE = "controlplane"
WORKER = "worker"
TALHELPER = "talhelper"
TOPF = "topf"
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class Machine:
    """A node. *config* is the machine configuration that the source's tool renders for it, from the repository."""

    name: Said
    address: Said
    role: Said
    config: Said

    @property
    def fixed(self) -> tuple[str, str, str]:
        """What two sources have to agree on."""
        return self.name.value, self.address.value, self.role.value


@dataclass(frozen=True, slots=True)
class Machines:
    """
    *file* is the source; *tool* renders from it; *folder* is where that is run; *render* is the command.

    *talosconfig* is where the tool writes it. *cni* is what Talos itself is told to install (``none``: nothing).
    """

    file: str
    tool: str
    cluster: Said
    endpoint: Said
    version: Said
    nodes: tuple[Machine, ...]
    folder: str
    talosconfig: str
    render: str
    cni: Said = field(default_factory=lambda: Said(unknown="nothing says it"))
    notes: tuple[str, ...] = ()

    @property
    def described(self) -> frozenset[tuple[str, str, str]]:
        """What it says of its nodes, apart from their order."""
        return frozenset(node.fixed for node in self.nodes)

    @property
    def shared(self) -> tuple[str, ...]:
        """Names of nodes, of several, whose address is the endpoint's: a VIP is nobody's own."""
        if len(self.nodes) == 1 or not self.host:
            return ()
        return tuple(node.name.value for node in self.nodes if node.address.value == self.host)

    @property
    def port(self) -> int | None:
        """The port of the endpoint; None: not known."""
        try:
            return urlsplit(self.endpoint.value).port
        except ValueError:
            return None

    @property
    def host(self) -> str:
        """The host of the endpoint; empty: not known."""
        try:
            return urlsplit(self.endpoint.value).hostname or ""
        except ValueError:
            return ""


def below(folder: str, name: str) -> str:
    """Join a folder of the repository and a name in it."""
    return str(PurePosixPath(folder) / name)


def named(value: Said) -> Said:
    """Judge a node's name: what Kubernetes would refuse is no name, and so not known."""
    if value.known and not _NAME.fullmatch(value.value):
        return Said("", value.origin, f"{value.value!r} at {value.origin} is no node's name")
    return value
