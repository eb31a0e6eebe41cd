"""kustomize-controller: what it applies in which order, what it waits for, and what it writes down meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

from phases.objects import Condition, Flux, FluxInventory, InventoryEntry
from rekindle.simulator import labels
from rekindle.simulator.api import Api, Refused, terminating
from rekindle.simulator.events import Loop, Steps
from rekindle.simulator.flux import IN_PROGRESS, Patcher, Settings, asked, dependency_ready, wake
from rekindle.simulator.kinds import KUSTOMIZE_FINALIZER, identify
from rekindle.simulator.kstatus import CURRENT, FAILED, status_of
from rekindle.simulator.maker import Maker
from rekindle.simulator.queue import Controller
from rekindle.simulator.shapes import go_duration
from rekindle.simulator.tree import Item, KustomizationSpec, Tree

KIND = "Kustomization"
DEFINITIONS = ("Namespace", "CustomResourceDefinition", "ClusterRole")
STAGE_WAIT_SECONDS = 60.0
STAGE_POLL_SECONDS = 2.0
HEALTH_POLL_SECONDS = 5.0
LEAST_TIMEOUT_SECONDS = 30.0
Outcome = Generator[float, None, "Failure | None"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed. *retry* overrides the retry interval, *quiet* leaves no trace of progress."""

    reason: str
    message: str
    retry: float = 0.0
    quiet: bool = False
    unhealthy: str = ""


