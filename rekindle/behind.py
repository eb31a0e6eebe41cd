"""
What a cause blocks, in a few words: how many, through what, and of which kinds.

``blocks 88: kustomization flux-system/cluster-apps → 48 Kustomizations, 31 HelmReleases, 8 others``
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from engine.answer import Subject

NAMED = 3
FAMILIES = 3
SINGULAR = {
    "crd": "CRD",
    "daemonset": "DaemonSet",
    "deployment": "Deployment",
    "externalsecret": "ExternalSecret",
    "helmrelease": "HelmRelease",
    "k8s-node": "node",
    "kustomization": "Kustomization",
    "namespace": "namespace",
    "node": "node",
    "pod": "pod",
    "statefulset": "StatefulSet",
    "store": "store",
}


def blocked(victims: Sequence[Subject], through: Subject = "", *, named: int = NAMED) -> str:
    """
    Say what is blocked; empty: nothing is. *through*: what of it blocks the most of the rest in turn.

    Up to *named* are written out.
    """
    if not victims:
        return ""
    if len(victims) <= named:
        return f"blocks {len(victims)}: {', '.join(map(_named, victims))}"
    rest = [subject for subject in victims if subject != through]
    first = f"{_named(through)} → " if through else ""
    return f"blocks {len(victims)}: {first}{_families(rest)}"


def _named(subject: Subject) -> str:
    return subject.replace("/", " ", 1)


def _families(subjects: Sequence[Subject]) -> str:
    """Count by kind, the most frequent first."""
    counts = Counter(SINGULAR.get(subject.partition("/")[0], "") for subject in subjects)
    known = [(name, count) for name, count in counts.most_common() if name]
    told = [f"{count} {name}{'s' if count > 1 else ''}" for name, count in known[:FAMILIES]]
    others = len(subjects) - sum(count for _, count in known[:FAMILIES])
    if others:
        told.append(f"{others} other{'s' if others > 1 else ''}")
    return ", ".join(told)
