"""
Causes that nothing upstream brings about: they are in an object's own spec, its revision, or its record.

What is upstream may keep the object from being tried, and then such a cause blocks next (``graph.in_series``). It is
never why. What an upstream may still bring (a right, an object, a kind, a healthy workload) is not among them.
"""

from __future__ import annotations

from typing import Final

from journal.entries import Finding

# Rules of the catalogue, and of those with several causes the one that is meant.
OWN: Final = frozenset(
    {
        "H5:values-unreadable",
        "H6",
        "H9",
        "H10",
        "K2",
        "K6",
        "K7",
        "K8:undecrypted",
        "K9:variable",
        "K10",
        "K11",
        "K18",
        "K19",
        "S2:host-key",
        "S2:reference",
        "S3:chart-reference",
        "X4",
    }
)


def is_own(finding: Finding) -> bool:
    """Say whether a cause is its object's own and never clears by itself."""
    named = {finding.rule, f"{finding.rule}:{finding.cause}"}
    return finding.clears_itself == "no" and not OWN.isdisjoint(named)
