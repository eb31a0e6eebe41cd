"""
One object that two Kustomizations apply (catalogue N12).

Each writes it over the other's, and deleting one of them prunes what the other still wants: whole namespaces went
that way. It shows in status.inventory, which a Kustomization has after its first complete apply.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from engine.answer import Subject
from journal.entries import Finding
from phases.diagnosis.rule import NO, Proof, Rule, destructive, look, reversible
from phases.diagnosis.scene import Scene, path_of, subject_of
from phases.diagnosis.words import counted, listed
from phases.objects import Flux

SOURCE: Final = "fluxcd/cli-utils pkg/object/objmetadata.go: the ids of status.inventory"


def _shared(scene: Scene) -> Iterable[Finding]:
    """N12: the inventories of several Kustomizations contain the same object."""
    owners: dict[str, list[Flux]] = {}
    for _, found in sorted(scene.of("Kustomization").items()):
        inventory = found.status.inventory
        for entry in inventory.entries if inventory is not None else ():
            owners.setdefault(entry.id, []).append(found)
    shared: dict[Subject, tuple[list[str], dict[str, Flux]]] = {}
    for entry, several in owners.items():
        names = {subject_of("Kustomization", found.metadata): found for found in several}
        if len(names) > 1:
            ids, everyone = shared.setdefault(next(iter(names)), ([], {}))
            ids.append(entry)
            everyone.update(names)
    for subject, (ids, everyone) in shared.items():
        yield _finding(subject, ids, everyone)


def _finding(subject: Subject, ids: list[str], everyone: dict[Subject, Flux]) -> Finding:
    who = listed((name.partition("/")[2] for name in everyone), limit=5)
    return Finding(
        subject=subject,
        cause="owned-twice",
        message=f"Kustomizations {who} apply the same {counted(len(ids), 'object')} "
        f"({listed(_readable(entry) for entry in ids)}): deleting one prunes the other's",
        clears_itself=NO,
        rule="N12",
        uid=everyone[subject].metadata.uid,
        evidence=tuple(
            path_of("Kustomization", found.metadata, "status.inventory")
            for found in everyone.values()
        ),
        clears_when="each object is in the inventory of one Kustomization only",
        remedies=(
            look("decide which of them is to own it, and take it out of the other in Git"),
            reversible(
                "annotate a shared Namespace with kustomize.toolkit.fluxcd.io/prune: disabled"
            ),
            destructive(
                "delete one of the Kustomizations: its prune takes the shared objects away"
            ),
        ),
    )


def _readable(entry: str) -> str:
    """Turn ``_storage__Namespace`` into ``Namespace storage``; a colon of an RBAC name is written ``__``."""
    rest, _, kind = entry.rpartition("_")
    rest, _, _group = rest.rpartition("_")
    namespace, _, name = rest.partition("_")
    key = f"{namespace}/{name}" if namespace else name
    return f"{kind} {key.replace('__', ':')}"


RULES = (Rule("N12", "one object, two owners", Proof.CONTROLLER, SOURCE, _shared),)
