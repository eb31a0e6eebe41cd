"""
What should exist, by the operator's Git tree: Flux Kustomizations rendered from the roots down.

What Helm renders is not known here: a release is listed, its workloads are not. Nor is what another source brings, or
what a ResourceSet makes; *notes* says so. What Git suspends is listed and brings nothing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from phases.inventory import KEY, NAME, SCHEMA
from phases.kinds import WORKLOADS
from rekindle.adapters import described, manifests, needed, substitution
from rekindle.adapters.described import Object, key_of, name_of, spec_of
from rekindle.adapters.kustomize import KustomizeFailed, Tree
from rekindle.adapters.needed import Needed
from rekindle.adapters.programs import ProgramFailed, ask

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path, PurePosixPath

    from phases.kinds import Held
    from phases.wants import Named

KUSTOMIZATIONS_LIMIT = 2000
_GIT_SECONDS = 5.0
_READ = (described.GROUPS, described.MAKERS, needed.NAMED)


@dataclass(frozen=True, slots=True)
class Rendered:
    """
    *inventory* in its schema; *unknown* maps the Kustomizations of another source to that source (``Kind NS/NAME``).

    *notes*: a sentence for each other thing that cannot be known from here. *held*: what each Kustomization
    brings, for a CRD that only a cluster has. *classes*: who brings each StorageClass, for claims
    that only a cluster has. *named*: what objects name that the tree has not.
    """

    inventory: dict[str, Any]
    unknown: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    held: Mapping[str, Held] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)
    named: Mapping[str, tuple[Named, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class _Found:
    """What was found so far, by key."""

    nodes: tuple[str, ...]
    namespaces: set[str] = field(default_factory=set)
    kustomizations: dict[str, Object] = field(default_factory=dict)
    helmreleases: dict[str, Object] = field(default_factory=dict)
    externalsecrets: dict[str, Object] = field(default_factory=dict)
    stores: dict[str, Object] = field(default_factory=dict)
    crds: dict[str, Object] = field(default_factory=dict)
    workloads: dict[tuple[str, str], Object] = field(default_factory=dict)
    configmaps: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    needed: Needed = field(default_factory=Needed)

    def add(self, found: Object, parent: str | None) -> None:
        """Take an object in, if it is of a kind that counts."""
        if described.counts(found, described.MAKERS):
            self.note(f"what {found['kind']} {key_of(found)} makes")
        self.needed.take(found, parent)
        if not described.counts(found):
            return
        if not (NAME.fullmatch(name_of(found)) and KEY.fullmatch(key_of(found))):
            self.note(f"{found['kind']} {key_of(found)}, for its name cannot be told")
            return
        match found["kind"]:
            case "Namespace":
                self.namespaces.add(name_of(found))
            case "HelmRelease":
                item = self.needed.ask(found, parent, described.release(found, parent))
                self.helmreleases[key_of(found)] = item
                self.namespaces |= {described.release_namespace(found)} - {""}
            case "ExternalSecret":
                self.externalsecrets[key_of(found)] = described.secret(found, parent)
            case "ClusterSecretStore":
                self.stores[name_of(found)] = {"name": name_of(found), "parent": parent}
            case "CustomResourceDefinition":
                self.crds[name_of(found)] = described.crd(found, parent)
                self.needed.defined[described.defined(found)] = name_of(found)
            case "ConfigMap":
                data = described.sub(found, "data")
                self.configmaps[key_of(found)] = {str(k): str(v) for k, v in data.items()}
            case str(kind) if kind in WORKLOADS:
                item = described.workload(found, parent, len(self.nodes))
                self.workloads[kind, key_of(found)] = self.needed.ask(found, parent, item)

    def note(self, text: str) -> None:
        """Remember, once, that something cannot be known."""
        self.notes[text] = None


@dataclass(slots=True)
class _Walk:
    """
    From the roots down. *waiting* are Kustomizations that name a ConfigMap which was not rendered yet.

    *ours*: kind and key of the source whose tree this is; None if the roots do not say. *included*: what that takes in
    of others, by folder.
    """

    tree: Tree
    ours: tuple[str, str] | None
    found: _Found
    queue: deque[tuple[Object, str | None]] = field(default_factory=deque)
    waiting: list[tuple[Object, str | None]] = field(default_factory=list)
    unknown: dict[str, str] = field(default_factory=dict)
    included: dict[PurePosixPath, str] = field(default_factory=dict)

    def sort_in(self, item: Object, parent: str | None) -> None:
        """Queue Flux Kustomizations, count the rest."""
        if item.get("kind") == "Kustomization":
            if described.counts(item):
                self.queue.append((item, parent))
            return
        self.found.add(item, parent)

    def go(self) -> None:
        """Render until nothing is left. Who waits for a ConfigMap in vain goes on without it, one at a time."""
        while self.queue or self.waiting:
            last = not self.queue
            if last:
                here = [pair for pair in self.waiting if not self._given(pair[0]).awaited]
                pair = (here or self.waiting)[0]
                self.waiting.remove(pair)
            else:
                pair = self.queue.popleft()
            if self._given(pair[0]).awaited and not last:
                self.waiting.append(pair)
                continue
            self._render(*pair)

    def _given(self, flux: Object) -> substitution.Variables:
        namespace = described.namespace_of(flux)
        return substitution.variables(spec_of(flux), namespace, self.found.configmaps)

    def _render(self, flux: Object, parent: str | None) -> None:
        """List a Kustomization, and take in what it brings, as far as that is in this tree."""
        key, spec = key_of(flux), spec_of(flux)
        if not KEY.fullmatch(key):
            self.found.note(f"Kustomization {key}, for its name cannot be told")
            return
        if key in self.found.kustomizations:
            return
        item = described.kustomization(flux, parent)
        self.found.kustomizations[key] = self.found.needed.ask(flux, parent, item)
        _limit(self.found)
        kind, source = described.source_of(flux)
        included = self._included(str(spec.get("path") or ""))
        if self._is_foreign(kind, source):
            self.unknown[key] = f"{kind} {source}"
        elif included:
            self.unknown[key] = f"GitRepository {included}, which {source} includes"
        elif described.is_suspended(flux):
            self.found.note(f"what Kustomization {key} would bring: Git suspends it")
        elif spec.get("kubeConfig"):
            self.found.note(f"what Kustomization {key} brings: it is for another cluster")
        else:
            self._take_in(key, flux)

    def _is_foreign(self, kind: str, source: str) -> bool:
        """Say whether a source is another than this tree's; a tree is that of a GitRepository."""
        if self.ours is None:
            return kind not in {"", "GitRepository"}
        return (kind, source) != self.ours

    def _included(self, path: str) -> str:
        """Name the GitRepository that a path lies in, where that is none of this tree."""
        folder = described.folder_of(path)
        within = (folder, *folder.parents)
        return next((key for at, key in self.included.items() if at in within), "")

    def _take_in(self, key: str, flux: Object) -> None:
        given = self._given(flux)
        for item in self.tree.build(spec_of(flux)):
            self.found.needed.hold(flux, item)
            if not any(described.counts(item, kinds) for kinds in _READ):
                continue
            try:
                made, unknown = substitution.substituted(item, given)
            except ValueError as error:
                what = f"{item.get('kind')} {key_of(item)}"
                raise KustomizeFailed(
                    f"{what} of Kustomization {key} is {error} once its variables are filled in",
                    reference="kustomize-failed",
                    hint="Flux would fail in the same way: quote the value, in Git",
                ) from error
            if unknown:
                names = ", ".join(sorted(unknown))
                self.found.note(f"the value of {names} in Kustomization {key}")
            self.sort_in(made, key)


