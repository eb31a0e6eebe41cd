"""Scenarios are checked when they are loaded, and the package's are whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from phases.inventory import Inventory
from phases.section import Section
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
        "reboot-mid-sync",
    ]


def test_the_examples_are_the_packages_own() -> None:
    assert sorted(path.stem for path in EXAMPLES.glob("*.yaml")) == names()
    for path in EXAMPLES.glob("*.yaml"):
        assert path.resolve() == find_scenario(path.stem).resolve()


@pytest.mark.parametrize("name", names())
def test_a_scenarios_plan_is_a_section_that_a_plan_may_have(name: str) -> None:
    section = Section.model_validate(section_of(load_scenario(find_scenario(name))))

    assert section.inventory.pods == 104
    assert len(section.inventory.kustomizations) == 49
    assert len(section.inventory.helmreleases) == 31
    assert len(section.inventory.externalsecrets) == 22


def test_the_inventory_of_the_small_tree_is_one() -> None:
    section = section_of(load_scenario(SMALL))

    assert Inventory.model_validate(section["inventory"]).pods == 12


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
