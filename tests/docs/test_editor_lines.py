"""
Promise: the schema that a file names for editors is where it says, and is the schema of that kind of file.

Mutant: move a scenario into another folder.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("rekindle", "examples", "docs", "tests", "benchmarks")
LINE = re.compile(r"^# yaml-language-server: \$schema=(\S+)$", re.MULTILINE)
KINDS = {"recovery.yaml": "recovery", "inventory.yaml": "inventory"}  # whatever else is a scenario


def editor_lines() -> list[tuple[str, str]]:
    files = (path for name in FOLDERS for path in sorted((ROOT / name).rglob("*.y*ml")))
    return [
        (path.relative_to(ROOT).as_posix(), schema)
        for path in files
        if "build" not in path.parts
        for schema in LINE.findall(path.read_text("utf-8"))
    ]


@pytest.mark.parametrize(("file", "schema"), editor_lines())
def test_an_editor_finds_the_schema_of_a_file(file: str, schema: str) -> None:
    path = ROOT / file
    kind = KINDS.get(path.name, "scenario")

    assert path.read_text("utf-8").startswith("# yaml-language-server"), (
        "editors read the first line"
    )
    assert (path.parent / schema).resolve() == ROOT / "docs" / "reference" / f"{kind}.schema.json"
    assert (path.parent / schema).is_file()


def test_every_scenario_and_every_example_names_one() -> None:
    named = {file for file, _ in editor_lines()}
    scenarios = sorted((ROOT / "rekindle" / "simulator" / "scenarios").glob("*.yaml"))
    plans = sorted((ROOT / "examples").glob("*/recovery.yaml"))

    assert scenarios
    assert plans
    assert {path.relative_to(ROOT).as_posix() for path in (*scenarios, *plans)} <= named
