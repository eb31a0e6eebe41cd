"""
An API server and its etcd, and nothing else: no nodes, no controllers, nobody who changes what was put there.

For what is measured and not recovered. The ports are the testbed's own, so one of both runs on a machine at a time.
"""

from __future__ import annotations

import base64
import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Self

import yaml

from tests.testbed import build, settings
from tests.testbed.alone import alone
from tests.testbed.certificates import openssl
from tests.testbed.control_plane import ControlPlane
from tests.testbed.processes import Processes
from tests.testbed.waiting import until

if TYPE_CHECKING:
    from types import TracebackType

    from tests.testbed.api import Api

READY_SECONDS = 120.0


class BareApi:
    """
    `with BareApi(directory) as api`: serves, until the block ends or the process does.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.bin = build.ensure()
        self.processes = Processes(self.directory / "logs")
        self._control_plane = ControlPlane(self.bin, self.directory / "cluster", self.processes)
        self._held = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self._held.enter_context(alone())
        try:
            self._control_plane.prepare(self._new_authority(), [])
            self._control_plane.start_api()
            until("the API server is ready", self._control_plane.ready, READY_SECONDS)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop()

    @property
    def kubeconfig(self) -> Path:
        """
        The administrator's.
        """
        return self._control_plane.internal_kubeconfig

    @property
    def api(self) -> Api:
        """
        The API, as the administrator.
        """
        return self._control_plane.api

    @property
    def etcd(self) -> str:
        """
        The address of etcd, which speaks JSON as well.
        """
        return f"http://127.0.0.1:{settings.ETCD_PORT}"

    def cpu_seconds(self) -> float:
        """
        What the API server has worked so far.
        """
        stat = Path(f"/proc/{self.processes.pid('kube-apiserver')}/stat").read_text()
        user, system = stat.rsplit(")", 1)[1].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def _stop(self) -> None:
        self.processes.stop_all()
        if self._control_plane.prepared:
            self._control_plane.api.close()
        self._held.close()

    def _new_authority(self) -> Path:
        """
        A CA of our own, written down as a machine config has it.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        key, certificate = self.directory / "ca.key", self.directory / "ca.crt"
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        subject = ["-subj", "/O=kubernetes", "-days", "30"]
        openssl("req", "-x509", *new_key, "-keyout", key, "-out", certificate, *subject)
        ca = {
            name: base64.b64encode(path.read_bytes()).decode()
            for name, path in (("crt", certificate), ("key", key))
        }
        config = self.directory / "authority.yaml"
        config.touch(0o600)
        config.write_text(yaml.safe_dump({"cluster": {"ca": ca}}))
        return config
