"""
Every rule of the catalogue has a case in which it finds something, and one of its own in which it finds nothing.

The tests of this folder are run once more, by themselves, and what they ask of each rule is written down (``asked``);
what asks all rules of one scene (``rules_of``) is not written down: it is a case against none of them.
Recipe: take a rule's test away, or one line of ``NEAR`` in `test_sources.py`, or add a rule without one, and its id is
named here; let ``rules_of`` ask by ``found_by``, and the second test is red.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from journal.entries import Finding
from phases.diagnosis.catalogue import RULES
from tests.phases.diagnosis import scenes

HERE = Path(__file__).resolve().parent
# These ask every rule of everything: they would hide that a rule has no case of its own.
SWEEPING = ("test_every_rule", "test_healthy", "test_catalogue")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[bool]]:
    told = tmp_path_factory.mktemp("asked") / "asked.json"
    ignored = [f"--ignore={HERE / name}.py" for name in SWEEPING]
    words = ["-q", "-p", "tests.phases.diagnosis.asked", "-p", "no:xdist", "-p", "no:cacheprovider"]
    subprocess.run(
        [sys.executable, "-m", "pytest", *words, *ignored, str(HERE)],
        cwd=HERE.parents[2],
        env={**os.environ, "REKINDLE_ASKED": str(told)},
        capture_output=True,
        timeout=240,
        check=False,
    )
    found: dict[str, list[bool]] = json.loads(told.read_text(encoding="utf-8"))
    return found


def test_every_rule_has_a_case_for_it_and_one_against_it(asked: dict[str, list[bool]]) -> None:
    """In one test: what it rests on takes seconds, and two workers would make it twice."""
    without = {
        case: [rule.id for rule in RULES if result not in asked.get(rule.id, [])]
        for result, case in ((True, "positive"), (False, "negative"))
    }

    assert {"positive": [], "negative": []} == without


def test_what_asks_all_rules_is_a_case_against_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else every rule has its negative by any scene that another rule is about."""
    told: list[str] = []

    def tell(rule: str, _: object) -> list[Finding]:
        told.append(rule)
        return []

    monkeypatch.setattr(scenes, "found_by", tell)
    scenes.rules_of(scenes.scene())

    assert told == []
