"""
The commands that the documents show, found and run as a reader would run them.

In a document, what stands in a fence ``sh`` is run, line by line, in a folder of that document's own; a line answers 0
unless its comment says ``exit N``. What is printed is held against a fence ``text`` that follows at once: each of its
lines must be there, in this order; digits stand for any digits, ``...`` for anything, and spaces for spaces.

Comments of HTML say the rest, each before the fence that it is about:

``<!-- not run: WHY -->``      only read: its words must be those of commands that exist
``<!-- file: PATH -->``        what the fence has is written there
``<!-- answers: N, ... -->``   what its commands may answer where nothing else is said: it depends on the machine
``<!-- given: PATH, ... -->``  files that a reader has already: empty, or ``PATH=SOURCE`` of this repository (or folder)

What is begun with ``&`` is waited for until it answers, or has a journal; ``kill -INT %1`` ends it as Ctrl-C does, and
``kill -9 %1`` kills it once it has begun an action.

A reader has kustomize. Where this machine has neither that nor kubectl, a stand-in takes its place. talhelper and topf
are stand-ins everywhere. ``cd`` holds to the end of its fence.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import pytest

from journal.errors import Diagnosed
from journal.reader import Reader as JournalReader
from tests.cli.conftest import Program
from tests.cli.forked import Forked
from tests.docs import renderers
from tests.init.kustomize import put_on_path

ROOT = Path(__file__).resolve().parents[2]
# In a list a fence is indented, and so is all that is in it.
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
COMMENT = re.compile(r"<!-- (not run|file|given|answers): (.+?) -->", re.DOTALL)
EXIT = re.compile(r"\bexit (\d+)\b")
HEREDOC = re.compile(r"<<'?(\w+)'?")
PROGRAMS = ("rekindle", ".venv/bin/rekindle")
# What a document may use besides; whatever else it shows has to be marked, or taught here.
ORDINARY = ("cat", "cp", "diff", "grep", "head", "ls", "mkdir", "mv", "sed", "tail", "test", "wc")
SHELLS = ("bash", "shell", "console", "zsh", "shell-session", "")
SECONDS = 120.0


@dataclass(frozen=True)
class Block:
    """A fence. *given* are the files that its reader has; *kept* is why it is not run; *answers*: one of these."""

    document: str
    line: int
    language: str
    text: str
    kept: str = ""
    file: str = ""
    given: tuple[str, ...] = ()
    answers: tuple[int, ...] = (0,)
    shows: str = ""

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"

    @property
    def lines(self) -> list[str]:
        """Its commands: a line that ends in a backslash goes on, and a here-document belongs to its command."""
        found: list[str] = []
        until = ""
        for line in self.text.splitlines():
            if until or (found and found[-1].endswith("\\")):
                glue = "\n" if until else ""
                found[-1] = (found[-1] if until else found[-1][:-1]) + glue + line
                until = "" if line.strip() == until else until
            elif line.strip() and not line.lstrip().startswith("#"):
                found.append(line)
                begun = HEREDOC.search(line)
                until = begun[1] if begun else ""
        return found


def documents() -> list[Path]:
    """Everything that a reader may copy from."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    return [*found, *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(path: Path) -> list[Block]:
    """Read a document's fences in order."""
    text = path.read_text("utf-8")
    name = str(path.relative_to(ROOT))
    fences = list(FENCE.finditer(text))
    found = []
    for number, fence in enumerate(fences):
        before = fences[number - 1].end() if number else 0
        said = dict(COMMENT.findall(text[before : fence.start()]))
        after = fences[number + 1] if number + 1 < len(fences) else None
        follows = after is not None and not text[fence.end() : after.start()].strip()
        found.append(
            Block(
                document=name,
                line=text[: fence.start()].count("\n") + 1,
                language=fence[2],
                text=dedent(fence[3]),
                kept=said.get("not run", ""),
                file=said.get("file", ""),
                given=tuple(
                    part.strip() for part in said.get("given", "").split(",") if part.strip()
                ),
                answers=tuple(int(code) for code in said.get("answers", "0").split(",")),
                shows=dedent(after[3])
                if follows and after is not None and after[2] == "text"
                else "",
            )
        )
    return found


def sentences(path: Path) -> str:
    """A document without its fences."""
    return FENCE.sub("", path.read_text("utf-8"))


def words_of(line: str) -> Iterator[list[str]]:
    """Split a line into the commands that are in it."""
    lexer = shlex.shlex(line.splitlines()[0], posix=True, punctuation_chars="|;&<>")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    words: list[str] = []
    for token in lexer:
        if set(token) <= set("|;&<>"):
            yield words
            words = []
        else:
            words.append(token)
    yield words


