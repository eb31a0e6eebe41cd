"""
Brings the testbed up by hand: what an operator would type, without rekindle.

Accident tests start from here, and it shows that the testbed can be recovered at all.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

from tests.testbed.api import ApiError

if TYPE_CHECKING:
    from tests.testbed.testbed import Testbed

STEP_SECONDS = 60.0
BOOTSTRAP_SECONDS = 300.0
SYNC_SECONDS = 900.0
KUSTOMIZATIONS = "/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations"
HELM_RELEASES = "/apis/helm.toolkit.fluxcd.io/v2/helmreleases"
WIPE = ("--system-labels-to-wipe", "STATE", "--system-labels-to-wipe", "EPHEMERAL")


class Recovery:
    """
    The steps, each with its wait.
    """

    def __init__(self, bed: Testbed) -> None:
        self._bed = bed

    def run(self) -> None:
        """
        From maintenance to everything applied.
        """
        self.configure()
        self.bootstrap()
        self.manifests()
        self.roots()
        self.synced()

    def configure(self) -> None:
        """
        Apply the machine configs; wait for etcd to wait for its bootstrap.
        """
        for name, config in self._bed.machine_configs.items():
            if self._bed.view(name)["phase"] == "maintenance":
                self._bed.talosctl(name, "apply-config", "--file", str(config), insecure=True)
        for name in self._bed.nodes:
            self._wait(f"{name} is configured", lambda name=name: self._bed.view(name)["kubelet"])

    def bootstrap(self) -> None:
        """
        Bootstrap the first node; wait for all members, the API and the nodes.
        """
        first = next(iter(self._bed.nodes))
        if not self._bed.view(first)["etcd_cluster"]:
            self._bed.talosctl(first, "bootstrap")
        for name in self._bed.nodes:
            self._wait(f"{name} is an etcd member", lambda name=name: self._is_member(name))
        self._wait("all nodes registered", lambda: len(self._list("/api/v1/nodes")) == self._count)

    def manifests(self) -> None:
        """
        The repository's own bootstrap script, or its manifests when it has none.
        """
        script = self._bed.tree / "bootstrap" / "apps.sh"
        bash = shutil.which("bash") or "bash"
        completed = subprocess.run(
            [bash, str(script)],
            env=os.environ | self._bed.environment,
            capture_output=True,
            text=True,
            timeout=BOOTSTRAP_SECONDS,
            check=False,
        )
        if completed.returncode:
            raise RuntimeError(f"{script}: {completed.stdout}{completed.stderr}")

    def roots(self) -> None:
        """
        The CRDs that the roots cannot do without, and the roots.
        """
        for folder in ("crds", "root"):
            path = self._bed.tree / "bootstrap" / folder
            if path.is_dir():
                self._bed.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(path))

    def synced(self) -> None:
        """
        Every Kustomization and HelmRelease ready, and every pod.
        """
        self._bed.wait("Flux has applied everything", self._is_synced, SYNC_SECONDS)
        self._bed.wait("all pods are ready", self._pods_ready, SYNC_SECONDS)

    def wipe(self) -> None:
        """
        Back to maintenance, with Talos left on the disks.
        """
        for name in self._bed.nodes:
            phase = self._bed.view(name)["phase"]
            if phase == "off":
                self._bed.power_on(name)
                self._wait(f"{name} is up", lambda name=name: self._phase(name) in _AWAKE)
            if self._phase(name) != "maintenance":
                self._wait(f"{name} answers", lambda name=name: self._reset(name))
        for name in self._bed.nodes:
            self._wait(
                f"{name} is in maintenance", lambda name=name: self._phase(name) == "maintenance"
            )

    def _reset(self, name: str) -> bool:
        arguments = ("reset", "--wait=false", "--graceful=false", "--reboot", *WIPE)
        try:
            self._bed.talosctl(name, *arguments)
        except RuntimeError:
            return False
        return True

    def _phase(self, name: str) -> str:
        return str(self._bed.view(name)["phase"])

    def _is_member(self, name: str) -> bool:
        view = self._bed.view(name)
        return bool(view["etcd_healthy"]) and not view["etcd_learner"]

    @property
    def _count(self) -> int:
        return len(self._bed.nodes)

    def _wait(self, what: str, true: Any) -> None:  # noqa: ANN401
        self._bed.wait(what, true, STEP_SECONDS)

    def _list(self, path: str) -> list[dict[str, Any]]:
        try:
            return list(self._bed.api("GET", path)["items"])
        except ApiError:
            return []

    def _is_synced(self) -> bool:
        kustomizations, releases = self._list(KUSTOMIZATIONS), self._list(HELM_RELEASES)
        return bool(kustomizations) and all(map(_is_current, [*kustomizations, *releases]))

    def _pods_ready(self) -> bool:
        pods = [p for p in self._list("/api/v1/pods") if p["status"].get("phase") != "Succeeded"]
        return bool(pods) and all(map(_is_ready, pods))


_AWAKE = ("maintenance", "up")


def _is_ready(thing: dict[str, Any]) -> bool:
    conditions = thing.get("status", {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _is_current(thing: dict[str, Any]) -> bool:
    seen = thing.get("status", {}).get("observedGeneration")
    return _is_ready(thing) and seen == thing["metadata"]["generation"]
