"""
Promise: what the documents show for another machine, or for the package index, works as it is typed.

A wheel of this checkout is installed by pipx, with what it needs from the index; ssh goes to a server on loopback
(``laptop``). Mutants: leave a test out; the extra ``web`` without waitress; a phase's project file without its entry
point; a ``serve`` that takes no other port's Host.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.docs.kept import AWAY, ELSEWHERE, INDEX, PIPX, commands, commands_of, shown
from tests.docs.shown import ROOT
from tests.system.laptop import laptop
from tests.system.typist import free_port

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]
SECONDS = 600
PLAIN, WEB = "pipx install kubectl-rekindle", "pipx install 'kubectl-rekindle[web]'"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


@dataclass
class Home:
    """Somebody's own: where pipx puts what it installs, and the wheel that the index would have."""

    folder: Path
    typed: set[str] = field(default_factory=set)

    @property
    def environment(self) -> dict[str, str]:
        path = os.pathsep.join([str(self.folder / "bin"), os.environ["PATH"]])
        return {
            **{name: os.environ[name] for name in os.environ if not name.startswith("PYTHON")},
            "PATH": path,
            "PIPX_HOME": str(self.folder / "pipx"),
            "PIPX_BIN_DIR": str(self.folder / "bin"),
            "PIPX_MAN_DIR": str(self.folder / "man"),
            "PIP_FIND_LINKS": str(self.folder / "dist"),
            "XDG_STATE_HOME": str(self.folder / "state"),
        }

    def type(self, line: str, *, where: Path | None = None) -> str:
        """Type a line, and return what it said; pipx is the one of these tests."""
        words = shlex.split(line)
        argv = [sys.executable, "-m", *words] if words[0] == "pipx" else words
        ended = subprocess.run(
            argv,
            cwd=where or self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert ended.returncode == 0, f"{line}: {ended.returncode}\n{ended.stdout}"
        self.typed.update(commands_of(line))
        return ended.stdout

    def forget(self) -> None:
        """Be somebody who has installed nothing yet."""
        self.type("pipx uninstall kubectl-rekindle")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("home")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(build, check=True, cwd=ROOT, capture_output=True)
    (folder / "bin").mkdir()
    return Home(folder)


def test_pipx_installs_the_program_and_what_kubectl_finds(home: Home) -> None:
    assert set(commands(INDEX)) == {PLAIN, shlex.join(shlex.split(WEB))}
    home.type(PLAIN)

    assert VERSION in home.type(f"{home.folder}/bin/rekindle --version")
    assert VERSION in home.type(f"{home.folder}/bin/kubectl-rekindle --version")
    home.type(f"{home.folder}/bin/rekindle rehearse node-lost --journal plain.db")


def test_pipx_injects_a_phase_of_another_distribution(home: Home) -> None:
    line = shown(PIPX)
    scenario = ROOT / "examples" / "own-states" / "rehearsal.yaml"
    graph = f"{home.folder}/bin/rekindle graph --scenario {scenario} --json"
    refused = subprocess.run(
        shlex.split(graph), env=home.environment, capture_output=True, text=True, check=False
    )
    assert (refused.returncode, "node-settled" in refused.stderr) == (64, True), refused.stderr

    home.type(line, where=ROOT)

    assert "rekindle-node-settled" in home.type(graph)


@contextmanager
def served(home: Home, port: int) -> Iterator[subprocess.Popen[str]]:
    """The web view of what pipx installed, at that port."""
    words = ["serve", "--journal", "night.db", "--port", str(port), "--token-file", "token"]
    begun = subprocess.Popen(
        [f"{home.folder}/bin/rekindle", *words],
        cwd=home.folder,
        env=home.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert begun.stdout is not None
    try:
        said = ""
        while "Ctrl-C" not in said and (more := begun.stdout.readline()):
            said += more
        assert "Ctrl-C" in said, said
        yield begun
    finally:
        begun.send_signal(signal.SIGINT)
        begun.communicate(timeout=60)


def test_a_web_view_of_another_machine_is_looked_at_through_a_tunnel(home: Home) -> None:
    """The port is the document's on that machine; on this one it is any that is free."""
    home.forget()
    home.type(WEB)
    home.type(f"{home.folder}/bin/rekindle rehearse node-lost --journal night.db")
    (line,), theirs, ours = commands(AWAY), int(free_port()), free_port()
    ssh, option, forward, name = shlex.split(line)
    port = int(forward.rsplit(":", 1)[1])
    argv = [ssh, option, forward.replace(f"{port}:", f"{ours}:", 1), name]

    with served(home, theirs), laptop(home.folder, name, {port: theirs}) as config:
        argv[1:1] = ["-v", "-F", str(config)]
        begun = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            page = opened(begun, f"http://localhost:{ours}/", (home.folder / "token").read_text())
        finally:
            _, said = begun.communicate(timeout=60)
        assert begun.returncode == 0, said
        home.typed.update(commands_of(line))

    assert str(home.folder / "night.db") in page


def opened(tunnel: subprocess.Popen[str], address: str, token: str) -> str:
    """Wait for the tunnel, and read the page at its near end, as a browser that keeps cookies does."""
    assert tunnel.stderr is not None
    while line := tunnel.stderr.readline():
        if "Entering interactive session" in line:
            break
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with opener.open(f"{address}?token={token.strip()}", timeout=60) as page:
        return str(page.read().decode())


def test_no_line_was_left_out(home: Home) -> None:
    """The last of this module, and about all of it."""
    assert set(commands(*ELSEWHERE)) - home.typed == set()
