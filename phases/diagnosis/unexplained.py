"""
What is not ready, and no rule knows why (X1): a diagnosis that says nothing of it would call the cluster healthy.

Not of the catalogue: it has no cause to name. It repeats what the controller says, and only where that has stood for a
while and is neither what another finding is about nor behind one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from engine.answer import Subject
from journal.entries import Finding, Remedy
from phases.diagnosis.graph import Blocking, roots_of
from phases.diagnosis.quoting import quote
from phases.diagnosis.rule import UNKNOWN, YES, Proof, Rule, ask, look, nudge
from phases.diagnosis.scene import Scene, deleted_at, instant, path_of, subject_of
from phases.diagnosis.structure import blocking
from phases.diagnosis.victims import is_suspended
from phases.objects import condition
from phases.readiness.apiserver import is_its_own

SOURCE: Final = "its own Ready condition (kstatus: fluxcd/pkg/runtime v0.60 conditions)"
STOOD_SECONDS: Final = 60.0
# An authority may take that long to answer, and a name to be known everywhere.
PATIENCE: Final = {"Certificate": 600.0}
# Of nodes, workloads, pods and claims X5 speaks, with more to go by than this one condition.
KINDS: Final = (
    "Kustomization",
    "HelmRelease",
    "GitRepository",
    "HelmRepository",
    "OCIRepository",
    "HelmChart",
    "ClusterSecretStore",
    "ExternalSecret",
    "Certificate",
)
WAITS: Final = {"DependencyNotReady"}  # is explained by what it depends on


def rules_after(others: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Return the rule, which has to know what *others* explain."""
    find = partial(_unexplained, others)
    return (Rule("X1", "not ready, and no rule knows why", Proof.SOURCE, SOURCE, find),)


def _unexplained(others: tuple[Rule, ...], scene: Scene) -> Iterable[Finding]:
    failing = list(_failing(scene))
    known = explained(others, scene) if failing else frozenset()
    for kind, found, ready in failing:
        subject = subject_of(kind, found.metadata)
        if subject in known:
            continue
        name = f"{kind} {found.metadata.namespace}/{found.metadata.name}".replace(" /", " ")
        said = f"{ready.reason}: {quote(ready.message)}"
        told = {
            "subject": subject,
            "rule": "X1",
            "uid": found.metadata.uid,
            "since": instant(ready),
            "evidence": (path_of(kind, found.metadata, "status.conditions[Ready]"),),
            "clears_when": "Ready is True",
        }
        if kind == "Kustomization" and found.spec.kube_config is None and is_its_own(ready.message):
            yield _unanswered(name, said, told)
            continue
        yield Finding(
            cause="unexplained",
            message=f"{name} is not ready, and no rule knows why: {said}",
            clears_itself=UNKNOWN,
            remedies=(look(f"what its controller logs about {found.metadata.name}"),),
            **told,
        )


def _unanswered(name: str, said: str, told: dict[str, Any]) -> Finding:
    """Of one that failed for the API server itself the cause is known: it is over, or the API server's own."""
    remedies: tuple[Remedy, ...] = (
        look("whether etcd and every API server are well, and stay so"),
        nudge("`flux reconcile kustomization` once they answer: else it waits for its interval"),
    )
    return Finding(
        cause="apiserver",
        message=f"{name} is not ready: the API server did not answer in time when it was tried: {said}",
        clears_itself=YES,
        remedies=remedies,
        **told,
    )


def _failing(scene: Scene) -> Iterator[tuple[str, Any, Any]]:
    """Return what has been not ready for a while and is not on its way out; if it is suspended, K18 or Git says so."""
    for kind in KINDS:
        for found in scene.of(kind).values():
            ready = condition(found.status.conditions, "Ready")
            if ready is None or ready.status != "False" or ready.reason in WAITS:
                continue
            if deleted_at(found.metadata) is not None or is_suspended(found):
                continue
            since = instant(ready)
            if since is not None and scene.older(since, PATIENCE.get(kind, STOOD_SECONDS)):
                yield kind, found, ready


def explained(others: tuple[Rule, ...], scene: Scene) -> frozenset[Subject]:
    """Return what a finding of *others* is about, what it blocks, and what waits behind it; once a scene."""
    return scene.once("explained", partial(_explained, others, scene))


def _explained(others: tuple[Rule, ...], scene: Scene) -> frozenset[Subject]:
    return behind(ask(others, scene), blocking(scene))


def behind(findings: Mapping[str, Finding], edges: Blocking) -> frozenset[Subject]:
    """Return what these findings are about, what they block, and what waits behind them."""
    waiting = (root.victims for root in roots_of(findings, edges))
    blocked = (found.blocks for found in findings.values())
    about = (found.subject for found in findings.values())
    return frozenset((*about, *(s for part in (*waiting, *blocked) for s in part)))
