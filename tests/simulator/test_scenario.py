"""Scenarios are checked when they are loaded, and the package's are whole."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from engine.errors import PlanInvalid
from engine.walks import OURS
from phases.inventory import Inventory
from phases.path import critical_path
from phases.section import Section
from rekindle.rehearsal import load
from rekindle.simulator.errors import ScenarioInvalid
from rekindle.simulator.inventory import section_of
from rekindle.simulator.scenario import check_commands, find_scenario, load_scenario, names
from tests.simulator.worlds import DATA

SMALL = DATA / "small-cold.yaml"
EXAMPLES = Path(__file__).parents[2] / "examples" / "rehearsals"


def test_the_package_has_its_scenarios() -> None:
    assert names() == [
        "cold-start",
        "dead-webhook",
        "healthy",
        "june-12",
        "node-lost",
        "quorum-lost",
        "reboot-mid-sync",
        "wipe",
    ]


def test_the_examples_are_the_packages_own() -> None:
    assert sorted(path.stem for path in EXAMPLES.glob("*.yaml")) == names()
    for path in EXAMPLES.glob("*.yaml"):
        assert path.resolve() == find_scenario(path.stem).resolve()


@pytest.mark.parametrize("name", names())
def test_a_scenarios_plan_is_a_section_that_a_plan_may_have(name: str) -> None:
    given = section_of(load_scenario(find_scenario(name)))
    given.pop("machine", None)  # beside the section, as in a plan file
    section = Section.model_validate(given)

    assert section.inventory.pods == 104
    assert len(section.inventory.kustomizations) == 49
    assert len(section.inventory.helmreleases) == 31
    assert len(section.inventory.externalsecrets) == 22


@pytest.mark.parametrize("name", names())
def test_nothing_in_a_scenario_waits_for_itself(name: str) -> None:
    """Or none of them had an ETA; the example's own inventory is the same. Mutant: no CRD is at hand."""
    given = section_of(load_scenario(find_scenario(name)))
    given.pop("machine", None)
    own = yaml.safe_load((EXAMPLES.parent / "anton" / "inventory.yaml").read_text("utf-8"))

    for inventory in (given["inventory"], own):
        section = Section.model_validate({**given, "inventory": inventory})
        needed = {need for item in section.inventory.kustomizations for need in item.needs}

        assert critical_path(section, {}, 0.0).circle == ()
        assert {"crd/gateways.gateway.networking.k8s.io", "crd/cephclusters.ceph.rook.io"} <= needed


def test_the_inventory_of_the_small_tree_is_one() -> None:
    section = section_of(load_scenario(SMALL))

    assert Inventory.model_validate(section["inventory"]).pods == 12


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"node.reset": {"nodes": ["k8s-9"]}}, "no node k8s-9"),
        ({"node.reset": {"nodes": []}}, "needs nodes"),
        ({"node.reset": {"nodes": ["k8s-1"], "scope": ["BOOT"]}}, "a scope of STATE and EPHEMERAL"),
        ({"node.reset": "all"}, "can be asked for"),
        ({"etcd.bootstrap": {"nodes": ["k8s-1"]}}, "can be asked for"),
    ],
)
def test_only_what_there_is_can_be_asked_of_a_rehearsal(
    request_: dict[str, object], said: str, tmp_path: Path
) -> None:
    raw = yaml.safe_load(find_scenario("wipe").read_text())
    raw["request"] = request_
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(raw))

    with pytest.raises(ScenarioInvalid) as error:
        load_scenario(path)
    assert said in error.value.message


def test_an_undeclared_command_is_an_error() -> None:
    with pytest.raises(ScenarioInvalid) as error:
        check_commands(load_scenario(SMALL), ["cni", "reset"])

    assert error.value.reference == "command-undeclared"
    assert "reset" in error.value.message


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("seed: 7", "sead: 7", "sead"),
        ("state: maintenance", "state: asleep", "asleep"),
        ("tree: small.yaml", "tree: nowhere.yaml", "nowhere.yaml"),
        ("kube-system/coredns, flux", "kube-system/nothing, flux", "kube-system/nothing"),
        ("rekindle.scenario/1", "rekindle.scenario/2", "rekindle.scenario/2"),
        ("2025-06-12T08:00:00Z", "2025-06-12T08:00:00", "time zone"),
        ("    cni: {argv: [helmfile, sync]}", "    reset: {argv: [x]}", "reset"),
    ],
)
def test_a_wrong_scenario_says_what_is_wrong(tmp_path: Path, old: str, new: str, text: str) -> None:
    source = SMALL.read_text("utf-8")
    assert old in source
    (tmp_path / "small.yaml").symlink_to(DATA / "small.yaml")
    path = tmp_path / "wrong.yaml"
    path.write_text(source.replace(old, new), "utf-8")

    with pytest.raises(ScenarioInvalid) as error:
        load_scenario(path)

    assert text in error.value.message


def test_a_name_that_is_no_scenario_is_answered_with_those_that_are() -> None:
    with pytest.raises(ScenarioInvalid) as error:
        find_scenario("june-13")

    assert "june-12" in error.value.hint


