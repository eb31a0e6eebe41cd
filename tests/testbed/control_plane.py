"""
The real control plane: etcd, API server, controller manager, scheduler, and kwok to run the pods.

There is one of each, whatever the number of nodes; the stand-in forwards every node's port 6443 to
the one API server while that node would serve it.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tests.testbed import settings
from tests.testbed.api import Api, ApiError
from tests.testbed.certificates import Authority, kubeconfig, new_rsa_key

if TYPE_CHECKING:
    from tests.testbed.processes import Processes

INTERNAL = f"https://127.0.0.1:{settings.API_PORT}"
NAMES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")


class ControlPlane:
    """
    Five programs, their certificates and etcd's data.
    """

    def __init__(self, programs: Path, folder: Path, processes: Processes) -> None:
        self._programs = programs
        self._folder = folder
        self._processes = processes
        self._data = folder / "etcd"
        self._aside = folder / "etcd.last"
        self._internal_kubeconfig = folder / "internal.kubeconfig"
        self.prepared = False

    def prepare(self, machine_config: Path, addresses: list[str]) -> str:
        """
        Certificates; the administrator's kubeconfig, through the virtual address, as text.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        authority = Authority(self._folder / "pki", machine_config)
        self._serving = authority.issue(
            "apiserver", "/CN=kube-apiserver", [*addresses, settings.VIP, "127.0.0.1"]
        )
        self._admin = authority.issue("admin", "/O=system:masters/CN=admin")
        new_rsa_key(self._folder / "service-accounts.key")
        internal = kubeconfig(settings.CLUSTER, INTERNAL, self._admin)
        self._internal_kubeconfig.write_text(internal)
        self.api = Api(INTERNAL, self._admin)
        self.prepared = True
        return kubeconfig(settings.CLUSTER, settings.ENDPOINT, self._admin)

    @property
    def internal_kubeconfig(self) -> Path:
        """
        For the testbed's own controllers: past the nodes' doors.
        """
        return self._internal_kubeconfig

    def start(self) -> None:
        """
        Start what does not run. All but etcd wait by themselves until the API answers.
        """
        self.start_api()
        if not self.ready():
            return
        for name, flags in (
            ("kube-controller-manager", self._controller_manager()),
            ("kube-scheduler", self._scheduler()),
            ("kwok", self._kwok()),
        ):
            self._processes.start(name, [self._programs / name, *flags])

    def start_api(self) -> None:
        """
        Start etcd and the API server, if they do not run.
        """
        for name, flags in (
            ("etcd", self._etcd()),
            ("kube-apiserver", self._api_server()),
        ):
            self._processes.start(name, [self._programs / name, *flags])

    def stop(self) -> None:
        """
        Pull the plug; the data stay.
        """
        self._processes.stop(*NAMES, patience_seconds=0.0)

    @property
    def database(self) -> Path:
        """
        What etcd has: without the hash at its end, a snapshot of it.
        """
        return self._data / "member" / "snap" / "db"

    def wipe(self) -> None:
        """
        Stop everything and forget the cluster; what it had last is put aside.
        """
        self.stop()
        shutil.rmtree(self._aside, ignore_errors=True)
        if self._data.exists():
            self._data.rename(self._aside)

    def bring_back(self) -> None:
        """
        Have what the cluster had when it was forgotten: what a snapshot of that moment would hold.
        """
        if self._aside.exists() and not self._data.exists():
            self._aside.rename(self._data)

    def ready(self) -> bool:
        """
        Whether the API server says that it is.
        """
        try:
            return bool(self.api.call("GET", "/readyz") == "ok")
        except ApiError:
            return False

    def _etcd(self) -> list[str]:
        client = f"http://127.0.0.1:{settings.ETCD_PORT}"
        peer = f"http://127.0.0.1:{settings.ETCD_PEER_PORT}"
        return [
            *("--name=testbed", f"--data-dir={self._data}", "--unsafe-no-fsync"),
            *(f"--listen-client-urls={client}", f"--advertise-client-urls={client}"),
            *(f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}"),
            *(f"--initial-cluster=testbed={peer}", "--log-level=warn"),
        ]

    def _api_server(self) -> list[str]:
        service_accounts = self._folder / "service-accounts.key"
        return [
            f"--etcd-servers=http://127.0.0.1:{settings.ETCD_PORT}",
            *("--bind-address=127.0.0.1", "--advertise-address=127.0.0.1"),
            f"--secure-port={settings.API_PORT}",
            f"--tls-cert-file={self._serving.certificate}",
            f"--tls-private-key-file={self._serving.key}",
            f"--client-ca-file={self._serving.ca}",
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.96.0.0/16",
            *("--authorization-mode=RBAC", "--allow-privileged=true"),
            f"--service-account-key-file={service_accounts}",
            f"--service-account-signing-key-file={service_accounts}",
            "--service-account-issuer=https://kubernetes.default.svc",
            *("--profiling=false", "--shutdown-delay-duration=0s"),
            *("--max-requests-inflight=800", "--max-mutating-requests-inflight=400"),
        ]

    def _controller_manager(self) -> list[str]:
        return [
            f"--kubeconfig={self._internal_kubeconfig}",
            *("--bind-address=127.0.0.1", f"--secure-port={settings.CONTROLLER_MANAGER_PORT}"),
            f"--cert-dir={self._folder / 'controller-manager'}",
            "--leader-elect=false",
            f"--service-account-private-key-file={self._folder / 'service-accounts.key'}",
            f"--root-ca-file={self._serving.ca}",
            *("--kube-api-qps=200", "--kube-api-burst=400"),
        ]

    def _scheduler(self) -> list[str]:
        return [
            f"--kubeconfig={self._internal_kubeconfig}",
            *("--bind-address=127.0.0.1", f"--secure-port={settings.SCHEDULER_PORT}"),
            f"--cert-dir={self._folder / 'scheduler'}",
            "--leader-elect=false",
            *("--kube-api-qps=200", "--kube-api-burst=400"),
        ]

    def _kwok(self) -> list[str]:
        return [
            f"--kubeconfig={self._internal_kubeconfig}",
            f"--config={Path(__file__).with_name('stages.yaml')}",
            *("--manage-all-nodes=true", "--node-lease-duration-seconds=0"),
            *("--cidr=10.0.0.1/16", "--node-ip=127.0.0.1", "--node-name="),
            f"--server-address=127.0.0.1:{settings.KWOK_PORT}",
            f"--tls-cert-file={self._serving.certificate}",
            f"--tls-private-key-file={self._serving.key}",
        ]
