"""What is compiled from anton's tree is what the tree says; rendered by the real kustomize."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.system.conftest import ANTON
from tests.testbed import build

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


def test_the_inventory_and_the_simulators_tree_are_current() -> None:
    environment = {**os.environ, "PATH": f"{build.ensure()}{os.pathsep}{os.environ['PATH']}"}

    ended = subprocess.run(
        [sys.executable, str(ANTON / "compile.py"), "--check"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
