"""Namespaces: Active, or Terminating until nothing is left in them; nothing else keeps one, and nothing else helps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from phases.objects import Condition, Namespace, PhaseStatus
from rekindle.simulator.api import Api, Refused, terminating
from rekindle.simulator.crds import Crds
from rekindle.simulator.events import Loop
from rekindle.simulator.kinds import BUILT_IN
from rekindle.simulator.shapes import meta_of, with_condition

KIND = "Namespace"
FIRST_RETRY_SECONDS = 5.0
MAX_RETRY_SECONDS = 60.0


class Namespaces:
    """The namespace controller. *unserved* names the API groups that discovery cannot tell about."""

    def __init__(
        self, loop: Loop, api: Api, crds: Crds, unserved: Callable[[], list[str]] = list
    ) -> None:
        self._loop = loop
        self._api = api
        self._crds = crds
        self._unserved = unserved
        api.watch(KIND, self._changed)

    def apply(self, name: str, labels: dict[str, str] | None = None) -> bool:
        """Apply a namespace; false if it was there, be it Terminating."""
        if self._api.get(KIND, name) is not None:
            return False
        meta = meta_of(name, labels={"kubernetes.io/metadata.name": name, **(labels or {})})
        try:
            self._api.create(KIND, Namespace(meta, PhaseStatus("Active")))
        except Refused:
            return False
        return True

    def _changed(self, name: str, old: Namespace | None, new: Namespace | None) -> None:
        if new is not None and terminating(new) and not terminating(old):
            uid = new.metadata.uid
            self._api.update(KIND, name, status=PhaseStatus("Terminating", new.status.conditions))
            self._api.later(0.5, lambda: self._empty(name, uid, FIRST_RETRY_SECONDS))

    def _empty(self, name: str, uid: str, retry: float) -> None:
        found: Namespace | None = self._api.get(KIND, name)
        if found is None or found.metadata.uid != uid:
            return
        for kind, key, _ in self._api.within(name):
            self._api.delete(kind, key)
        left = [(kind, value) for kind, _, value in self._api.within(name)]
        unserved = self._unserved()
        if not left and not unserved:
            self._api.remove(KIND, name)
            return
        conditions = found.status.conditions
        for new in (_discovery(unserved), *self._conditions(left)):
            conditions = with_condition(conditions, new, self._loop.now)
        self._api.update(KIND, name, status=PhaseStatus("Terminating", conditions))
        longer = min(retry * 2, MAX_RETRY_SECONDS)
        self._api.later(retry, lambda: self._empty(name, uid, longer))

    def _conditions(self, left: list[tuple[str, object]]) -> tuple[Condition, ...]:
        kinds = Counter(self._resource(kind) for kind, _ in left if kind != "Pod")
        finalizers = Counter(
            name
            for kind, value in left
            if kind != "Pod"
            for name in value.metadata.finalizers  # type: ignore[attr-defined]
        )
        remaining = ", ".join(
            f"{name} has {n} resource instances" for name, n in sorted(kinds.items())
        )
        held = ", ".join(
            f"{name} in {n} resource instances" for name, n in sorted(finalizers.items())
        )
        return (
            Condition(
                "NamespaceDeletionGroupVersionParsingFailure",
                "False",
                "ParsedGroupVersions",
                "All legacy kube types successfully parsed",
            ),
            Condition(
                "NamespaceDeletionContentFailure",
                "False",
                "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization",
            ),
            _state(
                "NamespaceContentRemaining",
                f"Some resources are remaining: {remaining}" if kinds else "",
                ("SomeResourcesRemain", "ContentRemoved", "All content successfully removed"),
            ),
            _state(
                "NamespaceFinalizersRemaining",
                f"Some content in the namespace has finalizers remaining: {held}" if held else "",
                (
                    "SomeFinalizersRemain",
                    "ContentHasNoFinalizers",
                    "All content-preserving finalizers finished",
                ),
            ),
        )

    def _resource(self, kind: str) -> str:
        if kind in BUILT_IN:
            return f"{BUILT_IN[kind].plural}.{BUILT_IN[kind].group}"
        for crd in self._api.all("CustomResourceDefinition"):
            if self._crds.kind(crd) == kind:
                return crd
        return f"{kind.lower()}s."


def _discovery(unserved: list[str]) -> Condition:
    """What is not served cannot be listed: the deleter empties what it knows of, and keeps the namespace."""
    kind = "NamespaceDeletionDiscoveryFailure"
    if not unserved:
        text = "All resources successfully discovered"
        return Condition(kind, "False", "ResourcesDiscovered", text)
    stale = ", ".join(f"{api}: stale GroupVersion discovery: {api}" for api in unserved)
    text = (
        f"Discovery failed for some groups, {len(unserved)} failing:"
        f" unable to retrieve the complete list of server APIs: {stale}"
    )
    return Condition(kind, "True", "DiscoveryFailed", text)


def _state(kind: str, message: str, texts: tuple[str, str, str]) -> Condition:
    bad, good, fine = texts
    if message:
        return Condition(kind, "True", bad, message)
    return Condition(kind, "False", good, fine)
