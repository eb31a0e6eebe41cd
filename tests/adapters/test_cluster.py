"""The real World as the engine sees it: what is known, what wakes it, and that it ends."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from engine.world import COALESCE_SECONDS, Wakeup, World
from journal.entries import Outcome
from phases.pod_logs import Lack, LogLook
from phases.section import Section
from phases.snapshot import ApiLook, Seen, Snapshot, Unseen
from rekindle.adapters import apiserver, mailbox, orphans
from rekindle.adapters.apiserver import ApiPoller
from rekindle.adapters.cluster import RealWorld
from rekindle.adapters.connection import Call, Connection, UnansweredError
from rekindle.adapters.kubernetes import NO_STATUS, RefusedError
from rekindle.adapters.revisions import RevisionReport
from tests.adapters.conftest import make_intent, until_true, write_kubeconfig
from tests.adapters.scripted import Answer, ScriptedApi, Streamed, event, listed, node, refused
from tests.adapters.talos_nodes import (
    Certificate,
    FakeTalosctl,
    configured,
    make_certificate,
    server,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from journal.entries import Json

VIP, OTHER, THIRD = "https://vip", "https://cp-1", "https://cp-2"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("api"), "api")


class Cluster:
    """A cluster of one node: a port, a talosctl, an API, and the files of a plan."""

    def __init__(self, folder: Path, certificate: Certificate, port: int) -> None:
        self.folder = folder
        (folder / "bin").mkdir()
        self.talosctl = FakeTalosctl(folder / "bin")
        self.talosctl.running()
        self.ca = certificate.base64
        self.api = ScriptedApi(tls=certificate.context())
        self.port = port
        content = {"context": "c", "contexts": {"c": {"ca": self.ca}}}
        (folder / "talosconfig").write_text(yaml.safe_dump(content))
        config = {"machine": {"ca": {"crt": self.ca}}, "cluster": {"ca": {"crt": self.ca}}}
        (folder / "cp-1.yaml").write_text(yaml.safe_dump(config))

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    def serve(self) -> None:
        self.api.on("/readyz", Answer(b"ok"))
        self.serve_namespaces()
        self.api.on("/api/v1/namespaces?watch", Streamed())
        self.api.on("/api/v1/nodes", listed("Node", [node("cp-1")]))
        self.api.on("/api/v1/nodes?watch", Streamed((event("ADDED", node("cp-2")),)))

    def serve_namespaces(self) -> None:
        self.api.on("/api/v1/namespaces", listed("Namespace", []))

    def section(self, **commands: Json) -> Section:
        files = {"kubeconfig": str(self.kubeconfig), "api_port": self.api.port}
        talos = {
            "talosconfig": str(self.folder / "talosconfig"),
            "talosctl": str(self.talosctl.program),
            "nodes": {"cp-1": {"address": "127.0.0.1", "config": str(self.folder / "cp-1.yaml")}},
        }
        given = {
            "talos": talos,
            "kubernetes": files,
            "cni": {"daemonset": "kube-system/cilium", "command": "cni"},
            "flux": {"roots": str(self.folder)},
            "inventory": {"schema": "rekindle.inventory/1"},
            "commands": {"cni": {"argv": ["true"]}, **commands},
            "repository": str(self.folder),
        }
        return _section(given)

    def world(self, **commands: Json) -> RealWorld:
        return RealWorld(self.section(**commands), "c", self.folder / "c.db", talos_port=self.port)


def _section(given: dict[str, Any]) -> Section:
    """The inventory is a file in the plan and its content in the section; take whichever this section wants."""
    try:
        return Section.model_validate(given)
    except ValueError:
        return Section.model_validate({**given, "inventory": {"file": "inventory.yaml"}})


@pytest.fixture
def cluster(tmp_path: Path, certificate: Certificate) -> Iterator[Cluster]:
    with server(configured(certificate)) as port:
        made = Cluster(tmp_path, certificate, port)
        with made.api:
            yield made


@pytest.fixture
def world(cluster: Cluster) -> Iterator[RealWorld]:
    made = cluster.world(
        hello={"argv": ["sh", "-c", "echo $KUBECONFIG"], "directory": str(cluster.folder)}
    )
    yield made
    made.close()


def gather(world: RealWorld, true: Callable[[Snapshot], Any], seconds: float = 10.0) -> Snapshot:
    until = time.time() + seconds
    while not true(world.look()):
        assert time.time() < until, world.look()
        world.next(time.time() + 0.5)
    return world.look()


def settle(world: RealWorld, seconds: float = 10.0) -> Wakeup:
    until = time.time() + seconds
    while time.time() < until:
        woken = world.next(until)
        if woken.settlements:
            return woken
    pytest.fail("no settlement came")


def test_it_is_a_world(world: RealWorld) -> None:
    seen: World = world

    assert seen.identity().cluster == "c"
    assert len(seen.identity().ca) == 64
    assert abs(seen.now() - time.time()) < 1


def test_nothing_is_known_at_first_and_looking_does_not_wait(world: RealWorld) -> None:
    began = time.monotonic()
    snapshot = world.look()

    assert time.monotonic() - began < 0.5
    assert isinstance(snapshot.nodes["cp-1"], Unseen)
    assert isinstance(snapshot.objects["Pod"], Unseen)


def test_whoever_acts_is_told_of_others_and_whoever_looks_is_not(world: RealWorld) -> None:
    """Mutant: claim nothing."""
    assert world.look().operator is None

    world.claim("me@here (a.db)")

    assert world.look().operator == Unseen(0.0, "not-asked")


def test_a_node_and_an_absent_kubeconfig_are_seen(world: RealWorld) -> None:
    snapshot = gather(
        world, lambda s: isinstance(s.nodes["cp-1"], Seen) and isinstance(s.kubeconfig, Seen)
    )

    assert isinstance(snapshot.nodes["cp-1"], Seen)
    assert snapshot.nodes["cp-1"].value.stage == "running"
    assert isinstance(snapshot.kubeconfig, Seen)
    assert snapshot.kubeconfig.value.state == "absent"
    assert isinstance(snapshot.api, Unseen)


def test_the_api_is_watched_once_there_is_a_kubeconfig(
    cluster: Cluster, world: RealWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apiserver, "POLL_SECONDS", 0.2)
    cluster.serve()
    gather(world, lambda s: isinstance(s.kubeconfig, Seen))
    write_kubeconfig(cluster.kubeconfig, cluster.api.url, cluster.ca)
    gather(world, lambda s: isinstance(s.objects["HelmRelease"], Seen))
    snapshot = gather(
        world,
        lambda s: isinstance(s.objects["Node"], Seen) and len(s.objects["Node"].value) == 2,
    )
    api, kubeconfig = snapshot.api, snapshot.kubeconfig

    assert isinstance(api, Seen)
    assert (api.value.serving, api.value.readyz, api.value.ca_matches) == (
        True,
        {"cp-1": True},
        True,
    )
    assert isinstance(kubeconfig, Seen)
    assert kubeconfig.value.state == "ours"
    assert isinstance(snapshot.objects["HelmRelease"], Seen)
    assert snapshot.objects["HelmRelease"].value == {}


def test_a_run_follows_what_only_rules_read_and_goes_on_where_it_may_not(
    cluster: Cluster, world: RealWorld
) -> None:
    """Mutants: start the watches of ``KINDS`` alone; let a slice that changed wake the turn."""
    cluster.serve()
    claim = {"metadata": {"name": "data", "namespace": "apps"}, "status": {"phase": "Pending"}}
    slices = "/apis/discovery.k8s.io/v1/endpointslices"
    made = {"kind": "EndpointSlice", "metadata": {"name": "web-1", "namespace": "apps"}}
    ends = {**made, "endpoints": [{"addresses": ["10.0.0.9"], "conditions": {"ready": False}}]}
    cluster.api.on(
        "/api/v1/services",
        listed("Service", [{"metadata": {"name": "web", "namespace": "apps"}}]),
    )
    cluster.api.on("/api/v1/services?watch", Streamed())
    cluster.api.on(slices, listed("EndpointSlice", []))
    cluster.api.on(f"{slices}?watch", Streamed((event("ADDED", ends),)))
    cluster.api.on("/api/v1/persistentvolumeclaims", listed("PersistentVolumeClaim", [claim]))
    cluster.api.on("/api/v1/persistentvolumeclaims?watch", Streamed())
    cluster.api.on("/api/v1/persistentvolumes", refused(403))
    write_kubeconfig(cluster.kubeconfig, cluster.api.url, cluster.ca)

    kinds = ("Service", "EndpointSlice", "PersistentVolumeClaim")
    snapshot = gather(world, lambda s: all(_keys(s, kind) for kind in kinds))
    refusal = gather(world, lambda s: s.objects["PersistentVolume"].code == "denied")  # type: ignore[union-attr]
    absent = gather(world, lambda s: isinstance(s.objects["Certificate"], Seen))

    assert {kind: _keys(snapshot, kind) for kind in kinds} == {
        "Service": ["apps/web"],
        "EndpointSlice": ["apps/web-1"],
        "PersistentVolumeClaim": ["apps/data"],
    }
    assert isinstance(refusal.objects["PersistentVolume"], Unseen)
    assert _keys(refusal, "Node") == ["cp-1", "cp-2"]
    assert isinstance(absent.objects["Certificate"], Seen)  # not installed, so there are none


def test_who_may_not_list_namespaces_sees_the_rest(cluster: Cluster, world: RealWorld) -> None:
    """Mutants: start no watches where the first list is forbidden; take that for a list."""
    cluster.serve()
    cluster.api.on("/api/v1/namespaces", refused(403, FORBIDDEN))
    write_kubeconfig(cluster.kubeconfig, cluster.api.url, cluster.ca)

    # What is listed and whether the API serves are asked beside one another.
    snapshot = gather(
        world, lambda s: _keys(s, "Node") == ["cp-1", "cp-2"] and isinstance(s.api, Seen)
    )
    unseen = gather(world, lambda s: s.objects["Namespace"].code == "denied")  # type: ignore[union-attr]

    assert isinstance(snapshot.api, Seen)
    assert (snapshot.api.value.serving, snapshot.api.value.limited) == (False, True)
    assert FORBIDDEN in snapshot.api.value.why
    spaces = unseen.objects["Namespace"]
    assert isinstance(spaces, Unseen)
    assert FORBIDDEN in spaces.why


def _keys(snapshot: Snapshot, kind: str) -> list[str]:
    look = snapshot.objects[kind]
    return sorted(look.value) if isinstance(look, Seen) else []


def test_a_dead_vip_does_not_hide_the_control_planes(cluster: Cluster, world: RealWorld) -> None:
    cluster.serve()
    write_kubeconfig(cluster.kubeconfig, "https://127.0.0.1:1", cluster.ca)

    gather(world, lambda s: isinstance(s.api, Seen) and s.api.value.serving)


def test_a_dead_vip_is_told_until_it_answers_again(
    cluster: Cluster, world: RealWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mutants: ask it only in the look that leaves it; never ask it again."""
    monkeypatch.setattr(apiserver, "POLL_SECONDS", 0.05)
    cluster.serve()
    write_kubeconfig(cluster.kubeconfig, "https://127.0.0.1:1", cluster.ca)
    asked: list[str] = []

    def silent(snapshot: Snapshot) -> str:
        return snapshot.api.value.silent if isinstance(snapshot.api, Seen) else ""

    def answers(_: object, base: str) -> tuple[str, str]:
        if base == cluster.api.url:
            return "", ""
        asked.append(base)
        return ("", "") if len(asked) > 1 else ("silent", "no answer in time")

    gather(world, lambda s: silent(s) == "https://127.0.0.1:1")
    monkeypatch.setattr(apiserver, "_said", answers)
    until_true(lambda: bool(asked))
    snapshot = gather(world, lambda s: not silent(s))

    assert isinstance(snapshot.api, Seen)
    assert snapshot.api.value.serving
    assert set(asked) == {"https://127.0.0.1:1"}


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (RefusedError(403, "no"), True),
        (RefusedError(403, NO_STATUS), True),
        (UnansweredError("foreign", "another CA", sent=False), True),
        (UnansweredError("odd", "it was reset", sent=True), True),
        (UnansweredError("denied", "no token", sent=False), True),
        (UnansweredError("silent", "nobody", sent=False), False),
        (UnansweredError("refused", "nobody", sent=False), False),
    ],
)
def test_a_refusal_is_an_answer(error: Exception, *, says: bool) -> None:
    """Mutants: call all that is no list silent; or only what came in no time."""
    look, _ = looked_at({VIP: error, OTHER: None}, VIP)

    assert look.serving
    assert look.silent == ("" if says else VIP)


