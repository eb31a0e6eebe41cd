"""
When a cause was over: the instant at which the facts of what it is about say what its ``clears_when`` says.

A finding leaves the findings when diagnosis, at its next look, has no sign of it any more. What clears it may have come
true before that look, or later: a namespace whose last holder let go is Terminating still. Only rules whose
``clears_when`` is about the very objects that facts are kept of are judged here; of the others nothing is known but the
look that did not find them any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from journal.entries import Fact, Finding, Instant, Observed
from phases import codes
from phases.snapshot import KINDS

# Over once the subject is Ready: a CRD that is Established, a store, a release, a source, a Deployment, a node.
WELL = frozenset({"C4", "E1", "E2", "E3", "E4", "F1", "L2", "S1", "S2", "S3", "S4", "X1", "X5"})
# Over once the namespace is not Terminating any more: "gone, or Active again".
LEAVES = frozenset({"N4", "N5", "N6", "N7", "N8", "N9"})
# Over once the subject is there again, well or not.
EXISTS = frozenset({"X2"})
# Over once the nodes that it names no longer wait for a network.
NODES = frozenset({"T16"})
# Over once a control plane tells members again, for Talos asks with a leader; of the same rule no other cause is.
QUORUM = frozenset({"quorum-lost", "quorum-hidden"})
STANDS = frozenset({codes.FORMING, codes.HEALTHY})
HIDDEN = frozenset({codes.UNOBSERVABLE, codes.UNKNOWN})
NODE = codes.k8s_node("")
# The fact that says whether objects of a family can be listed at all.
LISTED = {codes.subject(name, ""): codes.kind(name) for name in KINDS} | {NODE: codes.kind("Node")}


@dataclass(frozen=True, slots=True)
class Ending:
    """The cause at *place* was over at *at*; entry *seq* shows it."""

    place: int
    at: Instant
    seq: int


@dataclass(slots=True)
class _Watch:
    """*turned*: when each object turned well, and by which entry; None: it is not well, or nobody knows."""

    name: str
    place: int
    finding: Finding
    found: Instant
    turned: dict[str, tuple[Instant, int] | None]
    left: bool = False

    def ending(self) -> Ending | None:
        found = [turn for turn in self.turned.values() if turn is not None]
        if len(found) < len(self.turned):
            return None
        at, seq = max(found)
        return Ending(self.place, at, seq)


@dataclass(slots=True)
class Endings:
    """Fed with causes as they come and go, and with what is observed between."""

    _watches: dict[str, _Watch] = field(default_factory=dict)
    _names: dict[str, set[str]] = field(
        default_factory=dict
    )  # of causes, by the object that tells their end

    def begin(
        self,
        name: str,
        place: int,
        finding: Finding,
        found: Instant,
        facts: Mapping[str, Fact],
    ) -> None:
        """Watch the objects of a cause; one that is well already cannot tell when it is over."""
        self._forget(name)
        told = [subject for subject in _objects(finding) if subject in facts]
        ill = [subject for subject in told if not _is_over(finding, facts[subject])]
        if not ill:
            return
        watch = _Watch(name, place, finding, found, dict.fromkeys(ill))
        self._watches[name] = watch
        for subject in ill:
            self._names.setdefault(subject, set()).add(name)

    def leave(self, name: str) -> tuple[Ending | None, bool]:
        """Say of a cause that was not found any more when it was over, and whether that is still to come."""
        watch = self._watches.get(name)
        if watch is None:
            return None, False
        watch.left = True
        found = watch.ending()
        if found is not None:
            self._forget(name)
        return found, found is None

    def see(self, entry: Observed, seq: int) -> list[Ending]:
        """Take in what was observed; return the ends of causes that had left the findings before."""
        if not self._names:
            return []
        names: set[str] = set()
        for subject in self._names.keys() & entry.changed.keys():
            for name in self._names[subject]:
                watch = self._watches[name]
                watch.turned[subject] = _turn(watch, entry.changed[subject], entry.at, seq)
                names.add(name)
        over = []
        for name in sorted(names):
            watch = self._watches[name]
            found = watch.ending()
            if watch.left and found is not None:
                over.append(found)
                self._forget(name)
        return over

    def awaited(self, facts: Mapping[str, Fact]) -> set[int]:
        """Return the places of causes that left the findings, and whose end the facts may still tell."""
        return {
            watch.place
            for watch in self._watches.values()
            if watch.left
            and any(turn is None and _is_told(one, facts) for one, turn in watch.turned.items())
        }

    def _forget(self, name: str) -> None:
        watch = self._watches.pop(name, None)
        for subject in watch.turned if watch is not None else ():
            names = self._names[subject]
            names.discard(name)
            if not names:
                del self._names[subject]


def _objects(finding: Finding) -> tuple[str, ...]:
    if finding.rule in WELL | LEAVES | EXISTS:
        return (finding.subject,)
    if finding.rule == "T19" and finding.cause in QUORUM:
        return (finding.subject,)
    if finding.rule in NODES:
        return tuple(subject for subject in finding.blocks if subject.startswith(NODE))
    return ()


def _is_told(subject: str, facts: Mapping[str, Fact]) -> bool:
    """
    Say whether a fact is kept of an object, or would be, if its kind could be listed.

    What a plan has no longer, or no cause names any more, has no fact: that it is gone nobody says, nor that it is not.
    """
    listed = facts.get(LISTED.get(subject.partition("/")[0] + "/", ""))
    return subject in facts or listed is None or listed.code != codes.SEEN


def _turn(watch: _Watch, fact: Fact, at: Instant, seq: int) -> tuple[Instant, int] | None:
    """Take the object's own instant; one from before the cause was found is of something else."""
    if not _is_over(watch.finding, fact):
        return None
    own = fact.since
    return (own if own is not None and watch.found <= own <= at else at), seq


def _is_over(finding: Finding, fact: Fact) -> bool:
    rule = finding.rule
    if fact.code in HIDDEN:
        return False
    if finding.cause in QUORUM:
        return fact.code in STANDS and fact.detail.get("quorum") != codes.UNKNOWN
    if rule in EXISTS:
        return fact.code != codes.ABSENT
    if rule in LEAVES:
        return fact.code != codes.TERMINATING
    return fact.code == codes.READY and fact.detail.get("verified") is not False
