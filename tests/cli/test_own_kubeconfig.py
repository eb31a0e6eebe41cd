"""
Promise: the kubeconfig that rekindle replaces as a whole is never one of the operator's own.
Which of those is looked through is what kubectl would take.

Mutant: return from ``_own`` before it looks.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from rekindle.cli.options import default_kubeconfig
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


@pytest.mark.parametrize(
    ("there", "taken"), [(("second",), "second"), (("first", "second"), "first"), ((), "first")]
)
def test_yours_is_the_first_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...], taken: str
) -> None:
    """As kubectl passes over what is missing. Mutants: take the first name; take none where none is there."""
    for name in there:
        (tmp_path / name).touch()
    monkeypatch.setenv("KUBECONFIG", f":{tmp_path / 'first'}:{tmp_path / 'second'}")

    assert default_kubeconfig() == tmp_path / taken


def test_without_any_it_is_the_one_of_your_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", ":")
    monkeypatch.setenv("HOME", str(tmp_path))

    assert default_kubeconfig() == tmp_path / ".kube" / "config"
