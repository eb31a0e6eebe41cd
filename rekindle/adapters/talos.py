"""
A look at a Talos node, through talosctl.

One process a node and a question, dialling the node itself: a dead endpoint must not hide a living node. Only this
module and ``talos_actions`` know talosctl's flags.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec

from phases.snapshot import NodeLook, Seen, Unseen
from rekindle.adapters import talos_text, tls_probe
from rekindle.adapters.programs import MISSING, Answer, ProgramFailed, ask
from rekindle.adapters.talos_diagnostics import TalosDiagnostics

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from journal.entries import Instant

MAINTENANCE = "maintenance"
FOREIGN = "foreign"
GET_SECONDS = 10.0
MEMBER_SECONDS = 60.0
RUNS = "Running"
_ETCD_STAGES = frozenset({"booting", "running", "upgrading"})
_BOOT_ID = "/proc/sys/kernel/random/boot_id"
_BOOT_ID_LIMIT = 64
_UNTOLD = talos_text.EtcdStatus()

T = TypeVar("T", bound=msgspec.Struct)


@dataclass(frozen=True, slots=True)
class TalosNodeAddress:
    """A planned node: where it is, and whether etcd is its business."""

    name: str
    address: str
    control_plane: bool = True


@dataclass(frozen=True, slots=True)
class Own:
    """What a member said of itself and of its cluster's alarms, *of* which state of things, and when."""

    status: talos_text.EtcdStatus = _UNTOLD
    alarms: tuple[str, ...] | None = ()
    of: object = None
    at: Instant = 0.0


class Talosctl:
    """talosctl with our talosconfig; each call is its own process and ends at our deadline."""

    def __init__(self, program: str, talosconfig: Path) -> None:
        """Name the program and the credentials; neither is touched yet."""
        self._program = program
        self._talosconfig = talosconfig

    def argv(self, address: str, *arguments: str, insecure: bool = False) -> list[str]:
        """Write the whole command line for one node. Without credentials there is no endpoint to go through."""
        if insecure:
            return [self._program, "-n", address, *arguments, "--insecure"]
        credentials = ["--talosconfig", str(self._talosconfig), "-e", address, "-n", address]
        return [self._program, *credentials, *arguments]

    def call(
        self, address: str, *arguments: str, seconds: float = GET_SECONDS, insecure: bool = False
    ) -> Answer:
        """Ask one node."""
        return ask(self.argv(address, *arguments, insecure=insecure), seconds=seconds)

    def resource(
        self, address: str, name: str, kind: type[T], *, insecure: bool = False
    ) -> T | None:
        """Get a resource's spec; None when the node does not give it."""
        answer = self.call(address, "get", name, "-o", "json", insecure=insecure)
        if answer.code != 0:
            return None
        return cast("T", talos_text.spec_of(answer.stdout, kind))