def inventory(
    tree: Path, roots: Path, nodes: Iterable[str] = (), source: str | None = None
) -> Rendered:
    """
    Render the tree from its *roots* (manifests of the source and the root Kustomizations).

    *source* is the key of the GitRepository that the tree is; else the first one of the roots, else that which the
    first root follows. Raise a Diagnosed error for what does not build.
    """
    found = _Found(tuple(nodes))
    given = manifests.read(roots)
    ours = _ours(given, source)
    itself = _itself(given, ours)
    with Tree(tree, str(spec_of(itself).get("ignore") or "")) as copy:
        walk = _Walk(copy, ours, found, included=described.included(itself))
        for item in given:
            walk.sort_in(item, None)
        walk.go()
    found.notes.update(copy.notes)
    if not found.kustomizations:
        raise KustomizeFailed(
            f"{roots} has no Flux Kustomization",
            reference="roots-empty",
            hint="name the manifests of the root Kustomizations: flux.roots in the plan, or --roots",
        )
    return Rendered(
        _written(found, ours, sorted(walk.unknown)),
        walk.unknown,
        tuple(found.notes),
        found.needed.held,
        found.needed.brought.stored.classes,
        found.needed.named,
    )


def revision(tree: Path) -> str:
    """Return the commit that the tree is at; empty when that cannot be told."""
    return _git(tree, "rev-parse", "HEAD") or ""


