"""Everything that a first plan is made from, gathered from one repository."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rekindle.adopting import choosing, credentials, network, recipes, roots
from rekindle.adopting.credentials import Credentials
from rekindle.adopting.found import Found, walk
from rekindle.adopting.machines import Machines
from rekindle.adopting.network import Network
from rekindle.adopting.recipes import Recipes
from rekindle.adopting.roots import Roots

API_PORT = 6443
FLUX = "flux-system"


@dataclass(frozen=True, slots=True)
class Draft:
    """*choices* say what was taken of several candidates and why; *notes* are what is not known of the nodes."""

    found: Found
    machines: Machines
    credentials: Credentials
    network: Network
    recipes: Recipes
    roots: Roots
    choices: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def taken(self) -> list[str]:
        """What was taken of several, each a sentence without its full stop."""
        parts = (self.credentials.choices, self.recipes.choices, self.roots.choices)
        return [*self.choices, *(choice for part in parts for choice in part)]

    @property
    def missing(self) -> list[str]:
        """What of the operator's own is not on the disk yet, though the plan names it."""
        named = [(node.config.value, self.machines.render) for node in self.machines.nodes]
        if not self.credentials.there:
            how = self.machines.render
            if self.machines.tool != "talhelper":
                how = "topf talosconfig > talosconfig"
            named.append((self.credentials.talosconfig, how))
        folder = self.machines.folder
        return [
            f"{file}: `{how}` in {folder}/ writes it"
            for file, how in named
            if file and not self.found.has(file)
        ]

    def unknown(self) -> Iterator[str]:
        """What could not be known, each a sentence without its full stop, in the order of the plan."""
        if not self.machines.cluster.known:
            yield f"cluster: {self.machines.cluster.unknown}"
        if not self.machines.version.known:
            yield f"the version of Talos: {self.machines.version.unknown}"
        yield from self.of_nodes()
        yield from self.notes
        yield from self.machines.notes
        yield from self.credentials.notes
        yield from self.of_api()
        yield from self.of_network()
        yield from self.of_flux()
        yield from self.found.notes

    def of_nodes(self) -> Iterator[str]:
        """What is not known of single nodes."""
        for node in self.machines.nodes:
            name = node.name.value or "a node"
            if not node.name.known:
                yield f"{name}: {node.name.unknown}"
            if node.name.value in self.machines.shared:
                yield f"{name}: whether {node.address.value} at {node.address.origin} is its own: the endpoint has it"
            for value in (node.address, node.role, node.config):
                if node.name.known and not value.known:
                    yield f"{name}: {value.unknown}"

    def of_api(self) -> Iterator[str]:
        """What is not known of the API."""
        if not self.machines.endpoint.known:
            yield f"the cluster's endpoint: {self.machines.endpoint.unknown}"
        elif self.machines.port not in {API_PORT, None}:
            yield (
                f"kubernetes.api_port: the endpoint at {self.machines.endpoint.origin} has port "
                f"{self.machines.port}, a node's own is {API_PORT} unless its configuration says otherwise"
            )

    def of_network(self) -> Iterator[str]:
        """What is not known of the CNI and of what installs it."""
        if not self.network.daemonset.known:
            yield f"cni.daemonset: {self.network.daemonset.unknown}"
        yield from self.network.notes
        yield from self.recipes.notes
        if self.recipes.apps is not None:
            yield f"how long `{' '.join(self.recipes.apps.argv)}` takes here"
            for name, value in self.recipes.apps.environment.items():
                if not value.known:
                    yield f"{name}: {value.unknown}"

    def of_flux(self) -> Iterator[str]:
        """What is not known of the roots."""
        yield from self.roots.notes
        if self.network.helmfile and not self.network.brings_flux:
            yield f"flux.command: what installs Flux' controllers; {self.network.helmfile} does not"


def draft(
    root: Path, talos: str | None, given_roots: str | None, ours: tuple[Path, ...] = ()
) -> Draft:
    """
    Read a repository; *talos* and *given_roots* are files that the operator named, *ours* those that we write.

    :raises Diagnosed: when it says nothing of nodes, or nothing says which of several is meant.
    """
    found = walk(root)
    written = {_inside(root, str(path)) for path in ours}
    found.manifests = [file for file in found.manifests if file not in written]
    machines, choices, notes = choosing.machines(found, _inside(root, talos))
    made = network.read(found, machines.cni)
    return Draft(
        found=found,
        machines=machines,
        credentials=credentials.read(found, machines),
        network=made,
        recipes=recipes.read(found, made.helmfile),
        roots=roots.read(found, _inside(root, given_roots)),
        choices=tuple(choices),
        notes=tuple(notes),
    )


def _inside(root: Path, given: str | None) -> str:
    """Name a file as the repository does."""
    return "" if given is None else os.path.relpath(Path(given).resolve(), root.resolve())