class NodeEye:
    """
    Looks at one node, again and again.

    What cannot change without a reboot (machine UUID, version) is asked once a boot. Not for two threads at a time.
    """

    def __init__(
        self,
        talosctl: Talosctl,
        node: TalosNodeAddress,
        clock: Callable[[], Instant] = time.time,
        port: int = tls_probe.TALOS_PORT,
    ) -> None:
        """Remember nothing yet."""
        self._talosctl = talosctl
        self._node = node
        self._clock = clock
        self._port = port
        self._boot = ""
        self._machine_uuid = ""
        self._version = ""
        self._own = Own()
        self._diagnostics = TalosDiagnostics(talosctl, node.address, clock)
        self._last_seen: Instant = 0.0

    def probe(self) -> tls_probe.Probed:
        """Ask the port alone, which costs next to nothing."""
        return tls_probe.probe(self._node.address, self._port)

    def look(self, probed: tls_probe.Probed | None = None) -> Seen[NodeLook] | Unseen:
        """Look once. The instant is that of the first question, not of the last answer."""
        at = self._clock()
        probed = probed or self.probe()
        try:
            seen = self._look(probed)
        except ProgramFailed as error:
            seen = Unseen(
                self._last_seen, "odd" if error.reason == MISSING else "silent", str(error)
            )
        except talos_text.NotUnderstood as error:
            seen = Unseen(self._last_seen, "odd", str(error))
        if isinstance(seen, Unseen):
            return seen
        self._last_seen = at
        return Seen(seen, at)

    def _look(self, probed: tls_probe.Probed) -> NodeLook | Unseen:
        """Let the port decide which questions make sense."""
        if probed.kind == tls_probe.MAINTENANCE:
            return self._maintenance()
        if probed.kind == tls_probe.CONFIGURED:
            return self._configured()
        return Unseen(self._last_seen, probed.kind, probed.why)

    def _maintenance(self) -> NodeLook:
        """Nothing but the UUID is worth asking; it is asked once while the node stays in maintenance."""
        if self._boot != MAINTENANCE:
            self._boot = MAINTENANCE
            self._machine_uuid = self._ask_uuid(insecure=True)
        return NodeLook(stage=MAINTENANCE, ready=True, machine_uuid=self._machine_uuid)

    def _configured(self) -> NodeLook | Unseen:
        """Ask a configured node with our credentials."""
        address = self._node.address
        answer = self._talosctl.call(address, "get", "machinestatus", "-o", "json")
        if answer.code != 0:
            return self._refused(answer.stderr)
        status = cast(
            "talos_text.MachineStatus",
            talos_text.spec_of(answer.stdout, talos_text.MachineStatus),
        )
        boot_id = self._boot_id()
        if not boot_id or boot_id != self._boot:
            self._boot = boot_id
            self._machine_uuid = self._ask_uuid()
            self._version = self._ask_version()
        etcd, members = self._etcd(status.stage)
        own = self._member(etcd, members, boot_id)
        return NodeLook(
            stage=status.stage,
            ready=status.status.ready,
            unmet=tuple(unmet.name for unmet in status.status.unmet_conditions or ()),
            boot_id=boot_id,
            machine_uuid=self._machine_uuid,
            etcd=etcd.state,
            etcd_healthy=etcd.healthy,
            members=None if members is None else members.names,
            learners=() if members is None else members.learners,
            version=self._version,
            alarms=own.alarms,
            member_ids=() if members is None else members.ids,
            etcd_failing=etcd.failing,
            member_id=own.status.member_id,
            leader=own.status.leader,
            raft_term=own.status.term,
            db_size=own.status.db_size,
            diagnostics=self._diagnostics.of_boot(boot_id),
        )

    def _refused(self, stderr: str) -> NodeLook | Unseen:
        """Read why our credentials did not help."""
        if talos_text.is_foreign(stderr):
            return NodeLook(stage=FOREIGN)
        code = talos_text.grpc_code(stderr)
        if talos_text.was_not_sent(stderr):
            word = "refused"
        elif code in {"PermissionDenied", "Unauthenticated"} or talos_text.wants_certificate(
            stderr
        ):
            word = "denied"
        elif code in {talos_text.UNAVAILABLE, "DeadlineExceeded"}:
            word = "silent"
        else:
            word = "odd"
        return Unseen(self._last_seen, word, f"machinestatus: {code or 'no code'}")

    def _boot_id(self) -> str:
        """Read the kernel's boot id; unreadable is unknown."""
        answer = self._talosctl.call(self._node.address, "read", _BOOT_ID)
        text = answer.stdout[: _BOOT_ID_LIMIT + 1].decode(errors="replace").strip()
        return text if answer.code == 0 and len(text) <= _BOOT_ID_LIMIT else ""

    def _ask_uuid(self, *, insecure: bool = False) -> str:
        """Ask for the machine's UUID; a node that does not tell has none."""
        try:
            found = self._talosctl.resource(
                self._node.address,
                "systeminformation",
                talos_text.SystemInformation,
                insecure=insecure,
            )
        except (ProgramFailed, talos_text.NotUnderstood):
            return ""
        return found.uuid if found else ""

    def _ask_version(self) -> str:
        """Ask for Talos' version; it decides nothing, so silence is no harm."""
        try:
            found = self._talosctl.resource(self._node.address, "version", talos_text.Version)
        except (ProgramFailed, talos_text.NotUnderstood):
            return ""
        return found.version if found else ""

    def _etcd(self, stage: str) -> tuple[talos_text.EtcdService, talos_text.Members | None]:
        """Ask for etcd's service and member list, where there can be one."""
        nothing = talos_text.EtcdService()
        if not self._node.control_plane or stage not in _ETCD_STAGES:
            return nothing, None
        answer = self._talosctl.call(self._node.address, "service", "etcd")
        if answer.code != 0:
            # "Not registered" is an answer; anything else is none, and none is no evidence.
            none_yet = talos_text.is_not_registered(answer.stderr)
            return nothing if none_yet else talos_text.EtcdService(state=None), None
        service = talos_text.etcd_service(answer.stdout.decode(errors="replace"))
        answer = self._talosctl.call(self._node.address, "etcd", "members")
        if answer.code != 0:
            return service, None
        return service, talos_text.etcd_members(answer.stdout.decode(errors="replace"))

    def _member(
        self, etcd: talos_text.EtcdService, members: talos_text.Members | None, boot_id: str
    ) -> Own:
        """
        Ask etcd's member about itself, and the cluster for its alarms.

        A list of alarms is a proposal to raft (etcd v3.6 server/etcdserver/v3_server.go, Alarm): a healthy member is
        asked when something changed and then once a minute, one without a leader is asked for its status alone.
        """
        if etcd.state != RUNS:
            self._own = Own()
            return self._own
        same = (etcd, members, boot_id)
        now = self._clock()
        if self._own.of == same and etcd.healthy and 0 <= now - self._own.at < MEMBER_SECONDS:
            return self._own
        alarms = self._ask_alarms() if etcd.healthy and members is not None else None
        self._own = Own(self._ask_status(), alarms, same, now)
        return self._own

    def _ask_status(self) -> talos_text.EtcdStatus:
        """Ask the member for its status, which it gives without a leader too; silence is no status."""
        with contextlib.suppress(ProgramFailed, talos_text.NotUnderstood):
            answer = self._talosctl.call(self._node.address, "etcd", "status")
            if answer.code == 0:
                return talos_text.etcd_status(answer.stdout.decode(errors="replace"))
        return _UNTOLD

    def _ask_alarms(self) -> tuple[str, ...] | None:
        """Ask for etcd's alarms. None: not told, which says nothing against etcd (a reader may not ask)."""
        with contextlib.suppress(ProgramFailed, talos_text.NotUnderstood):
            answer = self._talosctl.call(self._node.address, "etcd", "alarm", "list")
            if answer.code == 0:
                return talos_text.etcd_alarms(answer.stdout.decode(errors="replace"))
        return None
