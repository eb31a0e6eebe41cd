"""
A whole cluster in memory: machines, API, controllers, and those who act upon it.

It outlives its clients: a ``SimWorld`` may be thrown away, a new one goes on with the same cluster.
"""

from __future__ import annotations

import hashlib

import msgspec

from phases.objects import Workload
from rekindle.simulator.actions import Actions
from rekindle.simulator.api import Api
from rekindle.simulator.claims import Claims
from rekindle.simulator.commands import Commands
from rekindle.simulator.controlplane import FIRST_NAMESPACES, ControlPlane
from rekindle.simulator.crds import Crds
from rekindle.simulator.etcd import Content, Kept
from rekindle.simulator.events import Loop
from rekindle.simulator.faults import Faults
from rekindle.simulator.flux import Settings, Sources
from rekindle.simulator.helm import Helm, HelmReleases
from rekindle.simulator.kustomizations import Kustomizations
from rekindle.simulator.maker import Maker
from rekindle.simulator.namespaces import Namespaces
from rekindle.simulator.nodes import Nodes
from rekindle.simulator.operators import Operators
from rekindle.simulator.people import People
from rekindle.simulator.pods import Pods
from rekindle.simulator.queue import START_SECONDS, Controller
from rekindle.simulator.registrations import Registrations
from rekindle.simulator.scenario import TREES, Scenario
from rekindle.simulator.secrets import Secrets
from rekindle.simulator.services import Services
from rekindle.simulator.shaping import crd_kinds, shape
from rekindle.simulator.talos import Machine, Machines
from rekindle.simulator.tree import Tree, load_tree
from rekindle.simulator.upkeep import Upkeep
from rekindle.simulator.workloads import Workloads

CONTROLLERS = (
    "flux-system/source-controller",
    "flux-system/kustomize-controller",
    "flux-system/helm-controller",
)
SECRETS = "external-secrets/external-secrets"


