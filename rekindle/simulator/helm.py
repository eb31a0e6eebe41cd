"""helm-controller, and Helm itself: releases, what they install, and when they give up."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

from phases.objects import Condition, Flux
from rekindle.simulator import labels
from rekindle.simulator.api import Api, Refused, terminating
from rekindle.simulator.events import Loop, Steps
from rekindle.simulator.flux import RESET, Patcher, Settings, asked, dependency_ready, wake
from rekindle.simulator.kinds import KUSTOMIZE_FINALIZER, identify
from rekindle.simulator.kstatus import CURRENT, status_of
from rekindle.simulator.maker import Maker
from rekindle.simulator.queue import Controller
from rekindle.simulator.shapes import go_duration
from rekindle.simulator.tree import Item, ReleaseSpec, Tree

KIND = "HelmRelease"
CHART_SECONDS = 3.0
CRD_WAIT_SECONDS = 60.0
POLL_SECONDS = 2.0
RETRY_SECONDS = 300.0  # without remediation
BACKOFF_SECONDS = 0.75
BACKOFF_LIMIT_SECONDS = 900.0
VERSION = "1.0.0"
Text = Generator[float, None, str]


class Helm:
    """Helm's own part, shared by the controller and by commands that call Helm."""

    def __init__(self, loop: Loop, api: Api, maker: Maker) -> None:
        self._loop = loop
        self._api = api
        self._maker = maker
        self.revisions: dict[str, int] = {}
        self._tried: set[str] = set()  # stored as well: Helm keeps a release that failed

    def forget(self) -> None:
        """Store nothing any more."""
        self.revisions.clear()
        self._tried.clear()

    def install(self, key: str, spec: ReleaseSpec) -> Text:
        """Install or upgrade; return what went wrong. Definitions first, then all, then wait."""
        self._tried.add(key)
        first = [item for item in spec.installs if item.kind == "CustomResourceDefinition"]
        rest = [item for item in spec.installs if item.kind != "CustomResourceDefinition"]
        if text := self._apply(key, first):
            return text
        waited = 0.0
        while waited < CRD_WAIT_SECONDS and self._late(first):
            yield POLL_SECONDS
            waited += POLL_SECONDS
        for item in rest:
            if text := self._maker.refusal(item):
                return f"unable to build kubernetes objects from release manifest: {text.strip()}"
        if text := self._apply(key, rest):
            return text
        began = self._loop.now
        while late := self._late(rest):
            if self._loop.now - began >= spec.timeout:
                return f"timeout waiting for: [{late}]"
            yield POLL_SECONDS
        self.revisions[key] = self.revisions.get(key, 0) + 1
        return ""

    def _apply(self, key: str, items: list[Item]) -> str:
        for item in items:
            try:
                self._maker.apply(item, labels.of_release(key))
            except Refused as refused:
                return f"failed to create resource: {refused.message}"
        return ""

    def _late(self, items: list[Item]) -> str:
        states = [(item.kind, item.id, status_of(self._api, item.kind, item.id)) for item in items]
        return ", ".join(
            f"{identify(kind, name)} status: '{state}'"
            for kind, name, state in states
            if state != CURRENT
        )

    def uninstall(self, key: str, spec: ReleaseSpec, *, crds: bool) -> None:
        """
        Remove what a release brought, save what is marked to be kept.

        Of a release that is not stored nothing is removed, whoever made what bears its names: to helm-controller it is
        uninstalled already (v1.6 internal/reconcile/uninstall.go).
        """
        if key not in self.revisions and key not in self._tried:
            return
        for item in reversed(spec.installs):
            if item.keep or (item.kind == "CustomResourceDefinition" and not crds):
                continue
            self._api.delete(item.kind, item.id)
        self.revisions.pop(key, None)
        self._tried.discard(key)


@dataclass
class Attempts:
    """What the controller keeps in a release's status about its attempts."""

    failures: int = 0
    done: int = 0  # the generation that is deployed
    handled_reset: str = ""
    pulled: bool = False  # it has its chart


