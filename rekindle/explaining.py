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
LIKE = 0.7  # of 1: less alike is a guess, and a guess sends a tired person the wrong way
RULE = re.compile(r"^[A-Za-z]{1,3}\d{1,3}$")


def folder() -> Path:
    """Return where the pages are: beside this module once installed, else in the checkout."""
    return _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


def references() -> list[tuple[str, int, str]]:
    """List every reference with its exit code and its sentence, in their order."""
    text = (folder() / "README.md").read_text("utf-8")
    return [(name, int(code), said) for name, code, said in _ROW.findall(text)]


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
        if one.id == name.upper():
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
    like = get_close_matches(name, known, 3, LIKE)
    hint = f"did you mean {' or '.join(like)}?" if like else "`rekindle explain` lists them all"
    return UsageWrong(
        f"no error and no rule is called {name!r}", reference="reference-unknown", hint=hint
    )
