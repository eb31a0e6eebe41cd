"""
What is known of kinds by their names alone.

Apart from the inventory, whose models take half of the time in which the rules are learned: without one, a diagnosis
needs none of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
EXTERNAL_SECRETS_CRD = "externalsecrets.external-secrets.io"


def usual_crds(kind: str, group: str) -> tuple[str, ...]:
    """Guess the names of a kind's CRD by the usual plurals: a message has no plural."""
    stem = kind.lower()
    plurals = {f"{stem}s", f"{stem}es", f"{stem.removesuffix('y')}ies", stem}
    return tuple(f"{plural}.{group}" for plural in sorted(plurals))


OPERATOR = "/flux-operator"  # how the key of its Deployment ends, as its chart names it
KEDA = ".keda.sh"  # how the CRDs end of who scales to zero what nobody asks for, and up again
# Whatever follows Flux comes after these: what installs the controllers brings their CRDs.
_OF_FLUX = (".toolkit.fluxcd.io", ".fluxcd.controlplane.io")


class Place(NamedTuple):
    """The namespace of an object that is held (empty: it has none), and all its labels."""

    namespace: str
    labels: frozenset[tuple[str, str]]


# Where objects are that are held, by group and kind; of some only the namespace is known.
Where = str | Place
Held = Mapping[tuple[str, str], Collection[Where]]


def crds_of(
    held: Held, listed: Collection[str], known: Mapping[tuple[str, str], str]
) -> dict[str, frozenset[Where]]:
    """
    Name the CRDs, of those that are *listed*, that the objects which are *held* need, with where these are.

    *known*: the CRDs of which more than a name is known, by the kind that they define. Others are told by the usual
    plurals; a kind of which none is listed is served by somebody else, and nothing is guessed.
    """
    found: dict[str, frozenset[Where]] = {}
    for (group, kind), places in held.items():
        for name in _crds_of(group, kind, listed, known):
            found[name] = found.get(name, frozenset()).union(places)
    return {name: found[name] for name in sorted(found)}


def resources_of(
    held: Held, listed: Collection[str], known: Mapping[tuple[str, str], str]
) -> dict[str, frozenset[Where]]:
    """
    Name the resources of all that is *held* (``PLURAL.GROUP``; of the core group ``PLURAL.``), with where it is.

    A kind whose CRD is not listed is named by every usual plural: a resource of that name in its group is this one.
    """
    found: dict[str, frozenset[Where]] = {}
    for (group, kind), places in held.items():
        names = tuple(_crds_of(group, kind, listed, known)) or usual_crds(kind, group)
        for name in names:
            found[name] = found.get(name, frozenset()).union(places)
    return found


def _crds_of(
    group: str, kind: str, listed: Collection[str], known: Mapping[tuple[str, str], str]
) -> Iterator[str]:
    if "." not in group or f".{group}".endswith(_OF_FLUX):
        return  # without a dot it is Kubernetes' own
    named = known.get((group, kind))
    if named is not None:
        yield named
    else:
        yield from (name for name in usual_crds(kind, group) if name in listed)
