"""The adapters against the real talosctl, a real API server and Talos' stand-in: what recordings cannot tell."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.world import Intent, Settlement
from phases.section import Kubernetes, Section, Talos
from phases.snapshot import Seen, Snapshot, Unseen
from rekindle.adapters.cluster import RealWorld

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from journal.entries import Json
    from tests.testbed.testbed import Testbed

pytestmark = [pytest.mark.system, pytest.mark.timeout(1500)]

TREE = Path(__file__).parents[2] / "examples" / "anton"
HELD = """
apiVersion: v1
kind: ConfigMap
metadata: {name: keep, namespace: held, finalizers: [example.com/hold, example.com/other]}
---
apiVersion: v1
kind: Namespace
metadata: {name: held}
"""


class Driver:
    """Does what the engine would do, one action at a time."""

    def __init__(self, bed: Testbed, folder: Path) -> None:
        self.bed = bed
        self.folder = folder
        self.count = 0
        self.kubeconfig = folder / "own" / "kubeconfig"
        nodes = {
            name: {"address": address, "config": str(bed.machine_configs[name])}
            for name, address in bed.nodes.items()
        }
        talos = {"talosconfig": str(bed.talosconfig), "talosctl": str(bed.bin / "talosctl")}
        section = Section.model_construct(
            talos=Talos.model_validate({**talos, "nodes": nodes}),
            kubernetes=Kubernetes(kubeconfig=str(self.kubeconfig)),
            commands={},
            repository=str(TREE),
        )
        self.world = RealWorld(section, "anton", folder / "c.db")

    def do(self, verb: str, **arguments: Json) -> Settlement:
        self.count += 1
        action = str(self.count)
        self.world.start(Intent(action, verb, "t", 1, 1, 60.0, time.time(), arguments))
        until = time.time() + 90
        while time.time() < until:
            for settled in self.world.next(until).settlements:
                return settled
        pytest.fail(f"{verb} did not settle")

    def code(self, verb: str, **arguments: Json) -> str:
        settled = self.do(verb, **arguments)
        return settled.code or settled.outcome

    def repeat(self, verb: str, **arguments: Json) -> None:
        until = time.time() + 90
        while self.do(verb, **arguments).outcome != "done":
            assert time.time() < until
            time.sleep(1)

    def until(self, true: Callable[[Snapshot], object], seconds: float = 120) -> Snapshot:
        until = time.time() + seconds
        while not true(self.world.look()):
            assert time.time() < until, self.world.look()
            self.world.next(time.time() + 2)
        return self.world.look()

    def apply(self, node: str, *, insecure: bool) -> str:
        config = self.bed.machine_configs[node]
        digest = hashlib.sha256(config.read_bytes()).hexdigest()
        where = {"node": node, "address": self.bed.nodes[node], "config": str(config)}
        return self.code("talos.apply", **where, sha256=digest, insecure=insecure)


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[Driver]:
    from tests.testbed.testbed import Testbed

    with Testbed(tmp_path / "bed", TREE) as bed:
        made = Driver(bed, tmp_path)
        yield made
        made.world.close()


def stages(snapshot: Snapshot) -> set[str]:
    return {
        look.value.stage if isinstance(look, Seen) else look.code
        for look in snapshot.nodes.values()
    }


def names(snapshot: Snapshot, kind: str) -> set[str]:
    seen = snapshot.objects[kind]
    return set(seen.value) if isinstance(seen, Seen) else set()


def test_from_maintenance_to_a_finalizer_released(driver: Driver, tmp_path: Path) -> None:
    driver.until(lambda s: stages(s) == {"maintenance"})
    assert [driver.apply(n, insecure=True) for n in driver.bed.nodes] == ["done"] * 3

    snapshot = driver.until(lambda s: stages(s) == {"booting"} and _etcd(s) == {"Preparing"})
    assert driver.apply("k8s-1", insecure=True) == "conflict"
    assert driver.apply("k8s-1", insecure=False) == "done"

    first = snapshot.nodes["k8s-1"]
    assert isinstance(first, Seen)
    where = {"node": "k8s-1", "address": driver.bed.nodes["k8s-1"], "boot_id": first.value.boot_id}
    assert driver.code("etcd.bootstrap", **where, machine_uuid="another") == "conflict"
    driver.repeat("etcd.bootstrap", **where, machine_uuid=first.value.machine_uuid)
    driver.until(lambda s: _etcd(s) == {"Running"})
    uuid = first.value.machine_uuid
    assert driver.code("etcd.bootstrap", **where, machine_uuid=uuid) == "already-exists"
    assert driver.bed.bootstraps() == 1

    driver.repeat("kubeconfig.fetch", **where, path=str(driver.kubeconfig))
    driver.until(lambda s: names(s, "Node") == set(driver.bed.nodes))
    # Each source is looked at by its own thread: the nodes may be listed before the look at the API is handed over.
    snapshot = driver.until(lambda s: isinstance(s.api, Seen), 10)
    assert isinstance(snapshot.api, Seen)
    assert snapshot.api.value.ca_matches

    _release_a_finalizer(driver, tmp_path)
    driver.bed.power_off("k8s-1")
    driver.until(lambda s: isinstance(s.nodes["k8s-1"], Unseen), 30)
    driver.bed.power_on("k8s-1")
    driver.until(lambda s: stages(s) == {"running"})


def _etcd(snapshot: Snapshot) -> set[str | None]:
    return {look.value.etcd for look in snapshot.nodes.values() if isinstance(look, Seen)}


def _release_a_finalizer(driver: Driver, folder: Path) -> None:
    file = folder / "held.yaml"
    file.write_text(HELD)
    driver.repeat("root.apply", path=str(file))
    driver.bed.kubectl("delete", "namespace", "held", "--wait=false")

    def held(snapshot: Snapshot) -> tuple[dict[str, Json], ...]:
        seen = snapshot.holders.get("namespace/held")
        found = seen.value if isinstance(seen, Seen) else ()
        fields = ("group", "version", "resource", "kind", "namespace", "name", "uid")
        return tuple({name: getattr(h, name) for name in fields} for h in found)

    (target,) = held(driver.until(held))
    other = {**target, "uid": "another"}
    assert driver.code("finalizer.release", **other, finalizers=["example.com/hold"]) == "conflict"
    for finalizer in ("example.com/hold", "example.com/other"):
        assert driver.code("finalizer.release", **target, finalizers=[finalizer]) == "done"
    driver.until(lambda s: "held" not in names(s, "Namespace"))
