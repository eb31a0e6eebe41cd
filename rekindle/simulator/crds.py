"""CustomResourceDefinitions: served some seconds after they appear, gone when their last instance is."""

from __future__ import annotations

from phases.objects import (
    Condition,
    ConditionsStatus,
    CrdNames,
    CrdSpec,
    CrdVersion,
    CustomResourceDefinition,
)
from rekindle.simulator.api import Api, Refused, terminating
from rekindle.simulator.events import Loop
from rekindle.simulator.kinds import BUILT_IN, CRD_FINALIZER, ESTABLISHED_SECONDS, kind_of_crd
from rekindle.simulator.shapes import meta_of, with_condition

POLL_SECONDS = 5.0
KIND = "CustomResourceDefinition"


class Crds:
    """The controllers of apiextensions. *kinds* names the kind that a definition brings, where no table does."""

    def __init__(self, loop: Loop, api: Api, kinds: dict[str, str]) -> None:
        self._loop = loop
        self._api = api
        self._kinds = kinds
        self.instant = False
        api.watch(KIND, self._changed)

    def kind(self, crd: str) -> str:
        """Return the kind that a definition brings."""
        return self._kinds.get(crd) or kind_of_crd(crd)

    def apply(self, crd: str, labels: dict[str, str] | None = None) -> bool:
        """Apply a definition; false if it was there."""
        if self._api.get(KIND, crd) is not None:
            return False
        plural, _, group = crd.partition(".")
        kind = self.kind(crd)
        version = BUILT_IN[kind].version if kind in BUILT_IN else "v1"
        spec = CrdSpec(group, CrdNames(kind, plural), (CrdVersion(version, served=True),))
        try:
            meta = meta_of(crd, finalizers=(CRD_FINALIZER,), labels=labels or {})
            self._api.create(KIND, CustomResourceDefinition(meta, spec))
        except Refused:
            return False
        return True

    def _changed(
        self,
        crd: str,
        old: CustomResourceDefinition | None,
        new: CustomResourceDefinition | None,
    ) -> None:
        if new is None:
            return
        uid = new.metadata.uid
        if old is None and not new.status.conditions:
            if self.instant:
                self._accept(crd, uid)
                self._establish(crd, uid)
                return
            self._api.later(0.1, lambda: self._accept(crd, uid))
            self._api.later(ESTABLISHED_SECONDS, lambda: self._establish(crd, uid))
        elif terminating(new) and not terminating(old):
            self._api.later(0.2, lambda: self._clean(crd, uid))

    def _accept(self, crd: str, uid: str) -> None:
        self._set(
            crd,
            uid,
            Condition("NamesAccepted", "True", "NoConflicts", "no conflicts found"),
            Condition("Established", "False", "Installing", "the initial names have been accepted"),
        )

    def _establish(self, crd: str, uid: str) -> None:
        text = "the initial names have been accepted"
        self._set(crd, uid, Condition("Established", "True", "InitialNamesAccepted", text))

    def _set(self, crd: str, uid: str, *new: Condition) -> None:
        found = self._api.get(KIND, crd)
        if found is None or found.metadata.uid != uid:
            return
        conditions = found.status.conditions
        for wanted in new:
            conditions = with_condition(conditions, wanted, self._loop.now)
        self._api.update(KIND, crd, status=ConditionsStatus(0, conditions))

    def _clean(self, crd: str, uid: str) -> None:
        found = self._api.get(KIND, crd)
        if found is None or found.metadata.uid != uid:
            return
        kind = self.kind(crd)
        for key in list(self._api.all(kind)):
            self._api.delete(kind, key)
        if not self._api.all(kind):
            self._api.release(KIND, crd, (CRD_FINALIZER,))
            return
        text = "CustomResource deletion is in progress"
        self._set(crd, uid, Condition("Terminating", "True", "InstanceDeletionInProgress", text))
        self._api.later(POLL_SECONDS, lambda: self._clean(crd, uid))
