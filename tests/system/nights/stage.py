"""
A cluster of one node on loopback that does what a night tells it: Talos' port, a talosctl, an API, a plan.

The program that meets it is the real one, a process in an environment of its own. Nothing tells it that this cluster
is none; what this cluster cannot do is become healthy by itself: a night says what is there.
"""

from __future__ import annotations

import base64
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from journal.errors import Diagnosed
from journal.reader import Reader
from journal.row import Row
from rekindle.adapters.tls_probe import TALOS_PORT
from tests.adapters.conftest import write_kubeconfig
from tests.adapters.talos_nodes import (
    Certificate,
    FakeTalosctl,
    configured,
    make_certificate,
    server,
)
from tests.system.nights.lying import NODE, LyingApi, well

MAIN = "from rekindle.cli.main import main\nmain()"
SECONDS = 120.0
OUR_BUG = 70
WITHOUT_JOURNAL = {"plan", "diagnose", "inventory", "doctor"}
MEMBERS = """NODE       ID                 HOSTNAME   PEER URLS               CLIENT URLS             LEARNER
10.5.0.2   4b7c1a2f4e6c1d2a   cp-1       https://10.5.0.2:2380   https://10.5.0.2:2379   false
"""


@dataclass(frozen=True)
class Said:
    """What a command left: its words as typed, its answer, its two streams."""

    typed: str
    code: int
    out: str
    err: str


@dataclass
class Running:
    """A command that runs beside the test."""

    typed: str
    process: subprocess.Popen[bytes]
    out: Path
    err: Path

    def told(self) -> str:
        return self.err.read_text()

    def until_told(self, text: str) -> None:
        until(f"{text!r} of {self.typed}", lambda: text in self.told(), self.told)

    def end(self, number: int = signal.SIGTERM) -> Said:
        """Ask it to end, and wait until it has."""
        self.process.send_signal(number)
        return self.ended()

    def ended(self) -> Said:
        """Wait for its end. Whatever the night: no traceback, and never a bug of our own."""
        try:
            code = self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            pytest.fail(f"it did not end: {self.typed}\n{self.told()[-4000:]}")
        said = Said(self.typed, code, self.out.read_text(), self.told())
        assert "Traceback" not in said.out + said.err, said
        assert said.code != OUR_BUG, said
        return said


def until(what: str, true: Callable[[], object], shown: Callable[[], object] = str) -> None:
    """Wait for something that a night made happen."""
    end = time.monotonic() + SECONDS
    while not true():
        if time.monotonic() > end:
            pytest.fail(f"not within {SECONDS:g} s: {what}\n{shown()}")
        time.sleep(0.05)