@dataclass
class Reader:
    """Somebody who types what a document shows, in a folder of their own."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    printed: str = ""
    behind: Forked | None = None
    journal: str = ""
    typed: int = 0
    inside: str = ""

    def follow(self, block: Block) -> None:
        """Do what a fence says."""
        for name in block.given:
            path, _, source = name.partition("=")
            target = self.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if source and (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, target, dirs_exist_ok=True)
            elif source:
                shutil.copyfile(ROOT / source, target)
            else:
                target.touch()
        if block.file:
            target = self.folder / block.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text)
        elif block.language == "sh" and not block.kept:
            self.printed = self.inside = ""
            for line in block.lines:
                self._type(line, block)
            expect(block, self.printed)

    def close(self) -> None:
        """Leave nothing behind."""
        if self.behind is not None:
            self.behind.kill()

    def _type(self, line: str, block: Block) -> None:
        self.typed += 1
        command, _, comment = line.partition(" # ") if "\n" not in line else (line, "", "")
        said = EXIT.search(comment)
        code, out = self._run(command.strip(), block)
        self.printed += out
        expected = (int(said[1]),) if said else block.answers
        assert code in expected, f"{block}: {line}\nanswered {code}:\n{out}"

    def _run(self, command: str, block: Block) -> tuple[int, str]:
        first = command.split(maxsplit=1)[0]
        if first == "export":
            name, _, value = command.removeprefix("export ").partition("=")
            self.variables[name] = value
            return 0, ""
        if first == "cd":
            self.inside = command.split()[1]
            assert (self.folder / self.inside).is_dir(), f"{block}: no folder {self.inside}"
            return 0, ""
        if first == "sleep":
            time.sleep(float(command.split()[1]))
            return 0, ""
        if command == "kill -9 %1":
            return self._kill(block)
        if command == "kill -INT %1":
            return self._end(block)
        if first in PROGRAMS:
            return self._ours(command)
        assert first in (*ORDINARY, *renderers.NAMES), (
            f"{block}: nobody taught this test to run {first}"
        )
        ended = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.folder / self.inside,
            env={**os.environ, **self._renderers()},
            capture_output=True,
            text=True,
            check=False,
        )
        return ended.returncode, ended.stdout + ended.stderr

    def _ours(self, command: str) -> tuple[int, str]:
        """Run our program; what comes after a pipe or a redirection gets what it printed."""
        assert not self.inside, f"{command}: ours is typed in the document's own folder"
        mine, mark, rest = re.match(r"([^|>&]*)([|>&]?)(.*)", command, re.DOTALL).groups()  # type: ignore[union-attr]
        program = Program(self.folder)
        words = shlex.split(mine)[1:]
        process = program.start(*words, env={**self._programs(), **self.variables})
        if mark == "&":
            self.behind, self.journal = process, words[words.index("--journal") + 1]
            if words[0] in READY:
                self._wait_until(READY[words[0]], command)
            return 0, ""
        out, err = process.communicate(timeout=SECONDS)
        assert "Traceback" not in err, err
        assert process.returncode is not None
        if not mark:
            return process.returncode, out + err
        shell = rest if mark == "|" else f"cat >{rest}"
        ended = subprocess.run(
            ["/bin/sh", "-c", shell],
            cwd=self.folder,
            input=out,
            capture_output=True,
            text=True,
            check=True,
        )
        return process.returncode, ended.stdout + err

    def _renderers(self) -> dict[str, str]:
        programs = self.folder / ".renderers"
        renderers.put_on_path(programs)
        return {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}

    def _programs(self) -> dict[str, str]:
        if shutil.which("kustomize") or shutil.which("kubectl"):
            return {}
        return {"PATH": f"{put_on_path(self.folder / '.programs')}{os.pathsep}{os.environ['PATH']}"}

    def _kill(self, block: Block) -> tuple[int, str]:
        """Kill what runs behind, as late as it takes to have begun: machines differ in speed."""
        assert self.behind is not None, f"{block}: nothing runs behind"
        self._wait_until(Reader._begun, str(block))
        self.behind.kill()
        out, err = self.behind.communicate(timeout=SECONDS)
        self.behind = None
        return 0, out + err

    def _end(self, block: Block) -> tuple[int, str]:
        """End what runs behind, as Ctrl-C does."""
        assert self.behind is not None, f"{block}: nothing runs behind"
        self.behind.send_signal(signal.SIGINT)
        out, err = self.behind.communicate(timeout=SECONDS)
        assert "Traceback" not in err, err
        self.behind = None
        return 0, out + err

    def _wait_until(self, ready: Callable[[Reader], bool], what: str) -> None:
        assert self.behind is not None
        end = time.monotonic() + SECONDS
        while self.behind.poll() is None and time.monotonic() < end and not ready(self):
            time.sleep(0.1)
        assert self.behind.poll() is None, f"{what}: it has ended"

    def _begun(self) -> bool:
        """Say whether what runs behind has begun an action; its journal appears complete."""
        return self._has("action.intended")

    def _decided(self) -> bool:
        return self._has("decided")

    def _answers(self) -> bool:
        return self.behind is not None and bool(self.behind.out.read_text())

    def _has(self, kind: str) -> bool:
        try:
            with JournalReader(self.folder / self.journal) as reader:
                return any(row.kind == kind for row in reader.rows())
        except Diagnosed:
            return False


# From when on what runs behind can be asked about.
READY: dict[str, Callable[[Reader], bool]] = {"serve": Reader._answers, "watch": Reader._decided}


def expect(block: Block, printed: str) -> None:
    """See that what a document shows was printed."""
    rest = [_plain(line) for line in printed.splitlines()]
    for line in block.shows.splitlines():
        wanted = _plain(line)
        if wanted in {"", "..."}:
            continue
        pattern = re.compile(".*".join(re.escape(part) for part in wanted.split("...")) + r"\Z")
        for number, found in enumerate(rest):
            if pattern.match(found):
                rest = rest[number + 1 :]
                break
        else:
            pytest.fail(f"{block} shows a line that was not printed (there):\n{line}\n\n{printed}")


def _plain(line: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"\d+", "0", line)).strip()
