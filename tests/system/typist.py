"""
Somebody in an operator's folder beside a recovered testbed, who types there what the documents show.

Whatever is begun for a line goes through ``begin`` or ``_at_a_terminal``: what is in ``typed`` was typed.
"""

from __future__ import annotations

import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from engine.memory import Approval
from rekindle.folding import Found, newest
from tests.cli.conftest import Program
from tests.cli.terminal import on_terminal
from tests.docs.kept import commands_of
from tests.system.conftest import ROOT, Operator
from tests.system.small import SYSTEM, kustomization

SECONDS = 240
# What goes on until it is stopped: after so many seconds that is done, as by Ctrl-C.
LASTING_SECONDS = 30
# The laptop that it is typed on has a copy of another's journal.
COPIES = ("home.db", "night.db")
PORT = "8080"
ADDRESS = re.compile(r"http://\S+")


def free_port() -> str:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def home(operator: Operator) -> Path:
    """An operator's folder: a plan that allows a reset, a kubeconfig of their own, and no inventory yet."""
    folder = operator.folder / "home"
    (folder / "recovery").mkdir(parents=True)
    plan = yaml.safe_load(operator.plan.read_text())
    plan["machine"] = {
        "states": {"pods-healthy": {"stable": "1s"}},
        "verbs": {"node.reset": {"enabled": True}},
    }
    (folder / "recovery.yaml").write_text(yaml.safe_dump(plan, sort_keys=False))
    shutil.copyfile(operator.folder / "our-kubeconfig", folder / "FILE")
    (folder / "FILE").chmod(0o600)
    return folder


@dataclass
class Typist:
    """Who types; *typed* are the commands that they have."""

    operator: Operator
    folder: Path
    port: str = field(default_factory=free_port)
    typed: set[str] = field(default_factory=set)

    @property
    def environment(self) -> dict[str, str]:
        """The journals are where they are by default."""
        environment = {
            **self.operator.environment,
            "KUBECONFIG": str(self.folder / "FILE"),
            "XDG_STATE_HOME": str(self.folder / "state"),
        }
        environment.pop("REKINDLE_JOURNAL", None)
        return environment

    @property
    def journal(self) -> Path:
        return self.folder / "state" / "rekindle" / "anton.db"

    def newest(self) -> Found:
        """The newest run of the cluster's own journal."""
        found = newest(self.journal)
        assert found is not None
        return found

    def type(self, line: str) -> tuple[int, str]:
        """Type a line and wait for its end: (exit code, all that it said)."""
        for begin, how in HOW.items():
            if line.startswith(begin):
                return how(self, line)
        return self.ended(self.begin(line))

    def begin(
        self, line: str, argv: list[str] | None = None, *, folder: Path | None = None
    ) -> subprocess.Popen[str]:
        """Begin what a line says; *argv*: what is typed for it where that is not the same."""
        words = [self._filled(word) for word in shlex.split(line)]
        program = [sys.executable, "-m"] if words[0] == "rekindle" else []
        begun = subprocess.Popen(
            argv or [*program, *words],
            cwd=folder or self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.typed.update(commands_of(line))
        return begun

    def ended(self, begun: subprocess.Popen[str], seconds: float = SECONDS) -> tuple[int, str]:
        """Wait for its end, and after so many seconds bring it about as Ctrl-C does."""
        try:
            said, _ = begun.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            begun.send_signal(signal.SIGINT)
            said, _ = begun.communicate(timeout=SECONDS)
        finally:
            begun.kill()
        return begun.returncode, said[-3000:]

    def cancel(self, journal: str) -> None:
        """Close a run that would stay open: the next one is another beginning."""
        words = [sys.executable, "-m", "rekindle", "cancel", "--journal", journal]
        subprocess.run(words, env=self.environment, check=True)

    def open_question(self) -> Approval:
        (asked,) = [item for item in self.newest().memory.approvals.values() if not item.answer]
        return asked

    def _filled(self, word: str) -> str:
        """What a reader puts in the place of a word."""
        if word in COPIES and not (self.folder / word).exists():
            shutil.copyfile(self.journal, self.folder / word)
        if word == "RUN":
            return self.newest().memory.run_id
        if word == PORT:
            return self.port
        return f"{self.folder}{word[1:]}" if word.startswith("~/") else word

    def _for_a_while(self, line: str) -> tuple[int, str]:
        code, said = self.ended(self.begin(line), LASTING_SECONDS)
        self.cancel(said.splitlines()[0].removeprefix("journal "))
        return code, said

    def _until_it_is_seen(self, line: str) -> tuple[int, str]:
        """Open the address in a browser that keeps cookies, and stop the server."""
        begun = self.begin(line)
        assert begun.stdout is not None
        said = ""
        while "Ctrl-C" not in said and (more := begun.stdout.readline()):
            said += more
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        try:
            with opener.open(ADDRESS.findall(said)[0], timeout=SECONDS) as page:
                assert self.newest().memory.run_id in page.read().decode()
        finally:
            begun.send_signal(signal.SIGINT)
            code, rest = self.ended(begun)
        return code, said + rest

    def _in_a_repository(self, line: str) -> tuple[int, str]:
        folder = self.folder / "repository"
        shutil.copytree(ROOT / "examples" / "repositories" / "task-talhelper", folder)
        return self.ended(self.begin(line, folder=folder))

    def _beside_a_root(self, line: str) -> tuple[int, str]:
        """Both templates have a root of that name, and anton has not: it is there while it is asked for."""
        root = yaml.safe_dump(kustomization(SYSTEM, prune=False, suspend=True))
        bed = self.operator.bed
        bed.kubectl("apply", "-f", "-", stdin=root)
        try:
            return self.ended(self.begin(line))
        finally:
            bed.kubectl("delete", "kustomization", "-n", SYSTEM, SYSTEM)

    def _at_a_terminal(self, line: str) -> tuple[int, str]:
        """Answer the question that is open, by its id and with what it wants typed."""
        asked = self.open_question()
        words = [asked.approval if word == "ID" else word for word in shlex.split(line)[1:]]
        terminal = on_terminal(Program(self.folder), *words, **self.environment)
        self.typed.update(commands_of(line))
        terminal.until(f"type '{asked.typed}' to approve: ")
        terminal.type(f"{asked.typed}\n")
        return terminal.ended(), terminal.plain


# How a line is typed that is not just typed and waited for, by how it begins.
HOW: dict[str, Callable[[Typist, str], tuple[int, str]]] = {
    "kubectl": Typist._beside_a_root,
    "rekindle approve": Typist._at_a_terminal,
    "rekindle init": Typist._in_a_repository,
    "rekindle serve": Typist._until_it_is_seen,
    "rekindle watch --kubeconfig": Typist._for_a_while,
}
