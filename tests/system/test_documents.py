"""
Promise: what the documents show for a real cluster is what one types there: each line runs, and answers as it says.

``tests/docs`` runs everything that a simulated cluster can answer; what is marked as needing more is typed here, in an
operator's folder beside a recovered testbed. The last test sees that no line was left out; what nobody types is told by
``tests/docs/kept.py``. Mutants: leave a test or a line of the loop out; type a line by another name.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest
import yaml
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from phases.inventory import Inventory
from tests.docs.kept import COLLECTOR, FIXED, REAL, TALOS, TYPED, commands, commands_of, kept, shown
from tests.system.conftest import ANTON, Operator
from tests.system.typist import LASTING_SECONDS, Typist, home

pytestmark = [pytest.mark.system, pytest.mark.timeout(1200)]
# What answers with something else than 0 on this testbed, and why.
ANSWERS = {
    # The machine configurations here are stand-ins that no talosctl validates.
    "rekindle doctor recovery.yaml": {0, 1, 2},
    # Nor does it belong to a Git tree, which is a warning here.
    "rekindle plan recovery.yaml": {0, 1},
}
LASTING = "rekindle watch --kubeconfig"
STOPPED = 75
LISTED = ("roots", "namespaces", "kustomizations", "helmreleases", "workloads", "stores")


@pytest.fixture(scope="module")
def typist(operator: Operator) -> Typist:
    code, _ = operator.run()
    assert code == 0, operator.told()[-4000:]
    return Typist(operator, home(operator))


def of_a_reset() -> list[str]:
    """The lines that ask for a wipe, in their order: foreseen, asked for, answered."""
    (block,) = [block for block in kept(*REAL) if "--reset" in block.text]
    return [command for line in block.lines for command in commands_of(line)]


def resets(operator: Operator) -> list[dict[str, Any]]:
    return [call for call in operator.bed.calls() if call["method"] == "Reset"]


def test_each_line_that_needs_a_real_cluster_runs_beside_one(typist: Typist) -> None:
    found = [line for line in commands(*REAL) if line not in of_a_reset()]
    assert len(found) > 20

    wrong = {}
    for line in found:
        code, said = typist.type(line)
        expected = {STOPPED} if line.startswith(LASTING) else ANSWERS.get(line, {0})
        if code not in expected or "Traceback" in said:
            wrong[line] = (code, said)

    assert not wrong, "\n".join(f"{line}: {code}\n{said}" for line, (code, said) in wrong.items())
    assert os.listdir(typist.journal.parent)  # noqa: PTH208  the program's own folder


@pytest.mark.parametrize("name", ["inventory.yaml", "recovery/inventory.yaml"])
def test_git_and_the_real_cluster_together_gave_the_examples_inventory(
    typist: Typist, name: str
) -> None:
    """After the loop, which has it written."""
    written = Inventory.model_validate(yaml.safe_load((typist.folder / name).read_text()))
    expected = Inventory.model_validate(yaml.safe_load((ANTON / "inventory.yaml").read_text()))

    assert written.pods == expected.pods == 104
    for items in LISTED:
        assert set(getattr(written, items)) == set(getattr(expected, items)), items


def test_a_web_view_has_the_port_and_the_token_that_the_document_gives_it(typist: Typist) -> None:
    (line,) = commands(FIXED)
    code, said = typist.type(line)

    assert code == 0, said
    token = (typist.folder / ".rekindle-web").read_text().strip()
    assert f"http://127.0.0.1:{typist.port}/?token={token}" in said


def test_a_reset_is_foreseen_asked_for_and_answered_as_the_document_types_it(
    typist: Typist,
) -> None:
    """Up to the answer: a run that is gone on with would wipe, as tests/system/test_reset.py has it do."""
    before = resets(typist.operator)
    foresee, ask, answer = of_a_reset()

    foreseen = typist.type(foresee)
    asked = typist.type(ask)
    question = typist.open_question()
    answered = typist.type(answer)
    agreed = typist.newest().memory.approvals[question.approval]
    typist.cancel(str(typist.journal))

    assert foreseen[0] == 1, foreseen[1]
    assert f"to type: {question.typed}" in foreseen[1]
    assert asked[0] == 4, asked[1]
    assert question.typed == foresee.split()[-1]
    assert answered[0] == 0, answered[1]
    assert agreed.answer
    assert resets(typist.operator) == before


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


def test_a_trace_goes_to_a_collector_as_the_document_sends_it(typist: Typist) -> None:
    folder = typist.folder / "traced"
    folder.mkdir()
    shutil.copyfile(typist.operator.journal, folder / "home.db")
    line = shown(COLLECTOR)
    mine = line.replace("rekindle", f"{sys.executable} -m rekindle", 1)

    with HTTPServer(("127.0.0.1", 4318), Collector) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        code, said = typist.ended(typist.begin(line, ["/bin/sh", "-c", mine], folder=folder))
        server.shutdown()
        thread.join()

    assert code == 0, said
    (body,) = Collector.bodies
    request = json_format.Parse(body, ExportTraceServiceRequest())
    assert len(request.resource_spans[0].scope_spans[0].spans) > 10


def test_a_node_is_reset_as_the_document_types_it(typist: Typist) -> None:
    """The last that needs the cluster: what it resets is not brought back."""
    bed = typist.operator.bed
    address = bed.nodes["k8s-3"]
    (line,) = commands(TALOS)
    words = shlex.split(line.replace("NODE", address))
    ours = [str(bed.bin / words[0]), "--talosconfig", str(bed.talosconfig), "-e", address]
    before = len(resets(typist.operator))

    # It stays until the node is back.
    typist.ended(typist.begin(line, [*ours, *words[1:]]), LASTING_SECONDS)

    (reset,) = resets(typist.operator)[before:]
    assert reset["details"] == {"partitions": ["EPHEMERAL"], "graceful": False, "reboot": True}


def test_no_line_was_left_out(typist: Typist) -> None:
    """The last of this module, and about all of it."""
    assert set(commands(*TYPED)) - typist.typed == set()
