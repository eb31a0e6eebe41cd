"""
A draft as a plan that people review: each value with its place, and what is not known where it would stand.

No key is written without a value that somebody wrote: ``rekindle plan`` then names the line at which it is missing.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from engine.errors import OurBug
from engine.yamlfile import YamlFile, read_yaml
from phases.section import Flux
from rekindle.adopting.draft import FLUX, Draft
from rekindle.adopting.machines import Machine
from rekindle.adopting.reading import Said, plain
from rekindle.adopting.recipes import Command

FOLDER = "recovery"
SCHEMA = "recovery.schema.json"
_NOT_KNOWN = "# not known: "


@dataclass(frozen=True, slots=True)
class Place:
    """Where the plan will be: its *file*, and what it is about."""

    file: Path
    repository: Path

    def named(self, path: str) -> str:
        """Name a file of the repository from the plan's folder, as the plan has to; one of the operator's by itself."""
        if Path(path).is_absolute():
            home = os.path.expanduser("~")  # noqa: PTH111  it raises where nobody has a home
            below = Path(path).is_relative_to(home)
            return str("~" / Path(path).relative_to(home)) if below else path
        return os.path.relpath(self.repository.resolve() / path, self.file.resolve().parent)

    @property
    def roots(self) -> Path:
        """Where the roots are written, where no file has them."""
        return self.file.parent / FOLDER / "roots.yaml"

    @property
    def inventory(self) -> Path:
        """Where the inventory is written."""
        return self.file.parent / FOLDER / "inventory.yaml"

    @property
    def schema(self) -> Path:
        """Where an editor finds what a plan may say: the program's own file, which nobody reviews."""
        return self.file.parent / FOLDER / SCHEMA

    @property
    def outputs(self) -> tuple[Path, ...]:
        """All that is written to be reviewed, the plan last."""
        return self.roots, self.inventory, self.file


def plan(draft: Draft, place: Place) -> str:
    """Return the text of recovery.yaml. The same repository gives the same text."""
    lines = [
        f"# yaml-language-server: $schema={FOLDER}/{SCHEMA}",
        "# Written by `rekindle init`, to be reviewed: values say where they are from, `not known:` what nobody said.",
        "# Paths are relative to this file. The machine (states, deadlines, attempts) is the built-in one.",
        *_cluster(draft),
        *_talos(draft, place),
        *_kubernetes(draft),
        *_cni(draft),
        *_flux(draft, place),
        "# What should exist; `rekindle inventory --from both` makes it anew, with what Helm brings.",
        f"inventory: {{file: {FOLDER}/inventory.yaml}}",
        *_commands(draft, place),
        *_repository(place),
        *_comments(draft.found.notes),
    ]
    return _read_back("".join(f"{plain(line)}\n" for line in lines))


def roots(draft: Draft) -> str:
    """Return the text of the roots that a FluxInstance keeps out of Git; empty: there is none, or it is not known."""
    sync = draft.roots.sync
    if sync is None:
        return ""
    name, namespace = _flow(sync.name), _flow(sync.namespace.value)
    secret = []
    if sync.secret is not None and sync.secret.known:
        secret = [f"  secretRef: {{name: {_flow(sync.secret.value)}}} # {sync.secret.origin}"]
    lines = [
        f"# The first objects of Flux, as the FluxInstance of {sync.origin} makes them. They must say what it says:",
        "# compare `kubectl -n NAMESPACE get gitrepository,kustomization NAME -o yaml`, while the cluster is well.",
        "apiVersion: source.toolkit.fluxcd.io/v1",
        "kind: GitRepository",
        f"metadata: {{name: {name}, namespace: {namespace}}}",
        "spec:",
        f"  interval: {_block(sync.interval.value)} # {sync.interval.origin}",
        f"  url: {_block(sync.url.value)} # {sync.url.origin}",
        f"  ref: {{name: {_flow(sync.ref.value)}}} # {sync.ref.origin}",
        *secret,
        "---",
        "apiVersion: kustomize.toolkit.fluxcd.io/v1",
        "kind: Kustomization",
        f"metadata: {{name: {name}, namespace: {namespace}}}",
        "spec:",
        "  interval: 10m # what flux-operator writes; it has no setting",
        f"  path: {_block(sync.path.value)} # {sync.path.origin}",
        "  prune: true # what flux-operator writes",
        f"  sourceRef: {{kind: GitRepository, name: {name}}}",
    ]
    return "".join(f"{plain(line)}\n" for line in lines)


def _cluster(draft: Draft) -> Iterator[str]:
    name = draft.machines.cluster
    if name.value == "kubernetes":
        yield "# The template calls every cluster so. Journals are named by it: if you have several, name each."
    yield from _value("cluster", name, "")


def _talos(draft: Draft, place: Place) -> Iterator[str]:
    machines, talosconfig = draft.machines, draft.credentials
    yield "talos:"
    if machines.version.known:
        yield f"  # Talos {machines.version.value} ({machines.version.origin}): use a talosctl of that version."
    else:
        yield f"  {_NOT_KNOWN}the version of Talos: {machines.version.unknown}"
    yield from _comments([*draft.notes, *machines.notes, *talosconfig.notes], "  ")
    there = "" if talosconfig.there else ", and is not there yet"
    yield f"  talosconfig: {_block(place.named(talosconfig.talosconfig))} # {talosconfig.why}{there}"
    yield f"  # The nodes of {machines.file}, each with its own address: a wiped node answers there and nowhere else,"
    if machines.endpoint.known:
        yield f"  # not at {machines.endpoint.value} ({machines.endpoint.origin})."
    yield f"  # `{machines.render}` in {machines.folder}/ writes the configurations; rekindle applies what is there."
    yield "  nodes:"
    written = [line for node in machines.nodes for line in _node(draft, node, place)]
    yield from written
    if not any(node.name.known for node in machines.nodes):
        yield "    {}"


