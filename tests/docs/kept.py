"""
What the documents show and ``tests/docs`` does not run: by its mark, who types it.

A mark that begins like none of these turns ``test_kept`` red: whoever brings it says here who types its lines.
"""

from __future__ import annotations

import shlex

from tests.docs.shown import Block, blocks, documents, words_of

# tests/system/test_documents.py types each line of these, and sees in the end that it has.
REAL = (
    "needs a real cluster",
    "needs a Git tree and a real cluster",
    "needs your repository and kustomize",
)
COLLECTOR, FIXED, TALOS = "needs a collector", "takes a fixed port", "needs Talos nodes"
TYPED = (*REAL, COLLECTOR, FIXED, TALOS)
# The targets of make that run the tests themselves, or need them: where the words of the line are.
MADE = "they set up .venv and run this very test"
MADE_BY = {"make demo": "tests/cli/test_demo.py", "make test": ".ci/run"}
# tests/system/test_elsewhere.py types these: with pipx and the package index, and with a machine to go to.
INDEX, PIPX, AWAY = "installs from the package index", "needs pipx", "goes to another machine"
ELSEWHERE = (INDEX, PIPX, AWAY)


def kept(*marks: str) -> list[Block]:
    """The fences whose mark begins like one of these, in the order of the documents."""
    found = [block for path in documents() for block in blocks(path)]
    return [block for block in found if block.kept and block.kept.startswith(marks)]


def commands(*marks: str) -> list[str]:
    """Every command in those fences, once, as a shell would read it."""
    found: dict[str, None] = {}
    for block in kept(*marks):
        for line in block.lines:
            found.update(dict.fromkeys(commands_of(line)))
    return list(found)


def commands_of(line: str) -> list[str]:
    return [shlex.join(words) for words in words_of(line) if words]


def shown(mark: str) -> str:
    """The one line that is marked with it, as it stands there."""
    (line,) = (line.strip() for block in kept(mark) for line in block.lines)
    return line
