"""
Flux: each real controller runs exactly while its Deployment has a ready pod.

So whoever deletes Flux's Deployments stops Flux, and nothing is reconciled until they are back.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.testbed import settings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.testbed.api import Api
    from tests.testbed.processes import Processes

NAMESPACE = "flux-system"
CONTROLLERS = ("source-controller", "kustomize-controller", "helm-controller")
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"


class FluxPlayer:
    """
    The controllers' containers, as far as anybody can tell.
    """

    def __init__(
        self, programs: Path, folder: Path, processes: Processes, kubeconfig: Path
    ) -> None:
        self._programs = programs
        self._artifacts = folder / "artifacts"
        self._temporary = folder / "tmp"
        self._processes = processes
        self._kubeconfig = kubeconfig

    def step(self, api: Api) -> None:
        """
        Start and stop by what the Deployments say now.
        """
        ready = {
            deployment["metadata"]["name"]
            for deployment in api.items(DEPLOYMENTS)
            if deployment.get("status", {}).get("readyReplicas")
        }
        self._processes.stop(*set(CONTROLLERS) - ready, patience_seconds=3.0)
        for name in CONTROLLERS:
            if name in ready:
                self._start(name)

    def stop(self) -> None:
        """
        The nodes that they ran on are gone, and they with them.
        """
        self._processes.stop(*CONTROLLERS, patience_seconds=0.0)

    def _start(self, name: str) -> None:
        if self._processes.running(name):
            return
        metrics = settings.FLUX_FIRST_PORT + 2 * CONTROLLERS.index(name)
        flags = [
            *("--watch-all-namespaces=true", "--enable-leader-election=false", "--events-addr="),
            *(f"--metrics-addr=127.0.0.1:{metrics}", f"--health-addr=127.0.0.1:{metrics + 1}"),
            *("--kube-api-qps=200", "--kube-api-burst=400", "--concurrent=10"),
        ]
        if name == "source-controller":
            shutil.rmtree(self._artifacts, ignore_errors=True)  # an emptyDir, in life
            self._artifacts.mkdir(parents=True)
            address = f"127.0.0.1:{settings.ARTIFACT_PORT}"
            flags += [f"--storage-path={self._artifacts}", f"--storage-addr={address}"]
            flags += [f"--storage-adv-addr={address}"]
        else:
            flags += ["--requeue-dependency=3s"]
        # What they unpack is their own: who tidies up /tmp would break a build.
        self._temporary.mkdir(parents=True, exist_ok=True)
        environment = {"KUBECONFIG": str(self._kubeconfig), "RUNTIME_NAMESPACE": NAMESPACE}
        environment["TMPDIR"] = str(self._temporary)
        self._processes.start(name, [self._programs / name, *flags], environment)
