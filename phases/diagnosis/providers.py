"""
What brings a CRD, and whether it can come before who asks for it.

The extended order of a Flux tree: a child exists once its parent is applied, and what depends on something is not
reconciled before that is Ready. Where both lead from a CRD's provider to its consumer, neither can go first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from engine.answer import Subject
from phases import codes
from phases.diagnosis.lost import compares
from phases.diagnosis.rule import NO, UNKNOWN, YES
from phases.diagnosis.scene import Scene
from phases.kinds import EXTERNAL_SECRETS_CRD, usual_crds
from phases.objects import Flux, condition

if TYPE_CHECKING:
    from phases.inventory import CrdItem, HelmReleaseItem, KustomizationItem

KINDS = {"kustomization": "Kustomization", "helmrelease": "HelmRelease"}
NETWORK: Final = "kube-system/cilium"
UNLESS: Final = ", unless a bootstrap brings the kind before Flux"


def expected_crd(scene: Scene, kind: str, group: str, crd: str = "") -> CrdItem | None:
    """Find what the inventory says of the CRD for a kind of which only a message knows; *crd*: its name, if said."""
    if scene.inventory is None:
        return None
    names = (crd,) if crd else usual_crds(kind, group)
    return next((item for item in scene.inventory.crds if item.name in names), None)


def provider_state(scene: Scene, provider: Subject) -> tuple[str, str]:
    """Say whether a CRD comes by itself from what brings it, and a clause about that."""
    found = _object(scene, provider)
    name = provider.replace("/", " ", 1)
    if found is None:
        why = f" ({name}, which brings it, does not exist)" if _is_listed(scene, provider) else ""
        return UNKNOWN, why
    ready = condition(found.status.conditions, "Ready")
    if ready is not None and ready.status == "True":
        clears, how = _again(provider, found)
        return (
            clears,
            f" ({name}, which brings it, is Ready all the same: it was removed since{how})",
        )
    if ready is not None and ready.status == "Unknown":
        return YES, f" ({name}, which brings it, is at work)"
    return UNKNOWN, f" ({name}, which brings it, is not Ready)"


def _again(provider: Subject, found: Flux) -> tuple[str, str]:
    """
    Say whether who is Ready makes again what was removed since, and how.

    Of a release that looks at what runs nobody knows: what its chart has in ``crds/`` is no part of what it compares.
    """
    if found.spec.suspend:
        return NO, ""
    if provider.startswith("helmrelease/"):
        return (UNKNOWN if compares(found) else NO), ""
    every = f", every {found.spec.interval}" if found.spec.interval else ""
    return YES, f", and comes back when that is reconciled{every}"


def carriers(scene: Scene) -> dict[str, tuple[Subject, ...]]:
    """
    Say by CRD which Kustomizations carry objects of its kind, as far as the inventory knows what they hold.

    The kinds of a network are left out, as Flux's own are in ``needs``: without a network no Flux runs, so that what
    brings them did so before. So are those of all that commands of the plan install.
    """
    inventory = scene.inventory
    if inventory is None:
        return {}
    network = {item.owner for item in inventory.workloads if item.key == NETWORK}
    first = network | scene.installed
    early = {f"crd/{item.name}" for item in inventory.crds if item.provider in first}
    found: dict[str, dict[Subject, None]] = {}
    for secret in inventory.externalsecrets:
        if secret.parent:
            holder = codes.subject("Kustomization", secret.parent)
            found.setdefault(EXTERNAL_SECRETS_CRD, {})[holder] = None
    for item in inventory.kustomizations:
        for need in item.needs:
            family, _, name = need.partition("/")
            if family == "crd" and need not in early:
                found.setdefault(name, {})[codes.subject("Kustomization", item.key)] = None
    return {name: tuple(holders) for name, holders in found.items()}


def is_deadlocked(scene: Scene, item: CrdItem | None, consumers: Iterable[Subject]) -> bool:
    """Say whether what brings a CRD cannot come before any of who needs it."""
    if item is None or not scene.seen("CustomResourceDefinition"):
        return False
    return any(leads(scene, item.provider, consumer) for consumer in consumers)


def leads(scene: Scene, start: Subject, goal: Subject) -> bool:
    """Say whether *start* waits for *goal*; for itself only in a circle: a Kustomization applies its CRDs first."""
    todo, seen = [start], {start}
    while todo:
        for blocker in _before(scene, todo.pop()):
            if blocker == goal:
                return True
            if blocker not in seen:
                seen.add(blocker)
                todo.append(blocker)
    return False


def _before(scene: Scene, subject: Subject) -> Iterator[Subject]:
    """Return what has to come before *subject*: a parent only as long as it has not made it."""
    item = _item(scene, subject)
    if item is None:
        return
    if item.parent and _is_absent(scene, subject):
        yield codes.subject("Kustomization", item.parent)
    family = subject.partition("/")[0]
    for key in item.depends_on:
        dependency = codes.subject(family, key)
        if not _is_ready(_object(scene, dependency)):
            yield dependency


def _item(scene: Scene, subject: Subject) -> KustomizationItem | HelmReleaseItem | None:
    return scene.once("items", lambda: _items(scene)).get(subject)


def _items(scene: Scene) -> dict[Subject, KustomizationItem | HelmReleaseItem]:
    if scene.inventory is None:
        return {}
    return {
        **{
            codes.subject("kustomization", item.key): item
            for item in scene.inventory.kustomizations
        },
        **{codes.subject("helmrelease", item.key): item for item in scene.inventory.helmreleases},
    }


def _object(scene: Scene, subject: Subject) -> Flux | None:
    family, _, key = subject.partition("/")
    found: Flux | None = scene.get(KINDS.get(family, ""), key)
    return found


def _is_listed(scene: Scene, subject: Subject) -> bool:
    return scene.seen(KINDS.get(subject.partition("/")[0], ""))


def _is_absent(scene: Scene, subject: Subject) -> bool:
    """What is on its way out counts as gone: its parent has to make it again."""
    found = _object(scene, subject)
    if found is None:
        return _is_listed(scene, subject)
    return found.metadata.deletion_timestamp is not None


def _is_ready(found: Flux | None) -> bool:
    ready = condition(found.status.conditions, "Ready") if found is not None else None
    return ready is not None and ready.status == "True"
