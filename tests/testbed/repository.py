"""
The Git repository that Flux reads: a copy of a tree, which tests may change.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.testbed import settings
from tests.testbed.waiting import until

if TYPE_CHECKING:
    from tests.testbed.processes import Processes

START_SECONDS = 10.0
AUTHOR = ("-c", "user.name=testbed", "-c", "user.email=testbed@localhost")


class Repository:
    """
    A bare repository that is served, and a work tree beside it.
    """

    def __init__(self, folder: Path) -> None:
        self._served = folder / "served"
        self._work = folder / "work"

    def create(self, tree: Path) -> None:
        """
        A first commit with all of the tree.
        """
        bare = self._served / "fleet.git"
        bare.mkdir(parents=True)
        ignored = shutil.ignore_patterns(".git", "__pycache__")
        shutil.copytree(tree, self._work, ignore=ignored, symlinks=True)
        self._git("init", "--quiet", "--bare", "--initial-branch=main", str(bare))
        self._git("init", "--quiet", "--initial-branch=main")
        self._git("remote", "add", "origin", str(bare))
        self._push("the tree")

    def commit(self, files: dict[str, str | None], message: str) -> str:
        """
        Write these files (None: remove), commit, push; the commit's name.
        """
        for name, content in files.items():
            path = self._work / name
            if content is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content)
        return self._push(message)

    def read(self, name: str) -> str:
        """
        A file as it was last committed.
        """
        return (self._work / name).read_text()

    def serve(self, processes: Processes) -> None:
        """
        Start the server.
        """
        script = Path(__file__).with_name("git_server.py")
        processes.start("git", [sys.executable, script, str(settings.GIT_PORT), str(self._served)])
        until("the Git server listens", _listening, START_SECONDS)

    def _push(self, message: str) -> str:
        self._git("add", "--all", "--force")
        self._git(*AUTHOR, "commit", "--quiet", "--allow-empty", "--message", message)
        self._git("push", "--quiet", "origin", "main")
        return self._git("rev-parse", "HEAD").strip()

    def _git(self, *arguments: str) -> str:
        program = shutil.which("git") or "git"
        completed = subprocess.run(
            [program, *arguments], cwd=self._work, capture_output=True, text=True, check=False
        )
        if completed.returncode:
            raise RuntimeError(f"git {' '.join(arguments)}: {completed.stderr}")
        return completed.stdout


def _listening() -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", settings.GIT_PORT)) == 0
