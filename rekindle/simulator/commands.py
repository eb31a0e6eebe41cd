"""Commands of the operator's repository, as the scenario declares them: duration, exit code, what they bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rekindle.simulator.api import Refused
from rekindle.simulator.events import Steps
from rekindle.simulator.scenario import CommandSpec

if TYPE_CHECKING:
    from rekindle.simulator.cluster import SimCluster

REFUSED_SECONDS = 3.0


class Commands:
    """Runs commands. ``running`` and ``most_at_once`` tell whether two ever ran beside each other."""

    def __init__(self, cluster: SimCluster) -> None:
        self._cluster = cluster
        self._failures = dict(cluster.faults.command_failures)
        self.running: list[str] = []
        self.most_at_once = 0
        self.count = 0
        self.log: list[tuple[float, str, str]] = []

    def known(self, name: str) -> bool:
        """Say whether the scenario declares a command."""
        return name in self._cluster.scenario.commands

    def run(self, name: str, node: str = "") -> Steps:
        """Run a command, for a node if there is one; the process returns its exit code."""
        spec = self._cluster.scenario.commands[name]
        self.running.append(name)
        self.count += 1
        self.most_at_once = max(self.most_at_once, len(self.running))
        self.log.append((self._cluster.loop.now, name, "started"))
        code = yield from self._work(name, spec, node)
        self.ended(name, code or 0)
        return code

    def ended(self, name: str, code: float) -> None:
        """Take note that a command has ended."""
        if name in self.running:
            self.running.remove(name)
            self.log.append((self._cluster.loop.now, name, f"exit {int(code)}"))

    def _work(self, name: str, spec: CommandSpec, node: str) -> Steps:
        cluster = self._cluster
        share = spec.duration / (len(spec.helmreleases) + 1)
        if self._failures.get(name, 0) > 0:
            self._failures[name] -= 1
            yield share
            return 1
        if spec.does or spec.marks:
            return (yield from cluster.upkeep.work(spec, node))
        if (spec.helmreleases or spec.objects) and not cluster.api.up:
            yield REFUSED_SECONDS
            return 1
        yield share
        for item in spec.objects:
            try:
                cluster.maker.apply(item, {})
            except Refused:
                return 1
        for key in spec.helmreleases:
            cluster.namespaces.apply(key.partition("/")[0])
            yield share
            if not cluster.api.up:
                return 1
            if (yield from cluster.helm.install(key, cluster.tree.helmreleases[key])):
                return 1
        return spec.exit
