"""
Namespaces that are on their way out and do not get there (catalogue N1-N5, N7).

The five conditions of the namespace deleter (kubernetes v1.36, pkg/controller/namespace/deletion) name the reason,
but not always: with only a pod left that has a finalizer all five are False. So what holds a namespace is listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from journal.entries import Finding, Instant
from phases import codes
from phases.diagnosis.rule import NO, UNKNOWN, YES, Proof, Rule, destructive, look, never
from phases.diagnosis.scene import Scene, deleted_at, path_of
from phases.leaks import FLUX_FINALIZER, leak_of
from phases.objects import Condition, Namespace, condition
from phases.snapshot import Holder

SOURCE: Final = "kubernetes v1.36 pkg/controller/namespace/deletion/status_condition_utils.go"
GONE: Final = "the namespace is gone, or Active again"
FINALIZE: Final = never(
    "replace the namespace's /finalize: everything left in it is orphaned, and comes back to haunt its successor"
)
PATIENCE_SECONDS: Final = (
    60.0  # a deletion whose kinds are all served and that nothing holds is over by then
)


def _terminating(scene: Scene) -> Iterator[tuple[Namespace, Instant]]:
    for found in scene.of("Namespace").values():
        since = deleted_at(found.metadata)
        if since is not None:
            yield found, since


def _true(found: Namespace, kind: str) -> Condition | None:
    said = condition(found.status.conditions, kind)
    return said if said is not None and said.status == "True" else None


def _undiscovered(scene: Scene) -> Iterable[Finding]:
    """N1: an aggregated API does not answer, so that the deleter cannot list what is left."""
    for found, since in _terminating(scene):
        said = _true(found, "NamespaceDeletionDiscoveryFailure")
        if said is None:
            continue
        name = found.metadata.name
        yield Finding(
            subject=codes.subject("namespace", name),
            cause="undiscovered",
            message=f"namespace {name} cannot be emptied: an API group does not answer ({_short(said)})",
            clears_itself=UNKNOWN,
            rule="N1",
            uid=found.metadata.uid,
            since=since,
            evidence=(
                path_of(
                    "Namespace",
                    found.metadata,
                    "status.conditions[NamespaceDeletionDiscoveryFailure]",
                ),
            ),
            clears_when="every APIService is Available",
            remedies=(
                look("kubectl get apiservices: which is not Available, and where its backend is"),
                destructive("delete the APIService, if what provides it is gone from Git as well"),
                FINALIZE,
            ),
        )


def _held(scene: Scene) -> Iterable[Finding]:
    """N5: objects in it wait for a finalizer that nobody takes off."""
    return (finding for finding, flux in _all_held(scene) if not flux)


def _held_by_flux(scene: Scene) -> Iterable[Finding]:
    """N7: only Flux's own objects hold it; bringing back Flux is enough."""
    return (finding for finding, flux in _all_held(scene) if flux)


def _all_held(scene: Scene) -> Iterator[tuple[Finding, bool]]:
    for found, since in _terminating(scene):
        name = found.metadata.name
        holders = scene.holders(f"namespace/{name}")
        if not holders:
            continue
        flux = all(set(h.finalizers) == {FLUX_FINALIZER} for h in holders)
        alive = any(h.owner_alive for h in holders)
        groups = sorted({h.group for h in holders})
        finding = Finding(
            subject=codes.subject("namespace", name),
            cause="held",
            message=f"namespace {name} is Terminating: {_holding(holders)}",
            clears_itself=YES if alive else NO if _is_orphaned(holders) else UNKNOWN,
            rule="N7" if flux else "N5",
            uid=found.metadata.uid,
            since=since,
            evidence=tuple(f"holders[namespace/{name}] {h.kind}/{h.name} {h.uid}" for h in holders),
            clears_when=GONE,
            remedies=(
                look(
                    f"bring back the controller of {', '.join(groups) or 'the core API'} and let it finish"
                ),
                *(destructive(f"take the finalizers off by hand: {leak_of(g)}") for g in groups),
                FINALIZE,
            ),
        )
        yield finding, flux


def _remaining(scene: Scene) -> Iterable[Finding]:
    """N4: something is left and nothing holds it: the deleter is at work, or cannot tell."""
    for found, since in _terminating(scene):
        name = found.metadata.name
        said = _true(found, "NamespaceContentRemaining")
        if (
            said is None
            or scene.holders(f"namespace/{name}")
            or _true(found, "NamespaceFinalizersRemaining")
        ):
            continue
        yield Finding(
            subject=codes.subject("namespace", name),
            cause="emptying",
            message=f"namespace {name} is being emptied: {_short(said)}",
            clears_itself=YES if scene.at - since < PATIENCE_SECONDS else UNKNOWN,
            rule="N4",
            uid=found.metadata.uid,
            since=since,
            evidence=(
                path_of(
                    "Namespace", found.metadata, "status.conditions[NamespaceContentRemaining]"
                ),
            ),
            clears_when=GONE,
            remedies=(look("wait: pods go first, then everything else"), FINALIZE),
        )


def _is_orphaned(holders: tuple[Holder, ...]) -> bool:
    """Nobody serves these finalizers, as far as that is known."""
    return all(h.owner_alive is False for h in holders)


def _holding(holders: tuple[Holder, ...]) -> str:
    """Count what holds by kind: ``3 cephblockpools hold finalizers of a controller that is gone``."""
    counts: dict[str, int] = {}
    for holder in holders:
        counts[holder.resource] = counts.get(holder.resource, 0) + 1
    what = ", ".join(f"{count} {resource}" for resource, count in sorted(counts.items()))
    verb = "hold" if len(holders) > 1 else "holds"
    whose = " of a controller that is gone" if _is_orphaned(holders) else ""
    return f"{what} {verb} finalizers{whose}"


def _short(said: Condition) -> str:
    return " ".join(said.message.split())[:200]


RULES = (
    Rule("N1", "an API group does not answer", Proof.CONTROLLER, SOURCE, _undiscovered),
    Rule("N4", "a namespace is being emptied", Proof.CONTROLLER, SOURCE, _remaining),
    Rule("N5", "finalizers hold a namespace", Proof.CONTROLLER, SOURCE, _held),
    Rule("N7", "only Flux's own finalizers hold a namespace", Proof.SOURCE, SOURCE, _held_by_flux),
)
