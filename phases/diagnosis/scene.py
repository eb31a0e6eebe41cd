"""
What rules look at: one frozen snapshot, what should exist, and the few questions that many rules ask of them.

What was not seen is unknown: a rule asks ``seen`` before it takes absence for evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

from engine.answer import Subject
from journal.entries import Instant
from phases import codes
from phases.objects import Condition, Meta, key_of
from phases.pod_logs import LogLook
from phases.readiness.nodes import FRESH_SECONDS
from phases.snapshot import ApiLook, Holder, NodeLook, Seen, Snapshot, Unseen

if TYPE_CHECKING:
    from phases.inventory import Inventory

NOTHING: Mapping[str, Any] = {}
T = TypeVar("T")
LOG_FRESH_SECONDS = 180.0  # a log is read once a minute


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer of an earlier look: it holds as long as *questions* have the same answers."""

    questions: Mapping[tuple[Any, ...], object]
    answer: Any


@dataclass(frozen=True)
class Scene:
    """
    *inventory* is None where nobody said what should exist; *control_planes* are the plan's (empty: there is no plan).

    *installed*: who owns, in the inventory, what commands of the plan install before Flux is there; the plan's as well.
    *kept* is shared by the looks at one cluster with one inventory (and never by two clusters): what no question has a
    new answer for is not worked out again. Time is asked in yes or no, so that its passing alone makes nothing new.
    """

    snapshot: Snapshot
    inventory: Inventory | None = None
    kept: dict[str, Kept] = field(default_factory=dict, compare=False, repr=False)
    control_planes: tuple[str, ...] = ()
    installed: frozenset[Subject] = frozenset()
    _fresh: dict[str, Kept] = field(default_factory=dict, init=False, compare=False, repr=False)
    _asking: list[dict[tuple[Any, ...], object]] = field(
        default_factory=list, init=False, compare=False, repr=False
    )

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Return what *make* returns, which must ask this scene alone, and is not asked where nothing is new."""
        kept = self._fresh.get(name)
        if kept is None:
            kept = self.kept.get(name)
            if kept is None or not self._holds(kept):
                self._asking.append({})
                try:
                    answer = make()
                finally:
                    questions = self._asking.pop()
                kept = self.kept[name] = Kept(questions, answer)
            self._fresh[name] = kept
        if self._asking:
            self._asking[-1].update(kept.questions)
        return cast("T", kept.answer)

    def _holds(self, kept: Kept) -> bool:
        for question, before in kept.questions.items():
            now = _ANSWERS[question[0]](self, *question[1:])
            if now is not before and (question[0] in _BY_IDENTITY or now != before):
                return False
        return True

    def _ask(self, *question: Any) -> Any:  # noqa: ANN401  a question's own type
        answer = _ANSWERS[question[0]](self, *question[1:])
        if self._asking:
            self._asking[-1][question] = answer
        return answer

    def passed(self, instant: Instant) -> bool:
        """Say whether the look is not before this instant of the cluster."""
        return bool(self._ask("passed", instant))

    def older(self, since: Instant, seconds: float) -> bool:
        """Say whether something lasts that long already."""
        return self.passed(since + seconds)

    def seen(self, kind: str) -> bool:
        """Say whether a kind could be listed; only then does its absence mean anything."""
        return bool(self._ask("seen", kind))

    @property
    def knows_not_all(self) -> bool:
        """Say whether more may be expected than is known: there is no inventory, or it has a foreign source."""
        return self.inventory is None or bool(self.inventory.unknown)

    def of(self, kind: str) -> Mapping[str, Any]:
        """Return the objects of a kind by key; nothing where they could not be listed."""
        found: Mapping[str, Any] = self._ask("of", kind)
        return found

    def get(self, kind: str, key: str) -> Any:  # noqa: ANN401  any of KINDS
        """Return one object, or None."""
        return self._ask("get", kind, key)

    def holders(self, scope: str) -> tuple[Holder, ...] | None:
        """Return what is known to hold ``namespace/NAME`` or ``crd/NAME``; None where nothing could be told."""
        found: tuple[Holder, ...] | None = self._ask("holders", scope)
        return found

    def log(self, pod: str) -> LogLook | None:
        """Return what the log of a pod (``namespace/name``) says; None where it was not read, or not lately."""
        found: LogLook | None = self._ask("log", pod)
        return found

    def machines(self) -> Mapping[str, NodeLook | None]:
        """Return what Talos says of each planned node; None where its last word is too old to say anything."""
        found: Mapping[str, NodeLook | None] = self._ask("machines")
        return found

    def unseen_machines(self) -> Mapping[str, str]:
        """Return the code by which each planned node is not seen: refused, silent, denied, ..."""
        found: Mapping[str, str] = self._ask("unseen machines")
        return found

    def api(self) -> ApiLook | None:
        """Return what is known of the API now; None where nothing of it could be told, or not lately."""
        found: ApiLook | None = self._ask("api")
        return found

    def kinds_of(self, kind: str, group: str) -> list[str]:
        """Return the names of the CRDs that define a kind of a group, served or not."""
        return [
            name
            for name, crd in self.of("CustomResourceDefinition").items()
            if crd.spec.names.kind == kind and crd.spec.group == group
        ]


def subject_of(kind: str, metadata: Meta) -> Subject:
    """Name an object as facts and findings do."""
    return codes.subject(kind, key_of(metadata))


def uid_of(scene: Scene, kind: str, key: str) -> str:
    """Return the UID of an object; empty where it is not listed."""
    found = scene.get(kind, key)
    return "" if found is None else str(found.metadata.uid)


def path_of(kind: str, metadata: Meta, *fields: str) -> str:
    """Write a path into the snapshot, for evidence: ``Namespace/storage .status.conditions[X]``."""
    return " ".join((f"{kind}/{key_of(metadata)}", *(f".{name}" for name in fields)))


def instant(condition: Condition | None) -> Instant | None:
    """Return when a condition became what it is; never when the object was made."""
    if condition is None or condition.last_transition_time is None:
        return None
    return condition.last_transition_time.timestamp()


def is_younger(scene: Scene, metadata: Meta, seconds: float) -> bool:
    """
    Say whether an object is there for less than this: then nothing about it can have lasted longer.

    The other way round an age says nothing, so that this may only ever withhold a finding.
    """
    made = metadata.creation_timestamp
    return made is not None and not scene.older(made.timestamp(), seconds)


def deleted_at(metadata: Meta) -> Instant | None:
    """Return since when an object is on its way out."""
    return None if metadata.deletion_timestamp is None else metadata.deletion_timestamp.timestamp()


def _of(scene: Scene, kind: str) -> Mapping[str, Any]:
    found = scene.snapshot.objects.get(kind)
    return found.value if isinstance(found, Seen) else NOTHING


def _holders(scene: Scene, scope: str) -> tuple[Holder, ...] | None:
    looks = scene.snapshot.holders
    found = looks.get(f"{scope}/listed") or looks.get(scope)
    return found.value if isinstance(found, Seen) else None


def _log(scene: Scene, pod: str) -> LogLook | None:
    found = scene.snapshot.logs.get(pod)
    fresh = isinstance(found, Seen) and scene.snapshot.at - found.at <= LOG_FRESH_SECONDS
    return found.value if isinstance(found, Seen) and fresh else None


def _machines(scene: Scene) -> Mapping[str, NodeLook | None]:
    return {
        name: found.value
        if isinstance(found, Seen) and scene.snapshot.at - found.at <= FRESH_SECONDS
        else None
        for name, found in sorted(scene.snapshot.nodes.items())
    }


def _unseen_machines(scene: Scene) -> Mapping[str, str]:
    looks = sorted(scene.snapshot.nodes.items())
    return {name: found.code for name, found in looks if isinstance(found, Unseen)}


def _api(scene: Scene) -> ApiLook | None:
    found = scene.snapshot.api
    fresh = isinstance(found, Seen) and scene.snapshot.at - found.at <= FRESH_SECONDS
    return found.value if isinstance(found, Seen) and fresh else None


_ANSWERS: dict[str, Callable[..., Any]] = {
    "passed": lambda scene, instant: scene.snapshot.at >= instant,
    "seen": lambda scene, kind: isinstance(scene.snapshot.objects.get(kind), Seen),
    "of": _of,
    "get": lambda scene, kind, key: _of(scene, kind).get(key),
    "holders": _holders,
    "log": _log,
    "machines": _machines,
    "unseen machines": _unseen_machines,
    "api": _api,
}
_BY_IDENTITY = {
    "of",
    "get",
}  # a snapshot keeps what did not change; comparing it would cost more than a rule
