"""
What threads hand over, and what the main thread makes of it.

Threads only report; one thread owns the cache. Nothing here is locked, because nothing here is shared.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from phases.followed import Followed
from phases.snapshot import Seen, Unseen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from journal.entries import Instant
    from phases.followed import Objects

UNSEEN_AFTER_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Whole:
    """A kind was listed: these are all of its objects."""

    kind: str
    at: Instant
    objects: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Changes:
    """A kind is being watched: these keys have a new object, or none (None). No changes: a sign of life."""

    kind: str
    at: Instant
    changes: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Silence:
    """A kind could not be asked."""

    kind: str
    at: Instant
    code: str
    why: str


Report = Whole | Changes | Silence


@dataclass(slots=True)
class _KindState:
    """What is known of a kind. *failing* is what it failed with since it was last heard."""

    objects: Followed = field(default_factory=Followed)
    at: Instant = 0.0
    listed: bool = False
    failing: Silence | None = None


class Cache:
    """All objects that were seen, by kind and key."""

    def __init__(self, kinds: tuple[str, ...]) -> None:
        """Know of these kinds, and of no object."""
        self._kinds = {kind: _KindState() for kind in kinds}

    def take(self, report: Report) -> bool:
        """Take a report in; tell whether anything that a snapshot shows has changed."""
        state = self._kinds[report.kind]
        match report:
            case Whole():
                return self._take_whole(state, report)
            case Changes():
                return self._take_changes(state, report)
            case Silence():
                changed = state.failing is None or state.failing.code != report.code
                state.failing = report
                return changed

    def objects(self, now: Instant) -> dict[str, Seen[Objects] | Unseen]:
        """Return each kind as it is known *now*. The mappings are never changed afterwards."""
        return {kind: _look(state, now) for kind, state in self._kinds.items()}

    def of(self, kind: str) -> Mapping[str, Any]:
        """Return the last known objects of a kind, however old."""
        return self._kinds[kind].objects

    def confirm(self, at: Instant) -> None:
        """Note that the API answered at this instant: a watch that is open and quiet is as fresh as that."""
        for state in self._kinds.values():
            if state.listed and state.failing is None:
                state.at = max(state.at, at)

    def forget(self, at: Instant, code: str, why: str) -> None:
        """Note that nobody watches any more; what was seen stays seen until it is too old."""
        for kind, state in self._kinds.items():
            state.failing = state.failing or Silence(kind, at, code, why)

    @staticmethod
    def _take_whole(state: _KindState, report: Whole) -> bool:
        """Compare a list with what is known: after a gap, deletions show only here."""
        fresh = Followed(report.objects)
        changed = not state.listed or state.failing is not None or _differ(state.objects, fresh)
        state.objects, state.at, state.listed, state.failing = fresh, report.at, True, None
        return changed

    @staticmethod
    def _take_changes(state: _KindState, report: Changes) -> bool:
        """Make a new mapping of the old one: a snapshot that was given away must not move."""
        changed = state.failing is not None
        state.at, state.failing = report.at, None
        if report.changes:
            state.objects = state.objects.after(report.changes)
            changed = True
        return changed


def _differ(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Compare by uid and resourceVersion, which is what they are for."""
    if old.keys() != new.keys():
        return True
    return any(
        old[key].metadata.uid != found.metadata.uid
        or old[key].metadata.resource_version != found.metadata.resource_version
        for key, found in new.items()
    )


def _look(state: _KindState, now: Instant) -> Seen[Objects] | Unseen:
    """Say what is known of a kind: a short silence does not make it unknown."""
    failing = state.failing
    if not state.listed:
        return Unseen(0.0, failing.code, failing.why) if failing else Unseen(0.0, "not-asked")
    if failing is not None and now - state.at > UNSEEN_AFTER_SECONDS:
        return Unseen(state.at, failing.code, failing.why)
    return Seen(state.objects, state.at)
