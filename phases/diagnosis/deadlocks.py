"""
A CRD whose provider waits for its consumer (catalogue C4): no retry unties that, and no nudge.

Said before anybody complains, too. A Kustomization that something else blocks today will run into the missing kind
the moment that is solved; a person who is told both at once repairs both at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from engine.answer import Subject
from journal.entries import Finding
from phases import codes
from phases.diagnosis.controllers import is_flux_to_come
from phases.diagnosis.graph import roots_of
from phases.diagnosis.missing import missing
from phases.diagnosis.providers import UNLESS, carriers, leads
from phases.diagnosis.rule import NO, UNKNOWN, Proof, Rule, ask, look, never, reversible
from phases.diagnosis.scene import Scene
from phases.diagnosis.structure import blocking
from phases.diagnosis.victims import Complaint, subjects
from phases.diagnosis.words import listed

if TYPE_CHECKING:
    from phases.inventory import CrdItem

SOURCE = "kustomize-controller v1.9.5 internal/controller: everything is dry-run before anything is applied"


def rules_after(others: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Return the rule, which has to know what *others* find in order to say what comes next."""
    return (
        Rule(
            "C4",
            "a CRD's provider waits for its consumer",
            Proof.CONTROLLER,
            SOURCE,
            partial(_deadlocks, others),
        ),
    )


def _deadlocks(others: tuple[Rule, ...], scene: Scene) -> Iterable[Finding]:
    """C4: for each CRD that is not there, those of its consumers that its provider waits for."""
    if scene.inventory is None or not scene.seen("CustomResourceDefinition"):
        return
    asked = {m.item.name: m.complaints for m in missing(scene) if m.item is not None}
    expected = carriers(scene)
    for item in scene.inventory.crds:
        if item.name in scene.of("CustomResourceDefinition"):
            continue
        complaints = asked.get(item.name, ())
        # Who waits for itself is in a circle that no kind unties (K4), and gets nowhere near its own objects.
        foretold = (who for who in expected.get(item.name, ()) if not leads(scene, who, who))
        consumers = dict.fromkeys((*subjects(complaints), *foretold))
        knotted = [subject for subject in consumers if leads(scene, item.provider, subject)]
        if knotted:
            complaining = [c for c in complaints if c.subject in knotted]
            after = () if complaining else _blockers(others, scene, knotted)
            # Nobody has asked yet, and Flux is still to come: a bootstrap may bring the kind before it.
            clears = NO if complaining or not is_flux_to_come(scene) else UNKNOWN
            yield _finding(item, knotted, complaining, after, clears)


def _blockers(others: tuple[Rule, ...], scene: Scene, consumers: list[Subject]) -> tuple[str, ...]:
    """Return the ids of the roots that block all of *consumers* now; none where one of them is free to run."""
    roots = roots_of(ask(others, scene), blocking(scene))
    found: dict[str, None] = {}
    for consumer in consumers:
        ids = [r.id for r in roots if consumer == r.finding.subject or consumer in r.victims]
        if not ids:
            return ()
        found.update(dict.fromkeys(ids))
    return tuple(sorted(found))


def _finding(
    item: CrdItem,
    consumers: list[Subject],
    complaining: list[Complaint],
    after: tuple[str, ...],
    clears: str,
) -> Finding:
    who = listed(subject.replace("/", " ", 1) for subject in consumers)
    provider = item.provider.replace("/", " ", 1)
    will = "will need" if after else "needs"
    unless = "" if clears == NO else UNLESS
    return Finding(
        subject=codes.subject("crd", item.name),
        cause="deadlock",
        message=f"{who} {will} CRD {item.name}, and {provider}, which brings it, is applied only after "
        f"{'them' if len(consumers) > 1 else 'it'}: neither can go first{unless}",
        blocks=tuple(consumers),
        clears_itself=clears,
        rule="C4",
        since=min((c.since for c in complaining if c.since is not None), default=None),
        evidence=(
            f"CustomResourceDefinition/{item.name} absent",
            f"inventory.crds[{item.name}].provider {item.provider}",
            *(complaint.evidence for complaint in complaining),
        ),
        clears_when=f"CRD {item.name} is Established, and tried again since",
        remedies=(
            reversible(
                f"apply CRD {item.name} once by hand (server-side), or put it into crds.directory of the plan"
            ),
            look(
                "repair it in Git: what brings the CRD into a Kustomization that its consumers depend on"
            ),
            never(
                "delete or force the Kustomization that fails: it prunes all that it ever applied"
            ),
        ),
        next_after=after,
    )
