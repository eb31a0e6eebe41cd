"""
What a reference means: the pages of docs/errors, and the rules of diagnosis, for people without a browser.

The pages are part of the installed package; in a checkout they are read where they stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from engine.errors import UsageWrong

_PACKAGED = Path(__file__).with_name("errors")
_CHECKOUT = Path(__file__).parent.parent / "docs" / "errors"
_ROW = re.compile(r"^\| \[([a-z0-9-]+)\]\(\1\.md\) \| (\d+) \| (.+) \|$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\((?![a-z]+:)[^)]+\)")
_BRACKETS = re.compile(r"\(([^()\s]+)\)")
_AROUND = "`'\"[]()., \t\n"
LIKE = 0.7  # of 1: less alike is a guess, and a guess sends a tired person the wrong way
MOST_NAMED, LEAST_LETTERS = 3, 3
_RULE = re.compile(r"^[A-Z]{1,3}\d{1,3}$", re.IGNORECASE)


def folder() -> Path:
    """Return where the pages are: beside this module once installed, else in the checkout."""
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


def references() -> list[tuple[str, int, str]]:
    """List every reference with its exit code and its sentence, in their order."""
    text = (folder() / "README.md").read_text("utf-8")
    return [(name, int(code), said) for name, code, said in _ROW.findall(text)]


def explained(typed: str) -> tuple[str, str]:
    """
    Return what was meant by what somebody typed, or pasted of a message, and the text of it.

    :raises UsageWrong: when nothing is called so.
    """
    bracketed = _BRACKETS.search(typed)
    name = bracketed[1] if bracketed else typed.partition(":")[0]  # a finding is RULE:SUBJECT
    name = name.strip(_AROUND)
    if _RULE.match(name):
        return name.upper(), rule(name.upper())
    name = "-".join(name.lower().replace("_", " ").split())
    return name, page(name)


def page(reference: str) -> str:
    """
    Return the page of a reference as text for a terminal.

    :raises UsageWrong: when there is no such reference; it names those that look like it.
    """
    known = [name for name, _, _ in references()]
    if reference not in known:
        raise _unknown(reference, known)
    text = (folder() / f"{reference}.md").read_text("utf-8")
    return _LINK.sub(r"\1", text).rstrip()


def rule(name: str) -> str:
    """
    Return what a rule of diagnosis looks for, and how it is known to be right.

    :raises UsageWrong: when there is no such rule.
    """
    from phases.diagnosis.catalogue import RULES

    for one in RULES:
        if one.id == name:
            return "\n".join(
                (f"# {one.id}", "", f"{one.title}.", "", f"Proof: {one.proof}.", one.source)
            )
    raise _unknown(name, [one.id for one in RULES])


def summary() -> Iterator[str]:
    """Yield one line a reference."""
    listed = references()
    width = max(len(name) for name, _, _ in listed)
    for name, code, said in listed:
        yield f"{name:{width}}  {code:>3}  " + _LINK.sub(r"\1", said)


def _unknown(name: str, known: list[str]) -> UsageWrong:
    """Name what is written much like it, and what has all of it in its own name."""
    like = get_close_matches(name, known, MOST_NAMED, LIKE)
    if len(name) >= LEAST_LETTERS:
        like = list(dict.fromkeys([*like, *(one for one in known if name in one)]))[:MOST_NAMED]
    hint = "`rekindle explain` lists them all"
    if _RULE.match(name):
        hint = "`rekindle diagnose -v` and `rekindle status -v` name the rule of each cause"
    if like:
        hint = f"did you mean {' or '.join(like)}? {hint}"
    return UsageWrong(
        f"no error and no rule is called {name!r}", reference="reference-unknown", hint=hint
    )