class SimCluster:
    """
    A simulated cluster.

    Public and of use to tests: ``loop`` (the clock), ``api`` (the objects), ``machines``, ``actions``
    (counts and the log of what was done), ``digest()``.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        seed: int | None = None,
        faults: Faults | None = None,
        tree: Tree | None = None,
    ) -> None:
        from rekindle.simulator.initial import build

        self.scenario = scenario
        self.faults = faults or Faults()
        self.seed = scenario.seed if seed is None else seed
        self.start = scenario.start.timestamp()
        self.loop = Loop(self.start - scenario.initial.age, self.seed)
        self.kubeconfig = scenario.initial.kubeconfig
        self.extra = 0
        self.unseen: dict[str, float] = {}
        self.snapshots: dict[str, Kept] = {}
        plan = scenario.plan
        self.cni = str(plan.get("cni", {}).get("daemonset", ""))
        self.dns = [key for key in plan.get("cni", {}).get("deployments", ()) if "dns" in key]
        # Without Flux nobody has these names, so that nothing of it ever works.
        self.controllers = tuple(plan.get("flux", {}).get("controllers") or CONTROLLERS)
        found = tree or load_tree(TREES / scenario.tree)
        self.tree = shape(found, self.cni, self.controllers)
        self._kubernetes()
        self._flux(str(plan.get("flux", {}).get("source", "flux-system/flux-system")))
        self.actions = Actions(self)
        self.upkeep = Upkeep(self)
        self.people = People(self.loop, scenario.operator)
        build(self)

    # --- parts -----------------------------------------------------------------------------------

    def _kubernetes(self) -> None:
        parameters, loop = self.scenario.parameters, self.loop
        delay = self.faults.etcd_delay
        self.machines = Machines(
            loop, self._machine_changed, parameters.etcd_delay if delay is None else delay
        )
        self.machines.erased = lambda machine: self.pods.forget_images(machine.name)
        self.machines.lost = self._forget
        self.api = Api(loop)
        self.control = ControlPlane(loop, self.api, self.machines)
        self.nodes = Nodes(loop, self.api, self.machines, self._cni_on)
        slowness = parameters.pod_slowness * self.faults.pod_slowness
        self.pods = Pods(loop, self.api, self.machines, slowness)
        self.workloads = Workloads(loop, self.api, self.pods)
        self.crds = Crds(loop, self.api, crd_kinds(self.tree))
        self.claims = Claims(loop, self.api, self.tree, self.alive)
        self.services = Services(self.api, self.pods)
        self.registrations = Registrations(loop, self.api, self.services)
        self.namespaces = Namespaces(loop, self.api, self.crds, self.registrations.unserved)
        self.operators = Operators(loop, self.api, self.crds, self.tree, self.alive)
        self.api.watch("Pod", self._pod_changed)

    def _flux(self, source: str) -> None:
        parameters, loop, api, tree = self.scenario.parameters, self.loop, self.api, self.tree
        settings = Settings(
            requeue_dependency=parameters.requeue_dependency,
            kustomize_workers=parameters.kustomize_workers,
            helm_workers=parameters.helm_workers,
        )
        self.maker = Maker(api, tree, self.crds, self.namespaces, self.workloads)
        self.maker.source = source
        self.helm = Helm(loop, api, self.maker)
        self.commands = Commands(self)
        self.sources = Sources(loop, api, settings, self.online)
        self.sources.push(tree.revision)
        self.kustomizations = Kustomizations(loop, api, tree, self.maker, settings, self._fetchable)
        self.releases = HelmReleases(
            loop, api, tree, self.helm, settings, lambda: self.alive(self.controllers[0])
        )
        self.secrets = Secrets(loop, api, tree, self.alive)
        self._starting: set[str] = set()
        api.watch("Deployment", self._deployment_changed)

    # --- what depends on what --------------------------------------------------------------------

    def alive(self, deployment: str) -> bool:
        """Say whether a Deployment has a ready pod."""
        return self.workloads.ready_pods("Deployment", deployment) > 0

    def online(self) -> bool:
        """Say whether names resolve in the cluster."""
        return all(self.alive(key) for key in self.dns)

    def _fetchable(self) -> bool:
        return self.alive(self.controllers[0]) and self.online()

    def _cni_on(self, node: str) -> bool:
        return not self.cni or self.workloads.on_node("DaemonSet", self.cni, node)

    def _forget(self) -> None:
        """
        Lose everything that etcd had, with the last disk that had it.

        Workloads go first, so that no controller is left that would clean up after what goes then.
        """
        first = ("Deployment", "StatefulSet", "DaemonSet", "Pod")
        for kind in (*first, *sorted(set(self.api.objects) - set(first))):
            for key in list(self.api.all(kind)):
                self.api.remove(kind, key)
        self.helm.forget()
        self.kustomizations.inventories.clear()

    def _machine_changed(self, machine: Machine) -> None:
        was = self.api.up
        self.control.refresh()
        if self.api.up and not was:
            self.api_came_up()
        self.nodes.refresh(machine)

    def api_came_up(self) -> None:
        """Make the first namespaces, and let the kubelets register."""
        for name in FIRST_NAMESPACES:
            self.namespaces.apply(name)
        self.nodes.api_came_up()

    def restore(self, content: Content) -> None:
        """Have the API hold what its new etcd holds: no more and no less."""
        for kind, found in self.api.objects.items():
            kept = content.get(kind, {})
            for key in [key for key in found if key not in kept]:
                self.api.remove(kind, key)
        for kind, kept in content.items():
            for key, value in kept.items():
                if self.api.get(kind, key) is not value:
                    self.api.put(kind, value)

    def _pod_changed(self, key: str, old: object, new: object) -> None:
        del old, new
        namespace, name = self.cni.partition("/")[::2]
        if key.startswith(f"{namespace}/{name}-"):
            for machine in self.machines.by_name.values():
                self.nodes.refresh(machine)

    def _deployment_changed(self, key: str, old: Workload | None, new: Workload | None) -> None:
        was = old is not None and old.status.ready_replicas > 0
        lives = new is not None and new.status.ready_replicas > 0
        if lives != was:
            if lives:
                self.api.later(START_SECONDS, lambda: self._start(key))
            else:
                self._stop(key)

    def _parts(self, key: str) -> list[tuple[Controller, str]]:
        table = {
            self.controllers[0]: (self.sources.controller, "GitRepository"),
            self.controllers[1]: (self.kustomizations.controller, "Kustomization"),
            self.controllers[2]: (self.releases.controller, "HelmRelease"),
        }
        return [table[key]] if key in table else []

    def _start(self, key: str) -> None:
        if not self.alive(key):
            return
        for controller, kind in self._parts(key):
            if not controller.running:
                controller.start(list(self.api.all(kind)))
        if key == SECRETS and not self.secrets.secrets.running:
            self.secrets.start()
        self.operators.came_alive()

    def _stop(self, key: str) -> None:
        for controller, _ in self._parts(key):
            controller.stop()
        if key == SECRETS:
            self.secrets.stop()

    # --- for tests and the server ----------------------------------------------------------------

    def signature(self) -> tuple[int, int, int, str]:
        """Return something that differs whenever there is something new to see."""
        return (self.api.news, self.machines.count, self.extra, self.kubeconfig)

    def digest(self) -> str:
        """Return a digest of the whole state: two clusters with the same one are the same."""
        machines = [
            (name, found.stage, found.boot_id, found.etcd, found.apiserver)
            for name, found in sorted(self.machines.by_name.items())
        ]
        objects = {
            kind: dict(sorted(found.items())) for kind, found in sorted(self.api.objects.items())
        }
        state = (self.loop.now, self.loop.due(), machines, objects, self.counters())
        return hashlib.sha256(msgspec.json.encode(state, order="sorted")).hexdigest()

    def counters(self) -> dict[str, int]:
        """Return what was done to this cluster, in numbers."""
        return {
            "bootstraps": self.machines.bootstraps,
            "clusters_made": len(self.machines.clusters) - self.actions.clusters_before,
            "wipes": self.machines.wipes,
            "commands_at_once": self.commands.most_at_once,
            "commands_run": self.commands.count,
            **({"most_cordoned": self.upkeep.most_cordoned} if self.scenario.probes else {}),
            **({"recoveries": self.machines.recoveries} if self.machines.recoveries else {}),
            **{f"verb:{verb}": number for verb, number in sorted(self.actions.counts.items())},
        }
