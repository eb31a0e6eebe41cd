"""
The page of the bad nights: what each night's test saw, with what differs from one night to the next taken out.

``REKINDLE_BAD_NIGHT=write`` lets a night write its part anew; else the page must have exactly what was seen.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from tests.system.nights.stage import Said, Stage

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "explanation" / "bad-night.md"
ERRORS = ROOT / "docs" / "errors"
REFERENCE = re.compile(r"^(?:error|stuck) \(([a-z0-9-]+)\): ", re.MULTILINE)
PART = re.compile(r"<!-- seen: ([a-z0-9-]+) -->\n```text\n(.*?)```\n<!-- /seen -->\n", re.DOTALL)
WRITE = os.environ.get("REKINDLE_BAD_NIGHT") == "write"
PLAIN = (
    (r"\d{8}-\d{6}-[0-9a-f]{6}", "RUN"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ?", "DATE TIME"),
    (r"\b\d\d:\d\d:\d\dZ?", "TIME"),
    (r"operator@[^ ]+", "operator@HOST"),
    (r"pid \d+", "pid PID"),
    (r"\b127(?:\.\d+){3}", "ADDRESS"),
    (r"\b[0-9a-f]{16}\b", "FINGERPRINT"),
    (r"\bentry is \d+ \([a-z.]+\)", "entry is N (KIND)"),
    (r"\b(entry|entries,) \d+", r"\1 N"),
    (r"whole: \d+ entries", "whole: N entries"),
    (r"\b(for|about|in) \d+ (?:s|m|h)(?: \d+ (?:s|m))?\b", r"\1 AGE"),
    (r", \d+ (?:s|m|h)(?: \d+ (?:s|m))? in this state", ", AGE in this state"),
)


@dataclass(frozen=True)
class Shown:
    """A command as the page shows it: its words, those of its lines that matter, its answer."""

    said: Said
    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join([f"$ {self.said.typed}", *self.lines, f"exit {self.said.code}", ""])


def whole(said: Said) -> Shown:
    """Show all that a command said."""
    return Shown(said, tuple(line for line in (said.out + said.err).splitlines() if line))


def only(said: Said, *beginnings: str) -> Shown:
    """Show those lines that begin, after an instant if there is one, with one of these."""
    lines = [line for line in (said.out + said.err).splitlines() if line]
    shown = [x for x in lines if re.sub(r"^\d\d:\d\d:\d\d +", "", x).startswith(beginnings)]
    assert shown, said
    return Shown(said, tuple(shown))


def problem(said: Said) -> Shown:
    """Show what went wrong and what to do: from the first word of the error to the end."""
    return only(said, "error", "stuck", "hint", "to go on", "interrupted", "clock.jumped")


def normal(stage: Stage, text: str) -> str:
    """Take out what is of this one night: folders, instants, ids, addresses."""
    plain = text.replace(f"{stage.tmp}/", "").replace(str(stage.tmp), "FOLDER")
    for pattern, instead in PLAIN:
        plain = re.sub(pattern, instead, plain)
    return "\n".join(line.rstrip() for line in plain.splitlines()) + "\n"


def references(text: str) -> list[str]:
    return REFERENCE.findall(text)


def parts() -> dict[str, str]:
    """What the page says that each night said."""
    return dict(PART.findall(PAGE.read_text("utf-8")))


def hold(name: str, seen: str) -> None:
    """Hold the page to what was seen, or write it there."""
    if WRITE:
        text = PAGE.read_text("utf-8")
        begin = re.escape(f"<!-- seen: {name} -->\n```text\n")
        made = re.sub(
            rf"({begin}).*?(```\n<!-- /seen -->)",
            lambda found: found[1] + seen + found[2],
            text,
            flags=re.DOTALL,
        )
        PAGE.write_text(made, "utf-8")
    assert parts().get(name) == seen, f"REKINDLE_BAD_NIGHT=write writes {PAGE.name} anew"
