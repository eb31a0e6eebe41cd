"""
Promise: what the documents show for a real cluster is what one types there: each line runs, and answers as it says.

``tests/docs`` runs everything that a simulated cluster can answer; what is marked as needing a real one is typed here,
in an operator's folder beside a recovered testbed. A line that is not typed has its place in ``ELSEWHERE``: one that is
new in a document is typed, or turns this red.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import yaml
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from rekindle.folding import newest
from tests.docs.shown import blocks, documents, words_of
from tests.system.conftest import ANTON, Operator

pytestmark = [pytest.mark.system, pytest.mark.timeout(1200)]
NEEDS = (
    "needs a real cluster",
    "needs a Git tree and a real cluster",
    "needs your repository and kustomize",
)
COLLECTOR, TALOS = "needs a collector", "needs Talos nodes"
SECONDS = 240
# What is not typed here, by how it begins; and who types it instead.
ELSEWHERE = {
    "rekindle approve": "tests/system/test_recovery.py",
    "rekindle init": "tests/cli/test_init.py",
    "rekindle inventory": "tests/cli/test_inventory.py",
    "rekindle plan recovery.yaml --reset": "tests/system/test_reset.py",
    "rekindle run recovery.yaml --reset": "tests/system/test_reset.py",
    "rekindle serve": "tests/system/test_web.py",
    "kubectl": "tests/testbed/testbed.py",
}
# What answers with something else than 0 on this testbed, and why.
ANSWERS = {
    # The machine configurations here are stand-ins that no talosctl validates.
    "rekindle doctor recovery.yaml": {0, 1, 2},
    # Nor does it belong to a Git tree, which is a warning here.
    "rekindle plan recovery.yaml": {0, 1},
}
# What goes on until it is stopped: after so many seconds that is done, as by Ctrl-C.
LASTING = "rekindle watch --kubeconfig"
LASTING_SECONDS = 30
STOPPED = 75


def lines() -> list[str]:
    """Every line of the documents that needs a real cluster, once, in the order of the documents."""
    found: dict[str, None] = {}
    for path in documents():
        for block in blocks(path):
            if block.kept.startswith(NEEDS):
                for line in block.lines:
                    found.update((shlex.join(words), None) for words in words_of(line) if words)
    return list(found)


def shown(need: str) -> str:
    """The one line that is marked with it."""
    kept = [block for path in documents() for block in blocks(path) if block.kept == need]
    (line,) = (line.strip() for block in kept for line in block.lines)
    return line


def elsewhere(line: str) -> str:
    return next((where for begin, where in ELSEWHERE.items() if line.startswith(begin)), "")


def home(operator: Operator) -> Path:
    """An operator's folder: plan, inventory, a kubeconfig of their own."""
    folder = operator.folder / "home"
    folder.mkdir()
    plan = yaml.safe_load(operator.plan.read_text())
    plan["machine"] = {"states": {"pods-healthy": {"stable": "1s"}}}
    (folder / "recovery.yaml").write_text(yaml.safe_dump(plan, sort_keys=False))
    shutil.copyfile(ANTON / "inventory.yaml", folder / "inventory.yaml")
    shutil.copyfile(operator.folder / "our-kubeconfig", folder / "FILE")
    (folder / "FILE").chmod(0o600)
    return folder


def environment_in(operator: Operator, folder: Path) -> dict[str, str]:
    """The journals are where they are by default."""
    environment = {
        **operator.environment,
        "KUBECONFIG": str(folder / "FILE"),
        "XDG_STATE_HOME": str(folder / "state"),
    }
    environment.pop("REKINDLE_JOURNAL", None)
    return environment