@dataclass
class Stage:
    """
    One night's cluster and its operator, whose folder is *tmp*: plan, credentials, journal.

    *before* are words in front of the program: another mount namespace.
    """

    tmp: Path
    certificate: Certificate
    address: str
    talosctl: FakeTalosctl
    api: LyingApi
    started: list[Running] = field(default_factory=list)
    before: tuple[str, ...] = ()

    # --- the operator ------------------------------------------------------------------------

    @property
    def environment(self) -> dict[str, str]:
        """A clean one: nothing of whoever runs the tests but the way to its programs."""
        return {
            "PATH": f"{self.talosctl.folder}:{os.environ['PATH']}",
            "HOME": str(self.tmp / "home"),
            "LANG": "C.UTF-8",
            "USER": "operator",
            "LOGNAME": "operator",
            "NO_COLOR": "1",
            "TMPDIR": str(self.tmp),
            "XDG_STATE_HOME": str(self.tmp / "state"),
        }

    @property
    def journal(self) -> Path:
        return self.tmp / "home.db"

    def start(self, *words: str, code: str = "", **env: str) -> Running:
        """Begin a command of the program; *code* is Python that its process runs first."""
        begin = ["-c", f"{code}\n{MAIN}"] if code else ["-m", "rekindle"]
        given = [] if {*words} & {*WITHOUT_JOURNAL, "--journal"} else ["--journal", "home.db"]
        number = len(self.started)
        out, err = self.tmp / f".out-{number}", self.tmp / f".err-{number}"
        with out.open("w") as stdout, err.open("w") as stderr:
            process = subprocess.Popen(
                [*self.before, sys.executable, *begin, *words, *given],
                env={**self.environment, **env},
                cwd=self.tmp,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )
        running = Running(" ".join(["rekindle", *words, *given]), process, out, err)
        self.started.append(running)
        return running

    def __call__(self, *words: str, code: str = "", **env: str) -> Said:
        """Run a command to its end."""
        return self.start(*words, code=code, **env).ended()

    def plan(self, **changed: Any) -> Path:  # noqa: ANN401  parts of a plan
        """Write the plan; *changed* replaces whole parts of it."""
        plan = {
            "cluster": "home",
            "talos": {
                "talosconfig": "talosconfig",
                "nodes": {NODE: {"address": self.address, "config": "cp-1.yaml"}},
            },
            "kubernetes": {"kubeconfig": "kubeconfig", "api_port": self.api.port},
            "cni": {"daemonset": "kube-system/cilium", "command": "network"},
            "flux": {"roots": "roots.yaml"},
            "inventory": {"file": "inventory.yaml"},
            "commands": {"network": {"argv": ["sh", "network.sh"]}},
            **changed,
        }
        path = self.tmp / "recovery.yaml"
        path.write_text(yaml.safe_dump(plan, sort_keys=False))
        return path

    def write(self) -> None:
        """Write the files that the plan names."""
        ca = self.certificate.base64
        days, issuer = (-1, 3650), self.certificate
        client = make_certificate(self.tmp, "client", self.address, days, "os:admin", issuer)
        key = base64.b64encode(client.key.read_bytes()).decode()
        context = {"ca": ca, "crt": client.base64, "key": key}
        content = {"context": "home", "contexts": {"home": context}}
        (self.tmp / "talosconfig").write_text(yaml.safe_dump(content))
        config = {"machine": {"ca": {"crt": ca}}, "cluster": {"ca": {"crt": ca}}}
        (self.tmp / "cp-1.yaml").write_text(yaml.safe_dump(config))
        (self.tmp / "inventory.yaml").write_text("schema: rekindle.inventory/1\nnodes: [cp-1]\n")
        (self.tmp / "roots.yaml").write_text("")
        (self.tmp / "network.sh").write_text("echo installed\n")
        write_kubeconfig(self.tmp / "kubeconfig", self.api.url, ca)
        self.plan()
        self.commit()

    def commit(self) -> None:
        """Make the folder the Git tree that it would be; what is private or written later is in nobody's tree."""
        (self.tmp / ".gitignore").write_text("*\n!roots.yaml\n")
        author = ["-c", "user.name=operator", "-c", "user.email=operator@example.com"]
        for words in (
            ["init", "--quiet", "--initial-branch=main"],
            ["add", "roots.yaml"],
            [*author, "commit", "--quiet", "--no-gpg-sign", "--message", "a tree"],
            ["init", "--quiet", "--bare", "origin.git"],
            ["remote", "add", "origin", "origin.git"],
            ["push", "--quiet", "--set-upstream", "origin", "main"],
        ):
            subprocess.run(
                ["git", *words],  # noqa: S607  the operator's own
                cwd=self.tmp,
                env=self.environment,
                check=True,
                capture_output=True,
            )

    # --- its journal -------------------------------------------------------------------------

    def rows(self, journal: Path | None = None) -> list[Row]:
        """Every entry so far; none while there is no journal."""
        with suppress(Diagnosed), Reader(journal or self.journal) as reader:
            return list(reader.rows())
        return []

    def entries(self, kind: str) -> list[Any]:
        return [row.entry for row in self.rows() if row.kind == kind]

    def state(self) -> str:
        """The state that the run pursues."""
        moved = self.entries("moved")
        return str(moved[-1].target) if moved else "node-maintenance"

    def until_state(self, state: str, running: Running) -> None:
        until(f"{state}", lambda: self.state() == state, running.told)

    def until_status(self, text: str, running: Running) -> None:
        """Wait until ``status`` says *text*; asked of the journal, as it does."""

        def told() -> bool:
            answers = [body for entry in self.entries("decided") for body in entry.answers.values()]
            return any(text in str(body.get("reason", "")) for body in answers)

        until(text, told, running.told)

    def kept(self, before: list[Row]) -> None:
        """What was acknowledged is still there, in its place, and the whole chain fits."""
        assert before
        assert self.rows()[: len(before)] == before
        assert self("log", "--verify").code == 0

    def close(self) -> None:
        """Leave nothing running."""
        for running in self.started:
            if running.process.poll() is None:
                running.process.kill()
                running.process.wait()


def free_address() -> str:
    """An address of loopback on which nobody has Talos' port: it is the same on every node."""
    for _ in range(100):
        address = f"127.{random.randint(16, 254)}.{random.randint(0, 254)}.{random.randint(1, 254)}"
        with suppress(OSError), socket.create_server((address, TALOS_PORT)):
            return address
    pytest.fail("no free address on loopback")


@contextmanager
def staged(
    tmp: Path, talos: Callable[[Certificate], Callable[[socket.socket], None]] = configured
) -> Iterator[Stage]:
    """Put up a cluster that is well but for its network; *talos* serves the node's own port."""
    (tmp / "bin").mkdir(parents=True)
    (tmp / "home").mkdir()
    address = free_address()
    certificate = make_certificate(tmp, "ca", address, (-1, 3650))
    talosctl = FakeTalosctl(tmp / "bin")
    talosctl.running()
    talosctl.says("etcd_members", MEMBERS)
    talosctl.says("version_--client", "Client:\n\tTag:         v1.12.0\n")
    talosctl.says("validate_--config_" + str(tmp / "cp-1.yaml").replace("/", "_"), "valid\n")
    with (
        server(talos(certificate), (address, TALOS_PORT)),
        LyingApi(tls=certificate.context(), address=address) as api,
    ):
        well(api)
        stage = Stage(tmp, certificate, address, talosctl, api)
        stage.write()
        try:
            yield stage
        finally:
            stage.close()


def begun(stage: Stage, *, code: str = "") -> Running:
    """Begin a run, and return it when its first command has ended."""
    running = stage.start("run", "recovery.yaml", code=code)
    until("a settled action", lambda: stage.entries("action.settled"), running.told)
    return running
