"""
Promise: every reference that the program can show has a page, and every page is about one.

Method: the source is read as a tree: each ``reference=`` of a call that makes an error or a ``Stuck``, and the one that
the last line of defence prints. A page's exit code must be that of the error's own class; 2 for ``Stuck``.
Mutants that turn it red: rename a page; take ``2`` out of one; add a reference without a page.
"""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

from engine.errors import Diagnosed, Exit, PlanInvalid

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("journal", "engine", "phases", "rekindle")
PAGES = ROOT / "docs" / "errors"
STUCK = "Stuck"
# Modules that define errors of their own; importing them fills the list of subclasses.
DEFINING = (
    "rekindle.adapters.kustomize",
    "rekindle.adapters.manifests",
    "rekindle.adopting.reading",
    "rekindle.looks.film",
    "rekindle.output",
    "rekindle.simulator.errors",
)
CODE = re.compile(r"^Exit code: `(\d+)`", re.MULTILINE)
ROW = re.compile(r"^\| \[([a-z0-9-]+)\]\(\1\.md\) \| (\d+) \| (.+) \|$", re.MULTILINE)
SHOWN = re.compile(
    r"^(?:error|stuck) \(([a-z0-9-]+)\): \S|^(?!hint:)([a-z0-9-]+): \S", re.MULTILINE
)
# What is in every module that shows a reference; to read the others as trees takes seconds.
NAMING = re.compile(rf"\breference\b|\b{STUCK}\b|\berror \(")
PRINTED = re.compile(r"\berror \(([a-z0-9-]+)\):")
COMMAND = re.compile(r"\brekindle ([a-z]+)\b")


@cache
def exit_codes() -> dict[str, int]:
    """The exit code of each class of errors, by the class's name."""
    for name in DEFINING:
        import_module(name)
    found = {STUCK: int(Exit.STUCK)}
    left = [Diagnosed]
    while left:
        kind = left.pop()
        found[kind.__name__] = int(kind.exit_code)
        left += kind.__subclasses__()
    return found


def strings(node: ast.expr) -> list[str]:
    """What a reference may be: a constant, or either branch of a choice. Anything else must be taught here."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return strings(node.body) + strings(node.orelse)
    pytest.fail(f"a reference that no test can read: {ast.unparse(node)}")


def made_by(call: ast.Call, module: Path) -> str:
    """The name of the class that a call makes; ``super().__init__`` is the one error that names itself."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
    if name == "__init__":
        assert module.name == "errors.py", module
        return PlanInvalid.__name__
    return name


@cache
def references() -> dict[str, set[int]]:
    """Each reference in the source, with the exit codes of what carries it."""
    found: dict[str, set[int]] = {}
    for room in ROOMS:
        for module in sorted((ROOT / room).rglob("*.py")):
            text = module.read_text("utf-8")
            for node in ast.walk(ast.parse(text)) if NAMING.search(text) else ():
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    for name in PRINTED.findall(node.value):
                        found.setdefault(name, set()).add(int(Exit.OUR_BUG))
                if not isinstance(node, ast.Call):
                    continue
                given = [item.value for item in node.keywords if item.arg == "reference"]
                kind = made_by(node, module) if given else ""
                if not given and ast.unparse(node.func).rpartition(".")[2] == STUCK and node.args:
                    given, kind = [node.args[0]], STUCK
                for value in given:
                    for name in strings(value):
                        found.setdefault(name, set()).add(exit_codes()[kind])
    return found


def pages() -> dict[str, str]:
    """Each page, by its reference."""
    return {
        page.stem: page.read_text("utf-8")
        for page in sorted(PAGES.glob("*.md"))
        if page.name != "README.md"
    }


def test_every_reference_has_a_page_and_no_page_is_left_over() -> None:
    assert sorted(references()) == sorted(pages())


@pytest.mark.parametrize("reference", sorted(pages()))
def test_a_page_says_the_exit_code_of_its_error(reference: str) -> None:
    stated = {int(code) for code in CODE.findall(pages()[reference])}

    assert stated == references()[reference]
    assert stated <= set(Exit)


@pytest.mark.parametrize("reference", sorted(pages()))
def test_a_page_shows_the_message_and_what_to_do_and_what_was_not_done(reference: str) -> None:
    text = pages()[reference]
    shown = {first or second for first, second in SHOWN.findall(text)}

    assert text.startswith(f"# {reference}\n")
    assert shown == {reference}
    assert "**Why.** " in text
    assert "**What to do.**\n\n1. " in text
    assert "**Not done.** " in text
    assert 15 <= text.count("\n") <= 32


def test_a_page_names_only_commands_that_exist() -> None:
    from rekindle.cli.main import COMMANDS

    named = {
        name
        for text in pages().values()
        for span in re.findall(r"`(rekindle [^`]+)`", text)
        for name in COMMAND.findall(span)
    }

    assert named <= set(COMMANDS)
    assert "resume" in named


def test_the_table_lists_every_page_with_its_exit_code() -> None:
    rows = ROW.findall((PAGES / "README.md").read_text("utf-8"))

    assert [name for name, _, _ in rows] == sorted(pages())
    assert {name: {int(code)} for name, code, _ in rows} == references()
