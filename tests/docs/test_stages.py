"""
Promise: each test is in a stage that runs it: what is marked is in a folder that the Makefile names for its mark.

``make test`` needs a Python and make and nothing else; what needs a program more is marked, never skipped.
Mutant: take a folder out of the Makefile's ``program``; ask for a git in a test without the mark.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "tests").rglob("test_*.py"))
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def marks(node: ast.AST) -> set[str]:
    """Name what is written as ``pytest.mark.NAME`` somewhere in it."""
    found = re.findall(r"pytest\.mark\.(\w+)", ast.unparse(node))
    return set(found)


def marked(tree: ast.Module) -> tuple[set[str], dict[str, set[str]]]:
    """Return the marks of a whole file, and those of each of its functions."""
    whole: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
            whole |= marks(node.value)
    functions = {
        node.name: {mark for one in node.decorator_list for mark in marks(one)}
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }
    return whole, functions


def folders_of(target: str, mark: str) -> list[str]:
    (recipe,) = re.findall(rf"^{target}: .*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    (command,) = [line for line in recipe.splitlines() if re.search(rf"-m '?{mark}\b", line)]
    return [word for word in command.split() if word.startswith("tests/")]


def is_within(path: Path, folders: list[str]) -> bool:
    name = path.relative_to(ROOT).as_posix()
    return any(name == folder or name.startswith(f"{folder}/") for folder in folders)


@pytest.mark.parametrize(("target", "mark"), [("program", "program"), ("system", "system")])
def test_what_is_marked_is_where_its_stage_looks(target: str, mark: str) -> None:
    folders = folders_of(target, mark)
    assert folders
    for path in FILES:
        whole, functions = marked(ast.parse(path.read_text("utf-8")))
        if mark in whole.union(*functions.values()):
            assert is_within(path, folders), f"nobody runs what is marked {mark} in {path}"


def asks_for_git(node: ast.AST) -> bool:
    """Say whether a git is begun: by its name as the first of some words, or looked for on PATH."""
    for part in ast.walk(node):
        match part:
            case ast.List(elts=[ast.Constant(value="git"), _, *_]):
                return True
            case ast.Call(func=ast.Attribute(attr="which"), args=[ast.Constant(value="git")]):
                return True
            case _:
                pass
    return False


def test_whoever_begins_a_git_is_marked() -> None:
    found = []
    for path in FILES:
        tree = ast.parse(path.read_text("utf-8"))
        whole, functions = marked(tree)
        if whole & {"program", "system"} or "testbed" in path.parts:
            continue
        for node in tree.body:
            named = functions.get(node.name, set()) if isinstance(node, ast.FunctionDef) else set()
            if asks_for_git(node) and not named & {"program", "system"}:
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")

    assert found == []
