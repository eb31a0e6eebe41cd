"""
What an operator of onedr0p/cluster-template wrote by hand: ``nodes.yaml`` (2025) or ``cluster.toml`` (2026).

``task configure`` and ``just configure`` make talconfig.yaml and topf.yaml of it; where those are there, they say what
nodes get, and this only whether the two still agree.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

from rekindle.adopting import talhelper, topf
from rekindle.adopting.found import Found
from rekindle.adopting.machines import (
    CONTROL_PLANE,
    TALHELPER,
    TOPF,
    WORKER,
    Machine,
    Machines,
    named,
)
from rekindle.adopting.reading import Said, document_of, said, text_of, wrong

NODES = "nodes.yaml"
CLUSTER = "cluster.toml"
# Both generations of the template write this name into what they render.
_CLUSTER_NAME = "kubernetes"
_TOML_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$")


def read(found: Found, file: str) -> Machines:
    """:raises SourceUnreadable: when it cannot be read, or has no list of nodes."""
    return _of_toml(found, file) if file.endswith(CLUSTER) else _of_yaml(found, file)


def _of_yaml(found: Found, file: str) -> Machines:
    document = document_of(found.root, file)
    if not document.items("nodes"):
        raise wrong(
            f"{document.at('nodes')}:1: nodes: the template's nodes.yaml has a list of nodes"
        )
    nodes = []
    for number in range(document.items("nodes")):
        origin = document.at("nodes", number)
        name = named(document.said("nodes", number, "name"))
        rendered = f"talos/{talhelper.RENDERED}/{_CLUSTER_NAME}-{name.value}.yaml"
        controller = document.get("nodes", number, "controller")
        nodes.append(
            Machine(
                name,
                document.said("nodes", number, "address"),
                _role(controller, origin),
                _config(name, rendered),
            )
        )
    return Machines(
        file=file,
        tool=TALHELPER,
        cluster=Said(_CLUSTER_NAME, f"the name that the template gives; {file} has none"),
        endpoint=Said(unknown=f"{file} has no endpoint"),
        version=Said(unknown=f"{file} has no version of Talos"),
        nodes=tuple(nodes),
        folder="talos",
        talosconfig=f"talos/{talhelper.RENDERED}/talosconfig",
        render=talhelper.RENDER,
        notes=(f"what Talos is told besides {file}: `task configure` has not been run here",),
    )


def _of_toml(found: Found, file: str) -> Machines:
    text = text_of(found.root, file)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        where = _TOML_PLACE.search(str(error))
        place = f"{where[1]}:{where[2]}" if where else "1:1"
        raise wrong(f"{file}:{place}: {_TOML_PLACE.sub('', str(error))}") from error
    tables = data.get("nodes")
    if not isinstance(tables, list) or not tables:
        raise wrong(f"{file}:1:1: nodes: the template's cluster.toml has a table [[nodes]] a node")
    lines = [n for n, line in enumerate(text.splitlines(), 1) if line.strip() == "[[nodes]]"]
    origins = [
        f"{file}:{lines[n]}" if len(lines) == len(tables) else file for n in range(len(tables))
    ]
    api = data.get("kubernetes", {}) if isinstance(data.get("kubernetes"), dict) else {}
    address = api.get("api", {}).get("addr") if isinstance(api.get("api"), dict) else None
    host = said(address, file, "kubernetes.api.addr")
    return Machines(
        file=file,
        tool=TOPF,
        cluster=Said(_CLUSTER_NAME, f"the name that the template gives; {file} has none"),
        endpoint=Said(f"https://{host.value}:6443", file) if host.known else host,
        version=Said(unknown=f"{file} has no version of Talos"),
        nodes=tuple(_of_table(table, at) for table, at in zip(tables, origins, strict=True)),
        folder="talos",
        talosconfig="talos/talosconfig",
        render=topf.RENDER,
        notes=(f"what Talos is told besides {file}: `just configure` has not been run here",),
    )


def _of_table(table: dict[str, Any], origin: str) -> Machine:
    name = named(said(table.get("name"), origin, "name"))
    return Machine(
        name,
        said(table.get("address"), origin, "address"),
        _role(table.get("controller"), origin),
        _config(name, f"talos/{topf.RENDERED}/{name.value}.yaml"),
    )


def _role(controller: object, origin: str) -> Said:
    if not isinstance(controller, bool):
        return Said("", origin, f"{origin} does not say whether it is a controller")
    return Said(CONTROL_PLANE if controller else WORKER, origin)


def _config(name: Said, rendered: str) -> Said:
    if not name.known:
        return Said("", name.origin, f"the file that is rendered: {name.unknown}")
    return Said(rendered, name.origin)
