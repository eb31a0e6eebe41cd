"""
How long a vertex takes: one table for the ETA, the critical path and the order of nudges.

What is known of an object itself goes before what is known of its kind, and newer before older:

1. this object, when it last became well in this run;
2. this object, as it reports itself (``took`` in its fact: a Kustomization's last success, a release's last action);
3. this object, in an earlier run of this cluster;
4. its family, in this run: the median, from three on;
5. the usual seconds below.

All of it comes in as data that a journal holds, so that a replay decides by the same durations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from engine.answer import Subject
from journal import entries as e
from journal.entries import Instant
from phases.needs import family_of, is_at_work, is_well, needs_of, subject_of
from phases.vertices import Needs, Vertex, applied

if TYPE_CHECKING:
    from engine.memory import Memory
    from engine.recipe import Facts
    from phases.outline import Outline

# Seconds. Sources: [M] our model of a recovery of this size (a rebuild is: Talos apply and boot 3 to 5 minutes, etcd
# and API 1 to 2, network and DNS 1 to 2, Flux 1; a workload's roll-out has a median of 49 s); [S] the controllers' own:
# kustomize-controller polls health every 5 s, an API server serves a new CRD after about 5 s where there are several,
# a namespace's controller looks again after 60 s at most.
USUAL_SECONDS: Mapping[str, float] = {
    "node": 240.0,  # [M]
    "etcd": 60.0,  # [M]
    "api": 30.0,  # [M]
    "k8s-node": 15.0,  # [M]
    "daemonset": 49.0,  # [M]
    "deployment": 49.0,  # [M]
    "statefulset": 49.0,  # [M]
    "root": 5.0,
    "gitrepository": 5.0,
    "namespace": 1.0,
    "namespace#gone": 60.0,  # [S]
    "crd": 5.0,  # [S]
    "kustomization": 5.0,  # [S]
    "kustomization#applied": 5.0,  # fetch, build, dry run, apply
    "helmrelease": 5.0,
    "helmrelease#applied": 10.0,  # render, install
    "store": 10.0,
    "externalsecret": 5.0,
}
OTHER_SECONDS = 30.0
DIGITS = 1
ENOUGH = 3  # durations of a family, before its median counts


class Basis(StrEnum):
    """What a duration is known by."""

    OWN = "own"
    REPORTED = "reported"
    EARLIER = "earlier"
    USUAL = "usual"


class Duration(NamedTuple):
    """Seconds, and by what they are known."""

    seconds: float
    basis: Basis


@dataclass(frozen=True, slots=True)
class Durations:
    """
    What is known besides the facts.

    *own*: of subjects in this run, *families* of families there (only those of which enough is known), *earlier*: of
    subjects in runs before.
    """

    own: Mapping[Subject, float] = field(default_factory=dict)
    families: Mapping[str, float] = field(default_factory=dict)
    earlier: Mapping[Subject, float] = field(default_factory=dict)

    @classmethod
    def of(cls, memory: Memory) -> Durations:
        """Read what a decision may know."""
        return cls.seen(memory.took, memory.took_earlier)

    @classmethod
    def seen(
        cls, own: Mapping[Subject, float], earlier: Mapping[Subject, float] | None = None
    ) -> Durations:
        """Make it of what the journal has of each subject, of this run and of those before."""
        found: dict[str, list[float]] = {}
        for subject, span in own.items():
            found.setdefault(family_of(subject), []).append(span)
        return cls(own, medians(found), earlier or {})

    def find(self, vertex: Vertex, needs: Needs, facts: Facts) -> Duration:
        """Return how long a vertex takes when all that it needs is there; *needs* is the whole graph."""
        for span, basis in self._known(subject_of(vertex), facts):
            if span is not None and (share := _share(vertex, span, needs)) is not None:
                return Duration(share, basis)
        return Duration(_usual(vertex), Basis.USUAL)

    def _known(self, subject: Subject, facts: Facts) -> Iterator[tuple[float | None, Basis]]:
        """Yield what is known of an object, the best first."""
        yield self.own.get(subject), Basis.OWN
        fact = facts.get(subject)
        yield (None if fact is None else fact.detail.get("took")), Basis.REPORTED
        yield self.earlier.get(subject), Basis.EARLIER
        yield self.families.get(family_of(subject)), Basis.OWN


def _usual(vertex: Vertex) -> float:
    return USUAL_SECONDS.get(family_of(vertex), OTHER_SECONDS)


def _share(vertex: Vertex, whole: float, needs: Needs) -> float | None:
    """
    Return what of an object's *whole* time is a vertex's own; None: that cannot be told.

    Of what applies something it is a whole attempt, with what that waited for. Applying was no longer than that, and if
    nothing in the graph lies between, the rest is the object's own; else what lies between has its own durations.
    """
    subject = subject_of(vertex)
    first = applied(subject)
    if first not in needs:
        return whole if vertex == subject else None
    early = min(whole, _usual(first))
    if vertex == first:
        return early
    return whole - early if needs.get(subject) == (first,) else None


def medians(durations: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Return the medians of those families of which enough is known."""
    return {name: _median(spans) for name, spans in durations.items() if len(spans) >= ENOUGH}


def _median(found: Sequence[float]) -> float:
    """Return what is in the middle; ``statistics`` takes longer to import than all that ``status`` has of this room."""
    ordered, half = sorted(found), len(found) // 2
    return ordered[half] if len(found) % 2 else (ordered[half - 1] + ordered[half]) / 2


def timed(before: Memory, entry: e.Observed) -> e.Observed:
    """
    Tell on what work begins with an observation, and how long what it shows to be well was worked on.

    Of what may be in a graph of needs only: of all else there may be any number, as of pods. That something is still
    worked on is no beginning, and what was held up in between begins anew.
    """
    begun: list[Subject] = []
    took: dict[Subject, float] = {}
    for subject, fact in entry.changed.items():
        known = before.facts.get(subject)
        was = known is not None and is_at_work(subject, known)
        if is_at_work(subject, fact):
            if not was and family_of(subject) in USUAL_SECONDS:
                begun.append(subject)
        elif was and subject in before.begun and is_well(subject, entry.changed):
            took[subject] = round(entry.at - before.begun[subject], DIGITS)
    return replace(entry, begun=tuple(begun), took=took) if begun or took else entry


def under_way(memory: Memory) -> dict[Subject, Instant]:
    """Return since when what is worked on just now is: what was held up since is remembered until it begins anew."""
    known = ((subject, memory.facts.get(subject)) for subject in memory.begun)
    return {s: memory.begun[s] for s, fact in known if fact is not None and is_at_work(s, fact)}


def handed_on(section: Outline, memory: Memory) -> dict[Subject, float]:
    """Return what the next run of the same cluster is told of this one: of what its plan (*section*) knows."""
    known = set(map(subject_of, needs_of(section)))
    found = {**memory.took_earlier, **memory.took}
    return {subject: found[subject] for subject in sorted(known & found.keys())}
