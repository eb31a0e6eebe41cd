"""
Promise: what the documents show is typed by a test, or docs/README.md says that it is not, and why.

``tests/system/test_documents.py`` types what needs a real cluster. Mutants, each tried: a mark of one's own; a line in
a fence of ``NOWHERE`` that the page does not name; a row of that page without its fence; ``demo`` typed no more.
"""

from __future__ import annotations

import ast
import re

import pytest

from tests.docs.kept import MADE, MADE_BY, NOWHERE, TYPED, commands, kept
from tests.docs.shown import ROOT, blocks, documents, words_of

ROWS = re.compile(r"^\| not run \| why \|\n\| --- \| --- \|\n((?:\|.*\|\n)+)", re.MULTILINE)


def said_to_be_run_nowhere() -> dict[str, str]:
    """What docs/README.md says that nobody types: its first two words, and why."""
    found = ROWS.search((ROOT / "docs" / "README.md").read_text("utf-8"))
    assert found
    cells = [row.strip("| ").split(" | ") for row in found[1].splitlines()]
    return {span: why for what, why in cells for span in re.findall(r"`([^`]+)`", what)}


def together(path: str) -> list[set[str]]:
    """The words that stand together in a file: in one list or call of Python, in one line of a shell's."""
    text = (ROOT / path).read_text("utf-8")
    if not path.endswith(".py"):
        return [
            set(line.split()) for line in text.splitlines() if not line.lstrip().startswith("#")
        ]
    nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.Call, ast.List))]
    return [{str(n.value) for n in ast.walk(x) if isinstance(n, ast.Constant)} for x in nodes]


def test_a_mark_says_who_types_what_it_keeps() -> None:
    for block in (block for path in documents() for block in blocks(path) if block.kept):
        assert block.kept.startswith((*TYPED, MADE, *NOWHERE)), f"{block}: nobody types it"


@pytest.mark.parametrize("mark", [*TYPED, MADE, *NOWHERE])
def test_a_mark_that_is_known_is_there(mark: str) -> None:
    assert kept(mark)


def test_what_nobody_types_is_what_the_page_says() -> None:
    lines = [line for block in kept(*NOWHERE) for line in block.lines]
    first = [next(words_of(line)) for line in lines]
    found = {" ".join(words[:2]) for words in first if words[0] != "cd"}

    said = said_to_be_run_nowhere()

    assert set(said) == found
    assert all(len(why.split()) >= 3 for why in said.values())
    assert not [words for words in first if words[0] in {"rekindle", "kubectl", "talosctl"}]


def test_what_make_does_is_done_by_the_file_that_is_named() -> None:
    assert set(commands(MADE)) == set(MADE_BY)
    for line, path in MADE_BY.items():
        assert any(set(line.split()) <= words for words in together(path)), line
