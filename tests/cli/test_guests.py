"""
Phases of other distributions: found, named, held to their contract, and missed by name.

Mutants, each tried: a built-in name is not refused; a guest may wish a bootstrap; what it raises passes through; the
journal does not name its version; a resumed run does not ask whether it is there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.errors import EnvironmentWrong, PlanInvalid, Problem
from engine.memory import Memory
from engine.plan import Plan, load, of_parts
from engine.yamlfile import Marks, YamlFile
from phases import recipe as domain
from rekindle.recipes import welcoming
from tests.cli.guests import GOOD, offered
from tests.phases.making import SECTION

GOAL = {"phase": "moon", "deadline": {"after": 600}, "next": "done"}
MACHINE: dict[str, Any] = {"initial": "watch", "states": {"watch": GOAL}}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    monkeypatch.syspath_prepend(str(folder))
    return folder


def plan_of(points: Any) -> Plan:  # noqa: ANN401  entry points
    return of_parts("home", MACHINE, SECTION, welcoming(domain.recipe(), points))


def refused(points: Any, machine: str) -> list[str]:  # noqa: ANN401  entry points
    def finish(section: dict[str, Any], marks: Marks, problems: list[Problem]) -> dict[str, Any]:
        del marks, problems
        return section

    ours = welcoming(domain.recipe(), points)
    with pytest.raises(PlanInvalid) as caught:
        load(YamlFile("p.yaml", f"cluster: a\n{machine}"), ours, lambda _: YamlFile("", ""), finish)
    return [str(problem) for problem in caught.value.problems]


WATCH = """machine:
  initial: watch
  states:
    watch:
      phase: moon
      next: done
      deadline: {after: 1m}
"""


def test_a_guest_s_distribution_is_in_the_compiled_plan(site: Path) -> None:
    plan = plan_of(offered(site, "moon"))

    told = {"distribution": "rekindle-moon", "version": "1.2.3", "phase": "1"}
    assert plan.compiled()["phases"] == {"moon": told}


@pytest.mark.parametrize("name", ["cni-up", "command-until"])
def test_a_built_in_name_is_refused_wherever_a_plan_is_loaded(site: Path, name: str) -> None:
    found = refused(offered(site, name), "machine: {}\n")

    said = f"p.yaml:2:1: machine: rekindle-moon 1.2.3 offers a phase '{name}', which is built in"
    assert [line for line in found if line.startswith(said)], found


def test_two_of_one_name_are_refused(site: Path) -> None:
    offered(site, "moon")
    found = refused(offered(site, "moon", name="rekindle-sun"), WATCH)

    said = "rekindle-moon 1.2.3 and rekindle-sun 1.2.3 both offer a phase 'moon'"
    assert [line for line in found if said in line], found


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("VERSION = '1'\n", "has no check, guard, decide"),
        (GOOD.replace("VERSION", "version"), "has no VERSION"),
    ],
)
def test_one_that_cannot_be_used_is_an_error_of_the_plan_at_its_line(
    site: Path, source: str, said: str
) -> None:
    found = refused(offered(site, "moon", source=source), WATCH)

    begin = "p.yaml:6:7: machine.states.watch.phase: the phase 'moon' of rekindle-moon 1.2.3 cannot be used: "
    assert [line for line in found if line.startswith(begin) and said in line], found


def test_what_its_check_raises_is_an_error_of_the_plan(site: Path) -> None:
    source = GOOD.replace("return []", "raise KeyError('a password')")
    with pytest.raises(PlanInvalid) as caught:
        plan_of(offered(site, "moon", source=source))

    assert "of rekindle-moon 1.2.3 failed: KeyError at " in str(caught.value)
    assert "password" not in str(caught.value)


JUDGEMENT = 'Judgement(Verdict.BROKEN, "never", 0, 1)'
WISH = 'Wait("for ever")'


def asked(plan: Plan) -> None:
    """Ask the guest what it makes of the state."""
    plan.own["moon"].guard(plan, "watch", {})
    plan.own["moon"].decide(plan, "watch", {}, {}, Memory())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (JUDGEMENT, "state['a password']", "TypeError at "),
        (JUDGEMENT, "(1, 2)", "answered tuple"),
        (WISH, "1 / 0", "ZeroDivisionError at "),
        (WISH, "'wait'", "it answered str"),
        ("{state: ", "{7: ", "for 7"),
        (WISH, 'Act("etcd.bootstrap", "node/cp-1")', "which is done once"),
        (WISH, 'Act("finalizer.release", "holder/x")', "which is done once"),
        (WISH, 'Act("moon.land", "moon")', "there is no such verb"),
    ],
)
def test_one_that_breaks_its_contract_is_named_and_begins_nothing(
    site: Path, old: str, new: str, said: str
) -> None:
    assert old in GOOD
    plan = plan_of(offered(site, "moon", source=GOOD.replace(old, new)))

    with pytest.raises(EnvironmentWrong) as caught:
        asked(plan)

    assert caught.value.reference == "phase-failed"
    assert "'moon' of rekindle-moon 1.2.3 failed in the state watch" in caught.value.message
    assert said in caught.value.message
    assert "password" not in caught.value.message


def test_what_can_be_repeated_may_be_wished(site: Path) -> None:
    source = GOOD.replace('Wait("for ever")', 'Act("command.run", "command/bootstrap")')
    plan = plan_of(offered(site, "moon", source=source))

    assert plan.own["moon"].decide(plan, "watch", {}, {}, Memory())
