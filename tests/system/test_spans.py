"""
Promise: what the documents say in a sentence about talosctl and kubectl is what these programs have.

The real programs are asked for their help, down to the command that a span names; no cluster. Mutants, each tried:
``talosctl etcd member`` or ``kubectl auth can-i --all-namespace`` in a document; a command's flags looked up in the
help of its program.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.docs.shown import documents, sentences, words_of
from tests.testbed import build

pytestmark = pytest.mark.system
SPAN = re.compile(r"`((?:talosctl|kubectl) (?!rekindle)[^`\n]+)`")
SECONDS = 60
# Paragraphs of a help that list something else than commands.
OTHER = ("Examples:", "Usage:", "Aliases:", "Flags:", "Global Flags:", "Options:")
COMMAND = re.compile(r"  ([a-z][\w-]*) +\S")
# `-n, --nodes strings   target ...` of talosctl; `-n, --namespace='':` of kubectl, with what it is by default.
FLAG = re.compile(r"^ +(?:(-\w), )?(--[\w-]+)(?:=(\S*):$| (\S+)|)", re.MULTILINE)
SWITCHED = {"true", "false"}


@dataclass
class Manual:
    """A program's own help, asked once for each command."""

    folder: Path
    known: dict[tuple[str, ...], str] = field(default_factory=dict)

    def help(self, *words: str) -> str:
        if words not in self.known:
            done = subprocess.run(
                [str(self.folder / words[0]), *words[1:]],
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=True,
            )
            self.known[words] = done.stdout
        return self.known[words]

    def commands(self, *path: str) -> set[str]:
        """The commands below one; none where it is no group."""
        found = set()
        for paragraph in self.help(*path, "--help").split("\n\n"):
            first, *lines = paragraph.strip("\n").splitlines() or [""]
            if first.endswith(":") and first not in OTHER:
                found |= {match[1] for line in lines if (match := COMMAND.match(line))}
        return found

    def flags(self, *path: str) -> dict[str, bool]:
        """Every flag that a command takes, and whether it has a value."""
        text = self.help(*path, "--help")
        if path[0] == "kubectl":
            text += self.help("kubectl", "options")
        found: dict[str, bool] = {}
        for short, long, default, kind in FLAG.findall(text):
            valued = bool(kind) or (bool(default) and default not in SWITCHED)
            found |= {name: valued for name in (short, long) if name}
        return found

    def wrong_with(self, words: list[str]) -> str:
        """Say what the program has against a command."""
        path, given, rest = words[:1], [], list(words[1:])
        while rest:
            word = rest.pop(0)
            if word.startswith("-"):
                name, mark, _ = word.partition("=")
                given.append(name)
                # Before its command is known a flag is taken for one with a value, as cobra does.
                if not mark and self.flags(*path).get(name, True):
                    rest = rest[1:]
            elif below := self.commands(*path):
                if word not in below:
                    return f"{' '.join(path)} has no {word}"
                path.append(word)
        unknown = [name for name in given if name not in self.flags(*path)]
        return f"{' '.join(path)} takes no {unknown[0]}" if unknown else ""


@pytest.fixture(scope="module")
def manual() -> Manual:
    return Manual(build.ensure())


def test_a_command_of_another_program_in_a_sentence_exists(manual: Manual) -> None:
    wrong = {}
    spans = [(path, span) for path in documents() for span in SPAN.findall(sentences(path))]
    for path, span in spans:
        (words, *_) = words_of(span)
        if said := manual.wrong_with(words):
            wrong[f"{path.name}: {span}"] = said

    assert len(spans) > 25
    assert wrong == {}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("talosctl -n NODE etcd members", ""),
        ("talosctl -n NODE etcd member", "talosctl etcd has no member"),
        ("talosctl etc members", "talosctl has no etc"),
        ("talosctl -n NODE logs etcd --folow", "talosctl logs takes no --folow"),
        ("talosctl version --insecure", ""),
        ("talosctl -N NODE version", "talosctl version takes no -N"),
        ("kubectl --kubeconfig FILE auth can-i list deployments -A", ""),
        ("kubectl auth can-we list deployments", "kubectl auth has no can-we"),
        ("kubectl get pods --all-namespace", "kubectl get takes no --all-namespace"),
        ("kubectl get --raw /readyz", ""),
        ("kubectl apply --dry-run=client -f FILE", ""),
        ("kubectl --kubeconfg FILE get pods", "kubectl get takes no --kubeconfg"),
    ],
)
def test_the_programs_are_asked(manual: Manual, line: str, said: str) -> None:
    assert manual.wrong_with(line.split()) == said
