"""
The example with states of its own, as its users have it: rehearsed, killed, resumed, replayed; its files and its phase.

Mutants, each tried: take ``demanded`` out of the resuming; leave the journaled version as it was; the snapshot's probes
do not pass the rehearsal's socket; a key of the example's plan that the schema does not know.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from rekindle.schemas import schema_of, text_of
from tests.cli.conftest import SECONDS, Program

pytestmark = pytest.mark.program

ROOT = Path(__file__).parents[2]
OWN = ROOT / "examples" / "own-states"
REHEARSAL = str(OWN / "rehearsal.yaml")
EXAMPLES = sorted(p for p in (ROOT / "examples").rglob("*.yaml") if "$schema=" in p.read_text())
NOBODY = "import importlib.metadata as m\nm.entry_points = lambda **_: ()\n"
LATER = """
import importlib.metadata as m
usual = m.entry_points
class Later:
    name, version = "rekindle-node-settled", "2.0.0"
m.entry_points = lambda **group: tuple(point._for(Later()) for point in usual(**group))
"""


def loaded(path: Path) -> Any:  # noqa: ANN401  YAML
    # The base loader's strings would not do; dates are text to JSON.
    return json.loads(json.dumps(yaml.safe_load(path.read_text()), default=str))


# --- the rehearsal -------------------------------------------------------------------------------


def test_it_arrives_with_one_node_away_at_a_time(rekindle: Program) -> None:
    answer = rekindle("rehearse", REHEARSAL, "--journal", "j.db", "--json")

    assert (answer.code, answer.document["outcome"]) == (0, "done"), answer.err
    assert answer.document["counters"]["most_cordoned"] == 1
    assert answer.document["counters"]["commands_run"] == 12
    replayed = rekindle("replay", "j.db", "--json")
    assert (replayed.code, replayed.document["phases"]) == (0, []), replayed.out


@pytest.mark.parametrize("seed", range(4))
def test_it_arrives_killed_at_random_moments(rekindle: Program, seed: int) -> None:
    chance = random.Random(seed)
    journal = rekindle.folder / "j.db"
    for _ in range(3):
        words = ("resume",) if journal.exists() else ("rehearse", REHEARSAL)
        process = rekindle.start(*words, "--journal", str(journal), "--json")
        try:
            process.communicate(timeout=chance.uniform(0.2, 1.5))
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.communicate()
    words = ("resume",) if journal.exists() else ("rehearse", REHEARSAL)

    answer = rekindle(*words, "--journal", str(journal), "--json")

    assert (answer.code, answer.document["outcome"]) == (0, "done"), answer.err
    counters = answer.document["counters"]
    assert (counters["most_cordoned"], counters["commands_at_once"]) == (1, 1)
    assert rekindle("log", "--verify", "--journal", str(journal)).code == 0


def killed(rekindle: Program) -> str:
    """A rehearsal that died while its first command ran; its journal."""
    journal = rekindle.folder / "j.db"
    process = rekindle.until_entry(journal, "action.intended", REHEARSAL, speed=20)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    return str(journal)


def test_a_run_is_not_resumed_without_its_phase_and_says_which(rekindle: Program) -> None:
    journal = killed(rekindle)

    answer = rekindle("resume", "--journal", journal, code=NOBODY)

    assert (answer.code, "error (phase-missing)" in answer.err) == (78, True), answer.err
    assert "'node-settled' of rekindle-node-settled 1.0.0" in answer.err
    assert "run.resumed" not in rekindle("log", "--journal", journal, "--json", "--all").out
    assert rekindle("resume", "--journal", journal, "--json").document["outcome"] == "done"


def test_a_replay_without_the_phase_says_so_and_a_log_does_not_need_it(rekindle: Program) -> None:
    journal = killed(rekindle)

    answer = rekindle("replay", journal, code=NOBODY)

    assert (answer.code, "error (phase-missing)" in answer.err) == (78, True), answer.err
    assert rekindle("log", "--journal", journal, code=NOBODY).code == 0


def test_another_version_of_a_phase_is_said_and_written_down(rekindle: Program) -> None:
    journal = killed(rekindle)

    answer = rekindle("resume", "--journal", journal, "--json", code=LATER)

    assert answer.document["outcome"] == "done", answer.err
    assert "is of rekindle-node-settled 2.0.0 now" in answer.err
    changed = rekindle("log", "--journal", journal, "--json", "--all").out
    assert '"plan.changed"' in changed
    replayed = rekindle("replay", journal, "--json")
    assert len(replayed.document["phases"]) == 1
    assert "was of rekindle-node-settled 2.0.0 then" in replayed.document["phases"][0]


# --- the files -----------------------------------------------------------------------------------


def test_the_rehearsal_is_of_the_plan_beside_it() -> None:
    plan, scenario = loaded(OWN / "recovery.yaml"), loaded(OWN / "rehearsal.yaml")

    for part in ("machine", "commands", "probes", "cni"):
        assert scenario["plan"][part] == plan[part]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: str(p.relative_to(ROOT / "examples")))
def test_an_example_names_a_schema_that_is_there_and_follows_it(path: Path) -> None:
    named = path.read_text().splitlines()[0].partition("$schema=")[2]
    schema = json.loads((path.parent / named).read_text())

    jsonschema.validate(loaded(path), schema, jsonschema.Draft202012Validator)


def test_every_file_of_ours_among_the_examples_names_its_schema() -> None:
    ours = [
        *(ROOT / "examples").glob("*/recovery.yaml"),
        *(ROOT / "examples").glob("*/inventory.yaml"),
    ]
    ours += [*(ROOT / "examples" / "rehearsals").glob("*.yaml"), OWN / "rehearsal.yaml"]

    assert len(ours) >= 12
    assert set(ours) <= set(EXAMPLES)


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"machine": {"states": {"cni-up": {"deadline": {"after": "soon"}}}}}, "soon"),
        ({"machine": {"states": {"cni-up": {"patience": "5m"}}}}, "patience"),
        ({"machine": {"states": {"walk": {"over": "nodes"}}}}, "steps"),
        ({"probes": {"p": {"argv": ["true"]}}}, "not_yet"),
        ({"comands": {}}, "comands"),
    ],
)
def test_the_schema_refuses_what_the_loader_refuses(wrong: dict[str, Any], where: str) -> None:
    plan = {**loaded(ROOT / "examples" / "minimal" / "recovery.yaml"), **wrong}

    with pytest.raises(jsonschema.ValidationError, match=where):
        jsonschema.validate(plan, schema_of("recovery"))


@pytest.mark.parametrize("kind", ["recovery", "inventory", "scenario"])
def test_a_schema_is_one_and_is_printed(rekindle: Program, kind: str) -> None:
    printed = json.loads(rekindle("schema", kind).out)

    jsonschema.Draft202012Validator.check_schema(printed)
    assert printed == json.loads(text_of(kind))


def test_a_machine_is_drawn_as_it_is_pursued(rekindle: Program) -> None:
    drawn = rekindle("graph", "--scenario", REHEARSAL)
    told = rekindle("graph", "--scenario", REHEARSAL, "--json").document

    assert drawn.out.strip() == told["mermaid"]
    assert "uncordon-k8s-1 --> cordon-k8s-2: goal holds" in drawn.out
    settle = next(state for state in told["states"] if state["state"] == "settle-k8s-2")
    assert settle["from"]["distribution"] == "rekindle-node-settled"
    assert (settle["item"], settle["phase"]) == ("k8s-2", "node-settled")
    assert rekindle("graph", "recovery.yaml", "--scenario", REHEARSAL).code == 64


KUBECTL = """#!/bin/sh
case "$*" in
*osImage*) printf 'Talos (v1.11.5)' ;;
*ownerReferences*) printf '%b' "$OWNERS" ;;
*) test "$CORDONED" != refused || { echo 'connection refused' >&2; exit 1; }; printf '%s' "$CORDONED" ;;
esac
"""


@pytest.mark.parametrize(
    ("words", "environment", "code"),
    [
        ("cordoned k8s-1", {"CORDONED": "true"}, 0),
        ("cordoned k8s-1", {"CORDONED": ""}, 3),
        ("cordoned k8s-1", {"CORDONED": "refused"}, 1),
        ("schedulable k8s-1", {"CORDONED": ""}, 0),
        ("schedulable k8s-1", {"CORDONED": "true"}, 3),
        ("schedulable k8s-1", {"CORDONED": "refused"}, 1),
        ("drained k8s-1", {"OWNERS": "DaemonSet\\nNode\\n"}, 0),
        ("drained k8s-1", {"OWNERS": "DaemonSet\\nReplicaSet\\n"}, 3),
        ("version k8s-1 v1.11.5", {}, 0),
        ("version k8s-1 v1.12.0", {}, 3),
        ("else k8s-1", {}, 64),
    ],
)
def test_the_example_s_probe_says_no_with_a_code_of_its_own(
    tmp_path: Path, words: str, environment: dict[str, str], code: int
) -> None:
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(KUBECTL)
    kubectl.chmod(kubectl.stat().st_mode | stat.S_IXUSR)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}

    ended = subprocess.run(
        [str(OWN / "bin" / "node"), *words.split()],
        env={**os.environ, **path, **environment},
        capture_output=True,
        check=False,
    )

    assert ended.returncode == code


# --- the phase, installed ------------------------------------------------------------------------


def test_a_wheel_of_a_phase_is_found_by_its_entry_point(rekindle: Program, tmp_path: Path) -> None:
    """A copy under another name: the one that the checkout's environment has would be found anyway."""
    copy = tmp_path / "phase"
    shutil.copytree(OWN / "phase", copy)
    project = copy / "pyproject.toml"
    for old, new in (("rekindle-node-settled", "rekindle-copy"), ("node-settled =", "copied =")):
        text = project.read_text()
        assert old in text
        project.write_text(text.replace(old, new))
    module = "rekindle_copy_settled"
    (copy / "rekindle_node_settled.py").rename(copy / f"{module}.py")
    project.write_text(project.read_text().replace("rekindle_node_settled", module))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    site = tmp_path / "site"
    built = [*pip, "--no-build-isolation", "--target", str(site), str(copy)]
    subprocess.run(built, check=True, timeout=SECONDS)
    scenario = loaded(OWN / "rehearsal.yaml")
    scenario["plan"]["machine"]["states"]["nodes"]["steps"]["settle"]["phase"] = "copied"
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(scenario))

    process = rekindle.afresh(
        "graph", "--scenario", "mine.yaml", "--json", env={"PYTHONPATH": str(site)}
    )
    out, err = process.communicate(timeout=SECONDS)

    assert process.returncode == 0, err
    found = {state["phase"]: state["from"] for state in json.loads(out)["states"] if state["from"]}
    assert found == {"copied": {"distribution": "rekindle-copy", "version": "1.0.0", "phase": "1"}}
