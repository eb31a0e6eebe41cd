"""
Who does what: from a verb to the adapter that knows how.

Each action has a thread of its own, which ends in exactly one settlement, or in none when we are stopped while a
command goes on without us.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from engine.world import INVALID, TRANSIENT
from journal.errors import Diagnosed
from rekindle.adapters import finalizers, flux, giving_back, manifests, removals, settling
from rekindle.adapters.ancestry import ancestry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.world import Intent, Settlement
    from rekindle.adapters.apiserver import Session
    from rekindle.adapters.commands import Commands
    from rekindle.adapters.talos_actions import TalosActions
    from rekindle.adapters.talos_etcd import EtcdActions

ACTIONS_LIMIT = 256


class Doers:
    """Starts and adopts actions; *report* gets their settlements, from other threads."""

    def __init__(
        self,
        talos: TalosActions,
        etcd: EtcdActions,
        commands: Commands,
        session: Callable[[], Session | None],
        cluster_ca: Callable[[], str],
        report: Callable[[Settlement], None],
    ) -> None:
        """Know everybody who can do something."""
        self._commands = commands
        self._session = session
        self._report = report
        self._running: dict[str, threading.Thread] = {}
        self._by_verb: Mapping[str, Callable[[Intent], Settlement | None]] = {
            "talos.apply": talos.apply,
            "etcd.bootstrap": talos.bootstrap,
            "node.reset": talos.reset,
            "etcd.snapshot": etcd.snapshot,
            "etcd.recover": etcd.recover,
            "etcd.remove-member": etcd.remove_member,
            "kubeconfig.fetch": lambda intent: talos.kubeconfig(intent, cluster_ca()),
            "command.run": commands.run,
            "crd.preapply": self._apply,
            "root.apply": self._apply,
            "flux.nudge": self._nudge,
            "finalizer.release": self._release,
            "apiservice.remove": self._remove,
            "webhook.remove": self._remove,
            "git.ancestry": ancestry,
            "apply.give-back": self._give_back,
        }

    def start(self, intent: Intent) -> None:
        """Begin an action; a second start of the same is ignored."""
        doer = self._by_verb.get(intent.verb)
        if doer is None:
            self._report(settling.failed(intent, INVALID, why=f"nobody can do {intent.verb}"))
            return
        self._begin(intent, doer)

    def adopt(self, intent: Intent) -> None:
        """Wait for what an earlier process left running."""
        self._begin(intent, self._commands.adopt)

    def join(self, seconds: float) -> None:
        """Wait a little for those that are about to end."""
        for thread in list(self._running.values()):
            thread.join(seconds / max(1, len(self._running)))

    def _begin(self, intent: Intent, doer: Callable[[Intent], Settlement | None]) -> None:
        """Give the action its thread."""
        self._running = {name: t for name, t in self._running.items() if t.is_alive()}
        if intent.action in self._running:
            return
        if len(self._running) >= ACTIONS_LIMIT:
            self._report(settling.failed(intent, TRANSIENT, why="too many actions at once"))
            return
        thread = threading.Thread(
            target=self._do, args=(intent, doer), name=f"action-{intent.action}", daemon=True
        )
        self._running[intent.action] = thread
        thread.start()

    def _do(self, intent: Intent, doer: Callable[[Intent], Settlement | None]) -> None:
        """Do it, and settle whatever happens: an action that never ends would hold up the run for ever."""
        try:
            settlement = doer(intent)
        except Diagnosed as error:
            settlement = settling.failed(intent, INVALID, why=error.message)
        except Exception as error:  # noqa: BLE001  a bug of ours must not hang the run; it settles as doubt
            why = f"our own mistake: {type(error).__name__}"  # never its text: it may quote a manifest
            settlement = settling.unsettled(intent, why=why)
        if settlement is not None:
            self._report(settlement)

    def _apply(self, intent: Intent) -> Settlement:
        """Apply manifests."""
        documents = manifests.read(Path(str(intent.arguments["path"])))
        session = self._session()
        if session is None:
            return _no_api(intent)
        return manifests.apply(intent, session.api, session.discovery, documents)

    def _give_back(self, intent: Intent) -> Settlement:
        """Leave what was applied to its owner."""
        documents = manifests.read(Path(str(intent.arguments["path"])))
        session = self._session()
        if session is None:
            return _no_api(intent)
        return giving_back.give_back(intent, session.api, session.discovery, documents)

    def _nudge(self, intent: Intent) -> Settlement:
        """Nudge a Flux object."""
        session = self._session()
        if session is None:
            return _no_api(intent)
        return flux.nudge(intent, session.api.within(intent.deadline_seconds))

    def _release(self, intent: Intent) -> Settlement:
        """Release a finalizer."""
        session = self._session()
        return _no_api(intent) if session is None else finalizers.release(intent, session.api)

    def _remove(self, intent: Intent) -> Settlement:
        """Delete a registration that nobody serves."""
        session = self._session()
        return _no_api(intent) if session is None else removals.remove(intent, session.api)


def _no_api(intent: Intent) -> Settlement:
    """Say that there is nobody to ask yet."""
    return settling.failed(intent, TRANSIENT, why="there is no kubeconfig of ours yet")
