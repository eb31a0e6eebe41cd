"""
Vertices of the graph of needs (``phases.needs``).

A vertex is a subject: it is *there and well*. Two others end in a suffix: ``SUBJECT#applied`` (what a Kustomization or
a release brings exists) and ``namespace/NAME#gone`` (nothing of an earlier life is on its way out any more).
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.answer import Subject
from phases import codes

Vertex = str
Needs = Mapping[Vertex, tuple[Vertex, ...]]
APPLIED = "#applied"
GONE = "#gone"


def applied(subject: Subject) -> Vertex:
    """Name the vertex of what a Kustomization or a release brings."""
    return subject + APPLIED


def gone(namespace: str) -> Vertex:
    """Name the vertex of a namespace's earlier life."""
    return codes.subject("namespace", namespace) + GONE