@pytest.mark.parametrize("base", [VIP, OTHER, THIRD])
def test_a_look_asks_no_address_twice(base: str) -> None:
    """Mutants: ask the kubeconfig's own once more when the API was found elsewhere; or not beside, but again."""
    nobody = UnansweredError("silent", "nobody", sent=False)

    look, asked = looked_at({VIP: nobody, OTHER: nobody, THIRD: None}, base)

    assert (look.serving, look.silent) == (True, VIP)
    assert len(asked) == len(set(asked))
    assert VIP in asked


FORBIDDEN = 'namespaces is forbidden: User "guest" cannot list resource "namespaces"'


@pytest.mark.parametrize(
    ("error", "limited"),
    [
        (RefusedError(403, FORBIDDEN), True),
        (RefusedError(403, NO_STATUS), False),
        (RefusedError(401, "Unauthorized"), False),
    ],
)
def test_who_may_not_list_namespaces_is_answered_all_the_same(
    error: Exception, *, limited: bool
) -> None:
    """A proxy's refusal is none of the API's. Mutants: take every 403 for its own, or every denial."""
    look, _ = looked_at({VIP: error}, VIP)

    assert (look.serving, look.limited) == (False, limited)


def test_a_refusal_is_better_than_silence_and_a_list_is_better_than_a_refusal() -> None:
    """Mutants: stay with the address that says nothing; go to the first that forbids."""
    nobody = UnansweredError("silent", "nobody", sent=False)
    forbids = RefusedError(403, FORBIDDEN)

    limited, _ = looked_at({VIP: nobody, OTHER: forbids, THIRD: nobody}, VIP)
    serving, _ = looked_at({VIP: nobody, OTHER: forbids, THIRD: None}, VIP)

    assert (limited.limited, limited.silent) == (True, VIP)
    assert (serving.serving, serving.limited) == (True, False)


