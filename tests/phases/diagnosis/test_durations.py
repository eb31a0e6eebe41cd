"""
Durations come from deletions and from transitions of conditions, never from when an object was made.

The AGE column once made a two-hour wait look like ten days. Mutant: take ``creation_timestamp`` for the ``since`` of a
finding again, or for the question whether something has lasted long enough.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import phases.diagnosis
from phases.diagnosis.scene import is_younger
from phases.objects import Meta
from tests.phases.diagnosis.scenes import AT, made, scene, stamp

RULES = Path(phases.diagnosis.__file__).parent
# No durations: a status that is older than its own object came from a backup; and nothing can have lasted for longer
# than its object is there, so that a young one withholds a finding.
COMPARED = {"secrets_targets.py": "_is_restored", "scene.py": "is_younger"}


def test_no_rule_reads_when_an_object_was_made_to_tell_how_long_something_lasts() -> None:
    reading = {
        path.name
        for path in RULES.glob("*.py")
        for found in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(found, ast.Attribute) and found.attr == "creation_timestamp"
    }

    assert reading == set(COMPARED)


@pytest.mark.parametrize(("module", "name"), COMPARED.items())
def test_who_compares_it_makes_no_instant_of_it(module: str, name: str) -> None:
    """Its one use is in a question with the answer yes or no."""
    tree = ast.parse((RULES / module).read_text("utf-8"))
    asking = [
        made
        for made in ast.walk(tree)
        if isinstance(made, ast.FunctionDef) and "creation_timestamp" in ast.unparse(made)
    ]

    assert [(made.name, ast.unparse(made.returns or made)) for made in asking] == [(name, "bool")]


def test_what_is_young_is_told_from_what_nobody_knows_the_age_of() -> None:
    """Mutants: the bound is not that of the other instants; no instant counts as a young one."""
    made_at = {"creationTimestamp": stamp(AT - 59)}
    young, old = (
        scene(made("Node", "a", metadata=metadata)).get("Node", "a").metadata
        for metadata in (made_at, {})
    )

    assert is_younger(scene(), young, 60)
    assert not is_younger(scene(), young, 59)
    assert not is_younger(scene(), old, 60)
    assert not is_younger(scene(), Meta(), 60), "nobody said when it was made"