def is_changed(tree: Path) -> bool:
    """Say whether the tree has changes that no commit has."""
    return bool(_git(tree, "status", "--porcelain", "--", "."))


def _git(tree: Path, *arguments: str) -> str | None:
    try:
        answer = ask(["git", "-C", str(tree), *arguments], seconds=_GIT_SECONDS)
    except ProgramFailed:
        return None
    return answer.stdout.decode(errors="replace").strip() if answer.code == 0 else None


def _ours(given: list[Object], source: str | None) -> tuple[str, str] | None:
    """Find the source whose tree is rendered."""
    if source is not None:
        return "GitRepository", source
    named = [key_of(item) for item in given if item.get("kind") == "GitRepository"]
    roots = [
        item for item in given if item.get("kind") == "Kustomization" and described.counts(item)
    ]
    if not named and roots:
        kind, key = described.source_of(roots[0])
        named = [key] if kind == "GitRepository" else []
    return ("GitRepository", named[0]) if named else None


def _itself(given: list[Object], ours: tuple[str, str] | None) -> Object:
    """Return the source, where the roots bring it."""
    return next((item for item in given if (item.get("kind"), key_of(item)) == ours), {})


def _limit(found: _Found) -> None:
    """End a tree that brings forth Kustomizations without end."""
    if len(found.kustomizations) > KUSTOMIZATIONS_LIMIT:
        raise KustomizeFailed(
            f"more than {KUSTOMIZATIONS_LIMIT} Kustomizations",
            reference="tree-too-large",
            hint="name the roots of a single cluster",
        )


def _written(found: _Found, ours: tuple[str, str] | None, unknown: list[str]) -> dict[str, Any]:
    """Write it all down in the schema's order."""
    found.needed.tell(ours, found.crds, found.workloads.values())
    workloads = sorted(found.workloads.values(), key=lambda item: (item["key"], item["kind"]))
    namespace, _, name = ours[1].partition("/") if ours is not None else ("", "", "")
    return {
        "schema": SCHEMA,
        "nodes": list(found.nodes),
        "source": {"kind": "GitRepository", "namespace": namespace, "name": name} if ours else None,
        "roots": [key for key, item in found.kustomizations.items() if item["parent"] is None],
        "namespaces": sorted(found.namespaces),
        "kustomizations": _sorted_by_key(found.kustomizations),
        "helmreleases": _sorted_by_key(found.helmreleases),
        "externalsecrets": _sorted_by_key(found.externalsecrets),
        "stores": _sorted_by_key(found.stores),
        "crds": _sorted_by_key(found.crds),
        "workloads": workloads,
        "pods": sum(item["pods"] for item in workloads),
        "unknown": unknown,
    }


def _sorted_by_key(items: dict[str, Object]) -> list[Object]:
    """Return the values in the order of their keys."""
    return [items[key] for key in sorted(items)]
