"""
``plan`` shows what would be asked under what asks it, with the id that the run will ask by.

Mutants: leave the id out of ``_question``; list what an action asks beside the action once more.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Program, alone

pytestmark = pytest.mark.program


def test_a_yes_can_be_prepared_from_the_plan(rekindle: Program, tmp_path: Path) -> None:
    foreseen = rekindle("plan", "--scenario", "june-12", "--json").document
    asked = [ask for state in foreseen["states"] for ask in state.get("approvals", ())]
    options = [word for ask in asked for word in ("--approve", ask["id"])]

    answer = rekindle("rehearse", str(alone("june-12", tmp_path)), "--json", *options)

    assert len(asked) == 3
    assert (answer.code, answer.document["outcome"]) == (0, "done"), answer.err


def test_each_question_stands_under_its_action(rekindle: Program) -> None:
    out = rekindle("plan", "--scenario", "june-12").out
    document = rekindle("plan", "--scenario", "june-12", "--json").document

    blocks = re.findall(
        r"would do    finalizer\.release CephBlockPool storage/(\w+) .*\n"
        r"    asks first  ([0-9a-f]{8})  take .*\n"
        r"                .+\n"
        r"                to type: storage/(\w+); --approve ([0-9a-f]{8}) says yes beforehand\n",
        out,
    )
    assert sorted(name for name, *_ in blocks) == ["database", "replicapool", "scratch"]
    assert all(name == typed and one == two for name, one, typed, two in blocks)
    assert "would ask" not in out
    (state,) = [s for s in document["states"] if s.get("approvals")]
    linked = [act["approval"] for act in state["actions"] if act["approval"]]
    assert linked == [ask["id"] for ask in state["approvals"]]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--scenario", "june-12", "--check"], "--check does not go with it"),
        (["--scenario", "june-12", "mine.yaml"], "mine.yaml does not go with it"),
    ],
)
def test_a_scenario_has_a_plan_of_its_own(rekindle: Program, words: list[str], said: str) -> None:
    answer = rekindle("plan", *words)

    assert (answer.code, said in answer.err, answer.out) == (64, True, "")


def _minimal(folder: Path, talosctl: str) -> Path:
    """The smallest plan, with a talosctl of ours and files that its operator would have."""
    import shutil

    import yaml

    shutil.copytree(Path(__file__).parents[2] / "examples" / "minimal", folder / "minimal")
    path = folder / "minimal" / "recovery.yaml"
    plan = yaml.safe_load(path.read_text())
    plan["talos"]["talosctl"] = talosctl
    path.write_text(yaml.safe_dump(plan))
    for made in ("talosconfig", "node-1.yaml"):
        (folder / "minimal" / made).touch()
    return path


def test_a_checked_plan_is_a_document_too(rekindle: Program, tmp_path: Path) -> None:
    path = str(_minimal(tmp_path, "talosctl"))

    document = json.loads(rekindle("plan", "--check", "--json", path).out)

    assert document["schema"] == "rekindle.check/1"
    assert (document["file"], document["cluster"], document["nodes"]) == (path, "minimal", 1)


def test_a_plan_from_nothing_is_none(rekindle: Program, tmp_path: Path) -> None:
    path = str(_minimal(tmp_path, "/bin/false"))
    code = "import rekindle.foresight as f; f.LOOK_SECONDS = 1.0"

    answer = rekindle("plan", path, "--json", code=code)

    assert answer.code == 3, answer.err
    assert answer.err.startswith("looking at minimal, for 1 s if something does not answer")
    assert answer.document["states"][0]["goal"] == "unknown"