class HelmReleases:
    """The controller. *pulls* says whether source-controller can give it a chart."""

    def __init__(
        self,
        loop: Loop,
        api: Api,
        tree: Tree,
        helm: Helm,
        settings: Settings,
        pulls: Callable[[], bool],
    ) -> None:
        self._loop = loop
        self._api = api
        self._tree = tree
        self._helm = helm
        self._settings = settings
        self._pulls = pulls
        self._patcher = Patcher(loop, api, KIND)
        self._attempts: dict[str, Attempts] = {}
        self.controller = Controller(loop, api, settings.helm_workers, self._reconcile)
        api.watch(KIND, self._changed)

    def _changed(self, key: str, old: Flux | None, new: Flux | None) -> None:
        if new is None:
            self._attempts.pop(key, None)
        wake(self.controller, key, old, new)

    def _reconcile(self, key: str) -> Steps:
        found: Flux | None = self._api.get(KIND, key)
        if found is None:
            return None
        spec = self._tree.helmreleases[key]
        if terminating(found):
            yield self._loop.around(1.0)
            self._helm.uninstall(key, spec, crds=True)
            self._api.release(KIND, key, (KUSTOMIZE_FINALIZER,))
            return None
        self._api.hold(KIND, key, KUSTOMIZE_FINALIZER)
        if found.spec.suspend:
            self._patcher.rest(key, found)
            return None
        token, reset = asked(found), found.metadata.annotations.get(RESET, "")
        attempts = self._attempts.setdefault(key, Attempts())
        if reset and reset == token and reset != attempts.handled_reset:
            attempts.handled_reset = reset
            attempts.failures = 0
        seconds = yield from self._attempt(key, spec, attempts, found.metadata.generation)
        if token:
            self._patcher.write(key, last_handled_reconcile_at=token)
        return seconds

    def _attempt(self, key: str, spec: ReleaseSpec, attempts: Attempts, generation: int) -> Steps:
        yield 0.05
        if attempts.done == generation and key in self._helm.revisions:
            return spec.interval
        if 0 <= spec.retries < attempts.failures:
            return None
        if text := self._blocked(spec):
            self._wait(key, "DependencyNotReady", text)
            return self._settings.requeue_dependency
        if not attempts.pulled:
            if not self._pulls():
                text = f"HelmChart '{key}' is not ready: latest generation of object has not been reconciled"
                self._wait(key, "SourceNotReady", text)
                return self._settings.requeue_dependency
            yield self._loop.around(CHART_SECONDS)
            attempts.pulled = True
        action = "upgrade" if key in self._helm.revisions else "install"
        text = f"Running '{action}' action with timeout of {go_duration(spec.timeout)}"
        self._patcher.write(
            key,
            Condition("Reconciling", "True", "Progressing", text),
            Condition("Ready", "Unknown", "Progressing", text),
            drop=("Stalled",),
        )
        yield self._loop.around(1.0)
        problem = yield from self._helm.install(key, spec)
        if not problem:
            attempts.done, attempts.failures = generation, 0
            self.succeed(key, generation, action)
            return spec.interval
        return self._failed(key, spec, attempts, (action, problem))

    def succeed(self, key: str, generation: int, action: str) -> None:
        """Write down that the release is deployed."""
        name = f"{key}.v{self._helm.revisions.get(key, 1)}"
        text = f"Helm {action} succeeded for release {name} with chart {key.rpartition('/')[2]}@{VERSION}"
        reason = f"{action.capitalize()}Succeeded"
        self._patcher.write(
            key,
            Condition("Ready", "True", reason, text),
            Condition("Released", "True", reason, text),
            drop=("Reconciling", "Stalled", "Remediated"),
            observed_generation=generation,
            last_attempted_revision=VERSION,
        )

    def assume(self, key: str, generation: int) -> None:
        """Take a release as long deployed."""
        self._attempts[key] = Attempts(done=generation, pulled=True)
        self._helm.revisions.setdefault(key, 1)
        self.succeed(key, generation, "install")

    def _failed(
        self, key: str, spec: ReleaseSpec, attempts: Attempts, what: tuple[str, str]
    ) -> float | None:
        action, problem = what
        attempts.failures += 1
        chart = f"{key.rpartition('/')[2]}@{VERSION}"
        text = f"Helm {action} failed for release {key} with chart {chart}: {problem}"
        reason = f"{action.capitalize()}Failed"
        new = [
            Condition("Ready", "False", reason, text),
            Condition("Released", "False", reason, text),
        ]
        if 0 <= spec.retries < attempts.failures:
            tries = f"Failed to {action} after {attempts.failures} attempt(s)"
            new.append(Condition("Stalled", "True", "RetriesExceeded", tries))
            generation = self._api.get(KIND, key).metadata.generation
            self._patcher.write(key, *new, drop=("Reconciling",), observed_generation=generation)
            return None
        if spec.retries < 0:
            self._patcher.write(key, *new)
            return RETRY_SECONDS
        if action == "install":  # remediation
            self._helm.uninstall(key, spec, crds=False)
            gone = f"Helm uninstall succeeded for release {key} with chart {chart}"
            new.append(Condition("Remediated", "True", "UninstallSucceeded", gone))
        self._patcher.write(key, *new)
        return min(BACKOFF_SECONDS * 2.0**attempts.failures, BACKOFF_LIMIT_SECONDS)

    def _wait(self, key: str, reason: str, text: str) -> None:
        self._patcher.write(
            key,
            Condition("Reconciling", "True", "Progressing", "Fulfilling prerequisites"),
            Condition("Ready", "False", reason, text),
        )

    def _blocked(self, spec: ReleaseSpec) -> str:
        for name in spec.depends_on:
            found: Flux | None = self._api.get(KIND, name)
            if found is None:
                short = name.rpartition("/")[2]
                return (
                    f"unable to get '{name}' dependency:"
                    f' helmreleases.helm.toolkit.fluxcd.io "{short}" not found'
                )
            if not dependency_ready(found):
                return f"dependency '{name}' is not ready"
        return ""
