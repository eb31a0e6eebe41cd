"""
Promise: a test that the explanations name is there, in the file that they name; so are the links.

Mutant that turns it red: rename a test that ``never.md`` names.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "docs" / "explanation").glob("*.md"))
FILE = re.compile(r"`(tests/[a-z_/]+\.py)`")
NAME = re.compile(r"`(test_[a-z0-9_]+)`")
LINK = re.compile(r"\]\(([^)#]+)\)")
# Names, and then the file that has them, in parentheses.
HELD = re.compile(r"((?:`test_[a-z0-9_]+`(?:,|,? and|)\s+)+)\(`(tests/[a-z_/]+\.py)`\)")
LONGEST = 120
# What a test saw and wrote there is as long as what was said.
SEEN = re.compile(r"<!-- seen: .*?<!-- /seen -->\n", re.DOTALL)


@cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_an_explanation_is_short_and_its_links_lead_somewhere(page: Path) -> None:
    text = page.read_text("utf-8")

    assert SEEN.sub("", text).count("\n") <= LONGEST
    for link in LINK.findall(text):
        assert (page.parent / link).exists(), link
    for path in FILE.findall(text):
        assert (ROOT / path).is_file(), path


def test_each_promise_names_tests_that_exist() -> None:
    text = (ROOT / "docs" / "explanation" / "never.md").read_text("utf-8")
    held = [(name, path) for names, path in HELD.findall(text) for name in NAME.findall(names)]

    assert {name for name, _ in held} == set(NAME.findall(text))
    for name, path in held:
        assert name in names_in(path), f"{path} has no {name}"
