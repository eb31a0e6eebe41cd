"""
Whether anybody is left who may bring what is not there: asked before it is said that it never comes.

Who is Ready has brought what it has, who is suspended brings nothing, and who waits behind what is missing comes only
after it. Everybody else of Flux may be about to bring it, and what applies that as well; so may an object of Flux that
the inventory expects and nobody has applied yet. Without an inventory Flux at rest is all that is known of the end.

What a Kustomization that is Ready has applied, and is not there, somebody deleted since: it is applied again, at the
latest after that Kustomization's interval (kustomize-controller 1.9 applies its whole set in every attempt).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf

from engine.answer import Subject
from journal.entries import Instant
from phases import codes
from phases.diagnosis.graph import onward
from phases.diagnosis.scene import Scene, instant, subject_of
from phases.diagnosis.structure import FLUX_KINDS, blocking, has_artifact, is_well
from phases.objects import Condition, Flux, condition

Named = tuple[str, str]  # kind and key


def may_come(
    scene: Scene,
    askers: Iterable[Subject],
    missed: Named,
    asked_at: Instant | None = None,
    pause: float = inf,
) -> bool:
    """
    Say whether something of Flux may still bring what *askers* miss.

    *missed* is what is not there. *asked_at*: since when they ask, where nobody but they can tell that it has come;
    *pause*: how long at most until they ask again, as far as that is known.
    """
    if missed in scene.once("applied", lambda: _applied(scene)):
        return True
    behind = _behind(scene, askers)
    return any(_is_absent(scene, behind)) or any(_is_at_work(scene, behind, asked_at, pause))


def _applied(scene: Scene) -> frozenset[Named]:
    """Return all that those have applied here who are Ready: what of it is gone, they make again."""
    found: set[Named] = set()
    for flux in scene.of("Kustomization").values():
        inventory = flux.status.inventory
        if inventory is not None and _applies_again(scene, flux):
            found.update(_named(entry.id) for entry in inventory.entries)
    return frozenset(found)


def _applies_again(scene: Scene, flux: Flux) -> bool:
    """Without its source it applies nothing, and be it the source that it has applied itself."""
    source = flux.spec.source_ref
    if source is None or flux.spec.suspend or flux.spec.kube_config or not is_well(flux):
        return False
    key = f"{source.namespace or flux.metadata.namespace}/{source.name}"
    return not scene.seen(source.kind) or has_artifact(scene.get(source.kind, key))


def _named(entry: str) -> Named:
    """Read an id of status.inventory (fluxcd/cli-utils pkg/object/objmetadata.go): ``NAMESPACE_NAME_GROUP_KIND``."""
    rest, _, kind = entry.rpartition("_")
    namespace, _, name = rest.rpartition("_")[0].partition("_")
    return kind, f"{namespace}/{name}" if namespace else name


def _behind(scene: Scene, askers: Iterable[Subject]) -> frozenset[Subject]:
    """Return who asks, and everything that cannot be done before them."""
    asking = frozenset(askers)
    edges = scene.once("blocking", lambda: blocking(scene))
    return asking.union(*(onward(subject, edges) for subject in asking))


def _is_absent(scene: Scene, behind: frozenset[Subject]) -> Iterator[bool]:
    """Say of each object of Flux that is expected whether it is still to be applied."""
    if scene.inventory is None:
        return
    for kind, items in (
        ("Kustomization", scene.inventory.kustomizations),
        ("HelmRelease", scene.inventory.helmreleases),
    ):
        for item in items:
            if not item.suspended and codes.subject(kind, item.key) not in behind:
                yield scene.seen(kind) and scene.get(kind, item.key) is None


def _is_at_work(
    scene: Scene, behind: frozenset[Subject], asked_at: Instant | None, pause: float
) -> Iterator[bool]:
    """Say of each object of Flux whether it may still bring something that is new."""
    for kind in FLUX_KINDS:
        yield not scene.seen(kind)
        for flux in scene.of(kind).values():
            ready = condition(flux.status.conditions, "Ready")
            # What is going may be made anew by whoever applied it.
            going = flux.metadata.deletion_timestamp is not None
            if (flux.spec.suspend and not going) or subject_of(kind, flux.metadata) in behind:
                continue
            done = ready is not None and ready.status == "True"
            # What Helm made after that is in nobody's status: who asked has not looked again.
            made = kind == "HelmRelease" and is_unread(scene, ready, asked_at, pause)
            yield going or not done or made


def is_unread(
    scene: Scene, said: Condition | None, asked_at: Instant | None, pause: float = inf
) -> bool:
    """Say whether it became what it is after somebody asked who may not have asked again since."""
    at = instant(said)
    if at is None or asked_at is None or at <= asked_at:
        return False
    return not scene.older(at, pause)