WRONG = """\
schema: rekindle.scenario/1
name: mine
description: d
cluster: small
tree: small.yaml
start: 2025-06-12T08:00:00Z
sead: 7
nodes:
  cp-1: {address: 192.0.2.11, state: asleep}
commands:
  cni: {duration: soon}
events:
- {at: 5, do: reboot, node: cp-1}
- {at: 6, do: dance}
plan: {}
plan: {}
"""


def scenario(folder: Path, text: str) -> Path:
    (folder / "small.yaml").symlink_to(DATA / "small.yaml")
    path = folder / "mine.yaml"
    path.write_text(text, "utf-8")
    return path


def test_all_that_is_wrong_is_told_at_once_each_at_its_line(tmp_path: Path) -> None:
    """Mutants: the first of several; a key of a mapping without its name; the file alone."""
    path = scenario(tmp_path, WRONG.replace("plan: {}\n", "", 1))

    with pytest.raises(ScenarioInvalid) as error:
        load_scenario(path)

    assert error.value.message.splitlines() == [
        f"{path}:1:1: title: is missing",
        f"{path}:7:1: sead: unknown key",
        f"{path}:9:31: nodes.cp-1.state: Invalid enum value 'asleep'",
        f"{path}:11:9: commands.cni.duration: Expected `float`, got `str`",
        f"{path}:14:11: events[1].do: Invalid enum value 'dance'",
    ]


def test_a_key_that_stands_twice_is_an_error_as_in_a_plan_file(tmp_path: Path) -> None:
    """Mutant: a reader that takes the last one."""
    path = scenario(tmp_path, WRONG)

    with pytest.raises(ScenarioInvalid) as error:
        load_scenario(path)

    assert error.value.message == f"{path}:16:1: plan: this key stands at line 15 already"


def test_what_does_not_fit_together_is_told_at_its_line_too(tmp_path: Path) -> None:
    text = SMALL.read_text("utf-8").replace("kube-system/coredns, flux", "kube-system/none, flux")
    path = scenario(tmp_path, text.replace("2025-06-12T08:00:00Z", "2025-06-12T08:00:00"))
    lines = path.read_text().splitlines()
    brings = next(number for number, line in enumerate(lines, 1) if "kube-system/none" in line)
    start = next(number for number, line in enumerate(lines, 1) if line.startswith("start:"))

    with pytest.raises(ScenarioInvalid) as error:
        load_scenario(path)

    said = error.value.message.splitlines()
    assert [line.split(":")[1] for line in said] == sorted([str(start), str(brings)], key=int)
    assert any("commands.cni.helmreleases[" in line for line in said)


@pytest.mark.parametrize("key", ["on", '"on"'])
def test_a_scenario_s_plan_is_read_as_a_plan_file_is(key: str, tmp_path: Path) -> None:
    """YAML 1.1 takes an unquoted ``on`` for True. Mutant: PyYAML's own reader."""
    text = SMALL.read_text("utf-8")
    assert text.count("\nplan:\n") == 1
    policy = f"  machine: {{verbs: {{command.run: {{retry: {{{key}: [exit-1]}}}}}}}}\n"
    path = scenario(tmp_path, text.replace("\nplan:\n", f"\nplan:\n{policy}"))

    _, _, plan = load(str(path))

    assert plan.verbs["command.run"].retry.on == ("exit-1",)


@pytest.mark.parametrize("part", ["commands", "crds", "flux", "machine", "probes"])
@pytest.mark.parametrize("written", ["", "5", "[{}]"])
def test_what_is_looked_into_before_a_plan_is_checked_is_a_mapping(
    tmp_path: Path, part: str, written: str
) -> None:
    """Mutant: take any of them as it stands; a list of mappings has no names, and nothing has no ``get``."""
    text = SMALL.read_text("utf-8").partition("\nplan:\n")[0]
    path = scenario(tmp_path, f"{text}\nplan:\n  {part}: {written}\n")
    line = len(path.read_text().splitlines())

    with pytest.raises(ScenarioInvalid) as error:
        load_scenario(path)

    assert f"{path}:{line}:3: plan.{part}: must be a mapping" in error.value.message.splitlines()


def test_what_is_wrong_with_a_scenario_s_plan_is_told_at_its_line(tmp_path: Path) -> None:
    """Mutants: the machine only after the rest; no marks; another file's name."""
    text = SMALL.read_text("utf-8")
    policy = "  nothing: 1\n  machine:\n    verbs:\n      no.verb: {deadline: 3s}\n"
    policy += f"    states: {{cni-up: {{{OURS}: {{}}}}}}\n"
    path = scenario(tmp_path, text.replace("\nplan:\n", f"\nplan:\n{policy}"))
    first = path.read_text().splitlines().index("plan:") + 2

    with pytest.raises(PlanInvalid) as error:
        load(str(path))

    assert error.value.message.splitlines() == [
        f"{path}:{first}:3: plan.nothing: unknown key",
        f"{path}:{first + 3}:7: plan.machine.verbs.no.verb: no verb 'no.verb'",
        *error.value.message.splitlines()[2:],
    ]
    assert f"{path}:{first + 4}:23: plan.machine.states.cni-up.{OURS}: is written by the" in (
        error.value.message
    )
