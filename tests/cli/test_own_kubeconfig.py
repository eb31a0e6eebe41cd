"""
Promise: the kubeconfig that rekindle replaces as a whole is never one of the operator's own.

Mutant: return from ``_own`` before it looks.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Program

EXAMPLE = Path(__file__).parents[2] / "examples" / "minimal"


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ("kubeconfig", 0),
        ("ours/kubeconfig", 0),
        ("theirs", 64),
        ("second", 64),
        ("~/.kube/config", 64),
    ],
)
def test_a_plan_may_not_name_a_kubeconfig_of_yours(
    rekindle: Program, tmp_path: Path, named: str, code: int
) -> None:
    folder = tmp_path / "minimal"
    shutil.copytree(EXAMPLE, folder)
    for made in ("talosconfig", "node-1.yaml"):
        (folder / made).touch()
    plan = yaml.safe_load((folder / "recovery.yaml").read_text())
    plan["kubernetes"]["kubeconfig"] = named
    (folder / "recovery.yaml").write_text(yaml.safe_dump(plan))
    env = {"KUBECONFIG": f"{folder / 'theirs'}:{folder / 'second'}"}

    answer = rekindle("plan", "--check", str(folder / "recovery.yaml"), env=env)

    assert answer.code == code, answer.err
    assert ("this is your own kubeconfig" in answer.err) == bool(code)
