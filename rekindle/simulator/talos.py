"""
Talos machines: maintenance, installing, rebooting, booting, running; and the etcd on each.

A machine changes by what is done to it and by time, never by wishing: a control plane that was not bootstrapped
stays at ``booting`` with etcd Preparing for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from journal.entries import Instant
from rekindle.simulator.etcd import EtcdCluster
from rekindle.simulator.events import Loop, Process, Steps

INSTALL_SECONDS = 60.0
REBOOT_SECONDS = 45.0
RESETTING_SECONDS = 10.0  # drained or not, its pods and services stop before anything is wiped
SERVICES_SECONDS = 12.0  # from booting until etcd waits for its conditions
WAITING_SECONDS = 6.0  # from Waiting until Preparing
JOIN_POLL_SECONDS = 5.0
LEARNER_SECONDS = 8.0
ETCD_START_SECONDS = 6.0
APISERVER_SECONDS = 20.0
VERSION = "v1.10.4"
DOWN = ("off", "rebooting")
PLAIN = ("maintenance", "installing")


@dataclass
class Machine:
    """One machine. *etcd_data*: the cluster whose data its disk holds; None: an empty directory."""

    name: str
    address: str
    role: str
    uuid: str
    stage: str = "maintenance"
    boot_id: str = ""
    etcd: str = ""
    etcd_data: EtcdCluster | None = None
    apiserver: bool = False
    down_since: Instant = 0.0
    config: str = ""
    version: str = VERSION
    process: Process | None = None
    apiserver_due: Instant | None = None

    @property
    def control_plane(self) -> bool:
        """Is it meant to run etcd and an API server."""
        return self.role == "controlplane"

    @property
    def up(self) -> bool:
        """Is it powered, booted and answering."""
        return self.stage not in DOWN

    @property
    def configured(self) -> bool:
        """Does it hold a machine configuration and run it."""
        return self.stage in ("booting", "running")

    @property
    def kubelet(self) -> bool:
        """Does its kubelet run."""
        return (
            self.configured and self.etcd != "" if self.control_plane else self.stage == "running"
        )


class Machines:
    """All machines and the etcd clusters among them. *changed* is told of the machine after each change."""

    def __init__(self, loop: Loop, changed: Callable[[Machine], None], etcd_delay: float) -> None:
        self._loop = loop
        self._changed = changed
        self.etcd_delay = etcd_delay
        self.by_name: dict[str, Machine] = {}
        self.clusters: list[EtcdCluster] = []
        self.erased: Callable[[Machine], None] = lambda _machine: None  # its /var is empty
        self.lost: Callable[[], None] = lambda: None  # no disk has any etcd's data any more
        self.bootstraps = 0
        self.recoveries = 0
        self.wipes = 0
        self.count = 0

    def touch(self, machine: Machine) -> None:
        """Say that something about a machine changed."""
        self.count += 1
        self._changed(machine)

    def add(self, name: str, address: str, role: str, stage: str) -> Machine:
        """Rack a machine."""
        machine = Machine(name, address, role, uuid=self.identifier(), stage=stage)
        machine.boot_id = self.identifier()
        self.by_name[name] = machine
        return machine

    def identifier(self) -> str:
        """Return a boot id or a machine UUID."""
        digits = f"{self._loop.random.getrandbits(128):032x}"
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    # --- what is done to a machine ---------------------------------------------------------------

    def apply(self, machine: Machine, config: str) -> None:
        """Give a machine in maintenance its configuration: it installs, reboots and boots."""
        machine.config = config
        self._run(machine, self._install(machine))

    def reboot(self, machine: Machine, seconds: float = REBOOT_SECONDS) -> None:
        """Reboot a configured machine."""
        self._run(machine, self._restart(machine, seconds))

    def power_off(self, machine: Machine) -> None:
        """Pull the plug."""
        if machine.process is not None:
            machine.process.stop()
        self._down(machine, "off")

    def power_on(self, machine: Machine) -> None:
        """Plug it in again."""
        if machine.stage != "off":
            return
        steps = self._boot(machine) if machine.config else self._wake(machine)
        self._run(machine, steps)

    def wipe(self, machine: Machine) -> None:
        """Erase configuration and data: it comes back in maintenance. Nobody else is told."""
        self._erase(machine, state=True, ephemeral=True)
        self._run(machine, self._restart(machine, REBOOT_SECONDS))

    def reset(self, machine: Machine, *, state: bool, ephemeral: bool, graceful: bool) -> None:
        """
        Have a configured machine wipe itself and reboot, as ``talosctl reset --reboot`` with labels does.

        Without STATE it comes back with its configuration. A graceful one leaves etcd first, which never ends without a
        quorum: it then stays at resetting for ever (talos v1.12 v1alpha1_sequencer.go, ``LeaveEtcd``).
        """
        self._run(machine, self._reset(machine, state=state, ephemeral=ephemeral, leave=graceful))

    def _reset(self, machine: Machine, *, state: bool, ephemeral: bool, leave: bool) -> Steps:
        machine.stage = "resetting"
        self.touch(machine)
        yield self._loop.around(RESETTING_SECONDS)
        cluster = machine.etcd_data
        if leave and machine.control_plane and cluster is not None:
            while not cluster.healthy():
                yield JOIN_POLL_SECONDS
            cluster.expel(machine.name)
        self._erase(machine, state=state, ephemeral=ephemeral)
        yield from self._restart(machine, REBOOT_SECONDS)
        return None

    def _erase(self, machine: Machine, *, state: bool, ephemeral: bool) -> None:
        self.wipes += 1
        if state:
            machine.config = ""
        if not ephemeral:
            return
        had = machine.etcd_data is not None
        machine.etcd_data = None
        self.erased(machine)
        if had and not any(other.etcd_data for other in self.by_name.values()):
            self.lost()

    def _run(self, machine: Machine, steps: Steps) -> None:
        if machine.process is not None:
            machine.process.stop()
        machine.process = Process(self._loop, steps)
        machine.process.go()

    def empty(self, machine: Machine) -> None:
        """
        Erase what etcd and the kubelet have on a machine, and reboot it; its configuration stays.

        It is somebody's doing beside the run, and counts as no wipe of its.
        """
        machine.etcd_data = None
        self._run(machine, self._restart(machine, REBOOT_SECONDS))

    def replace(self, machine: Machine) -> None:
        """Put a new machine in the place of one that is gone for good: another UUID, and nothing on its disk."""
        machine.uuid = self.identifier()
        machine.config = ""
        machine.etcd_data = None
        self._run(machine, self._restart(machine, REBOOT_SECONDS))

    def bootstrap(self, machine: Machine) -> EtcdCluster:
        """Make a new etcd cluster on a machine. Its data is on the disk at once; it shows itself later."""
        peers = {machine.name: machine.address}
        cluster = EtcdCluster(len(self.clusters) + 1, [machine.name], peers=peers)
        self.clusters.append(cluster)
        self.bootstraps += 1
        machine.etcd_data = cluster
        return cluster

    def recover(self, machine: Machine) -> EtcdCluster:
        """Make a new etcd cluster on a machine from a snapshot: as a bootstrap, but for what it holds."""
        cluster = self.bootstrap(machine)
        self.bootstraps -= 1
        self.recoveries += 1
        return cluster

    # --- what time does --------------------------------------------------------------------------

    def _down(self, machine: Machine, stage: str) -> None:
        for cluster in self.clusters:
            cluster.running.discard(machine.name)
        machine.stage = stage
        machine.etcd = ""
        machine.down_since = self._loop.now
        self.touch(machine)

    def _install(self, machine: Machine) -> Steps:
        machine.stage = "installing"
        self.touch(machine)
        yield self._loop.around(INSTALL_SECONDS)
        yield from self._restart(machine, REBOOT_SECONDS)
        return None

    def _restart(self, machine: Machine, seconds: float) -> Steps:
        self._down(machine, "rebooting")
        yield self._loop.around(seconds)
        yield from self._boot(machine) if machine.config else self._wake(machine)
        return None

    def _wake(self, machine: Machine) -> Steps:
        yield self._loop.around(REBOOT_SECONDS)
        machine.boot_id = self.identifier()
        machine.stage = "maintenance"
        self.touch(machine)
        return None

    def _boot(self, machine: Machine) -> Steps:
        if machine.stage == "off":
            yield self._loop.around(REBOOT_SECONDS)
        if not machine.control_plane:
            while not any(
                other.control_plane and other.configured for other in self.by_name.values()
            ):
                yield JOIN_POLL_SECONDS  # its API stays closed until a control plane gives it a certificate
        machine.boot_id = self.identifier()
        machine.stage = "booting"
        self.touch(machine)
        yield self._loop.around(SERVICES_SECONDS)
        if machine.control_plane:
            yield from self._etcd(machine)
        machine.stage = "running"
        self.touch(machine)
        return None

    def _etcd(self, machine: Machine) -> Steps:
        machine.etcd = "Waiting"
        self.touch(machine)
        yield self._loop.around(WAITING_SECONDS)
        if machine.etcd_data is not None:
            yield self._loop.around(ETCD_START_SECONDS)
            self._start(machine, machine.etcd_data)
            return None
        machine.etcd = "Preparing"
        self.touch(machine)
        while True:
            if machine.etcd_data is not None:  # it was bootstrapped here
                yield self.etcd_delay
                self._start(machine, machine.etcd_data)
                return None
            cluster = next((found for found in self.clusters if found.healthy()), None)
            if cluster is not None and not cluster.learners:
                yield from self._join(machine, cluster)
                return None
            yield JOIN_POLL_SECONDS if self.clusters else JOIN_POLL_SECONDS / 2

    def _join(self, machine: Machine, cluster: EtcdCluster) -> Steps:
        cluster.admit(machine.name)  # Talos removes a member of its name first
        cluster.learners.add(machine.name)
        machine.etcd_data = cluster
        self.touch(machine)
        yield self._loop.around(ETCD_START_SECONDS)
        self._start(machine, cluster)
        yield self._loop.around(LEARNER_SECONDS)
        return None

    def _start(self, machine: Machine, cluster: EtcdCluster) -> None:
        machine.etcd = "Running"
        cluster.running.add(machine.name)
        if machine.name in cluster.learners:
            self._loop.after(
                self._loop.around(LEARNER_SECONDS), lambda: self._promote(machine, cluster)
            )
        self.touch(machine)

    def _promote(self, machine: Machine, cluster: EtcdCluster) -> None:
        if machine.name not in cluster.running:
            self._loop.after(JOIN_POLL_SECONDS, lambda: self._promote(machine, cluster))
            return
        cluster.learners.discard(machine.name)
        self.touch(machine)
