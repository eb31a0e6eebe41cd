"""
``topf.yaml`` of topf.

Read in topf 0.5 (``pkg/config/topf_config.go``, ``node.go``, ``cmd/topf/render.go``): roles are ``control-plane`` and
``worker``, ``ip`` may be left out (``host`` is resolved then), ``render --output DIR`` writes ``DIR/HOST.yaml``, and a
``nodesProvider`` may add nodes that no file has.
"""

from __future__ import annotations

from rekindle.adopting.found import Found
from rekindle.adopting.machines import CONTROL_PLANE, TOPF, WORKER, Machine, Machines, below, named
from rekindle.adopting.reading import Document, Said, document_of, wrong

# The template's recipe, `just talos render`; topf's own default is `output`.
RENDERED = "rendered"
_ALSO = "output"
RENDER = "topf render --output ./rendered"
_ROLES = {"control-plane": CONTROL_PLANE, "worker": WORKER}


def read(found: Found, file: str) -> Machines:
    """:raises SourceUnreadable: when it cannot be read, or has no list of nodes."""
    document = document_of(found.root, file)
    folder = str(file.rpartition("/")[0] or ".")
    provider = document.said("nodesProvider")
    if not document.items("nodes") and not document.get("nodesProvider"):
        raise wrong(f"{document.at('nodes')}:1: nodes: a topf.yaml has a list of nodes")
    adds = f"which nodes {provider.value or 'the program'} adds, at {provider.origin}"
    count = document.items("nodes")
    return Machines(
        file=file,
        tool=TOPF,
        cluster=document.said("clusterName"),
        endpoint=document.said("clusterEndpoint"),
        version=document.said("talosVersion"),
        nodes=tuple(_node(found, document, number, folder) for number in range(count)),
        folder=folder,
        talosconfig=below(folder, "talosconfig"),
        render=RENDER,
        notes=(adds,) if document.get("nodesProvider") else (),
    )


def _node(found: Found, document: Document, number: int, folder: str) -> Machine:
    host = named(document.said("nodes", number, "host"))
    given = document.get("nodes", number, "ip") is not None
    address = document.said("nodes", number, "ip" if given else "host")
    config = Said("", host.origin, f"the file that topf renders: {host.unknown}")
    if host.known:
        other = below(folder, f"{_ALSO}/{host.value}.yaml")
        usual = below(folder, f"{RENDERED}/{host.value}.yaml")
        taken = other if found.has(other) and not found.has(usual) else usual
        config = Said(taken, host.origin)
    return Machine(host, address, _role(document.said("nodes", number, "role")), config)


def _role(role: Said) -> Said:
    if not role.known:
        return role
    if role.value not in _ROLES:
        return Said("", role.origin, f"the role {role.value!r} at {role.origin} is none of topf's")
    return Said(_ROLES[role.value], role.origin)
