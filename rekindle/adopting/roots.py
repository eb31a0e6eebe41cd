"""
The first objects of Flux: the source and the Kustomization that follows it, as a file or as what a FluxInstance makes.

A FluxInstance keeps them out of Git, so they are written down: named as the operator names them (flux-operator,
``internal/builder/templates.go`` at 005396e3: GitRepository and Kustomization ``NAMESPACE/NAMESPACE``, the latter every
10 minutes, pruning), with the interval of its chart where none is given (flux-instance ``values.yaml``: 1 minute).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from engine.errors import UsageWrong
from rekindle.adopting.found import Found, names_of
from rekindle.adopting.reading import Document, Said, SourceUnreadable, documents_of, said, text_of

INTERVAL = "1m"
_SYNCS = (("spec", "values", "instance", "sync"), ("instance", "sync"), ("spec", "sync"))
_LIKELY = re.compile(r"FluxInstance|flux-instance|^[ \t]*sync:|kind:\s*GitRepository", re.MULTILINE)
_BOOTSTRAPPED = "gotk-sync.yaml"
_CREDENTIALS = re.compile(r"^https?://[^/@]*@")
_SOURCE_GROUP, _KUSTOMIZE_GROUP = "source.toolkit.fluxcd.io/", "kustomize.toolkit.fluxcd.io/"


@dataclass(frozen=True, slots=True)
class Sync:
    """What a FluxInstance says of its source; *name* is that of both objects and of their namespace."""

    origin: str
    url: Said
    ref: Said
    path: Said
    interval: Said
    namespace: Said
    name: str
    secret: Said | None


@dataclass(frozen=True, slots=True)
class Pair:
    """A file in which a Kustomization of this tree follows a source; *says* is what two such files may share."""

    file: str
    source: Said
    says: frozenset[str]


@dataclass(slots=True)
class Roots:
    """
    *file* has the manifests; *sync* has to be written into one. Neither: not known, and *notes* say why.

    *source* is the GitRepository's ``NAMESPACE/NAME``.
    """

    file: str = ""
    sync: Sync | None = None
    source: Said = field(default_factory=lambda: Said(unknown="no source was found"))
    choices: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read(found: Found, given: str) -> Roots:
    """
    Find the roots; *given* is the file that the operator named (empty: none).

    :raises UsageWrong: when there are several and nothing says which.
    """
    roots = Roots()
    if given:
        return _named(found, given, roots)
    files, syncs = _look(found, roots)
    # What `flux bootstrap` wrote is no guess; a FluxInstance is none either; a pair in a file may be an application's.
    bootstrapped = [pair for pair in files if pair.file.endswith(_BOOTSTRAPPED)]
    known = [sync for sync in syncs if sync.url.known]
    if len(bootstrapped) + len({(s.url.value, s.path.value) for s in known}) > 1:
        raise _several([pair.file for pair in bootstrapped] + [sync.origin for sync in known])
    if bootstrapped or (files and not syncs and len({pair.says for pair in files}) == 1):
        taken = (bootstrapped or files)[0]
        roots.file, roots.source = taken.file, taken.source
    elif syncs:
        _instance(found, (known or syncs)[0], roots)
    elif files:
        raise _several([pair.file for pair in files])
    else:
        roots.notes.append(
            "flux.roots: no GitRepository with a Kustomization beside it is here, and no FluxInstance"
        )
    # An application may bring a source of its own; that it is none of the roots goes without saying.
    others = [
        pair.file
        for pair in files
        if pair.file != roots.file and "apps" not in pair.file.split("/")
    ]
    place = roots.file or (roots.sync.origin if roots.sync else "")
    if others and place:
        roots.choices.append(f"the roots of {place} rather than those of {', '.join(others)}")
    return roots


def _look(found: Found, roots: Roots) -> tuple[list[Pair], list[Sync]]:
    files: list[Pair] = []
    syncs: list[Sync] = []
    for file in found.manifests:
        try:
            if not _LIKELY.search(text_of(found.root, file)):
                continue
            documents = documents_of(found.root, file)
        except SourceUnreadable as error:
            # Anything may lie in a repository; what Flux would read is judged when the tree is rendered.
            if "flux" in file:
                roots.notes.append(f"what {file} says: {error.message}")
            continue
        pair = _pair(found, file, documents)
        if pair is not None:
            files.append(pair)
        syncs += [sync for document in documents if (sync := _sync(document)) is not None]
    return files, syncs


def _named(found: Found, given: str, roots: Roots) -> Roots:
    """Take the manifests that the operator named."""
    documents = documents_of(found.root, given)
    roots.file = given
    for document in documents:
        if _is(document, _SOURCE_GROUP, "GitRepository"):
            roots.source = _key(document)
            return roots
    roots.notes.append(f"flux.source: {given} has no GitRepository")
    return roots


def _pair(found: Found, file: str, documents: list[Document]) -> Pair | None:
    """The GitRepository of a file in which a Kustomization of this tree follows it."""
    followers = [one for one in documents if _is(one, _KUSTOMIZE_GROUP, "Kustomization")]
    for source in documents:
        if not _is(source, _SOURCE_GROUP, "GitRepository"):
            continue
        name = source.get("metadata", "name")
        ours = [one for one in followers if one.get("spec", "sourceRef", "name") == name]
        if any((found.root / _folder(one.get("spec", "path"))).is_dir() for one in ours):
            says = (f"{one.get('metadata', 'name')} {one.get('spec', 'path')}" for one in ours)
            return Pair(file, _key(source), frozenset({str(source.get("spec", "url")), *says}))
    return None


def _folder(path: object) -> str:
    return str(path or ".").removeprefix("./").strip("/")


def _is(document: Document, group: str, kind: str) -> bool:
    return document.get("kind") == kind and str(document.get("apiVersion")).startswith(group)


def _key(document: Document) -> Said:
    name = document.said("metadata", "name")
    if not name.known:
        return name
    namespace = document.get("metadata", "namespace") or "flux-system"
    return said(f"{namespace}/{name.value}", name.origin, "metadata.name")


def _sync(document: Document) -> Sync | None:
    """Read ``sync`` of a FluxInstance, of its chart's values, or of the HelmRelease with them."""
    for keys in _SYNCS:
        if keys == ("spec", "sync") and document.get("kind") != "FluxInstance":
            continue
        if not document.mapping(*keys).get("url"):
            continue
        namespace = _namespace(document)
        given = document.said(*keys, "interval")
        if document.get(*keys, "interval") is None:
            given = Said(INTERVAL, "the chart's default")
        return Sync(
            origin=document.at(*keys),
            url=_without_credentials(document.said(*keys, "url")),
            ref=document.said(*keys, "ref"),
            path=document.said(*keys, "path"),
            interval=given,
            namespace=namespace,
            name=str(document.get(*keys, "name") or namespace.value),
            secret=document.said(*keys, "pullSecret")
            if document.get(*keys, "pullSecret")
            else None,
        )
    return None


