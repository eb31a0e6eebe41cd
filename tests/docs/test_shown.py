"""
Promise: every command that README and documents show was run, or is one that exists.

Each document is followed from its first fence to its last against simulated clusters; see ``shown``. What needs a real
cluster says so in its source, and is held against the command table: a command or an option that is not there is red.

Mutants, each tried: rename an option in README; take an ``exit N`` away; change a word of a shown
output; write ``bash`` for ``sh``; leave a mark without its reason; rename a target of the Makefile.
"""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import click
import pytest
import yaml

from rekindle.cli.main import COMMANDS
from tests.docs.shown import (
    PROGRAMS,
    ROOT,
    SHELLS,
    Block,
    Reader,
    blocks,
    documents,
    sentences,
    words_of,
)

DOCUMENTS = documents()
SPAN = re.compile(r"`((?:kubectl )?rekindle [a-z-][^`\n]*)`")
MADE = re.compile(r"`(make [^`\n]*)`")
FOLLOWED = [p for p in DOCUMENTS if any(b.language == "sh" and not b.kept for b in blocks(p))]
KEPT = [b for p in DOCUMENTS for b in blocks(p) if b.language == "sh" and b.kept]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def wrong_with(words: list[str], *, whole: bool) -> str:
    """Say what the command table has against a command; *whole*: it is not only a part of one."""
    if words[:1] == ["kubectl"]:
        words = words[1:]
    rest = words[1:]
    if not rest or rest[0] in {"--help", "-h", "--version"}:
        return ""
    if rest[0] not in COMMANDS:
        return f"there is no command {rest[0]}"
    command: click.Command = import_module(f"rekindle.cli.{rest[0]}").command
    context = click.Context(command, info_name=rest[0])
    try:
        _, left, _ = command.make_parser(context).parse_args(rest[1:])
    except click.BadOptionUsage as error:
        return error.message if whole or "requires an argument" not in error.message else ""
    except click.UsageError as error:
        return error.message
    return f"too many words: {left}" if left else ""


def not_made(words: list[str]) -> set[str]:
    """The words after ``make`` that are no target of the Makefile."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return {word for word in words[1:] if "=" not in word} - set(targets)


@pytest.mark.program
@pytest.mark.parametrize("document", FOLLOWED, ids=name_of)
def test_what_a_document_shows_works(document: Path, tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    try:
        for block in blocks(document):
            reader.follow(block)
    finally:
        reader.close()

    assert reader.typed


@pytest.mark.parametrize("block", KEPT, ids=str)
def test_what_cannot_be_run_is_at_least_spelled_as_it_is(block: Block) -> None:
    for line in block.lines:
        for words in words_of(line):
            if words[:1] and (words[0] in PROGRAMS or words[:2] == ["kubectl", "rekindle"]):
                assert wrong_with(words, whole=True) == "", line
            if words[:1] == ["make"]:
                assert not_made(words) == set(), line


def runs_of(workflow: str) -> list[str]:
    """The commands of a workflow of GitHub's."""
    jobs = yaml.safe_load(workflow)["jobs"].values()
    steps = [step for job in jobs for step in job["steps"]]
    return [line for step in steps for line in step.get("run", "").splitlines()]


def test_a_workflow_calls_what_exists() -> None:
    files = [b for p in DOCUMENTS for b in blocks(p) if b.file.startswith(".github/workflows/")]
    commands = [line for block in files for line in runs_of(block.text) if "rekindle" in line]

    assert len(commands) >= 2
    for line in commands:
        (words, *_) = words_of(line)
        assert words[0] != "rekindle" or wrong_with(words, whole=True) == "", line


def test_a_mark_says_why() -> None:
    for block in KEPT:
        assert len(block.kept.split()) >= 3, block


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_commands_stand_where_they_are_found(document: Path) -> None:
    for block in blocks(document):
        assert block.language not in SHELLS, f"{block}: write sh, text or yaml"
        assert not block.kept or block.language == "sh", f"{block}: a mark for nothing"


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_a_command_in_a_sentence_exists(document: Path) -> None:
    text = sentences(document)
    for span in SPAN.findall(text):
        (words, *_) = words_of(span)
        assert wrong_with(words, whole=False) == "", span
    for span in MADE.findall(text):
        assert not_made(span.split()) == set(), span


@pytest.mark.parametrize(
    ("line", "said"),
    [("make test", set()), ("make tests", {"tests"}), ("make demo JOBS=1 sok", {"sok"})],
)
def test_the_makefile_is_asked(line: str, said: set[str]) -> None:
    assert not_made(line.split()) == said


def test_the_tutorial_is_followed_from_end_to_end() -> None:
    """Only what installs the program is left out; the night itself is not."""
    for document in (ROOT / "docs" / "tutorial").glob("*.md"):
        kept = [block for block in blocks(document) if block.kept]
        assert len([b for b in blocks(document) if b.language == "sh" and not b.kept]) >= 8
        assert all("install" in block.text for block in kept)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("rekindle statsu", "there is no command statsu"),
        ("rekindle status --jornal x", "--jornal"),
        ("rekindle status --journal", "requires an argument"),
        ("rekindle cancel now", "too many words"),
        ("rekindle rehearse june-12 --speed 60", ""),
        ("kubectl rekindle approve ID --refuse", ""),
        ("rekindle --help", ""),
    ],
)
def test_the_table_is_asked(line: str, said: str) -> None:
    found = wrong_with(line.split(), whole=True)

    assert said in found
    assert bool(said) == bool(found)


def test_nothing_is_typed_that_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="nobody taught this test to run curl"):
        Reader(tmp_path).follow(Block("x.md", 1, "sh", "curl https://example.org\n"))


def test_what_depends_on_the_machine_may_answer_so_and_no_otherwise(tmp_path: Path) -> None:
    block = Block("x.md", 1, "sh", "test -e nothing\n", answers=(0, 1))
    Reader(tmp_path).follow(block)

    with pytest.raises(AssertionError, match="answered 1"):
        Reader(tmp_path).follow(replace(block, answers=(0, 2)))


@pytest.mark.parametrize(
    ("line", "shows"),
    [("cat a.txt # exit 1", ""), ("cat a.txt", "one 3 ... three\nlast\n")],
)
def test_what_is_shown_is_loose_about_numbers_only(tmp_path: Path, line: str, shows: str) -> None:
    (tmp_path / "a.txt").write_text("one 12   two three\nbetween\nlast\n")
    block = Block("x.md", 1, "sh", f"{line}\n", shows=shows)
    if shows:
        Reader(tmp_path).follow(block)
        with pytest.raises(pytest.fail.Exception, match="not printed"):
            Reader(tmp_path).follow(Block("x.md", 1, "sh", f"{line}\n", shows="last\none...\n"))
    else:
        with pytest.raises(AssertionError, match="answered 0"):
            Reader(tmp_path).follow(block)
