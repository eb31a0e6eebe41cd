"""
A file of the operator's, and values of it with the place where each stands.

A value that a tool fills in later (``${NODE}``, a template, an encrypted one) is not known here: what stands in the
file is not what a node would have.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.errors import Diagnosed, Exit
from engine.yamlfile import MAXIMUM_BYTES, Marks, YamlFile, read_documents, spelled
from journal.redactor import redact_text

# envsubst of talhelper (`$A`, `${A}`), Go templates, makejinja of the template, sops, vals, just.
FILLED_IN = re.compile(r"\$[A-Za-z_{(]|\{\{|\{%|#\{|^ENC\[|^ref\+")
_SHOWN = 60


class SourceUnreadable(Diagnosed):
    """A file that the plan is made from cannot be read, or is not what its name promises."""

    exit_code = Exit.ENVIRONMENT


@dataclass(frozen=True, slots=True)
class Said:
    """A value and where it stands (``FILE:LINE``); *unknown* is why there is none, as a sentence without full stop."""

    value: str = ""
    origin: str = ""
    unknown: str = ""

    @property
    def known(self) -> bool:
        """Say whether there is a value."""
        return not self.unknown


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file, whose name is relative to the repository."""

    file: str
    data: Any
    marks: Marks

    def at(self, *keys: str | int) -> str:
        """Return the nearest place that is known, as ``FILE:LINE``."""
        return f"{self.file}:{self.marks.problem(keys, '').line}"

    def get(self, *keys: str | int) -> Any:  # noqa: ANN401  YAML is anything
        """Return what stands there; None: nothing does."""
        value = self.data
        for key in keys:
            if isinstance(value, dict):
                value = value.get(str(key))
            elif isinstance(value, list) and isinstance(key, int) and key < len(value):
                value = value[key]
            else:
                return None
        return value

    def said(self, *keys: str | int) -> Said:
        """Return a value with its place, or why it is not known."""
        return said(self.get(*keys), self.at(*keys), spelled(keys))

    def mapping(self, *keys: str | int) -> dict[str, Any]:
        """Return a mapping; anything else counts as an empty one."""
        value = self.get(*keys)
        return value if isinstance(value, dict) else {}

    def items(self, *keys: str | int) -> int:
        """Return how many items a list has; anything else has none."""
        value = self.get(*keys)
        return len(value) if isinstance(value, list) else 0


def said(value: object, origin: str, name: str) -> Said:
    """Judge a value: a scalar that means itself is known."""
    if value is None or value == "":
        return Said("", origin, f"{origin} has no {name}")
    if isinstance(value, dict | list):
        return Said("", origin, f"{name} at {origin} is no single value")
    text = str(value)
    if FILLED_IN.search(text):
        return Said("", origin, f"{name} at {origin} is filled in elsewhere: {_short(text)}")
    return Said(text, origin)


def elsewhere(value: Said, more: str) -> Said:
    """Add a second place to a value's origin."""
    return replace(value, origin=f"{value.origin}, {more}")


def _short(text: str) -> str:
    """Show a template's beginning on one line; of what is encrypted, only that it is."""
    if text.startswith(("ENC[", "ref+")):
        return "a secret"
    shown = plain(redact_text(text))
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."


def plain(text: str) -> str:
    """Keep one line one line: nothing that a file or its name says may begin another, or speak to a terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def text_of(root: Path, file: str) -> str:
    """:raises SourceUnreadable: when a file cannot be read as text."""
    try:
        with (root / file).open("rb") as stream:
            raw = stream.read(MAXIMUM_BYTES + 1)
    except OSError as error:
        raise _unreadable(f"{file}: {error.strerror or error}") from error
    if len(raw) > MAXIMUM_BYTES:
        raise _unreadable(f"{file}: larger than {MAXIMUM_BYTES} bytes")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _unreadable(f"{file}:{line}: not UTF-8 at byte {error.start}; no text") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise _unreadable(f"{file}:{line}: a NUL byte; no text")
    return text


def documents_of(root: Path, file: str) -> list[Document]:
    """:raises SourceUnreadable: when a file is no YAML, with each ``FILE:LINE:COLUMN``."""
    found, problems = read_documents(YamlFile(file, text_of(root, file)))
    if problems:
        raise _unreadable("\n".join(str(problem) for problem in sorted(problems)))
    return [Document(file, data, marks) for data, marks in found]


def document_of(root: Path, file: str) -> Document:
    """:raises SourceUnreadable: when a file is not one mapping of YAML."""
    found = documents_of(root, file)
    mappings = [document for document in found if isinstance(document.data, dict)]
    if len(mappings) != 1:
        many = "no mapping" if not mappings else f"{len(mappings)} documents, and one is expected"
        raise _unreadable(f"{file}:1:1: $: {many}")
    return mappings[0]


def wrong(message: str) -> SourceUnreadable:
    """Make the error of a file that is not what its name promises."""
    return _unreadable(message)


def _unreadable(message: str) -> SourceUnreadable:
    return SourceUnreadable(
        message,
        reference="source-unreadable",
        hint="mend the file, and say `rekindle init` again; nothing was written",
    )
