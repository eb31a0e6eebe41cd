"""
The real cluster, behind the engine's port: composes the adapters, knows no tool itself.

One thread decides and calls this; all others only put into its mailbox. What was seen is kept here and handed out as
it is: a source that does not answer is ``Unseen``, never an error and never a wait.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from engine.world import COALESCE_SECONDS, Identity, Settlement, Wakeup
from rekindle.adapters import authorities, orphans, tls_probe
from rekindle.adapters.apiserver import ApiPoller
from rekindle.adapters.commands import Commands
from rekindle.adapters.doers import Doers
from rekindle.adapters.known import Known, Observation
from rekindle.adapters.mailbox import Mailbox
from rekindle.adapters.nodes import NodePoller
from rekindle.adapters.probes import ProbePoller
from rekindle.adapters.reports import Changes, Whole
from rekindle.adapters.revisions import RevisionPoller
from rekindle.adapters.talos import NodeEye, Talosctl, TalosNodeAddress
from rekindle.adapters.talos_actions import TalosActions
from rekindle.adapters.talos_etcd import EtcdActions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.world import Intent, Question
    from journal.entries import Instant, Json
    from phases.probing import Wanted
    from phases.section import Section
    from phases.snapshot import Snapshot
    from rekindle.adapters.background import Background

CLOSE_SECONDS = 3.0
_CONTROL_PLANE = "controlplane"
_TERMINATING_KINDS = frozenset({"Namespace", "CustomResourceDefinition"})
_ETCD_VERBS = frozenset({"etcd.bootstrap", "etcd.recover", "etcd.remove-member"})
_NODE_VERBS = frozenset({"talos.apply", "node.reset", *_ETCD_VERBS})
_API_VERBS = frozenset({"etcd.bootstrap", "etcd.recover", "kubeconfig.fetch", "command.run"})
_COMMAND = "command.run"
Message = Observation | Settlement


class RealWorld:
    """
    The World of a real cluster.

    Threads begin with the first look, and end with ``close``. *journal* is the journal's path: lock files and outputs
    of commands stand beside it. *probes* are the plan's own, which its states ask for.
    """

    def __init__(
        self,
        section: Section,
        cluster_name: str,
        journal: Path,
        *,
        probes: Sequence[Wanted] = (),
        clock: Callable[[], Instant] = time.time,
        talos_port: int = tls_probe.TALOS_PORT,
    ) -> None:
        """Wire everything; nothing is asked yet."""
        self._section = section
        self._wanted = tuple(probes)
        self._name = cluster_name
        self._journal = journal
        self._clock = clock
        self._stopping = threading.Event()
        self._mailbox: Mailbox[Message] = Mailbox(self._stopping)
        self._started = self._interrupted = self._changed = False
        self._last_return = 0.0
        self._settlements: list[Settlement] = []
        self._delivered: list[str] = []
        self._verbs: dict[str, str] = {}
        self._ca = ""
        self._known = Known(tuple(section.talos.nodes))
        self._wire(talos_port)

    def _wire(self, talos_port: int) -> None:
        """Make the pollers and the doers."""
        section, put = self._section, self._mailbox.put
        talosconfig = Path(section.talos.talosconfig)
        talosctl = Talosctl(section.talos.talosctl, talosconfig)
        self._nodes = {}
        for name, node in section.talos.nodes.items():
            address = TalosNodeAddress(name, node.address, node.role == _CONTROL_PLANE)
            eye = NodeEye(talosctl, address, self._clock, talos_port)
            self._nodes[name] = NodePoller(name, eye, put)
        self._api = ApiPoller(
            Path(section.kubernetes.kubeconfig),
            self._addresses(),
            self._cluster_ca,
            put,
            clock=self._clock,
        )
        self._revisions = (
            RevisionPoller(Path(section.repository), put) if section.repository else None
        )
        environment = {
            "KUBECONFIG": section.kubernetes.kubeconfig,
            "TALOSCONFIG": section.talos.talosconfig,
        }
        self._probes = ProbePoller(self._wanted, put, environment=environment, clock=self._clock)
        commands = Commands(
            section.commands,
            self._journal,
            stopping=self._stopping,
            environment=environment,
            clock=self._clock,
        )
        actions = TalosActions(talosctl, talosconfig, self._journal, talos_port)
        etcd = EtcdActions(actions, talosctl, self._journal)
        self._doers = Doers(
            actions, etcd, commands, lambda: self._api.session, self._cluster_ca, put
        )

    # --- the port ----------------------------------------------------------------------------

    def identity(self) -> Identity:
        """
        Tell the cluster by the CA of its Talos API, which outlives every wipe but one of the secrets.

        Where no machine is asked, by the one that the kubeconfig trusts.
        """
        if not self._ca:
            section = self._section
            with contextlib.suppress(authorities.Unreadable):
                self._ca = (
                    authorities.of_talosconfig(Path(section.talos.talosconfig))
                    if section.talos.nodes
                    else authorities.of_kubeconfig(Path(section.kubernetes.kubeconfig))
                )
        return Identity(self._name, self._ca)

    def claim(self, operator: str) -> None:
        """
        Act for this *operator*: while the API answers, nobody else who claims does (``cluster_lease``).

        Whoever only looks claims nothing.
        """
        self._api.claim(operator)
        self._known.ask_for_operator()

    def now(self) -> Instant:
        """Tell the wall clock's time."""
        return self._clock()

    def look(self) -> Snapshot:
        """Return what is known now."""
        self._begin()
        self._take()
        return self._known.snapshot(self._clock())

    def start(self, intent: Intent) -> None:
        """Begin an action in a thread."""
        self._begin()
        self._verbs[intent.action] = intent.verb
        self._doers.start(intent)

    def adopt(self, intent: Intent) -> None:
        """Wait, in a thread, for what an earlier process left running."""
        self._begin()
        self._doers.adopt(intent)

    def ask(self, question: Question) -> bool:
        """Answer nothing: a real cluster has no operator of its own."""
        del question
        return False

    def expects(self) -> bool:
        """Know of nothing that is to come."""
        return False

    def summary(self) -> dict[str, Json]:
        """Count nothing: what happened is in the journal."""
        return {}

    def next(self, until: Instant | None) -> Wakeup:
        """
        Wait for a settlement, a change, an interruption, or the instant.

        Changes are gathered, so that a storm of events makes at most two turns a second; a settlement is told at
        once. Whatever was told before is in the journal by now, so its lock file has done its work.
        """
        self._begin()
        self._forget_delivered()
        # An instant is hours away when the clock is set back meanwhile: no wait is longer than it was to be.
        span = math.inf if until is None else max(until - self._clock(), 0.0)
        ends = time.monotonic() + span
        while not self._stopping.is_set():
            self._take()
            ready = self._last_return + COALESCE_SECONDS - time.monotonic()
            late = until is not None and (self._clock() >= until or time.monotonic() >= ends)
            if self._settlements or self._interrupted or late or (self._changed and ready <= 0):
                return self._wakeup()
            gathered = self._clock() + max(ready, 0.0) if self._changed else None
            due = [instant for instant in (until, gathered) if instant is not None]
            self._mailbox.wait(min(due) if due else None, self._clock)
        return Wakeup()

    def interrupt(self) -> None:
        """Make ``next`` return; safe in a signal handler."""
        self._interrupted = True
        self._mailbox.wake()

    def close(self) -> None:
        """
        End all threads. A command that runs is left to itself: it is adopted by its lock.
        """
        if self._stopping.is_set():
            return
        self._stopping.set()
        pollers = self._pollers()
        self._api.stop(keep_lease=bool(self._verbs))
        for poller in pollers:
            if poller is not self._api:
                poller.stop()
        until = time.monotonic() + CLOSE_SECONDS
        for poller in pollers:
            poller.join(max(0.0, until - time.monotonic()))
        self._doers.join(max(0.0, until - time.monotonic()))
        self._mailbox.close()

    # --- inside ------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Start the threads once."""
        if not self._started and not self._stopping.is_set():
            self._started = True
            for poller in self._pollers():
                poller.start()

    def _pollers(self) -> list[Background]:
        """List everything that runs beside us."""
        trees = [self._revisions] if self._revisions is not None else []
        return [*self._nodes.values(), self._api, *trees, self._probes]

    def _wakeup(self) -> Wakeup:
        """Hand out what has gathered."""
        wakeup = Wakeup(tuple(self._settlements), self._changed)
        self._delivered = [settlement.action for settlement in self._settlements]
        self._settlements, self._changed, self._interrupted = [], False, False
        self._last_return = time.monotonic()
        return wakeup

    def _forget_delivered(self) -> None:
        """Remove the lock files of actions whose settlement is durable."""
        for action in self._delivered:
            path = orphans.path_for(self._journal, action)
            if not orphans.is_running(path):
                path.unlink(missing_ok=True)
        self._delivered = []

    def _take(self) -> None:
        """Take in everything that threads have put."""
        while messages := self._mailbox.take():
            for message in messages:
                if isinstance(message, Settlement):
                    self._settlements.append(message)
                    self._hurry(self._verbs.pop(message.action, ""))
                else:
                    self._changed |= self._known.take(message)
                    self._want(message)

    def _hurry(self, verb: str) -> None:
        """Look soon at what the action was about; watches need no telling."""
        if verb in _NODE_VERBS:
            for poller in self._nodes.values():
                poller.hurry()
        if verb in _API_VERBS:
            self._api.hurry()
        if verb == _COMMAND:
            self._probes.hurry()

    def _want(self, message: Message) -> None:
        """Say what is Terminating, and which pods there are, when that may have changed."""
        session = self._api.session
        if session is None or not isinstance(message, (Whole, Changes)):
            return
        if message.kind in _TERMINATING_KINDS:
            wanted = self._known.terminating()
            session.holders.want(wanted)
        if message.kind == "Pod":
            session.logs.want(self._known.pods())
        if message.kind == "CustomResourceDefinition":
            for watcher in session.watchers.values():
                watcher.look_for_crd()

    def _cluster_ca(self) -> str:
        """
        Return the fingerprint of the Kubernetes CA that the nodes are to have (empty: no file tells).

        Where no machine is asked it is that of the kubeconfig as it was first: a file that names another cluster by now
        is foreign.
        """
        if not self._section.talos.nodes:
            return self.identity().ca
        for node in self._section.talos.nodes.values():
            with contextlib.suppress(authorities.Unreadable):
                found = authorities.of_machine_config(Path(node.config)).kubernetes
                if found:
                    return found
        return ""

    def _addresses(self) -> dict[str, str]:
        """Return each control plane's own base URL."""
        port = self._section.kubernetes.api_port
        return {
            name: f"https://{_bracketed(node.address)}:{port}"
            for name, node in self._section.talos.nodes.items()
            if node.role == _CONTROL_PLANE
        }


def _bracketed(address: str) -> str:
    """Write an address as URLs have it."""
    return f"[{address}]" if ":" in address else address
