"""
What is done to a Talos node, through talosctl: apply a configuration, bootstrap etcd, wipe it, fetch a kubeconfig.

"No answer" to a bootstrap is unsettled, never failed; a refusal is translated by its gRPC code. Each call holds its
action's lock and records its process, so that one that outlives us is seen, and can be ended.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from engine.world import (
    ACCEPTED,
    ALREADY_EXISTS,
    CONFLICT,
    DENIED,
    INVALID,
    PRECONDITION,
    TRANSIENT,
)
from journal.entries import Outcome
from rekindle.adapters import authorities, orphans, settling, talos_text, tls_probe
from rekindle.adapters.programs import MISSING, Answer, ProgramFailed, ask

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.world import Intent, Settlement
    from rekindle.adapters.talos import Talosctl

    Judge = Callable[[Intent, Answer], Settlement]

_BOOT_ID = "/proc/sys/kernel/random/boot_id"
WIPED = frozenset({"STATE", "EPHEMERAL"})  # the only labels that are ever wiped
# Answers that promise that nothing happened.
_REFUSALS = {
    "FailedPrecondition": PRECONDITION,
    "AlreadyExists": ALREADY_EXISTS,
    "PermissionDenied": DENIED,
    "Unauthenticated": DENIED,
    "InvalidArgument": INVALID,
    "Unimplemented": INVALID,
}


class TalosActions:
    """Doers for Talos. They block, so they are for threads."""

    def __init__(
        self, talosctl: Talosctl, talosconfig: Path, journal: Path, port: int = tls_probe.TALOS_PORT
    ) -> None:
        """Know the tool and the credentials."""
        self._talosctl = talosctl
        self._talosconfig = talosconfig
        self._journal = journal
        self._port = port

    def apply(self, intent: Intent) -> Settlement:
        """Give a node its configuration, if it is the file that was meant and of our own cluster."""
        until = time.monotonic() + intent.deadline_seconds
        address, config = str(intent.arguments["address"]), Path(str(intent.arguments["config"]))
        insecure = bool(intent.arguments.get("insecure"))
        refusal = self._refuse_file(intent, config)
        if refusal is not None:
            return refusal
        if insecure:
            probed = tls_probe.probe(address, self._port)
            if probed.kind == tls_probe.CONFIGURED:
                return settling.failed(intent, CONFLICT, why="the node is configured by now")
            if probed.kind == tls_probe.REFUSED:
                return settling.failed(intent, TRANSIENT, why=probed.why)
        arguments = ("apply-config", "--file", str(config), "--mode", "auto")
        argv = self._talosctl.argv(address, *arguments, insecure=insecure)
        return self.do(intent, argv, until)

    def bootstrap(self, intent: Intent) -> Settlement:
        """Start etcd on this machine, if it is the machine and the boot that were seen when it was decided."""
        until = time.monotonic() + intent.deadline_seconds
        address = str(intent.arguments["address"])
        refusal = self.refuse_machine(intent, address)
        if refusal is not None:
            return refusal
        return self.do(intent, self._talosctl.argv(address, "bootstrap"), until)

    def reset(self, intent: Intent) -> Settlement:
        """
        Have a machine wipe some labels and reboot, if it is the machine and the boot that were agreed to.

        Without a label talosctl would wipe the whole disk with its boot loader, so none is never sent. That it was
        accepted says nothing yet: the sequence runs without us, and only the node shows how it ended.
        """
        until = time.monotonic() + intent.deadline_seconds
        labels = [str(label) for label in intent.arguments.get("scope") or ()]
        unnamed = not intent.arguments.get("machine_uuid") or not intent.arguments.get("boot_id")
        if unnamed or not labels or not set(labels) <= WIPED:
            why = f"a reset names its machine, its boot, and labels of {', '.join(sorted(WIPED))}"
            return settling.failed(intent, INVALID, why=why)
        address = str(intent.arguments["address"])
        refusal = self.refuse_machine(intent, address)
        if refusal is not None:
            return refusal
        graceful = "true" if intent.arguments.get("graceful") is True else "false"
        wiped = [word for label in labels for word in ("--system-labels-to-wipe", label)]
        arguments = ("reset", f"--graceful={graceful}", "--reboot", "--wait=false", *wiped)
        settlement = self.do(intent, self._talosctl.argv(address, *arguments), until)
        if settlement.outcome != Outcome.DONE:
            return settlement
        return settling.unsettled(intent, ACCEPTED, scope=labels, graceful=graceful)

    def kubeconfig(self, intent: Intent, cluster_ca: str) -> Settlement:
        """
        Fetch a kubeconfig into a file of our own.

        It appears whole and private or not at all. *cluster_ca*: fingerprint of the CA that it must trust (empty: not
        known, then it must only be a kubeconfig).
        """
        until = time.monotonic() + intent.deadline_seconds
        address, path = str(intent.arguments["address"]), Path(str(intent.arguments["path"]))
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=path.parent, prefix=".kubeconfig-") as folder:
                fresh = Path(folder) / "kubeconfig"
                arguments = ("kubeconfig", str(fresh), "--merge=false", "--force")
                settlement = self.do(intent, self._talosctl.argv(address, *arguments), until)
                if settlement.outcome != "done":
                    return settlement
                return self._place(intent, fresh, path, cluster_ca)
        except OSError as error:
            return settling.failed(intent, INVALID, why=f"{path}: {error.strerror or error}")

    @staticmethod
    def _place(intent: Intent, fresh: Path, path: Path, cluster_ca: str) -> Settlement:
        """Check what was fetched, and rename it into its place."""
        try:
            found = authorities.of_kubeconfig(fresh)
        except authorities.Unreadable as error:
            return settling.failed(intent, INVALID, why=f"no kubeconfig was received: {error}")
        if cluster_ca and found != cluster_ca:
            return settling.failed(
                intent, CONFLICT, why="the kubeconfig trusts another CA", ca=found
            )
        fresh.chmod(0o600)
        with fresh.open("rb") as file:
            os.fsync(file.fileno())
        fresh.replace(path)
        return settling.done(intent, ca=found, path=str(path))

    def _refuse_file(self, intent: Intent, config: Path) -> Settlement | None:
        """Refuse a configuration that changed since it was meant, or that would take the node to another cluster."""
        try:
            digest = hashlib.sha256(config.read_bytes()).hexdigest()
            found = authorities.of_machine_config(config).talos
        except (OSError, authorities.Unreadable) as error:
            return settling.failed(intent, INVALID, why=str(error))
        if digest != intent.arguments.get("sha256"):
            return settling.failed(intent, CONFLICT, why=f"{config} is another file than was meant")
        try:
            ours = authorities.of_talosconfig(self._talosconfig)
        except authorities.Unreadable as error:
            return settling.failed(intent, INVALID, why=str(error))
        if found and ours and found != ours:
            why = f"{config} has another CA than the talosconfig: the node would leave the cluster"
            return settling.failed(intent, INVALID, why=why)
        return None

    def refuse_machine(self, intent: Intent, address: str) -> Settlement | None:
        """Refuse a machine that is not, or not any more, the one that was seen."""
        meant = {name: str(intent.arguments.get(name, "")) for name in ("machine_uuid", "boot_id")}
        try:
            found = self._identify(address)
        except (ProgramFailed, talos_text.NotUnderstood) as error:
            return settling.failed(intent, TRANSIENT, why=f"the node was not identified: {error}")
        for name, value in meant.items():
            if value and not found[name]:
                return settling.failed(intent, TRANSIENT, why=f"the node does not tell its {name}")
            if value and value != found[name]:
                return settling.failed(intent, CONFLICT, why=f"another {name}", found=found[name])
        return None

    def _identify(self, address: str) -> dict[str, str]:
        """Read machine UUID and boot id afresh."""
        found = self._talosctl.resource(address, "systeminformation", talos_text.SystemInformation)
        boot = self._talosctl.call(address, "read", _BOOT_ID)
        return {
            "machine_uuid": found.uuid if found else "",
            "boot_id": boot.stdout.decode(errors="replace").strip() if boot.code == 0 else "",
        }

    def do(
        self, intent: Intent, argv: Sequence[str], until: float, judged: Judge | None = None
    ) -> Settlement:
        """Call once, under the action's lock, with the time that looking has left; *judged* reads the answer."""
        seconds = until - time.monotonic()
        if seconds <= 0:
            return settling.failed(intent, TRANSIENT, why="no time was left to begin")
        try:
            lock = orphans.ActionLock(orphans.path_for(self._journal, intent.action))
        except orphans.LockHeldError:
            return settling.failed(intent, CONFLICT, why="this action is running already")
        try:
            answer = ask(
                argv,
                seconds=seconds,
                pass_fds=(lock.fileno,),
                started=lambda pid: lock.note(pid, tuple(argv)),
            )
        except ProgramFailed as error:
            if error.reason == MISSING:
                return settling.failed(intent, INVALID, why=str(error))
            return settling.unsettled(intent, why=str(error))
        finally:
            lock.release()
        return (judged or judge)(intent, answer)


def judge(intent: Intent, answer: Answer) -> Settlement:
    """Translate an exit code and, of a refusal, its gRPC code."""
    if answer.code == 0:
        return settling.done(intent)
    code = talos_text.grpc_code(answer.stderr)
    if code in _REFUSALS:
        why = talos_text.meaning(answer.stderr)
        return settling.failed(intent, _REFUSALS[code], grpc=code, why=why)
    if talos_text.is_foreign(answer.stderr) or talos_text.wants_certificate(answer.stderr):
        return settling.failed(
            intent, DENIED, grpc=code, why="the node has other secrets than ours"
        )
    if talos_text.was_not_sent(answer.stderr):
        return settling.failed(intent, TRANSIENT, grpc=code, why="the connection was refused")
    return settling.unsettled(intent, grpc=code, exit=answer.code)