def typed(operator: Operator, folder: Path, line: str) -> tuple[int, str]:
    """Type a line in that folder."""
    words = [word.replace("RUN", run_of(folder)) for word in shlex.split(line)]
    if "home.db" in words and not (folder / "home.db").exists():
        # The laptop that it is typed on has a copy of the other's journal.
        shutil.copyfile(folder / "state" / "rekindle" / "anton.db", folder / "home.db")
    begun = subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=environment_in(operator, folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lasting = line.startswith(LASTING)
    try:
        said, _ = begun.communicate(timeout=LASTING_SECONDS if lasting else SECONDS)
    except subprocess.TimeoutExpired:
        begun.send_signal(signal.SIGINT)
        said, _ = begun.communicate(timeout=SECONDS)
    finally:
        begun.kill()
    if lasting:  # a watch that is stopped stays open, and the next one is another beginning
        journal = said.splitlines()[0].removeprefix("journal ")
        words = [sys.executable, "-m", "rekindle", "cancel", "--journal", journal]
        subprocess.run(words, env=environment_in(operator, folder), check=True)
    return begun.returncode, said[-3000:]


def run_of(folder: Path) -> str:
    """The run that one would name: the newest of the cluster's own journal."""
    journal = folder / "state" / "rekindle" / "anton.db"
    found = newest(journal) if journal.exists() else None
    return found.memory.run_id if found is not None else "RUN"


def test_what_is_typed_elsewhere_is_a_test_that_is_there() -> None:
    found = lines()

    assert len(found) > 15
    for begin, where in ELSEWHERE.items():
        assert any(line.startswith(begin) for line in found), begin
        assert (ANTON.parents[1] / where).exists(), where


def test_each_line_that_needs_a_real_cluster_runs_beside_one(operator: Operator) -> None:
    code, _ = operator.run()
    assert code == 0, operator.told()[-4000:]
    folder = home(operator)

    wrong = {}
    for line in (line for line in lines() if not elsewhere(line)):
        code, said = typed(operator, folder, line)
        expected = {STOPPED} if line.startswith(LASTING) else ANSWERS.get(line, {0})
        if code not in expected or "Traceback" in said:
            wrong[line] = (code, said)

    assert not wrong, "\n".join(f"{line}: {code}\n{said}" for line, (code, said) in wrong.items())
    assert os.listdir(folder / "state" / "rekindle")  # noqa: PTH208  the program's own folder


class Collector(BaseHTTPRequestHandler):
    """Takes what OTLP over HTTP brings, at the path and the port that every collector has."""

    bodies: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        assert self.path == "/v1/traces"
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_trace_goes_to_a_collector_as_the_document_sends_it(operator: Operator) -> None:
    folder = operator.folder / "traced"
    folder.mkdir()
    shutil.copyfile(operator.journal, folder / "home.db")
    line = shown(COLLECTOR).replace("rekindle", f"{sys.executable} -m rekindle", 1)

    with HTTPServer(("127.0.0.1", 4318), Collector) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        done = subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=folder,
            env=environment_in(operator, folder),
            timeout=SECONDS,
            check=False,
        )
        server.shutdown()
        thread.join()

    assert done.returncode == 0
    (body,) = Collector.bodies
    request = json_format.Parse(body, ExportTraceServiceRequest())
    assert len(request.resource_spans[0].scope_spans[0].spans) > 10


def test_a_node_is_reset_as_the_document_types_it(operator: Operator) -> None:
    """The last of this module: what it resets is not brought back."""
    address = operator.bed.nodes["k8s-3"]
    words = shlex.split(shown(TALOS).replace("NODE", address))
    talosctl = str(operator.bed.bin / words[0])
    begun = len(operator.bed.calls())

    with suppress(subprocess.TimeoutExpired):  # it stays until the node is back
        subprocess.run(
            [talosctl, "--talosconfig", str(operator.bed.talosconfig), "-e", address, *words[1:]],
            env=operator.environment,
            timeout=LASTING_SECONDS,
            check=False,
        )

    (reset,) = (call for call in operator.bed.calls()[begun:] if call["method"] == "Reset")
    assert reset["details"] == {"partitions": ["EPHEMERAL"], "graceful": False, "reboot": True}
