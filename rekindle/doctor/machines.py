"""Machine configurations: rendered, valid, of this cluster, and of the role that the plan gives each node."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rekindle.adapters import authorities
from rekindle.adapters.authorities import MachineAuthorities, MachineConfig, Unreadable
from rekindle.doctor import needs
from rekindle.doctor.check import Check, Verdict, ok, unknown, warning

if TYPE_CHECKING:
    from phases.section import Section, TalosNode
    from rekindle.doctor.host import Host

# What the usual tools render machine configurations from, beside their output or one folder up.
SOURCES = ("talconfig.yaml", "topf.yaml")
UNREAD = MachineConfig(MachineAuthorities())
RENDER = "render it (`talhelper genconfig`, `topf render`); `rekindle run PLAN` takes the new file into the run"


@dataclass(frozen=True, slots=True)
class Rendered:
    """
    A configuration as it is on disk. *trouble*: why it cannot be read (empty: it can).

    *newer*: a source that was changed since; *valid*: what talosctl says of it (None: it was not asked).
    """

    config: MachineConfig = UNREAD
    sha256: str = ""
    trouble: str = ""
    newer: str = ""
    valid: bool | None = None


def rows(host: Host, section: Section) -> list[Check]:
    """Look at the file of each node."""
    try:
        ours = authorities.of_talosconfig(Path(section.talos.talosconfig))
    except Unreadable:
        ours = ""
    nodes, talosctl = section.talos.nodes, section.talos.talosctl
    found = {name: gathered(host, talosctl, Path(node.config)) for name, node in nodes.items()}
    cas = {
        name: one.config.authorities.kubernetes
        for name, one in found.items()
        if one.config.authorities.kubernetes and _refused(nodes[name], one, ours) is None
    }
    return [row for name, one in found.items() for row in judged(name, nodes[name], one, ours, cas)]


def gathered(host: Host, talosctl: str, path: Path) -> Rendered:
    """Read a file, and let talosctl read it: what that says may quote the file, so only its exit code is kept."""
    try:
        config = authorities.machine_config(path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except (OSError, Unreadable) as error:
        return Rendered(trouble=str(error))
    code = None
    if host.which(talosctl) is not None:
        code = host.code(talosctl, "validate", "--config", str(path), "--mode", "metal")
    return Rendered(config, digest, "", _newer(path), None if code is None else code == 0)


def _newer(path: Path) -> str:
    written = path.stat().st_mtime
    for folder in (path.parent, path.parent.parent):
        for name in SOURCES:
            source = folder / name
            if source.is_file() and source.stat().st_mtime > written:
                return str(source)
    return ""


def judged(
    name: str, node: TalosNode, found: Rendered, ours: str, cas: Mapping[str, str]
) -> list[Check]:
    """
    Judge one node's configuration; *ours* is the CA of the talosconfig (empty: not known).

    *cas* are ``cluster.ca`` of the nodes whose files are in no other way refused.
    """
    row, path, target = f"machines.config/{name}", node.config, f"node/{name}"
    refused = _refused(node, found, ours) or _divided(name, cas)
    if refused is not None:
        said, todo = refused
        return [Check(row, path, Verdict.RED, said, todo, needs.MACHINE_CONFIG, target)]
    if not found.config.authorities.talos or not ours:
        said = "has no machine.ca.crt" if ours else "the talosconfig tells no CA to compare with"
        todo = "compare by hand: contexts.NAME.ca of the talosconfig and machine.ca.crt"
        return [unknown(row, path, said, todo)]
    if found.valid is False:
        todo = f"`talosctl validate --config {path} --mode metal` says why (`--mode cloud` where the node is no metal)"
        return [warning(row, path, "talosctl does not find it valid", todo)]
    if found.newer:
        said = f"{found.newer} was changed after it was rendered"
        return [warning(row, path, said, f"if that matters to this node, {RENDER}")]
    return [ok(row, path, f"{found.config.type or node.role} of this cluster")]


def _refused(node: TalosNode, found: Rendered, ours: str) -> tuple[str, str] | None:
    """Return why this file must not be given to this node, and what to do."""
    config = found.config
    if found.trouble:
        return found.trouble.removeprefix(f"{node.config}: "), RENDER
    if config.encrypted:
        return (
            "is encrypted by sops",
            f"name the rendered file in the plan, not its source; {RENDER}",
        )
    if config.type and config.type != node.role and (config.type, node.role) != _FIRST:
        said = f"is of a {config.type}, and the plan has a {node.role} there"
        return said, "mend talos.nodes in the plan (role, config): each node its own file"
    theirs = config.authorities.talos
    if theirs and ours and theirs != ours:
        said = f"is of another cluster: machine.ca {theirs[:16]}, talosconfig {ours[:16]}"
        return (
            said,
            "find out which of the two is this cluster's before anything is applied, and render the other",
        )
    if node.sha256 and found.sha256 != node.sha256:
        said = "is another file than when the plan was read"
        return said, "review it; `rekindle run PLAN` takes it into the run as it is now"
    return None


def _divided(name: str, cas: Mapping[str, str]) -> tuple[str, str] | None:
    """Refuse all where two would have a Kubernetes each: no file tells which of them is the cluster's."""
    others = [node for node, ca in cas.items() if name in cas and ca != cas[name]]
    if not others:
        return None
    more = f" and {len(others) - 1} more" if len(others) > 1 else ""
    said = f"is of another Kubernetes than {others[0]}{more}: cluster.ca {cas[name][:16]}, "
    said += f"{others[0]} has {cas[others[0]][:16]}"
    todo = "find out which of them is this cluster's (certificate-authority-data of its kubeconfig) before anything is "
    return said, f"{todo}applied, and render the others"


_FIRST = ("init", "controlplane")  # the first control plane of clusters from before Talos 0.9
