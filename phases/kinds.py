"""
What is known of kinds by their names alone.

Apart from the inventory, whose models take half of the time in which the rules are learned: without one, a diagnosis
needs none of them.
"""

from __future__ import annotations

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")
EXTERNAL_SECRETS_CRD = "externalsecrets.external-secrets.io"


def usual_crds(kind: str, group: str) -> tuple[str, ...]:
    """Guess the names of a kind's CRD by the usual plurals: a message has no plural."""
    stem = kind.lower()
    plurals = {f"{stem}s", f"{stem}es", f"{stem.removesuffix('y')}ies", stem}
    return tuple(f"{plural}.{group}" for plural in sorted(plurals))