def _namespace(document: Document) -> Said:
    """Flux' namespace: the object's own, else by the template's folders, else the one that everybody has."""
    own = document.said("metadata", "namespace")
    if own.known:
        return own
    folders = document.file.split("/")[:-1]
    if "apps" in folders[:-1]:
        return Said(folders[folders.index("apps") + 1], f"the folder of {document.file}")
    return Said("flux-system", "Flux' usual one")


def _without_credentials(url: Said) -> Said:
    """Flux takes credentials from a Secret; a URL that carries some is not copied."""
    if url.known and _CREDENTIALS.match(url.value):
        return Said("", url.origin, f"url at {url.origin} has credentials in it")
    return url


def _instance(found: Found, sync: Sync, roots: Roots) -> None:
    unknown = [
        value.unknown for value in (sync.url, sync.ref, sync.path, sync.interval) if value.unknown
    ]
    roots.source = Said(f"{sync.namespace.value}/{sync.name}", sync.namespace.origin)
    if unknown:
        roots.notes += [f"flux.roots: {why}" for why in unknown]
        return
    roots.sync = sync
    path = _folder(sync.path.value)
    if not (found.root / path).is_dir():
        roots.notes.append(
            f"what Flux brings first: {sync.path.origin} names {path}, no folder here"
        )


def _several(places: list[str]) -> UsageWrong:
    return UsageWrong(
        "several places say what Flux follows first, and nothing says which is this cluster's:\n"
        + "\n".join(names_of(places)),
        reference="init-ambiguous",
        hint="name the file with the source and the root Kustomizations: `rekindle init --roots FILE`; "
        "nothing was written",
    )
