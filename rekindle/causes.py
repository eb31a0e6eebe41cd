"""The roots of what is wrong, in the order and the words in which people read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from engine.memory import Memory
from engine.patience import spoken
from journal.entries import Finding, Instant
from rekindle.lines import cause

SHOWN = 3


def roots(memory: Memory) -> list[Finding]:
    """Return the causes that nothing else explains: what blocks now before what will block next, the heaviest first."""
    return sorted((found for found in memory.findings.values() if found.root), key=weight)


def weight(root: Finding) -> tuple[bool, int, str]:
    """Order roots."""
    return bool(root.next_after), -len(root.victims), root.subject


def because(found: Sequence[Finding], now: Instant, most: int = SHOWN) -> Iterator[str]:
    """Say a root a line, the first few; ages are counted from what the cluster says, never from our look."""
    for root in found[:most]:
        age = f", for {spoken(max(0.0, now - root.since))}" if root.since is not None else ""
        yield f"{cause(root)}{age}; by itself: {CLEARS[root.clears_itself]}"
    if len(found) > most:
        rest = f"and {len(found) - most} more" if most else f"causes: {len(found)}"
        yield f"{rest}: `rekindle status -v` has all"


CLEARS = {"yes": "clears", "no": "never clears", "unknown": "may clear"}
