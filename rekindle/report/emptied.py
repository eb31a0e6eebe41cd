"""
Control planes that lost their etcd data during a run, by nothing that this run did.

etcd ran there in one boot and waits to join in a later one. That alone proves nothing, since a member with data passes
through the same stage. Two things do: a bootstrap or a recovery that was taken there, which Talos refuses while the
data directory holds anything (talos v1.13 internal/app/machined/internal/server/v1alpha1/v1alpha1_server.go), or a
member with another id. Who emptied it no fact tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from journal import entries as e
from journal.entries import Fact, Instant, Outcome
from phases import codes
from phases.etcd_quorum import RUNS
from phases.lives import RESET
from phases.verbs import BOOTSTRAP, RECOVER
from rekindle.report.cleaning import clean
from rekindle.report.corrections import told
from rekindle.report.happenings import Action, HandDeed

EMPTIED = "etcd.emptied"
BEGINNINGS = frozenset({BOOTSTRAP, RECOVER})
RAN, WAITS = "etcd running", "waiting to join it, in a later boot"
NODES = codes.node("")


@dataclass(frozen=True, slots=True)
class _Ran:
    """
    In this *boot* of this machine (*uuid*) etcd ran as *member*, seen since *first*.

    *found*: when it was first seen to wait in a later boot (None: it was not), and by which entry.
    """

    uuid: str
    boot: str
    member: str
    first: Instant
    found: Instant | None = None
    seq: int = 0


@dataclass(slots=True)
class Emptied:
    """Folded entry by entry; a machine that lost its configuration too, or is another one, is told elsewhere."""

    _ran: dict[str, _Ran] = field(default_factory=dict)

    def see(self, entry: e.Observed, seq: int, actions: Iterable[Action]) -> list[HandDeed]:
        """Take in what was observed; return what the id of another member proves."""
        found: list[HandDeed] = []
        for subject, fact in entry.changed.items():
            if subject.startswith(NODES) and self._look(subject, fact, entry.at, seq):
                found += self._told(subject, actions)
                self._look(subject, fact, entry.at, seq)  # a life of its own from here on
        return found

    def begun(self, entry: e.ActionSettled, actions: Iterable[Action]) -> list[HandDeed]:
        """Return what a beginning of etcd proves that was taken."""
        taken = entry.verb in BEGINNINGS and entry.outcome is Outcome.DONE
        return [*self._told(entry.target, actions)] if taken else []

    def _look(self, subject: str, fact: Fact, at: Instant, seq: int) -> bool:
        """Say whether this very fact proves it; a node that is not seen says nothing."""
        ran, detail = self._ran.get(subject), fact.detail
        boot, uuid = str(detail.get("boot_id") or ""), str(detail.get("uuid") or "")
        member = str(detail.get("member_id") or "")
        if ran is not None and (fact.code == codes.MAINTENANCE or (uuid and uuid != ran.uuid)):
            del self._ran[subject]
            ran = None
        if not boot:
            return False
        if ran is not None and fact.code == codes.WAITS_FOR_ETCD and boot != ran.boot:
            self._ran[subject] = ran if ran.found is not None else replace(ran, found=at, seq=seq)
            return False
        if detail.get("etcd") != RUNS:
            return False
        if ran is not None and ran.found is not None and ran.member and not member:
            return False  # it runs, and has not told yet as whom
        if ran is not None and ran.found is not None and ran.member != member:
            return True
        first = ran.first if ran is not None and ran.boot == boot else at
        self._ran[subject] = _Ran(uuid, boot, member, first)
        return False

    def _told(self, subject: str, actions: Iterable[Action]) -> Iterator[HandDeed]:
        ran = self._ran.pop(subject, None)
        if ran is None or ran.found is None or _is_ours(subject, ran, actions):
            return
        yield HandDeed(
            at=ran.found,
            verb=EMPTIED,
            target=clean(subject),
            name=clean(subject),
            subject=clean(subject),
            old=RAN,
            new=WAITS,
            of={"at": ran.seq},
            entries=(ran.seq,),
        )


def _is_ours(subject: str, ran: _Ran, actions: Iterable[Action]) -> bool:
    """Say whether this run told the node to wipe itself since etcd was seen to run there, or may have."""
    return any(
        one.verb == RESET
        and one.target == subject
        and one.outcome != Outcome.FAILED.value
        and one.intended >= ran.first
        for one in actions
    )


def said(deeds: Iterable[HandDeed]) -> Iterator[str]:
    """Say what is gone, since when, and that nobody of this run took it."""
    for deed in deeds:
        if deed.verb == EMPTIED:
            yield (
                f"The etcd data of {deed.name.removeprefix(NODES)} was gone at {told(deed, 'at')}: etcd had run there, "
                "and after the next boot it waited to join. No action of this run did that; who or what did is not in "
                "its journal."
            )