class Kustomizations:
    """The controller. *fetchable* says whether an artifact can be downloaded from source-controller."""

    def __init__(
        self,
        loop: Loop,
        api: Api,
        tree: Tree,
        maker: Maker,
        settings: Settings,
        fetchable: Callable[[], bool],
    ) -> None:
        self._loop = loop
        self._api = api
        self._tree = tree
        self._maker = maker
        self._settings = settings
        self._fetchable = fetchable
        self._patcher = Patcher(loop, api, KIND)
        self._progress: dict[str, str] = {}
        self.inventories: dict[str, tuple[Item, ...]] = {}
        self.controller = Controller(loop, api, settings.kustomize_workers, self._reconcile)
        api.watch(KIND, lambda key, old, new: wake(self.controller, key, old, new))
        api.watch("GitRepository", lambda _key, _old, _new: self._source_changed())

    def _source_changed(self) -> None:
        revision = self._revision()
        for key, found in self._api.all(KIND).items():
            if revision and found.status.last_attempted_revision != revision:
                self.controller.enqueue(key)

    def _revision(self) -> str:
        source = self._api.get("GitRepository", self._maker.source)
        artifact = source.status.artifact if source is not None else None
        return artifact.revision if artifact is not None else ""

    # --- one reconcile ---------------------------------------------------------------------------

    def _reconcile(self, key: str) -> Steps:
        found: Flux | None = self._api.get(KIND, key)
        if found is None:
            return None
        if terminating(found):
            return (yield from self._finalize(key, found))
        self._api.hold(KIND, key, KUSTOMIZE_FINALIZER)
        spec = self._tree.kustomizations[key]
        if found.spec.suspend:
            self._patcher.rest(key, found)
            return None
        token = asked(found)
        failure = yield from self._attempt(key, spec)
        self._settle(key, failure, found.metadata.generation, token)
        if failure is None:
            return spec.interval
        return failure.retry or spec.retry or spec.interval

    def _settle(self, key: str, failure: Failure | None, generation: int, token: str) -> None:
        if failure is None:
            self.succeed(key, generation, token)
            return
        new = [Condition("Ready", "False", failure.reason, failure.message)]
        drop: tuple[str, ...] = ()
        if failure.quiet:
            drop = ("Reconciling",)
        else:
            text = self._progress.get(key, "")
            new.append(Condition("Reconciling", "True", "ProgressingWithRetry", text))
        if failure.unhealthy:
            new.append(Condition("Healthy", "False", "HealthCheckFailed", failure.unhealthy))
        handled = {"last_handled_reconcile_at": token} if token else {}
        self._patcher.write(key, *new, drop=drop, **handled)

    def succeed(self, key: str, generation: int, token: str = "") -> None:
        """Write down that the revision is applied and healthy."""
        revision = self._revision()
        fields = {"last_handled_reconcile_at": token} if token else {}
        self._patcher.write(
            key,
            Condition("Ready", "True", "ReconciliationSucceeded", f"Applied revision: {revision}"),
            drop=("Reconciling", "Stalled"),
            observed_generation=generation,
            last_applied_revision=revision,
            last_attempted_revision=revision,
            inventory=self._applied(key),
            **fields,
        )

    def _applied(self, key: str) -> FluxInventory:
        """List what was applied, as it is written down: ``namespace_name_group_Kind``."""
        entries = []
        for item in self.inventories.get(key, ()):
            namespace, _, name = item.id.rpartition("/")
            entries.append(InventoryEntry(f"{namespace}_{name}_{item.where.group}_{item.kind}"))
        return FluxInventory(tuple(entries))

    def _attempt(self, key: str, spec: KustomizationSpec) -> Outcome:
        yield 0.05
        revision = self._revision()
        every = self._settings.requeue_dependency
        if not revision:
            text = f"Source artifact not found, retrying in {go_duration(every)}"
            return Failure("ArtifactFailed", text, every, quiet=True)
        if text := self._blocked(spec, revision):
            return Failure("DependencyNotReady", text, every, quiet=True)
        timeout = max(spec.timeout or spec.interval - LEAST_TIMEOUT_SECONDS, LEAST_TIMEOUT_SECONDS)
        tail = f"for revision {revision} with a timeout of {go_duration(timeout)}"
        self._show(key, f"Fetching manifests {tail}")
        yield self._loop.around(0.4)
        if not self._fetchable():
            text = (
                "failed to download archive: GET http://source-controller.flux-system.svc.cluster.local./:"
                " giving up after 10 attempt(s)"
            )
            return Failure("ArtifactFailed", text)
        self._patcher.write(key, last_attempted_revision=revision)
        self._show(key, f"Detecting drift {tail}")
        yield self._loop.around(0.3 + 0.02 * len(spec.objects))
        failure = yield from self._stages(key, spec)
        if failure is not None:
            return failure
        self.inventories[key] = spec.objects
        return (yield from self._health(key, spec, timeout, tail))

    def _show(self, key: str, text: str) -> None:
        self._progress[key] = text
        self._patcher.write(key, Condition("Reconciling", "True", "Progressing", text), IN_PROGRESS)

    def _blocked(self, spec: KustomizationSpec, revision: str) -> str:
        for name in spec.depends_on:
            found: Flux | None = self._api.get(KIND, name)
            if found is None:
                short = name.rpartition("/")[2]
                return (
                    f"dependency '{name}' not found:"
                    f' kustomizations.kustomize.toolkit.fluxcd.io "{short}" not found'
                )
            if not dependency_ready(found):
                return f"dependency '{name}' is not ready"
            if found.status.last_applied_revision != revision:
                return f"dependency '{name}' revision is not up to date"
        return ""

    # --- stages ----------------------------------------------------------------------------------

    def _stages(self, key: str, spec: KustomizationSpec) -> Outcome:
        first = tuple(item for item in spec.objects if item.kind in DEFINITIONS)
        rest = tuple(item for item in spec.objects if item.kind not in DEFINITIONS)
        if text := self._apply(key, first):
            return Failure("ReconciliationFailed", text)
        waited = 0.0
        while late := self._late([(item.kind, item.id) for item in first]):
            if waited >= STAGE_WAIT_SECONDS:
                return Failure("ReconciliationFailed", f"timeout waiting for: [{late}]\n")
            yield STAGE_POLL_SECONDS
            waited += STAGE_POLL_SECONDS
        if text := self._apply(key, rest):
            return Failure("ReconciliationFailed", text)
        return None

    def _apply(self, key: str, items: tuple[Item, ...]) -> str:
        """Dry-run all, then apply all; return what was refused. One refusal and nothing is applied."""
        for item in items:
            if text := self._maker.dry_run(item):
                return text
        for item in items:
            try:
                self._maker.apply(item, labels.of_kustomization(key))
            except Refused as refused:
                return f"{identify(item.kind, item.id)} apply failed: {refused.message}\n"
        return ""

    def _late(self, refs: list[tuple[str, str]]) -> str:
        states = [(kind, name, status_of(self._api, kind, name)) for kind, name in refs]
        late = [
            f"{kind}/{name} status: '{state}'" for kind, name, state in states if state != CURRENT
        ]
        return ", ".join(sorted(late))

    def _health(self, key: str, spec: KustomizationSpec, timeout: float, tail: str) -> Outcome:
        if spec.wait:
            refs = [(item.kind, item.id) for item in spec.objects]
        else:
            refs = [(check.kind, check.id) for check in spec.health_checks]
        if not refs:
            return None
        text = f"Running health checks {tail}"
        self._show(key, text)
        checking = Condition("Healthy", "Unknown", "Progressing", text)
        self._patcher.write(key, checking, inventory=self._applied(key))
        began = self._loop.now
        while late := self._late(refs):
            spent = self._loop.now - began
            states = {status_of(self._api, kind, name) for kind, name in refs}
            if spent >= timeout or (FAILED in states and states <= {FAILED, CURRENT}):
                stalled = "failed early due to stalled resources"
                why = "timeout waiting for" if spent >= timeout else stalled
                bad = f"{why}: [{late}]"
                message = f"health check failed after {go_duration(round(spent, 3))}: {bad}"
                return Failure("HealthCheckFailed", message, unhealthy=bad)
            yield min(HEALTH_POLL_SECONDS, timeout - spent)
        text = f"Health check passed in {go_duration(round(self._loop.now - began, 3))}"
        self._patcher.write(key, Condition("Healthy", "True", "Succeeded", text))
        return None

    # --- deletion --------------------------------------------------------------------------------

    def _finalize(self, key: str, found: Flux) -> Steps:
        yield self._loop.around(0.3)
        if self._tree.kustomizations[key].prune and not found.spec.suspend:
            for item in reversed(self.inventories.pop(key, ())):
                if item.prune:
                    self._api.delete(item.kind, item.id)
        self._api.release(KIND, key, (KUSTOMIZE_FINALIZER,))
        return None
