"""
What should exist, by the operator's Git tree: Flux Kustomizations rendered from the roots down.

What Helm renders is not known here: a release is listed, its workloads are not. Nor is what another source brings.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rekindle.adapters import manifests
from rekindle.adapters.kustomize import KustomizeFailed, Tree
from rekindle.adapters.programs import ProgramFailed, ask

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

SCHEMA = "rekindle.inventory/1"
KUSTOMIZATIONS_LIMIT = 2000
_GIT_SECONDS = 5.0
_FLUX_GROUP = "kustomize.toolkit.fluxcd.io/"
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::?[=-]([^}]*))?\}")
_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
Object = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rendered:
    """*inventory* in its schema; *unknown* names the Kustomizations that follow a source of their own."""

    inventory: dict[str, Any]
    unknown: tuple[str, ...] = ()


@dataclass(slots=True)
class _Found:
    """What was found so far, by key."""

    nodes: tuple[str, ...]
    namespaces: set[str] = field(default_factory=set)
    kustomizations: dict[str, Object] = field(default_factory=dict)
    helmreleases: dict[str, Object] = field(default_factory=dict)
    externalsecrets: dict[str, Object] = field(default_factory=dict)
    stores: set[str] = field(default_factory=set)
    crds: dict[str, Object] = field(default_factory=dict)
    workloads: dict[tuple[str, str], Object] = field(default_factory=dict)

    def add(self, found: Object, parent: str | None) -> None:
        """Take an object in, if it is of a kind that counts."""
        match found.get("kind"):
            case "Namespace":
                self.namespaces.add(_name(found))
            case "HelmRelease":
                self.helmreleases[_key(found)] = _released(found, parent)
            case "ExternalSecret":
                self.externalsecrets[_key(found)] = {
                    "key": _key(found),
                    "parent": parent,
                    "store": str(_sub(_spec(found), "secretStoreRef").get("name", "")),
                }
            case "ClusterSecretStore":
                self.stores.add(_name(found))
            case "CustomResourceDefinition":
                provider = f"kustomization/{parent}" if parent else ""
                self.crds[_name(found)] = {"name": _name(found), "provider": provider}
            case str(kind) if kind in _WORKLOADS:
                self.workloads[kind, _key(found)] = _workload(found, parent, len(self.nodes))


def inventory(tree: Path, roots: Path, nodes: Iterable[str] = ()) -> Rendered:
    """
    Render the tree from its *roots* (manifests of the source and the root Kustomizations).

    Raise a Diagnosed error for what does not build, or has a key twice.
    """
    found = _Found(tuple(nodes))
    given = manifests.read(roots)
    source = next((item for item in given if item.get("kind") == "GitRepository"), None)
    ours = _source_key(source) if source else None
    queue: deque[tuple[Object, str | None]] = deque()
    for item in given:
        _sort_in(item, None, found, queue)
    unknown = []
    with Tree(tree) as copy:
        while queue:
            flux, parent = queue.popleft()
            key = _key(flux)
            if key in found.kustomizations:
                continue
            found.kustomizations[key] = _kustomization(flux, parent)
            _limit(found)
            if ours is not None and _source_of(flux) != ours:
                unknown.append(key)
                continue
            for item in substituted(copy.build(_spec(flux)), _spec(flux)):
                _sort_in(item, key, found, queue)
    return Rendered(_written(found, source), tuple(unknown))


def revision(tree: Path) -> str:
    """Return the commit that the tree is at; empty when that cannot be told."""
    try:
        answer = ask(["git", "-C", str(tree), "rev-parse", "HEAD"], seconds=_GIT_SECONDS)
    except ProgramFailed:
        return ""
    return answer.stdout.decode(errors="replace").strip() if answer.code == 0 else ""


def substituted(objects: list[Object], spec: Object) -> list[Object]:
    """Fill in the variables that the Kustomization itself gives; others stay as they stand."""
    build = _sub(spec, "postBuild")
    values = {str(name): str(value) for name, value in _sub(build, "substitute").items()}
    if not build:
        return objects

    def value_of(match: re.Match[str]) -> str:
        """Return a variable's value, or its default, or the text as it stands."""
        if match.group(1) in values:
            return values[match.group(1)]
        return match.group(0) if match.group(2) is None else match.group(2)

    def fill(value: Any) -> Any:  # noqa: ANN401  JSON
        """Go through all strings."""
        if isinstance(value, dict):
            return {key: fill(item) for key, item in value.items()}
        if isinstance(value, list):
            return [fill(item) for item in value]
        return _VARIABLE.sub(value_of, value) if isinstance(value, str) else value

    return [fill(item) for item in objects]


