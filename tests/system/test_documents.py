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
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from rekindle.folding import newest
from tests.docs.shown import blocks, documents, words_of
from tests.system.conftest import ANTON, Operator

pytestmark = [pytest.mark.system, pytest.mark.timeout(1200)]
NEEDS = ("needs a real cluster", "needs a Git tree and a real cluster")
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
}


def lines() -> list[str]:
    """Every line of the documents that needs a real cluster, once, in the order of the documents."""
    found: dict[str, None] = {}
    for path in documents():
        for block in blocks(path):
            if block.kept.startswith(NEEDS):
                for line in block.lines:
                    found.update((shlex.join(words), None) for words in words_of(line) if words)
    return list(found)


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


def typed(operator: Operator, folder: Path, line: str) -> tuple[int, str]:
    """Type a line in that folder; the journals are where they are by default."""
    environment = {
        **operator.environment,
        "KUBECONFIG": str(folder / "FILE"),
        "XDG_STATE_HOME": str(folder / "state"),
    }
    environment.pop("REKINDLE_JOURNAL", None)
    words = [word.replace("RUN", run_of(folder)) for word in shlex.split(line)]
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return done.returncode, (done.stdout + done.stderr)[-3000:]


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
        if code not in ANSWERS.get(line, {0}) or "Traceback" in said:
            wrong[line] = (code, said)

    assert not wrong, "\n".join(f"{line}: {code}\n{said}" for line, (code, said) in wrong.items())
    assert os.listdir(folder / "state" / "rekindle")  # noqa: PTH208  the program's own folder
