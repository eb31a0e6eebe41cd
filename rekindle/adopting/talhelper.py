"""
``talconfig.yaml`` of talhelper, and the variables of its ``talenv.yaml``.

Read in talhelper 3 (``pkg/config/config.go``, ``outputfilename.go``, ``cmd/genconfig.go``): ``genconfig`` writes
``clusterconfig/CLUSTER-HOST.yaml``, or what ``filenameTmpl`` says, and ``clusterconfig/talosconfig``; the whole file
passes envsubst first, with what ``talenv.yaml`` defines. ``talenv.sops.yaml`` is encrypted and never opened here.
"""

from __future__ import annotations

import re

from rekindle.adopting.found import Found
from rekindle.adopting.machines import (
    CONTROL_PLANE,
    TALHELPER,
    WORKER,
    Machine,
    Machines,
    below,
    named,
)
from rekindle.adopting.reading import (
    Document,
    Said,
    SourceUnreadable,
    document_of,
    elsewhere,
    said,
    wrong,
)

RENDER = "talhelper genconfig"
RENDERED = "clusterconfig"
_ENVIRONMENT = ("talenv.yaml", "talenv.yml")
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")
_USUAL = "{{.ClusterName}}-{{.Hostname}}.yaml"
_FIELD = re.compile(r"\{\{-?\s*\.(ClusterName|Hostname|IPAddress|Role)\s*-?\}\}")


class _Talconfig:
    """A talconfig with its variables filled in, as far as they are plain."""

    def __init__(self, document: Document, variables: dict[str, Said]) -> None:
        self.document = document
        self._variables = variables

    def said(self, *keys: str | int) -> Said:
        """Return a value; one of variables is known when each of them is."""
        value = self.document.said(*keys)
        raw = self.document.get(*keys)
        if value.known or not isinstance(raw, str) or "$" not in raw:
            return value
        used = [first or second for first, second in _VARIABLE.findall(raw)]
        given = [self._variables[name] for name in used if name in self._variables]
        if not used or len(given) != len(used):
            return value
        text = _VARIABLE.sub(lambda name: self._variables[name[1] or name[2]].value, raw)
        filled = said(text, self.document.at(*keys), str(keys[-1]))
        return elsewhere(filled, given[-1].origin) if filled.known else value


def read(found: Found, file: str) -> Machines:
    """:raises SourceUnreadable: when it cannot be read, or has no list of nodes."""
    document = document_of(found.root, file)
    folder = str(file.rpartition("/")[0] or ".")
    notes: list[str] = []
    talconfig = _Talconfig(document, _variables(found, folder, notes))
    if not isinstance(document.get("nodes"), list) or not document.items("nodes"):
        raise wrong(f"{document.at('nodes')}:1: nodes: a talconfig.yaml has a list of nodes")
    cluster = talconfig.said("clusterName")
    made = [_node(talconfig, number, cluster, folder) for number in range(document.items("nodes"))]
    for number in range(document.items("nodes")):
        notes += _about(document, number)
    return Machines(
        file=file,
        tool=TALHELPER,
        cluster=cluster,
        endpoint=talconfig.said("endpoint"),
        version=talconfig.said("talosVersion"),
        nodes=tuple(made),
        folder=folder,
        talosconfig=below(folder, f"{RENDERED}/talosconfig"),
        render=RENDER,
        cni=_cni(document),
        notes=tuple(notes),
    )


def _variables(found: Found, folder: str, notes: list[str]) -> dict[str, Said]:
    """Read what envsubst would fill in; a value that is itself filled in is none."""
    variables: dict[str, Said] = {}
    for name in _ENVIRONMENT:
        file = below(folder, name)
        if not found.has(file):
            continue
        try:
            document = document_of(found.root, file)
        except SourceUnreadable as error:
            notes.append(f"the variables of {file}: {error.message}")
            continue
        values = {key: document.said(key) for key in document.mapping()}
        variables |= {key: value for key, value in values.items() if value.known}
    return variables


def _node(talconfig: _Talconfig, number: int, cluster: Said, folder: str) -> Machine:
    document, here = talconfig.document, ("nodes", number)
    name = named(talconfig.said(*here, "hostname"))
    if document.get(*here, "ignoreHostname") is True:
        origin = document.at(*here, "ignoreHostname")
        name = Said("", origin, f"{origin} leaves the name to the node")
    address = _first(talconfig.said(*here, "ipAddress"))
    planes = document.get(*here, "controlPlane") is True
    role = Said(CONTROL_PLANE if planes else WORKER, document.at(*here, "controlPlane"))
    config = _config(talconfig, number, cluster, name, address, role.value)
    if config.known:
        config = Said(below(folder, f"{RENDERED}/{config.value}"), config.origin)
    return Machine(name, address, role, config)


def _first(address: Said) -> Said:
    """``ipAddress`` may be several with commas between them; talhelper's first is the node's."""
    first = address.value.partition(",")[0].strip()
    return Said(first, address.origin) if address.known else address


def _config(
    talconfig: _Talconfig, number: int, cluster: Said, name: Said, address: Said, role: str
) -> Said:
    """Return the name of the file that genconfig writes for a node."""
    document = talconfig.document
    group = "controlPlane" if role == CONTROL_PLANE else "worker"
    places = (("nodes", number, "filenameTmpl"), (group, "filenameTmpl"))
    place = next((keys for keys in places if isinstance(document.get(*keys), str)), None)
    origin = document.at(*place) if place else document.at("nodes", number)
    template = document.get(*place) if place else _USUAL
    fields = {"ClusterName": cluster, "Hostname": name, "IPAddress": address}
    for used in set(_FIELD.findall(template)) & fields.keys():
        if not fields[used].known:
            return Said("", origin, f"the file that genconfig writes: {fields[used].unknown}")
    values = {key: value.value for key, value in fields.items()} | {"Role": role}
    made = _FIELD.sub(lambda field: values[field[1]], template)
    return said(made, origin, "filenameTmpl")


def _cni(document: Document) -> Said:
    """Without ``cniConfig`` Talos brings its own, flannel."""
    if document.get("cniConfig") is None:
        return Said("flannel", document.at())
    return document.said("cniConfig", "name")


def _about(document: Document, number: int) -> list[str]:
    """What a reader should know of a node besides."""
    raw = document.get("nodes", number, "ipAddress")
    if isinstance(raw, str) and "," in raw:
        origin = document.at("nodes", number, "ipAddress")
        return [f"which of several addresses rekindle should use: took the first at {origin}"]
    return []
