"""
Kustomizations that are Ready since before a CRD of what they hold was made anew.

A CRD takes every object of its kind with it (kubernetes v1.36 apiextensions-apiserver, crd_finalizer.go), and who
applied some of them says Ready as before, until it looks again at its interval: no inventory knows what it lacks, so
that without this a run is done without them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from journal.entries import Fact, Instant
from phases.codes import READY
from phases.objects import CustomResourceDefinition, Flux, condition
from phases.readiness.flux import SAYS_READY
from phases.readiness.saying import blocked, since_of

FAMILY = "crd/"
# Two clocks: the API server's says when a CRD was made, its controller's when a Kustomization became Ready.
SKEW_SECONDS = 10.0


class Kind(NamedTuple):
    """A kind that something needs: the name of its CRD, how a cause names it, and since when the CRD is there."""

    crd: str
    name: str
    made_at: Instant


def newest(needs: Iterable[str], crds: Mapping[str, Any]) -> Kind | None:
    """Return the kind whose CRD is the youngest of those that something *needs*; None: there is none of them."""
    names = (need.removeprefix(FAMILY) for need in needs if need.startswith(FAMILY))
    there = (found for found in map(crds.get, names) if found is not None)
    return max(filter(None, map(_kind, there)), key=lambda kind: kind.made_at, default=None)


def _kind(found: CustomResourceDefinition) -> Kind | None:
    made = found.metadata.creation_timestamp
    if made is None or found.metadata.deletion_timestamp is not None:
        return None
    names = found.spec.names
    return Kind(found.metadata.name, f"{names.kind}.{found.spec.group}", made.timestamp())


def held_against(fact: Fact, found: Flux | None, kind: Kind | None) -> Fact:
    """Correct the verdict on a Kustomization that needs *kind*, as the youngest that it needs."""
    if found is None or kind is None or fact.code != READY or "uid" not in fact.detail:
        return fact  # one that Git suspends brings nothing, whoever asks it to
    since = since_of(condition(found.status.conditions, "Ready"))
    if since is None or since + SKEW_SECONDS >= kind.made_at:
        return fact
    text = f"CRD {kind.crd} was made anew since: what was applied of that kind is gone"
    return blocked(text, f"kind:{kind.name}", kind.made_at, {**fact.detail, **SAYS_READY})
