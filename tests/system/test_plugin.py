"""
Promise: ``kubectl rekindle`` works, and kubectl's own completion completes it.

The real kubectl, no cluster. Mutants: another name of either script; an answer that is not in kubectl's form.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.testbed import build

pytestmark = [pytest.mark.system, pytest.mark.timeout(1800)]
SCRIPTS = Path(sys.executable).parent
SECONDS = 60
Kubectl = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    program = build.ensure() / "kubectl"
    home = tmp_path_factory.mktemp("home")
    env = {**os.environ, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}", "HOME": str(home)}
    env.pop("KUBECONFIG", None)

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *words], env=env, capture_output=True, text=True, check=False, timeout=SECONDS
        )

    return call


def test_it_is_found_as_a_plugin(kubectl: Kubectl) -> None:
    assert str(SCRIPTS / "kubectl-rekindle") in kubectl("plugin", "list").stdout


def test_it_runs_with_its_own_exit_codes(kubectl: Kubectl) -> None:
    assert kubectl("rekindle", "explain", "lease-held").returncode == 0

    wrong = kubectl("rekindle", "explain", "no-such")
    assert wrong.returncode == 64
    assert "error (reference-unknown)" in wrong.stderr


def test_it_is_called_in_its_help_what_was_typed(kubectl: Kubectl) -> None:
    assert kubectl("rekindle", "status", "--help").stdout.startswith("Usage: kubectl rekindle ")


def test_kubectl_completes_it(kubectl: Kubectl) -> None:
    answer = kubectl("__complete", "rekindle", "explain", "lease-h").stdout.splitlines()

    assert answer[0].startswith("lease-held\t")
    assert answer[-1] == ":4"
