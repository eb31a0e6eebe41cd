"""
The testbed itself: starts, stops and offers what tests do to a cluster.

`Testbed(directory, tree)` is a context manager. At first there are nodes in maintenance and a Git
server; there is no Kubernetes API until somebody bootstraps etcd, as in life.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from typing import TYPE_CHECKING, Any, Self

from tests.testbed import build, settings
from tests.testbed.alone import alone
from tests.testbed.control_plane import ControlPlane
from tests.testbed.external_secrets import SecretsPlayer
from tests.testbed.flux import FluxPlayer
from tests.testbed.kubelet import Kubelets
from tests.testbed.player import Player
from tests.testbed.processes import Processes
from tests.testbed.recovery import Recovery
from tests.testbed.repository import Repository
from tests.testbed.talos import Talos
from tests.testbed.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

KUBECTL_SECONDS = 300.0


class Testbed:
    """
    A cluster, its power switches and its Git repository.
    """

    __test__ = False  # pytest would take the name for a test's

    def __init__(self, directory: Path, tree: Path, *, nodes: int = 3) -> None:
        self.directory = directory.resolve()
        self.tree = tree.resolve()
        self.nodes = settings.node_addresses(nodes)
        self.bin = build.ensure()
        self.processes = Processes(self.directory / "logs")
        self._control_plane = ControlPlane(self.bin, self.directory / "cluster", self.processes)
        database = self._control_plane.database
        self._talos = Talos(self.bin, self.directory / "talos", self.nodes, database)
        self.talosconfig = self._talos.talosconfig
        self.machine_configs = self._talos.machine_configs
        self.kubeconfig = self._talos.kubeconfig
        self._repository = Repository(self.directory / "git")
        self._player: Player | None = None
        self._held = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """
        The nodes in maintenance and the Git server.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        self._held.enter_context(alone())
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        self._talos.generate()
        first = self.machine_configs[next(iter(self.nodes))]
        self.kubeconfig.touch(0o600)
        self.kubeconfig.write_text(self._control_plane.prepare(first, [*self.nodes.values()]))
        self._repository.create(self.tree)
        self._repository.serve(self.processes)
        self._talos.start(self.processes)
        self._player = Player(
            self._talos,
            self._control_plane,
            Kubelets(self._talos),
            FluxPlayer(
                self.bin,
                self.directory / "flux",
                self.processes,
                self._control_plane.internal_kubeconfig,
            ),
            SecretsPlayer(),
            self.directory / "logs" / "player.log",
        )
        self._player.start()

    def stop(self) -> None:
        """
        End every process that was started here.
        """
        player, self._player = self._player, None
        if player:
            player.end()
        self.processes.stop_all()
        self._talos.close()
        if self._control_plane.prepared:
            self._control_plane.api.close()
        self._held.close()
        if player:
            player.check()

    @property
    def environment(self) -> dict[str, str]:
        """
        What a program needs to find this cluster and the right tools.
        """
        return {
            "PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}",
            "KUBECONFIG": str(self.kubeconfig),
            "TALOSCONFIG": str(self.talosconfig),
            "FLUX_CRDS": str(self.bin / "crds"),
        }

    def calls(self) -> list[dict[str, Any]]:
        """
        Every changing Talos call that reached a node: time, node, method, code, details.
        """
        return self._talos.calls()

    def bootstraps(self) -> int:
        """
        How many times etcd was bootstrapped: calls that were accepted.
        """
        return sum(c["method"] == "Bootstrap" and c["code"] == "OK" for c in self.calls())

    def talosctl(self, node: str, *arguments: str, insecure: bool = False) -> str:
        """
        Run talosctl against a node, by its name.
        """
        return self._talos.call(node, *arguments, insecure=insecure)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """
        Run kubectl; its output.
        """
        completed = subprocess.run(
            [str(self.bin / "kubectl"), *arguments],
            env=os.environ | self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=KUBECTL_SECONDS,
            check=False,
        )
        if completed.returncode:
            raise RuntimeError(f"kubectl {' '.join(arguments)}: {completed.stderr}")
        return completed.stdout

    def api(
        self, method: str, path: str, body: object = None, content_type: str = "application/json"
    ) -> Any:  # noqa: ANN401 - whatever JSON the server sends
        """
        Call the API server, past the nodes' doors.
        """
        return self._control_plane.api.call(method, path, body, content_type)

    def git_commit(self, files: dict[str, str | None], message: str) -> str:
        """
        Change the served repository; None removes a file.
        """
        return self._repository.commit(files, message)

    def git_read(self, name: str) -> str:
        """
        A file of the served repository.
        """
        return self._repository.read(name)

    def power_off(self, node: str) -> None:
        """
        Pull the plug.
        """
        self._talos.control(node, "power-off")

    def power_on(self, node: str) -> None:
        """
        Push the button; what is on the node's disk decides what it boots into.
        """
        self._talos.control(node, "power-on")

    def reboot(self, node: str) -> None:
        """
        Reboot without asking Talos.
        """
        self._talos.control(node, "reboot")

    def raise_alarm(self, node: str) -> None:
        """
        Have etcd find that a member's disk is full.
        """
        self._talos.control(node, "alarm")

    def wait(self, what: str, true: Callable[[], bool], seconds: float) -> None:
        """
        Wait until something is true; a dead player ends the wait at once.
        """

        def true_and_alive() -> bool:
            if self._player:
                self._player.check()
            return true()

        until(what, true_and_alive, seconds)

    def view(self, node: str) -> dict[str, Any]:
        """
        What the stand-in says about a node.
        """
        return next(vars(v) for v in self._talos.nodes() if v.name == node)

    def cold(self) -> None:
        """
        All nodes in maintenance, nothing on their disks but Talos.
        """
        Recovery(self).wipe()

    def running(self) -> None:
        """
        By hand, without rekindle, to a cluster in which Flux has applied everything.
        """
        Recovery(self).run()
