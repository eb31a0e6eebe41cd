"""
The Talos side: machine configs made by talosctl, and the stand-in that plays the nodes.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import urllib3
import yaml

from tests.testbed import settings
from tests.testbed.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.testbed.processes import Processes

CALL_SECONDS = 60.0
START_SECONDS = 20.0
HTTP_OK = 200


@dataclass(frozen=True)
class NodeView:
    """
    What the stand-in says about a node.
    """

    name: str
    address: str
    uuid: str
    boot_id: str
    phase: str
    hostname: str
    control_plane: bool
    kubelet: bool
    etcd_healthy: bool
    etcd_cluster: int
    etcd_learner: bool
    etcd_recovered: bool


class Talos:
    """
    A folder of configs and a running stand-in.
    """

    def __init__(
        self, programs: Path, folder: Path, nodes: dict[str, str], database: Path | None = None
    ) -> None:
        self._programs = programs
        self._nodes = nodes
        self._database = database
        self.folder = folder
        self.talosconfig = folder / "talosconfig"
        self.machine_configs = {name: folder / f"{name}.yaml" for name in nodes}
        self.kubeconfig = folder / "kubeconfig"  # what the stand-in answers
        self.calls_file = folder / "calls.jsonl"
        self._control = urllib3.PoolManager(retries=False, timeout=5.0)

    def generate(self) -> None:
        """
        New secrets, a talosconfig and a config for each node.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._run("gen", "secrets", "--output-file", str(self.folder / "secrets.yaml"))
        for name, output in self.machine_configs.items():
            self._generate_config(name, "controlplane", output)
        self._gen("--output-types", "talosconfig", "--output", str(self.talosconfig))
        self._name_endpoints()

    def generate_worker(self, name: str) -> Path:
        """
        A config that makes the node a worker.
        """
        output = self.folder / f"{name}.worker.yaml"
        self._generate_config(name, "worker", output)
        return output

    def _generate_config(self, name: str, kind: str, output: Path) -> None:
        patch = self.folder / f"patch-{name}.yaml"
        patch.write_text(_patch(name))
        self._gen("--output-types", kind, "--output", str(output), "--config-patch", f"@{patch}")

    def _gen(self, *arguments: str) -> None:
        secrets = ("--with-secrets", str(self.folder / "secrets.yaml"))
        terse = ("--with-docs=false", "--with-examples=false")
        cluster = (settings.CLUSTER, settings.ENDPOINT)
        self._run("gen", "config", *cluster, *secrets, *terse, *arguments)

    def _name_endpoints(self) -> None:
        """
        Write the nodes into the talosconfig, as operators do.
        """
        config = yaml.safe_load(self.talosconfig.read_text())
        addresses = list(self._nodes.values())
        config["contexts"][settings.CLUSTER] |= {"endpoints": addresses, "nodes": addresses}
        self.talosconfig.write_text(yaml.safe_dump(config, sort_keys=False))

    def start(self, processes: Processes) -> None:
        """
        All nodes up, in maintenance.
        """
        processes.start(
            "standin",
            [
                self._programs / "standin",
                *(f"--control=127.0.0.1:{settings.CONTROL_PORT}", f"--calls={self.calls_file}"),
                f"--kubeconfig={self.kubeconfig}",
                f"--kubernetes=127.0.0.1:{settings.API_PORT}",
                f"--virtual={settings.VIP}",
                *([f"--database={self._database}"] if self._database else []),
                *(f"{name}={address}" for name, address in self._nodes.items()),
            ],
        )
        until(
            "the stand-in serves",
            lambda: processes.running("standin") and self._up(),
            START_SECONDS,
        )

    def _up(self) -> bool:
        try:
            return bool(self.nodes())
        except urllib3.exceptions.HTTPError:
            return False

    def nodes(self) -> list[NodeView]:
        """
        All nodes as they are now.
        """
        answer = self._control.request("GET", f"{_CONTROL}/nodes")
        return [NodeView(**node) for node in answer.json()]

    def control(self, node: str, verb: str) -> None:
        """
        Do something to a node that no API would: see the stand-in's control.go.
        """
        answer = self._control.request("POST", f"{_CONTROL}/nodes/{node}/{verb}")
        if answer.status != HTTP_OK:
            raise ValueError(f"{node}/{verb}: {answer.data.decode()}")

    def calls(self) -> list[dict[str, Any]]:
        """
        Every changing call that reached a node, the oldest first.
        """
        if not self.calls_file.exists():
            return []
        return [json.loads(line) for line in self.calls_file.read_text().splitlines()]

    def call(self, node: str, *arguments: str, insecure: bool = False) -> str:
        """
        Run talosctl against one node; its output.
        """
        address = self._nodes.get(node, node)
        access = ["--insecure"] if insecure else ["--endpoints", address]
        return self._run(*arguments, "--nodes", address, *access)

    def close(self) -> None:
        """
        Drop the connections.
        """
        self._control.clear()

    def _run(self, *arguments: str) -> str:
        completed = subprocess.run(
            [str(self._programs / "talosctl"), *arguments],
            env=os.environ | {"TALOSCONFIG": str(self.talosconfig)},
            capture_output=True,
            text=True,
            timeout=CALL_SECONDS,
            check=False,
        )
        if completed.returncode:
            raise RuntimeError(f"talosctl {' '.join(arguments)}: {completed.stderr}")
        return completed.stdout


def _patch(name: str) -> str:
    documents = [
        {
            "machine": {"install": {"disk": "/dev/sda"}},
            "cluster": {
                "allowSchedulingOnControlPlanes": True,
                "network": {"cni": {"name": "none"}},
                "proxy": {"disabled": True},
            },
        },
        {"apiVersion": "v1alpha1", "kind": "HostnameConfig", "auto": "off", "hostname": name},
    ]
    return yaml.safe_dump_all(documents, sort_keys=False)


_CONTROL = f"http://127.0.0.1:{settings.CONTROL_PORT}"
