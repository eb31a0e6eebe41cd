"""
Promise: ``rekindle plan`` only reads, also where there is something that a run would do at once.

The cluster is a Talos node on loopback, a talosctl and an API server that keep what was asked of them. Mutants: let
the look begin what it wishes; ask talosctl for a kubeconfig in order to look.
"""

from __future__ import annotations

import base64
import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from rekindle.adapters.resources import RESOURCES
from tests.adapters.conftest import write_kubeconfig, write_program
from tests.adapters.scripted import Answer, ScriptedApi, Streamed, listed, node
from tests.adapters.talos_nodes import (
    MEMBERS,
    Certificate,
    FakeTalosctl,
    configured,
    maintenance,
    make_certificate,
    server,
)
from tests.cli.conftest import Program

pytestmark = pytest.mark.program
# Talos' port is the same everywhere but here.
PORT = """
import rekindle.adapters.cluster as cluster, rekindle.foresight as foresight
cluster.RealWorld.__init__.__kwdefaults__["talos_port"] = {port}
foresight.LOOK_SECONDS = 5.0
"""
OF_A_NODE = ("get", "read", "service etcd", "etcd members", "etcd status", "etcd alarm list")
READS = (*OF_A_NODE, "version", "validate")
WHERE = re.compile(r"(--talosconfig|-e|-n) \S+ ?")
# What one may do oneself is asked by POST, and is written nowhere.
REVIEWS = "/apis/authorization.k8s.io/v1/selfsubject"


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path, "api", organization="os:admin")


@pytest.fixture
def talosctl(tmp_path: Path) -> FakeTalosctl:
    (tmp_path / "bin").mkdir()
    made = FakeTalosctl(tmp_path / "bin")
    made.running()
    made.says("etcd_members", "".join(MEMBERS.splitlines(keepends=True)[:2]))  # it is the only one
    return made


@pytest.fixture
def site(tmp_path: Path, certificate: Certificate, talosctl: FakeTalosctl) -> Path:
    """The folder of a plan, whose command would leave a file."""
    folder = tmp_path / "site"
    folder.mkdir()
    command = write_program(folder / "install", f"#!/bin/sh\ntouch {folder}/installed\n")
    ca = certificate.base64
    ours = {"ca": ca, "crt": ca, "key": base64.b64encode(certificate.key.read_bytes()).decode()}
    files: dict[str, object] = {
        "talosconfig": {"context": "c", "contexts": {"c": ours}},
        "cp-1.yaml": {"machine": {"ca": {"crt": ca}}, "cluster": {"ca": {"crt": ca}}},
        "roots.yaml": {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}},
        "inventory.yaml": {"schema": "rekindle.inventory/1"},
        "recovery.yaml": {
            "cluster": "c",
            "talos": {
                "talosconfig": "talosconfig",
                "talosctl": str(talosctl.program),
                "nodes": {"cp-1": {"address": "127.0.0.1", "config": "cp-1.yaml"}},
            },
            "kubernetes": {"kubeconfig": "kubeconfig"},
            "cni": {"daemonset": "kube-system/cilium", "command": "install"},
            "flux": {"roots": "roots.yaml"},
            "inventory": {"file": "inventory.yaml"},
            "commands": {"install": {"argv": [str(command)]}},
        },
    }
    for name, content in files.items():
        (folder / name).write_text(yaml.safe_dump(content))
    return folder


def serve(api: ScriptedApi) -> None:
    """A living API of a cluster that has a node and nothing else."""
    api.on("/readyz", Answer(b"ok"))
    for kind, places in RESOURCES.items():
        for place in places:
            items = [node("cp-1")] if kind == "Node" else []
            api.on(place.path(), listed(kind, items))
            api.on(f"{place.path()}?watch", Streamed())


@pytest.mark.parametrize(
    ("speaks", "has_kubeconfig", "state", "wished"),
    [
        (maintenance, False, "talos-ready", "talos.apply"),
        (configured, False, "talos-ready", "kubeconfig.fetch"),
        (configured, True, "cni-up", "command.run"),
    ],
)
def test_what_a_run_would_do_is_said_and_not_done(
    speaks: Callable[[Certificate], Callable[[socket.socket], None]],
    has_kubeconfig: bool,  # noqa: FBT001
    state: str,
    wished: str,
    rekindle: Program,
    site: Path,
    talosctl: FakeTalosctl,
    certificate: Certificate,
) -> None:
    with ScriptedApi(tls=certificate.context()) as api, server(speaks(certificate)) as port:
        serve(api)
        plan = yaml.safe_load((site / "recovery.yaml").read_text())
        plan["kubernetes"]["api_port"] = api.port
        (site / "recovery.yaml").write_text(yaml.safe_dump(plan))
        if has_kubeconfig:
            write_kubeconfig(site / "kubeconfig", api.url, certificate.base64)
        before = {path: path.read_bytes() for path in site.iterdir()}

        code = PORT.format(port=port)
        answer = rekindle("plan", str(site / "recovery.yaml"), "--json", code=code)

    assert answer.document["state"] == state
    states = answer.document["states"]
    said = [action for one in states for action in one.get("actions", ())]
    first = said[0]
    assert (first["verb"], first.get("forbidden")) == (wished, None)
    asked = [WHERE.sub("", call) for call in talosctl.calls]
    assert [call for call in asked if not call.startswith(READS)] == []
    assert any(call.startswith(OF_A_NODE) for call in asked), "the node was looked at"
    assert bool(api.asked_for("/api/v1/nodes")) is has_kubeconfig, "and so was the API"
    posted = [(a.method, a.path) for a in api.asked if a.method != "GET"]
    assert [one for one in posted if one[0] != "POST" or not one[1].startswith(REVIEWS)] == []
    assert {path: path.read_bytes() for path in site.iterdir()} == before
    assert not list(rekindle.folder.rglob("*.db"))
