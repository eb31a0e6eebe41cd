"""How findings count, list and shorten: a person reads them at night, on a narrow screen."""

from __future__ import annotations

from collections.abc import Iterable

LISTED = 3  # names that are written out; the rest is counted


def counted(number: int, noun: str) -> str:
    """Count: ``1 pod``, ``2 pods``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def listed(names: Iterable[str], limit: int = LISTED) -> str:
    """Write out a few names and count the rest: ``a, b, c and 4 more``."""
    ordered = sorted(names)
    if len(ordered) <= limit + 1:
        return ", ".join(ordered)
    return f"{', '.join(ordered[:limit])} and {len(ordered) - limit} more"


def named(names: Iterable[str], noun: str) -> str:
    """Count and list: ``node a``, ``2 nodes (a, b)``."""
    ordered = sorted(names)
    if len(ordered) == 1:
        return f"{noun} {ordered[0]}"
    return f"{counted(len(ordered), noun)} ({listed(ordered)})"
