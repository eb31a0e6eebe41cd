"""
What fifty thousand pods come to: how many there are, all restarts, and some that will not become ready as they are.

A pod that changed is counted again, the others are not.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Mapping

from engine.answer import Subject
from journal.entries import Fact
from phases import codes
from phases.followed import Followed
from phases.objects import Pod
from phases.readiness.pods import stuck

POD_PROBLEMS = 50
ENDED = {
    "Succeeded",
    "Failed",
}  # phases; what has run to its end stays listed, and is no pod that is left


class PodTally:
    """A memory of the pods that were counted last; what it says rests on those that it is asked about alone."""

    def __init__(self, namespaces: Iterable[str]) -> None:
        """Count the pods of these namespaces."""
        self._namespaces = frozenset(namespaces)
        self._listed: Mapping[str, Pod] | None = None
        self._begin_anew()

    def facts_of(self, listed: Mapping[str, Pod]) -> dict[Subject, Fact]:
        """Name at most fifty pods, the first by name; count restarts, pods that have not ended, and who goes."""
        changed = _changed(self._listed, listed)
        if changed is None:
            self._begin_anew()
            changed = listed.keys()
        self._listed = None  # what is interrupted here is no basis
        for key in changed:
            self._count(key, listed.get(key))
        self._listed = listed
        made = {codes.subject("pod", key): self._bad[key] for key in self._names[:POD_PROBLEMS]}
        # The count is the code itself, so that the fact's instant is that of the latest restart.
        made[codes.RESTARTS] = Fact(str(self._total))
        made[codes.EXISTING] = Fact(str(len(self._existing)))
        made[codes.LEAVING] = Fact(str(len(self._leaving)))
        return made

    def _begin_anew(self) -> None:
        self._total = 0
        self._existing: set[str] = set()
        self._leaving: set[str] = set()
        self._restarts: dict[str, int] = {}
        self._bad: dict[str, Fact] = {}
        self._names: list[str] = []

    def _count(self, key: str, pod: Pod | None) -> None:
        """Take out what was counted for a pod, and count it as it is now."""
        self._total -= self._restarts.pop(key, 0)
        self._existing.discard(key)
        self._leaving.discard(key)
        if self._bad.pop(key, None) is not None:
            del self._names[bisect_left(self._names, key)]
        if pod is None or pod.metadata.namespace not in self._namespaces:
            return
        if pod.status.phase not in ENDED:
            self._existing.add(key)
            if pod.metadata.deletion_timestamp is not None:
                self._leaving.add(key)  # on a lost node it stays listed for as long as that is lost
        restarts = sum(status.restart_count for status in pod.status.container_statuses)
        if restarts:
            self._restarts[key] = restarts
            self._total += restarts
        waits = stuck(pod)
        if waits is not None:
            self._bad[key] = Fact(codes.FAILED, waits.reason)
            insort(self._names, key)


def _changed(before: Mapping[str, Pod] | None, listed: Mapping[str, Pod]) -> Collection[str] | None:
    """Name the pods that are not the same as *before*; None: nobody knows."""
    if isinstance(listed, Followed):
        return listed.changed_since(before)
    if before is None or isinstance(before, Followed):
        return None
    return [key for key in before.keys() | listed.keys() if before.get(key) is not listed.get(key)]