def looked_at(says: dict[str, Exception | None], base: str) -> tuple[ApiLook, list[str]]:
    """What one look makes of what each address says, and which were asked; the first is the kubeconfig's own."""
    asked: list[str] = []

    def serves(one: str) -> bool:
        asked.append(one)
        said = says[one]
        if said is not None:
            raise said
        return True

    connection = SimpleNamespace(base=base, bases=tuple(says))
    connection.use = lambda one: setattr(connection, "base", one)
    session: Any = SimpleNamespace(
        api=SimpleNamespace(serves=serves),
        connection=connection,
        watchers={},
        holders=SimpleNamespace(started=True),
        logs=SimpleNamespace(started=True),
    )
    reports: list[Any] = []
    poller = ApiPoller(Path("kubeconfig"), {}, str, reports.append)
    with ThreadPoolExecutor(4) as pool:
        poller._look_at_api(session, pool)
    (report,) = reports
    return report.look.value, asked


def test_a_server_that_answers_is_not_silent(cluster: Cluster, world: RealWorld) -> None:
    cluster.serve()
    write_kubeconfig(cluster.kubeconfig, cluster.api.url, cluster.ca)

    snapshot = gather(world, lambda s: isinstance(s.api, Seen) and s.api.value.serving)

    assert isinstance(snapshot.api, Seen)
    assert snapshot.api.value.silent == ""


