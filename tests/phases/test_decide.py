"""
Every phase's decisions, as tables: facts in, answers out.

A case is a file ``data/PHASE/CASE.yaml``; a new one needs no Python. *facts*: a code, or a fact; Talos nodes get a
machine UUID and a boot id by their name. *findings*: what diagnosis found (*found*: how many seconds after the start,
where that counts). *unlisted*: kinds that cannot be listed. *attempts*: what was tried, with instants after the start.
*now*: seconds after the start. *given*: subjects whose question a person has said yes to. *section*: laid over the
plan's section, *machine* over its machine. *verdict*: what the guard says. *answers*: exactly these subjects (one that
is Done has no line); of each answer, what is named here: texts as a part, the rest exactly.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from engine.answer import Ask, Done
from engine.judging import spelled
from journal.entries import Finding
from phases.recipe import STATES
from tests.phases.making import START, facts, given, memory_of, plan

DATA = Path(__file__).parent / "data"
CASES = sorted(path for name in STATES for path in (DATA / name.replace("-", "_")).glob("*.yaml"))
TEXTS = {"reason", "question", "message", "hint", "consequence"}


def differences(expected: dict[str, Any], actual: dict[str, Any], path: str = "") -> list[str]:
    found: list[str] = []
    for key, value in expected.items():
        here, shown = f"{path}.{key}", actual.get(key)
        if isinstance(value, dict) and isinstance(shown, dict):
            found += differences(value, shown, here)
        elif key in TEXTS and isinstance(shown, str):
            found += [] if value in shown else [f"{here}: {value!r} is not in {shown!r}"]
        elif key == "until" and isinstance(shown, float):
            found += [] if value == shown - START else [f"{here}: {shown - START} is not {value}"]
        elif value != shown:
            found.append(f"{here}: {shown!r} is not {value!r}")
    return found


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_case(path: Path) -> None:
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    module: Any = STATES[path.parent.name.replace("_", "-")]
    the_plan = plan(case.get("section"), case.get("machine"))
    known = facts(case.get("facts", {}), tuple(case.get("unlisted", ())))
    memory = memory_of(the_plan, known, case, float(case.get("now", 0)))
    findings = {
        key: msgspec.convert(found, Finding) for key, found in case.get("findings", {}).items()
    }

    if "verdict" in case:
        judgement = module.guard(the_plan, known)
        assert (case["verdict"], []) == (
            judgement.verdict.value,
            differences({"reason": case.get("why", "")}, {"reason": judgement.why}),
        )
    for subject in case.get("given", ()):
        question = module.decide(the_plan, known, findings, memory)[subject]
        assert isinstance(question, Ask)
        memory = given(memory, subject, question)
    answers = {
        subject: spelled(answer)
        for subject, answer in module.decide(the_plan, known, findings, memory).items()
        if not isinstance(answer, Done)
    }
    expected = case.get("answers", {})

    assert set(expected) == set(answers), answers
    assert [] == differences(expected, answers)


def test_every_phase_has_cases() -> None:
    assert {name.replace("-", "_") for name in STATES} == {path.parent.name for path in CASES}
