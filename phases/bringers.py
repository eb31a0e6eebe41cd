"""
What may be the controller of a kind: what is installed with its CRD, as far as an inventory tells.

Charts bring CRDs in three ways: with the operator, in a ``*-crds`` release that the operator's depends on, or beside it
under the same Kustomization. The nearest that runs anything is taken; further away is a guess, and said to be one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from engine.answer import Subject
from phases.inventory import WorkloadItem
from phases.section import Section

# Finalizers of which the host is no API group: external-snapshotter v8, pkg/utils/util.go (PVCFinalizer).
GROUPS = {"snapshot.storage.kubernetes.io": "snapshot.storage.k8s.io"}


def provider_of(section: Section, detail: dict[str, Any]) -> Subject:
    """
    Name what brings the CRD of a holder (its *detail*); empty: the inventory knows nobody.

    A kind of Kubernetes itself has none: there the finalizers tell by their group whose CRDs came with it.
    """
    crds = section.inventory.crds
    if detail["group"]:
        name = f"{detail['resource']}.{detail['group']}"
        return next((item.provider for item in crds if item.name == name), "")
    hosts = {name.partition("/")[0] for name in detail["finalizers"]}
    groups = {GROUPS.get(host, host) for host in hosts}
    found = (item.provider for item in crds if item.name.partition(".")[2] in groups)
    return next(filter(None, found), "")


@dataclass(frozen=True, slots=True)
class Brought:
    """What is installed with some CRDs, and whether it is known to be all that serves their kinds."""

    items: tuple[WorkloadItem, ...] = ()
    is_known: bool = False


def brought_by(section: Section, provider: Subject) -> Brought:
    """
    Return what is installed with the CRDs of *provider*.

    By itself, or by the releases that it applies beside them: that is known. Else by what these apply, by who depends
    on it, by who is applied beside it or depends on who applies it, and so on upwards: that is likely. A section alone
    decides it, and holders ask by the hundred: it is worked out once.
    """
    name = f"brought/{provider}"
    kept = section.drawn.get(name)
    if isinstance(kept, Brought):
        return kept
    found = section.drawn[name] = _brought_by(section, provider)
    return found


def _brought_by(section: Section, provider: Subject) -> Brought:
    own = [item for item in section.inventory.workloads if item.owner == provider]
    near = own or _of(section, lambda owner: section.parents.get(owner) == provider)
    if near:
        return Brought(tuple(near), is_known=True)
    for above in lineage(section, provider):
        beside = [] if above in section.roots else _below(section, above)
        found = beside or _dependents(section, above)
        if found:
            return Brought(tuple(found))
    return Brought()


def lineage(section: Section, subject: Subject) -> Iterator[Subject]:
    """Yield *subject* and who applies it, upwards; each once."""
    seen: set[Subject] = set()
    while subject and subject not in seen:
        seen.add(subject)
        yield subject
        subject = section.parents.get(subject, "")


def _below(section: Section, subject: Subject) -> list[WorkloadItem]:
    return _of(section, lambda owner: subject in lineage(section, owner))


def _dependents(section: Section, subject: Subject) -> list[WorkloadItem]:
    waiting = {who for who, needs in section.dependencies.items() if subject in needs}
    return _of(section, lambda owner: not waiting.isdisjoint(lineage(section, owner)))


def _of(section: Section, is_its: Callable[[Subject], bool]) -> list[WorkloadItem]:
    return [item for item in section.inventory.workloads if item.owner and is_its(item.owner)]
