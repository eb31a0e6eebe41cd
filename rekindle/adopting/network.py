"""
What makes the network, by the helmfile that is synced before Flux, else by the tree's own HelmRelease.

Only charts whose workloads are known by name are told: Cilium's and CoreDNS' (names as their charts have them,
cilium 1.17 and 1.20, coredns 1.43). Another CNI is not known, rather than guessed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rekindle.adopting.found import Found
from rekindle.adopting.reading import Document, Said, SourceUnreadable, documents_of, said

DAEMONSETS = {"cilium": "cilium"}
DEPLOYMENTS = {"cilium": ("cilium-operator",), "coredns": ("coredns",)}
_FLUX = ("flux-instance", "flux2", "flux")


@dataclass(slots=True)
class Network:
    """
    *daemonset* and *deployments* as ``NAMESPACE/NAME``; *helmfile* is the file with the CNI's release.

    *brings_flux* says whether the same helmfile installs Flux' controllers.
    """

    daemonset: Said
    deployments: list[Said] = field(default_factory=list)
    helmfile: str = ""
    brings_flux: bool = False
    notes: list[str] = field(default_factory=list)


def read(found: Found, cni: Said) -> Network:
    """Look for the releases; *cni* is what Talos itself is told to install."""
    network = Network(Said(unknown="no helmfile and no HelmRelease here has a CNI that is known"))
    if cni.known and cni.value != "none":
        text = f"{cni.origin} lets Talos itself install {cni.value}, and no command of yours does"
        network.daemonset = Said("", cni.origin, text)
    for file in _helmfiles(found):
        for document in _documents(found, file, network):
            _releases(document, network)
        if network.daemonset.known:
            network.helmfile = file
            return network
        network.deployments.clear()
        network.brings_flux = False
    _tree(found, network)
    return network


def _helmfiles(found: Found) -> list[str]:
    """List the files that are helmfiles by their name or folder, those for bootstrapping first."""
    named = [
        file
        for file in found.manifests
        if "helmfile" in file.rpartition("/")[2] or "helmfile" in file.rpartition("/")[0]
    ]
    return sorted(named, key=lambda file: (not file.startswith("bootstrap/"), file))


def _documents(found: Found, file: str, network: Network) -> list[Document]:
    try:
        return documents_of(found.root, file)
    except SourceUnreadable as error:
        network.notes.append(f"the releases of {file}: {error.message}")
        return []


def _releases(document: Document, network: Network) -> None:
    for number in range(document.items("releases")):
        here = ("releases", number)
        name, namespace = document.said(*here, "name"), document.said(*here, "namespace")
        if name.known and namespace.known and document.get(*here, "installed") is not False:
            _take(name.value, namespace.value, document.at(*here, "name"), network)


def _take(name: str, namespace: str, origin: str, network: Network) -> None:
    if name in DAEMONSETS and not network.daemonset.known:
        network.daemonset = Said(f"{namespace}/{DAEMONSETS[name]}", origin)
    network.deployments += [
        said(f"{namespace}/{one}", origin, "deployment") for one in DEPLOYMENTS.get(name, ())
    ]
    network.brings_flux = network.brings_flux or name in _FLUX


def _tree(found: Found, network: Network) -> None:
    """Flux' own HelmRelease of the CNI, by the folders of the template: ``apps/NAMESPACE/CHART/app/``."""
    for name in ("cilium", "coredns"):
        for file in found.manifests:
            folders = file.split("/")[:-1]
            if "apps" in folders and name in folders and "helmrelease" in file:
                at = folders.index("apps")
                if folders.index(name) == at + 2:
                    _take(name, folders[at + 1], f"{file}:1", network)
                    break
