"""
Whether anybody is left who may bring what is not there: asked before it is said that it never comes.

Who is Ready has brought what it has, who is suspended brings nothing, and who waits behind what is missing comes only
after it. Everybody else of Flux may be about to bring it, and what applies that as well; so may an object of Flux that
the inventory expects and nobody has applied yet. Without an inventory Flux at rest is all that is known of the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf

from engine.answer import Subject
from journal.entries import Instant
from phases import codes
from phases.diagnosis.graph import onward
from phases.diagnosis.scene import Scene, instant, subject_of
from phases.diagnosis.structure import FLUX_KINDS, blocking
from phases.objects import Condition, condition


def may_come(
    scene: Scene, askers: Iterable[Subject], asked_at: Instant | None = None, pause: float = inf
) -> bool:
    """
    Say whether something of Flux may still bring what *askers* miss.

    *asked_at*: since when they ask, where nobody but they can tell that it has come; *pause*: how long at most until
    they ask again, as far as that is known.
    """
    behind = _behind(scene, askers)
    return any(_is_absent(scene, behind)) or any(_is_at_work(scene, behind, asked_at, pause))


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
