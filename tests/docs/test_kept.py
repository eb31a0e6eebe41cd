"""
Promise: what the documents show is typed by a test, and docs/README.md says by which.

``tests/system/test_documents.py`` types what needs a real cluster, ``test_elsewhere.py`` what needs the package index
or another machine. Mutants, each tried: a mark of one's own; a file whose last test does not look; ``demo`` typed no
more.
"""

from __future__ import annotations

import ast

import pytest

from tests.docs.kept import ELSEWHERE, MADE, MADE_BY, TYPED, commands, kept
from tests.docs.shown import ROOT, blocks, documents


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
        assert block.kept.startswith((*TYPED, MADE, *ELSEWHERE)), f"{block}: nobody types it"


@pytest.mark.parametrize("mark", [*TYPED, MADE, *ELSEWHERE])
def test_a_mark_that_is_known_is_there(mark: str) -> None:
    assert kept(mark)


@pytest.mark.parametrize(
    ("file", "marks"),
    [("test_documents", "TYPED"), ("test_elsewhere", "ELSEWHERE")],
)
def test_who_types_it_sees_that_no_line_was_left_out(file: str, marks: str) -> None:
    text = (ROOT / "tests" / "system" / f"{file}.py").read_text("utf-8")
    tree = ast.parse(text)
    (last,) = [node for node in tree.body[-1:] if isinstance(node, ast.FunctionDef)]

    assert last.name == "test_no_line_was_left_out"
    assert f"set(commands(*{marks})) - " in ast.unparse(last)
    assert f"`tests/system/{file}.py`" in (ROOT / "docs" / "README.md").read_text("utf-8")


def test_what_make_does_is_done_by_the_file_that_is_named() -> None:
    assert set(commands(MADE)) == set(MADE_BY)
    for line, path in MADE_BY.items():
        assert any(set(line.split()) <= words for words in together(path)), line