def _node(draft: Draft, node: Machine, place: Place) -> Iterator[str]:
    if not node.name.known:
        yield f"    {_NOT_KNOWN}a node: {node.name.unknown}"
        return
    fields = {"address": node.address, "role": node.role, "config": node.config}
    for name, value in fields.items():
        if not value.known:
            yield f"    {_NOT_KNOWN}{name} of {node.name.value}: {value.unknown}"
    if node.name.value in draft.machines.shared:
        yield f"    {_NOT_KNOWN}whether this address is its own: the endpoint has it, too"
    known = {name: value.value for name, value in fields.items() if value.known}
    if "config" in known:
        known["config"] = place.named(known["config"])
    there = "" if not node.config.known or draft.found.has(node.config.value) else "; not there yet"
    inside = ", ".join(f"{name}: {_flow(value)}" for name, value in known.items())
    yield f"    {_flow(node.name.value)}: {{{inside}}} # {node.name.origin}{there}"


def _kubernetes(draft: Draft) -> Iterator[str]:
    yield "kubernetes:"
    yield f"  kubeconfig: {FOLDER}/kubeconfig # a file of rekindle's own, fetched from Talos; keep it out of Git"
    yield from _comments(draft.of_api(), "  ")


def _cni(draft: Draft) -> Iterator[str]:
    network, apps = draft.network, draft.recipes.apps
    yield "cni:"
    yield from _value("daemonset", network.daemonset, "  ")
    known = [value for value in network.deployments if value.known]
    if known:
        inside = ", ".join(_flow(value.value) for value in known)
        yield f"  deployments: [{inside}] # {', '.join(dict.fromkeys(v.origin for v in known))}"
    yield from _comments(network.notes, "  ")
    if apps is not None:
        yield "  command: apps"
    else:
        yield f"  {_NOT_KNOWN}command: see commands"


def _flux(draft: Draft, place: Place) -> Iterator[str]:
    found = draft.roots
    yield "flux:"
    if found.file:
        yield f"  roots: {_block(place.named(found.file))}"
    elif found.sync is not None:
        yield f"  roots: {FOLDER}/roots.yaml # made from {found.sync.origin}"
    yield from _comments(draft.of_flux(), "  ")
    if found.source.known and found.source.value != Flux.model_fields["source"].default:
        yield f"  source: {_block(found.source.value)} # {found.source.origin}"
        namespace = found.source.value.partition("/")[0]
        if found.sync is not None and namespace != FLUX:
            names = [key.partition("/")[2] for key in Flux.model_fields["controllers"].default]
            inside = ", ".join(_flow(f"{namespace}/{name}") for name in names)
            yield f"  controllers: [{inside}]"


def _commands(draft: Draft, place: Place) -> Iterator[str]:
    apps = draft.recipes.apps
    yield from _comments(draft.recipes.notes)
    if apps is None:
        yield "# Write it as `apps: {argv: [PROGRAM, ARGUMENT], deadline: 15m}`, and `command: apps` below cni."
        yield "commands: {}"
        return
    yield "commands:"
    yield f"  apps: # {apps.origin}; that it can be run again, as the template's can, is taken for granted"
    yield from (f"    # {line}" for line in apps.said)
    yield f"    argv: [{', '.join(map(_flow, apps.argv))}]"
    yield f"    deadline: {apps.deadline} # not known: how long it takes here; a beginning"
    folder = place.named(".")
    if folder != ".":
        yield f"    directory: {_block(folder)}"
    yield from _environment(apps)


def _environment(apps: Command) -> Iterator[str]:
    for name, value in apps.environment.items():
        if value.known:
            yield f"    environment: {{{name}: {_flow(value.value)}}} # {value.origin}"
        else:
            yield f"    {_NOT_KNOWN}environment: {value.unknown}"


def _repository(place: Place) -> Iterator[str]:
    folder = place.named(".")
    if folder != ".":
        yield f"repository: {_block(folder)}"


def _value(key: str, value: Said, indent: str) -> Iterator[str]:
    if value.known:
        yield f"{indent}{key}: {_block(value.value)} # {value.origin}"
    else:
        yield f"{indent}{_NOT_KNOWN}{key}: {value.unknown}"


def _comments(notes: Iterable[str], indent: str = "") -> Iterator[str]:
    return (f"{indent}{_NOT_KNOWN}{note}" for note in notes)


def _flow(text: str) -> str:
    """Write a scalar so that it is the same text again, in a flow collection as well, on one line."""
    style = None if text.isprintable() else '"'
    dumped = yaml.safe_dump(
        [text],
        default_flow_style=True,
        default_style=style,
        width=1 << 30,
        allow_unicode=style is None,
    )
    return dumped.strip()[1:-1]


def _block(text: str) -> str:
    """Write a scalar that stands alone: a URL needs no quotes there."""
    if not text.isprintable():
        return _flow(text)
    return yaml.safe_dump(text, width=1 << 30, allow_unicode=True).removesuffix("...\n").strip()


def _read_back(text: str) -> str:
    """What cannot be read back is not written."""
    _, _, problems = read_yaml(YamlFile("recovery.yaml", text))
    if problems:
        raise OurBug(
            f"the plan does not read back: {'; '.join(map(str, problems))}",
            reference="our-bug",
            hint="nothing was written; send the report",
        )
    return text
