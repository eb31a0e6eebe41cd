from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.testbed import build, settings
from tests.testbed.alone import alone
from tests.testbed.processes import Processes
from tests.testbed.talos import Talos
from tests.testbed.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.system, pytest.mark.timeout(1800)]

BOOT_ID = ("read", "/proc/sys/kernel/random/boot_id")
WIPE = ("--wait=false", "--graceful=false", "--reboot")
NODES = ("k8s-1", "k8s-2", "k8s-3")
SECONDS = 20


@pytest.fixture
def talos(tmp_path: Path) -> Iterator[Talos]:
    programs = build.ensure()
    talos = Talos(programs, tmp_path / "talos", settings.node_addresses(3))
    talos.generate()
    talos.kubeconfig.write_text("kind: Config\n")
    processes = Processes(tmp_path / "logs")
    with alone():
        try:
            talos.start(processes)
            yield talos
        finally:
            processes.stop_all()
            talos.close()


def configure(talos: Talos, *nodes: str) -> None:
    for node in nodes:
        file = str(talos.machine_configs[node])
        talos.call(node, "apply-config", "--file", file, insecure=True)
    for node in nodes:
        until(f"{node} waits", partial(waits, talos, node), SECONDS)


def phase(talos: Talos, node: str) -> str:
    return next(view.phase for view in talos.nodes() if view.name == node)


def waits(talos: Talos, node: str) -> bool:
    return "Preparing" in etcd(talos, node)


def etcd(talos: Talos, node: str) -> str:
    try:
        return talos.call(node, "service", "etcd")
    except RuntimeError as error:
        return str(error)


def members(talos: Talos, node: str) -> list[str]:
    return talos.call(node, "etcd", "members").splitlines()[1:]


def stage(talos: Talos, node: str, *, insecure: bool = False) -> str:
    return talos.call(node, "get", "machinestatus", "--output", "json", insecure=insecure)


def uuid(talos: Talos, node: str, *, insecure: bool = False) -> str:
    text = talos.call(node, "get", "systeminformation", "-o", "json", insecure=insecure)
    return next(line for line in text.splitlines() if '"uuid"' in line)


def refusal(talos: Talos, node: str, *arguments: str, insecure: bool = False) -> str:
    with pytest.raises(RuntimeError) as caught:
        talos.call(node, *arguments, insecure=insecure)
    return str(caught.value)


def test_maintenance_answers_reads_and_no_more(talos: Talos) -> None:
    assert '"stage": "maintenance"' in stage(talos, "k8s-1", insecure=True)
    assert "uuid" in uuid(talos, "k8s-1", insecure=True)
    assert "code = Unimplemented" in refusal(talos, "k8s-1", "version", insecure=True)
    assert "not authorized" in refusal(talos, "k8s-1", "get", "machineconfig", insecure=True)
    assert "certificate signed by unknown authority" in refusal(talos, "k8s-1", "version")


def test_bad_configurations_have_the_codes_of_life(talos: Talos, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    apply = ("apply-config", "--file", str(file))

    file.write_text("foo: [\n")
    assert "code = Unknown" in refusal(talos, "k8s-1", *apply, insecure=True)

    file.write_text("version: v1alpha1\nmachine: {type: controlplane}\ncluster: {}\n")
    assert "code = InvalidArgument" in refusal(talos, "k8s-1", *apply, insecure=True)


def test_bootstrap_makes_one_etcd_of_all_configured_nodes(talos: Talos) -> None:
    configure(talos, *NODES)
    services = talos.call("k8s-1", "get", "services")
    assert '"stage": "booting"' in stage(talos, "k8s-1")
    assert "etcd" not in services

    talos.call("k8s-1", "bootstrap")

    until("three members", lambda: grown(talos), SECONDS)
    assert "AlreadyExists" in refusal(talos, "k8s-1", "bootstrap")
    assert "AlreadyExists" in refusal(talos, "k8s-3", "bootstrap")
    assert [(call["node"], call["code"]) for call in talos.calls()[-3:]] == [
        ("k8s-1", "OK"),
        ("k8s-1", "AlreadyExists"),
        ("k8s-3", "AlreadyExists"),
    ]
    until("it runs", lambda: '"stage": "running"' in stage(talos, "k8s-3"), SECONDS)
    assert '"name": "nodeReady"' in stage(talos, "k8s-3")
    assert '"name": "services"' not in stage(talos, "k8s-3")


def grown(talos: Talos) -> bool:
    try:
        lists = [members(talos, node) for node in NODES]
    except RuntimeError:
        return False
    return all(len(rows) == len(NODES) and "true" not in str(rows) for rows in lists)


def test_a_reboot_changes_the_boot_id_and_keeps_the_machine(talos: Talos) -> None:
    configure(talos, "k8s-1")
    before, machine = talos.call("k8s-1", *BOOT_ID), uuid(talos, "k8s-1")

    talos.call("k8s-1", "reboot", "--wait=false")
    until("it is down", lambda: phase(talos, "k8s-1") == "rebooting", SECONDS)
    until("it is up", lambda: waits(talos, "k8s-1"), SECONDS)

    assert talos.call("k8s-1", *BOOT_ID) != before
    assert uuid(talos, "k8s-1") == machine


def test_wiping_the_state_leaves_etcds_data(talos: Talos) -> None:
    configure(talos, "k8s-1")
    talos.call("k8s-1", "bootstrap")

    talos.call("k8s-1", "reset", *WIPE, "--system-labels-to-wipe", "STATE")
    until("it is wiped", lambda: phase(talos, "k8s-1") == "maintenance", SECONDS)
    file = str(talos.machine_configs["k8s-1"])
    talos.call("k8s-1", "apply-config", "--file", file, insecure=True)
    until("it runs", lambda: "Running" in etcd(talos, "k8s-1"), SECONDS)

    assert "AlreadyExists" in refusal(talos, "k8s-1", "bootstrap")


def test_wiping_the_disk_leaves_nothing_to_boot(talos: Talos) -> None:
    configure(talos, "k8s-1")

    talos.call("k8s-1", "reset", *WIPE)

    until("it is off", lambda: phase(talos, "k8s-1") == "off", SECONDS)


def test_bootstrap_is_refused_before_the_runtime_is_up(talos: Talos) -> None:
    file = str(talos.machine_configs["k8s-1"])
    talos.call("k8s-1", "apply-config", "--file", file, insecure=True)
    until("it waits", lambda: "Waiting" in etcd(talos, "k8s-1"), SECONDS)

    assert "code = FailedPrecondition" in refusal(talos, "k8s-1", "bootstrap")


def test_a_worker_cannot_be_bootstrapped(talos: Talos) -> None:
    configure(talos, "k8s-1")
    worker = talos.generate_worker("k8s-2")
    talos.call("k8s-2", "apply-config", "--file", str(worker), insecure=True)
    until("it runs", lambda: "Running" in worker_kubelet(talos), SECONDS)

    assert "can only be performed on a control plane" in refusal(talos, "k8s-2", "bootstrap")


def worker_kubelet(talos: Talos) -> str:
    try:
        return talos.call("k8s-2", "service", "kubelet")
    except RuntimeError:
        return ""
