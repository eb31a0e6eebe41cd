"""
The lease in the cluster: of two operators with two journals on two machines, one acts while the API answers.

A ``coordination.k8s.io`` Lease, by the rules of Kubernetes' own leader election (client-go v0.36,
``tools/leaderelection``): whoever finds it free, or unchanged for longer than it lasts, takes it, with the
resourceVersion that was read; two clocks are never compared. Without an API there is no lease, and nobody is kept off:
then the guards at the target have the last word.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from phases.more_objects import Lease
from phases.snapshot import OperatorLook, Seen, Unseen
from rekindle.adapters.background import ODD, outliving
from rekindle.adapters.connection import UnansweredError
from rekindle.adapters.kubernetes import RefusedError, code_of, decode

if TYPE_CHECKING:
    from collections.abc import Callable

    from journal.entries import Instant
    from rekindle.adapters.kubernetes import Api

NAMESPACE, NAME = "kube-system", "rekindle"
PATH = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
DURATION_SECONDS = 60
RENEW_SECONDS = 10.0
RELEASE_SECONDS = 3.0
_NOT_FOUND, _CONFLICT = 404, 409


@dataclass(frozen=True, slots=True)
class OperatorReport:
    """A look at who acts on this cluster."""

    look: Seen[OperatorLook] | Unseen


@dataclass(frozen=True, slots=True)
class _Found:
    """The lease as it was read."""

    spec: dict[str, object]
    version: str
    holder: str


class LeaseKeeper:
    """
    Takes the lease, renews it and lets go of it, in a thread; tells who has it.

    *holder* names us: the same for every session of one run on one machine, so that a run that was killed goes on.
    """

    def __init__(
        self,
        api: Api,
        holder: str,
        report: Callable[[OperatorReport], None],
        *,
        clock: Callable[[], Instant] = time.time,
        steady: Callable[[], float] = time.monotonic,
        renew_seconds: float = RENEW_SECONDS,
    ) -> None:
        """Prepare; ``start`` begins."""
        self._api = api
        self._holder = holder
        self._report = report
        self._clock = clock
        self._steady = steady
        self._renew = renew_seconds
        self._seen: Instant = 0.0
        self._last: tuple[str, object, float] = ("", None, 0.0)
        self._theirs: tuple[str, float] = ("", 0.0)
        self._ours = False
        self._lets_go = True
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def hurry(self) -> None:
        """Look soon: the API is back."""
        self._wake.set()

    def stop(self, *, let_go: bool = True) -> None:
        """Ask to end; ``join`` waits for it. *let_go* of what is ours: the next need not wait until it runs out."""
        self._lets_go = let_go
        self._stopping.set()
        self._wake.set()

    def join(self, seconds: float) -> None:
        """Wait for the end."""
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            with outliving(lambda why: self._report(OperatorReport(Unseen(self._seen, ODD, why)))):
                self._report(OperatorReport(self.look()))
            if not self._stopping.is_set():
                self._wake.wait(self._renew)
        with outliving(lambda _why: None):
            self._let_go()

    def look(self) -> Seen[OperatorLook] | Unseen:
        """Take or renew it if it may be taken; say whose it is."""
        at = self._clock()
        try:
            holder = self._held()
        except (RefusedError, UnansweredError) as error:
            if self._steady() < self._theirs[1]:  # an API that goes away takes nobody's lease away
                return Seen(OperatorLook(self._theirs[0], ours=False), self._seen)
            return Unseen(self._seen, code_of(error), str(error))
        self._seen = at
        self._ours = holder == self._holder
        lasts = DURATION_SECONDS if holder and not self._ours else 0
        self._theirs = (holder, self._steady() + lasts)
        return Seen(OperatorLook(holder, self._ours), at)

    def _held(self) -> str:
        """Return who holds it after this look."""
        found = self._read()
        if found is None:
            return self._holder if self._put("POST", PATH, self._spec({}), "") else self._after()
        if found.holder not in {"", self._holder} and not self._is_over(found):
            return found.holder
        path = f"{PATH}/{NAME}"
        return (
            self._holder
            if self._put("PUT", path, self._spec(found.spec), found.version)
            else self._after()
        )

    def _after(self) -> str:
        """Somebody was faster: look whose it is now, and leave it at that."""
        found = self._read()
        return found.holder if found is not None else ""

    def _is_over(self, found: _Found) -> bool:
        """Say whether it has not been renewed for longer than it lasts, by our own clock since we first saw it so."""
        holder, renewed, since = self._last
        said = (found.holder, found.spec.get("renewTime"))
        if (holder, renewed) != said:
            self._last = (*said, self._steady())
            return False
        lasts = found.spec.get("leaseDurationSeconds")
        return self._steady() - since > (lasts if isinstance(lasts, int) else DURATION_SECONDS)

    def _spec(self, before: dict[str, object]) -> dict[str, object]:
        """Write ours over what was there."""
        now = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        goes_on = before.get("holderIdentity") == self._holder
        times = before.get("leaseTransitions")
        turns = times if isinstance(times, int) else 0
        return {
            "holderIdentity": self._holder,
            "leaseDurationSeconds": DURATION_SECONDS,
            "acquireTime": before.get("acquireTime") if goes_on else now,
            "renewTime": now,
            "leaseTransitions": turns + (0 if goes_on or not before else 1),
        }

    def _read(self) -> _Found | None:
        try:
            body = self._api.get(f"{PATH}/{NAME}")
        except RefusedError as error:
            if error.status == _NOT_FOUND:
                return None
            raise
        found = decode(body, Lease)
        spec = decode(body, _Raw).spec
        holder = spec.get("holderIdentity")
        return _Found(
            spec, found.metadata.resource_version, holder if isinstance(holder, str) else ""
        )

    def _put(self, method: str, path: str, spec: dict[str, object], version: str) -> bool:
        """Write it as it was read; false: somebody else wrote meanwhile."""
        metadata = {"name": NAME, "namespace": NAMESPACE}
        if version:
            metadata["resourceVersion"] = version
        body = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": metadata,
            "spec": spec,
        }
        try:
            self._api.store(method, path, msgspec.json.encode(body))
        except RefusedError as error:
            if error.status == _CONFLICT:
                return False
            raise
        return True

    def _let_go(self) -> None:
        """Leave it free for the next, if it is ours; whoever cannot be reached will see it run out."""
        if not self._ours or not self._lets_go:
            return
        self._api = self._api.within(RELEASE_SECONDS)
        try:
            found = self._read()
            if found is not None and found.holder == self._holder:
                spec = {**found.spec, "holderIdentity": "", "leaseDurationSeconds": 1}
                self._put("PUT", f"{PATH}/{NAME}", spec, found.version)
        except (RefusedError, UnansweredError):
            return


class _Raw(msgspec.Struct, frozen=True):
    """The spec as it is: what others wrote in it is not ours to drop."""

    spec: dict[str, object] = {}