def _sort_in(
    item: Object,
    parent: str | None,
    found: _Found,
    queue: deque[tuple[Object, str | None]],
) -> None:
    """Queue Flux Kustomizations, count the rest."""
    if item.get("kind") == "Kustomization":
        if str(item.get("apiVersion", "")).startswith(_FLUX_GROUP):
            queue.append((item, parent))
        return
    found.add(item, parent)


def _limit(found: _Found) -> None:
    """End a tree that brings forth Kustomizations without end."""
    if len(found.kustomizations) > KUSTOMIZATIONS_LIMIT:
        raise KustomizeFailed(
            f"more than {KUSTOMIZATIONS_LIMIT} Kustomizations",
            reference="tree-too-large",
            hint="name the roots of a single cluster",
        )


def _kustomization(flux: Object, parent: str | None) -> Object:
    """Describe a Flux Kustomization."""
    spec = _spec(flux)
    return {
        "key": _key(flux),
        "parent": parent,
        "depends_on": _depends_on(flux),
        "wait": bool(spec.get("wait")),
        "suspended": bool(spec.get("suspend")),
    }


def _released(flux: Object, parent: str | None) -> Object:
    """Describe a HelmRelease."""
    return {
        "key": _key(flux),
        "parent": parent,
        "depends_on": _depends_on(flux),
        "suspended": bool(_spec(flux).get("suspend")),
    }


def _workload(found: Object, parent: str | None, nodes: int) -> Object:
    """Describe a workload and its pods: a DaemonSet's are one a node."""
    replicas = _spec(found).get("replicas")
    pods = replicas if isinstance(replicas, int) else 1
    return {
        "kind": found["kind"],
        "key": _key(found),
        "pods": nodes if found["kind"] == "DaemonSet" else pods,
        "owner": f"kustomization/{parent}" if parent else "",
    }


def _written(found: _Found, source: Object | None) -> dict[str, Any]:
    """Write it all down in the schema's order."""
    by_key = _sorted_by_key
    workloads = sorted(found.workloads.values(), key=lambda item: (item["key"], item["kind"]))
    written: dict[str, Any] = {
        "schema": SCHEMA,
        "nodes": list(found.nodes),
        "source": None,
        "roots": [key for key, item in found.kustomizations.items() if item["parent"] is None],
        "namespaces": sorted(found.namespaces),
        "kustomizations": by_key(found.kustomizations),
        "helmreleases": by_key(found.helmreleases),
        "externalsecrets": by_key(found.externalsecrets),
        "stores": sorted(found.stores),
        "crds": [found.crds[name] for name in sorted(found.crds)],
        "workloads": workloads,
        "pods": sum(item["pods"] for item in workloads),
    }
    if source is not None:
        namespace, name = _key(source).split("/", 1)
        written["source"] = {"kind": "GitRepository", "namespace": namespace, "name": name}
    return written


def _sorted_by_key(items: dict[str, Object]) -> list[Object]:
    """Return the values in the order of their keys."""
    return [items[key] for key in sorted(items)]


def _source_key(source: Object) -> tuple[str, str]:
    """Return kind and key of a source."""
    return str(source.get("kind")), _key(source)


def _source_of(flux: Object) -> tuple[str, str]:
    """Return kind and key of the source that a Kustomization follows."""
    reference = _sub(_spec(flux), "sourceRef")
    namespace = reference.get("namespace") or _namespace(flux)
    return str(reference.get("kind", "")), f"{namespace}/{reference.get('name', '')}"


def _depends_on(flux: Object) -> list[str]:
    """Return the keys of what it depends on."""
    given = _spec(flux).get("dependsOn")
    references = (
        [item for item in given if isinstance(item, dict)] if isinstance(given, list) else []
    )
    return [
        f"{item.get('namespace') or _namespace(flux)}/{item.get('name')}" for item in references
    ]


def _spec(found: Object) -> Object:
    """Return the spec; anything but a mapping counts as empty."""
    return _sub(found, "spec")


def _sub(found: Object, name: str) -> Object:
    """Return a mapping inside a mapping."""
    value = found.get(name)
    return value if isinstance(value, dict) else {}


def _name(found: Object) -> str:
    """Return the name."""
    return str(_sub(found, "metadata").get("name", ""))


def _namespace(found: Object) -> str:
    """Return the namespace."""
    return str(_sub(found, "metadata").get("namespace") or "default")


def _key(found: Object) -> str:
    """Return namespace and name."""
    return f"{_namespace(found)}/{_name(found)}"
