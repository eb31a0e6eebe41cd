"""
How what is expected and absent can come back: by whom, whether by itself, and what a person can do.

A Kustomization that is Ready applies everything again at its interval, or when it is asked to. A release does not: Helm
compares with what it stored, and not with what runs, unless drift detection is on (helm-controller 1.6.4,
internal/action/diff.go, internal/reconcile/atomic_release.go), so that what somebody deleted under it stays away.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from engine.answer import Subject
from journal.entries import Remedy
from phases.diagnosis.rule import NO, UNKNOWN, YES, look, never, nudge, reversible
from phases.diagnosis.scene import path_of
from phases.objects import Flux, key_of
from phases.readiness.releases import COMPARES

SETTLED_SECONDS: Final = (
    60.0  # a look tells kinds one after the other, and a controller takes a moment
)
KIND_GONE: Final = "flux-kind-gone"
ROOT: Final = {
    "Deployment": "a controller of Flux",
    "GitRepository": "the source that all follow",
    "Kustomization": "a root",
}


class Loss(NamedTuple):
    """What is gone, and who brings it: *maker* is the object, if it is there."""

    kind: str
    key: str
    maker_subject: Subject
    maker: Flux | None
    first: bool = False


class Told(NamedTuple):
    """The words of a finding about it."""

    cause: str
    why: str
    clears_itself: str
    remedies: tuple[Remedy, ...]
    evidence: tuple[str, ...] = ()
    when: str = ""


def compares(release: Flux) -> bool:
    """Say whether a HelmRelease puts back what was deleted under it."""
    return (
        release.spec.drift_detection is not None and release.spec.drift_detection.mode == COMPARES
    )


def brought_by(loss: Loss, maker: Flux) -> Told:
    """Say how it comes back from a maker that is Ready without it."""
    kind = "HelmRelease" if loss.maker_subject.startswith("helmrelease/") else "Kustomization"
    name, key = f"{kind} {key_of(maker.metadata)}", key_of(maker.metadata)
    evidence = (path_of(kind, maker.metadata, "status.conditions[Ready]"),)
    why = f"{name}, which brings it, is Ready, so that it was deleted since, or is expected no more"
    who = look(
        "who deleted it (the API server's audit log), and whether the inventory is of today's Git"
    )
    if kind == "Kustomization" or compares(maker):
        every = f", every {maker.spec.interval}" if maker.spec.interval else ""
        again = nudge(f"annotate {name} with reconcile.fluxcd.io/requestedAt: it makes it again")
        return Told("deleted", why, YES, (again, who), evidence, f"{name} reconciles again{every}")
    if loss.kind == "CustomResourceDefinition":
        mend = reversible(
            f"apply CRD {loss.key} once by hand (server-side), or put it into crds.directory of the plan"
        )
    else:
        namespace, _, bare = key.rpartition("/")
        mend = reversible(
            f"`flux reconcile helmrelease {bare} -n {namespace} --force`: Helm makes it again"
        )
    return Told(
        "deleted-under-release",
        f"{why}; Helm does not look at what runs, for its drift detection is not on",
        NO,
        (
            who,
            mend,
            reversible(
                "spec.driftDetection.mode: enabled, in Git, so that it is put back by itself"
            ),
            never("uninstall the release: what it keeps (claims, Secrets) may go with it"),
        ),
        evidence,
        f"Helm has upgraded {name} once more",
    )


def nobody_brings(loss: Loss, *, at_rest: bool = True) -> Told:
    """Say how it comes back where nothing in the cluster is known to bring it; *at_rest*: all of Flux is done."""
    if loss.kind == "Node":
        return Told(
            "no-node",
            "the API knows no such node",
            UNKNOWN,
            (
                look(
                    f"whether its kubelet runs and reaches the API: `talosctl -n {loss.key} service kubelet`"
                ),
            ),
        )
    if loss.first:
        return _as_at_bootstrap(loss.kind, f"it is {ROOT[loss.kind]}, which nothing in Git applies")
    why = "all that Flux has to do is done, and nobody is known to bring it"
    if not at_rest:
        why = "what should be in it went with it, and nobody is known to bring it"
    made = (
        "what made it (a person, a bootstrap, an operator), and whether the inventory is of today"
    )
    return Told("missing", why, UNKNOWN, (look(made),))


def gone_with_its_home(kind: str, key: str) -> Told:
    """Say how a namespace comes back in which something of Flux is that nothing in Git applies."""
    return _as_at_bootstrap(
        kind, f"{kind} {key} is in it, {ROOT[kind]}, which nothing in Git applies"
    )


def _as_at_bootstrap(kind: str, why: str) -> Told:
    return Told(
        "flux-gone" if kind == "Deployment" else "root-gone",
        why,
        UNKNOWN,
        (
            reversible("apply it again as at bootstrap; `rekindle run PLAN` does just that"),
            look("who deleted it: with pruning on, what it applied goes as well"),
            never("reconcile everything else: nothing else brings it"),
        ),
    )


def flux_kind_gone(operator: str) -> Told:
    """Say how a kind of Flux' own comes back; *operator*: the Deployment of flux-operator, if there is one."""
    why = "it is one of Flux' own kinds, which nothing in Git brings, and all objects of it went with it"
    who = look("who deleted it (the API server's audit log)")
    if not operator:
        again = reversible(
            "apply Flux' manifests again, of the version that runs: `flux install --export`, then "
            "`kubectl apply --server-side`"
        )
        return Told(KIND_GONE, why, NO, (again, who))
    namespace = operator.partition("/")[0]
    ask = nudge(
        f"`kubectl -n {namespace} annotate --overwrite fluxinstance flux "
        'reconcile.fluxcd.io/requestedAt="$(date +%s)"`: flux-operator applies it again at once'
    )
    return Told(
        KIND_GONE,
        f"{why}; flux-operator applies it again when it next looks, every hour by default",
        YES,
        (ask, who),
        (f"Deployment/{operator}",),
    )
