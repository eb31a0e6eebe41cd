"""
Commands that people are told to type: whole, so that they can be pasted, and quoted for a shell.

A command about a journal names it. At three in the morning "the newest one" may be another than the one that was meant.
"""

from __future__ import annotations

import re
import shlex

_ABOUT_A_JOURNAL = "approve|cancel|history|log|metrics|note|replay|resume|run|status|trace"
_SPAN = re.compile(rf"`(rekindle (?:{_ABOUT_A_JOURNAL})\b[^`]*)`")


def command(*words: str, journal: object = "") -> str:
    """Write a command as it can be typed; *journal* is the path that it is about."""
    named = ("--journal", str(journal)) if journal else ()
    return shlex.join(("rekindle", *words, *named))


def with_journal(text: str, journal: object) -> str:
    """Let each command in backticks name the journal, unless it does already."""
    if not journal:
        return text
    named = f" --journal {shlex.quote(str(journal))}"
    return _SPAN.sub(lambda span: f"`{span[1]}{'' if '--journal' in span[1] else named}`", text)
