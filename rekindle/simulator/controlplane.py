"""API servers: one on each control plane, up some seconds after its etcd is healthy, down with it."""

from __future__ import annotations

from rekindle.simulator.api import Api
from rekindle.simulator.events import Loop
from rekindle.simulator.talos import APISERVER_SECONDS, Machine, Machines

FIRST_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")


class ControlPlane:
    """Keeps each machine's API server in step with its etcd, and the API with the servers."""

    def __init__(self, loop: Loop, api: Api, machines: Machines) -> None:
        self._loop = loop
        self._api = api
        self._machines = machines

    def refresh(self) -> None:
        """Look at every control plane again."""
        for machine in self._machines.by_name.values():
            if not machine.control_plane:
                continue
            if not self._may_serve(machine):
                machine.apiserver_due = None
                self._set(machine, up=False)
            elif not machine.apiserver and machine.apiserver_due is None:
                due = self._loop.now + self._loop.around(APISERVER_SECONDS)
                machine.apiserver_due = due
                self._loop.at(due, lambda machine=machine, due=due: self._start(machine, due))  # type: ignore[misc]
        self._api.serve(up=any(found.apiserver for found in self._machines.by_name.values()))

    def _may_serve(self, machine: Machine) -> bool:
        data = machine.etcd_data
        return machine.etcd == "Running" and data is not None and data.healthy()

    def _start(self, machine: Machine, due: float) -> None:
        if machine.apiserver_due == due and self._may_serve(machine):
            machine.apiserver_due = None
            self._set(machine, up=True)
            self.refresh()

    def _set(self, machine: Machine, *, up: bool) -> None:
        if machine.apiserver != up:
            machine.apiserver = up
            self._machines.count += 1

    def force(self) -> None:
        """Have every API server up at once, for a state that was long so."""
        for machine in self._machines.by_name.values():
            if machine.control_plane and self._may_serve(machine):
                machine.apiserver = True
        self._api.serve(up=any(found.apiserver for found in self._machines.by_name.values()))
