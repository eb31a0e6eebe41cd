"""
A diagnosis, for programs and for people: the roots, what they block, and what has not been seen.

Findings hold instants; ages are computed here, against the instant of the look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from journal.entries import Finding
from journal.redactor import redact_text
from phases.diagnosis.catalogue import diagnose
from phases.diagnosis.controllers import SERVES, releases
from phases.diagnosis.expected import PODS, count
from phases.diagnosis.graph import Blocking, Root, roots_of, through
from phases.diagnosis.scene import Scene
from phases.diagnosis.structure import blocking
from phases.snapshot import Unseen
from rekindle.rooted import drawn, headed, paragraph, proof, proven

HEALTHY, WARNING, CRITICAL, UNKNOWN = "healthy", "warning", "critical", "unknown"
# Every cluster has them, and most of what can be wrong is seen in them: who did not see them cannot call it well.
CORE = ("Namespace", "Node", "Pod")


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """
    What was found. *unseen*: kinds that could not be listed, and why.

    *counts*: how many of each kind that should exist do, and of how many; empty without an inventory. *controllers*:
    the versions of Flux's, of those that tell: what a message means depends on who says it.
    """

    at: float
    findings: Mapping[str, Finding]
    roots: tuple[Root, ...]
    edges: Blocking
    unseen: Mapping[str, str]
    listed: int
    counts: Mapping[str, tuple[int, int]]
    controllers: Mapping[str, str]

    @property
    def blind(self) -> tuple[str, ...]:
        """Return the kinds of every cluster that were not seen."""
        return tuple(kind for kind in CORE if kind in self.unseen)

    @property
    def verdict(self) -> str:
        """
        Healthy: what every cluster has was seen, and nothing is wrong or short; critical: waiting may not help.

        Critical is what was seen, whatever was not. What is short clears by itself only where something is found that
        does: of the rest nobody knows.
        """
        if not self.listed:
            return UNKNOWN
        if any(root.finding.clears_itself != "yes" for root in self.roots):
            return CRITICAL
        if self.blind:
            return UNKNOWN
        if self.roots:
            return WARNING
        return CRITICAL if self.short else HEALTHY

    @property
    def short(self) -> bool:
        """Say whether less is there, or ready, than is expected."""
        return any(there < wanted for there, wanted in self.counts.values())


def of_scene(scene: Scene) -> Diagnosis:
    """Diagnose."""
    findings, edges = diagnose(scene), blocking(scene)
    looks = scene.snapshot.objects
    unseen = {
        kind: redact_text(look.why or look.code)
        for kind, look in looks.items()
        if isinstance(look, Unseen)
    }
    roots = roots_of(findings, edges)
    listed = len(looks) - len(unseen)
    return Diagnosis(
        scene.snapshot.at,
        findings,
        roots,
        edges,
        unseen,
        listed,
        count(scene),
        {name: redact_text(release) for name, release in releases(scene).items()},
    )


def document(found: Diagnosis) -> dict[str, Any]:
    """Return everything as JSON."""
    return {
        "schema": "rekindle.diagnosis/1",
        "at": found.at,
        "verdict": found.verdict,
        "roots": [
            {
                "id": root.id,
                "victims": list(root.victims),
                "circle": root.circle,
                "through": through(root, found.edges),
                "proof": proof(root.finding),
                **msgspec.to_builtins(root.finding),
            }
            for root in found.roots
        ],
        "findings": {
            name: {"proof": proof(one), **msgspec.to_builtins(one)}
            for name, one in found.findings.items()
        },
        "blocking": drawn(found.edges, found.findings),
        "unseen": dict(found.unseen),
        "controllers": dict(found.controllers),
        "counts": {
            kind: {"there": there, "expected": wanted}
            for kind, (there, wanted) in found.counts.items()
        },
    }


def lines(found: Diagnosis, *, verbose: bool) -> Iterator[str]:
    """Say it to a person: a root a paragraph, what blocks now before what will block next."""
    if not found.listed:
        why = next(iter(found.unseen.values()), "nothing was asked")
        yield f"nothing could be listed, so nothing can be said: {why}"
        return
    elif found.verdict == UNKNOWN:
        yield (
            f"it cannot be told whether all is well: {', '.join(found.blind)} could not be listed "
            f"({found.unseen[found.blind[0]]}); {_so_far(found)}"
        )
    elif not found.roots:
        more = ", but not all that is expected is there yet, and nothing says that it comes"
        more = more if found.short else ""
        yield f"{_so_far(found)}{more}"
    else:
        yield headed(len(found.findings), found.roots)
    if found.counts:
        yield _counted(found.counts)
    if verbose:
        yield _running(found.controllers)
    for root in found.roots:
        yield ""
        yield from paragraph(root, through(root, found.edges), found.at)
        if verbose:
            yield from proven(root, found.findings, found.edges)
    if found.unseen:
        yield ""
        yield f"not seen: {', '.join(sorted(found.unseen))}"
        if verbose:
            yield from (f"  {kind}: {why}" for kind, why in sorted(found.unseen.items()))


def _so_far(found: Diagnosis) -> str:
    """Say what the kinds that were listed show."""
    if found.roots:
        return headed(len(found.findings), found.roots)
    return f"nothing is wrong in what was seen ({found.listed} kinds listed)"


def _counted(counts: Mapping[str, tuple[int, int]]) -> str:
    """Say what is there of what should be, the pods first; of kinds of which all is there only that it is."""
    ready, wanted = counts.get(PODS, (0, 0))
    pods = [f"{ready} of {wanted} pods are ready"] if wanted else []
    short = [
        f"{there} of {expected} {_plural(kind)}"
        for kind, (there, expected) in counts.items()
        if kind != PODS and there < expected
    ]
    rest = f"there are {', '.join(short)}" if short else "everything is there"
    return f"of what is expected: {'; '.join([*pods, rest])}"


def _running(controllers: Mapping[str, str]) -> str:
    """Say which versions speak here: patterns for messages were read in those that the rules cite."""
    told = ", ".join(f"{name} {controllers.get(name, 'of unknown version')}" for name in SERVES)
    return f"controllers: {told}"


def _plural(kind: str) -> str:
    return f"{kind}s" if not kind.endswith("y") else f"{kind[:-1]}ies"
