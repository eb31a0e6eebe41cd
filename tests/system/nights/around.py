"""Nights on which something around the program is not what it should be."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

import yaml

from tests.adapters.conftest import write_kubeconfig
from tests.adapters.talos_nodes import Certificate, make_certificate
from tests.system.nights.lying import LyingApi, network, well
from tests.system.nights.page import Shown, only, problem, whole
from tests.system.nights.stage import Stage, begun

FOREIGN = (
    'error: rpc error: code = Unavailable desc = connection error: desc = "transport: authentication '
    "handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown "
    'authority"'
)


def unreadable_plan(stage: Stage) -> Iterator[Shown]:
    path = stage.tmp / "recovery.yaml"
    good = path.read_text()
    path.write_text(good.replace("daemonset:", "deamonset:"))
    yield whole(stage("run", "recovery.yaml"))
    path.write_bytes(good.encode("utf-16"))
    yield whole(stage("run", "recovery.yaml"))
    path.unlink()
    yield whole(stage("run", "recovery.yaml"))
    assert not stage.journal.exists()
    path.write_text(good)
    begun(stage).end()


def missing_tool(stage: Stage) -> Iterator[Shown]:
    program = stage.talosctl.program
    program.rename(program.with_name("away"))
    yield whole(stage("run", "recovery.yaml"))
    assert not stage.journal.exists()
    program.with_name("away").rename(program)
    stage.plan(commands={"network": {"argv": ["no-helmfile", "sync"]}})
    yield problem(stage("run", "recovery.yaml"))
    stage.plan()
    stage.api.put("DaemonSet", network())
    running = stage.start("run", "recovery.yaml")
    stage.until_state("flux-synced", running)
    running.end()


def wrong_kubeconfig(stage: Stage) -> Iterator[Shown]:
    """Named to ``diagnose`` it ends there; as our own file it is fetched anew, and theirs is never touched."""
    theirs = stage.tmp / "theirs"
    theirs.write_text("clusters: [\n")
    yield whole(stage("diagnose", "--kubeconfig", "theirs"))
    other = make_certificate(stage.tmp, "other", stage.address)
    write_kubeconfig(theirs, stage.api.url, other.base64)
    yield whole(stage("diagnose", "--kubeconfig", "theirs"))
    before = theirs.read_bytes()
    stage.plan(kubernetes={"kubeconfig": "theirs", "api_port": stage.api.port})
    yield whole(stage("run", "recovery.yaml", KUBECONFIG=str(theirs)))
    assert theirs.read_bytes() == before
    stage.plan()
    ours = stage.tmp / "kubeconfig"
    (stage.talosctl.folder / "fetched").write_bytes(ours.read_bytes())
    stage.talosctl.says("kubeconfig_PATH_--merge=false_--force", "")
    write_kubeconfig(ours, stage.api.url, other.base64)
    running = begun(stage)
    yield only(running.end(), "action.intended   a1")


def foreign_cluster(stage: Stage) -> Iterator[Shown]:
    """Another cluster behind the node's address, behind the API's, and behind the talosconfig."""
    stage.talosctl.refuses("get_machinestatus_-o_json", FOREIGN)
    yield problem(stage("run", "recovery.yaml"))
    (stage.talosctl.folder / "get_machinestatus_-o_json.err").unlink()
    other = make_certificate(stage.tmp, "other", stage.address)
    with LyingApi(tls=other.context(), address=stage.address) as api:
        well(api)
        stage.plan(kubernetes={"kubeconfig": "kubeconfig", "api_port": api.port})
        write_kubeconfig(stage.tmp / "kubeconfig", api.url, stage.certificate.base64)
        yield problem(stage("run", "recovery.yaml"))
        assert not [asked for asked in api.asked if asked.method != "GET"]
    stage.plan()
    write_kubeconfig(stage.tmp / "kubeconfig", stage.api.url, stage.certificate.base64)
    path = stage.tmp / "talosconfig"
    ours = path.read_text()
    content = {"context": "home", "contexts": {"home": {"ca": other.base64}}}
    path.write_text(yaml.safe_dump(content))
    calls = len(stage.talosctl.calls)
    yield problem(stage("resume"))
    assert len(stage.talosctl.calls) == calls
    path.write_text(ours)
    running = stage.start("run", "recovery.yaml")
    stage.until_state("cni-up", running)
    running.end()


def mute(_certificate: Certificate) -> Callable[[socket.socket], None]:
    """Take each connection and say nothing."""
    return lambda accepted: time.sleep(3) if accepted.recv(1) else None


def node_without_tls(stage: Stage) -> Iterator[Shown]:
    running = stage.start("run", "recovery.yaml")
    stage.until_status("took the connection and said nothing", running)
    yield only(stage("status"), "waits for", "can succeed", "you must")
    assert not stage.entries("action.intended")
    yield problem(running.end())
