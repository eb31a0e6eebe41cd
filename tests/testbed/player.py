"""
The thread that plays everything that hardware and pods would do by themselves.

A few times a second it looks at the stand-in's nodes and at the API, and makes the rest follow:
the control plane after etcd, the Node objects after the nodes, Flux after its Deployments.
"""

from __future__ import annotations

import threading
import traceback
from typing import TYPE_CHECKING

import urllib3

from tests.testbed.api import ApiError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.testbed.control_plane import ControlPlane
    from tests.testbed.external_secrets import SecretsPlayer
    from tests.testbed.flux import FluxPlayer
    from tests.testbed.kubelet import Kubelets
    from tests.testbed.talos import NodeView, Talos

INTERVAL_SECONDS = 0.3


class Player(threading.Thread):
    """
    Runs until it is told to stop. What fails in passing goes to a log; a bug is kept for `check`.
    """

    def __init__(
        self,
        talos: Talos,
        control_plane: ControlPlane,
        kubelets: Kubelets,
        flux: FluxPlayer,
        secrets: SecretsPlayer,
        log: Path,
    ) -> None:
        super().__init__(name="player", daemon=True)
        self._talos = talos
        self._control_plane = control_plane
        self._kubelets = kubelets
        self._flux = flux
        self._secrets = secrets
        self._log = log
        self._end = threading.Event()
        self._etcd_cluster = 0
        self._bug: Exception | None = None

    def run(self) -> None:
        """
        One step after the other.
        """
        while not self._end.wait(INTERVAL_SECONDS):
            try:
                self._step()
            except (ApiError, urllib3.exceptions.HTTPError) as error:
                self._write(str(error))
            except Exception as bug:  # noqa: BLE001 - reported by check()
                self._write(traceback.format_exc())
                self._bug = bug
                return

    def end(self) -> None:
        """
        Stop after the present step.
        """
        self._end.set()
        if self.is_alive():
            self.join()

    def check(self) -> None:
        """
        Raise what ended the thread before its time.
        """
        if self._bug:
            raise RuntimeError("the testbed's player died") from self._bug

    def _step(self) -> None:
        views = self._talos.nodes()
        self._follow_etcd(views)
        if not any(view.kubelet for view in views):
            self._flux.stop()  # no node, no pod
        if not self._control_plane.ready():
            return
        api = self._control_plane.api
        self._kubelets.step(api, views)
        if any(view.kubelet for view in views):
            self._flux.step(api)
            self._secrets.step(api)

    def _follow_etcd(self, views: list[NodeView]) -> None:
        """
        Start, stop or forget the control plane as the nodes' etcd is.
        """
        clusters = {view.etcd_cluster for view in views if view.etcd_cluster}
        healthy = {view.etcd_cluster for view in views if view.etcd_healthy}
        if self._etcd_cluster not in clusters:
            if self._etcd_cluster:
                self._control_plane.wipe()
            self._etcd_cluster = min(healthy, default=0)
            if any(v.etcd_recovered for v in views if v.etcd_cluster == self._etcd_cluster):
                self._control_plane.bring_back()
        if self._etcd_cluster in healthy:
            self._control_plane.start()
        else:
            self._control_plane.stop()

    def _write(self, text: str) -> None:
        with self._log.open("a") as log:
            log.write(text.rstrip() + "\n")