def test_a_kubeconfig_of_another_cluster_is_not_used(
    cluster: Cluster, world: RealWorld, tmp_path: Path
) -> None:
    cluster.serve()
    other = make_certificate(tmp_path, "other")
    write_kubeconfig(cluster.kubeconfig, cluster.api.url, other.base64)
    snapshot = gather(
        world, lambda s: isinstance(s.kubeconfig, Seen) and s.kubeconfig.value.state == "foreign"
    )

    assert isinstance(snapshot.objects["Node"], Unseen)
    assert not cluster.api.asked


@pytest.mark.parametrize("lie", [None, Answer(b"<html/>"), Answer(b"{}", 500), Streamed((b"{",))])
def test_an_api_that_hangs_or_lies_is_unseen_and_ends(
    lie: Answer | None, cluster: Cluster, world: RealWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rekindle.adapters.kubernetes.READYZ_SECONDS", 0.5)
    cluster.api.on("/readyz", None)
    cluster.api.on("/api/v1/namespaces", lie)
    write_kubeconfig(cluster.kubeconfig, cluster.api.url, cluster.ca)
    gather(world, lambda s: isinstance(s.api, Unseen) and s.api.code in {"odd", "silent"})
    began = time.monotonic()
    world.close()

    assert time.monotonic() - began < 5


def test_a_command_settles_and_its_lock_goes_when_that_is_durable(
    cluster: Cluster, world: RealWorld
) -> None:
    world.start(make_intent("command.run", "7", command="hello"))
    (settled,) = settle(world).settlements
    lock = cluster.folder / "c.db.action-7.lock"

    assert (settled.action, settled.outcome) == ("7", Outcome.DONE)
    assert (cluster.folder / "c.db.output" / "7.log").read_text() == f"{cluster.kubeconfig}\n"
    assert lock.exists()
    until_free(lock)
    world.next(time.time())
    assert not lock.exists()


def until_free(lock: Path) -> None:
    """A program that a thread is just starting has our files until it is executed: it holds the lock for an instant."""
    until_true(lambda: not orphans.is_locked(lock))


def test_the_lock_of_what_still_runs_stays(cluster: Cluster, world: RealWorld) -> None:
    """A settled action may have left something behind. Mutant: ``_forget_delivered`` without ``is_running``."""
    world.start(make_intent("command.run", "7", command="hello"))
    settle(world)
    until_free(cluster.folder / "c.db.action-7.lock")
    left = orphans.ActionLock(cluster.folder / "c.db.action-7.lock")
    world.next(time.time())
    left.release()

    assert left.path.exists()


def test_a_storm_of_changes_makes_two_turns_a_second(world: RealWorld) -> None:
    """Mutant: COALESCE_SECONDS of nothing."""
    assert COALESCE_SECONDS == 0.5
    gather(world, lambda s: isinstance(s.nodes["cp-1"], Seen))
    storming = threading.Event()

    def storm() -> None:
        count = 0
        while not storming.wait(0.005):
            count += 1
            world._mailbox.put(RevisionReport(str(count)))

    thread = threading.Thread(target=storm, daemon=True)
    thread.start()
    turns, until = 0, time.time() + 1.5
    while time.time() < until:
        turns += world.next(until).changed
    storming.set()
    thread.join(3.0)

    assert 2 <= turns <= 4


def test_watches_begin_anew_when_the_api_was_away(
    cluster: Cluster, world: RealWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Etcd was made anew, and the streams stay open and deaf. Mutant: ``_follow`` without ``hurry``."""
    monkeypatch.setattr(apiserver, "POLL_SECONDS", 0.1)
    cluster.serve()
    cluster.api.on("/api/v1/nodes", listed("Node", [node("old")], version=100_000))
    cluster.api.on("/api/v1/nodes?watch", Streamed())
    write_kubeconfig(cluster.kubeconfig, cluster.api.url, cluster.ca)
    names(world, {"old"})
    cluster.api.on("/api/v1/namespaces", refused(500))
    gather(world, lambda s: isinstance(s.api, Seen) and not s.api.value.serving)
    cluster.api.on("/api/v1/nodes", listed("Node", [node("new")], version=6))
    cluster.serve_namespaces()

    names(world, {"new"})


def names(world: RealWorld, expected: set[str]) -> None:
    def seen(snapshot: Snapshot) -> bool:
        found = snapshot.objects["Node"]
        return isinstance(found, Seen) and set(found.value) == expected

    gather(world, seen)


@pytest.mark.parametrize(
    ("verb", "code"),
    [("flux.nudge", "transient"), ("finalizer.release", "transient"), ("no.such", "invalid")],
)
def test_what_cannot_be_done_settles_too(verb: str, code: str, world: RealWorld) -> None:
    world.start(make_intent(verb))

    assert [settled.code for settled in settle(world).settlements] == [code]


def test_an_action_left_open_by_an_earlier_process_is_in_doubt(world: RealWorld) -> None:
    world.adopt(make_intent("etcd.bootstrap"))

    assert [s.outcome for s in settle(world).settlements] == [Outcome.UNSETTLED]


def test_waiting_ends_at_the_instant(world: RealWorld) -> None:
    gather(world, lambda s: isinstance(s.nodes["cp-1"], Seen))
    until = time.time() + 0.4
    while time.time() < until:
        world.next(until)

    assert time.time() - until < 0.2


def test_a_clock_that_is_set_back_does_not_lengthen_a_wait(
    world: RealWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or requests, heartbeats and the jump itself would be seen hours later. Mutant: ``late`` by the clock alone."""
    monkeypatch.setattr(mailbox, "_LOOK_UP_SECONDS", 0.1)
    monkeypatch.setattr(world, "_take", lambda: None)  # nothing but the instant ends this wait
    began = time.time()
    told = iter([began])
    monkeypatch.setattr(world, "_clock", lambda: next(told, began - 3600))
    threading.Timer(20.0, world.interrupt).start()
    world.next(began + 0.3)

    assert time.time() - began < 15


def test_an_interrupt_ends_the_wait(world: RealWorld) -> None:
    gather(world, lambda s: isinstance(s.nodes["cp-1"], Seen))
    threading.Timer(1.0, world.interrupt).start()
    began = time.monotonic()
    while time.monotonic() < began + 0.7:
        world.next(time.time() + 30)

    assert time.monotonic() - began < 5


def test_nothing_is_waited_for_after_the_end(world: RealWorld) -> None:
    world.close()
    world.close()
    world.interrupt()

    assert world.next(time.time() + 30) == Wakeup()


def test_what_a_tunnels_log_says_is_in_the_next_look(cluster: Cluster, world: RealWorld) -> None:
    """Mutants: say nobody which pods there are; do not begin to ask; drop what is told."""
    cluster.serve()
    status = {"phase": "Running", "containerStatuses": [{"name": "app"}]}
    tunnel = {"namespace": "net", "name": "cloudflared-1", "uid": "u", "resourceVersion": "1"}
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": tunnel, "status": status}
    cluster.api.on("/api/v1/pods", listed("Pod", [pod]))
    cluster.api.on("/api/v1/pods?watch", Streamed())
    stamp = "2027-01-15T08:00:00.5Z 2027-01-15T08:00:00Z"
    text = f'{stamp} ERR Register tunnel error from server side error="Unauthorized: x"\n'
    cluster.api.on("/api/v1/namespaces/net/pods/cloudflared-1/log", Answer(text.encode()))
    write_kubeconfig(cluster.kubeconfig, cluster.api.url, cluster.ca)

    (look,) = gather(world, lambda s: s.logs).logs.values()

    assert isinstance(look, Seen)
    assert look.value == LogLook("u", unconnected_since=1_800_000_000.5, lacks=(Lack.UNAUTHORIZED,))


def test_closing_is_soon_and_ends_all_threads(cluster: Cluster) -> None:
    cluster.serve()
    write_kubeconfig(cluster.kubeconfig, cluster.api.url, cluster.ca)
    world = cluster.world()
    gather(world, lambda s: isinstance(s.objects["Node"], Seen))
    began = time.monotonic()
    world.close()

    assert time.monotonic() - began < 4
    names = {thread.name.split("-")[0] for thread in threading.enumerate()}
    assert not names & {"watch", "node", "api", "holders", "logs", "revision", "readyz_0"}


def test_a_server_of_another_ca_is_foreign(cluster: Cluster, tmp_path: Path) -> None:
    other = make_certificate(tmp_path, "other")
    made = Connection(write_kubeconfig(cluster.kubeconfig, cluster.api.url, other.base64))
    with pytest.raises(UnansweredError) as raised:
        made.send(Call("GET", "/"))
    made.close()

    assert (raised.value.code, raised.value.sent) == ("foreign", False)


def test_a_drip_does_not_outlast_the_deadline(cluster: Cluster) -> None:
    drip = Streamed(tuple(b"x" for _ in range(500)))
    cluster.api.on("/drip", drip)
    made = Connection(write_kubeconfig(cluster.kubeconfig, cluster.api.url, cluster.ca))
    began = time.monotonic()
    with pytest.raises(UnansweredError) as raised:
        made.send(Call("GET", "/drip", seconds=0.5))
    made.close()

    assert raised.value.code == "silent"
    assert time.monotonic() - began < 2
    assert json.dumps(raised.value.sent) == "true"
