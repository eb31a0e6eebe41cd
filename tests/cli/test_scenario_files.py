"""
A scenario of one's own is a file: it has a name of its own, a journal of its own, and goes on as any other does.

Mutants: ask for the package's scenario of that name; compare the words that were typed in place of what they name.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from rekindle.simulator.scenario import find_scenario
from tests.cli.conftest import Program, alone

pytestmark = pytest.mark.program


def test_a_file_with_a_name_of_its_own_is_rehearsed_and_gone_on_with(rekindle: Program) -> None:
    alone("june-12", rekindle.folder, "my-night")

    first = rekindle("rehearse", "my-night.yaml", "--json")

    assert (first.code, first.document["outcome"]) == (4, "waiting"), first.err
    journal = rekindle.folder / "state" / "rekindle" / "rehearsals" / "my-night.db"
    assert first.document["journal"] == str(journal)
    whole = str(rekindle.folder / "my-night.yaml")
    for spelling in ("./my-night.yaml", whole):
        again = rekindle("rehearse", spelling, "--json", "--journal", str(journal))
        assert (again.code, again.document["run_id"]) == (4, first.document["run_id"]), again.err


def test_another_file_of_the_same_name_is_another_scenario(rekindle: Program) -> None:
    journal = ("--journal", str(rekindle.folder / "j.db"))
    here = alone("june-12", rekindle.folder)
    there = rekindle.folder / "other"
    there.mkdir()
    assert rekindle("rehearse", str(here), *journal).code == 4

    answer = rekindle("rehearse", str(alone("june-12", there)), *journal)
    packaged = rekindle("rehearse", "june-12", *journal)

    assert (answer.code, "run-open" in answer.err) == (64, True)
    assert (packaged.code, "run-open" in packaged.err) == (64, True)


def test_a_file_of_the_package_is_the_package_s_own(rekindle: Program) -> None:
    process = rekindle.until_entry(rekindle.folder / "j.db", "action.intended")
    process.kill()
    process.communicate()

    path = str(find_scenario("june-12"))
    answer = rekindle("rehearse", path, "--json", "--journal", str(rekindle.folder / "j.db"))

    assert (answer.code, answer.document["outcome"]) == (0, "done"), answer.err
    assert "going on with" in answer.err


def test_a_run_whose_file_is_gone_is_still_another_one(rekindle: Program) -> None:
    journal = ("--journal", str(rekindle.folder / "j.db"))
    file: Path = alone("june-12", rekindle.folder)
    assert rekindle("rehearse", str(file), *journal).code == 4
    file.unlink()

    answer = rekindle("rehearse", "cold-start", *journal)

    assert (answer.code, "run-open" in answer.err) == (64, True)
