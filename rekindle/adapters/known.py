"""All that is known of the cluster at this moment, owned by the one thread that decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from phases.snapshot import (
    ALL_KINDS,
    MORE_KINDS,
    ApiLook,
    Holder,
    KubeconfigLook,
    NodeLook,
    OperatorLook,
    Seen,
    Snapshot,
    Unseen,
)
from rekindle.adapters import holders
from rekindle.adapters.apiserver import (
    ApiMessage,
    ApiReport,
    Disconnected,
    HoldersReport,
    KubeconfigReport,
)
from rekindle.adapters.cluster_lease import OperatorReport
from rekindle.adapters.nodes import NodeReport
from rekindle.adapters.pod_logs import Logs, LogsReport
from rekindle.adapters.probes import ProbeReport
from rekindle.adapters.reports import Cache, Changes, Report, Silence, Whole
from rekindle.adapters.revisions import RevisionReport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from journal.entries import Instant

Observation = Report | ApiMessage | NodeReport | RevisionReport | ProbeReport
_NOT_ASKED = Unseen(0.0, "not-asked")


class Known:
    """Takes in what threads report, and gives it out as snapshots."""

    def __init__(self, nodes: tuple[str, ...]) -> None:
        """Know of these nodes, and nothing about them."""
        self._cache = Cache(tuple(ALL_KINDS))
        self._nodes: dict[str, Seen[NodeLook] | Unseen] = dict.fromkeys(nodes, _NOT_ASKED)
        self._api: Seen[ApiLook] | Unseen = _NOT_ASKED
        self._kubeconfig: Seen[KubeconfigLook] | Unseen = _NOT_ASKED
        self._holders: dict[str, Seen[tuple[Holder, ...]] | Unseen] = {}
        self._revision = ""
        self._probes: dict[str, Seen[int] | Unseen] = {}
        self._logs: Logs = {}
        self._operator: Seen[OperatorLook] | Unseen | None = None

    def snapshot(self, now: Instant) -> Snapshot:
        """Return everything, as it is known *now*."""
        wanted = [what.key for what in self.terminating()]
        return Snapshot(
            at=now,
            nodes=dict(self._nodes),
            api=self._api,
            kubeconfig=self._kubeconfig,
            objects=self._cache.objects(now),
            holders=holders.wanted_of(self._holders, wanted, _NOT_ASKED),
            revision=self._revision,
            probes=dict(self._probes),
            logs=self._logs,
            operator=self._operator,
        )

    def pods(self) -> Mapping[str, Any]:
        """Return the last known pods; the mapping is never changed afterwards."""
        return self._cache.of("Pod")

    def ask_for_operator(self) -> None:
        """Note that somebody will say who acts on this cluster."""
        self._operator = _NOT_ASKED

    def terminating(self) -> list[holders.Terminating]:
        """List what is Terminating."""
        crds = self._cache.of("CustomResourceDefinition")
        return holders.terminating(self._cache.of("Namespace"), crds)

    def take(self, message: Observation) -> bool:
        """Take a report in; tell whether there is something new to judge: what only rules read waits for them."""
        match message:
            case Whole() | Changes() | Silence():
                return self._cache.take(message) and message.kind not in MORE_KINDS
            case LogsReport():  # as what only rules read
                changed, self._logs = False, message.logs
            case NodeReport():
                changed = _differ(self._nodes.get(message.node), message.look)
                self._nodes[message.node] = message.look
            case ApiReport():
                changed = self._take_api(message.look)
            case KubeconfigReport():
                changed = _differ(self._kubeconfig, message.look)
                self._kubeconfig = message.look
            case HoldersReport():
                keys = self._holders.keys() | message.holders.keys()
                old, new = self._holders, message.holders
                changed = any(_differ(old.get(key), new.get(key)) for key in keys)
                self._holders = new
            case OperatorReport():
                changed = _differ(self._operator, message.look)
                self._operator = message.look
            case ProbeReport():
                changed = _differ(self._probes.get(message.key), message.look)
                self._probes[message.key] = message.look
            case RevisionReport():
                changed = self._revision != message.revision
                self._revision = message.revision
            case Disconnected():
                self._cache.forget(message.at, message.code, message.why)
                changed = True
        return changed

    def _take_api(self, look: Seen[ApiLook] | Unseen) -> bool:
        """Note that what is being watched quietly is as fresh as the API's last answer."""
        before, self._api = self._api, look
        if isinstance(look, Seen) and look.value.serving:
            self._cache.confirm(look.at)
        return _differ(before, look)


def _differ(before: object, after: object) -> bool:
    """Compare what was seen, not when; of what was not seen, why."""
    if isinstance(before, Seen) and isinstance(after, Seen):
        return bool(before.value != after.value)
    if isinstance(before, Unseen) and isinstance(after, Unseen):
        return before.code != after.code
    return True
